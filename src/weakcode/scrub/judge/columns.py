"""A batch of claims to a batch of findings, without an object for any claim.

The same findings in the same order as `weakcode.engines.findings` gives claim by claim.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.base import clock
from weakcode.claims import Waiver
from weakcode.codes.edition import Edition
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.judging import CodedRows
from weakcode.errors import EditionError, InputError
from weakcode.fields import ABOUT_THE_CLAIM, LINES
from weakcode.findings import NotJudgedCount
from weakcode.scrub.columns.arrow import id_text, valid
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims
from weakcode.scrub.columns.invalid import unreadable
from weakcode.scrub.columns.views import as_one_array
from weakcode.scrub.judge.annotate import Marker
from weakcode.scrub.judge.findings import FindingColumns, Memory, Pseudonyms
from weakcode.scrub.judge.hits import HitColumns, all_hits, with_terms
from weakcode.scrub.judge.orders import without_known_order
from weakcode.scrub.judge.unjudged import NotJudgedRows, add_not_judged, without_indicators
from weakcode.scrub.read.batch import RefusedRow
from weakcode.scrub.read.rows import BadRow, reason_of
from weakcode.scrub.read.values import MOST_CODES, claim_from, too_many

if TYPE_CHECKING:
    from weakcode.compile.risks import Risks
    from weakcode.coverage.choices import Coverage
    from weakcode.engines.editions import EditionJudge

Bools = NDArray[np.bool_]


@attrs.frozen(eq=False)
class BatchOutcome:
    """What became of a batch: rows = evaluated + len(rejected), always.

    `clean` rows have no finding, `with_errors` one that is an error. `editions` counts rows by edition,
    `out_of_force` by (service date, edition) where the codes of the day are not known, `by_rule` and `by_severity`
    findings. `notes_editions` counts rows by the Tabular List whose notes judged, `notes_out_of_force` those of
    days on which it was not in force. Waived findings are in the batch and in none of these counts: `waived` counts
    them by waiver, `expired` those that a waiver would have waived in its time.
    `not_judged` says for want of what which rules could not be judged, on how many rows. `unchanged` counts rows whose
    findings are those of an earlier run.
    """

    findings: pa.RecordBatch
    rejected: tuple[RefusedRow, ...]
    rows: int
    evaluated: int
    clean: int
    editions: Mapping[str, int]
    out_of_force: Mapping[tuple[dt.date, str], int]
    by_rule: Mapping[str, int]
    by_severity: Mapping[str, int]
    waived: Mapping[Waiver, int] = attrs.field(factory=dict)
    expired: Mapping[Waiver, int] = attrs.field(factory=dict)
    notes_editions: Mapping[str, int] = attrs.field(factory=dict)
    notes_out_of_force: Mapping[str, int] = attrs.field(factory=dict)
    with_errors: int = 0
    not_judged: tuple[NotJudgedCount, ...] = ()
    unchanged: int = 0


class ColumnScrubber:
    """Evaluates record batches. Use one for all batches of a run, from as many threads as you like.

    `judge_for` gives the judge that judges a service date, or claims without one; its engine must be a ColumnarEngine.
    `check_facts` raises InputError for a documented fact that a program does not know. `marker` says which findings are
    waived and how likely they are denied; without it nothing is asked of waivers and risks. `today` is the date of
    claims without one. `coverage` has the policies that service lines are held against,
    `payer_of` gives a payer's name from the name and the ids that a claim gives.
    """

    def __init__(
        self,
        judge_for: Callable[[dt.date | None], EditionJudge],
        check_facts: Callable[[frozenset[str], Sequence[str]], None] | None = None,
        marker: Marker | None = None,
        today: dt.date | None = None,
        coverage: Coverage | None = None,
        payer_of: Callable[[str | None, Sequence[str]], str | None] | None = None,
    ) -> None:
        self.today = today or clock.today()
        self.payer_of = payer_of
        self.coverage = coverage if coverage is not None and (coverage.scopes or coverage.without) else None
        self._judge_for = judge_for
        self._check_facts = check_facts
        self.marker = marker
        self._of_thread = threading.local()
        self._judges: dict[int, EditionJudge] = {}

    def scrub(
        self,
        batch: pa.RecordBatch | pa.Table,
        *,
        file: str | None = None,
        lines: pa.Array | None = None,
        decoded: bool = False,
        hide: Pseudonyms | None = None,
        orders: NDArray[np.int32] | None = None,
    ) -> BatchOutcome:
        """Return the findings on the claims of a batch with the columns of a code list, and the rows that are none.

        `codes` may be lists of text, of dictionary-encoded text or of structs with `code` and `text`, or text parted by
        blanks or `;`. `file` and `lines` say where the rows are from; `decoded` that all text is known to be UTF-8.
        With `hide`, findings have what it returns for claim ids. `orders` says of which codes of each row the order is
        known, as places in `semantics.verbs.ORDERS`; without it, of all.
        """
        columns = {name: as_one_array(batch.column(name)) for name in batch.schema.names}
        looked_at = ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)
        wrong = unreadable({name: columns[name] for name in looked_at if name in columns}, decoded=decoded)
        if not wrong:
            return _BatchRun(self, columns, batch.num_rows, file, lines, hide, orders).result()
        left = np.setdiff1d(np.arange(batch.num_rows), np.fromiter(wrong, np.int64, len(wrong)))
        rows_taken = pa.array(left)
        columns = {name: column.take(rows_taken) for name, column in columns.items()}
        lines = None if lines is None else lines.take(rows_taken)
        orders = None if orders is None else orders[left]
        return _with_unreadable(_BatchRun(self, columns, len(left), file, lines, hide, orders).result(), wrong, left)

    @contextmanager
    def memory(self, judge: EditionJudge) -> Iterator[Memory]:
        """Give what this thread remembers of the codes and findings that this judge has met.

        It is taken away while it is used, and put back when nothing was raised meanwhile: what is half remembered is
        forgotten.
        """
        memories: dict[int, Memory] = self._of_thread.__dict__.setdefault("memories", {})
        memory = memories.pop(id(judge), None)
        if memory is None or memory.is_full:
            memory = Memory(judge.program, judge.assembler, judge.edition, cast("ColumnarEngine", judge.engine))
        yield memory
        memories[id(judge)] = memory

    def judges(self, about: AboutClaims, reject: Callable[[Bools, str], None]) -> Iterator[tuple[EditionJudge, Bools]]:
        """Give each judge with the rows it judges."""
        days, place = about.days.values, about.days.index
        of_day: list[EditionJudge | None] = []
        for number, day in enumerate(days.tolist()):
            try:
                of_day.append(self.judge_of(day))
            except EditionError as error:
                reject(place == number, reason_of(error))
                of_day.append(None)
        for judge in {id(judge): judge for judge in of_day if judge is not None}.values():
            yield judge, np.array([other is judge for other in of_day], np.bool_)[place]

    def judge_of(self, day: int) -> EditionJudge:
        """Return what judges claims of a day, `NO_DAY` being none. Raises EditionError where no codes are known."""
        judge = self._judges.get(day)
        if judge is None:
            judge = self._judge_for(None if day == NO_DAY else np.datetime64(day, "D").item())
            self._judges[day] = judge
        return judge

    def unknown_facts(self, about: AboutClaims, judge: EditionJudge) -> list[tuple[Bools, str]]:
        """Return the rows with facts that the judge's packs do not know, with what to say of them."""
        if self._check_facts is None:
            return []
        wrong: list[tuple[Bools, str]] = []
        for place, facts in enumerate(about.documented.values):
            if facts:
                try:
                    self._check_facts(facts, judge.program.facts)
                except InputError as error:
                    wrong.append((about.documented.index == place, reason_of(error)))
        return wrong


