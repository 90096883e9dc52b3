"""What is worked out of an edition once, and forgotten when rules are compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def remembered(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Have the last argument of a function, an edition, remember what the function returns for the others.

    `Tree.let_go` forgets it: a process that has compiled its rules needs none of it any more.
    """

    @functools.wraps(work)
    def known(*arguments: _P.args, **named: _P.kwargs) -> _T:
        kept = arguments[-1].remembered  # type: ignore[attr-defined]
        key = (work, *arguments[:-1])
        try:
            return kept[key]  # type: ignore[no-any-return]
        except KeyError:
            found = kept[key] = work(*arguments, **named)
            return found

    return known
