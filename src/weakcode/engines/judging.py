"""A program's part in judging: its tables, which validators share, and what the hits of their loops mean.

Tables are the most that an engine keeps. Those of the rules that are on when nobody says otherwise are made once for a
program; who switches a few of them off passes over their hits. The tables of a small program number the segments of
codes that it distinguishes, not all codes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, compress, groupby
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.edition import Edition
from weakcode.compile.program import ADMITTED, NO_SET, POINTED, SERVED, TERMED, Program, ProgramPart
from weakcode.engines.kernel._kernel import Tables
from weakcode.semantics.bits import ClaimTest, ConditionBits
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import FORMS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_TABLES = 8
"""How many tables of rules that someone chose are kept for a program."""
_MUCH = 0.75
"""The share of the usual edits that must be on for the usual tables to be used."""
_FEW = 8
"""A program that distinguishes fewer segments than one in so many codes is small."""

Holding = Callable[[ConditionBits, "NDArray[np.uint8]"], tuple["NDArray[np.uint8]", "NDArray[np.uint64]"]]
"""Returns for the tests of tables which of the chosen rows are left to judge, and a row of words for each claim."""


USUAL = 0
"""The kind of edits that look at neither pointers (`POINTED`), present-on-admission indicators (`ADMITTED`) nor at what
service lines have (`SERVED`). A kind may be SERVED and one of the others."""
_KINDS = POINTED | ADMITTED | SERVED
_FURTHER = TERMED | POINTED | ADMITTED


@attrs.frozen(eq=False)
class CodedRows:
    """The codes of a batch as tokens: the numbers of billable codes, then one for each other code of it.

    The codes of row r are tokens[bounds[r]:bounds[r + 1]]; `unlisted` has the canonical spelling of the others.
    """

    tokens: NDArray[np.int32]
    bounds: NDArray[np.int64]
    unlisted: Sequence[str]


@attrs.frozen(eq=False)
class BuiltTables:
    """Tables for the loops. `bits` tells which of the tests that their edits put to claims hold.

    `is_conditional` tells that every edit puts one to them. `segments` are the first ids of the segments that stand for
    codes in the tables, None where codes stand for themselves.
    """

    tables: Tables
    bits: ConditionBits
    segments: memoryview | None
    is_conditional: bool = False

    def judge(self, judged: JudgedClaim) -> list[Hit]:
        """Return the hits on a claim; terms and lines are taken to be as edits want them."""
        holding = self.bits.of(judged)
        if holding == 1 and self.is_conditional:
            return []
        ids = judged.ids
        if self.segments is not None:
            ids = tuple([bisect_right(self.segments, code_id) - 1 for code_id in ids])
        return self.tables.judge(judged.claim.codes, ids, holding)

    def judge_batch(
        self,
        rows: CodedRows,
        unlisted: NDArray[np.int32],
        billable: int,
        chosen: NDArray[np.uint8],
        holding: Holding,
    ) -> NDArray[np.int32]:
        """Return the hits on the chosen rows of a batch, as `ColumnarEngine.hits_batch` does."""
        import numpy as np

        if self.segments is not None:
            ids = np.concatenate([np.arange(billable), unlisted])
            unlisted = (np.searchsorted(np.asarray(self.segments), ids, "right") - 1).astype(np.int32)
            billable = 0
        chosen, about = holding(self.bits, chosen)
        block = self.tables.judge_batch(rows.tokens, rows.bounds, chosen, about, billable, unlisted)
        return np.frombuffer(block, np.int32).reshape(-1, 6)


class JudgingPart:
    """What judges claims by one part of a program. `active` has for every rule of the program whether it is on."""

    def __init__(self, part: ProgramPart, edition: Edition, active: bytes) -> None:
        self._program = part.program
        self._first_edit = part.first_edit
        self._edition = edition
        self._active = active[part.first_rule : part.first_rule + len(self._program.rules)]
        self._special = self._program.column("special")
        self._groups: dict[int, tuple[tuple[BuiltTables, bool], ...]] = {}

    @property
    def classes(self) -> int:
        """How many classes of codes its tables distinguish."""
        return len(self._program.column("subject_pointers")) - 1

    def groups(self, *, kind: int) -> tuple[tuple[BuiltTables, bool], ...]:
        """Return the tables to judge by, each with whether some of its edits are off."""
        found = self._groups.get(kind)
        if found is None:
            found = self._groups[kind] = tuple(self._chosen(kind=kind))
        return found

    def _chosen(self, *, kind: int) -> Iterator[tuple[BuiltTables, bool]]:
        program, active = self._program, self._active
        usual = bytes(rule.enabled for rule in program.rules)
        core = bytes(map(int.__and__, active, usual))
        others = bytes(map(int.__gt__, active, usual))
        counts = _edit_counts(program, kind=kind)
        wanted, all_usual = (sum(compress(counts, rules)) for rules in (core, usual))
        if wanted and wanted >= _MUCH * all_usual:
            yield self._built(usual, kind=kind), core != usual
        elif wanted:
            yield self._built(core, kind=kind), False
        if sum(compress(counts, others)):
            unusual = bytes(not on for on in usual)
            yield self._built(unusual, kind=kind), others != unusual

    def _built(self, rules: bytes, *, kind: int) -> BuiltTables:
        """Return the tables of some rules, made once for all validators that judge by the program."""
        key, shared = (rules, kind, self._edition.universe), self._program.shared
        built: BuiltTables | None = shared.get(key)
        if built is None:
            built = _tables(self._program, rules, self._edition.universe, kind=kind)
            # Without a lock, which a fork could leave locked: at worst two threads make the same tables.
            for oldest in list(shared)[: len(shared) - _MOST_TABLES]:
                shared.pop(oldest, None)
            shared[key] = built
        return built

    # one claim

    def hits(self, judged: JudgedClaim) -> list[Hit]:
        """Return every violation on the claim, in no particular order."""
        found = self._judged(judged, kind=USUAL)
        if judged.pointers is not None:
            found += self._judged(judged, kind=POINTED)
        if judged.has_poa:
            found += self._judged(judged, kind=ADMITTED)
        if judged.claim.lines:
            found += self._judged(judged, kind=SERVED)
            if judged.pointers is not None:
                found += self._judged(judged, kind=SERVED | POINTED)
            if judged.has_poa:
                found += self._judged(judged, kind=SERVED | ADMITTED)
        special = self._special
        if judged.pointers is not None or judged.has_text or judged.has_poa:
            uncertain = [hit for hit in found if special[hit.edit] & _FURTHER]
            if uncertain:
                found = [hit for hit in found if not special[hit.edit] & _FURTHER]
                found += self._filtered(judged, uncertain)
        first = self._first_edit
        return [Hit(edit + first, subject, other) for edit, subject, other in found] if first else found

    def _judged(self, judged: JudgedClaim, *, kind: int) -> list[Hit]:
        found: list[Hit] = []
        for built, some_off in self.groups(kind=kind):
            hits = built.judge(judged)
            if some_off:
                active, rule_of = self._active, self._program.rule_of_edit
                hits = [hit for hit in hits if active[rule_of[hit.edit]]]
            found = found + hits if found else hits
        return found

    def _filtered(self, judged: JudgedClaim, hits: list[Hit]) -> list[Hit]:
        """Return those hits whose terms the documented text has, and to which service lines point as they ask."""
        kept: list[Hit] = []
        for number, of_edit in groupby(sorted(hits), key=lambda hit: hit.edit):
            edit = self._program.edit(number)
            remaining = list(of_edit)
            if edit.pointed is not None:
                pointed = judged.pointed(edit)
                remaining = [hit for hit in remaining if hit.subject in pointed]
            if edit.poa:
                remaining = [hit for hit in remaining if judged.poa(hit.subject) in edit.poa]
            if edit.terms:
                diagnoses, ids = judged.claim.diagnoses, judged.ids
                remaining = [
                    hit
                    for hit in remaining
                    if self._term(edit, diagnoses[hit.subject - 1].text, ids[hit.subject - 1]) is not None
                ]
            kept += only_one(edit, remaining)
        return kept

    def _term(self, edit: Edit, text: str | None, code_id: int) -> str | None:
        return found_term(edit, self._program.rules[edit.rule], text, code_id, self._edition)

    # batches

    def hits_batch(
        self,
        rows: CodedRows,
        unlisted: NDArray[np.int32],
        billable: int,
        chosen: NDArray[np.uint8],
        holding: Holding,
        *,
        kind: int,
    ) -> Iterator[NDArray[np.int32]]:
        """Give the violations on the chosen rows, for each table in order of rows."""
        import numpy as np

        for built, some_off in self.groups(kind=kind):
            hits = built.judge_batch(rows, unlisted, billable, chosen, holding)
            if some_off:
                on = np.frombuffer(self._active, np.uint8)[np.asarray(self._program.rule_of_edit)]
                hits = hits[on[hits[:, 1]] != 0]
            if self._first_edit and len(hits):
                hits = hits + np.array([0, self._first_edit, 0, 0, 0, 0], np.int32)
            yield hits


def _edit_counts(program: Program, *, kind: int) -> list[int]:
    """Return how many edits of a kind each rule has."""
    rules, special = program.rule_of_edit, program.column("special")
    counted = Counter() if kind else Counter(rules)
    for number in compress(range(len(special)), special):
        of = special[number] & _KINDS
        if of and of == kind:
            counted[rules[number]] += 1
        elif of and not kind:
            counted[rules[number]] -= 1
    return [counted[rule] for rule in range(len(program.rules))]


def _tables(program: Program, rules: bytes, universe: int, *, kind: int) -> BuiltTables:
    """Return the tables of the edits of these rules, with what they ask of claims."""
    special, starts = program.column("special"), program.column("starts")
    count = len(program)
    on = bytearray(count)
    about_claim, about_codes, looks_further = array("i", [0]) * count, array("i", [-1]) * count, bytearray(count)
    tests: dict[tuple[Condition, bool], int] = {}
    asked_for: dict[tuple[int, ...], int] = {}
    places: dict[int, int] = {}
    # Of a rule or two among hundreds, only their own edits are looked at.
    for edits in map(program.edits_of, compress(range(len(rules)), rules)):
        if not kind:
            on[edits.start : edits.stop] = b"\1" * len(edits)
        for number in compress(edits, special[edits.start : edits.stop]):
            looks_further[number] = bool(special[number] & _FURTHER)
            if special[number] & _KINDS:
                on[number] = special[number] & _KINDS == kind
            if on[number]:
                condition, sets = program.conditions[program.column("condition")[number]]
                test = (condition, bool(special[number] & TERMED))
                if test != (Condition(), False):
                    about_claim[number] = tests.setdefault(test, len(tests) + 1)
                if any(codes != NO_SET for codes in sets):
                    asked = tuple(-1 if codes == NO_SET else places.setdefault(codes, len(places)) for codes in sets)
                    about_codes[number] = asked_for.setdefault(asked, len(asked_for))
    small = len(starts) * _FEW < universe
    tables = Tables(
        _in_segments(program) if small else program.column,
        on,
        looks_further,
        about_claim,
        about_codes,
        array("i", chain.from_iterable(asked_for)),
        array("I", places),
        array("I", [number for number in program.claim_edits if on[number]]),
        array("I", sorted(program.wide_edits)),
        array("I", program.broad_edits),
        len(starts) if small else universe,
        len(tests),
    )
    conditional = all(about_claim[number] for number in compress(range(count), on))
    return BuiltTables(
        tables, ConditionBits([ClaimTest(*test) for test in tests]), starts if small else None, conditional
    )


def _in_segments(program: Program) -> Callable[[str], memoryview]:
    """Return the columns of a program in which the numbers of its segments stand for the codes in them."""
    starts = program.column("starts").tolist()
    spans = array("I", [bisect_right(starts, code_id - 1) for code_id in program.column("set_spans")])
    numbered = {"starts": memoryview(array("I", range(len(starts)))), "set_spans": memoryview(spans)}
    return lambda name: numbered[name] if name in numbered else program.column(name)


def only_one(edit: Edit, hits: list[Hit]) -> list[Hit]:
    """Return the hits; of an edit that allows one code only and asks more, the first subject and each later one."""
    if not FORMS[edit.verb].counts_subjects or not (edit.terms or edit.asks_lines or edit.asks_poa):
        return hits
    places = sorted(hit.subject for hit in hits)
    return [Hit(hits[0].edit, places[0], later) for later in places[1:]]
