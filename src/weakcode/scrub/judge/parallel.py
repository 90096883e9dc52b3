"""Batches of claims evaluated in their order, by several threads if asked, with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.claims import Claim
from weakcode.scrub.columns.arrow import numbers
from weakcode.scrub.judge.columns import ColumnScrubber, Scrubbed
from weakcode.scrub.read.arrow.file import ArrowColumns, LostRows, Rows, lost
from weakcode.scrub.read.rows import Rejected

# Batches that wait for their turn, for each thread; more would only hold memory.
_WAITING = 2

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


class ClaimRows(Protocol):
    """The rows of a batch."""

    @property
    def batch(self) -> pa.RecordBatch: ...

    def claims(self, places: NDArray[np.int64]) -> list[Claim]:
        """Return the claims in these places, which are known to be claims."""
        ...

    def tidied(self, good: NDArray[np.bool_] | None) -> pa.RecordBatch:
        """Return the claims, or those in these places, with their values as single claims have them."""
        ...


@attrs.frozen(eq=False)
class Judged:
    """What became of one batch of a file: its findings and counts, and the rows set aside with their places.

    `rows` and `found`, the places in them of the claims that have findings, are there where they were asked for.
    """

    scrubbed: Scrubbed | None
    rejected: tuple[Rejected, ...]
    rows: ClaimRows | None = None
    found: NDArray[np.int64] | None = None


def judge(
    source: ArrowColumns, scrubber: ColumnScrubber, jobs: int = 1, *, keep_rows: bool = False
) -> Iterator[Judged]:
    """Evaluate the batches of a source with `jobs` threads and give the results in the order of the batches."""
    yield from in_order(source, lambda part: _judged(part, source.name, scrubber, keep_rows), jobs)


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


def _judged(part: Rows | LostRows, name: str, scrubber: ColumnScrubber, keep_rows: bool) -> Judged:
    if isinstance(part, LostRows):
        return Judged(None, tuple(lost(part, name)))
    lines = numbers(np.arange(part.first, part.first + part.batch.num_rows, dtype=np.int64))
    scrubbed = scrubber.scrub(part.batch, file=name, lines=lines)
    return Judged(
        scrubbed,
        tuple(Rejected(name, part.first + one.row, one.claim_id, one.reason, one.part) for one in scrubbed.rejected),
        part if keep_rows else None,
        np.unique(np.asarray(scrubbed.findings["line"])) - part.first if keep_rows else None,
    )
