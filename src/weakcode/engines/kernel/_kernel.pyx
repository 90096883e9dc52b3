# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The native kernel: text to codes (_text), codes to violations (_judge, over what _tables makes of a program),
violations to findings (_assemble), columns put together from others (_gather), ids (_ids, _seen), and what could not be judged
(_unjudged). The loops are in the headers of those names; what Python sees of each is in the file beside it. One module,
so that they share what they hand each other.

Columns come and go as contiguous memory; nothing here needs numpy or pyarrow. What is handed in from Python is checked
(_bounds): offsets, numbers and lengths that do not fit raise ValueError, whoever made them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset
from cpython.buffer cimport PyBuffer_FillInfo

import attrs

from weakcode.semantics.edits import Hit


cdef extern from "_bounds.h" nogil:
    int wk_below(const int32_t *values, int64_t size, int64_t limit)
    int wk_below_or_none(const int32_t *values, int64_t size, int64_t limit)
    int wk_climbs(const int64_t *bounds, int64_t size, int64_t limit)
    int wk_climbs_short(const int32_t *bounds, int64_t size, int64_t limit)
    int wk_climbs_unsigned(const uint32_t *bounds, int64_t size, int64_t limit)
    int wk_lists_climb(const uint32_t *bounds, const uint32_t *values, int64_t lists, int64_t limit)


cdef class Block:
    """Memory that the kernel filled, as bytes for numpy or pyarrow to view; freed with the last view."""

    cdef void *at
    cdef Py_ssize_t size

    def __dealloc__(self):
        free(self.at)

    def __len__(self):
        return self.size

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.at if self.at != NULL else <void *>&nothing, self.size, 0, flags)


cdef int nothing = 0


cdef Block _block(void *at, Py_ssize_t size):
    cdef Block block = Block.__new__(Block)
    block.at = at
    block.size = size
    return block


cdef Block _fresh(Py_ssize_t size):
    """Return a block of so many bytes, which are to be filled."""
    cdef Block block = _block(malloc(size + 1), size)
    if block.at == NULL:
        raise MemoryError
    return block


include "_text.pxi"
include "_judge.pxi"
include "_assemble.pxi"
include "_gather.pxi"
include "_ids.pxi"
include "_unjudged.pxi"
include "_seen.pxi"
include "_turns.pxi"
