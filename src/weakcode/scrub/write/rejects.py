"""Rejected rows as files: CSV, JSON Lines or Parquet by extension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.write.csvout.rows import CsvRows
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.findings import json_line

if TYPE_CHECKING:
    import pyarrow as pa

REJECTS_EXTENSIONS = (".csv", ".jsonl", ".ndjson", ".parquet")
REJECTS_COLUMNS = ("file", "line", "place", "claim_id", "reason", "raw")
_GROUP_ROWS = 16_384
"""Rejected rows in one row group of Parquet."""


def reject_row(rejected: Rejected) -> dict[str, Any]:
    """Return a rejected row by the names of `REJECTS_COLUMNS`."""
    return {name: getattr(rejected, name) for name in REJECTS_COLUMNS}


def rejects_batch(rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Return rejected rows as columns."""
    import pyarrow as pa

    kinds = [(name, pa.int64() if name == "line" else pa.string()) for name in REJECTS_COLUMNS]
    plain = [{name: _decoded(value) for name, value in row.items()} for row in rows]
    return pa.RecordBatch.from_pylist(plain, schema=pa.schema(kinds))


class RejectsWriter:
    """Rejected rows, with the reason and the row as it stands."""

    def __init__(self, target: Path, file: BinaryIO, *, raw_csv: bool = False) -> None:
        self._target = target
        self._file = file
        kind = target.suffix.lower()
        self._rows = CsvRows(target, file, REJECTS_COLUMNS, raw=raw_csv) if kind == ".csv" else None
        self._waiting: list[dict[str, Any]] = []
        self._parquet: Any = None
        self._is_parquet = kind == ".parquet"

    def write(self, rejected: Rejected) -> None:
        """Write one row."""
        values = reject_row(rejected)
        if self._rows is not None:
            self._rows.put([values.values()])
        elif self._is_parquet:
            self._waiting.append(values)
            if len(self._waiting) >= _GROUP_ROWS:
                self._put()
        else:
            with writing(self._target):
                self._file.write(json_line(values))

    def _put(self) -> None:
        import pyarrow.parquet as pq

        rows = rejects_batch(self._waiting)
        self._waiting.clear()
        with writing(self._target):
            if self._parquet is None:
                self._parquet = pq.ParquetWriter(self._file, rows.schema, compression="zstd")
            self._parquet.write_batch(rows)

    def finish(self) -> None:
        """Write what remains."""
        if self._rows is not None:
            self._rows.finish({})
        if self._is_parquet:
            self._put()
            with writing(self._target):
                self._parquet.close()
            self._parquet = None

    def abandon(self) -> None:
        """Let go of the file, whatever was written."""
        if self._rows is not None:
            self._rows.abandon()
        if self._parquet is not None:
            with suppress(Exception):
                self._parquet.close()
            self._parquet.is_open = False


def _decoded(value: Any) -> Any:
    """Return text as Arrow takes it: bytes that are no UTF-8 are spelled out, as in the other formats."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
