# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The native kernel: text to codes, codes to violations, violations to findings. The loops are in
_text.h, _judge.h, _tables.h, _assemble.h and _gather.h.

Columns come and go as contiguous memory; nothing here needs numpy or pyarrow.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset
from cpython.buffer cimport PyBuffer_FillInfo

import attrs

from weakcode.compile.edits import Hit

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
    int32_t wk_map_add(wk_map *m, uint64_t key, int32_t fresh)

cdef extern from "_judge.h" nogil:
    ctypedef struct wk_hit:
        int32_t row, edit, subject, object, stray, term
    ctypedef struct wk_hits:
        wk_hit *at
        int64_t size, room
    ctypedef struct wk_edit:
        uint8_t verb, where, spoken
        int32_t about_claim, about_codes
    ctypedef struct wk_tables:
        int32_t edit_count
    ctypedef struct wk_scratch:
        pass
    ctypedef struct wk_claim:
        const wk_tables *t
        wk_scratch *s
        wk_hits *out
        const uint64_t *about
        const int32_t *tokens
        const int32_t *strange
        int32_t billable, size, row
    int wk_scratch_open(wk_scratch *s, const wk_tables *t)
    void wk_scratch_close(wk_scratch *s)
    int wk_judge(wk_claim *k)
    int wk_judge_rows(wk_claim *k, const int32_t *tokens, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                      const uint64_t *about, int64_t words)

cdef extern from "_tables.h" nogil:
    int MOST_CLASSES
    ctypedef struct wk_source:
        const wk_edit *of
        const uint8_t *active
        const uint32_t *objects
        int32_t edit_count, classes
        const uint32_t *wide
        int32_t wide_size
        const uint32_t *subject_pointers
        const uint32_t *subject_edits
        const uint32_t *object_pointers
        const uint32_t *object_edits
        const uint32_t *segment_starts
        const uint32_t *segment_classes
        int32_t segments, universe
        const uint32_t *set_bounds
        const uint32_t *set_spans
        const uint32_t *condition_sets
        int32_t condition_set_count
        const int32_t *code_conditions
        int32_t code_condition_count
        const uint32_t *whole
        int32_t whole_size
    ctypedef struct wk_built:
        wk_tables t
    int wk_build(wk_built *b, const wk_source *s)
    void wk_built_close(wk_built *b)

cdef extern from "_assemble.h" nogil:
    ctypedef struct wk_finding:
        int32_t row
    ctypedef struct wk_variant:
        int32_t first, count, subject, object, stray, term
    ctypedef struct wk_report:
        wk_finding *findings
        int64_t finding_count, finding_room
        wk_variant *variants
        int64_t variant_count
        int32_t *merged
        int64_t merged_count
        int64_t rows
    ctypedef struct wk_rules:
        const int32_t *rule_of
        const uint8_t *either_way
        const int32_t *rank
        const int32_t *replaces_at
        const int32_t *replaces
        int32_t rule_count
    ctypedef struct wk_sorted:
        const wk_hit *hit
    ctypedef struct wk_group:
        const wk_hit *hit
        int32_t rule, gone
        int32_t start "from"
        int32_t end "to"
    ctypedef struct wk_merged:
        wk_sorted *sorted
        wk_group *groups
        int32_t count
        void *work
        int64_t room
    int wk_merge(wk_merged *m, const wk_rules *rules, const uint8_t *severity, const wk_hit *hits, int64_t size)
    void wk_report_close(wk_report *r)
    int wk_report_row(wk_report *r, const wk_rules *rules, const uint8_t *severity, const wk_hit *hits, int64_t size,
                      const int32_t *tokens, wk_merged *m)

cdef extern from "_gather.h" nogil:
    int64_t wk_bounds(const int32_t *bounds, const int32_t *picked, int64_t size, int32_t *out)
    void wk_pick_numbers(const int32_t *bounds, const int32_t *values, const int32_t *picked, int64_t size, int32_t *out)
    void wk_pick_bytes(const int32_t *bounds, const uint8_t *data, const int32_t *picked, int64_t size, uint8_t *out)
    int64_t wk_pick_above(const int32_t *one, const int32_t *other, int64_t size, int32_t *bounds, int32_t *out)

