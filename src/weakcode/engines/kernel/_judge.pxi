# Codes to violations.

cdef extern from "_judge.h" nogil:
    ctypedef struct wk_hit:
        int32_t row, edit, subject, object, stray, term
    ctypedef struct wk_hits:
        wk_hit *at
        int64_t size, room
    ctypedef struct wk_edit:
        uint8_t verb, where, by_text
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
        const int32_t *unlisted
        int32_t billable, size, row
    int wk_scratch_open(wk_scratch *s, const wk_tables *t)
    void wk_scratch_close(wk_scratch *s)
    int wk_judge(wk_claim *k)
    int wk_rows_fit(const int32_t *tokens, int64_t size, const int64_t *bounds, const uint8_t *chosen, int64_t rows,
                    int64_t limit)
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
        const uint32_t *broad
        int32_t broad_size
        const uint32_t *subjects
        int32_t words
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

    int VERBS, CLAIM_REQUIRE, AT_MOST_ONE, ONCE, AFTER

# Words of bits by class that tables may take: far more than all rules of weakcode need.
cdef int64_t MOST_WORDS = 1 << 27

cdef object _new = tuple.__new__


cdef int _fits(bint fits, str what) except -1:
    """Raise ValueError where the columns of a program do not fit each other."""
    if not fits:
        raise ValueError(f"the columns of the program do not fit each other: {what}")
    return 0


cdef int _check_numbers(const uint32_t[::1] values, int64_t limit, str what) except -1:
    return _fits(wk_below(<const int32_t *>_words(values), values.shape[0], limit), what)


cdef int _check_source(column, const wk_source *s, Py_ssize_t sets) except -1:
    """Check what loops over a program follow. Raises ValueError."""
    cdef const uint32_t[::1] pointers, edits, bounds = column("set_bounds"), spans = column("set_spans")
    cdef Py_ssize_t i
    cdef uint32_t odd = 0
    for role in ("subject", "object"):
        pointers, edits = column(f"{role}_pointers"), column(f"{role}_edits")
        _fits(pointers.shape[0] == s.classes + 1, f"{role}_pointers")
        _fits(wk_climbs_unsigned(&pointers[0], pointers.shape[0], edits.shape[0]), f"{role}_pointers")
        # Twice the same edit in a list would be more objects than a claim has codes.
        _fits(wk_lists_climb(&pointers[0], _words(edits), s.classes, s.edit_count), f"{role}_edits")
    _check_numbers(column("members"), s.classes, "members")
    _fits(len(column("members")) == s.segments, "members")
    _check_numbers(column("objects"), sets, "objects")
    _check_numbers(column("subjects"), sets, "subjects")
    _fits(wk_climbs_unsigned(&bounds[0], bounds.shape[0], spans.shape[0]), "set_bounds")
    for i in range(bounds.shape[0]):
        odd |= bounds[i]
    _fits(not odd & 1, "set_bounds")
    return 0


cdef const uint32_t *_words(const uint32_t[::1] column):
    return &column[0] if column.shape[0] else NULL


