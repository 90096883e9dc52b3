"""Code expressions from text."""

from __future__ import annotations

import re
from functools import lru_cache

from weakcode.codes.expression.expressions import (
    ORDINALS,
    Any,
    Below,
    Except,
    Expression,
    Name,
    Pairs,
    Position,
    Through,
    Union,
    With,
    union,
)
from weakcode.codes.normalise import compact

_NAMED = r"[A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])(?:\.[0-9A-Z]{1,4})?"
_CODE = re.compile(rf"\s*({_NAMED})(?:\.?-)?\s*", re.IGNORECASE)
_RANGE = re.compile(rf"\s*({_NAMED})-({_NAMED})\s*", re.IGNORECASE)
_SET = re.compile(r"\s*\$([a-z](?:[a-z0-9_-]*[a-z0-9_])?)\s*", re.IGNORECASE)
_EXCEPT = re.compile(r"\bexcept\b", re.IGNORECASE)
_WITH = re.compile(
    r"(?P<codes>.*?),?\s+with\s+(?P<place>fourth|fifth|sixth|seventh)\s+characters?\s+"
    r"(?P<values>[0-9A-Z](?:-[0-9A-Z])?(?:\s+or\s+[0-9A-Z](?:-[0-9A-Z])?)*)\s*",
    re.IGNORECASE,
)
_OR = re.compile(r"\s+or\s+", re.IGNORECASE)
_PLACES = {name: place for place, name in ORDINALS.items()}


@lru_cache(maxsize=8192)
def parse(text: str) -> Expression:
    """Read a code expression. Raises NotationError at the character where reading stopped."""
    found = _plain(text)
    if found is not None:
        return found
    # lark is imported by what needs it alone.
    from weakcode.codes.expression.notation import read

    return read(text)


def _plain(text: str) -> Expression | None:
    """Read what most expressions are without the grammar's parser, which takes far longer; None for others.

    Lists of codes, ranges, code sets and `any`, of one character if need be, and what they are without.
    """
    if "(" in text:
        return None
    found: Expression | None = None
    at = 0
    for part in _EXCEPT.split(text):
        one = _plain_list(part, at)
        if one is None:
            return None
        found = one if found is None else Except(found, one)
        at += len(part) + len("except")
    return found


def _plain_list(text: str, at: int) -> Expression | None:
    """Read a list that begins at a place of the whole text."""
    narrowed = _WITH.fullmatch(text)
    if narrowed is not None:
        codes, values = _plain_list(narrowed["codes"], at), _plain_values(narrowed["values"])
        if codes is None or values is None or isinstance(codes, With):
            return None
        parts = codes.parts if isinstance(codes, Union) else (codes,)
        return With(parts, Position((_PLACES[narrowed["place"].lower()],), values))
    items: list[Expression] = []
    for item in text.split(","):
        one = _plain_item(item, at)
        if one is None:
            return None
        items.append(one)
        at += len(item) + 1
    return union(items)


def _plain_values(text: str) -> Pairs | None:
    """Read characters and ranges of them; None where one ends before it begins."""
    values = tuple((one[0], one[-1]) for one in _OR.split(text.upper()))
    return values if all(low <= high for low, high in values) else None


def _plain_item(item: str, at: int) -> Expression | None:
    code = _CODE.fullmatch(item)
    if code is not None:
        return Below(compact(code[1]))
    ends = _RANGE.fullmatch(item)
    if ends is not None:
        first, last = compact(ends[1]), compact(ends[2])
        return Through(first, last) if first < last else None
    named = _SET.fullmatch(item)
    if named is not None:
        return Name(named[1], at + item.index("$") + 1)
    return Any() if item.strip().lower() == "any" else None
