"""Claims in Arrow's formats: Parquet, Arrow and Feather files, IPC streams, and anything that speaks the C stream."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import ipc

from weakcode.errors import InputError, first_line
from weakcode.fields import BY_NAME
from weakcode.scrub.columns.arrow import numbers
from weakcode.scrub.columns.invalid import unreadable_in
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.read.arrow.batch import ArrowBatch, LostRows
from weakcode.scrub.read.arrow.cells import rows_of, sampled
from weakcode.scrub.read.arrow.check import DAMAGED, check_arrays, check_rows
from weakcode.scrub.read.arrow.types import refuse_cells, refuse_types, text_of
from weakcode.scrub.read.batch import ClaimBatch, RowBatch, batches_of
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.columns import claim_columns
from weakcode.scrub.read.tables.forms import Forms
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.long import LongClaims
from weakcode.scrub.read.tables.resolve import resolve
from weakcode.scrub.read.tables.rows import Row, claims_of
from weakcode.scrub.read.tables.tidy import Tidy

BATCH_ROWS = 131_072
_BUFFER = 1 << 20
"""Bytes of a column read at a time. Files are read, not mapped: a mapped file that is cut short ends the process."""
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""The mark that ends an IPC stream. A stream may end without."""


def speaks_arrow(source: object) -> bool:
    """Tell whether an object gives its rows through Arrow: a table, batch, reader, data frame or relation."""
    known = isinstance(source, pa.RecordBatch | pa.Table | pa.RecordBatchReader) or hasattr(
        source, "__arrow_c_stream__"
    )
    return known or _is_lazy(source) or _is_dataset(source)


def _is_lazy(source: object) -> bool:
    """Tell whether an object is a LazyFrame of polars."""
    return type(source).__name__ == "LazyFrame" and hasattr(source, "collect")


def _is_dataset(source: object) -> bool:
    """Tell whether an object is a pyarrow Dataset or Scanner."""
    return type(source).__module__ == "pyarrow._dataset" and hasattr(source, "to_table")


