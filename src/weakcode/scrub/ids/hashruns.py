"""Hashes of ids that do not stay in memory: sorted, in a temporary file without a name.

The hashes have 64 bits under a random key that is kept in memory alone, so that the file says nothing of the ids. Where
there is no place for such a file, the hashes stay in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import attrs
import numpy as np
from numpy.typing import NDArray

_PAGE = 512
"""Hashes that are read together."""
_HASH, _COUNT = 8, 4
"""Bytes of a hash, and of how often it was met."""

Hashes = NDArray[np.uint64]
Counts = NDArray[np.uint32]


@attrs.frozen(eq=False)
class _Run:
    """Sorted hashes from byte `start` on, and how often each was met behind them, where not each was once.

    `firsts` are the first hashes of the pages.
    """

    start: int
    size: int
    firsts: Hashes
    is_counted: bool

    @property
    def end(self) -> int:
        return self.start + self.size * (_HASH + (_COUNT if self.is_counted else 0))


def ranges(runs: Sequence[HashRuns], more: Hashes, size: int) -> Iterator[Hashes]:
    """Give the hashes of all runs, and `more`, by ranges of about this many, in no order; no hash is in two ranges."""
    if not runs:
        yield more
        return
    more = np.sort(more)
    parts = -(-(sum(map(len, runs)) + len(more)) // size)
    edges = [(part << 64) // parts for part in range(1, parts)]
    for low, high in zip([0, *edges], [*edges, 1 << 64], strict=True):
        yield np.concatenate([*(one.between(low, high) for one in runs), _within(more, low, high)])


def _within(hashes: Hashes, low: int, high: int) -> Hashes:
    """Return of sorted hashes those from `low` on and below `high`."""
    end = len(hashes) if high >> 64 else int(np.searchsorted(hashes, np.uint64(high)))
    return hashes[int(np.searchsorted(hashes, np.uint64(low))) : end]


class HashRuns:
    """Sorted runs of hashes in a file. Not for several threads at once."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._runs: list[_Run] = []

    def add(self, hashes: Hashes, counts: Counts | None = None) -> bool:
        """Write hashes, sorted, and how often each was met; False where they cannot be written."""
        start = self._runs[-1].end if self._runs else 0
        run = _Run(start, len(hashes), hashes[::_PAGE].copy(), counts is not None)
        try:
            if self._file is None:
                # Unbuffered: what cannot be written is not tried again when the file is closed.
                self._file = tempfile.TemporaryFile(prefix="weakcode-", buffering=0)  # noqa: SIM115 - closed below
            self._file.seek(start)
            for column in (hashes, counts):
                rest = memoryview(b"" if column is None else np.ascontiguousarray(column).view(np.uint8).data)
                while rest:
                    rest = rest[self._file.write(rest) :]
        except OSError:  # no temporary folder, or no room in it
            if self._file is not None:
                self._file.truncate(start)
            return False
        self._runs.append(run)
        return True

    def __len__(self) -> int:
        return sum(run.size for run in self._runs)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()

    def counts_of(self, asked: Hashes) -> Counts:
        """Return the largest count of each hash in any run, 0 where it is in none; `asked` are sorted."""
        most = np.zeros(len(asked), np.uint32)
        for run in self._runs:
            for first, last in self._pages(run, asked):
                hashes = self._read(run, first, last)
                at = np.searchsorted(hashes, asked)
                at[at == len(hashes)] = 0
                found = np.flatnonzero(hashes[at] == asked)
                most[found] = np.maximum(most[found], self._counts(run, first, last)[at[found]])
        return most

    def between(self, low: int, high: int) -> Hashes:
        """Return the hashes from `low` on and below `high`, in no order."""
        return np.concatenate([self._between(run, low, high) for run in self._runs])

    def _between(self, run: _Run, low: int, high: int) -> Hashes:
        # A page may begin with the last ones of equal hashes.
        first = max(0, int(np.searchsorted(run.firsts, np.uint64(low))) - 1)
        last = len(run.firsts) if high >> 64 else int(np.searchsorted(run.firsts, np.uint64(high)))
        hashes = self._read(run, first * _PAGE, min(last * _PAGE, run.size))
        return _within(hashes, low, high)

    def _pages(self, run: _Run, asked: Hashes) -> Iterator[tuple[int, int]]:
        """Give the first and the last hash, by number, of the pages that may have those that are asked for."""
        pages = np.unique(np.searchsorted(run.firsts, asked, side="right") - 1)
        for few in np.split(pages, np.flatnonzero(np.diff(pages) > 1) + 1):
            if len(few) and few[-1] >= 0:
                yield max(0, int(few[0])) * _PAGE, min((int(few[-1]) + 1) * _PAGE, run.size)

    def _read(self, run: _Run, first: int, last: int) -> Hashes:
        return np.frombuffer(self._bytes(run.start + first * _HASH, (last - first) * _HASH), np.uint64)

    def _counts(self, run: _Run, first: int, last: int) -> Counts:
        if not run.is_counted:
            return np.ones(last - first, np.uint32)
        start = run.start + run.size * _HASH
        return np.frombuffer(self._bytes(start + first * _COUNT, (last - first) * _COUNT), np.uint32)

    def _bytes(self, start: int, size: int) -> bytes:
        assert self._file is not None
        self._file.seek(start)
        return self._file.read(max(0, size))