wk_init()

# Tokens below zero stand for no code: text without a letter or digit, and no text at all.
EMPTY = -2
NO_TEXT = -3


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


cdef int32_t *_room(Py_ssize_t size) except NULL:
    cdef int32_t *at = <int32_t *>malloc((size + 1) * sizeof(int32_t))
    if at == NULL:
        raise MemoryError
    return at


def pick_lists(const int32_t[::1] bounds, const int32_t[::1] values, const int32_t[::1] picked):
    """Return the bounds and the values of the picked lists, list r being values[bounds[r]:bounds[r + 1]].

    Raises OverflowError when there are more values than 32 bits can count.
    """
    cdef Py_ssize_t size = picked.shape[0]
    cdef int64_t total
    cdef Block ends = _block(_room(size + 1), (size + 1) * sizeof(int32_t)), found
    with nogil:
        total = wk_bounds(&bounds[0], &picked[0] if size else NULL, size, <int32_t *>ends.at)
    if total < 0:
        raise OverflowError("too many values for one batch")
    found = _block(_room(total), total * sizeof(int32_t))
    if total:
        with nogil:
            wk_pick_numbers(&bounds[0], &values[0], &picked[0], size, <int32_t *>found.at)
    return ends, found


def pick_texts(const int32_t[::1] bounds, const uint8_t[::1] data, const int32_t[::1] picked):
    """Return the bounds and the bytes of the picked texts, text r being data[bounds[r]:bounds[r + 1]].

    Raises OverflowError when there are more bytes than 32 bits can count.
    """
    cdef Py_ssize_t size = picked.shape[0]
    cdef int64_t total
    cdef Block ends = _block(_room(size + 1), (size + 1) * sizeof(int32_t)), found
    with nogil:
        total = wk_bounds(&bounds[0], &picked[0] if size else NULL, size, <int32_t *>ends.at)
    if total < 0:
        raise OverflowError("too much text for one batch")
    found = _block(_room(total // 4 + 1), total)
    if total:
        with nogil:
            wk_pick_bytes(&bounds[0], &data[0], &picked[0], size, <uint8_t *>found.at)
    return ends, found


def pick_above_zero(const int32_t[::1] one, const int32_t[::1] other):
    """Return the bounds and the values of lists with those of the two numbers of each row that are above zero."""
    cdef Py_ssize_t size = one.shape[0]
    cdef Block ends = _block(_room(size + 1), (size + 1) * sizeof(int32_t)), found = _block(_room(2 * size + 1), 0)
    with nogil:
        found.size = sizeof(int32_t) * wk_pick_above(
            &one[0] if size else NULL, &other[0] if size else NULL, size, <int32_t *>ends.at, <int32_t *>found.at
        )
    return ends, found


cdef class CodeIndex:
    """Tells the number of a billable code from its text, for the codes packed in `keys`, in order of their numbers."""

    cdef wk_map codes
    cdef readonly int32_t billable

    def __cinit__(self, const uint64_t[::1] keys):
        cdef Py_ssize_t i
        self.billable = <int32_t>keys.shape[0]
        if not wk_map_open(&self.codes, keys.shape[0] + 1):
            raise MemoryError
        for i in range(keys.shape[0]):
            if wk_map_add(&self.codes, keys[i], <int32_t>i) < 0:
                raise MemoryError

    def __dealloc__(self):
        wk_map_close(&self.codes)


cdef class Reading:
    """The codes of one batch. Codes that are not billable get tokens from `index.billable` on, as they turn up.

    `names` has the canonical spelling of each, in order of their tokens.
    """

    cdef CodeIndex index
    cdef wk_map strange
    cdef readonly list names
    cdef dict others

    def __cinit__(self, CodeIndex index):
        self.index = index
        self.names = []
        self.others = {}
        if not wk_map_open(&self.strange, 32):
            raise MemoryError

    def __dealloc__(self):
        wk_map_close(&self.strange)

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
            return token if token >= 0 else self._strange(key, name)
        found = self.others.get(name)
        if found is None:
            found = self.others[name] = self.index.billable + len(self.names)
            self.names.append(name)
        return found

    cdef int32_t _strange(self, uint64_t key, str name) except -1000:
        cdef int32_t fresh = self.index.billable + <int32_t>len(self.names)
        cdef int32_t token = wk_map_add(&self.strange, key, fresh)
        if token < 0:
            raise MemoryError
        if token == fresh:
            self.names.append(name)
        return token

    def tokens(self, const uint8_t[::1] data, const int64_t[:] low, const int64_t[:] high, int32_t[::1] out, canonical):
        """Write the token of each text data[low[i]:high[i]] to `out`."""
        cdef Py_ssize_t i = 0, size = low.shape[0]
        cdef uint64_t key = 0
        cdef int32_t token = 0
        cdef const uint8_t *text = &data[0] if data.shape[0] else NULL_TEXT
        cdef wk_map *codes = &self.index.codes
        cdef wk_map *strange = &self.strange
        while i < size:
            with nogil:
                while i < size:
                    key = wk_key(text + low[i], high[i] - low[i])
                    if key == 0:
                        break
                    token = wk_map_get(codes, key)
                    if token < 0:
                        token = wk_map_get(strange, key)
                        if token < 0:
                            break
                    out[i] = token
                    i += 1
            if i == size:
                break
            raw = bytes(data[low[i]:high[i]])
            out[i] = self._strange(key, canonical(raw.decode("ascii"))) if key else self._odd(raw, canonical)
            i += 1


cdef const uint8_t *NULL_TEXT = b""


def split(const uint8_t[::1] data, const int64_t[::1] bounds, int64_t[::1] counts):
    """Return the bounds of the words in each text as pairs (low, high), and write the number of words to `counts`.

    Words are parted by blanks, semicolons and commas, ASCII only.
    """
    cdef Py_ssize_t i, size = bounds.shape[0] - 1
    cdef int64_t at, start, found = 0, before
    cdef const uint8_t *text = &data[0] if data.shape[0] else NULL_TEXT
    cdef int64_t room = (bounds[size] - bounds[0]) // 2 + size + 1
    cdef int64_t *words = <int64_t *>malloc(room * 2 * sizeof(int64_t))
    if words == NULL:
        raise MemoryError
    with nogil:
        for i in range(size):
            before = found
            start = -1
            for at in range(bounds[i], bounds[i + 1]):
                if text[at] <= 32 and (text[at] == 32 or 9 <= text[at] <= 13 or text[at] >= 28) or text[at] == 59 or text[at] == 44:
                    if start >= 0:
                        words[2 * found] = start
                        words[2 * found + 1] = at
                        found += 1
                        start = -1
                elif start < 0:
                    start = at
            if start >= 0:
                words[2 * found] = start
                words[2 * found + 1] = bounds[i + 1]
                found += 1
            counts[i] = found - before
    return _block(words, found * 2 * sizeof(int64_t))


cdef object _new = tuple.__new__


cdef const uint32_t *_words(const uint32_t[::1] column):
    return &column[0] if column.shape[0] else NULL


cdef class Tables:
    """The edits of a program, by code and by what makes them worth looking at, ready for the loops.

    By edit: the bit of its claim condition (0 for none) and the place of its condition on codes (-1 for none), whether
    it looks at more than codes, and whether it is active. Of each condition on codes, the places of `present`, `absent`
    and `first_listed` in `condition_sets`, which has numbers of code sets (-1 for none). `whole` and `wide` are edits
    without a subject, and those that are not listed with their objects; `conditions` is the number of claim conditions.
    `column` gives the columns of the program by name.
    """

    cdef wk_built built
    cdef object keep
    cdef wk_scratch own
    cdef uint64_t *single
    cdef readonly Py_ssize_t classes
    cdef readonly Py_ssize_t words

    def __cinit__(
        self,
        column,
        const uint8_t[::1] active,
        const uint8_t[::1] spoken,
        const int32_t[::1] about_claim,
        const int32_t[::1] about_codes,
        const int32_t[::1] code_conditions,
        const uint32_t[::1] condition_sets,
        const uint32_t[::1] whole,
        const uint32_t[::1] wide,
        int32_t universe,
        int32_t conditions,
    ):
        cdef wk_source s
        cdef Py_ssize_t e, count = active.shape[0]
        cdef const uint32_t[::1] verbs = column("verbs"), wheres = column("wheres")
        memset(&s, 0, sizeof(s))
        s.classes = <int32_t>len(column("subject_pointers")) - 1
        if s.classes > MOST_CLASSES:
            raise ValueError(f"the rules tell {s.classes} classes of codes apart; {MOST_CLASSES} are possible")
        cdef wk_edit *of = <wk_edit *>calloc(count + 1, sizeof(wk_edit))
        self.words = (conditions + 64) // 64
        self.single = <uint64_t *>malloc(self.words * sizeof(uint64_t))
        if of == NULL or self.single == NULL:
            free(of)
            raise MemoryError
        for e in range(count):
            of[e].verb = <uint8_t>verbs[e]
            of[e].where = <uint8_t>wheres[e]
            of[e].spoken = spoken[e]
            of[e].about_claim = about_claim[e]
            of[e].about_codes = about_codes[e]
        self.keep = whole
        self.classes = s.classes
        s.of = of
        s.active = &active[0] if count else NULL
        s.objects = _words(column("objects"))
        s.edit_count = <int32_t>count
        s.wide = _words(wide)
        s.wide_size = <int32_t>wide.shape[0]
        s.subject_pointers = _words(column("subject_pointers"))
        s.subject_edits = _words(column("subject_edits"))
        s.object_pointers = _words(column("object_pointers"))
        s.object_edits = _words(column("object_edits"))
        s.segment_starts = _words(column("starts"))
        s.segment_classes = _words(column("members"))
        s.segments = <int32_t>len(column("starts"))
        s.universe = universe
        s.set_bounds = _words(column("set_bounds"))
        s.set_spans = _words(column("set_spans"))
        s.condition_sets = _words(condition_sets)
        s.condition_set_count = <int32_t>condition_sets.shape[0]
        s.code_conditions = &code_conditions[0] if code_conditions.shape[0] else NULL
        s.code_condition_count = <int32_t>(code_conditions.shape[0] // 3)
        s.whole = _words(whole)
        s.whole_size = <int32_t>whole.shape[0]
        fine = wk_build(&self.built, &s) and wk_scratch_open(&self.own, &self.built.t)
        free(of)
        if not fine:
            raise MemoryError

    def __dealloc__(self):
        wk_built_close(&self.built)
        free(self.single)
        wk_scratch_close(&self.own)

    def judge(self, tuple codes, tuple ids, held):
        """Return the hits on one claim, given its codes and their ids; terms are taken to hold.

        Bit n + 1 of `held` tells whether claim condition n holds, bit 0 is set. Holds the GIL.
        """
        cdef int32_t size = <int32_t>len(codes), i, token
        cdef dict known = {}
        cdef wk_hits out
        cdef wk_claim k
        cdef int32_t near[64]
        cdef int32_t *memory = near
        if not size:
            return []
        if size > 32:
            memory = <int32_t *>malloc(2 * size * sizeof(int32_t))
            if memory == NULL:
                raise MemoryError
        memset(&k, 0, sizeof(k))
        out.at = NULL
        out.size = out.room = 0
        try:
            for i in range(size):
                # Every token is its own index among the strange codes, so that its id stands right there.
                token = known.setdefault(codes[i], len(known))
                memory[i] = token
                memory[size + token] = ids[i]
            if self.words > 1:
                for i in range(self.words):
                    self.single[i] = held >> (64 * i) & 0xFFFFFFFFFFFFFFFF
            else:
                self.single[0] = held
            k.t = &self.built.t
            k.s = &self.own
            k.out = &out
            k.about = self.single
            k.tokens = memory
            k.strange = memory + size
            k.size = size
            if not wk_judge(&k):
                raise MemoryError
            return [_new(Hit, (out.at[i].edit, out.at[i].subject, out.at[i].object)) for i in range(out.size)]
        finally:
            free(out.at)
            if memory != near:
                free(memory)

    def judge_batch(
        self,
        const int32_t[::1] tokens,
        const int64_t[::1] bounds,
        const uint8_t[::1] chosen,
        const uint64_t[::1] about,
        int32_t billable,
        const int32_t[::1] strange,
    ):
        """Return the hits on the chosen rows as a block of six int32 each, in order of rows.

        The codes of row r are tokens[bounds[r]:bounds[r + 1]]; those from `billable` on stand for the code ids in
        `strange`. `about` has `words` words for each row: bit n + 1 tells whether claim condition n holds, bit 0 is set.
        Terms are taken to hold. Runs without the GIL.
        """
        cdef Py_ssize_t rows = bounds.shape[0] - 1
        cdef wk_hits out
        cdef wk_claim k
        cdef wk_scratch scratch
        cdef int fine = 1
        cdef Py_ssize_t words = self.words
        out.at = NULL
        out.size = out.room = 0
        memset(&k, 0, sizeof(k))
        k.t = &self.built.t
        k.s = &scratch
        k.out = &out
        k.strange = &strange[0] if strange.shape[0] else NULL
        k.billable = billable
        if about.shape[0] < rows * words:
            raise ValueError(f"{about.shape[0]} words for {rows} rows of {words}")
        with nogil:
            fine = wk_scratch_open(&scratch, k.t)
            if fine and rows > 0:
                fine = wk_judge_rows(
                    &k, &tokens[0] if tokens.shape[0] else NULL, &bounds[0], &chosen[0], rows, &about[0], words
                )
            wk_scratch_close(&scratch)
        if not fine:
            free(out.at)
            raise MemoryError
        return _block(out.at, out.size * sizeof(wk_hit))


cdef class Merger:
    """Merges hits into findings, drops what is superseded and puts the rest in order, for one claim or many.

    The arguments are flat columns: per edit its rule and whether it is one finding for a pair, whichever is the subject;
    per rule its place in the order of ids, and the rules it supersedes as bounds into one column.
    """

    cdef wk_rules rules
    cdef object keep

    def __cinit__(
        self,
        const int32_t[::1] rule_of,
        const uint8_t[::1] either_way,
        const int32_t[::1] rank,
        const int32_t[::1] replaces_at,
        const int32_t[::1] replaces,
    ):
        memset(&self.rules, 0, sizeof(self.rules))
        self.keep = (rule_of, either_way, rank, replaces_at, replaces)
        if rule_of.shape[0]:
            self.rules.rule_of = &rule_of[0]
            self.rules.either_way = &either_way[0]
        if rank.shape[0]:
            self.rules.rank = &rank[0]
        self.rules.replaces_at = &replaces_at[0]
        if replaces.shape[0]:
            self.rules.replaces = &replaces[0]
        self.rules.rule_count = <int32_t>rank.shape[0]

    def merged(self, hits, bytes severity):
        """Return (edits, subject, object) of each finding that hits on one claim amount to; its first edit names it.

        `severity` has a byte for each rule, 0 where it is off. Holds the GIL.
        """
        cdef list given = list(hits)
        cdef int64_t size = len(given), i
        cdef int32_t g, n
        # Making a tuple can let another thread in, so that no memory here may be another call's too.
        cdef wk_hit near[32]
        cdef wk_hit *at = near
        cdef wk_merged m
        cdef const wk_group *group
        cdef list found = []
        memset(&m, 0, sizeof(m))
        if len(severity) < self.rules.rule_count:
            raise ValueError(f"{len(severity)} severities for {self.rules.rule_count} rules")
        if size > 32:
            at = <wk_hit *>malloc(size * sizeof(wk_hit))
            if at == NULL:
                raise MemoryError
        try:
            for i in range(size):
                memset(&at[i], 0, sizeof(wk_hit))
                at[i].edit, at[i].subject, at[i].object = given[i]
            if not wk_merge(&m, &self.rules, <const uint8_t *><const char *>severity, at, size):
                raise MemoryError
            for g in range(m.count):
                group = &m.groups[g]
                if not group.gone:
                    edits = tuple([m.sorted[n].hit.edit for n in range(group.start, group.end)])
                    found.append((edits, group.hit.subject, group.hit.object))
            return found
        finally:
            free(m.work)
            if at != near:
                free(at)


cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object made, object name, object value) except -1


cdef class Maker:
    """Makes objects of a frozen attrs class from the values of all its fields, in order.

    Its own `__init__` goes through the wrapper of `object.__setattr__` for each field, which costs a finding more than
    all else that is done for it. Only for classes that do nothing else when they are made.
    """

    cdef object made
    cdef tuple names

    def __cinit__(self, made):
        fields = attrs.fields(made)
        if hasattr(made, "__attrs_post_init__") or any([f.converter or f.validator or not f.init for f in fields]):
            raise TypeError(f"{made.__name__} does more than to keep its fields")
        self.made = made
        self.names = tuple([f.name for f in fields])

    def __call__(self, *values):
        cdef Py_ssize_t i
        if len(values) != len(self.names):
            raise TypeError(f"{self.made.__name__} has {len(self.names)} fields, not {len(values)}")
        one = _bare(self.made)
        for i in range(len(values)):
            PyObject_GenericSetAttr(one, self.names[i], values[i])
        return one


cdef object _bare = object.__new__


cdef class Report:
    """Numbers what the findings of batches say: the variants, from batch to batch."""

    cdef wk_report r
    cdef Merger merger
    cdef int64_t told

    def __cinit__(self, Merger merger):
        memset(&self.r, 0, sizeof(self.r))
        self.merger = merger

    def __dealloc__(self):
        wk_report_close(&self.r)

    def findings(
        self,
        const uint8_t[::1] hits,
        const int32_t[::1] tokens,
        const int64_t[::1] bounds,
        const int32_t[::1] payer,
        const uint8_t[::1] severity,
    ):
        """Return the findings as a block, and the number of rows that have one.

        A finding is six int32: row, variant, subject, object, rule, severity. `severity` has a byte a rule for each
        payer. Runs without the GIL, for one thread at a time.
        """
        cdef int64_t size = hits.shape[0] // sizeof(wk_hit), start = 0, end
        cdef const wk_hit *at = <const wk_hit *>&hits[0] if size else NULL
        cdef const uint8_t *levels = &severity[0] if severity.shape[0] else NULL
        cdef const wk_rules *rules = &self.merger.rules
        cdef wk_merged m
        cdef int fine = 1
        cdef int32_t row
        memset(&m, 0, sizeof(m))
        with nogil:
            while start < size and fine:
                row = at[start].row
                end = start + 1
                while end < size and at[end].row == row:
                    end += 1
                fine = wk_report_row(
                    &self.r,
                    rules,
                    levels + <int64_t>payer[row] * rules.rule_count,
                    at + start,
                    end - start,
                    &tokens[bounds[row]],
                    &m,
                )
                start = end
            free(m.work)
        found = _block(self.r.findings, self.r.finding_count * 6 * sizeof(int32_t))
        rows = self.r.rows
        self.r.findings = NULL
        self.r.finding_count = self.r.finding_room = self.r.rows = 0
        if not fine:
            raise MemoryError
        return found, rows

    def new_variants(self):
        """Return (edits, tokens of subject, object and stray, term) of each variant not told before; -1 is no token."""
        cdef wk_variant *v
        cdef int32_t i
        told = []
        while self.told < self.r.variant_count:
            v = &self.r.variants[self.told]
            edits = tuple([self.r.merged[i] for i in range(v.first, v.first + v.count)])
            told.append((edits, v.subject, v.object, v.stray, v.term))
            self.told += 1
        return told
