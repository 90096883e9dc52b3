"""Digests of the rows of a batch: the same for the same values, in every run and on every machine."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.engines.kernel import _kernel
from weakcode.scrub.columns.arrow import filled, valid, viewed

SIZE = 16
Digests = NDArray[np.uint8]
"""A row of `SIZE` bytes for each."""


def row_digests(columns: Mapping[str, pa.Array], beside: Digests) -> Digests:
    """Return a digest of each row: of the names and values of all columns, and of what stands `beside` it."""
    names = digests_of([name.encode() for name in columns])
    parts = [beside]
    for name, column in zip(names, columns.values(), strict=True):
        parts += [np.broadcast_to(name, (len(column), SIZE)), _digests(column)]
    return _together(parts, len(beside))


def digests_of(values: list[bytes]) -> Digests:
    """Return the digests of some values."""
    bounds = np.zeros(len(values) + 1, np.int64)
    np.cumsum([len(value) for value in values], out=bounds[1:])
    return _ranges(bounds, np.frombuffer(b"".join(values), np.uint8))


def _ranges(bounds: NDArray[np.int64], data: NDArray[np.uint8]) -> Digests:
    return np.frombuffer(_kernel.digests(bounds, data), np.uint8).reshape(-1, SIZE)


def _together(parts: list[Digests], rows: int) -> Digests:
    bounds = np.arange(rows + 1, dtype=np.int64) * (SIZE * len(parts))
    return _ranges(bounds, np.ascontiguousarray(np.hstack(parts)).reshape(-1))


def _digests(column: pa.Array) -> Digests:
    """Return a digest of each value; null has one of its own."""
    found = _of_values(column)
    if column.null_count:
        found = np.where(valid(column)[:, None], found, np.uint8(0))
    return found


def _of_values(column: pa.Array) -> Digests:
    kind = column.type
    if pa.types.is_null(kind):
        return np.zeros((len(column), SIZE), np.uint8)
    if pa.types.is_dictionary(kind):
        none = np.zeros((1, SIZE), np.uint8)
        index = filled(column.indices, 0).astype(np.int64)
        return np.concatenate([_digests(column.dictionary), none])[index] if len(column) else none[:0]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        bounds = np.zeros(len(column) + 1, np.int64)
        np.cumsum(filled(pc.list_value_length(column), 0), out=bounds[1:])
        return _ranges(bounds * SIZE, np.ascontiguousarray(_digests(column.flatten())).reshape(-1))
    if pa.types.is_struct(kind):
        return _together([_digests(field) for field in column.flatten()], len(column))
    return _of_texts(column)


def _of_texts(column: pa.Array) -> Digests:
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        try:
            column = column.cast(pa.string())
        except pa.ArrowException:
            column = pa.array([None if value is None else repr(value) for value in column.to_pylist()], pa.string())
    _, offsets, data = column.buffers()
    if not len(column) or offsets is None:
        return np.zeros((len(column), SIZE), np.uint8)
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    bounds = viewed(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    return _ranges(bounds, np.frombuffer(b"" if data is None else data, np.uint8))


def as_column(digests: Digests) -> pa.Array:
    """Return digests as binary values of a fixed size."""
    data = pa.py_buffer(np.ascontiguousarray(digests))
    return pa.Array.from_buffers(pa.binary(SIZE), len(digests), [None, data])


def as_words(column: pa.Array) -> NDArray[np.uint64]:
    """Return the two halves of digests as numbers."""
    size = column.type.byte_width
    data = np.frombuffer(column.buffers()[1] or b"", np.uint8)
    return data[column.offset * size : (column.offset + len(column)) * size].view(np.uint64).reshape(-1, 2)