@attrs.define(eq=False)
class _BatchRun:
    """One batch on its way."""

    _scrubber: ColumnScrubber
    _columns: dict[str, pa.Array]
    _rows: int
    _file: str | None
    _lines: pa.Array | None
    _hide: Pseudonyms | None
    _orders: NDArray[np.int32] | None
    _reasons: dict[int, tuple[str, str]] = attrs.field(factory=dict, init=False)
    _editions: Counter[str] = attrs.field(factory=Counter, init=False)
    _out_of_force: Counter[tuple[dt.date, str]] = attrs.field(factory=Counter, init=False)
    _notes: Counter[str] = attrs.field(factory=Counter, init=False)
    _old_notes: Counter[str] = attrs.field(factory=Counter, init=False)
    _not_judged: list[NotJudgedCount] = attrs.field(factory=list, init=False)

    def result(self) -> BatchOutcome:
        if "codes" not in self._columns:
            names = ", ".join(map(str, self._columns)) or "none"
            raise InputError(f"the claims have no column codes; their columns are: {names}")
        codes = CodeColumn.of(self._columns["codes"]) if self._rows else CodeColumn.of(pa.nulls(0, pa.string()))
        about = AboutClaims.of(self._columns, self._rows, self._scrubber.payer_of, np.diff(codes.bounds))
        good = ~(codes.bad | about.bad)
        too_long = np.diff(codes.bounds) > MOST_CODES
        for row in np.flatnonzero(good & too_long).tolist():
            count = codes.bounds[row + 1] - codes.bounds[row]
            self._reasons[row] = ("codes", too_many(count))
        good &= ~too_long

        def no_edition(rows: Bools, reason: str) -> None:
            self._reject(rows & good, "service date", reason)
            good[rows] = False

        marker = self._scrubber.marker
        risks: dict[str, Risks | None] = {}
        found: list[FindingColumns] = []
        for judge, rows in self._scrubber.judges(about, no_edition):
            for wrong, reason in self._scrubber.unknown_facts(about, judge):
                self._reject(wrong & rows & good, "values", reason)
                good[wrong & rows] = False
            found.append(self._judge(judge, rows & good, good, codes, about))
            risks[judge.edition.name] = judge.risks if marker is not None else None
        findings = FindingColumns.together(found)
        batch = findings.batch(self._columns.get("claim_id"), about, self._file, self._lines, self._hide)
        waived: Mapping[Waiver, int] = {}
        expired: Mapping[Waiver, int] = {}
        if marker is not None:
            marked = marker.mark(findings, self._columns.get("claim_id"), about.whose, risks)
            findings, waived, expired = marked.counting, marked.waived, marked.expired
            for name, column in marked.columns.items():
                batch = batch.append_column(name, column)
        evaluated = int(good.sum())
        rules, severities = findings.counts()
        return BatchOutcome(
            batch,
            tuple(self._rejected(row) for row in np.flatnonzero(~good).tolist()),
            self._rows,
            evaluated,
            evaluated - findings.claims,
            dict(self._editions),
            dict(self._out_of_force),
            rules,
            severities,
            waived,
            expired,
            dict(self._notes),
            dict(self._old_notes),
            findings.claims_with_errors(),
            NotJudgedCount.added(self._not_judged),
        )

    def _judge(
        self, judge: EditionJudge, rows: Bools, good: Bools, codes: CodeColumn, about: AboutClaims
    ) -> FindingColumns:
        with self._scrubber.memory(judge) as memory:
            return self._judged(judge, memory, rows, good, codes, about)

    def _judged(
        self, judge: EditionJudge, memory: Memory, rows: Bools, good: Bools, codes: CodeColumn, about: AboutClaims
    ) -> FindingColumns:
        engine = cast("ColumnarEngine", judge.engine)
        tokens = codes.tokens(memory.reading, rows)
        if (tokens < 0).any():
            wrong = np.searchsorted(codes.bounds, np.flatnonzero(tokens < 0), "right") - 1
            good[wrong] = False
            rows = rows & good
        self._count(judge.edition, rows, about)
        has_text = np.zeros(self._rows, np.bool_)
        if codes.texts is not None:
            with_text = np.flatnonzero(valid(codes.texts))
            has_text[np.searchsorted(codes.bounds, with_text, "right") - 1] = True
        coded = CodedRows(tokens, codes.bounds, memory.reading.names)
        lines = about.lines.seen(coded, judge.edition) if about.lines is not None and engine.asks_lines else None
        batch = HitColumns(engine, judge.program, coded, codes, about, has_text, self._scrubber.today, lines)
        hits = memory.satisfied.without(all_hits(batch, rows), coded)
        if self._orders is not None:
            hits = without_known_order(hits, coded, judge.edition, judge.program, self._orders)
        if codes.texts is not None and len(hits):
            hits = with_terms(hits, batch, judge.edition, memory.terms, codes.texts)
        silent = NotJudgedRows(self._rows)
        add_not_judged(silent, judge, coded, rows, about, self._scrubber.today)
        self._not_judged += without_indicators(judge, coded, rows, codes, about)
        if lines is not None:
            hits = lines.named(hits, engine, judge.program, memory.terms)
        findings = memory.findings(hits, coded, about.whose)
        if self._scrubber.coverage is None:
            self._not_judged += silent.counts()
            return findings
        from weakcode.scrub.judge.policies.columns import CoverageColumns

        coverage = memory.coverage or CoverageColumns.of(self._scrubber.coverage, judge)
        memory.coverage = coverage
        coverage.add_not_judged(silent, rows, about)
        self._not_judged += silent.counts()
        return findings.merged(coverage.findings(self._columns.get(LINES), rows, coded, about, self._scrubber.today))

    def _count(self, edition: Edition, rows: Bools, about: AboutClaims) -> None:
        if not rows.any():
            return
        self._editions[edition.name] += int(rows.sum())
        self._notes[edition.notes_name] += int(rows.sum())
        counts = np.bincount(about.days.index[rows], minlength=len(about.days.values))
        for number, count in zip(about.days.values.tolist(), counts.tolist(), strict=True):
            day = self._scrubber.today if number == NO_DAY else np.datetime64(number, "D").item()
            if count and not edition.starts <= day <= edition.ends:
                self._out_of_force[day, edition.name] += count
            if count and not edition.notes_from <= day <= edition.notes_to:
                self._old_notes[edition.notes_name] += count

    def _reject(self, rows: Bools, part: str, reason: str) -> None:
        for row in np.flatnonzero(rows).tolist():
            self._reasons.setdefault(row, (part, reason))

    def _rejected(self, row: int) -> RefusedRow:
        ids = self._columns.get("claim_id")
        claim_id = None if ids is None or ids[row].as_py() is None else id_text(ids[row].as_py())
        if row in self._reasons:
            return RefusedRow(row, claim_id, *self._reasons[row])
        values = {name: self._columns[name][row].as_py() for name in (*ABOUT_THE_CLAIM, LINES) if name in self._columns}
        codes = self._columns["codes"][row].as_py()
        if not isinstance(codes, str | list | None):
            codes = [codes]
        try:
            claim_from(values, codes or [], claim_id)
        except BadRow as bad:
            return RefusedRow(row, claim_id, bad.part, bad.reason)
        return RefusedRow(row, claim_id, "values", "the row cannot be read as a claim")


def _with_unreadable(
    scrubbed: BatchOutcome, wrong: dict[int, tuple[str, str]], left: NDArray[np.int64]
) -> BatchOutcome:
    """Return the outcome for the whole batch, of which only the rows `left` could be judged."""
    # Not even the claim's id is repeated: it may be what cannot be read.
    rejected = [RefusedRow(row, None, part, reason) for row, (part, reason) in wrong.items()]
    rejected += [attrs.evolve(one, row=int(left[one.row])) for one in scrubbed.rejected]
    rejected.sort(key=lambda one: one.row)
    return attrs.evolve(scrubbed, rejected=tuple(rejected), rows=scrubbed.rows + len(wrong))
