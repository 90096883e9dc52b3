"""Excel workbooks: the rows of a sheet as a table of text, read by python-calamine (extra `excel`)."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from typing import Any

from weakcode.errors import InputError, MissingExtraError
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.around import PASSED_OVER
from weakcode.scrub.read.tables.forms import Forms
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.resolve import resolve
from weakcode.scrub.read.tables.rows import Row, claims_of
from weakcode.scrub.read.tables.tidy import Tidy

_LOOKED_AT = 20
"""Rows at the start of a sheet among which the header is looked for: titles and blank rows stand before some."""
_SAMPLE = 2_000
_MOST_UNPACKED = 2 << 30
"""Bytes that a sheet may be unpacked to."""


class ExcelSource:
    """The claims of one sheet of a workbook; the line is the row as Excel counts it. `ignored` and `log` as of a table.

    Raises InputError for a workbook that cannot be read, or without the sheet.
    """

    def __init__(self, path: str | os.PathLike[str], options: ReadOptions) -> None:
        self._name, self._options = name_of(path), options
        self.log = ReadLog()
        self.ignored: tuple[str, ...] = ()
        self.bytes_read = 0
        self.sheets: tuple[str, ...] = ()
        self.sheet, self.first_column = "", 0
        self._path = os.fspath(path)

    def __iter__(self) -> Iterator[Record | Rejected]:
        found, tidy = self._table()
        if tidy.header.code is None:
            yield from claims_of(found, tidy, self._name)
        else:
            yield from self._grouped(found, tidy)
        self.bytes_read = os.stat(self._path).st_size  # noqa: PTH116

    def table(self) -> tuple[dict[int, list[str]], Tidy, str]:
        """Return the rows of the sheet as cells of text by their numbers, what reads them, and the name of the sheet.

        The first cell of each is that of the column `first_column`, counted from 0.
        """
        found, tidy = self._table()
        return {number: cells for number, cells, _ in found}, tidy, self.sheet

    def _table(self) -> tuple[Iterator[Row], Tidy]:
        """Return the rows below the names of columns, and what reads them."""
        rows, first = self._sheet()
        at, header = self._header(rows)
        self.ignored = header.ignored
        self.log.count(PASSED_OVER, sum(any(map(_text, row)) for row in rows[:at]))
        self.log.columns.update(header.matched)
        self.log.said.update({key: text for key, text in (("layout", header.layout), ("note", header.note)) if text})
        below = rows[at + 1 :]
        tidy = Tidy(header, Forms.of(self._options, _dates(header, below)), self.log)
        return self._rows(below, first + at + 1, header), tidy

    def _grouped(self, rows: Iterator[Row], tidy: Tidy) -> Iterator[Record | Rejected]:
        """Give the claims of a sheet of which each row is one diagnosis."""
        from weakcode.scrub.read.tables.long import LongClaims

        read = list(rows)
        with LongClaims(tidy, self._name) as claims:
            if read:
                claims.add_cells([cells for _, cells, _ in read], [number for number, _, _ in read])
            for batch in claims.batches():
                yield from batch.rows()

    def _sheet(self) -> tuple[Sequence[Sequence[Any]], int]:
        """Return the rows of the sheet, and the number of the first."""
        try:
            import python_calamine
        except ImportError:
            raise MissingExtraError("Excel workbooks", extra="excel", needs="python-calamine") from None
        _check_size(self._path, self._name)
        try:
            book = python_calamine.CalamineWorkbook.from_path(self._path)
            names = list(book.sheet_names)
            self.sheets = tuple(names)
            wanted = self._options.sheet
            if wanted is None and len(names) > 1:
                self.log.said["sheet"] = f"{names[0]} of {len(names)} sheets"
            if wanted is not None and wanted not in names:
                raise InputError(f"{self._name} has no sheet {wanted!r}; its sheets are {', '.join(names)}")
            if not names:
                raise InputError(f"{self._name} has no sheet")
            self.sheet = names[0] if wanted is None else wanted
            sheet = book.get_sheet_by_name(self.sheet)
            self.first_column = (sheet.start or (0, 0))[1]
            return sheet.to_python(skip_empty_area=True), (sheet.start or (0, 0))[0] + 1
        except InputError:
            raise
        except (python_calamine.CalamineError, OSError, ValueError) as error:
            raise InputError(f"{self._name} is an Excel workbook that cannot be read: {error}") from None

    def _header(self, rows: Sequence[Sequence[Any]]) -> tuple[int, Header]:
        """Return the row that names columns, the first that does, and what they hold."""
        first_error: InputError | None = None
        for at, row in enumerate(rows[:_LOOKED_AT]):
            cells = [_text(value) for value in row]
            if sum(map(bool, cells)) < 2:
                continue
            try:
                return at, resolve(cells, ",", self._name, self._options.mapping)
            except InputError as error:
                first_error = first_error or error
        raise first_error or InputError(f"{self._name}: the sheet has no row with the names of columns")

    def _rows(self, rows: Sequence[Sequence[Any]], first: int, header: Header) -> Iterator[Row]:
        for number, row in enumerate(rows, start=first):
            cells = [_text(value) for value in row]
            if any(cells):
                cells += [""] * (header.width - len(cells))
                yield number, cells, "|".join(cells).encode("utf-8", "replace")


def sheets_of(path: str | os.PathLike[str], options: ReadOptions) -> tuple[tuple[str, ...], str, list[str]]:
    """Return the sheets of a workbook, the one that is read, and its names of columns.

    Where no row names what a claim needs, the names are those of the fullest row at its start. Raises InputError.
    """
    source = ExcelSource(path, options)
    rows, _ = source._sheet()
    names = source.sheets
    try:
        at, _ = source._header(rows)
    except InputError:
        filled = [sum(bool(_text(value)) for value in row) for row in rows[:_LOOKED_AT]]
        at = max(range(len(filled)), key=filled.__getitem__, default=0)
    cells = [_text(value) for value in rows[at]] if rows else []
    return names, names[0] if options.sheet is None else options.sheet, cells


def _dates(header: Header, rows: Sequence[Sequence[Any]]) -> dict[str, list[str]]:
    from weakcode.fields import BY_NAME

    fields = {at: name for name, at in header.about if BY_NAME[name].arrow == "date32"}
    fields |= dict.fromkeys(header.days, "service_date")
    return {
        name: [_text(row[at]) for row in rows[:_SAMPLE] if at < len(row) and isinstance(row[at], str | int | float)]
        for at, name in fields.items()
    }


def _text(value: Any) -> str:
    """Return what a cell holds as the text of a table: dates as Excel gives them, whole numbers without a fraction."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, float) and value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def _check_size(path: str, name: str) -> None:
    """Raise InputError for a workbook that unpacks to more than a sheet of claims can be."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except (OSError, ValueError, zipfile.BadZipFile):
        return
    if size > _MOST_UNPACKED:
        raise InputError(f"{name} unpacks to more than {_MOST_UNPACKED:,} bytes; save the sheet as CSV")
