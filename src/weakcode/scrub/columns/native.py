"""What native readers take as values of claims, and what they fill columns with as Arrow arrays, without a copy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

from weakcode.scrub.columns.arrow import masked, nullable
from weakcode.scrub.columns.facts import NO_DAY

EPOCH = dt.date(1970, 1, 1)


def day_number(date: dt.date | None) -> int:
    """Return the days from 1970-01-01 to a date; NO_DAY where there is none."""
    return int(NO_DAY) if date is None else (date - EPOCH).days


def word(value: str | tuple[str, ...] | int | None) -> bytes:
    """Return a value of a claim as UTF-8, several parted by blanks; empty where there is none."""
    return (" ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)).encode()


def days(buffer: Any) -> pa.Array:
    """Return dates by their 32-bit number of days since 1970-01-01; NO_DAY is none."""
    numbers = np.frombuffer(buffer, np.int32)
    return nullable(pa.date32(), numbers, numbers != NO_DAY)


def amounts(buffer: Any) -> pa.Array:
    """Return doubles; NaN is none."""
    numbers = np.frombuffer(buffer, np.float64)
    return nullable(pa.float64(), numbers, ~np.isnan(numbers))


def choices(buffer: Any, values: pa.Array) -> pa.DictionaryArray:
    """Return a column of few values by their 32-bit number; -1 is none."""
    index = np.frombuffer(buffer, np.int32)
    return pa.DictionaryArray.from_arrays(masked(index, index < 0), values)


def stored_texts(ends: Any, text: Any) -> pa.StringArray:
    """Return texts by their 32-bit bounds in a buffer of UTF-8; an empty one is none."""
    bounds = np.frombuffer(ends, np.int32)
    return nullable(pa.string(), bounds, np.diff(bounds) > 0, pa.py_buffer(text))


def filled_lists(ends: Any, values: pa.Array) -> pa.ListArray:
    """Return lists of these values by their 32-bit bounds; an empty one is none."""
    bounds = np.frombuffer(ends, np.int32)
    return nullable(pa.list_(values.type), bounds, np.diff(bounds) > 0, children=[values])