cdef class Tables:
    """The edits of a program, by code and by what makes them worth looking at, ready for the loops.

    By edit: the bit of its claim condition (0 for none) and the place of its condition on codes (-1 for none), whether
    it looks at more than codes, and whether it is active. Of each condition on codes, the places of `present`, `absent`
    and `first_listed` in `condition_sets`, which has numbers of code sets (-1 for none). `whole` and `wide` are edits
    without a subject, and those that are not listed with their objects; `broad` those that are not listed with their
    subjects, each with a claim condition. `conditions` is the number of claim conditions.
    `column` gives the columns of the program by name.
    """

    cdef wk_built built
    cdef object keep
    cdef wk_scratch own
    cdef uint64_t *single
    cdef readonly Py_ssize_t classes
    cdef readonly Py_ssize_t words
    cdef int32_t universe

    def __cinit__(
        self,
        column,
        const uint8_t[::1] active,
        const uint8_t[::1] by_text,
        const int32_t[::1] about_claim,
        const int32_t[::1] about_codes,
        const int32_t[::1] code_conditions,
        const uint32_t[::1] condition_sets,
        const uint32_t[::1] whole,
        const uint32_t[::1] wide,
        const uint32_t[::1] broad,
        int32_t universe,
        int32_t conditions,
    ):
        cdef wk_source s
        cdef Py_ssize_t e, count = active.shape[0]
        cdef const uint32_t[::1] verbs = column("verbs"), wheres = column("wheres")
        cdef Py_ssize_t sets = len(column("set_bounds")) - 1
        memset(&s, 0, sizeof(s))
        if universe < 0 or conditions < 0 or len(column("subject_pointers")) < 2 or not len(column("starts")) or sets < 1:
            raise ValueError("a program has at least one class of codes")
        for name in ("verbs", "wheres", "subjects", "objects"):
            _fits(len(column(name)) == count, name)
        _fits(by_text.shape[0] == about_claim.shape[0] == about_codes.shape[0] == count, "columns by edit")
        _check_numbers(verbs, VERBS, "verbs")
        _check_numbers(wheres, AFTER + 1, "wheres")
        _check_numbers(condition_sets, sets, "condition_sets")
        _check_numbers(wide, count, "wide")
        _check_numbers(broad, count, "broad")
        _check_numbers(whole, count, "claim_edits")
        _fits(wk_below(&about_claim[0] if count else NULL, count, <int64_t>conditions + 1), "about_claim")
        _fits(
            wk_below_or_none(&about_codes[0] if count else NULL, count, code_conditions.shape[0] // 3), "about_codes"
        )
        _fits(
            wk_below_or_none(
                &code_conditions[0] if code_conditions.shape[0] else NULL,
                code_conditions.shape[0],
                condition_sets.shape[0],
            ),
            "code_conditions",
        )
        for e in range(whole.shape[0]):
            _fits(active[whole[e]] and verbs[whole[e]] == CLAIM_REQUIRE, "claim_edits")
        for e in range(broad.shape[0]):
            _fits(verbs[broad[e]] not in (CLAIM_REQUIRE, AT_MOST_ONE, ONCE), "broad")
            _fits(about_claim[broad[e]] > 0 or not active[broad[e]], "broad")
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
            of[e].by_text = by_text[e]
            of[e].about_claim = about_claim[e]
            of[e].about_codes = about_codes[e]
        self.keep = (whole, column("subjects"), column("set_bounds"), column("set_spans"))
        self.classes = s.classes
        s.of = of
        s.active = &active[0] if count else NULL
        s.objects = _words(column("objects"))
        s.edit_count = <int32_t>count
        s.wide = _words(wide)
        s.wide_size = <int32_t>wide.shape[0]
        s.broad = _words(broad)
        s.broad_size = <int32_t>broad.shape[0]
        s.subjects = _words(column("subjects"))
        s.words = <int32_t>self.words
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
        self.universe = universe
        try:
            _check_source(column, &s, sets)
        except ValueError:
            free(of)
            raise
        if <int64_t>s.classes * (count // 64 + condition_sets.shape[0] // 64 + 8) > MOST_WORDS:
            free(of)
            raise ValueError("the rules have more edits and conditions than tables can hold")
        fine = wk_build(&self.built, &s) and wk_scratch_open(&self.own, &self.built.t)
        free(of)
        if not fine:
            raise MemoryError

    def __dealloc__(self):
        wk_built_close(&self.built)
        free(self.single)
        wk_scratch_close(&self.own)

    def judge(self, tuple codes, tuple ids, conditions_met):
        """Return the hits on one claim, given its codes and their ids; terms are taken to hold.

        Bit n + 1 of `conditions_met` tells whether claim condition n holds, bit 0 is set. Holds the GIL.
        """
        cdef int32_t size = <int32_t>len(codes), i, token
        cdef dict known = {}
        cdef wk_hits out
        cdef wk_claim k
        cdef int32_t near[64]
        cdef int32_t *memory = near
        if not size:
            return []
        if len(ids) != size:
            raise ValueError(f"{len(ids)} ids of {size} codes")
        if size > 32:
            memory = <int32_t *>malloc(2 * size * sizeof(int32_t))
            if memory == NULL:
                raise MemoryError
        memset(&k, 0, sizeof(k))
        out.at = NULL
        out.size = out.room = 0
        try:
            for i in range(size):
                # Every token is its own index among the unlisted codes, so that its id stands right there.
                token = known.setdefault(codes[i], len(known))
                memory[i] = token
                memory[size + token] = ids[i]
                if not 0 <= memory[size + token] < self.universe:
                    raise ValueError(f"{ids[i]} is the number of no code")
            if self.words > 1:
                for i in range(self.words):
                    self.single[i] = conditions_met >> (64 * i) & 0xFFFFFFFFFFFFFFFF
            else:
                self.single[0] = conditions_met
            k.t = &self.built.t
            k.s = &self.own
            k.out = &out
            k.about = self.single
            k.tokens = memory
            k.unlisted = memory + size
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
        const int32_t[::1] unlisted,
    ):
        """Return the hits on the chosen rows as a block of six int32 each, in order of rows.

        The codes of row r are tokens[bounds[r]:bounds[r + 1]]; those from `billable` on stand for the code ids in
        `unlisted`. `about` has `words` words for each row: bit n + 1 tells whether claim condition n holds, bit 0 is set.
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
        k.unlisted = &unlisted[0] if unlisted.shape[0] else NULL
        k.billable = billable
        if about.shape[0] != rows * words or chosen.shape[0] < rows:
            raise ValueError(f"{about.shape[0]} words and {chosen.shape[0]} marks for {rows} rows of {words}")
        with nogil:
            fine = (
                wk_climbs(&bounds[0], bounds.shape[0], tokens.shape[0])
                and 0 <= billable <= self.universe
                and wk_below(k.unlisted, unlisted.shape[0], self.universe)
                and wk_rows_fit(
                    &tokens[0] if tokens.shape[0] else NULL,
                    tokens.shape[0],
                    &bounds[0],
                    &chosen[0] if rows else NULL,
                    rows,
                    <int64_t>billable + unlisted.shape[0],
                )
            )
        if not fine:
            raise ValueError("the codes of a batch lie outside its tokens, or its tokens outside the codes")
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
