"""Values of a claim as rule files name them: single ones, ranges such as 97110-97150, and patterns such as 13*."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_RANGE = re.compile(r"([0-9A-Z]+)-([0-9A-Z]+)")


def matches(patterns: Iterable[str], value: str) -> bool:
    """Tell whether a value is among those that patterns name, without regard to case.

    `A-B` names the values as long as A and B that stand between them, both included; `*` stands for any characters.
    """
    text = _same(value)
    return any(_one(pattern, text) for pattern in patterns)


def _same(text: str) -> str:
    return " ".join(text.split()).upper()


def _one(pattern: str, value: str) -> bool:
    text, bounds, expression = _read(pattern)
    if expression is not None:
        return expression.fullmatch(value) is not None
    if bounds is not None and len(value) == len(bounds[0]):
        return bounds[0] <= value <= bounds[1] or value == text
    return value == text


@lru_cache(4096)
def _read(pattern: str) -> tuple[str, tuple[str, str] | None, re.Pattern[str] | None]:
    """Return a pattern as it is compared, with the ends of its range and its expression, where it has them."""
    text = _same(pattern)
    if "*" in text:
        return text, None, re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)
    found = _RANGE.fullmatch(text)
    is_range = found is not None and len(found[1]) == len(found[2]) and found[1] <= found[2]
    return text, (found[1], found[2]) if is_range and found is not None else None, None


def is_backwards(pattern: str) -> bool:
    """Tell whether a pattern is a range whose end stands before its beginning, or is of another length."""
    found = _RANGE.fullmatch(_same(pattern))
    return found is not None and (len(found[1]) != len(found[2]) or found[1] > found[2])


def _shared(low: str, high: str) -> str:
    """Return what the ends of a range begin with, and with them all values between them."""
    end = next((at for at, pair in enumerate(zip(low, high, strict=True)) if pair[0] != pair[1]), len(low))
    return low[:end]


class PatternBits:
    """Many lists of patterns, each with a bit: tells for a value at once which of them it matches."""

    def __init__(self, patterns: Iterable[tuple[int, Iterable[str]]]) -> None:
        self._same: dict[str, int] = {}
        self._starting: dict[str, dict[str, int]] = {}
        for bit, several in patterns:
            for pattern in several:
                text, bounds, expression = _read(pattern)
                if expression is None:
                    self._same[text] = self._same.get(text, 0) | 1 << bit
                if expression is not None or bounds is not None:
                    start = text.partition("*")[0] if bounds is None else _shared(*bounds)
                    alike = self._starting.setdefault(start, {})
                    alike[pattern] = alike.get(pattern, 0) | 1 << bit

    def of(self, value: str) -> int:
        """Return the bits of the lists that have a pattern which the value matches, as `matches` tells it."""
        text = _same(value)
        bits = self._same.get(text, 0)
        for end in range(len(text) + 1 if self._starting else 0):
            for pattern, of_pattern in self._starting.get(text[:end], {}).items():
                if of_pattern & ~bits and _one(pattern, text):
                    bits |= of_pattern
        return bits
