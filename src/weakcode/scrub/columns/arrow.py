"""Arrow arrays over what numpy and Python hold.

`pyarrow.array`, and `numpy.asarray` of an Arrow array, import pandas wherever that is installed: a quarter of a second
that a scrub has no use for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.engines.kernel import _kernel

_EXACT = 2.0**53
"""Below it every whole number is a double of its own."""


def numbers(values: NDArray[np.int32] | NDArray[np.int64]) -> pa.Array:
    """Return 32-bit or 64-bit whole numbers as an array of the same type, without a copy."""
    kind = pa.int32() if values.dtype == np.int32 else pa.int64()
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def filled(column: pa.Array, value: int) -> NDArray[Any]:
    """Return the whole numbers of a column, with `value` where there is none."""
    if not len(column):
        return np.empty(0, np.int64)
    sign = "i" if pa.types.is_signed_integer(column.type) else "u"
    kind = np.dtype(f"{sign}{column.type.bit_width // 8}")
    values = viewed(column.buffers()[1], kind)[column.offset : column.offset + len(column)]
    return np.where(valid(column), values, np.asarray(value).astype(kind)) if column.null_count else values


def viewed(buffer: pa.Buffer, kind: Any) -> NDArray[Any]:
    """Return the numbers in a buffer, which may be longer than a whole number of them."""
    return np.frombuffer(buffer, kind, len(buffer) // np.dtype(kind).itemsize)


def as_text(column: pa.Array) -> pa.Array:
    """Return the values of any column as text: of floats, those that are whole as whole numbers are written."""
    if pa.types.is_string(column.type):
        return column
    if pa.types.is_floating(column.type) and column.type.bit_width > 16:
        number = column.cast(pa.float64())
        is_whole = pc.and_(pc.equal(pc.floor(number), number), pc.less(pc.abs(number), _EXACT))
        whole = pc.if_else(is_whole, number, None).cast(pa.int64()).cast(pa.string())
        return pc.coalesce(whole, column.cast(pa.string()))
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
    return column.cast(pa.string())


def id_text(value: Any) -> str:
    """Return one value as `as_text` returns those of a column."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return str(int(value)) if is_whole else str(value)


def distinct(column: pa.Array) -> pa.Array:
    """Return a column in whose dictionary, if it or its lists have one, each value stands once.

    Arrow leaves room in a Parquet file for values that stand twice, and writes what was in that memory before.
    """
    if pa.types.is_list(column.type) and pa.types.is_dictionary(column.type.value_type):
        values = distinct(column.values)
        if len(values.dictionary) == len(column.values.dictionary):
            return column
        mask = column.is_null() if column.null_count else None
        return pa.ListArray.from_arrays(pa.concat_arrays([column.offsets]), values, type=column.type, mask=mask)
    if not pa.types.is_dictionary(column.type) or _all_differ(column.dictionary):
        return column
    known = column.dictionary.dictionary_encode()
    if len(known.dictionary) == len(column.dictionary):
        return column
    indices = known.indices.take(column.indices).cast(column.type.index_type)
    return pa.DictionaryArray.from_arrays(indices, known.dictionary)


def _all_differ(values: pa.Array) -> bool:
    """Tell whether hashes show that no text stands twice; False where only a closer look can tell."""
    if not pa.types.is_string(values.type) or values.null_count:
        return False
    sorted_hashes = np.sort(hashes(values))
    return bool((sorted_hashes[1:] != sorted_hashes[:-1]).all())


def listed(dictionary: pa.Array) -> list[Any]:
    """Return the values of a dictionary, None for text that is not UTF-8: no row that is a claim has it."""
    try:
        values: list[Any] = dictionary.to_pylist()
    except UnicodeDecodeError:
        values = [_decoded(value) for value in dictionary.cast(pa.large_binary()).to_pylist()]
    return values


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None


def valid(column: pa.Array) -> NDArray[np.bool_]:
    """Tell which values of a column are not null."""
    if not column.null_count:
        return np.ones(len(column), np.bool_)
    bits = column.is_valid()
    data = np.frombuffer(bits.buffers()[1], np.uint8)
    return np.unpackbits(data, count=bits.offset + len(bits), bitorder="little")[bits.offset :].view(np.bool_)


