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
_GUARDED = rf"{ANY_GUARDED}|[;\t\r\n]\s*[^\x20-\x7e]"
"""What may have to be guarded: also what Python takes for a blank and RE2 does not, behind the end of a cell."""
_Cells = Callable[[int], pa.Array]
"""Returns the cells of a column from a row on, `_ROWS` at most; null where there is none."""


def csv_lines(batch: pa.RecordBatch, rest: Sequence[str], *, raw: bool) -> Iterator[memoryview]:
    """Give the rows of a batch as lines of CSV in UTF-8, some at a time; each ends with the cells of `rest`.

    With `raw` no cell is guarded against spreadsheets.
    """
    end = "".join(f",{text}" for text in _escaped(pa.array(rest, pa.string()), raw).to_pylist()) + "\n"
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
        return partial(_values_at, _escaped(column.dictionary, raw), column.indices)
    if pa.types.is_list(kind):
        return lambda start: _listed(column.slice(start, _ROWS), separator(name), raw)
    if pa.types.is_string(kind):
        return lambda start: _escaped(column.slice(start, _ROWS), raw)
    return lambda start: column.slice(start, _ROWS).cast(pa.string())


def _values_at(cells: pa.Array, indices: pa.Array, start: int) -> pa.Array:
    return cells.take(indices.slice(start, _ROWS))


def _listed(column: pa.ListArray, between: str, raw: bool) -> pa.Array:
    """Return lists as one cell each; those with the same items are quoted and guarded once."""
    first, last = column.offsets[0].as_py(), column.offsets[-1].as_py()
    values = column.values.slice(first, last - first)
    is_plain = pa.types.is_integer(values.type)
    if pa.types.is_dictionary(values.type):
        is_plain = not pc.any(pc.match_substring_regex(values.dictionary, f"{_QUOTED}|{_GUARDED}|;")).as_py()
        values = values.dictionary.take(values.indices)
    bounds = pc.subtract(column.offsets, pa.scalar(first, pa.int32()))
    texts = pc.binary_join(pa.ListArray.from_arrays(bounds, values.cast(pa.string())), between)
    if is_plain:
        cells = texts
    else:
        encoded = texts.dictionary_encode()
        cells = _escaped(encoded.dictionary, raw).take(encoded.indices)
    return cells if not column.null_count else pc.if_else(column.is_valid(), cells, pa.scalar(None, pa.string()))


def _escaped(column: pa.Array, raw: bool) -> pa.Array:
    """Return texts as cells; only those with a sign that may have to be guarded are looked at singly."""
    if not raw:
        guarded_rows = pc.match_substring_regex(column, _GUARDED).fill_null(False)
        if pc.any(guarded_rows).as_py():
            cells = pa.array(guarded(column.filter(guarded_rows).to_pylist()), pa.string())
            column = pc.replace_with_mask(column, guarded_rows, cells)
    needs_quotes = pc.match_substring_regex(column, _QUOTED).fill_null(False)
    if not pc.any(needs_quotes).as_py():
        return column
    texts = column.filter(needs_quotes)
    if pc.any(pc.match_substring(texts, '"')).as_py():
        texts = pc.replace_substring(texts, '"', '""')
    quote = pa.scalar('"')
    return pc.replace_with_mask(column, needs_quotes, pc.binary_join_element_wise(quote, texts, quote, ""))
