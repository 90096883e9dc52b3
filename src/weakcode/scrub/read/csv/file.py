"""Claims from a table as text: one row a claim, or one row a service line where the layout says so."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, cast

from weakcode.errors import InputError
from weakcode.fields import BY_NAME
from weakcode.scrub.guard import unguarded
from weakcode.scrub.read.encoding import WindowsLines
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.tables.around import (
    MOST_TITLES,
    PASSED_OVER,
    TRAILING,
    is_rule,
    is_trailer,
    may_have,
    separator,
)
from weakcode.scrub.read.tables.forms import Forms, unprotected
from weakcode.scrub.read.tables.header import Header, header_cells
from weakcode.scrub.read.tables.resolve import read_header
from weakcode.scrub.read.tables.rows import Row, claims_of
from weakcode.scrub.read.tables.tidy import Tidy
from weakcode.scrub.read.textlines import LONGEST_LINE, Ahead, Lines, decoded, shown

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch
    from weakcode.scrub.read.csv.quotes import UnquotedLines
    from weakcode.scrub.read.tables.long import LongClaims

BATCH_BYTES = 1 << 19
"""Bytes that are judged together."""
_SAMPLE = 1 << 17
"""Bytes that show in which form dates are written."""
_LONGEST_ROW = 50
"""Lines that a row with line breaks inside quotes may have: one lost quote must not swallow a file."""


def pa_error() -> type[Exception]:
    """Return what Arrow raises; it is imported where it is needed."""
    import pyarrow as pa

    error: type[Exception] = pa.ArrowException
    return error


class CsvSource:
    """The rows of one CSV file. `ignored` are the columns that are not known, `log` says how it was read.

    With `tidy` the file has only rows, the first in line `first_line`, which are read as it says.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        options: ReadOptions = PLAIN,
        *,
        tidy: Tidy | None = None,
        first_line: int = 1,
    ) -> None:
        self.log = ReadLog()
        if options.encoding is None and tidy is None:
            file = cast(BinaryIO, WindowsLines(file, lambda lines: self.log.count("Windows-1252 rows", lines)))
        self._ahead = Ahead(file)
        self._lines = Lines(self._ahead, first_line)
        self._name = name
        self._mapping = options.mapping
        self._header_line = b""
        self._tidy = tidy or self._begun(options)
        self.header = self._tidy.header
        self.ignored: tuple[str, ...] = self.header.ignored

    def _begun(self, options: ReadOptions) -> Tidy:
        """Read the header, and look at the first rows for the form of their dates."""
        header = self._read_header()
        self.log.columns.update(header.matched)
        self.log.said.update({key: text for key, text in (("layout", header.layout), ("note", header.note)) if text})
        return Tidy(header, Forms.of(options, self._dates(header)), self.log)

    def _dates(self, header: Header) -> dict[str, list[str]]:
        """Return the dates of the first rows, by field."""
        fields = dict.fromkeys(header.days, "service_date")
        fields |= {at: name for name, at in header.about if BY_NAME[name].arrow == "date32"}
        samples: dict[str, list[str]] = {name: [] for name in fields.values()}
        if not fields:
            return samples
        text = self._ahead.block(_SAMPLE).decode("utf-8", "replace")
        rows = csv.reader(text.splitlines(), delimiter=header.delimiter)
        with suppress(csv.Error):
            for cells in rows:
                if len(cells) == header.width:
                    for position, name in fields.items():
                        samples[name].append(cells[position])
        return samples

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._lines.bytes_read

    def _read_header(self) -> Header:
        """Read up to the names of the columns: the first line, or below a title the first that names enough of them."""
        first: InputError | None = None
        named: InputError | None = None
        delimiter, passed = None, 0
        for number, text in self._first_lines():
            if delimiter is None and first is None and (found_sign := separator(text)) is not None:
                delimiter, passed = found_sign, passed + 1
                continue
            if is_rule(text):
                passed += 1
                continue
            try:
                header = read_header(text, self._name, self._mapping, delimiter)
            except csv.Error as error:
                first = first or InputError(f"{self._name}, line {number}: the header cannot be read: {error}")
            except InputError as error:
                # What a line of one cell lacks is not what there is to say: it is a title.
                first = first or error
                if named is None and sum(map(bool, header_cells(text, delimiter)[0])) > 1:
                    named = error
            else:
                self._header_line = b"" if "\n" in text else text.encode()
                self.log.count(PASSED_OVER, passed + self._skip_rule())
                return header
            passed += 1
        raise (
            named
            or first
            or InputError(f"{self._name} holds nothing but empty lines; expected a header with claim_id and codes")
        )

    def _first_lines(self) -> Iterator[tuple[int, str]]:
        """Give the lines at the start that hold anything; one in which a quote is open with those up to its end."""
        seen = 0
        for number, line in self._lines:
            try:
                text = decoded(line).removeprefix("\ufeff")
                while text.count('"') % 2 and text.count("\n") < _LONGEST_ROW and (more := next(self._lines, None)):
                    text = f"{text}\n{decoded(more[1])}"
            except BadRow as error:
                if seen:
                    return
                raise InputError(f"{self._name}, line {number}: {error.reason}; the header must be UTF-8") from None
            if not text.strip():
                continue
            if "\r" in text:
                raise InputError(f"{self._name}: the lines end with a bare carriage return; save it with \\n line ends")
            yield number, text
            seen += 1
            if seen == MOST_TITLES:
                return

    def _skip_rule(self) -> int:
        """Read the line of dashes below the header, if there is one; return how many lines that were."""
        block = self._ahead.block(_SAMPLE)
        end = block.find(b"\n") + 1 or len(block)
        if not block or not is_rule(block[:end].decode("latin-1").strip()):
            return 0
        next(self._lines)
        return 1

    def __iter__(self) -> Iterator[Record | Rejected]:
        if self.header.code is not None:
            return (row for batch in self._grouped() for row in batch.rows())
        return claims_of(self._rows(), self._tidy, self._name)

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows of the file in batches: stretches that Arrow reads, and what only the row reader can."""
        from weakcode.scrub.read.batch import RowBatch, batches_of
        from weakcode.scrub.read.csv.batch import CsvBatch

        if self.header.code is not None:
            yield from self._grouped()
            return
        if not self.header.is_row_a_claim or self.header.claim_id is None:
            yield from batches_of(self)
            return
        while block := self._ahead.block(BATCH_BYTES):
            text = self._unquoted_lines(block)
            if text is not None:
                first = self._lines.next_line
                self._skip(text.original)
                yield CsvBatch(text, first, self._tidy, self._name, self._again)
            else:
                rows = tuple(self._until(self._lines.bytes_read + len(block)))
                if rows:
                    yield RowBatch(rows)

    def _unquoted_lines(self, block: bytes) -> UnquotedLines | None:
        """Return the lines at the start of a block that Arrow reads as the row reader does; None for few."""
        from weakcode.scrub.read.csv.batch import is_well_formed
        from weakcode.scrub.read.csv.quotes import unquoted_lines

        # No line of a block that is shorter than the longest line is too long.
        is_plain = is_well_formed(block) and len(block) < LONGEST_LINE and not may_have(block, self._header_line)
        if not is_plain or (self.header.guarded and b"'" in block):
            return None
        return unquoted_lines(block, self.header.delimiter, self.header.width)

    def _skip(self, lines: bytes) -> None:
        """Take lines for read, which someone else reads."""
        self._ahead.skip(len(lines))
        self._lines.skip(lines.count(b"\n") + (not lines.endswith(b"\n")), len(lines))

    def _grouped(self) -> Iterator[ClaimBatch]:
        """Give the claims of a table of which each row is one diagnosis; rows that cannot be read come before them."""
        from weakcode.scrub.read.batch import RowBatch
        from weakcode.scrub.read.tables.long import LongClaims

        with LongClaims(self._tidy, self._name) as claims:
            while block := self._ahead.block(BATCH_BYTES):
                invalid = self._add_block(claims, block)
                if invalid:
                    yield RowBatch(invalid)
            yield from claims.batches()

    def _add_block(self, claims: LongClaims, block: bytes) -> list[Rejected]:
        """Add the rows of a block to the claims; return those that cannot be read."""
        from weakcode.scrub.read.csv.batch import plain_columns

        read = None
        rows: Iterator[Row | Rejected]
        text = self._unquoted_lines(block)
        if text is not None:
            with suppress(pa_error()):
                read = plain_columns(text, self.header, self._lines.next_line)
        if text is not None and read is not None:
            columns, lines, invalid = read
            texts = text.original.split(b"\n") if invalid else []
            again = {line: texts[line - self._lines.next_line] for line in invalid}
            self._skip(text.original)
            claims.add(columns, lines)
            rows = (row for line, text in again.items() for row in self._rows_of(text + b"\n", line))
        else:
            rows = self._cells_until(self._lines.bytes_read + len(block))
        good: list[Row] = []
        bad: list[Rejected] = []
        for row in rows:
            if isinstance(row, Rejected):
                bad.append(row)
            else:
                good.append(row)
        if good:
            claims.add_cells([cells for _, cells, _ in good], [line for line, _, _ in good])
        return bad

    def _rows_of(self, content: bytes, first: int) -> Iterator[Row | Rejected]:
        return CsvSource(io.BytesIO(content), self._name, tidy=self._tidy, first_line=first)._rows()

    def _cells_until(self, end: int) -> Iterator[Row | Rejected]:
        for row in self._rows():
            yield row
            if self._lines.bytes_read >= end and not self._lines.waiting:
                return

    def _until(self, end: int) -> Iterator[Record | Rejected]:
        """Give the rows up to the first that ends there or behind."""
        for row in claims_of(self._rows(), self._tidy, self._name):
            yield row
            if self._lines.bytes_read >= end and not self._lines.waiting:
                return

    def _again(self, content: bytes, first: int, log: ReadLog) -> list[Record | Rejected]:
        """Read lines row by row; what is met goes into `log`."""
        tidy = Tidy(self.header, self._tidy.forms, log)
        return list(CsvSource(io.BytesIO(content), self._name, tidy=tidy, first_line=first))

    def _rows(self) -> Iterator[Row | Rejected]:
        for number, line in self._lines:
            if line is not None and not line.strip():
                continue
            try:
                cells, raw = self._cells(number, line)
                if self.header.guarded:
                    cells = [unguarded(cell) for cell in cells]
                if self._is_around(cells, raw):
                    self._tidy.log.count(PASSED_OVER)
                    continue
                if len(cells) > self.header.width and not any(map(str.strip, cells[self.header.width :])):
                    # Some programs end rows, and not the header, in a delimiter.
                    del cells[self.header.width :]
                    self._tidy.log.count(TRAILING)
                if len(cells) != self.header.width:
                    at = self.header.claim_id or 0
                    raise BadRow(
                        "number of fields",
                        f"the row has {len(cells)} fields, the header has {self.header.width}",
                        (cells[at] or None) if len(cells) > at else None,
                    )
                # Nothing in a table of ours was put there by another program.
                if self.header.claim_id is not None and not self.header.guarded:
                    cells[self.header.claim_id] = unprotected(cells[self.header.claim_id])
            except BadRow as error:
                yield Rejected(self._name, number, error.claim_id, error.reason, error.part, shown(line))
            else:
                yield number, cells, raw

    def _is_around(self, cells: Sequence[str], raw: bytes) -> bool:
        """Tell whether a line is no row of the table, though it stands among them."""
        if raw == self._header_line or (len(cells) != self.header.width and is_trailer(cells)):
            return True
        return raw[-3:] in (b"---", b"===", b"___", b"--+", b"-- ", b"--|") and is_rule(raw.decode("latin-1"))

    def _cells(self, number: int, line: bytes | None) -> tuple[list[str], bytes]:
        """Return the row's cells and bytes; a quoted cell may run over several lines."""
        text = decoded(line)
        assert line is not None
        if '"' not in text:
            return text.split(self.header.delimiter), line
        lines_taken: list[tuple[int, bytes | None]] = []
        while True:
            whole = "\n".join([text, *(decoded(more) for _, more in lines_taken)])
            try:
                cells = next(csv.reader([whole], delimiter=self.header.delimiter, strict=True))
            except csv.Error as error:
                problem = str(error)
                if "unexpected end of data" not in problem or len(lines_taken) >= _LONGEST_ROW:
                    break
                try:
                    following = next(self._lines)
                    lines_taken.append(following)
                    decoded(following[1])
                except (StopIteration, BadRow):
                    break
                continue
            if lines_taken and self._swallowed(cells):
                break
            return cells, b"\n".join([line, *(more for _, more in lines_taken if more is not None)])
        self._lines.push_back(lines_taken)
        at = self.header.claim_id or 0
        claim_id = text.split(self.header.delimiter)[at : at + 1]
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
