"""Columns of numbers that may be too long for memory: from some length on they stand in a temporary file.

The file has no name, and is mapped when it is whole: what was read of it is memory that the system takes back when it
needs some. Where there is no place for such a file, the numbers stay in memory.
"""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MOST_IN_MEMORY = 1 << 20
"""Numbers of a column that stay in memory."""
_CHUNK = 1 << 20
"""Numbers that are looked at or sorted together."""


class SpilledColumn:
    """A column of numbers of one type, which grows by parts."""

    def __init__(self, kind: Any) -> None:
        self._kind = np.dtype(kind)
        self._parts: list[NDArray[Any]] = []
        self._file: IO[bytes] | None = None
        self._is_full = False
        self._size = self._written = 0

    def add(self, part: NDArray[Any]) -> None:
        """Add numbers at the end."""
        self._parts.append(np.ascontiguousarray(part, self._kind))
        self._size += len(part)
        if self._size > MOST_IN_MEMORY and not self._is_full:
            self._spill()

    def whole(self) -> NDArray[Any]:
        """Return all numbers, which nobody may change."""
        parts = list(self._parts)
        if self._file is not None and self._written:
            mapped: NDArray[Any] = np.memmap(self._file, self._kind, "r", shape=(self._written,))
            if not parts:
                return mapped
            parts.insert(0, mapped)
        return np.concatenate(parts) if parts else np.zeros(0, self._kind)

    def _spill(self) -> None:
        """Write what waits. What does not fit into the file stays in memory, and so does what comes after it."""
        end = self._written * self._kind.itemsize
        try:
            if self._file is None:
                # Unbuffered: what cannot be written is not tried again when the file is closed.
                self._file = tempfile.TemporaryFile(prefix="weakcode-", buffering=0)  # noqa: SIM115 - closed below
            while self._parts:
                rest = memoryview(self._parts[0].view(np.uint8).data)
                while rest:
                    rest = rest[self._file.write(rest) :]
                self._written += len(self._parts.pop(0))
                end = self._written * self._kind.itemsize
        except OSError:  # no temporary folder, or no room in it
            self._is_full = True
            if self._file is not None:
                self._file.truncate(end)

    def __del__(self) -> None:
        if self._file is not None:
            self._file.close()


def let_go(columns: Iterable[NDArray[Any]]) -> None:
    """Have no part of columns in memory that stand in a file; what is asked for next is read again."""
    for column in columns:
        if isinstance(column.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            column.base.madvise(mmap.MADV_DONTNEED)


def sorted_order(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """Return evenly spread numbers of 64 bits in order, and where each of them stood; equal ones as they came."""
    ordered, places = SpilledColumn(np.uint64), SpilledColumn(np.int32)
    parts = max(1, -(-len(values) // _CHUNK))
    for part in range(parts):
        low, high = (part << 64) // parts, ((part + 1) << 64) // parts - 1
        at = np.concatenate(
            [
                np.zeros(0, np.int64),
                *(
                    start + np.flatnonzero((chunk >= np.uint64(low)) & (chunk <= np.uint64(high)))
                    for start in range(0, len(values), _CHUNK)
                    if len(chunk := values[start : start + _CHUNK])
                ),
            ]
        )
        found = values[at]
        order = np.argsort(found, kind="stable")
        ordered.add(found[order])
        places.add(at[order])
    return ordered.whole(), places.whole()
