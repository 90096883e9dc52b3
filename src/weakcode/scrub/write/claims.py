"""Claims as files: CSV, JSON Lines, Parquet, Arrow or an IPC stream by extension, as weakcode reads them again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from weakcode.claims.keys import without_none
from weakcode.fields import FIELDS
from weakcode.fields.parsers import plain_value
from weakcode.scrub.guard import needs_guard
from weakcode.scrub.read.tables.header import CSV_COLUMNS
from weakcode.scrub.write.csvout.rows import CsvRows
from weakcode.scrub.write.files import BatchWriter, writing

if TYPE_CHECKING:
    import pyarrow as pa

CLAIMS_EXTENSIONS = (".csv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".feather", ".arrows")

_GROUP_ROWS = 65_536
"""Claims in one row group; a group holds the columns of so many claims in memory."""


class ClaimsWriter(BatchWriter):
    """Takes batches of claims as `columns.claims` makes them. `lost` counts claims that it cannot hold whole."""

    lost = 0


def claims_writer(target: Path, file: BinaryIO, *, raw_csv: bool = False) -> ClaimsWriter:
    """Return the writer for the target's extension, one of `CLAIMS_EXTENSIONS`; `raw_csv` guards no formulas."""
    extension = target.suffix.lower()
    if extension == ".csv":
        return _CsvClaims(target, file, raw_csv=raw_csv)
    if extension in (".jsonl", ".ndjson"):
        return _JsonlClaims(target, file)
    return _ArrowClaims(target, file, _parquet if extension == ".parquet" else _ipc(extension))


class _CsvClaims(CsvRows, ClaimsWriter):
    """One row a claim, its codes parted by blanks."""

    def __init__(self, target: Path, file: BinaryIO, *, raw_csv: bool) -> None:
        super().__init__(target, file, CSV_COLUMNS, raw=raw_csv)

    def write(self, batch: pa.RecordBatch) -> None:
        from weakcode.scrub.columns.claims import bare

        self.lost += _says_more(batch)
        batch = bare(batch)
        columns = batch.to_pydict()
        columns["codes"] = [" ".join(codes) for codes in columns["codes"]]
        for field in FIELDS:
            if field.is_list:
                columns[field.name] = [" ".join(names or ()) for names in columns[field.name]]
        self.put(zip(*(columns[name] for name in CSV_COLUMNS), strict=True), plain=not needs_guard(batch))


class _JsonlClaims(ClaimsWriter):
    """One object a claim, with all that is known of it."""

    def __init__(self, target: Path, file: BinaryIO) -> None:
        self._target = target
        self._file = file

    def write(self, batch: pa.RecordBatch) -> None:
        with writing(self._target):
            for values in batch.to_pylist():
                known = {name: value for name, value in values.items() if value is not None}
                known["codes"] = [_diagnosis(one) for one in values["codes"]]
                if "lines" in known:
                    known["lines"] = [_line(line) for line in known["lines"]]
                line = json.dumps(known, ensure_ascii=False, default=str)
                self._file.write(line.encode("utf-8", "backslashreplace") + b"\n")


def _line(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain_value(value) for name, value in values.items() if value is not None}


def _diagnosis(one: str | Mapping[str, Any]) -> str | dict[str, Any]:
    if isinstance(one, str):
        return one
    fields = without_none(one)
    return fields["code"] if len(fields) == 1 else fields


class _ArrowClaims(ClaimsWriter):
    """Columns. The first batch decides whether there are service lines, and words and indicators beside codes."""

    def __init__(self, target: Path, file: BinaryIO, open_writer: Callable[[BinaryIO, pa.Schema], Any]) -> None:
        self._target = target
        self._file = file
        self._open_writer = open_writer
        self._writer: Any = None
        self._schema: pa.Schema = None
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        from weakcode.scrub.columns.claims import RICH, bare, enriched, with_lines, without_lines

        if self._schema is None:
            self._schema = batch.schema
        has_lines, is_rich = "lines" in self._schema.names, self._schema.field("codes").type == RICH
        self.lost += _says_more(batch, lines=not has_lines, diagnoses=not is_rich)
        batch = with_lines(batch) if has_lines else without_lines(batch)
        self._waiting.append(enriched(batch) if is_rich else bare(batch))
        if sum(one.num_rows for one in self._waiting) >= _GROUP_ROWS:
            self._put()

    def _put(self) -> None:
        import pyarrow as pa

        with writing(self._target):
            if self._writer is None:
                self._writer = self._open_writer(self._file, self._schema)
            if self._waiting:
                self._writer.write_table(pa.Table.from_batches(self._waiting, self._schema))
        self._waiting.clear()

    def finish(self, metadata: Mapping[str, str]) -> None:
        if self._schema is None:
            from weakcode.scrub.columns.claims import columns_of

            self._schema = columns_of([]).schema
        self._put()
        with writing(self._target):
            if hasattr(self._writer, "add_key_value_metadata"):
                self._writer.add_key_value_metadata(dict(metadata))
            self._writer.close()
        # Closed once more, a stream would end twice.
        self._writer = None

    def abandon(self) -> None:
        if self._writer is not None:
            with suppress(Exception):
                self._writer.close()
            self._writer.is_open = False


def _parquet(file: BinaryIO, schema: pa.Schema) -> Any:
    import pyarrow.parquet as pq

    return pq.ParquetWriter(file, schema, compression="zstd")


def _ipc(extension: str) -> Callable[[BinaryIO, pa.Schema], Any]:
    def opened(file: BinaryIO, schema: pa.Schema) -> Any:
        from pyarrow import ipc

        return ipc.new_stream(file, schema) if extension == ".arrows" else ipc.new_file(file, schema)

    return opened


def _says_more(batch: pa.RecordBatch, *, lines: bool = True, diagnoses: bool = True) -> int:
    """Return how many claims have service lines, or words or indicators beside their codes."""
    import numpy as np

    from weakcode.scrub.columns.claims import RICH

    more = np.zeros(batch.num_rows, np.bool_)
    if lines and "lines" in batch.schema.names:
        more |= np.asarray(batch.column("lines").is_valid())
    if diagnoses and batch.schema.field("codes").type == RICH:
        codes = batch.column("codes")
        each = codes.flatten()
        says = np.asarray(each.field("text").is_valid()) | np.asarray(each.field("poa").is_valid())
        more[np.asarray(codes.value_parent_indices())[says]] = True
    return int(more.sum())
