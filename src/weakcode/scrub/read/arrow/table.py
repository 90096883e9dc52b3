"""Claims from a table in Arrow's formats whose columns are mapped, row by row: the same layouts as tables of text."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from weakcode.errors import InputError
from weakcode.scrub.read.csv.file import Row, claims_of
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.layouts import resolve
from weakcode.scrub.read.rows import Record, Rejected

_ROWS = 8_192


class ArrowTable:
    """The claims of one file; the line is the 1-based row. `ignored` are columns that are not known."""

    def __init__(self, path: str | os.PathLike[str], mapping: Mapping[str, str] | None) -> None:
        self._path, self._name = os.fspath(path), name_of(path)
        self._mapping = mapping
        self.ignored: tuple[str, ...] = ()
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Record | Rejected]:
        try:
            with pa.memory_map(self._path) as file:
                names, batches = _opened(file)
                header = resolve(names, ",", self._name, self._mapping)
                self.ignored = header.ignored
                yield from claims_of(rows_of(batches), header, self._name)
                self.bytes_read = file.size()
        except (pa.ArrowException, OSError) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError(f"{self._name} is damaged or cut short: {said}") from None


def rows_of(batches: Iterable[pa.RecordBatch]) -> Iterator[Row | Rejected]:
    """Return the rows of these batches as cells of text."""
    number = 0
    for batch in batches:
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            cells = [_cell(value) for value in values]
            yield number, cells, "|".join(cells).encode("utf-8", "replace")


def _opened(file: Any) -> tuple[list[str], Iterable[pa.RecordBatch]]:
    start = file.read(8)
    file.seek(0)
    if start.startswith(b"PAR1"):
        parquet = pq.ParquetFile(file)
        return parquet.schema_arrow.names, parquet.iter_batches(_ROWS)
    if start.startswith(b"ARROW1"):
        opened = ipc.open_file(file)
        return opened.schema.names, (opened.get_batch(number) for number in range(opened.num_record_batches))
    reader = ipc.open_stream(file)
    return reader.schema.names, reader


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, list | tuple):
        return " ".join("" if part is None else str(part) for part in value)
    return str(value)
