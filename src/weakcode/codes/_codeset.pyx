# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Sets of codes natively: sorted intervals of code ids in one block of memory.

Compiling the rules for an edition intersects and subtracts some hundred thousand sets of a few intervals each, which as
tuples in Python took a fifth of its time.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memcmp, memcpy, memset


cdef struct Span:
    int64_t low
    int64_t high


cdef int _by_low(const void *one, const void *other) noexcept nogil:
    cdef const Span *a = <const Span *>one
    cdef const Span *b = <const Span *>other
    return (a.low > b.low) - (a.low < b.low)


cdef int _by_number(const void *one, const void *other) noexcept nogil:
    cdef int64_t a = (<const int64_t *>one)[0]
    cdef int64_t b = (<const int64_t *>other)[0]
    return (a > b) - (a < b)


cdef Span *_room(Py_ssize_t count) except NULL:
    cdef Span *at = <Span *>malloc((count if count > 0 else 1) * sizeof(Span))
    if at == NULL:
        raise MemoryError
    return at


cdef CodeSet _kept(Span *at, Py_ssize_t count):
    """Return the set of spans that are sorted, disjoint and do not touch; the memory is the set's from here on."""
    cdef CodeSet made_set
    if count == 0:
        free(at)
        return _NONE
    made_set = CodeSet.__new__(CodeSet)
    made_set.at = at
    made_set.count = count
    return made_set


cdef Py_ssize_t _merge(Span *at, Py_ssize_t count) noexcept nogil:
    """Sort spans and join those that meet, in their place; return how many are left."""
    cdef Py_ssize_t i, kept = 0, filled = 0
    cdef bint rising = True
    for i in range(count):
        if at[i].low < at[i].high:
            at[filled] = at[i]
            rising = rising and (filled == 0 or at[filled - 1].low <= at[filled].low)
            filled += 1
    if not rising:
        qsort(at, filled, sizeof(Span), _by_low)
    for i in range(filled):
        if kept and at[i].low <= at[kept - 1].high:
            if at[i].high > at[kept - 1].high:
                at[kept - 1].high = at[i].high
        else:
            at[kept] = at[i]
            kept += 1
    return kept


cdef Py_ssize_t _reaching(const Span *at, Py_ssize_t i, Py_ssize_t count, int64_t low) noexcept nogil:
    """Return the first span from `i` on that ends after `low`: galloping search, then binary search."""
    cdef Py_ssize_t step = 1
    if i >= count or at[i].high > low:
        return i
    while i + step < count and at[i + step].high <= low:
        i += step
        step *= 2
    while step:
        if i + step < count and at[i + step].high <= low:
            i += step
        step //= 2
    return i + 1


