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
    spelled = _same(value)
    return any(_one(pattern, spelled) for pattern in patterns)


def _same(text: str) -> str:
    return " ".join(text.split()).upper()


def _one(pattern: str, value: str) -> bool:
    spelled, bounds, expression = _read(pattern)
    if expression is not None:
        return expression.fullmatch(value) is not None
    if bounds is not None and len(value) == len(bounds[0]):
        return bounds[0] <= value <= bounds[1] or value == spelled
    return value == spelled


@lru_cache(4096)
def _read(pattern: str) -> tuple[str, tuple[str, str] | None, re.Pattern[str] | None]:
    """Return a pattern as it is compared, with the ends of its range and its expression, where it has them."""
    spelled = _same(pattern)
    if "*" in spelled:
        return spelled, None, re.compile(".*".join(map(re.escape, spelled.split("*"))), re.DOTALL)
    found = _RANGE.fullmatch(spelled)
    is_range = found is not None and len(found[1]) == len(found[2]) and found[1] <= found[2]
    return spelled, (found[1], found[2]) if is_range and found is not None else None, None


def is_backwards(pattern: str) -> bool:
    """Tell whether a pattern is a range whose end stands before its beginning, or is of another length."""
    found = _RANGE.fullmatch(_same(pattern))
    return found is not None and (len(found[1]) != len(found[2]) or found[1] > found[2])
