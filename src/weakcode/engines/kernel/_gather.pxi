# Columns put together from others.

cdef extern from "_gather.h" nogil:
    int64_t wk_bounds(const int32_t *bounds, const int32_t *picked, int64_t size, int32_t *out)
    void wk_pick_numbers(const int32_t *bounds, const int32_t *values, const int32_t *picked, int64_t size, int32_t *out)
    void wk_pick_bytes(const int32_t *bounds, const uint8_t *data, const int32_t *picked, int64_t size, uint8_t *out)
    int32_t wk_first_met(const int32_t *numbers, int64_t size, int32_t *met, int32_t *first, int32_t *out)
    int64_t wk_pick_above(const int32_t *one, const int32_t *other, int64_t size, int32_t *bounds, int32_t *out)


cdef int _check_lists(const int32_t[::1] bounds, Py_ssize_t end, const int32_t[::1] picked) except -1:
    if not wk_climbs_short(&bounds[0], bounds.shape[0], end):
        raise ValueError("the bounds of lists lie outside their values")
    if not wk_below(&picked[0] if picked.shape[0] else NULL, picked.shape[0], bounds.shape[0] - 1):
        raise ValueError(f"a list is picked that is not among the {bounds.shape[0] - 1}")
    return 0


def pick_lists(const int32_t[::1] bounds, const int32_t[::1] values, const int32_t[::1] picked):
    """Return the bounds and the values of the picked lists, list r being values[bounds[r]:bounds[r + 1]].

    Raises OverflowError when there are more values than 32 bits can count, ValueError for bounds or numbers out of range.
    """
    _check_lists(bounds, values.shape[0], picked)
    cdef Py_ssize_t size = picked.shape[0]
    cdef int64_t total
    cdef Block ends = _fresh((size + 1) * sizeof(int32_t)), values_block
    with nogil:
        total = wk_bounds(&bounds[0], &picked[0] if size else NULL, size, <int32_t *>ends.at)
    if total < 0:
        raise OverflowError("too many values for one batch")
    values_block = _fresh(total * sizeof(int32_t))
    if total:
        with nogil:
            wk_pick_numbers(&bounds[0], &values[0], &picked[0], size, <int32_t *>values_block.at)
    return ends, values_block


def pick_texts(const int32_t[::1] bounds, const uint8_t[::1] data, const int32_t[::1] picked):
    """Return the bounds and the bytes of the picked texts, text r being data[bounds[r]:bounds[r + 1]].

    Raises OverflowError when there are more bytes than 32 bits can count, ValueError for bounds or numbers out of range.
    """
    _check_lists(bounds, data.shape[0], picked)
    cdef Py_ssize_t size = picked.shape[0]
    cdef int64_t total
    cdef Block ends = _fresh((size + 1) * sizeof(int32_t)), values_block
    with nogil:
        total = wk_bounds(&bounds[0], &picked[0] if size else NULL, size, <int32_t *>ends.at)
    if total < 0:
        raise OverflowError("too much text for one batch")
    values_block = _fresh(total)
    if total:
        with nogil:
            wk_pick_bytes(&bounds[0], &data[0], &picked[0], size, <uint8_t *>values_block.at)
    return ends, values_block


def first_met(const int32_t[::1] numbers, Py_ssize_t limit):
    """Return the distinct numbers in the order in which they are first met, and for each number its place among them.

    Raises ValueError for a number that is not from 0 to below the limit.
    """
    cdef Py_ssize_t size = numbers.shape[0]
    cdef Py_ssize_t most = size if size < limit else limit
    if not wk_below(&numbers[0] if size else NULL, size, limit):
        raise ValueError(f"numbers lie outside {limit}")
    cdef Block met = _fresh(limit * sizeof(int32_t)), first = _fresh(most * sizeof(int32_t))
    cdef Block out = _fresh(size * sizeof(int32_t))
    memset(met.at, 255, limit * sizeof(int32_t))
    first.size = 0
    if size:
        with nogil:
            first.size = sizeof(int32_t) * wk_first_met(
                &numbers[0], size, <int32_t *>met.at, <int32_t *>first.at, <int32_t *>out.at
            )
    return first, out


def pick_above_zero(const int32_t[::1] one, const int32_t[::1] other):
    """Return the bounds and the values of lists with those of the two numbers of each row that are above zero."""
    cdef Py_ssize_t size = one.shape[0]
    if other.shape[0] < size:
        raise ValueError(f"{other.shape[0]} numbers beside {size}")
    cdef Block ends = _fresh((size + 1) * sizeof(int32_t)), values_block = _fresh(2 * size * sizeof(int32_t))
    with nogil:
        values_block.size = sizeof(int32_t) * wk_pick_above(
            &one[0] if size else NULL, &other[0] if size else NULL, size, <int32_t *>ends.at, <int32_t *>values_block.at
        )
    return ends, values_block
