"""Parts of a source evaluated in their order, by several threads if asked, with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def in_order(parts: Iterable[_Part], judged: Callable[[_Part], _Result], jobs: int) -> Iterator[_Result]:
    """Give what `judged` returns for each part, in the order of the parts, with `jobs` threads.

    No more parts are under way than threads: while the caller deals with one, the next ones are judged, and a part that
    waited for its turn would only hold memory.
    """
    if jobs <= 1:
        yield from map(judged, parts)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for part in parts:
                waiting.append(pool.submit(judged, part))
                del part
                if len(waiting) >= jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
