"""Batches of claims evaluated in their order, by several threads if asked, with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import attrs
import numpy as np
import pyarrow as pa

from weakcode.batch.arrowfile import ArrowColumns, LostRows, Rows, lost
from weakcode.batch.columns import ColumnScrubber, Scrubbed
from weakcode.batch.rows import Rejected

# Batches that wait for their turn, for each thread; more would only hold memory.
_WAITING = 2


@attrs.frozen(eq=False)
class Judged:
    """What became of one batch of a file: its findings and counts, and the rows set aside with their places."""

    scrubbed: Scrubbed | None
    rejected: tuple[Rejected, ...]


def judge(source: ArrowColumns, scrubber: ColumnScrubber, jobs: int = 1) -> Iterator[Judged]:
    """Evaluate the batches of a source with `jobs` threads and give the results in the order of the batches."""
    if jobs <= 1:
        for part in source:
            yield _judged(part, source.name, scrubber)
        return
    with ThreadPoolExecutor(jobs) as pool:
        waiting: deque[Future[Judged]] = deque()
        try:
            for part in source:
                waiting.append(pool.submit(_judged, part, source.name, scrubber))
                if len(waiting) > _WAITING * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _judged(part: Rows | LostRows, name: str, scrubber: ColumnScrubber) -> Judged:
    if isinstance(part, LostRows):
        return Judged(None, tuple(lost(part, name)))
    lines = pa.array(np.arange(part.first, part.first + part.batch.num_rows, dtype=np.int64))
    scrubbed = scrubber.scrub(part.batch, file=name, lines=lines)
    return Judged(
        scrubbed,
        tuple(Rejected(name, part.first + one.row, one.claim_id, one.reason, one.part) for one in scrubbed.rejected),
    )
