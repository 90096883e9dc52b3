"""Rows of a batch that hold what no claim can say: text that is not UTF-8, a day outside the calendar.

Arrow's readers and Spark let both through, and everything that looks at such a value afterwards stumbles over it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.scrub.columns.arrow import filled, valid
from weakcode.scrub.columns.views import plain_list

Bools = NDArray[np.bool_]

_A_DAY = {"s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}
_FIRST_DAY, _LAST_DAY = (np.datetime64(day, "D").astype(np.int64) for day in (dt.date.min, dt.date.max))


def unreadable(columns: Mapping[str, pa.Array], *, decoded: bool = False) -> dict[int, tuple[str, str]]:
    """Return the rows that cannot be read, each with the part that is wrong and the reason.

    Text is not looked at where it is known to be UTF-8, which `decoded` says.
    """
    return unreadable_in(list(columns), list(columns.values()), decoded=decoded)


def unreadable_in(
    names: Sequence[str], columns: Sequence[pa.Array], *, decoded: bool = False
) -> dict[int, tuple[str, str]]:
    """Return the rows of a table that cannot be read, in their order; names may be there several times."""
    found: dict[int, tuple[str, str]] = {}
    for name, column in zip(names, columns, strict=True):
        wrong = _wrong(column, decoded)
        if wrong is not None:
            reason = f"the column {name} holds {_noun(column.type)}"
            for row in np.flatnonzero(wrong).tolist():
                found.setdefault(row, (name.replace("_", " "), reason))
    return dict(sorted(found.items()))


def _noun(kind: pa.DataType) -> str:
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "a day outside the years 1 to 9999"
    return "a value outside its type's range" if _is_checked_by_hand(kind) else "bytes that are not UTF-8"


def _wrong(column: pa.Array, decoded: bool) -> Bools | None:
    """Return which values cannot be read, None where all can."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        wrong = _wrong(column.dictionary, decoded)
        return None if wrong is None else _or_none(np.append(wrong, False)[filled(column.indices.cast(pa.int64()), -1)])
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return None if decoded else _not_utf8(column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _no_day(column)
    if _is_checked_by_hand(kind):
        return _or_none(np.array([not _converts(value) for value in column], np.bool_))
    if pa.types.is_struct(kind):
        return _any([_wrong(field, decoded) for field in column.flatten()])
    if pa.types.is_map(kind):
        inner = _any([_wrong(column.keys, decoded), _wrong(column.items, decoded)])
        return None if inner is None else _by_list(inner, np.asarray(column.offsets))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _wrong(column.values, decoded)
        return None if inner is None else _by_list(inner, np.asarray(column.offsets))
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return _wrong(plain_list(column), decoded)
    if pa.types.is_fixed_size_list(kind):
        return _wrong(column.cast(pa.large_list(kind.value_type)), decoded)
    return None


def _not_utf8(column: pa.Array) -> Bools | None:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return _or_none(
            np.array([not _decodes(value) for value in column.cast(pa.large_binary()).to_pylist()], np.bool_)
        )
    return None


def _decodes(value: bytes | None) -> bool:
    try:
        return value is None or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _no_day(column: pa.Array) -> Bools | None:
    kind = column.type
    if pa.types.is_timestamp(kind) and not _converts(pa.scalar(0, kind)):
        # A time zone that nobody knows.
        return _or_none(valid(column))
    if pa.types.is_date32(kind):
        days = filled(column.view(pa.int32()), 0)
    else:
        # Not by a cast to days: those beyond 32 bits would come out as others.
        days = filled(column.view(pa.int64()), 0) // _A_DAY[getattr(kind, "unit", "ms")]
    return _or_none((days < _FIRST_DAY) | (days > _LAST_DAY))


def _is_checked_by_hand(kind: pa.DataType) -> bool:
    """Whether values of a type that claims hardly have can be such that Python cannot say them."""
    types = pa.types
    return bool(types.is_temporal(kind) or types.is_decimal(kind) or types.is_union(kind)) and not types.is_date(kind)


def _converts(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except (ValueError, OverflowError, LookupError, TypeError, pa.ArrowException):
        return False
    return True


def _by_list(inner: Bools, offsets: NDArray[np.int64]) -> Bools | None:
    before = np.concatenate([[0], np.cumsum(inner)])
    return _or_none(before[offsets[1:]] > before[offsets[:-1]])


def _any(parts: list[Bools | None]) -> Bools | None:
    given_parts = [part for part in parts if part is not None]
    return np.logical_or.reduce(given_parts) if given_parts else None


def _or_none(wrong: Bools) -> Bools | None:
    return wrong if wrong.any() else None
