"""Claims from a table as text: one row a claim, or one row a service line where the layout says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO

from weakcode.errors import InputError
from weakcode.scrub.guard import unguarded
from weakcode.scrub.read.csv.claims import claim_of_rows
from weakcode.scrub.read.layouts import Header, header_cells, read_header
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.textlines import LONGEST_LINE, Ahead, Lines, decoded, shown

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch

__all__ = ["CsvSource", "Header", "claims_of", "header_cells", "read_header"]

BATCH_BYTES = 1 << 19
"""Bytes that are judged together."""
_LONGEST_ROW = 50
"""Lines that a row with line breaks inside quotes may have: one lost quote must not swallow a file."""
_MOST_ROWS = 5_000
"""Rows of one claim. Claims have up to some hundred service lines; more is an id that is none."""

Row = tuple[int, list[str], bytes]
"""A row's 1-based line, cells, and bytes as they stand in the file."""


def claims_of(rows: Iterable[Row | Rejected], header: Header, file: str) -> Iterator[Record | Rejected]:
    """Return the claims of these rows: one each, or one for rows of service lines that follow each other."""
    group: list[Row] = []
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        if header.line is None:
            yield _outcome([row], header, file)
            continue
        if group and not _continues(group, row, header.claim_id):
            yield _outcome(group, header, file)
            group = []
        group.append(row)
    if group:
        yield _outcome(group, header, file)


def _continues(group: list[Row], row: Row, at: int) -> bool:
    same = bool(row[1][at].strip()) and row[1][at] == group[0][1][at]
    return same and len(group) < _MOST_ROWS


def _outcome(group: list[Row], header: Header, file: str) -> Record | Rejected:
    number, _, first = group[0]
    raw = shown(first if len(group) == 1 else b"\n".join(raw for _, _, raw in group))
    try:
        claim, apart = claim_of_rows(header, [cells for _, cells, _ in group])
    except BadRow as error:
        return Rejected(file, number, error.claim_id, error.reason, error.part, raw)
    return Record(claim, file, number, raw, apart=apart)


class CsvSource:
    """The rows of one CSV file. `ignored` are the columns that are not known.

    With `header` the file has only rows, the first in line `first_line`.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        mapping: Mapping[str, str] | None = None,
        *,
        header: Header | None = None,
        first_line: int = 1,
    ) -> None:
        self._ahead = Ahead(file)
        self._lines = Lines(self._ahead, first_line)
        self._name = name
        self._mapping = mapping
        self.header = header or self._read_header()
        self.ignored: tuple[str, ...] = self.header.ignored

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._lines.bytes_read

    def _read_header(self) -> Header:
        for number, line in self._lines:
            try:
                text = decoded(line).removeprefix("\ufeff")
            except BadRow as error:
                raise InputError(f"{self._name}, line {number}: {error.reason}; the header must be UTF-8") from None
            if not text.strip():
                continue
            if "\r" in text:
                raise InputError(f"{self._name}: the lines end with a bare carriage return; save it with \\n line ends")
            try:
                return read_header(text, self._name, self._mapping)
            except csv.Error as error:
                raise InputError(f"{self._name}, line {number}: the header cannot be read: {error}") from None
        raise InputError(f"{self._name} holds nothing but empty lines; expected a header with claim_id and codes")

    def __iter__(self) -> Iterator[Record | Rejected]:
        return claims_of(self._rows(), self.header, self._name)

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows of the file in batches: stretches that Arrow reads, and what only the row reader can."""
        from weakcode.scrub.read.batch import RowBatch, batches_of
        from weakcode.scrub.read.csv.batch import CsvBatch, is_plain, is_well_formed

        if not is_plain(self.header):
            yield from batches_of(self)
            return
        while block := self._ahead.block(BATCH_BYTES):
            # No line of a block that is shorter than the longest line is too long.
            guarded = self.header.guarded and b"'" in block
            if not guarded and is_well_formed(block) and len(block) < LONGEST_LINE:
                first = self._lines.next_line
                self._ahead.skip(len(block))
                self._lines.skip(block.count(b"\n") + (not block.endswith(b"\n")), len(block))
                yield CsvBatch(block, first, self.header, self._name, self._again)
            else:
                rows = tuple(self._until(self._lines.bytes_read + len(block)))
                if rows:
                    yield RowBatch(rows)

    def _until(self, end: int) -> Iterator[Record | Rejected]:
        """Give the rows up to the first that ends there or behind."""
        for row in claims_of(self._rows(), self.header, self._name):
            yield row
            if self._lines.bytes_read >= end and not self._lines.waiting:
                return

    def _again(self, content: bytes, first: int) -> list[Record | Rejected]:
        """Read lines without quotes row by row."""
        return list(CsvSource(io.BytesIO(content), self._name, header=self.header, first_line=first))

    def _rows(self) -> Iterator[Row | Rejected]:
        for number, line in self._lines:
            if line is not None and not line.strip():
                continue
            try:
                cells, raw = self._cells(number, line)
                if self.header.guarded:
                    cells = [unguarded(cell) for cell in cells]
                if len(cells) != self.header.width:
                    at = self.header.claim_id
                    raise BadRow(
                        "number of fields",
                        f"the row has {len(cells)} fields, the header has {self.header.width}",
                        (cells[at] or None) if len(cells) > at else None,
                    )
            except BadRow as error:
                yield Rejected(self._name, number, error.claim_id, error.reason, error.part, shown(line))
            else:
                yield number, cells, raw

    def _cells(self, number: int, line: bytes | None) -> tuple[list[str], bytes]:
        """Return the row's cells and bytes; a quoted cell may run over several lines."""
        text = decoded(line)
        assert line is not None
        if '"' not in text:
            return text.split(self.header.delimiter), line
        taken: list[tuple[int, bytes | None]] = []
        while True:
            whole = "\n".join([text, *(decoded(more) for _, more in taken)])
            try:
                cells = next(csv.reader([whole], delimiter=self.header.delimiter, strict=True))
            except csv.Error as error:
                problem = str(error)
                if "unexpected end of data" not in problem or len(taken) >= _LONGEST_ROW:
                    break
                try:
                    following = next(self._lines)
                    taken.append(following)
                    decoded(following[1])
                except (StopIteration, BadRow):
                    break
                continue
            if taken and self._swallowed(cells):
                break
            return cells, b"\n".join([line, *(more for _, more in taken if more is not None)])
        self._lines.push_back(taken)
        claim_id = text.split(self.header.delimiter)[self.header.claim_id : self.header.claim_id + 1]
        usable = claim_id[0] if claim_id and '"' not in claim_id[0] else None
        raise BadRow(
            "quotes",
            "a quote is not closed, or stands inside a field; write a quote in a field twice",
            usable,
        )

    def _swallowed(self, cells: list[str]) -> bool:
        """Tell whether a lost quote made several rows look like one."""
        if len(cells) != self.header.width:
            return True
        return any("\n" in cells[at] and self.header.delimiter in cells[at] for at in self.header.known)
