"""Well-formed stretches of a CSV file, read by Arrow: no quotes, and every line a row of one claim.

Whatever is not such is left to the row reader, line by line or block by block, so that what becomes of each row does
not depend on how it was read.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from weakcode.base.lazy import lazy
from weakcode.scrub.read.batch import LinedBatch, LinedColumns
from weakcode.scrub.read.csv.claims import about_value
from weakcode.scrub.read.layouts import Header
from weakcode.scrub.read.rows import Record, Rejected

ReadAgain = Callable[[bytes, int], list[Record | Rejected]]
"""Reads lines by the row reader; the number is that of the first."""
_PARTS_CODES = r"[\s;,\x1c-\x1f]|[^\x00-\x7f]"
_CONTROLS = re.compile(rb"[\x00\x1c-\x1f]")


def is_plain(header: Header) -> bool:
    """Tell whether each line under this header is one claim, with its values as they stand."""
    peculiar = (header.line, header.principal, header.principal_version)
    return (
        all(one is None for one in peculiar)
        and not (header.poa or header.versions or header.apart or header.rif)
        and (header.codes is not None or bool(header.wide))
    )


def is_well_formed(block: bytes) -> bool:
    """Tell whether Arrow reads these lines as the row reader does, all but the number of their fields."""
    if b'"' in block or _CONTROLS.search(block):
        return False
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return False
    return b"\r" not in block or block.count(b"\r") == block.count(b"\r\n")


@attrs.frozen(eq=False)
class CsvBatch(LinedBatch):
    """Whole lines of a file. `first` is the 1-based line of the first, `again` reads lines by the row reader."""

    content: bytes
    first: int
    header: Header
    name: str
    again: ReadAgain

    @lazy
    def table(self) -> LinedColumns | None:
        """The claims; None where Arrow does not read the lines as the row reader does."""
        try:
            return self._read()
        except pa.ArrowException:
            return None

    def rows(self) -> list[Record | Rejected]:
        """Read the lines by the row reader."""
        return self.again(self.content, self.first)

    def read_line(self, number: int) -> list[Record | Rejected]:
        """Read a line by the row reader."""
        return self.again(self._contents[number - self.first] + b"\n", number)

    @lazy
    def _contents(self) -> list[bytes]:
        return self.content.split(b"\n")

    def _read(self) -> LinedColumns | None:
        """Return the rows as columns, with the lines that have another number of fields; None where that cannot be."""
        header, odd = self.header, []

        def skip(row: Any) -> str:
            odd.append(row.number)
            return "skip"

        names = [str(position) for position in range(header.width)]
        table = pacsv.read_csv(
            io.BytesIO(self.content),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False, block_size=len(self.content) + 1),
            parse_options=pacsv.ParseOptions(
                delimiter=header.delimiter,
                quote_char=False,
                ignore_empty_lines=False,
                invalid_row_handler=skip,
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=[str(position) for position in sorted(set(header.known))],
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        ).combine_chunks()
        if any(number is None for number in odd):
            return None
        count = self.content.count(b"\n") + (not self.content.endswith(b"\n"))
        lines = np.delete(np.arange(count, dtype=np.int64), np.array(odd, np.int64) - 1) + self.first
        if len(lines) != table.num_rows:
            return None
        codes = self._codes(table)
        if codes is None:
            return None
        ids = _column(table, header.claim_id)
        columns = {"claim_id": pc.if_else(pc.equal(ids, ""), pa.scalar(None, pa.string()), ids), "codes": codes}
        for name, position in header.about:
            columns[name] = _about(name, _column(table, position))
        return LinedColumns(pa.RecordBatch.from_pydict(columns), lines, [number - 1 + self.first for number in odd])

    def _codes(self, table: pa.Table) -> pa.Array | None:
        """Return the codes of each row as one text; None where a cell for one code holds several."""
        if self.header.codes is not None:
            return _column(table, self.header.codes)
        cells = [pc.ascii_trim_whitespace(_column(table, position)) for position in self.header.wide]
        if any(pc.any(pc.match_substring_regex(column, _PARTS_CODES)).as_py() for column in cells):
            return None
        return pc.binary_join_element_wise(*cells, " ")


def _column(table: pa.Table, position: int) -> pa.Array:
    column = table.column(str(position))
    return column.chunk(0) if column.num_chunks else pa.array([], pa.string())


def _about(name: str, column: pa.Array) -> pa.Array:
    encoded = column.dictionary_encode()
    values = [about_value(name, value.strip()) or None for value in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(values, pa.string()))
