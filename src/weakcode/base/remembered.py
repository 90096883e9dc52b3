"""What is worked out of an edition once, and forgotten when its rules are compiled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
_ABSENT: Any = object()


def remembered(work: Callable[_P, _T]) -> Callable[_P, _T]:
    """Have the last argument of a function, an edition, remember what the function returns for the one before, if any.

    `Tree.let_go` forgets it: a process that has compiled its rules needs none of it any more. What raises is not kept.
    """

    def alone(edition: Any) -> Any:
        kept = edition.remembered
        found = kept.get(work, _ABSENT)
        if found is _ABSENT:
            found = kept[work] = asked(edition)
        return found

    def known(key: Any, edition: Any) -> Any:
        # Tens of thousands of calls when all rules are compiled: a dictionary for each function needs no key made up.
        kept = edition.remembered.get(work)
        if kept is None:
            kept = edition.remembered[work] = {}
        found = kept.get(key, _ABSENT)
        if found is _ABSENT:
            found = kept[key] = asked(key, edition)
        return found

    asked: Callable[..., Any] = work
    return functools.wraps(work)(alone if work.__code__.co_argcount == 1 else known)
