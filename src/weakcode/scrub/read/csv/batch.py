"""Well-formed stretches of a CSV file, read by Arrow: every line is a row of one claim.

Whatever is not such is left to the row reader, line by line or block by block, so that what becomes of each row does
not depend on how it was read.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as pacsv

from weakcode.base.lazy import lazy
from weakcode.scrub.columns.arrow import viewed
from weakcode.scrub.read.batch import LineBatch, LineColumns
from weakcode.scrub.read.csv.quotes import UnquotedLines
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.around import PASSED_OVER, TRAILING
from weakcode.scrub.read.tables.columns import claim_columns, has_several_indicators
from weakcode.scrub.read.tables.forms import unprotected
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.tidy import Tidy

ReadAgain = Callable[[bytes, int, ReadLog], list[Record | Rejected]]
"""Reads lines by the row reader; the number is that of the first. What is met goes into the log."""
_REPEATED = pa.dictionary(pa.int32(), pa.string())
_CONTROLS = re.compile(rb"[\x00\x1c-\x1f]")


def is_well_formed(block: bytes) -> bool:
    """Tell whether Arrow reads these lines as the row reader does, all but quotes and the number of their fields."""
    if _CONTROLS.search(block):
        return False
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return False
    return b"\r" not in block or block.count(b"\r") == block.count(b"\r\n")


@attrs.frozen(eq=False)
class CsvBatch(LineBatch):
    """Whole lines of a file. `first` is the 1-based line of the first, `again` reads lines by the row reader."""

    text: UnquotedLines
    first: int
    tidy: Tidy
    name: str
    again: ReadAgain

    @lazy
    def table(self) -> LineColumns | None:
        """The claims; None where Arrow does not read the lines as the row reader does."""
        try:
            return self._read()
        except pa.ArrowException:
            return None

    def rows(self) -> list[Record | Rejected]:
        """Read the lines by the row reader."""
        # What was met is counted once: by the columns, where there are some, and by line what only rows show.
        log = self.tidy.log if self.table is None else ReadLog()
        found = self.again(self.text.original, self.first, log)
        if self.table is not None and self.batch is None:
            self._count(0, log)
        return found

    def read_line(self, number: int) -> list[Record | Rejected]:
        log = ReadLog()
        found = self.again(self._contents[number - self.first] + b"\n", number, log)
        self._count(number, log)
        return found

    @lazy
    def _counted(self) -> dict[int, Counter[str]]:
        """By line, what was counted of it; under 0, of all lines."""
        return {}

    def _count(self, number: int, log: ReadLog) -> None:
        """Count what only rows show, once for each line."""
        if number in self._counted or 0 in self._counted:
            return
        met = Counter({what: log.counts().get(what, 0) for what in (PASSED_OVER, TRAILING)})
        if not number:
            met.subtract(sum(self._counted.values(), Counter()))
        self._counted[number] = met
        for what, count in met.items():
            self.tidy.log.count(what, count)

    @lazy
    def _contents(self) -> list[bytes]:
        return self.text.original.split(b"\n")

    def _read(self) -> LineColumns | None:
        """Return the rows as columns, with the lines that have another number of fields; None where that cannot be."""
        read = plain_columns(self.text, self.tidy.header, self.first)
        if read is None:
            return None
        columns, lines, invalid = read
        # A quote among codes is for the row reader to reject.
        single_codes = self.tidy.header.single_codes if self.text.has_quotes else ()
        if any(self.tidy.holds(at, columns[at], '"') for at in single_codes):
            return None
        if has_several_indicators(self.tidy, columns):
            return None
        return LineColumns(claim_columns(self.tidy, columns), lines, invalid)


def plain_columns(
    text: UnquotedLines, header: Header, first: int
) -> tuple[dict[int, pa.Array], NDArray[np.int64], list[int]] | None:
    """Return the columns that the header knows, by position, the line of each row, and the lines with other fields.

    None where Arrow does not read the lines as the row reader does. Raises pyarrow.ArrowException.
    """
    content, invalid = text.content, list[int | None]()

    def skip(row: Any) -> str:
        invalid.append(row.number)
        return "skip"

    names = [str(position) for position in range(header.width)]
    table = pacsv.read_csv(
        io.BytesIO(content),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(content) + 1),
        parse_options=pacsv.ParseOptions(
            delimiter=text.delimiter,
            quote_char=False,
            ignore_empty_lines=False,
            invalid_row_handler=skip,
        ),
        convert_options=pacsv.ConvertOptions(
            include_columns=[str(position) for position in header.known],
            column_types={
                name: pa.string() if position in (header.claim_id, header.codes) else _REPEATED
                for position, name in enumerate(names)
            },
            strings_can_be_null=False,
        ),
    ).combine_chunks()
    if any(number is None for number in invalid):
        return None
    count = content.count(b"\n") + (not content.endswith(b"\n"))
    lines = np.delete(np.arange(count, dtype=np.int64), np.array(invalid, np.int64) - 1) + first
    if len(lines) != table.num_rows:
        return None
    columns = {position: _column(table, position) for position in header.known}
    if header.claim_id is not None:
        ids = _stripped(columns[header.claim_id])
        if text.has_quotes and not header.guarded:
            ids = pa.array([unprotected(one) for one in ids.to_pylist()], ids.type)
        columns[header.claim_id] = ids
    return columns, lines, [number - 1 + first for number in invalid if number is not None]


def _column(table: pa.Table, position: int) -> pa.Array:
    column = table.column(str(position))
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _stripped(ids: pa.Array) -> pa.Array:
    """Return ids without blanks around them. Most have none, which their first and last bytes tell."""
    _, offsets, data = ids.buffers()
    if data is None or not len(ids):
        return ids
    bounds = viewed(offsets, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    text = viewed(data, np.uint8)
    some = np.diff(bounds) > 0
    ends = np.stack([text[bounds[:-1][some]], text[bounds[1:][some] - 1]])
    # A blank, or a part of a sign that may be one.
    if not ((ends <= ord(" ")) | (ends >= 0x80)).any():
        return ids
    return pa.array([one.strip() for one in ids.to_pylist()], ids.type)
