"""Batches of findings as lines of CSV, without an object for any row: each distinct text is quoted and guarded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from weakcode.scrub.guard import ANY_GUARDED, guarded
from weakcode.scrub.schema import separator

_ROWS = 8_192
"""Rows that are put together at a time."""
_QUOTED = r'[",\r\n]'
_Cells = Callable[[int], pa.Array]
"""Returns the cells of a column from a row on, `_ROWS` at most; null where there is none."""


def csv_lines(batch: pa.RecordBatch, rest: Sequence[str], *, raw: bool) -> Iterator[memoryview]:
    """Give the rows of a batch as lines of CSV in UTF-8, some at a time; each ends with the cells of `rest`.

    With `raw` no cell is guarded against spreadsheets.
    """
    end = "".join(f",{_cell(text, raw)}" for text in rest) + "\n"
    columns = [_cells(column, name, raw) for name, column in zip(batch.schema.names, batch.columns, strict=True)]
    for start in range(0, batch.num_rows, _ROWS):
        cells = [column(start) for column in columns]
        lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement="")
        yield _data(pc.binary_join_element_wise(lines, pa.scalar(end), ""))


def _data(lines: pa.Array) -> memoryview:
    """Return the bytes of texts that follow each other."""
    _, offsets, data = lines.buffers()
    bounds = memoryview(offsets).cast("i")
    return memoryview(data)[bounds[lines.offset] : bounds[lines.offset + len(lines)]]


def _cells(column: pa.Array, name: str, raw: bool) -> _Cells:
    kind = column.type
    if pa.types.is_dictionary(kind) and pa.types.is_string(kind.value_type):
        return partial(_taken, _distinct(column.dictionary, raw), column.indices)
    if pa.types.is_list(kind):
        return lambda start: _listed(column.slice(start, _ROWS), separator(name), raw)
    if pa.types.is_string(kind):
        return lambda start: _escaped(column.slice(start, _ROWS), raw)
    return lambda start: column.slice(start, _ROWS).cast(pa.string())


def _taken(cells: pa.Array, indices: pa.Array, start: int) -> pa.Array:
    return cells.take(indices.slice(start, _ROWS))


def _distinct(texts: pa.Array, raw: bool) -> pa.Array:
    """Return distinct texts as cells."""
    return pa.array([None if text is None else _cell(text, raw) for text in texts.to_pylist()], pa.string())


def _listed(column: pa.ListArray, between: str, raw: bool) -> pa.Array:
    """Return lists as one cell each; those with the same items are quoted and guarded once."""
    first, last = column.offsets[0].as_py(), column.offsets[-1].as_py()
    values = column.values.slice(first, last - first)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary.take(values.indices)
    bounds = pc.subtract(column.offsets, pa.scalar(first, pa.int32()))
    joined = pc.binary_join(pa.ListArray.from_arrays(bounds, values.cast(pa.string())), between)
    encoded = joined.dictionary_encode()
    cells = _distinct(encoded.dictionary, raw).take(encoded.indices)
    return cells if not column.null_count else pc.if_else(column.is_valid(), cells, pa.scalar(None, pa.string()))


def _escaped(column: pa.Array, raw: bool) -> pa.Array:
    """Return texts as cells; only those with a sign that must be quoted or guarded are looked at singly."""
    odd = pc.match_substring_regex(column, _QUOTED if raw else f"{_QUOTED}|{ANY_GUARDED}").fill_null(False)
    if not pc.any(odd).as_py():
        return column
    cells = pa.array([_cell(text, raw) for text in column.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(column, odd, cells)


def _cell(text: str, raw: bool) -> str:
    """Return a text as a cell of CSV."""
    cell = text if raw else str(guarded([text])[0])
    if any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
