"""Code expressions from text."""

from __future__ import annotations

import re
from functools import lru_cache

from weakcode.codes.expression.expressions import Below, Expression, Through, union
from weakcode.codes.normalise import compact

_CODE = re.compile(r"\s*([A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])(?:\.[0-9A-Z]{1,4})?)(?:\.?-)?\s*", re.IGNORECASE)
_CATEGORIES = re.compile(
    r"\s*([A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9]))-([A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9]))\s*", re.IGNORECASE
)


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
    """Read a plain list of codes and ranges without the grammar's parser, which takes far longer; None for others."""
    parts: list[Expression] = []
    for item in text.split(","):
        code = _CODE.fullmatch(item)
        if code is not None:
            parts.append(Below(compact(code[1])))
            continue
        ends = _CATEGORIES.fullmatch(item)
        if ends is None or compact(ends[1]) >= compact(ends[2]):
            return None
        parts.append(Through(compact(ends[1]), compact(ends[2])))
    return union(parts)
