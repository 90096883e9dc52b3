"""Claims in Arrow's formats: Parquet, Arrow and Feather files, IPC streams, and anything that speaks the C stream."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import ipc

from weakcode.errors import InputError
from weakcode.fields import ABOUT_THE_CLAIM, LINES
from weakcode.scrub.columns.arrow import numbers
from weakcode.scrub.columns.invalid import unreadable
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.read.arrow.check import DAMAGED, check_arrays, check_rows, first_line, known_once
from weakcode.scrub.read.arrow.types import refuse_types
from weakcode.scrub.read.batch import ClaimBatch, Located, RefusedRow, row_of
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.layouts import seen_columns
from weakcode.scrub.read.rows import Record, Rejected

BATCH_ROWS = 131_072
_BUFFER = 1 << 20
"""Bytes of a column read at a time. Files are read, not mapped: a mapped file that is cut short ends the process."""
_WIDE = re.compile(r"(?:dx|icd_dgns_cd)_?(\d+)", re.IGNORECASE)
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""The mark that ends an IPC stream. A stream may end without."""
_KNOWN = ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)


@attrs.frozen(eq=False)
class ArrowBatch(ClaimBatch):
    """A batch of claims. `first` is the 1-based row of its first claim; all its text is UTF-8 where it is `decoded`."""

    name: str
    first: int
    batch: pa.RecordBatch
    decoded: bool = False

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """Nothing: what is wrong with a row shows where its columns are looked at."""
        return ()

    def rows(self) -> Iterator[Record | Rejected]:
        """Give the rows one by one, those that hold what no claim can say first."""
        wrong = unreadable({name: self.batch.column(name) for name in self.batch.schema.names}, decoded=self.decoded)
        for row, (what, reason) in wrong.items():
            yield Rejected(self.name, self.first + row, None, reason, what)
        places = np.setdiff1d(np.arange(self.batch.num_rows), np.fromiter(wrong, np.int64, len(wrong)))
        read = self.batch.take(numbers(places)) if wrong else self.batch
        for place, values in zip(places.tolist(), read.to_pylist(), strict=True):
            yield row_of(values, self.name, self.first + place)

    def reread(self, refused: RefusedRow) -> Sequence[Rejected]:
        """Return the row with what its columns were refused for."""
        return [Rejected(self.name, self.first + refused.row, refused.claim_id, refused.reason, refused.part)]

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return the 1-based rows."""
        return rows.astype(np.int64) + self.first, None


@attrs.frozen
class LostRows(ClaimBatch):
    """Rows that a file says it has and that cannot be read. `part` is what holds them: a row group, a record batch."""

    name: str
    first: int
    count: int
    reason: str
    part: str

    @property
    def batch(self) -> pa.RecordBatch:
        """No claim."""
        return pa.RecordBatch.from_pydict({})

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """A reject for each row."""
        return [(0, row) for row in self.rows()]

    def rows(self) -> Iterator[Rejected]:
        """Give a reject for each row."""
        for number in range(self.first, self.first + self.count):
            yield Rejected(self.name, number, None, self.reason, self.part)

    def reread(self, refused: RefusedRow) -> Sequence[Rejected]:
        """No row of these is ever refused: none is there."""
        return ()

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """No row of these has a finding."""
        return rows.astype(np.int64), None


def speaks_arrow(source: object) -> bool:
    """Tell whether an object gives its rows through Arrow: a table, batch, reader, data frame or relation."""
    return isinstance(source, pa.RecordBatch | pa.Table | pa.RecordBatchReader) or hasattr(source, "__arrow_c_stream__")


def as_reader(source: Any) -> pa.RecordBatchReader:
    """Return a reader over an object that speaks Arrow. Raises InputError for one that does not."""
    if isinstance(source, pa.RecordBatchReader):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(source.schema, [source])
    if isinstance(source, pa.Table):
        return source.to_reader(max_chunksize=BATCH_ROWS)
    try:
        return pa.RecordBatchReader.from_stream(source)
    except (TypeError, pa.ArrowException) as error:
        raise InputError(f"{type(source).__name__} does not give its rows through Arrow: {error}") from None


class ArrowColumns:
    """The rows of a file or object as batches with the columns of a code list.

    `ignored` names columns that are not known, `notes` says what is odd about the file. Columns named in `kept` stay in
    the batches although no claim has them. Raises InputError when there is no column of codes.
    """

    def __init__(self, source: Any, *, kept: Iterable[str] = ()) -> None:
        self._kept = frozenset(kept)
        self._path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        self._source = source
        self.name = type(source).__name__ if self._path is None else name_of(source)
        self.ignored: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.bytes_read = 0

    def __iter__(self) -> Iterator[ArrowBatch | LostRows]:
        try:
            if self._path is None:
                yield from self._stream(as_reader(self._source))
            else:
                yield from self._file(Path(self._path))
        except InputError:
            raise
        except pa.ArrowException as error:
            what = "is damaged or cut short" if self._path else "gives rows that cannot be read"
            raise InputError(f"{self.name} {what}: {first_line(error)}") from None

    def _file(self, path: Path) -> Iterator[ArrowBatch | LostRows]:
        try:
            with pa.OSFile(os.fspath(path)) as file:
                start = file.read(8)
                file.seek(0)
                if start.startswith(b"PAR1"):
                    yield from self._parquet(file)
                elif start.startswith(b"ARROW1"):
                    yield from self._ipc_file(file)
                else:
                    yield from self._ipc_stream(file)
                self.bytes_read = file.size()
        except InputError:
            raise
        except DAMAGED as error:
            raise InputError(f"{self.name} is damaged or cut short: {first_line(error)}") from None

    def _parquet(self, opened: pa.NativeFile) -> Iterator[ArrowBatch | LostRows]:
        plain = pq.ParquetFile(opened)
        # Codes repeat so much that reading them as a dictionary costs a fraction of reading them as text.
        leaves = [plain.schema.column(number).path for number in range(len(plain.schema))]
        dictionaries = [leaf for leaf in leaves if leaf.split(".")[0] == "codes"]
        file = pq.ParquetFile(opened, metadata=plain.metadata, buffer_size=_BUFFER, read_dictionary=dictionaries)
        wanted = self._known(file.schema_arrow)
        first, size = 1, opened.size()
        for group in range(file.num_row_groups):
            what = f"row group {group}"
            rows, done = file.metadata.row_group(group).num_rows, 0
            try:
                for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
                    yield from self._pieces(batch, first + done, what, "row group")
                    done += batch.num_rows
                reason = f"{what} is damaged: it says it has {rows:,} rows and has {done:,}"
            except InputError:
                raise
            except DAMAGED as error:
                reason = f"{what} is damaged: {first_line(error)}"
            if done < rows:
                check_rows(rows - done, size, f"{self.name}: {what}")
                yield LostRows(self.name, first + done, rows - done, reason, "row group")
            first += max(rows, done)
            self.bytes_read = size * (group + 1) // file.num_row_groups

    def _ipc_file(self, opened: pa.NativeFile) -> Iterator[ArrowBatch | LostRows]:
        file = ipc.open_file(opened, options=self._only_known(ipc.open_file(opened).schema))
        yield from self._batches(map(file.get_batch, range(file.num_record_batches)))

    def _ipc_stream(self, opened: pa.NativeFile) -> Iterator[ArrowBatch | LostRows]:
        size = opened.size()
        options = self._only_known(ipc.open_stream(opened).schema)
        opened.seek(0)
        yield from self._batches(ipc.open_stream(opened, options=options))
        if (at := opened.tell()) != size:
            raise InputError(
                f"{self.name} is cut short, or several streams in one: {at:,} of its {size:,} bytes are the stream; "
                "give each stream as a file of its own"
            )
        opened.seek(max(0, size - len(_END)))
        if opened.read(len(_END)) != _END:
            self.notes = ("it ends without the mark that ends a stream; where it was cut short, claims are missing",)

    def _stream(self, reader: pa.RecordBatchReader) -> Iterator[ArrowBatch | LostRows]:
        self._known(reader.schema)
        yield from self._batches(reader)

    def _batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[ArrowBatch | LostRows]:
        first = 1
        for number, batch in enumerate(batches):
            yield from self._pieces(batch, first, f"record batch {number}", "record batch")
            first += batch.num_rows

    def _pieces(self, batch: pa.RecordBatch, first: int, what: str, part: str) -> Iterator[ArrowBatch | LostRows]:
        """Give a batch in pieces of bounded size, or its rows as lost where it is damaged."""
        names = batch.schema.names
        batch = batch.select(
            [
                name
                for name in names
                if name in _KNOWN or name in self._kept or ("codes" not in names and _WIDE.fullmatch(name))
            ]
        )
        check_rows(batch.num_rows, batch.get_total_buffer_size(), f"{self.name}: {what}")
        try:
            decoded = check_arrays(batch.columns)
        except pa.ArrowException as error:
            yield LostRows(self.name, first, batch.num_rows, f"{what} is damaged: {first_line(error)}", part)
            return
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield ArrowBatch(self.name, first + start, self._shaped(batch.slice(start, BATCH_ROWS)), decoded)

    def _only_known(self, schema: pa.Schema) -> ipc.IpcReadOptions:
        known = frozenset(self._known(schema))
        return ipc.IpcReadOptions(
            ensure_alignment=ipc.Alignment.DataTypeSpecific,
            included_fields=[number for number, name in enumerate(schema.names) if name in known],
        )

    def _known(self, schema: pa.Schema) -> list[str]:
        """Return the columns to read; raises InputError when no column holds codes."""
        names = list(schema.names)
        wide = _wide_columns(names)
        if "codes" not in names and not wide:
            seen = seen_columns(names) if names else "its columns are none"
            raise InputError(f"{self.name} has no column codes (nor dx1, dx2, …); {seen}")
        known = [name for name in names if name in _KNOWN]
        if "codes" not in names:
            known += wide
        known_once(names, known, self.name)
        refuse_types(schema, known, self.name)
        self.ignored = tuple(name for name in names if name not in known)
        return known + [name for name in names if name in self._kept]

    def _shaped(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with a column codes, also where each code has a column of its own."""
        plain = list(map(without_views, batch.columns))
        if any(column.type != field.type for column, field in zip(plain, batch.schema, strict=True)):
            batch = pa.RecordBatch.from_arrays(plain, names=batch.schema.names)
        if "codes" in batch.schema.names:
            return batch
        columns = [batch.column(name).cast(pa.string()) for name in _wide_columns(batch.schema.names)]
        joined = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
        return batch.append_column("codes", joined)


def _wide_columns(names: list[str]) -> list[str]:
    numbered = [(int(found[1]), name) for name in names if (found := _WIDE.fullmatch(name))]
    return [name for _, name in sorted(numbered)]


class ArrowSource:
    """The claims of a file in one of Arrow's formats, one by one; the line is the 1-based row."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._columns = ArrowColumns(path)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not known."""
        return self._columns.ignored

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file although every claim was read."""
        return self._columns.notes

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, by row groups."""
        return self._columns.bytes_read

    def __iter__(self) -> Iterator[Record | Rejected]:
        for part in self._columns:
            yield from part.rows()

    def batches(self) -> Iterator[ArrowBatch | LostRows]:
        """Give the claims of the file in batches, to be judged together."""
        return iter(self._columns)
