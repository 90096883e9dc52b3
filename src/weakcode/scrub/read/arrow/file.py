"""Claims in Arrow's formats: Parquet, Arrow and Feather files, IPC streams, and anything that speaks the C stream."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import ipc

from weakcode.claims import Claim
from weakcode.errors import InputError
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.layouts import seen_columns
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.values import ABOUT_THE_CLAIM, LINES, claim_from

BATCH_ROWS = 131_072
_BUFFER = 1 << 20
"""Bytes of a column read at a time. A mapped file would stay in memory as far as it has been read."""
_WIDE = re.compile(r"(?:dx|icd_dgns_cd)_?(\d+)", re.IGNORECASE)
_DAMAGED = (pa.ArrowException, OSError, ValueError, EOFError)


@attrs.frozen(eq=False)
class Rows:
    """A batch of claims with the columns of a code list. `first` is the 1-based row of its first claim."""

    first: int
    batch: pa.RecordBatch

    def claims(self, places: NDArray[np.int64]) -> list[Claim]:
        """Return the claims in these places of the batch, which are known to be claims."""
        picked = self.batch.take(pa.array(places))
        rows = (_row(values, "", number) for number, values in enumerate(picked.to_pylist()))
        return [row.claim for row in rows if isinstance(row, Record)]

    def tidied(self, good: NDArray[np.bool_] | None) -> pa.RecordBatch:
        """Return the claims of the batch, or those in these places, with their values as single claims have them."""
        from weakcode.scrub.columns.claims import tidied

        return tidied(self.batch if good is None else self.batch.filter(pa.array(good)))


@attrs.frozen
class LostRows:
    """Rows that a file says it has and that cannot be read."""

    first: int
    rows: int
    reason: str


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

    `ignored` names columns that are not known. Raises InputError when there is no column of codes.
    """

    def __init__(self, source: Any) -> None:
        self._path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        self._source = source
        self.name = type(source).__name__ if self._path is None else name_of(source)
        self.ignored: tuple[str, ...] = ()
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Rows | LostRows]:
        if self._path is None:
            yield from self._stream(as_reader(self._source))
            return
        path = Path(self._path)
        try:
            with path.open("rb") as file:
                start = file.read(8)
            if start.startswith(b"PAR1"):
                yield from self._parquet(path)
            elif start.startswith(b"ARROW1"):
                yield from self._ipc_file(path)
            else:
                with pa.memory_map(self._path) as mapped:
                    yield from self._stream(ipc.open_stream(mapped))
        except InputError:
            raise
        except _DAMAGED as error:
            raise InputError(f"{self.name} is damaged or cut short: {_first_line(error)}") from None
        self.bytes_read = path.stat().st_size

    def _parquet(self, path: Path) -> Iterator[Rows | LostRows]:
        with pq.ParquetFile(path, memory_map=True) as plain:
            # Codes repeat so much that reading them as a dictionary costs a fraction of reading them as text.
            leaves = [plain.schema.column(number).path for number in range(len(plain.schema))]
        dictionaries = [leaf for leaf in leaves if leaf.split(".")[0] == "codes"]
        with pq.ParquetFile(path, buffer_size=_BUFFER, read_dictionary=dictionaries) as file:
            wanted = self._known(file.schema_arrow)
            first, size = 1, path.stat().st_size
            for group in range(file.num_row_groups):
                rows, done = file.metadata.row_group(group).num_rows, 0
                try:
                    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=wanted):
                        yield Rows(first + done, self._shaped(batch))
                        done += batch.num_rows
                except _DAMAGED as error:
                    yield LostRows(first + done, rows - done, f"row group {group} is damaged: {_first_line(error)}")
                first += rows
                self.bytes_read = size * (group + 1) // file.num_row_groups

    def _ipc_file(self, path: Path) -> Iterator[Rows | LostRows]:
        with pa.memory_map(os.fspath(path)) as mapped:
            file = ipc.open_file(mapped)
            self._known(file.schema)
            first = 1
            for number in range(file.num_record_batches):
                batch = file.get_batch(number)
                yield from self._pieces(batch, first)
                first += batch.num_rows

    def _stream(self, reader: Any) -> Iterator[Rows | LostRows]:
        self._known(reader.schema)
        first = 1
        for batch in reader:
            yield from self._pieces(batch, first)
            first += batch.num_rows

    def _pieces(self, batch: pa.RecordBatch, first: int) -> Iterator[Rows]:
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield Rows(first + start, self._shaped(batch.slice(start, BATCH_ROWS)))

    def _known(self, schema: pa.Schema) -> list[str]:
        """Return the columns to read; raises InputError when no column holds codes."""
        names = list(schema.names)
        wide = _wide_columns(names)
        if "codes" not in names and not wide:
            seen = seen_columns(names) if names else "its columns are none"
            raise InputError(f"{self.name} has no column codes (nor dx1, dx2, …); {seen}")
        known = [name for name in names if name in ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)]
        if "codes" not in names:
            known += wide
        self.ignored = tuple(name for name in names if name not in known)
        return known

    def _shaped(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the batch with a column codes, also where each code has a column of its own."""
        known = [name for name in batch.schema.names if name in ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)]
        plain = {name: without_views(batch.column(name)) for name in known}
        if any(column.type != batch.schema.field(name).type for name, column in plain.items()):
            there = {name: batch.column(name) for name in batch.schema.names}
            batch = pa.RecordBatch.from_pydict({**there, **plain})
        if "codes" in batch.schema.names:
            return batch
        columns = [batch.column(name).cast(pa.string()) for name in _wide_columns(batch.schema.names)]
        joined = pc.binary_join_element_wise(*columns, " ", null_handling="skip")
        return batch.append_column("codes", joined)


def _wide_columns(names: list[str]) -> list[str]:
    numbered = [(int(found[1]), name) for name in names if (found := _WIDE.fullmatch(name))]
    return [name for _, name in sorted(numbered)]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


class ArrowSource:
    """The claims of a file in one of Arrow's formats, one by one; the line is the 1-based row."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._columns = ArrowColumns(path)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not known."""
        return self._columns.ignored

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, by row groups."""
        return self._columns.bytes_read

    def __iter__(self) -> Iterator[Record | Rejected]:
        name = self._columns.name
        for part in self._columns:
            if isinstance(part, LostRows):
                yield from lost(part, name)
                continue
            for number, values in enumerate(part.batch.to_pylist(), start=part.first):
                yield _row(values, name, number)


def lost(part: LostRows, name: str) -> Iterator[Rejected]:
    """Give a reject for each row that could not be read."""
    for number in range(part.first, part.first + part.rows):
        yield Rejected(name, number, None, part.reason, "row group")


def _row(values: dict[str, Any], name: str, number: int) -> Record | Rejected:
    given = values.get("claim_id")
    claim_id = None if given is None else str(given)
    codes = values.get("codes")
    try:
        if codes is not None and not isinstance(codes, str | list):
            raise BadRow("codes", f"codes is text or a list of text, found {codes!r}", claim_id)
        return Record(claim_from(values, codes or [], claim_id), name, number)
    except BadRow as bad:
        return Rejected(name, number, bad.claim_id, bad.reason, bad.part)
