"""Columns in the layouts that Arrow knows become plain columns with the same values."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode.scrub.columns.views import without_views

VALUES = [
    pa.array(["a", "b", None, "a"]),
    pa.array(["a", "b", None, "a"]).dictionary_encode(),
    pa.array(["a", "b", None, "a"], pa.string_view()),
    pa.array([["x"], None, [], ["y", "z"]]),
    pa.array([{"a": 1}, None, {"a": 2}, {"a": 3}]),
]
ENDS = [2, 3, 7, 9]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values.type))
@given(first=st.integers(0, 9), length=st.integers(0, 9))
def test_run_ends_over_any_values_are_written_out(values: Any, first: int, length: int) -> None:
    column = pa.RunEndEncodedArray.from_arrays(pa.array(ENDS, pa.int32()), values)
    every = [
        value
        for value, start, end in zip(values.to_pylist(), [0, *ENDS], ENDS, strict=False)
        for _ in range(start, end)
    ]
    assert without_views(column.slice(first, length)).to_pylist() == every[first : first + length]


@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values.type))
@given(first=st.integers(0, 4), length=st.integers(0, 4))
def test_run_ends_within_lists_are_written_out(values: Any, first: int, length: int) -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array(ENDS, pa.int32()), values)
    lists = pa.ListArray.from_arrays(pa.array([0, 2, None, 2, 9], pa.int32()), runs)
    nested = pa.ListArray.from_arrays(pa.array([0, 1, 4, 4], pa.int32()), lists)
    for column in (lists, nested):
        part = column.slice(first, length)
        assert without_views(part).to_pylist() == part.to_pylist()
