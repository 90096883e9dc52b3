# How often each claim id was met in a run, and ids for the findings of claims that share one.

cdef extern from "_seen.h" nogil:
    enum:
        WK_OF_RUN
    ctypedef struct wk_seen:
        uint64_t key[2], used
    uint64_t wk_seen_hash(const wk_seen *seen, const uint8_t *data, int64_t size)
    uint32_t wk_seen_add(wk_seen *seen, uint64_t hash)
    int64_t wk_seen_all(wk_seen *seen, const int32_t *bounds, const uint8_t *data, int64_t size, uint32_t *nth,
                        uint64_t *hashes, int32_t *uncertain, int64_t *uncertain_count)
    int wk_filtered(const wk_seen *seen, uint64_t hash)
    int wk_seen_raise(wk_seen *seen, uint64_t hash, uint32_t by)
    int wk_seen_list(const wk_seen *seen, uint64_t *hashes, uint32_t *counts)
    int wk_seen_forget(wk_seen *seen)
    void wk_seen_free(wk_seen *seen)
    void wk_ids_of_nth(uint8_t *ids, const int32_t *claim, const uint32_t *nth, int64_t size)


cdef class SeenIds:
    """Counts how often each claim id was seen, by hashes of 64 bits under a key of 16 bytes. Not for several threads at once.

    `listed` gives the hashes for a file, after which `forget` leaves only a filter of them. Ids that the filter knows
    are looked up in the file, and `raised` adds how often the file has them.
    """

    cdef wk_seen *seen

    def __cinit__(self, bytes key):
        self.seen = <wk_seen *>calloc(1, sizeof(wk_seen))
        if self.seen == NULL:
            raise MemoryError
        _words_of(key, self.seen.key)

    def __dealloc__(self):
        if self.seen != NULL:
            wk_seen_free(self.seen)
            free(self.seen)

    def __len__(self):
        return self.seen.used

    def add(self, bytes text):
        """Count an id; return how often it has been seen, its hash, and whether the file is to be asked."""
        cdef uint64_t block = wk_seen_hash(self.seen, <const uint8_t *><const char *>text, len(text))
        cdef uint32_t nth = wk_seen_add(self.seen, block)
        if not nth:
            raise MemoryError
        return nth, block, nth == 1 and wk_filtered(self.seen, block) == 1

    def add_all(self, const int32_t[::1] bounds, const uint8_t[::1] data):
        """Count the ids data[bounds[r]:bounds[r + 1]].

        Return how often each has been seen (32 bits), how many were seen before, the hashes (64 bits), and the numbers
        of those to look up in the file (32 bits). Raises ValueError for bounds outside the data.
        """
        cdef Py_ssize_t size = bounds.shape[0] - 1
        cdef int64_t repeats, uncertain_count = 0
        if size < 0 or not wk_climbs_short(&bounds[0], size + 1, data.shape[0]):
            raise ValueError("texts lie outside their data")
        cdef Block block = _fresh(size * sizeof(uint32_t)), hashes = _fresh(size * sizeof(uint64_t))
        cdef Block uncertain = _fresh(size * sizeof(int32_t))
        with nogil:
            repeats = wk_seen_all(
                self.seen,
                &bounds[0],
                &data[0] if data.shape[0] else NULL,
                size,
                <uint32_t *>block.at,
                <uint64_t *>hashes.at,
                <int32_t *>uncertain.at,
                &uncertain_count,
            )
        if repeats < 0:
            raise MemoryError
        uncertain.size = uncertain_count * sizeof(int32_t)
        return block, repeats, hashes, uncertain

    def raised(self, const uint64_t[::1] hashes, const uint32_t[::1] counts):
        """Raise the counts of hashes that are here."""
        cdef Py_ssize_t i
        if hashes.shape[0] != counts.shape[0]:
            raise ValueError("the columns of hashes do not fit each other")
        for i in range(hashes.shape[0]):
            if wk_seen_raise(self.seen, hashes[i], counts[i]):
                raise MemoryError

    def listed(self):
        """Return the hashes in no order, and how often each was met; None where each was once."""
        cdef Py_ssize_t size = self.seen.used
        cdef Block hashes = _fresh(size * sizeof(uint64_t)), counts = _fresh(size * sizeof(uint32_t))
        cdef int several
        with nogil:
            several = wk_seen_list(self.seen, <uint64_t *>hashes.at, <uint32_t *>counts.at)
        return hashes, counts if several else None

    def forget(self):
        """Forget the hashes but for a filter of them."""
        if wk_seen_forget(self.seen):
            raise MemoryError


def nth_of_run(str first, uint32_t nth):
    """Return the id of a finding of the nth claim, from 2, of an id in a run."""
    return _nth_id(first, WK_OF_RUN, nth)


def ids_of_nth(const uint8_t[::1] ids, const int32_t[::1] claim, const uint32_t[::1] nth):
    """Return ids of findings, `ID_DIGITS` bytes each, as they are on the nth[claim[r]]th claim of an id.

    Raises ValueError for columns that do not fit each other.
    """
    cdef Py_ssize_t size = claim.shape[0]
    if ids.shape[0] != size * WK_ID_DIGITS or not wk_below(&claim[0] if size else NULL, size, nth.shape[0]):
        raise ValueError("the columns of findings do not fit each other")
    cdef Block block = _fresh(size * WK_ID_DIGITS)
    if size:
        with nogil:
            memcpy(block.at, &ids[0], size * WK_ID_DIGITS)
            wk_ids_of_nth(<uint8_t *>block.at, &claim[0], &nth[0], size)
    return block
