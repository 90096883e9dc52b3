"""Columns that are too long for memory: the same numbers, wherever they stand."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import pytest

from weakcode.scrub.columns import spilled
from weakcode.scrub.columns.spilled import SpilledColumn, let_go, sorted_order

PARTS = [np.arange(start, start + 7, dtype=np.int32) for start in range(0, 70, 7)]


def column() -> SpilledColumn:
    made = SpilledColumn(np.int32)
    for part in PARTS:
        made.add(part)
    return made


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spilled, "MOST_IN_MEMORY", 20)
    monkeypatch.setattr(spilled, "_CHUNK", 64)


@pytest.mark.usefixtures("short")
def test_a_long_column_stands_in_a_file_and_has_the_same_numbers() -> None:
    whole = column().whole()
    assert isinstance(whole, np.memmap)
    assert whole.tolist() == np.concatenate(PARTS).tolist()
    let_go([whole, np.arange(3)])
    assert whole.tolist() == np.concatenate(PARTS).tolist()
    assert len(SpilledColumn(np.int64).whole()) == 0


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("writes", [0, 1, 3])
def test_where_there_is_no_room_for_a_file_the_numbers_stay_in_memory(
    monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    opened = tempfile.TemporaryFile

    class Full:
        """A file on a disk that is full after some writes, the last of them half done."""

        def __init__(self, **options: Any) -> None:
            self._file, self._left = opened(**options), writes

        def write(self, data: memoryview) -> int:
            self._left -= 1
            if self._left < 0:
                raise OSError(28, "No space left on device")
            return self._file.write(data if self._left else data[: len(data) // 2])

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    assert column().whole().tolist() == np.concatenate(PARTS).tolist()


@pytest.mark.usefixtures("short")
def test_numbers_are_sorted_in_ranges_as_they_are_at_once() -> None:
    values = np.random.default_rng(5).integers(0, 1 << 63, 1_000, np.uint64) * np.uint64(2)
    values[::10] = values[0]
    values[:3] = [0, (1 << 64) - 1, 1 << 63]
    ordered, places = sorted_order(values)
    assert places.tolist() == np.argsort(values, kind="stable").tolist()
    assert ordered.tolist() == sorted(values.tolist())
    assert [len(one) for one in sorted_order(values[:0])] == [0, 0]
