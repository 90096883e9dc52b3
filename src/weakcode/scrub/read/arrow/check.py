"""What comes from outside in Arrow's memory layout, checked in full before anything looks into it.

Arrow's readers check as little as they can: offsets may lead beyond the data, indices beyond their dictionary, and
bitmaps may be shorter than the rows. Everything that touches such an array reads memory that is none of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from weakcode.errors import InputError

DAMAGED = (pa.ArrowException, OSError, ValueError, EOFError)
"""What Arrow raises for files that are damaged."""
_UNBACKED_ROWS = 1 << 20
"""Rows that may stand on no bytes at all: a column of nulls has none."""


def check_arrays(columns: Sequence[pa.Array]) -> bool:
    """Check every offset, index, length and bitmap of these arrays, at any depth; tell whether all text is UTF-8.

    Text that is not UTF-8 and values outside their type's range are let through: they make their own row unreadable,
    not those around it. Raises pyarrow.ArrowException.
    """
    decoded = True
    for column in columns:
        try:
            column.validate(full=True)
        except pa.ArrowException:
            decoded = False
            bare = _bare(column.type)
            if bare == column.type:
                raise
            column.view(bare).validate(full=True)
    return decoded


def check_rows(rows: int, size: int, what: str) -> None:
    """Raise InputError where `what` claims more rows than its `size` in bytes can hold, one bit for each."""
    if not 0 <= rows <= 8 * size + _UNBACKED_ROWS:
        raise InputError(f"{what} is damaged: it says it has {rows:,} rows, more than its {size:,} bytes can hold")


def _bare(kind: Any) -> Any:
    """Return the type with the same layout whose values can be any bytes."""
    types = pa.types
    if types.is_string(kind):
        return pa.binary()
    if types.is_large_string(kind):
        return pa.large_binary()
    if types.is_string_view(kind):
        return pa.binary_view()
    if types.is_date64(kind) or types.is_time64(kind):
        return pa.int64()
    if types.is_time32(kind):
        return pa.int32()
    if types.is_decimal(kind):
        return pa.binary(kind.bit_width // 8)
    return _bare_nested(kind)


def _bare_nested(kind: Any) -> Any:
    types = pa.types
    if types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _bare(kind.value_type), kind.ordered)
    if types.is_struct(kind):
        return pa.struct([field.with_type(_bare(field.type)) for field in kind])
    if types.is_map(kind):
        return pa.map_(kind.key_field.with_type(_bare(kind.key_type)), kind.item_field.with_type(_bare(kind.item_type)))
    if types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_bare(kind.value_type)), kind.list_size)
    for is_kind, make in (
        (types.is_list, pa.list_),
        (types.is_large_list, pa.large_list),
        (types.is_list_view, pa.list_view),
        (types.is_large_list_view, pa.large_list_view),
    ):
        if is_kind(kind):
            return make(kind.value_field.with_type(_bare(kind.value_type)))
    return kind
