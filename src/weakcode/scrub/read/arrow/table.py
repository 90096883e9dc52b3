"""Claims from a table in Arrow's formats whose columns are mapped, row by row: the same layouts as tables of text."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from weakcode.errors import InputError
from weakcode.scrub.columns.invalid import unreadable_in
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.read.arrow.check import DAMAGED, check_arrays, check_rows, first_line
from weakcode.scrub.read.arrow.types import is_cell
from weakcode.scrub.read.csv.file import Row, claims_of
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.layouts import resolve
from weakcode.scrub.read.rows import Record, Rejected

_ROWS = 8_192
_ALIGNED = ipc.IpcReadOptions(ensure_alignment=ipc.Alignment.DataTypeSpecific)


class ArrowTable:
    """The claims of one file; the line is the 1-based row. `ignored` are columns that are not known."""

    def __init__(self, path: str | os.PathLike[str], mapping: Mapping[str, str] | None) -> None:
        self._path, self._name = os.fspath(path), name_of(path)
        self._mapping = mapping
        self.ignored: tuple[str, ...] = ()
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Record | Rejected]:
        try:
            # Read, not mapped: a mapped file that is cut short meanwhile would end the process.
            with pa.OSFile(self._path) as file:
                names, batches = _opened(file)
                header = resolve(names, ",", self._name, self._mapping)
                self.ignored = header.ignored
                yield from claims_of(rows_of(batches, self._name, self.ignored), header, self._name)
                self.bytes_read = file.size()
        except InputError:
            raise
        except DAMAGED as error:
            raise InputError(f"{self._name} is damaged or cut short: {first_line(error)}") from None


def rows_of(batches: Iterable[pa.RecordBatch], name: str, ignored: Sequence[str] = ()) -> Iterator[Row | Rejected]:
    """Return the rows of these batches as cells of text; those that cannot be read are rejected.

    The cells of `ignored` columns are empty. Raises InputError for another whose values cannot be cells.
    """
    first = 1
    for number, batch in enumerate(batches):
        for field in batch.schema:
            if field.name not in ignored and not is_cell(field.type):
                raise InputError(
                    f"{name}: the column {field.name} has the Arrow type {field.type}; give text or numbers"
                )
        empty = pa.nulls(batch.num_rows)
        columns = [empty if field.name in ignored else batch.column(place) for place, field in enumerate(batch.schema)]
        batch = pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
        yield from _rows(batch, first, name, f"record batch {number}")
        first += batch.num_rows


def _rows(batch: pa.RecordBatch, first: int, name: str, what: str) -> Iterator[Row | Rejected]:
    check_rows(batch.num_rows, batch.get_total_buffer_size(), f"{name}: {what}")
    try:
        decoded = check_arrays(batch.columns)
    except pa.ArrowException as error:
        reason = f"{what} is damaged: {first_line(error)}"
        yield from (Rejected(name, row, None, reason, "record batch") for row in range(first, first + batch.num_rows))
        return
    columns = list(map(without_views, batch.columns))
    wrong = unreadable_in(batch.schema.names, columns, decoded=decoded)
    left = [row for row in range(batch.num_rows) if row not in wrong] if wrong else range(batch.num_rows)
    for row, (part, reason) in wrong.items():
        yield Rejected(name, first + row, None, reason, part)
    if wrong:
        columns = [column.take(pa.array(left, pa.int64())) for column in columns]
    for row, values in zip(left, zip(*(column.to_pylist() for column in columns), strict=True), strict=True):
        cells = [_cell(value) for value in values]
        yield first + row, cells, "|".join(cells).encode("utf-8", "replace")


def _opened(file: Any) -> tuple[list[str], Iterable[pa.RecordBatch]]:
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PAR1"):
        parquet = pq.ParquetFile(file)
        return parquet.schema_arrow.names, parquet.iter_batches(_ROWS)
    if start.startswith(b"ARROW1"):
        opened = ipc.open_file(file, options=_ALIGNED)
        return opened.schema.names, (opened.get_batch(number) for number in range(opened.num_record_batches))
    reader = ipc.open_stream(file, options=_ALIGNED)
    return reader.schema.names, reader


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, list | tuple):
        return " ".join("" if part is None else str(part) for part in value)
    return str(value)
