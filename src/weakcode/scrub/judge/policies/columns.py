"""Coverage policies and the service lines of a batch.

Columns tell which lines are plainly covered: all but these few are read claim by claim, as `weakcode.coverage.judging`
reads single claims, once for each distinct combination of codes, lines, payer and day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, cast

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.coverage.choices import ChosenPolicies, Coverage, not_judged_for
from weakcode.coverage.judging import ADVICE, NOT_COVERED, RULES, AskedLine, Current, LineReading, readings, spelled
from weakcode.coverage.policies import Policy, PolicyFile
from weakcode.coverage.published import COVERED, EXCLUDED
from weakcode.engines.ids import PART, keys_of
from weakcode.engines.judging import CodedRows
from weakcode.engines.kernel._kernel import Reading
from weakcode.findings import Severity
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims, Categories
from weakcode.scrub.columns.procedures import ProcedureColumn
from weakcode.scrub.judge.findings import FindingColumns
from weakcode.scrub.judge.policies.plain import PlainLines
from weakcode.scrub.judge.unjudged import NotJudgedRows
from weakcode.scrub.judge.variants import Variants
from weakcode.semantics.reference import Outcome

if TYPE_CHECKING:
    from weakcode.engines.columnar import ColumnarEngine
    from weakcode.engines.editions import EditionJudge

_MOST_REMEMBERED = 65_536
_FIRST, _LAST = dt.date.min.toordinal(), dt.date.max.toordinal()
_EPOCH = dt.date(1970, 1, 1).toordinal()

Bools = NDArray[np.bool_]
Numbers = NDArray[np.int64]
_Variant = tuple[str, str, tuple[str, ...], int, str]
Severities = Callable[[str, str | None], str | None]


class _Lists:
    """The procedures of a payer's policies with the codes that they plainly cover, for the codes of one edition.

    Procedures about which the same policies speak have one list. A list is filled in when it is first asked for.
    """

    def __init__(self, scope: ChosenPolicies, ids: Callable[[PolicyFile], Numbers], universe: int) -> None:
        self._ids_of = ids
        policies: dict[tuple[Policy, ...], int] = {}
        self.numbers = {name: policies.setdefault(of, len(policies)) for name, of in scope.by_procedure.items()}
        self._policies = list(policies)
        self._width = -(-universe // 8)
        self._bits = np.zeros((len(policies), self._width), np.uint8)
        self._is_filled = np.zeros(len(policies), np.bool_)
        self._scope = scope
        self._known: dict[int, Current] = {}
        starts = [[policy.starts.toordinal() if policy.starts else _FIRST for policy in of] for of in self._policies]
        ends = [[policy.ends.toordinal() if policy.ends else _LAST for policy in of] for of in self._policies]
        self.starts, self.ends = np.array(list(map(max, starts)), np.int64), np.array(list(map(min, ends)), np.int64)

    def of_lines(self, batch: _Batch) -> Numbers:
        """Return the number of the policies about the procedure of each line, -1 where there are none."""
        of_name = np.array([self.numbers.get(name, -1) for name in batch.names], np.int64)
        found: Numbers = of_name[batch.lines.procedure]
        return found

    def is_reported(self, number: Numbers) -> Bools:
        """Tell of which numbers the lists alone tell what is not covered: all that they cover is plainly listed."""
        reported = np.zeros(len(self._policies), np.bool_)
        for one in np.unique(number).tolist():
            of = self._policies[one]
            reported[one] = all(policy.is_plain and not policy.excluded for policy in of) and any(
                policy.covered for policy in of
            )
        found: Bools = reported[number]
        return found

    def current(self, number: int, procedure: str) -> Current:
        """Return what the policies of a number say of a procedure that they name, when all are in force.

        Of plain lists that is the same for each of their procedures.
        """
        known = self._known.get(number)
        if known is None:
            known = self._known[number] = Current.of(procedure, self._policies[number])
        return known

    def covers(self, number: Numbers, code: Numbers) -> Bools:
        """Tell of each pair whether the list has the code."""
        for one in np.unique(number[~self._is_filled[number]]).tolist():
            self._fill(one)
        byte: NDArray[np.uint8] = self._bits[number, code >> 3]
        found: Bools = (byte >> (code & 7).astype(np.uint8)) & 1 != 0
        return found

    def _fill(self, number: int) -> None:
        flags = np.zeros(self._width * 8, np.bool_)
        policies = self._policies[number]
        if all(policy.is_plain for policy in policies):
            listing = [policy for policy in policies if policy.covered]
            for policy in listing:
                flags[self._ids(policy, COVERED)] = True
            if not listing:
                flags[:] = True
                for policy in policies:
                    flags[self._ids(policy, EXCLUDED)] = False
        self._bits[number] = np.packbits(flags, bitorder="little")
        self._is_filled[number] = True

    def _ids(self, policy: Policy, kind: int) -> Numbers:
        # A code that the edition does not know is looked up by its text.
        ids, members = self._ids_of(policy.file), np.asarray(policy.file.members)
        of_policy = [ids[members[low:high]] for _, low, high in policy.file.lists.get((policy.number, kind), ())]
        found = np.concatenate(of_policy) if of_policy else np.empty(0, np.int64)
        return found[found >= 0]


class _Payers:
    """Who pays for each row, with the state: both as one number."""

    def __init__(self, about: AboutClaims) -> None:
        self._payers, self._states = about.whose.values, (*about.categories["state"].values, None)
        state = about.categories["state"].index
        of_state = np.where(state < 0, len(self._states) - 1, state)
        self.keys: Numbers = about.whose.index.astype(np.int64) * len(self._states) + of_state

    def of(self, key: int) -> tuple[str | None, str | None]:
        """Return the payer and the state of a number."""
        return self._payers[key // len(self._states)], self._states[key % len(self._states)]


@attrs.frozen(eq=False)
class _Batch:
    """What is looked at of a batch: its service lines, the names of their procedures as policies spell them, its codes,
    and who pays for each row on which day.
    """

    lines: ProcedureColumn
    names: Sequence[str]
    coded: CodedRows
    payer: Categories
    days: Numbers


@attrs.frozen(eq=False)
class CoverageColumns:
    """Judges the lines of batches by the policies of a profile's payers. Keep one for each thread and edition."""

    coverage: Coverage
    edition: Edition
    severity_of: Severities
    title_of: Callable[[str], str]
    ids: Callable[[PolicyFile], Numbers]
    _lists: dict[int, _Lists] = attrs.field(factory=dict)
    _known: dict[object, tuple[LineReading, ...]] = attrs.field(factory=dict)
    _spelled: dict[int, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, coverage: Coverage, judge: EditionJudge) -> CoverageColumns:
        """Return what judges by the codes and rules of a judge."""
        ids = ids_in(cast("ColumnarEngine", judge.engine).reading(), judge.edition.size)
        return cls(coverage, judge.edition, judge.severity_of, judge.title_of, ids)

    def findings(
        self, column: pa.Array | None, rows: Bools, coded: CodedRows, about: AboutClaims, today: dt.date
    ) -> FindingColumns | None:
        """Return the findings on the lines of some rows, None where there are none.

        `today` is the date of claims without one.
        """
        payer, scoped = self._scopes(about)
        if not any(scoped.values):
            return None
        lines = ProcedureColumn.of(column)
        if lines is None:
            return None
        batch = _Batch(lines, [*map(spelled, lines.names)], coded, payer, _days(about, today))
        suspects: list[tuple[ChosenPolicies, Numbers]] = []
        for scope in dict.fromkeys(filter(None, scoped.values)):
            of_scope = np.array([one is scope for one in scoped.values], np.bool_)[scoped.index] & rows
            asked = self._uncovered(scope, batch, of_scope)
            if len(asked):
                suspects.append((scope, asked))
        found = []
        for scope, asked in suspects:
            plain = self._plain(scope, asked, batch)
            found.append(plain.findings(coded, self.title_of(NOT_COVERED), self.edition.name))
            others = asked[~np.isin(asked, plain.asked)]
            found.append(self._read(scope, others, batch) if len(others) else None)
        some = [one for one in found if one is not None]
        return FindingColumns.together(some) if some else None

    def _plain(self, scope: ChosenPolicies, asked: Numbers, batch: _Batch) -> PlainLines:
        """Return those of the lines that lists do not cover of whose claims lists alone tell."""
        lists, lines, coded, payer = self._lists[id(scope)], batch.lines, batch.coded, batch.payer
        row, number = lines.row[asked], lists.of_lines(batch)[asked]
        day = batch.days[row]
        plain = lists.is_reported(number) & ~lines.is_partial[asked] & (lines.bounds[asked] < lines.bounds[asked + 1])
        plain &= (day >= lists.starts[number]) & (day <= lists.ends[number])
        # Lines with the same procedure may have the same pointers and be told together.
        same = np.unique(row * len(batch.names) + lines.procedure[asked], return_inverse=True, return_counts=True)
        plain &= same[2][same[1].reshape(-1)] == 1
        plain &= ~np.isin(row, row[~plain])
        ranks = [*(self._rank(NOT_COVERED, name, {}) for name in payer.values)]
        severity = np.array([*ranks, 0], np.int32)[payer.index]
        plain &= severity[row] > 0
        return PlainLines(
            lines, batch.names, asked[plain], number[plain], lists.current, partial(self._code, coded), severity
        )

    def add_not_judged(self, found: NotJudgedRows, rows: Bools, about: AboutClaims) -> None:
        """Add on which of some rows policies could not speak, and for want of what."""
        pairs = _Payers(about)
        keys = pairs.keys * 2 + about.named
        for key in np.unique(keys[rows]).tolist():
            payer, state = pairs.of(key // 2)
            payer_name = self.coverage.profile.payer_named(payer)
            needs = self.coverage.lacking_of(payer_name, state, has_procedures=bool(key & 1))
            for one in not_judged_for(needs, [rule for rule in RULES if self.severity_of(rule, payer_name)]):
                found.add(one, rows & (keys == key))

    def _scopes(self, about: AboutClaims) -> tuple[Categories, Categories]:
        """Return who pays, and the policies that go with it in the claim's state."""
        pairs = _Payers(about)
        keys, index = np.unique(pairs.keys, return_inverse=True)
        chosen = [
            self.coverage.scope(self.coverage.profile.payer_named(payer), state)
            for payer, state in map(pairs.of, keys.tolist())
        ]
        return about.whose, Categories(chosen, index.reshape(-1).astype(np.int32))

    def _uncovered(self, scope: ChosenPolicies, batch: _Batch, rows: Bools) -> Numbers:
        """Return the lines that are not plainly covered."""
        lists = self._lists.get(id(scope))
        if lists is None:
            lists = self._lists[id(scope)] = _Lists(scope, self.ids, self.edition.universe)
        lines, coded, days = batch.lines, batch.coded, batch.days
        number = lists.of_lines(batch)
        open_ = (number >= 0) & rows[lines.row]
        line = np.repeat(np.arange(len(lines.row)), np.diff(lines.bounds))
        asked = open_[line] & (lines.pointers > 0)
        line, at = line[asked], lines.pointers[asked] - 1
        row = lines.row[line]
        applies = (at < np.diff(coded.bounds)[row]) & (days[row] >= lists.starts[number[line]])
        applies &= days[row] <= lists.ends[number[line]]
        line, row, at = line[applies], row[applies], at[applies]
        token = coded.tokens[coded.bounds[row] + at].astype(np.int64)
        known = token < self.edition.size
        line, token = line[known], token[known]
        open_[line[lists.covers(number[line], token)]] = False
        return np.flatnonzero(open_)

    def _read(self, scope: ChosenPolicies, asked: Numbers, batch: _Batch) -> FindingColumns | None:
        """Return the findings on lines of which each is read as that of a single claim."""
        found: list[tuple[int, int, int, int]] = []
        variants: dict[_Variant, int] = {}
        readings: list[tuple[LineReading, tuple[str, ...]]] = []
        severities: dict[tuple[str, str | None], int] = {}
        payer = batch.payer
        for row, of_row in groupby(_lines(batch, asked), key=itemgetter(0)):
            codes = self._codes(batch.coded, row)
            row_lines = tuple(line for _, line in of_row)
            for reading in self._readings(scope, codes, row_lines, int(batch.days[row])):
                severity = self._severity(reading, payer.values[payer.index[row]], severities)
                if severity:
                    at = reading.positions[0] if reading.positions else 0
                    of_code = codes[at - 1 : at]
                    # Sources are told apart by what they are: readings are kept here, so that no number is reused.
                    key = (reading.rule, reading.reason, of_code, id(reading.sources), reading.about)
                    number = variants.setdefault(key, len(variants))
                    if number == len(readings):
                        readings.append((reading, of_code))
                    found.append((row, number, at, severity))
        if not found:
            return None
        rows_, variant, subject, severity = np.array(found, np.int32).T
        order = np.argsort(rows_, kind="stable")
        return FindingColumns(
            rows_[order],
            variant[order],
            subject[order],
            np.zeros(len(order), np.int32),
            severity[order],
            np.zeros(len(order), np.int32),
            self._variants(readings),
            len(np.unique(rows_)),
        )

    def _variants(self, readings: Sequence[tuple[LineReading, tuple[str, ...]]]) -> Variants:
        cited: dict[int, list[str]] = {}
        for reading, _ in readings:
            if id(reading.sources) not in cited:
                cited[id(reading.sources)] = [*map(str, reading.sources)]
        titles = {rule: self.title_of(rule) for rule in {reading.rule for reading, _ in readings}}
        keys = keys_of([PART.join((reading.rule, *codes, reading.about)) for reading, codes in readings])
        worded = [
            (one.rule, one.reason, codes, cited[id(one.sources)], one.confidence, titles[one.rule], "", False, b"")
            for one, codes in readings
        ]
        variants = Variants.of(worded, self.edition.name)
        return attrs.evolve(variants, keys=np.frombuffer(keys, np.uint8))

    def _severity(self, reading: LineReading, payer: str | None, known: dict[tuple[str, str | None], int]) -> int:
        rank = self._rank(reading.rule, payer, known)
        return min(rank, Severity.parse(ADVICE).rank) if reading.is_advice else rank

    def _rank(self, rule: str, payer: str | None, known: dict[tuple[str, str | None], int]) -> int:
        key = (rule, payer)
        if key not in known:
            label = self.severity_of(*key)
            known[key] = Severity.parse(label).rank if label else 0
        return known[key]

    def _code(self, coded: CodedRows, token: int) -> str:
        code = self._spelled.get(token)
        if code is None:
            if token >= self.edition.size:
                return coded.unlisted[token - self.edition.size]
            code = self._spelled[token] = self.edition.code(token)
        return code

    def _codes(self, coded: CodedRows, row: int) -> tuple[str, ...]:
        tokens = coded.tokens[coded.bounds[row] : coded.bounds[row + 1]].tolist()
        return tuple([self._code(coded, token) for token in tokens])

    def _readings(
        self, scope: ChosenPolicies, codes: tuple[str, ...], lines: tuple[AskedLine, ...], day: int
    ) -> tuple[LineReading, ...]:
        key = (id(scope), codes, lines, day)
        known = self._known.get(key)
        if known is None:
            read = readings(codes, lines, scope.of_lines, dt.date.fromordinal(day))
            known = tuple(one for one in read if one.outcome is Outcome.VIOLATED)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[key] = known
        return known


def _lines(batch: _Batch, asked: Numbers) -> Iterator[tuple[int, AskedLine]]:
    """Give the row of each line that is asked for, and the line."""
    lines, names = batch.lines, batch.names
    columns = (lines.row, lines.number, lines.procedure, lines.is_partial, lines.bounds[:-1], lines.bounds[1:])
    pointers = lines.pointers
    for row, number, procedure, is_partial, low, high in zip(*(one[asked].tolist() for one in columns), strict=True):
        of_line = tuple(pointers[low:high].tolist())
        yield row, AskedLine(number, names[procedure], of_line, high > low and not is_partial)


def _days(about: AboutClaims, today: dt.date) -> Numbers:
    """Return the ordinal of each row's day."""
    values = about.days.values
    ordinals = np.where(values == NO_DAY, today.toordinal(), values.astype(np.int64) + _EPOCH)
    found: Numbers = ordinals[about.days.index]
    return found


def ids_in(reading: Reading, size: int) -> Callable[[PolicyFile], Numbers]:
    """Return what gives the id of each code of a file of policies, -1 for one that an edition does not know."""
    known: dict[str, Numbers] = {}

    def ids(file: PolicyFile) -> Numbers:
        if file.name not in known:
            codes = CodeColumn.of(pa.array([[code] for code in file.codes], pa.list_(pa.string())))
            tokens = codes.tokens(reading).astype(np.int64)
            known[file.name] = np.where(tokens < size, tokens, -1)
        return known[file.name]

    return ids