cdef class CodeSet:
    """A set of code ids. `spans` are half-open `(low, high)` intervals, sorted, disjoint and not touching."""

    cdef Span *at
    cdef Py_ssize_t count
    cdef Py_hash_t hash_value
    cdef tuple span_tuples

    def __cinit__(self, spans=()):
        """Make the set of any intervals; those that are empty are left out, those that meet are joined."""
        cdef list inputs
        cdef Py_ssize_t i = 0
        self.hash_value = -1
        if spans is ():
            return
        inputs = list(spans)
        self.at = _room(len(inputs))
        for low, high in inputs:
            self.at[i].low = low
            self.at[i].high = high
            i += 1
        self.count = _merge(self.at, i)

    def __dealloc__(self):
        free(self.at)

    @staticmethod
    def of(ids):
        """Return the set of the given ids."""
        cdef list inputs = list(ids)
        cdef Py_ssize_t i, size = len(inputs), count = 0
        cdef Span *at
        cdef bint rising = True
        cdef int64_t *numbers = <int64_t *>malloc((size if size else 1) * sizeof(int64_t))
        if numbers == NULL:
            raise MemoryError
        try:
            for i in range(size):
                numbers[i] = inputs[i]
                rising = rising and (i == 0 or numbers[i - 1] <= numbers[i])
            if not rising:
                qsort(numbers, size, sizeof(int64_t), _by_number)
            for i in range(size):
                if i == 0 or numbers[i] > numbers[i - 1] + 1:
                    count += 1
            at = _room(count)
            count = 0
            for i in range(size):
                if i == 0 or numbers[i] > numbers[i - 1] + 1:
                    at[count].low = numbers[i]
                    count += 1
                at[count - 1].high = numbers[i] + 1
        finally:
            free(numbers)
        return _kept(at, count)

    @staticmethod
    def between(int64_t low, int64_t high):
        """Return the set of the ids from `low` to below `high`."""
        cdef Span *at
        if low >= high:
            return _NONE
        at = _room(1)
        at.low = low
        at.high = high
        return _kept(at, 1)

    @staticmethod
    def stored(spans):
        """Return the set with the spans of another one, as they were written down."""
        return CodeSet(spans)

    @staticmethod
    def joined(sets):
        """Return the set of the codes that are in any of several sets."""
        cdef list inputs = list(sets)
        cdef Py_ssize_t total = 0
        cdef CodeSet one
        cdef Span *at
        for one in inputs:
            total += one.count
        at = _room(total)
        total = 0
        for one in inputs:
            if one.count:
                memcpy(at + total, one.at, one.count * sizeof(Span))
                total += one.count
        return _kept(at, _merge(at, total))

    @property
    def spans(self):
        cdef Py_ssize_t i
        if self.span_tuples is None:
            self.span_tuples = tuple([(self.at[i].low, self.at[i].high) for i in range(self.count)])
        return self.span_tuples

    @staticmethod
    def packed(sets):
        """Return the ends of all spans of several sets in turn, as numbers of four bytes, and where each set begins.

        After the last comes where that ends. Raises OverflowError for a code id beyond numbers of four bytes.
        """
        cdef list inputs = list(sets)
        cdef list begins = [0]
        cdef Py_ssize_t i, total = 0
        cdef bytearray content
        cdef uint32_t[::1] out
        cdef CodeSet one
        for one in inputs:
            total += one.count
            begins.append(2 * total)
        if not total:
            return b"", begins
        content = bytearray(8 * total)
        out = memoryview(content).cast("I")
        total = 0
        for one in inputs:
            if one.count and (one.at[0].low < 0 or one.at[one.count - 1].high > 0xFFFFFFFF):
                raise OverflowError("a code id is not a number of four bytes")
            for i in range(one.count):
                out[total] = <uint32_t>one.at[i].low
                out[total + 1] = <uint32_t>one.at[i].high
                total += 2
        return bytes(content), begins

    def __contains__(self, int64_t code_id):
        cdef Py_ssize_t i = _reaching(self.at, 0, self.count, code_id)
        return i < self.count and self.at[i].low <= code_id

    def __len__(self):
        cdef Py_ssize_t i
        cdef int64_t total = 0
        for i in range(self.count):
            total += self.at[i].high - self.at[i].low
        return total

    def __bool__(self):
        return self.count > 0

    def __iter__(self):
        for low, high in self.spans:
            yield from range(low, high)

    def __eq__(self, other):
        cdef CodeSet two
        if not isinstance(other, CodeSet):
            return NotImplemented
        two = other
        return self is two or (
            self.count == two.count and (not self.count or memcmp(self.at, two.at, self.count * sizeof(Span)) == 0)
        )

    def __hash__(self):
        cdef uint64_t mixed = <uint64_t>self.count
        cdef Py_ssize_t i
        if self.hash_value == -1:
            for i in range(self.count):
                mixed = (mixed ^ <uint64_t>self.at[i].low) * <uint64_t>0x9E3779B97F4A7C15
                mixed = (mixed ^ (mixed >> 29) ^ <uint64_t>self.at[i].high) * <uint64_t>0xBF58476D1CE4E5B9
            mixed ^= mixed >> 32
            self.hash_value = <Py_hash_t>(mixed >> 2)
        return self.hash_value

    def __repr__(self):
        return f"CodeSet(spans={self.spans!r})"

    def __reduce__(self):
        return CodeSet, (self.spans,)

    def __or__(self, other):
        cdef CodeSet one, two
        cdef Span *at
        if not isinstance(self, CodeSet) or not isinstance(other, CodeSet):
            return NotImplemented
        one, two = self, other
        if not one.count or not two.count:
            return one if one.count else two
        at = _room(one.count + two.count)
        memcpy(at, one.at, one.count * sizeof(Span))
        memcpy(at + one.count, two.at, two.count * sizeof(Span))
        return _kept(at, _merge(at, one.count + two.count))

    def __and__(self, other):
        cdef CodeSet few, many
        cdef Py_ssize_t i, j = 0, kept = 0
        cdef Span *at
        cdef Span overlap
        if not isinstance(self, CodeSet) or not isinstance(other, CodeSet):
            return NotImplemented
        few, many = self, other
        if few.count > many.count:
            few, many = many, few
        if (
            not few.count
            or few.at[few.count - 1].high <= many.at[0].low
            or many.at[many.count - 1].high <= few.at[0].low
        ):
            return _NONE
        at = _room(few.count + many.count)
        for i in range(few.count):
            j = _reaching(many.at, j, many.count, few.at[i].low)
            while j < many.count and many.at[j].low < few.at[i].high:
                overlap.low = max(few.at[i].low, many.at[j].low)
                overlap.high = min(few.at[i].high, many.at[j].high)
                at[kept] = overlap
                kept += 1
                if many.at[j].high >= few.at[i].high:
                    break
                j += 1
        if kept == few.count and memcmp(at, few.at, kept * sizeof(Span)) == 0:
            free(at)
            return few
        return _kept(at, kept)

    def __sub__(self, other):
        cdef CodeSet own, cuts
        cdef Py_ssize_t i, j = 0, kept = 0
        cdef int64_t low
        cdef Span *at
        if not isinstance(self, CodeSet) or not isinstance(other, CodeSet):
            return NotImplemented
        own, cuts = self, other
        if (
            not cuts.count
            or not own.count
            or cuts.at[cuts.count - 1].high <= own.at[0].low
            or own.at[own.count - 1].high <= cuts.at[0].low
        ):
            return own
        at = _room(own.count + cuts.count)
        for i in range(own.count):
            low = own.at[i].low
            j = _reaching(cuts.at, j, cuts.count, low)
            while j < cuts.count and cuts.at[j].low < own.at[i].high:
                if cuts.at[j].low > low:
                    at[kept].low = low
                    at[kept].high = cuts.at[j].low
                    kept += 1
                low = max(low, cuts.at[j].high)
                if cuts.at[j].high >= own.at[i].high:
                    break
                j += 1
            if low < own.at[i].high:
                at[kept].low = low
                at[kept].high = own.at[i].high
                kept += 1
        return _kept(at, kept)


cdef CodeSet _NONE = CodeSet()


include "_many.pxi"
