"""Findings as files: Parquet, Arrow, an IPC stream, CSV or JSON Lines by extension."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from weakcode.scrub.schema import NAMES, Encoding, conformed, findings_schema, parquet_leaves, separator
from weakcode.scrub.write.csvout.rows import CsvRows
from weakcode.scrub.write.files import BatchWriter, writing

if TYPE_CHECKING:
    import pyarrow as pa

FINDINGS_EXTENSIONS = (".parquet", ".csv", ".jsonl", ".ndjson", ".arrow", ".feather", ".arrows")


def _cast(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns = [batch.column(field.name).cast(field.type) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def findings_writer(
    target: Path,
    file: BinaryIO,
    judged_by: Mapping[str, str | list[str]] | None = None,
    *,
    raw_csv: bool = False,
) -> BatchWriter:
    """Return the writer for the target's extension, one of `FINDINGS_EXTENSIONS`.

    CSV and JSON Lines, which have no place for metadata, say `judged_by` with each finding, in columns of these names.
    `raw_csv` leaves cells as they are that a spreadsheet takes for formulas.
    """
    extension = target.suffix.lower()
    if extension == ".parquet":
        return _ParquetFindings(target, file)
    if extension in (".arrow", ".feather", ".arrows"):
        return _IpcFindings(target, file)
    if extension == ".csv":
        return _CsvFindings(target, file, judged_by or {}, raw_csv=raw_csv)
    return _JsonlFindings(target, file, judged_by or {})


class _ParquetFindings(BatchWriter):
    def __init__(self, target: Path, file: BinaryIO) -> None:
        self._target = target
        self._file = file
        self._writer: Any = None

    def _open(self, schema: pa.Schema) -> Any:
        import pyarrow.parquet as pq

        if self._writer is None:
            # A dictionary for columns that hardly repeat, and statistics that nobody filters by, only cost time.
            self._writer = pq.ParquetWriter(
                self._file,
                schema,
                compression="zstd",
                use_dictionary=parquet_leaves(Encoding.REPEATS),
                column_encoding={
                    **dict.fromkeys(parquet_leaves(Encoding.RISES), "DELTA_BINARY_PACKED"),
                    **dict.fromkeys(parquet_leaves(Encoding.HASHES), "DELTA_LENGTH_BYTE_ARRAY"),
                },
                write_statistics=False,
                # Readers get plain text. With Arrow's schema kept they would get lists of dictionaries, which pyarrow
                # itself cannot read in batches from a large file.
                store_schema=False,
            )
        return self._writer

    def write(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        from weakcode.scrub.columns.arrow import distinct

        columns = list(map(distinct, (whole := conformed(batch)).columns))
        batch = pa.RecordBatch.from_arrays(columns, schema=whole.schema)
        with writing(self._target):
            # The first batch decides which columns are dictionaries; what readers see is the same either way.
            writer = self._open(batch.schema)
            writer.write_batch(batch if batch.schema == writer.schema else _cast(batch, writer.schema))

    def finish(self, metadata: Mapping[str, str]) -> None:
        with writing(self._target):
            writer = self._open(findings_schema())
            writer.add_key_value_metadata(dict(metadata))
            writer.close()

    def abandon(self) -> None:
        if self._writer is None:
            return
        # Else it tries to close itself at a time of its own, when the file has gone, and complains on stderr.
        with suppress(Exception):
            self._writer.close()
        self._writer.is_open = False


class _IpcFindings(BatchWriter):
    """An Arrow (Feather) file, or a stream for `.arrows`.

    The metadata stands before the findings and is known only after them, so the findings wait in a file without a
    name beside the target, which is gone whatever happens.
    """

    def __init__(self, target: Path, file: BinaryIO) -> None:
        from pyarrow import ipc

        self._target = target
        self._file = file
        self._options = ipc.IpcWriteOptions(compression="zstd")
        with writing(target):
            self._waiting = tempfile.TemporaryFile(dir=target.parent)  # noqa: SIM115 - closed by finish or abandon
            self._spool = ipc.new_stream(self._waiting, findings_schema(), options=self._options)

    def write(self, batch: pa.RecordBatch) -> None:
        with writing(self._target):
            self._spool.write_batch(_cast(conformed(batch), findings_schema()))

    def finish(self, metadata: Mapping[str, str]) -> None:
        from pyarrow import ipc

        schema = findings_schema().with_metadata(dict(metadata))
        is_stream = self._target.suffix.lower() == ".arrows"
        with writing(self._target):
            self._spool.close()
            self._waiting.seek(0)
            opened = ipc.new_stream if is_stream else ipc.new_file
            with ipc.open_stream(self._waiting) as batches, opened(self._file, schema, options=self._options) as out:
                for batch in batches:
                    out.write_batch(batch.replace_schema_metadata(dict(metadata)))
            self._waiting.close()

    def abandon(self) -> None:
        with suppress(Exception):
            self._spool.close()
        with suppress(Exception):
            self._waiting.close()


class _CsvFindings(CsvRows, BatchWriter):
    def __init__(
        self, target: Path, file: BinaryIO, judged_by: Mapping[str, str | list[str]], *, raw_csv: bool
    ) -> None:
        super().__init__(target, file, [*NAMES, *judged_by], raw=raw_csv)
        self._judged_by = [str(cell_text(name, value)) for name, value in judged_by.items()]

    def write(self, batch: pa.RecordBatch) -> None:
        from weakcode.scrub.write.csvout.cells import csv_lines

        for lines in csv_lines(conformed(batch), self._judged_by, raw=self._raw):
            self.put_lines(lines)


class _JsonlFindings(BatchWriter):
    def __init__(self, target: Path, file: BinaryIO, judged_by: Mapping[str, str | list[str]]) -> None:
        self._target = target
        self._file = file
        self._judged_by = judged_by

    def write(self, batch: pa.RecordBatch) -> None:
        with writing(self._target):
            self._file.writelines(json_line({**row, **self._judged_by}) for row in conformed(batch).to_pylist())


def cell_text(name: str, value: Any) -> Any:
    """Return a value of a finding as a cell of CSV: what a list holds, separated as its column separates."""
    return separator(name).join(map(str, value)) if isinstance(value, list) else value


def json_line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace") + b"\n"
