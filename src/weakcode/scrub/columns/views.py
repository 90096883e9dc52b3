"""Columns in the layouts that all of Arrow can work on: views, which polars and others send, become plain columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.scrub.columns.arrow import filled, numbers


def without_views(column: pa.Array) -> pa.Array:
    """Return a column with the same values and without views of text or lists, at any depth of lists and structs.

    Extension types become what they are stored as, run-end encoded columns plain ones.
    """
    while isinstance(column.type, pa.BaseExtensionType) or pa.types.is_run_end_encoded(column.type):
        is_extension = isinstance(column.type, pa.BaseExtensionType)
        column = column.storage if is_extension else _decoded(column)
    if pa.types.is_dictionary(column.type) and pa.types.is_string_view(column.type.value_type):
        column = pa.DictionaryArray.from_arrays(column.indices, column.dictionary.cast(pa.large_string()))
    if pa.types.is_fixed_size_list(column.type):
        column = column.cast(pa.large_list(column.type.value_type))
    if _is_list_view(column.type):
        column = plain_list(column)
    if _is_list_of_encoded(column.type):
        encoded = without_views(column.flatten())
        column = pa.LargeListArray.from_arrays(numbers(_bounds(column)), encoded, mask=column.is_null())
    plain = _plain(column.type)
    return column if plain == column.type else column.cast(plain)


def _decoded(column: pa.RunEndEncodedArray) -> pa.Array:
    """Return a run-end encoded column as a plain one, whatever its values are: Arrow's own function has few types."""
    first, runs = column.find_physical_offset(), column.find_physical_length()
    ends = np.asarray(column.run_ends)[first : first + runs].astype(np.int64) - column.offset
    lengths = np.diff(np.minimum(ends, len(column)), prepend=0)
    return without_views(column.values.slice(first, runs)).take(numbers(np.repeat(np.arange(runs), lengths)))


def plain_list(column: pa.Array) -> pa.Array:
    """Return a list view as a list. Arrow's own cast of a view loses its last rows."""
    return pa.LargeListArray.from_arrays(numbers(_bounds(column)), column.flatten(), mask=column.is_null())


def _bounds(column: pa.Array) -> NDArray[np.int64]:
    bounds = np.zeros(len(column) + 1, np.int64)
    np.cumsum(filled(pc.list_value_length(column), 0), out=bounds[1:])
    return bounds


def _is_list_of_encoded(kind: Any) -> bool:
    """Tell whether it is a list of categories as polars sends them, of runs or of extensions, which have no cast."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inner = kind.value_type
    return bool(
        pa.types.is_run_end_encoded(inner)
        or isinstance(inner, pa.BaseExtensionType)
        or (pa.types.is_dictionary(inner) and pa.types.is_string_view(inner.value_type))
        or _is_list_view(inner)
        or _is_list_of_encoded(inner)
    )


def _is_list_view(kind: Any) -> bool:
    return bool(pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def _plain(kind: Any) -> Any:
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = _plain(kind.value_type)
        if inner == kind.value_type:
            return kind
        return pa.list_(inner) if pa.types.is_list(kind) else pa.large_list(inner)
    if pa.types.is_struct(kind):
        fields = [field.with_type(_plain(field.type)) for field in kind]
        return pa.struct(fields)
    return kind


def as_one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, without views."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
        column = pa.concat_arrays(column.chunks) if isinstance(column, pa.ChunkedArray) else column
    return without_views(column)
