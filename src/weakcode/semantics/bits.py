"""Which tests of the claim hold, as bits of a number: what engines ask instead of one condition after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from weakcode.base.patterns import PatternBits
from weakcode.semantics.conditions import PARTS, Condition
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.parts import ClaimPart
from weakcode.semantics.servicelines import LIMITS, WORDS, LineFacts, limits_met

_MOST_REMEMBERED = 10_000


@attrs.frozen(eq=False)
class ClaimTest:
    """What some edits ask of a claim beside its codes; `needs_text`: they also need documented text."""

    condition: Condition
    needs_text: bool = False


@attrs.frozen(eq=False)
class AskedPart:
    """A part of the claim, the tests that ask for it by bit, and the bits that hold for values met before, `known`.

    `needing` has the bits of the tests that need what the part may lack.
    """

    part: ClaimPart
    _asked: tuple[tuple[int, Condition], ...]
    _others: int
    needing: int
    known: dict[Any, int] = attrs.field(factory=dict)

    def bits(self, value: Any) -> int:
        """Return a number in which the bits are set of all tests that a value of this part does not fail."""
        known = self.known.get(value)
        if known is None:
            met = self.part.met
            known = self._others | _bits(bit for bit, condition in self._asked if met(condition, value))
            _remember(self.known, value, known)
        return known


class AskedLines:
    """Service lines, and the tests that ask for one by bit.

    Procedures and other words are looked up, so that a line is put to the few of many tests that name what it has.
    `looks_at` are the fields of `LineFacts` that some test asks for, `others` the bits of the tests that ask for no
    line, and bit 0. `needing` has the bits of the tests that name procedures.
    """

    def __init__(self, part: ClaimPart, asked: Sequence[tuple[int, Condition]], others: int, needing: int) -> None:
        self.part = part
        self.others, self.needing = others, needing
        self._all = _bits(bit for bit, _ in asked)
        self._words: dict[str, tuple[PatternBits, int]] = {}
        for name, field in WORDS.items():
            naming = [(bit, patterns) for bit, condition in asked if (patterns := getattr(condition, field))]
            if naming:
                self._words[name] = PatternBits(naming), self._all & ~_bits(bit for bit, _ in naming)
        self._limited = [(1 << bit, one) for bit, one in asked if any(_limits(one, name) for name in LIMITS)]
        limited = (name for name in LIMITS if any(_limits(one, name) for _, one in self._limited))
        self.looks_at = (*self._words, *limited)
        self._known: dict[LineFacts, int] = {}

    def of_line(self, line: LineFacts) -> int:
        """Return the bits of the tests that a line meets."""
        known = self._known.get(line)
        if known is None:
            known = self._all
            for name, (words, free) in self._words.items():
                named = free
                for word in getattr(line, name):
                    named |= words.of(word)
                known &= named
            for mask, condition in self._limited:
                if known & mask and not limits_met(condition, line):
                    known ^= mask
            _remember(self._known, line, known)
        return known

    def bits(self, value: frozenset[LineFacts]) -> int:
        """Return a number in which the bits are set of all tests that the lines of a claim do not fail."""
        bits = self.others
        for line in value:
            bits |= self.of_line(line)
        return bits


class ConditionBits:
    """Tells for a claim which of some tests hold: bit n + 1 of a number stands for test n, bit 0 is always set.

    Each distinct value of a part is put to the tests once, for single claims and for batches. `parts` are those that
    some test asks for; `silent` has the bits of the tests that need no documented text. Where they are `lenient`, what
    a claim does not say and could is taken to be as every test wants it.
    """

    def __init__(self, tests: Sequence[ClaimTest], *, lenient: bool = False) -> None:
        self.lenient = lenient
        self.all = (1 << (len(tests) + 1)) - 1
        self.silent = self.all & ~_bits(bit for bit, test in enumerate(tests, start=1) if test.needs_text)
        parts: list[AskedPart | AskedLines] = []
        for part in PARTS:
            asked = [(bit, test.condition) for bit, test in enumerate(tests, start=1) if part.is_asked(test.condition)]
            if asked:
                others = self.all & ~_bits(bit for bit, _ in asked)
                needing = _bits(bit for bit, condition in asked if part.is_needed(condition))
                if part.name == "lines":
                    parts.append(AskedLines(part, asked, others, needing))
                else:
                    parts.append(AskedPart(part, tuple(asked), others, needing))
        self.parts = tuple(parts)
        # Of a single claim, whatever is spared for each part is spared for each check.
        quick = [] if lenient else [one for one in parts if isinstance(one, AskedPart)]
        self._quick = tuple((one.part.value, one.known, one.bits) for one in quick)
        self._others = tuple(one for one in parts if one not in quick)

    def of(self, judged: JudgedClaim) -> int:
        """Return the bits of a claim."""
        bits = self.all if judged.has_text else self.silent
        for value_of, known, bits_of in self._quick:
            value = value_of(judged)
            met = known.get(value)
            bits &= bits_of(value) if met is None else met
        for asked in self._others:
            met = asked.bits(asked.part.value(judged))
            if self.lenient and asked.needing and asked.part.value_in(judged) is None:
                met |= asked.needing
            bits &= met
        return bits


def _remember(known: dict[Any, int], value: Any, bits: int) -> None:
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[value] = bits


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)


def _limits(condition: Condition, name: str) -> bool:
    return any(getattr(condition, field) is not None for field in LIMITS[name])
