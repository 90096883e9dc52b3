"""Many tests of service lines at once: what rules ask of a line, by what they name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weakcode.base.patterns import PatternBits
from weakcode.semantics.conditions import ClaimPart, Condition
from weakcode.semantics.servicelines import LIMITS, WORDS, LineFacts, limits_met

_MOST_REMEMBERED = 10_000


class AskedLines:
    """Service lines, and the tests that ask for one by bit.

    Procedures and other words are looked up, so that a line is put to the few of many tests that name what it has.
    `looks_at` are the fields of `LineFacts` that some test asks for, `others` the bits of the tests that ask for no
    line, and bit 0.
    """

    def __init__(self, part: ClaimPart, asked: Sequence[tuple[int, Condition]], others: int) -> None:
        self.part = part
        self.others = others
        self._all = _bits(bit for bit, _ in asked)
        self._words: dict[str, tuple[PatternBits, int]] = {}
        for name, field in WORDS.items():
            naming = [(bit, patterns) for bit, condition in asked if (patterns := getattr(condition, field))]
            if naming:
                self._words[name] = PatternBits(naming), self._all & ~_bits(bit for bit, _ in naming)
        self._limited = [(bit, one) for bit, one in asked if any(_limits(one, name) for name in LIMITS)]
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
            for bit, condition in self._limited:
                if known >> bit & 1 and not limits_met(condition, line):
                    known &= ~(1 << bit)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[line] = known
        return known

    def bits(self, value: frozenset[LineFacts]) -> int:
        """Return a number in which the bits are set of all tests that the lines of a claim do not fail."""
        bits = self.others
        for line in value:
            bits |= self.of_line(line)
        return bits


def _bits(places: Iterable[int]) -> int:
    return sum(1 << place for place in places)


def _limits(condition: Condition, name: str) -> bool:
    return any(getattr(condition, field) is not None for field in LIMITS[name])
