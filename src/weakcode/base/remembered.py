"""What is worked out of an edition once, and forgotten when its rules are compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_ABSENT: Any = object()


def remembered(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Have the last argument of a function, an edition, remember what the function returns for the others.

    `Tree.let_go` forgets it: a process that has compiled its rules needs none of it any more. What raises is not kept.
    """

    @functools.wraps(work)
    def known(*arguments: _P.args, **named: _P.kwargs) -> _T:
        kept: dict[Any, _T] = arguments[-1].remembered  # type: ignore[attr-defined]
        key = (work, *arguments[:-1])
        found = kept.get(key, _ABSENT)
        if found is _ABSENT:
            found = kept[key] = work(*arguments, **named)
        return found  # type: ignore[no-any-return]

    return known
