"""How often each claim id was met in a run, in memory that does not grow with the number of claims.

A hash is remembered of each id: of the last million in memory, of all others in a file, with a filter in memory that
tells which ids to look for there.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from weakcode.engines.kernel._kernel import SeenIds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from weakcode.scrub.ids.hashruns import HashRuns

MOST_IN_MEMORY = 1_000_000
"""Ids whose hashes are kept in memory, at eleven bytes each."""


class CountedIds:
    """Counts ids in the order in which they come; of about `most` of them the hashes stay in memory.

    Two ids of one hash of 64 bits would be taken for one. Not for several threads at once.
    """

    def __init__(self, most: int = MOST_IN_MEMORY) -> None:
        self._seen = SeenIds(os.urandom(16))
        self._most: float = most
        self._earlier: HashRuns | None = None

    def nth(self, one: bytes) -> int:
        """Count an id; return how often it was met with this time."""
        import numpy as np

        nth, found, is_asked = self._seen.add(one)
        if is_asked and self._earlier is not None:
            asked = np.array([found], np.uint64)
            counts = self._earlier.counts_of(asked)
            self._seen.raised(asked, counts)
            nth += int(counts[0])
        self._put_away()
        return nth

    def nth_of(self, bounds: NDArray[np.int32], data: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], int]:
        """Count the ids data[bounds[r]:bounds[r + 1]]; return how often each was met, and how many were before.

        Raises ValueError for bounds outside the data.
        """
        import numpy as np

        block, again, hashed, asked = self._seen.add_all(bounds, data)
        nth = np.frombuffer(block, np.uint32)
        if len(asked) and self._earlier is not None:
            hashes = np.frombuffer(hashed, np.uint64)
            asking = np.sort(hashes[np.frombuffer(asked, np.int32)])
            counts = self._earlier.counts_of(asking)
            asking, counts = asking[counts > 0], counts[counts > 0]
            if len(asking):
                self._seen.raised(asking, counts)
                at = np.minimum(np.searchsorted(asking, hashes), len(asking) - 1)
                nth = nth + np.where(asking[at] == hashes, counts[at], 0).astype(np.uint32)
                again = int((nth > 1).sum())
        self._put_away()
        return nth, again

    def _put_away(self) -> None:
        """Put the hashes into a file where there are many. Where there is no place for one, they stay in memory."""
        if len(self._seen) < self._most:
            return
        import numpy as np

        from weakcode.scrub.ids.hashruns import HashRuns

        self._earlier = self._earlier or HashRuns()
        hashed, counted = self._seen.listed()
        hashes = np.frombuffer(hashed, np.uint64)
        if counted is None:
            written = self._earlier.add(np.sort(hashes))
        else:
            order = np.argsort(hashes)
            written = self._earlier.add(hashes[order], np.frombuffer(counted, np.uint32)[order])
        if written:
            self._seen.forget()
        else:
            self._most = math.inf
