"""Which rules could not be judged on a claim, for want of something that it does not say, for one claim or many.

The meaning is in `weakcode.semantics.unjudged`. What edits ask of claims is put to them once for all edits of a rule
that ask the same: a bit for each of these, and for each code the bits of those that speak of it. Those that name
procedures, of which there may be thousands, are put apart to the claims that have one of them, or none.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator
from itertools import compress
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.program import ADMITTED, POINTED, Program
from weakcode.findings import NotJudged
from weakcode.semantics.bits import ClaimTest, ConditionBits
from weakcode.semantics.conditions import PARTS, Condition
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.unjudged import BITS, POA, asked_for, asked_of, codes_of, missing, wants
from weakcode.semantics.verbs import FORMS, Verb

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DATE, _POINTERS, _PROCEDURES = BITS["service_date"], BITS["pointers"], BITS["procedures"]


@attrs.frozen(eq=False)
class AskedAlike:
    """What edits of a rule ask alike. `codes` are those that they speak of, None for any claim.

    `looks_first` tells that only the first-listed diagnosis counts; `wants` are bits of `BITS`.
    """

    rule: int
    condition: Condition
    wants: int
    looks_first: bool
    codes: CodeSet | None


@attrs.frozen(eq=False)
class Questions:
    """What is put to claims as of a day: bit n + 1 of every number is that of `asked[n]`. Bit 0 is not used.

    `needs` has the bits of `BITS` that any asks for. `wanting` has by what is missing, as a number of `BITS`, the bits
    of those that ask for it, and `allowed` those of what may be reported then: what looks at the pointers of any line
    is reported of claims without pointers alone.
    """

    asked: tuple[AskedAlike, ...]
    tests: ConditionBits
    needs: int
    wanting: tuple[int, ...]
    allowed: tuple[int, ...]
    anywhere: int
    bits_by_code: dict[int, tuple[int, int]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, asked: Iterable[AskedAlike], day: dt.date) -> Questions:
        """Return what is to be asked where `day` stands for a service date that is missing."""
        found = tuple(one for asking in asked if (one := _as_of(asking, day)).wants)

        def having(what: Iterable[object]) -> int:
            return sum(1 << n for n, one in enumerate(what, start=1) if one)

        wanting = [0]
        for bit in BITS.values():
            of_need = having(one.wants & bit for one in found)
            wanting += [known | of_need for known in wanting]
        pointed = having(one.condition.pointer_off_claim for one in found)
        allowed = [known if lacks & _POINTERS else known & ~pointed for lacks, known in enumerate(wanting)]
        tests = ConditionBits([ClaimTest(_without_pointers(one.condition)) for one in found], lenient=True)
        needs = functools.reduce(int.__or__, (one.wants for one in found), 0)
        return cls(found, tests, needs, tuple(wanting), tuple(allowed), having(one.codes is None for one in found))

    def of_claim(self, judged: JudgedClaim, lacks: int) -> int:
        """Return the bits of what could not be judged on a claim that lacks this, as bits of `BITS`."""
        bits, first = self.anywhere, self.of_code(judged.ids[0])[1]
        for code in judged.ids:
            bits |= self.of_code(code)[0]
        bits = (bits | first) & self.allowed[lacks]
        return bits & self.tests.of(judged) if bits else 0

    def of_code(self, code_id: int) -> tuple[int, int]:
        """Return the bits of what speaks of a code wherever it stands, and of what does where it stands first."""
        known = self.bits_by_code.get(code_id)
        if known is None:
            bits = [0, 0]
            for n, one in enumerate(self.asked, start=1):
                if one.codes is not None and code_id in one.codes:
                    bits[one.looks_first] |= 1 << n
            known = self.bits_by_code[code_id] = (bits[0], bits[1])
        return known


def _without_pointers(condition: Condition) -> Condition:
    # Whether pointers are missing is all that is asked of them.
    return attrs.evolve(condition, pointer_off_claim=False, line_without_pointer=False)


def _as_of(asked: AskedAlike, day: dt.date) -> AskedAlike:
    """Return what is asked without the need of a date, where the day that stands for one that is missing will do."""
    if not asked.wants & _DATE:
        return asked
    parts = [part for part in PARTS if part.need == "service_date" and part.is_asked(asked.condition)]
    will_do = all(part.met(asked.condition, part.of_column(day)) for part in parts)
    return attrs.evolve(asked, wants=asked.wants & ~_DATE) if will_do else asked


class UnjudgedRules:
    """Tells which rules could not be judged on claims. `is_active` tells which rules of the program are on."""

    def __init__(self, program: Program, edition: Edition, is_active: Callable[[int], bool]) -> None:
        self._program, self._edition = program, edition
        self._is_active = is_active
        self._of_day: tuple[dt.date, tuple[Questions, Questions]] | None = None
        self._tables: dict[int, tuple[Questions, NDArray[np.uint64], NDArray[np.uint64]]] = {}

    def questions(self, day: dt.date) -> tuple[Questions, Questions]:
        """Return what is put to claims, those without a service date being judged as of a day.

        The second are those that name procedures.
        """
        known = self._of_day
        if known is None or known[0] != day:
            apart: tuple[list[AskedAlike], list[AskedAlike]] = ([], [])
            for one in _all_asked(self._program):
                if self._is_active(one.rule):
                    apart[bool(one.wants & _PROCEDURES)].append(one)
            known = self._of_day = (day, (Questions.of(apart[0], day), Questions.of(apart[1], day)))
        return known[1]

    def of(self, judged: JudgedClaim, severities: bytes, day: dt.date) -> tuple[NotJudged, ...]:
        """Return what could not be judged on a claim; `day` judges claims without a date.

        `severities` has a byte for each rule, 0 where it is off.
        """
        lacks = missing(judged)
        if not lacks:
            return self.without_indicators(severities) if judged.lacks_poa else ()
        found = []
        for questions in self.questions(day):
            bits = questions.of_claim(judged, lacks) if lacks & questions.needs else 0
            while bits:
                one = questions.asked[(bits & -bits).bit_length() - 2]
                bits &= bits - 1
                if severities[one.rule]:
                    found.append((one.wants & lacks, one.rule))
        return (*self.as_not_judged(found), *(self.without_indicators(severities) if judged.lacks_poa else ()))

    def without_indicators(self, severities: bytes) -> tuple[NotJudged, ...]:
        """Return the rules about present-on-admission indicators that are on, for an inpatient claim that has none."""
        rules = self._program.rules
        on = [rules[number] for number in _about_indicators(self._program) if severities[number]]
        without = NotJudged(POA, tuple(sorted({one.pack for one in on})), tuple(sorted(one.id for one in on)))
        return (without,) if on else ()

    def as_not_judged(self, found: Iterable[tuple[int, int]]) -> tuple[NotJudged, ...]:
        """Return (what is missing as bits of `BITS`, number of the rule) as it is reported."""
        rules = self._program.rules
        by_need: dict[str, set[int]] = {}
        for lacks, rule in found:
            for need, bit in BITS.items():
                if lacks & bit:
                    by_need.setdefault(need, set()).add(rule)
        return tuple(
            NotJudged(
                need,
                tuple(sorted({rules[number].pack for number in by_need[need]})),
                tuple(sorted(rules[number].id for number in by_need[need])),
            )
            for need in BITS
            if need in by_need
        )

    def tables(self, questions: Questions) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return code after code the words of what speaks of it wherever it stands, and where it stands first."""
        import numpy as np

        known = self._tables.get(questions.needs & _PROCEDURES)
        if known is None or known[0] is not questions:
            words = -(-questions.tests.all.bit_length() // 64)
            # Bits change where spans of codes begin and end.
            codes = np.zeros((2, self._edition.universe + 1, words), np.uint64)
            for n, one in enumerate(questions.asked, start=1):
                if one.codes is not None and one.codes.spans:
                    changes = codes[int(one.looks_first), :, n // 64]
                    for ends in np.array(one.codes.spans, np.int64).T:
                        changes[ends] ^= np.uint64(1 << n % 64)
            for looks_first, of_place in enumerate(codes):
                # Memory that is never written to is never taken.
                if any(one.looks_first == looks_first for one in questions.asked):
                    np.bitwise_xor.accumulate(of_place, axis=0, out=of_place)
            known = (questions, codes[0].reshape(-1), codes[1].reshape(-1))
            self._tables[questions.needs & _PROCEDURES] = known
        return known[1:]


def _all_asked(program: Program) -> tuple[AskedAlike, ...]:
    """Return what all edits of a program ask for that a claim may lack, worked out once."""
    if "asked" not in program.shared:
        found: dict[tuple[int, Condition, bool, bool], CodeSet | None] = {}
        for part in program.parts:
            for number, asked in _asking(part.program):
                form = FORMS[Verb(part.program.column("verbs")[number])]
                if not form.has_subject:
                    codes = codes_of(part.program.edit(number))
                else:
                    codes = part.program.code_set(part.program.column("subjects")[number]) or CodeSet()
                rule = part.program.rule_of_edit[number] + part.first_rule
                looks_first = form.looks_first
                key = (rule, asked, looks_first, codes is None)
                known = found.get(key)
                found[key] = codes if known is None or codes is None else known | codes
        program.shared["asked"] = tuple(
            AskedAlike(rule, asked, wants(asked), first, codes) for (rule, asked, first, _), codes in found.items()
        )
    known_asked: tuple[AskedAlike, ...] = program.shared["asked"]
    return known_asked


def _about_indicators(program: Program) -> tuple[int, ...]:
    """Return the rules about present-on-admission indicators by number, worked out once."""
    if "indicators" not in program.shared:
        found = {
            int(part.program.rule_of_edit[number]) + part.first_rule
            for part in program.parts
            for number, special in enumerate(part.program.column("special"))
            if special & ADMITTED
        }
        program.shared["indicators"] = tuple(sorted(found))
    known: tuple[int, ...] = program.shared["indicators"]
    return known


def _asking(program: Program) -> Iterator[tuple[int, Condition]]:
    """Give the edits of a program that ask for what a claim may lack, by number, with what they ask.

    Of most, only the condition is looked at, which many have in common: to read an edit takes longer.
    """
    special, condition = program.column("special"), program.column("condition")
    asks = [bool(wants(plain)) for plain, _ in program.conditions]
    known: dict[int, Condition] = {}
    for number in compress(range(len(program)), special):
        at = condition[number]
        if special[number] & POINTED:
            yield number, asked_of(program.edit(number))
        elif asks[at]:
            asked = known.get(at)
            if asked is None:
                asked = known[at] = asked_for(program.conditions[at][0], None)
            yield number, asked
