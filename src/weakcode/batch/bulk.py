"""Batches of claims evaluated in their order, by several threads if asked, with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.batch.arrowfile import ArrowColumns, LostRows, Rows, lost
from weakcode.batch.columns import ColumnScrubber, Scrubbed
from weakcode.batch.rows import Rejected

# Batches that wait for their turn, for each thread; more would only hold memory.
_WAITING = 2


@attrs.frozen(eq=False)
class Judged:
    """What became of one batch of a file: its findings and counts, and the rows set aside with their places.

    `rows` and `found`, the places in them of the claims that have findings, are there where they were asked for.
    """

    scrubbed: Scrubbed | None
    rejected: tuple[Rejected, ...]
    rows: Rows | None = None
    found: NDArray[np.int64] | None = None


def judge(
    source: ArrowColumns, scrubber: ColumnScrubber, jobs: int = 1, *, keep_rows: bool = False
) -> Iterator[Judged]:
    """Evaluate the batches of a source with `jobs` threads and give the results in the order of the batches."""
    if jobs <= 1:
        for part in source:
            yield _judged(part, source.name, scrubber, keep_rows)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[Judged]] = deque()
        try:
            for part in source:
                waiting.append(pool.submit(_judged, part, source.name, scrubber, keep_rows))
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
    lines = pa.array(np.arange(part.first, part.first + part.batch.num_rows, dtype=np.int64))
    scrubbed = scrubber.scrub(part.batch, file=name, lines=lines)
    return Judged(
        scrubbed,
        tuple(Rejected(name, part.first + one.row, one.claim_id, one.reason, one.part) for one in scrubbed.rejected),
        part if keep_rows else None,
        np.unique(np.asarray(scrubbed.findings["line"])) - part.first if keep_rows else None,
    )
