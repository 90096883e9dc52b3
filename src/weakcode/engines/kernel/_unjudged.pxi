# What could not be judged on the claims of a batch.

cdef extern from "_unjudged.h" nogil:
    enum:
        WK_NEEDS
    ctypedef struct wk_part:
        const int32_t *index
        const uint64_t *words
        int64_t last
        uint8_t need
    ctypedef struct wk_questions:
        int64_t size
        const uint64_t *codes
        const uint64_t *leading
        const int32_t *unlisted
        int64_t billable
        const uint64_t *anywhere
        const uint64_t *allowed
        const uint64_t *wanting
        const uint64_t *on
        const int32_t *payer_of
        int64_t last_payer
        const wk_part *parts
        int64_t part_count
    void wk_not_judged(
        const wk_questions *asked, const int32_t *tokens, const int64_t *bounds, const uint8_t *lacks, int64_t rows,
        uint64_t *unjudged, uint8_t *needs, uint64_t *seen
    )


cdef int _check_values(const int32_t[::1] numbers, Py_ssize_t rows, int64_t values) except -1:
    if numbers.shape[0] < rows or values < 1 or not wk_below_or_none(&numbers[0], rows, values):
        raise ValueError(f"the numbers of {values} values do not fit {rows} rows")
    return 0


def not_judged(
    const int32_t[::1] tokens,
    const int64_t[::1] bounds,
    const uint8_t[::1] lacks,
    Py_ssize_t billable,
    const int32_t[::1] unlisted,
    const uint64_t[::1] codes,
    const uint64_t[::1] leading,
    const uint64_t[::1] anywhere,
    const uint64_t[::1] wanting,
    const uint64_t[::1] allowed,
    payers,
    parts,
):
    """Return for each row the bits of the needs for want of which it was not judged, and for each need the bits of what.

    What is asked is bits of as many words as `anywhere` has, which are asked of any claim. `codes` and `leading` have
    the words of what speaks of each code wherever, or first; `wanting` and `allowed` by what is missing, as a number of
    up to eight bits, those of what asks for it and of what may be reported then. `payers` and each of `parts` are numbers by row,
    -1 for the last value, and the words of each value; parts also say which bit of `lacks` tells that they are missing.

    Token t is the code t where it is below `billable`, else unlisted[t - billable]. Rows that lack nothing are passed
    over, all others must have a code. Runs without the GIL; raises ValueError for what does not fit together.
    """
    cdef Py_ssize_t rows = lacks.shape[0], size = anywhere.shape[0], part_count = len(parts), n
    cdef int64_t universe = codes.shape[0] // size if size else 0
    cdef const uint64_t[::1] words
    cdef const int32_t[::1] index
    cdef wk_questions a
    cdef wk_part *part_array
    cdef uint64_t *scratch
    cdef bint fine = size > 0 and bounds.shape[0] == rows + 1 and leading.shape[0] == codes.shape[0]
    # As many numbers of what is missing as there are tables by them.
    cdef int64_t sorts = wanting.shape[0] // size if size else 0
    if not fine or not 1 <= sorts <= 1 << WK_NEEDS or allowed.shape[0] != wanting.shape[0]:
        raise ValueError(f"columns of {rows} rows and tables of {size} words do not fit each other")
    if not rows:
        return b"", bytes(8 * WK_NEEDS * size)
    cdef const int32_t *codes_of = &tokens[0] if tokens.shape[0] else NULL
    a.unlisted = &unlisted[0] if unlisted.shape[0] else NULL
    with nogil:
        fine = (
            wk_climbs(&bounds[0], rows + 1, tokens.shape[0])
            and 0 <= billable <= universe
            and wk_below(a.unlisted, unlisted.shape[0], universe)
            and wk_rows_fit(codes_of, tokens.shape[0], &bounds[0], &lacks[0], rows, <int64_t>billable + unlisted.shape[0])
        )
        if fine:
            for n in range(rows):
                fine &= lacks[n] < sorts and (not lacks[n] or bounds[n + 1] > bounds[n])
    if not fine:
        raise ValueError("the codes of a batch lie outside its tokens, or its tokens outside the codes")
    index, words = payers
    _check_values(index, rows, words.shape[0] // size)
    a.size, a.billable, a.part_count = size, billable, part_count
    a.codes, a.leading, a.anywhere = &codes[0], &leading[0], &anywhere[0]
    a.wanting, a.allowed = &wanting[0], &allowed[0]
    a.payer_of, a.on, a.last_payer = &index[0], &words[0], words.shape[0] // size - 1
    # What the loops are given stays referred to by `payers` and `parts`.
    cdef Block part_block = _block(calloc(part_count + 1, sizeof(wk_part)), 0)
    cdef Block seen_block = _block(calloc((WK_NEEDS + 1) * size, sizeof(uint64_t)), 8 * WK_NEEDS * size)
    cdef Block needs = _block(calloc(rows, 1), rows)
    if part_block.at == NULL or seen_block.at == NULL or needs.at == NULL:
        raise MemoryError
    part_array, scratch = <wk_part *>part_block.at, <uint64_t *>seen_block.at + WK_NEEDS * size
    for n in range(part_count):
        need, index, words = parts[n]
        _check_values(index, rows, words.shape[0] // size)
        part_array[n].need, part_array[n].index, part_array[n].words = need, &index[0], &words[0]
        part_array[n].last = words.shape[0] // size - 1
    a.parts = part_array
    with nogil:
        wk_not_judged(&a, codes_of, &bounds[0], &lacks[0], rows, scratch, <uint8_t *>needs.at, <uint64_t *>seen_block.at)
    return needs, seen_block
