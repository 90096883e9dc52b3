"""Parts of a source evaluated in their order, by several threads if asked, with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

# Parts that wait for their turn, for each thread; more would only hold memory.
_WAITING = 1

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def in_order(parts: Iterable[_Part], judged: Callable[[_Part], _Result], jobs: int) -> Iterator[_Result]:
    """Give what `judged` returns for each part, in the order of the parts, with `jobs` threads."""
    if jobs <= 1:
        yield from map(judged, parts)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(judged, part))
                if len(waiting) > _WAITING * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
