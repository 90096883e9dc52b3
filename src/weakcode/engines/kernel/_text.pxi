# Text to codes.

cdef extern from "_text.h" nogil:
    ctypedef struct wk_map:
        uint64_t *keys
        int32_t *values
        int64_t size
    void wk_init()
    uint64_t wk_key(const uint8_t *text, int64_t size)
    int wk_map_open(wk_map *m, int64_t expected)
    void wk_map_close(wk_map *m)
    int32_t wk_map_get(const wk_map *m, uint64_t key)
    int32_t wk_map_add(wk_map *m, uint64_t key, int32_t next_token)

wk_init()

# Tokens below zero stand for no code: text without a letter or digit, and no text at all.
EMPTY = -2
NO_TEXT = -3

cdef const uint8_t *NULL_TEXT = b""


cdef class CodeIndex:
    """Tells the number of a billable code from its text, for the codes packed in `keys`, in order of their numbers.

    A key of 0 stands for a number that no text has: a code that is not billable on the days in question.
    """

    cdef wk_map codes
    cdef readonly int32_t billable

    def __cinit__(self, const uint64_t[::1] keys):
        cdef Py_ssize_t i
        self.billable = <int32_t>keys.shape[0]
        if not wk_map_open(&self.codes, keys.shape[0] + 1):
            raise MemoryError
        for i in range(keys.shape[0]):
            if keys[i] and wk_map_add(&self.codes, keys[i], <int32_t>i) < 0:
                raise MemoryError

    def __dealloc__(self):
        wk_map_close(&self.codes)


cdef class Reading:
    """The codes of one batch. Codes that are not billable get tokens from `index.billable` on, as they turn up.

    `names` has the canonical spelling of each, in order of their tokens.
    """

    cdef CodeIndex index
    cdef wk_map unlisted
    cdef readonly list names
    cdef dict others

    def __cinit__(self, CodeIndex index):
        self.index = index
        self.names = []
        self.others = {}
        if not wk_map_open(&self.unlisted, 32):
            raise MemoryError

    def __dealloc__(self):
        wk_map_close(&self.unlisted)

    cdef int32_t _odd(self, bytes raw, canonical) except -1000:
        """Return the token of text that is not spelled in a common way."""
        cdef str name = canonical(raw.decode("utf-8", "surrogateescape"))
        cdef bytes spelled
        cdef uint64_t key
        cdef int32_t token
        if not name:
            return EMPTY
        spelled = name.encode("utf-8", "surrogateescape")
        key = wk_key(<const uint8_t *><const char *>spelled, len(spelled))
        if key:
            token = wk_map_get(&self.index.codes, key)
            return token if token >= 0 else self._unlisted(key, name)
        other = self.others.get(name)
        if other is None:
            other = self.others[name] = self.index.billable + len(self.names)
            self.names.append(name)
        return other

    cdef int32_t _unlisted(self, uint64_t key, str name) except -1000:
        cdef int32_t next_token = self.index.billable + <int32_t>len(self.names)
        cdef int32_t token = wk_map_add(&self.unlisted, key, next_token)
        if token < 0:
            raise MemoryError
        if token == next_token:
            self.names.append(name)
        return token

    def tokens(self, const uint8_t[::1] data, const int64_t[:] low, const int64_t[:] high, int32_t[::1] out, canonical):
        """Write the token of each text data[low[i]:high[i]] to `out`. Raises ValueError for bounds outside the data."""
        cdef Py_ssize_t i = 0, size = low.shape[0]
        cdef int64_t end = data.shape[0]
        cdef int fits = high.shape[0] >= size and out.shape[0] >= size
        cdef uint64_t key = 0
        cdef int32_t token = 0
        cdef const uint8_t *text = &data[0] if data.shape[0] else NULL_TEXT
        cdef wk_map *codes = &self.index.codes
        cdef wk_map *unlisted = &self.unlisted
        with nogil:
            for i in range(size if fits else 0):
                fits &= (0 <= low[i]) & (low[i] <= high[i]) & (high[i] <= end)
        if not fits:
            raise ValueError("the bounds of texts lie outside their data")
        i = 0
        while i < size:
            with nogil:
                while i < size:
                    key = wk_key(text + low[i], high[i] - low[i])
                    if key == 0:
                        break
                    token = wk_map_get(codes, key)
                    if token < 0:
                        token = wk_map_get(unlisted, key)
                        if token < 0:
                            break
                    out[i] = token
                    i += 1
            if i == size:
                break
            raw = bytes(data[low[i]:high[i]])
            out[i] = self._unlisted(key, canonical(raw.decode("ascii"))) if key else self._odd(raw, canonical)
            i += 1


def split(const uint8_t[::1] data, const int64_t[::1] bounds, int64_t[::1] counts):
    """Return the bounds of the words in each text as pairs (low, high), and write the number of words to `counts`.

    Words are parted by blanks, semicolons and commas, ASCII only. Raises ValueError for bounds outside the data.
    """
    if not wk_climbs(&bounds[0], bounds.shape[0], data.shape[0]) or counts.shape[0] < bounds.shape[0] - 1:
        raise ValueError("the bounds of texts lie outside their data")
    cdef Py_ssize_t i, size = bounds.shape[0] - 1
    cdef int64_t at, start, word_count = 0, count_before
    cdef const uint8_t *text = &data[0] if data.shape[0] else NULL_TEXT
    cdef int64_t room = (bounds[size] - bounds[0]) // 2 + size + 1
    cdef int64_t *words = <int64_t *>malloc(room * 2 * sizeof(int64_t))
    if words == NULL:
        raise MemoryError
    with nogil:
        for i in range(size):
            count_before = word_count
            start = -1
            for at in range(bounds[i], bounds[i + 1]):
                if text[at] <= 32 and (text[at] == 32 or 9 <= text[at] <= 13 or text[at] >= 28) or text[at] == 59 or text[at] == 44:
                    if start >= 0:
                        words[2 * word_count] = start
                        words[2 * word_count + 1] = at
                        word_count += 1
                        start = -1
                elif start < 0:
                    start = at
            if start >= 0:
                words[2 * word_count] = start
                words[2 * word_count + 1] = bounds[i + 1]
                word_count += 1
            counts[i] = word_count - count_before
    return _block(words, word_count * 2 * sizeof(int64_t))