def as_reader(source: Any) -> pa.RecordBatchReader:
    """Return a reader over an object that speaks Arrow. Raises InputError for one that does not."""
    if isinstance(source, pa.RecordBatchReader):
        return source
    if _is_dataset(source):
        scanner = source.scanner(batch_size=BATCH_ROWS) if hasattr(source, "scanner") else source
        return scanner.to_reader()
    if _is_lazy(source):
        return _streamed(source)
    if isinstance(source, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(source.schema, [source])
    if isinstance(source, pa.Table):
        return source.to_reader(max_chunksize=BATCH_ROWS)
    try:
        return pa.RecordBatchReader.from_stream(source)
    except (TypeError, pa.ArrowException) as error:
        raise InputError(f"{type(source).__name__} does not give its rows through Arrow: {error}") from None


def _streamed(lazy: Any) -> pa.RecordBatchReader:
    """Return a reader over the rows of a polars LazyFrame, of which memory holds some at a time."""
    if not hasattr(lazy, "collect_batches"):
        # Older releases give all rows at once.
        return as_reader(lazy.collect(engine="streaming"))
    schema = as_reader(lazy.collect_schema().to_frame()).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for frame in lazy.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
            yield from as_reader(frame)

    return pa.RecordBatchReader.from_batches(schema, batches())


class ArrowColumns:
    """The rows of a file or object as batches with the columns of a code list, or of claims that are not one row each.

    `ignored` names columns that are not known, `notes` says what is odd about the file, `log` how it was read, `header`
    which column holds what. Columns named in `kept` stay in the batches although no claim has them.
    Raises InputError when there is no column of codes.
    """

    def __init__(self, source: Any, *, kept: Iterable[str] = (), options: ReadOptions = PLAIN) -> None:
        self._kept = frozenset(kept)
        self._options = options
        self._path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        self._source = source
        self.name = type(source).__name__ if self._path is None else name_of(source)
        self.ignored: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        self.log = ReadLog()
        self.bytes_read = 0
        self.header: Header
        self._tidy: Tidy | None = None

    def __iter__(self) -> Iterator[ClaimBatch]:
        raw = self._raw()
        first = next(raw, None)
        if first is None:
            return
        parts = chain([first], raw)
        if self.header.is_plain:
            for part in parts:
                yield from [part] if isinstance(part, LostRows) else self._pieces(part)
        elif self.header.code is not None:
            yield from self._grouped(parts)
        else:
            yield from batches_of(self._claims(self._tidied(first), parts))

    def _grouped(self, parts: Iterable[_Raw | LostRows]) -> Iterator[ClaimBatch]:
        """Give the claims of a table of which each row is one diagnosis; rows that cannot be read come before them."""
        tidy: Tidy | None = None
        with ExitStack() as opened:
            claims: LongClaims | None = None
            for part in parts:
                if isinstance(part, LostRows):
                    yield part
                    continue
                if tidy is None or claims is None:
                    tidy = self._tidied(part)
                    claims = opened.enter_context(LongClaims(tidy, self.name))
                yield from self._add(claims, part)
            if claims is not None:
                yield from claims.batches()

    def _add(self, claims: LongClaims, part: _Raw) -> Iterator[ClaimBatch]:
        decoded = self._decoded(part)
        if isinstance(decoded, LostRows):
            yield decoded
            return
        plain, wrong, kept = self._readable(part.batch, decoded)
        rejected = [Rejected(self.name, part.first + row, None, reason, what) for row, (what, reason) in wrong.items()]
        if rejected:
            yield RowBatch(rejected)
        rows = np.arange(part.batch.num_rows) if kept is None else kept
        claims.add({at: plain[self._names[at]] for at in self.header.known}, rows.astype(np.int64) + part.first)

    def _claims(self, tidy: Tidy, parts: Iterable[_Raw | LostRows]) -> Iterator[Record | Rejected]:
        """Give the claims of tables whose rows are no claims each, or say more than columns hold."""

        def rows() -> Iterator[Row | Rejected]:
            for part in parts:
                if isinstance(part, LostRows):
                    yield from part.rows()
                else:
                    yield from rows_of(part.batch, self._names, part.first, self.name, part.what)

        return claims_of(rows(), tidy, self.name)

    def _tidied(self, part: _Raw | LostRows) -> Tidy:
        """Return what reads the cells, which the first rows decide the form of the dates of."""
        if self._tidy is None:
            header = self.header
            fields = {at: name for name, at in header.about if BY_NAME[name].arrow == "date32"}
            fields |= dict.fromkeys(header.days, "service_date")
            batch = None if isinstance(part, LostRows) else part.batch
            forms = Forms.of(self._options, {name: sampled(batch, self._names[at]) for at, name in fields.items()})
            self._tidy = Tidy(header, forms, self.log)
        return self._tidy

    def _raw(self) -> Iterator[_Raw | LostRows]:
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

    def _file(self, path: Path) -> Iterator[_Raw | LostRows]:
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

    def _parquet(self, opened: pa.NativeFile) -> Iterator[_Raw | LostRows]:
        plain = pq.ParquetFile(opened)
        wanted = self._known(plain.schema_arrow)
        # Codes repeat so much that reading them as a dictionary costs a fraction of reading them as text.
        leaves = [plain.schema.column(number).path for number in range(len(plain.schema))]
        repeated = {self._names[at] for at in (self.header.codes, *self.header.wide) if at is not None}
        dictionaries = [leaf for leaf in leaves if leaf.split(".")[0] in repeated]
        file = pq.ParquetFile(opened, metadata=plain.metadata, buffer_size=_BUFFER, read_dictionary=dictionaries)
        first, size = 1, opened.size()
        chosen = self._options.row_groups.get(self._path or "", range(file.num_row_groups))
        if chosen.start and file.num_row_groups:
            self._look_at_first(file, wanted)
        for group in range(file.num_row_groups):
            what = f"row group {group}"
            rows, rows_read = file.metadata.row_group(group).num_rows, 0
            if group not in chosen:
                first += rows
                continue
            try:
                for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
                    yield _Raw(batch, first + rows_read, what, "row group")
                    rows_read += batch.num_rows
                reason = f"{what} is damaged: it says it has {rows:,} rows and has {rows_read:,}"
            except InputError:
                raise
            except DAMAGED as error:
                reason = f"{what} is damaged: {first_line(error)}"
            if rows_read < rows:
                check_rows(rows - rows_read, size, f"{self.name}: {what}")
                yield LostRows(self.name, first + rows_read, rows - rows_read, reason, "row group")
            first += max(rows, rows_read)
            self.bytes_read = size * (group + 1) // file.num_row_groups

    def _look_at_first(self, file: pq.ParquetFile, wanted: list[str]) -> None:
        """Decide the form of dates by the first rows of a file of which a later part is read."""
        with suppress(*DAMAGED):
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[0], columns=wanted):
                part = _Raw(batch, 1, "row group 0", "row group")
                if not isinstance(self._decoded(part), LostRows):
                    self._tidied(part)
                return

    def _ipc_file(self, opened: pa.NativeFile) -> Iterator[_Raw | LostRows]:
        file = ipc.open_file(opened, options=self._only_known(ipc.open_file(opened).schema))
        yield from self._batches(map(file.get_batch, range(file.num_record_batches)))

    def _ipc_stream(self, opened: pa.NativeFile) -> Iterator[_Raw | LostRows]:
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

    def _stream(self, reader: pa.RecordBatchReader) -> Iterator[_Raw]:
        known = self._known(reader.schema)
        yield from self._batches(batch.select(known) for batch in reader)

    def _batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[_Raw]:
        first = 1
        for number, batch in enumerate(batches):
            yield _Raw(batch, first, f"record batch {number}", "record batch")
            first += batch.num_rows

    def _pieces(self, part: _Raw) -> Iterator[ArrowBatch | LostRows]:
        """Give a batch in pieces of bounded size, or its rows as lost where it is damaged."""
        decoded = self._decoded(part)
        if isinstance(decoded, LostRows):
            yield decoded
            return
        for start in range(0, part.batch.num_rows, BATCH_ROWS):
            yield self._piece(part.batch.slice(start, BATCH_ROWS), part, part.first + start, decoded)

    def _decoded(self, part: _Raw) -> bool | LostRows:
        """Check a batch; tell whether all its text is UTF-8, or return its rows as lost."""
        batch = part.batch
        check_rows(batch.num_rows, batch.get_total_buffer_size(), f"{self.name}: {part.what}")
        try:
            return check_arrays(batch.columns)
        except pa.ArrowException as error:
            reason = f"{part.what} is damaged: {first_line(error)}"
            return LostRows(self.name, part.first, batch.num_rows, reason, part.kind)

    def _piece(self, batch: pa.RecordBatch, part: _Raw, first: int, decoded: bool) -> ArrowBatch:
        plain, wrong, kept = self._readable(batch, decoded)
        tidy = self._tidied(part)
        claims = claim_columns(tidy, {at: plain[self._names[at]] for at in self.header.known})
        for name in batch.schema.names:
            if name in self._kept and name not in claims.schema.names:
                claims = claims.append_column(name, plain[name])
        return ArrowBatch(self.name, first, claims, decoded or bool(wrong), kept, wrong)

    def _readable(
        self, batch: pa.RecordBatch, decoded: bool
    ) -> tuple[dict[str, pa.Array], dict[int, tuple[str, str]], NDArray[np.int64] | None]:
        """Return the columns without the rows that cannot be read, those rows, and the others where there are some."""
        plain = dict(zip(batch.schema.names, map(without_views, batch.columns), strict=True))
        known = [self._names[at] for at in self.header.known]
        wrong = {} if decoded else unreadable_in(known, [plain[name] for name in known])
        if not wrong:
            return plain, wrong, None
        kept = np.setdiff1d(np.arange(batch.num_rows), np.fromiter(wrong, np.int64, len(wrong)))
        return {name: column.take(numbers(kept)) for name, column in plain.items()}, wrong, kept

    def _only_known(self, schema: pa.Schema) -> ipc.IpcReadOptions:
        known = frozenset(self._known(schema))
        return ipc.IpcReadOptions(
            ensure_alignment=ipc.Alignment.DataTypeSpecific,
            included_fields=[number for number, name in enumerate(schema.names) if name in known],
        )

    def _known(self, schema: pa.Schema) -> list[str]:
        """Return the columns to read; raises InputError when no column holds codes."""
        names = self._names = list(schema.names)
        header = self.header = resolve(names, ",", self.name, self._options.mapping, needs_id=False, lists=True)
        known = [names[at] for at in header.known]
        if header.is_plain:
            refuse_types(schema, header, self.name)
        else:
            refuse_cells(schema, header, self.name)
        self.ignored = header.ignored
        self.log.columns.update(header.matched)
        self.log.said.update({key: text for key, text in (("layout", header.layout), ("note", header.note)) if text})
        return list(dict.fromkeys(known + [name for name in names if name in self._kept]))


@attrs.frozen
class _Raw:
    """Rows as they come, the first the 1-based `first`; `what` names them, `kind` says what they are a part of."""

    batch: pa.RecordBatch = attrs.field(converter=text_of)
    first: int
    what: str
    kind: str


class ArrowSource:
    """The claims of a file in one of Arrow's formats, one by one; the line is the 1-based row."""

    def __init__(self, path: str | os.PathLike[str], options: ReadOptions = PLAIN) -> None:
        self._columns = ArrowColumns(path, options=options)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not known."""
        return self._columns.ignored

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file although every claim was read."""
        return self._columns.notes

    @property
    def log(self) -> ReadLog:
        """How the file was read."""
        return self._columns.log

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, by row groups."""
        return self._columns.bytes_read

    def __iter__(self) -> Iterator[Record | Rejected]:
        for part in self._columns:
            yield from part.rows()

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the claims of the file in batches, to be judged together."""
        return iter(self._columns)
