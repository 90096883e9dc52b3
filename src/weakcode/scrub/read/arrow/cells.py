"""Rows of Arrow's formats as cells of text, for tables whose rows are no claims each: the same as those of text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from weakcode.errors import first_line
from weakcode.scrub.columns.arrow import listed
from weakcode.scrub.columns.invalid import unreadable_in
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.read.arrow.check import check_arrays, check_rows
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.read.tables.columns import as_cells
from weakcode.scrub.read.tables.rows import Row

_SAMPLE = 8_192
"""Rows that show in which form dates are written."""


def rows_of(batch: pa.RecordBatch, names: Sequence[str], first: int, name: str, what: str) -> Iterator[Row | Rejected]:
    """Return the rows of a batch as cells of text, under all these names; those that cannot be read are rejected.

    Cells of columns that the batch does not have are empty.
    """
    check_rows(batch.num_rows, batch.get_total_buffer_size(), f"{name}: {what}")
    try:
        decoded = check_arrays(batch.columns)
    except pa.ArrowException as error:
        reason = f"{what} is damaged: {first_line(error)}"
        yield from (Rejected(name, row, None, reason, "record batch") for row in range(first, first + batch.num_rows))
        return
    columns = list(map(without_views, batch.columns))
    wrong = unreadable_in(batch.schema.names, columns, decoded=decoded)
    left = [row for row in range(batch.num_rows) if row not in wrong] if wrong else list(range(batch.num_rows))
    for row, (part, reason) in wrong.items():
        yield Rejected(name, first + row, None, reason, part)
    if wrong:
        columns = [column.take(pa.array(left, pa.int64())) for column in columns]
    named = {key: list(map(_cell, column.to_pylist())) for key, column in zip(batch.schema.names, columns, strict=True)}
    nothing = [""] * len(left)
    table = [named.get(key, nothing) for key in names]
    for row, cells in zip(left, zip(*table, strict=True), strict=True):
        yield (
            first + row,
            list(cells),
            "|".join(cell for key, cell in zip(names, cells, strict=True) if key in named).encode("utf-8", "replace"),
        )


def sampled(batch: pa.RecordBatch | None, name: str) -> list[str]:
    """Return some of the distinct values of a column as text, none where they are no text and no numbers."""
    if batch is None:
        return []
    column = as_cells(without_views(batch.column(name).slice(0, _SAMPLE)))
    if column is None:
        return []
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return [value for value in listed(encoded.dictionary) if value is not None]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, list | tuple):
        return " ".join("" if part is None else str(part) for part in value)
    return str(value)
