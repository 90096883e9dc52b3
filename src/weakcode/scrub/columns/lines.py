"""What service lines of a batch say beside their pointers: which rows have a value there that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.errors import InputError
from weakcode.fields import LINE_FIELDS, Field
from weakcode.scrub.columns.arrow import filled, numbers, valid, viewed

_ELSEWHERE = ("pointers", "main_only")
"""Fields that are checked where they are read."""


def refuse_values(lines: pa.Array, row_of_line: NDArray[np.int64], bad: NDArray[np.bool_]) -> None:
    """Mark the rows as bad of which a line, a struct, has a value that a single claim could not have."""
    for field in LINE_FIELDS:
        if field.name not in _ELSEWHERE and lines.type.get_field_index(field.name) >= 0:
            column = pc.struct_field(lines, field.name)
            if not _is_sound(field, column.type):
                bad[row_of_line[_refused(field, column)]] = True


def _is_sound(field: Field, kind: Any) -> bool:
    """Tell whether every value of a type can be one of the field's."""
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if field.is_list and is_list:
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_null(kind):
        return True
    if field.arrow == "date32":
        return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))
    if field.arrow == "string" and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return True
    return bool(pa.types.is_integer(kind))


def _refused(field: Field, column: pa.Array) -> NDArray[np.int64]:
    """Return the places of the values that the field's parser refuses, each distinct value being parsed once."""
    if pa.types.is_nested(column.type):
        known = np.flatnonzero(valid(column))
        wrong = [not _is_possible(field, value) for value in column.take(numbers(known)).to_pylist()]
        return known[np.array(wrong, np.bool_)]
    if pa.types.is_floating(column.type) and field.arrow == "float64":
        column = column.cast(pa.float64())
        amounts = viewed(column.buffers()[1], np.float64)[column.offset : column.offset + len(column)]
        return np.flatnonzero(np.isinf(amounts) & valid(column))
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    index = filled(column.indices.cast(pa.int32()), -1)
    places = [at for at, value in enumerate(column.dictionary.to_pylist()) if not _is_possible(field, value)]
    return np.flatnonzero(np.isin(index, np.array(places, np.int32)))


def _is_possible(field: Field, value: Any) -> bool:
    if value is not None:
        try:
            field.parse(value)
        except InputError:
            return False
    return True
