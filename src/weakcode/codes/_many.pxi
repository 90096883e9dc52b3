# Questions to many code sets at once, part of _codeset.pyx: which touch another one, and which classes they make of codes.

cdef enum:
    _ROWS = 64  # in a block of rows that are also kept joined


cdef class Touching:
    """Code sets by number, to be asked which of them have codes of another set.

    A row of bits says for the codes from one bound of any set to the next which of the sets have them.
    """

    cdef Py_ssize_t words
    cdef Py_ssize_t size
    cdef Py_ssize_t rows
    cdef int64_t *starts
    cdef uint64_t *bits
    cdef uint64_t *blocks
    cdef uint64_t *touched_bits

    def __cinit__(self, sets):
        cdef list inputs = list(sets)
        cdef Py_ssize_t i, j, row, total = 0, kept = 0
        cdef CodeSet one
        self.size = len(inputs)
        self.words = (self.size + 63) // 64
        for one in inputs:
            total += 2 * one.count
        self.starts = <int64_t *>malloc((total + 1) * sizeof(int64_t))
        if self.starts == NULL:
            raise MemoryError
        total = 0
        for one in inputs:
            for j in range(one.count):
                self.starts[total] = one.at[j].low
                self.starts[total + 1] = one.at[j].high
                total += 2
        qsort(self.starts, total, sizeof(int64_t), _by_number)
        for i in range(total):
            if i == 0 or self.starts[i] != self.starts[i - 1]:
                self.starts[kept] = self.starts[i]
                kept += 1
        self.rows = kept
        self.bits = <uint64_t *>calloc(kept * self.words + 1, sizeof(uint64_t))
        self.blocks = <uint64_t *>calloc((kept // _ROWS + 1) * self.words + 1, sizeof(uint64_t))
        self.touched_bits = <uint64_t *>malloc((self.words + 1) * sizeof(uint64_t))
        if self.bits == NULL or self.blocks == NULL or self.touched_bits == NULL:
            raise MemoryError
        for i in range(self.size):
            one = inputs[i]
            for j in range(one.count):
                for row in range(self._place(one.at[j].low), self._place(one.at[j].high)):
                    self.bits[row * self.words + i // 64] |= <uint64_t>1 << (i % 64)
        for row in range(kept):
            self._join(self.blocks + row // _ROWS * self.words, self.bits + row * self.words)

    def __dealloc__(self):
        free(self.starts)
        free(self.bits)
        free(self.blocks)
        free(self.touched_bits)

    cdef Py_ssize_t _place(self, int64_t code_id) noexcept nogil:
        """Return the first row that begins with a code id or after it."""
        cdef Py_ssize_t low = 0, high = self.rows, middle
        while low < high:
            middle = (low + high) // 2
            if self.starts[middle] < code_id:
                low = middle + 1
            else:
                high = middle
        return low

    cdef void _join(self, uint64_t *into, const uint64_t *more) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(self.words):
            into[i] |= more[i]

    cdef void _ask(self, CodeSet codes) noexcept:
        """Set in `touched_bits` the bits of the sets that have codes of this one."""
        cdef Py_ssize_t i, row, end
        memset(self.touched_bits, 0, self.words * sizeof(uint64_t))
        for i in range(codes.count):
            row = self._place(codes.at[i].low)
            if row and (row == self.rows or self.starts[row] > codes.at[i].low):
                row -= 1
            end = self._place(codes.at[i].high)
            while row < end:
                if row % _ROWS == 0 and row + _ROWS <= end:
                    self._join(self.touched_bits, self.blocks + row // _ROWS * self.words)
                    row += _ROWS
                else:
                    self._join(self.touched_bits, self.bits + row * self.words)
                    row += 1

    def both(self, codes: CodeSet, Touching other, others: CodeSet):
        """Return the numbers of the sets that have codes of one set, and whose like in `other` have some of `others`."""
        cdef Py_ssize_t i, j
        cdef uint64_t word
        cdef list numbers = []
        self._ask(codes)
        other._ask(others)
        for i in range(min(self.words, other.words)):
            word = self.touched_bits[i] & other.touched_bits[i]
            if word:
                for j in range(64):
                    if word >> j & 1:
                        numbers.append(64 * i + j)
        return numbers


def toggle(uint64_t[::1] marks, const int64_t[::1] places, const int64_t[::1] whose, const uint64_t[::1] words):
    """Toggle in the mark at each of some places the bits of a word: that of the number which `whose` has for the place.

    `places` and `whose` are of one length; what they say must lie within `marks` and `words`.
    """
    cdef Py_ssize_t i
    for i in range(places.shape[0]):
        marks[places[i]] ^= words[whose[i]]


def by_class(const int64_t[::1] whose, const int64_t[::1] first, const int64_t[::1] end, Py_ssize_t count):
    """Return what is in each of `count` classes, numbers of four bytes one class after the other, and where each begins.

    Each of `whose` is in the classes from `first` to below `end`, which must not exceed `count`. Within a class they
    stand in their order. After the last class comes where that ends.
    """
    cdef Py_ssize_t i
    cdef int64_t place, size = 0, total = 0
    begins, nexts = bytearray(8 * (count + 1)), bytearray(8 * (count + 1))
    cdef int64_t[::1] bounds = memoryview(begins).cast("q")
    cdef int64_t[::1] next_of = memoryview(nexts).cast("q")
    cdef uint32_t[::1] members
    for i in range(whose.shape[0]):
        if first[i] < end[i]:
            bounds[first[i]] += 1
            bounds[end[i]] -= 1
    for i in range(count + 1):
        size += bounds[i]
        bounds[i] = next_of[i] = total
        total += size
    content = bytearray(4 * total)
    if total:
        members = memoryview(content).cast("I")
        for i in range(whose.shape[0]):
            for place in range(first[i], end[i]):
                members[next_of[place]] = <uint32_t>whose[i]
                next_of[place] += 1
    return content, begins