def is_empty(column: pa.Array) -> NDArray[np.bool_]:
    """Tell which texts of a column are there and empty."""
    _, offsets, _ = column.buffers()
    if not len(column) or offsets is None:
        return np.zeros(len(column), np.bool_)
    bounds = viewed(offsets, np.int64 if pa.types.is_large_string(column.type) else np.int32)
    bounds = bounds[column.offset : column.offset + len(column) + 1]
    empty: NDArray[np.bool_] = bounds[1:] == bounds[:-1]
    return empty & valid(column) if column.null_count and empty.any() else empty


def texts(values: Sequence[str]) -> pa.StringArray:
    """Return texts, none of them null, as an array."""
    joined = "".join(values)
    sizes = map(len, values) if joined.isascii() else (len(value.encode()) for value in values)
    bounds = np.zeros(len(values) + 1, np.int32)
    np.cumsum(np.fromiter(sizes, np.int64, len(values)), out=bounds[1:])
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(bounds), pa.py_buffer(joined.encode()))


def words(index: NDArray[Any], dictionary: pa.Array) -> pa.DictionaryArray:
    """Return a dictionary-encoded column: row r has dictionary[index[r]]."""
    return pa.DictionaryArray.from_arrays(numbers(index.astype(np.int32, copy=False)), dictionary)


def nullable(
    kind: pa.DataType, values: NDArray[Any], is_given: NDArray[np.bool_], *more: pa.Buffer, children: Any = None
) -> pa.Array:
    """Return what memory holds as an array of a type, null where nothing is given.

    `values` are numbers of the size of the type, or the bounds of text, whose bytes are one buffer `more`, or of lists.
    """
    bits = None if is_given.all() else pa.py_buffer(np.packbits(is_given, bitorder="little"))
    buffers = [bits, pa.py_buffer(np.ascontiguousarray(values)), *more]
    return pa.Array.from_buffers(kind, len(is_given), buffers, children=children)


def masked(values: NDArray[Any], none: NDArray[np.bool_]) -> pa.Array:
    """Return 32-bit whole numbers as an array with nulls where `none` says so."""
    return nullable(pa.int32(), values.astype(np.int32, copy=False), ~none)


def words_or_none(index: NDArray[Any], dictionary: pa.Array, none: NDArray[np.bool_]) -> pa.DictionaryArray:
    """Return a dictionary-encoded column with nulls where `none` says so, whatever the index there."""
    return pa.DictionaryArray.from_arrays(masked(np.where(none, 0, index), none), dictionary)


def text_buffers(column: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return the bounds and the bytes of texts; a null has no bytes."""
    if column.null_count:
        column = column.fill_null("")
    _, offsets, data = column.buffers()
    if not len(column) or offsets is None:
        return np.zeros(len(column) + 1, np.int32), np.empty(0, np.uint8)
    bounds = viewed(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return bounds, np.frombuffer(b"" if data is None else data, np.uint8)


_HASH_KEY = os.urandom(16)


def hashes(column: pa.Array) -> NDArray[np.int64]:
    """Return a hash of 64 bits of each text that is there and not empty, others each time Python runs."""
    bounds, data = text_buffers(column.cast(pa.string()) if pa.types.is_large_string(column.type) else column)
    return np.frombuffer(_kernel.text_hashes(_HASH_KEY, bounds, data), np.int64)


def hash_of(text: bytes) -> int:
    """Return what `hashes` has for a text, as a number without sign."""
    return int.from_bytes(_kernel.siphash(_HASH_KEY, text)[:8], "little")


def lists(bounds: NDArray[np.int32], values: pa.Array) -> pa.ListArray:
    """Return lists, none of them null: row r has values[bounds[r]:bounds[r + 1]]."""
    return pa.ListArray.from_arrays(numbers(bounds), values)


def taken_texts(column: pa.StringArray, rows: NDArray[np.int32]) -> pa.Array:
    """Return the texts of these rows."""
    _, offsets, data = column.buffers()
    if column.null_count or data is None or offsets is None:
        return column.take(numbers(rows))
    bounds = viewed(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    return pa.StringArray.from_buffers(
        len(rows), *map(pa.py_buffer, _kernel.pick_texts(bounds, np.frombuffer(data, np.uint8), rows))
    )
