# Violations to findings.

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
        int32_t rule, superseded
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
    int wk_hits_fit(const wk_hit *hits, int64_t size, int32_t edits, const int64_t *bounds, int64_t rows)
    int wk_report_row(wk_report *r, const wk_rules *rules, const uint8_t *severity, const wk_hit *hits, int64_t size,
                      const int32_t *tokens, wk_merged *m)


cdef class Merger:
    """Merges hits into findings, drops what is superseded and puts the rest in order, for one claim or many.

    The arguments are flat columns: per edit its rule and whether it is one finding for a pair, whichever is the subject;
    per rule its place in the order of ids, and the rules it supersedes as bounds into one column.
    """

    cdef wk_rules rules
    cdef int32_t edit_count
    cdef object keep

    def __cinit__(
        self,
        const int32_t[::1] rule_of,
        const uint8_t[::1] either_way,
        const int32_t[::1] rank,
        const int32_t[::1] replaces_at,
        const int32_t[::1] replaces,
    ):
        cdef Py_ssize_t rules = rank.shape[0]
        memset(&self.rules, 0, sizeof(self.rules))
        if (
            either_way.shape[0] != rule_of.shape[0]
            or replaces_at.shape[0] != rules + 1
            or not wk_climbs_short(&replaces_at[0], rules + 1, replaces.shape[0])
            or not wk_below(&rule_of[0] if rule_of.shape[0] else NULL, rule_of.shape[0], rules)
        ):
            raise ValueError("the columns of rules and edits do not fit each other")
        self.edit_count = <int32_t>rule_of.shape[0]
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
        cdef list hit_list = list(hits)
        cdef int64_t size = len(hit_list), i
        cdef int32_t g, n
        # Making a tuple can let another thread in, so that no memory here may be another call's too.
        cdef wk_hit near[32]
        cdef wk_hit *at = near
        cdef wk_merged m
        cdef const wk_group *group
        cdef list findings_out = []
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
                at[i].edit, at[i].subject, at[i].object = hit_list[i]
                if not 0 <= at[i].edit < self.edit_count:
                    raise ValueError(f"{at[i].edit} is the number of no edit")
            if not wk_merge(&m, &self.rules, <const uint8_t *><const char *>severity, at, size):
                raise MemoryError
            for g in range(m.count):
                group = &m.groups[g]
                if not group.superseded:
                    edits = tuple([m.sorted[n].hit.edit for n in range(group.start, group.end)])
                    findings_out.append((edits, group.hit.subject, group.hit.object))
            return findings_out
        finally:
            free(m.work)
            if at != near:
                free(at)


cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object cls, object name, object value) except -1


cdef object _bare = object.__new__


cdef class Maker:
    """Makes objects of a frozen attrs class from the values of all its fields, in order.

    Its own `__init__` goes through the wrapper of `object.__setattr__` for each field, which costs a finding more than
    all else that is done for it. Only for classes that do nothing else when they are made.
    """

    cdef object cls
    cdef tuple names

    def __cinit__(self, cls):
        fields = attrs.fields(cls)
        if hasattr(cls, "__attrs_post_init__") or any([f.converter or f.validator or not f.init for f in fields]):
            raise TypeError(f"{cls.__name__} does more than to keep its fields")
        self.cls = cls
        self.names = tuple([f.name for f in fields])

    def __call__(self, *values):
        cdef Py_ssize_t i
        if len(values) != len(self.names):
            raise TypeError(f"{self.cls.__name__} has {len(self.names)} fields, not {len(values)}")
        one = _bare(self.cls)
        for i in range(len(values)):
            PyObject_GenericSetAttr(one, self.names[i], values[i])
        return one


cdef class Report:
    """Numbers what the findings of batches say: the variants, from batch to batch."""

    cdef wk_report r
    cdef Merger merger
    cdef int64_t reported

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
        cdef int64_t rows = bounds.shape[0] - 1
        memset(&m, 0, sizeof(m))
        if payer.shape[0] < rows:
            raise ValueError(f"{payer.shape[0]} payers for {rows} rows")
        with nogil:
            fine = (
                wk_climbs(&bounds[0], bounds.shape[0], tokens.shape[0])
                and wk_hits_fit(at, size, self.merger.edit_count, &bounds[0], rows)
                # Where there are hits there are rules.
                and (not size or wk_below(&payer[0], rows, severity.shape[0] // rules.rule_count))
            )
        if not fine:
            raise ValueError("hits lie outside the rows of their batch")
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
        findings_out = _block(self.r.findings, self.r.finding_count * 6 * sizeof(int32_t))
        reported = self.r.rows
        self.r.findings = NULL
        self.r.finding_count = self.r.finding_room = self.r.rows = 0
        if not fine:
            raise MemoryError
        return findings_out, reported

    def new_variants(self):
        """Return (edits, tokens of subject, object and stray, term) of each variant that is new; -1 is no token."""
        cdef wk_variant *v
        cdef int32_t i
        reported = []
        while self.reported < self.r.variant_count:
            v = &self.r.variants[self.reported]
            edits = tuple([self.r.merged[i] for i in range(v.first, v.first + v.count)])
            reported.append((edits, v.subject, v.object, v.stray, v.term))
            self.reported += 1
        return reported
