# How often each claim id was met in a run, and ids for the findings of claims that share one.

cdef extern from "_seen.h" nogil:
    enum:
        WK_OF_RUN
    ctypedef struct wk_seen:
        uint64_t key[2]
    uint64_t wk_seen_hash(const wk_seen *seen, const uint8_t *data, int64_t size)
    uint32_t wk_seen_add(wk_seen *seen, uint64_t hash)
    int64_t wk_seen_all(wk_seen *seen, const int32_t *bounds, const uint8_t *data, int64_t size, uint32_t *nth)
    void wk_seen_free(wk_seen *seen)
    void wk_ids_of_nth(uint8_t *ids, const int32_t *claim, const uint32_t *nth, int64_t size)


cdef class SeenIds:
    """Counts how often each claim id was met, by hashes under a key of 16 bytes. Not for several threads at once."""

    cdef wk_seen *seen

    def __cinit__(self, bytes key):
        if len(key) != 16:
            raise ValueError(f"a key has 16 bytes, not {len(key)}")
        self.seen = <wk_seen *>calloc(1, sizeof(wk_seen))
        if self.seen == NULL:
            raise MemoryError
        self.seen.key[0] = wk_word(<const uint8_t *><const char *>key)
        self.seen.key[1] = wk_word(<const uint8_t *><const char *>key + 8)

    def __dealloc__(self):
        if self.seen != NULL:
            wk_seen_free(self.seen)
            free(self.seen)

    def add(self, bytes text):
        """Count an id; return how often it was met with this time."""
        cdef uint32_t nth = wk_seen_add(
            self.seen, wk_seen_hash(self.seen, <const uint8_t *><const char *>text, len(text))
        )
        if not nth:
            raise MemoryError
        return nth

    def add_all(self, const int32_t[::1] bounds, const uint8_t[::1] data):
        """Count the ids data[bounds[r]:bounds[r + 1]]; return how often each was met (32 bits), and how many were before.

        Raises ValueError for bounds outside the data.
        """
        cdef Py_ssize_t size = bounds.shape[0] - 1
        cdef int64_t again
        if size < 0 or not wk_climbs_short(&bounds[0], size + 1, data.shape[0]):
            raise ValueError("texts lie outside their data")
        cdef Block found = _block(malloc((size + 1) * sizeof(uint32_t)), size * sizeof(uint32_t))
        if found.at == NULL:
            raise MemoryError
        with nogil:
            again = wk_seen_all(self.seen, &bounds[0], &data[0] if data.shape[0] else NULL, size, <uint32_t *>found.at)
        if again < 0:
            raise MemoryError
        return found, again


def nth_of_run(str first, uint32_t nth):
    """Return the id of a finding of the nth claim, from 2, of an id in a run."""
    cdef uint8_t out[WK_ID_DIGITS]
    cdef bytes given = first.encode("ascii")
    if len(given) != WK_ID_DIGITS:
        raise ValueError(f"an id has {WK_ID_DIGITS} digits, not {len(given)}")
    wk_nth_id(<const uint8_t *><const char *>given, WK_OF_RUN, nth, out)
    return (<const char *>out)[:WK_ID_DIGITS].decode("ascii")


def ids_of_nth(const uint8_t[::1] ids, const int32_t[::1] claim, const uint32_t[::1] nth):
    """Return ids of findings, `ID_DIGITS` bytes each, as they are on the nth[claim[r]]th claim of an id.

    Raises ValueError for columns that do not fit each other.
    """
    cdef Py_ssize_t size = claim.shape[0]
    if ids.shape[0] != size * WK_ID_DIGITS or not wk_below(&claim[0] if size else NULL, size, nth.shape[0]):
        raise ValueError("the columns of findings do not fit each other")
    cdef Block found = _block(malloc(size * WK_ID_DIGITS + 1), size * WK_ID_DIGITS)
    if found.at == NULL:
        raise MemoryError
    if size:
        with nogil:
            memcpy(found.at, &ids[0], size * WK_ID_DIGITS)
            wk_ids_of_nth(<uint8_t *>found.at, &claim[0], &nth[0], size)
    return found
