"""Mended claims in their own Excel workbook: other text in the cells of their rows, and everything else as it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.excel.source import ExcelSource
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.tables.long import rank_of
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.inplace.csvclaim import Change, ordered_rows, reads_as, rewritten
from weakcode.scrub.write.inplace.mended import MendedClaims
from weakcode.scrub.write.inplace.sheet import Sheet, check_workbook, copied, sheet_text

BETWEEN = "\x1f"
"""Parts the cells of a row where it is looked at as text; no cell of XML holds it."""


class MendedExcel(MendedClaims):
    """Takes what was evaluated, and writes the workbook again when all is known."""

    what = "their rows"

    def __init__(self, target: Path, file: BinaryIO, mend: Mend, path: str | os.PathLike[str], options: ReadOptions):
        super().__init__(mend)
        self._target, self._to = target, file
        self._path = Path(path)
        if self._path.suffix.lower() == ".xls":
            raise InputError(f"{name_of(path)} is to be written again with its claims mended; save it as .xlsx first")
        self._source = ExcelSource(path, options)
        self._rows, self._tidy, self._sheet = self._source.table()
        check_workbook(self._path, self._sheet)
        self._numbers = tuple(self._rows)
        self._places = {number: at for at, number in enumerate(self._numbers)}
        self._header = attrs.evolve(self._tidy.header, delimiter=BETWEEN)
        self._changes: list[Change] = []

    def end(self) -> None:
        """Write the workbook."""
        sheet = Sheet(sheet_text(self._path, self._sheet))
        rows: dict[int, str] = {}
        for change in self._changes:
            cells = self._cells(change)
            try:
                if cells is None:
                    raise LookupError("the rows cannot say it")
                rows |= {number: sheet.row(number, texts) for number, texts in cells.items() if texts}
            except LookupError:
                self._left += 1
            else:
                self.changed += 1
        with writing(self._target):
            copied(self._path, self._to, self._sheet, sheet.with_rows(rows))

    def _take(self, record: Record) -> None:
        mended = self._mend(record.claim)
        if mended == record.claim:
            return
        if self._header.code is not None:
            self._changes.append(Change(record.claim, mended, record.lines))
            return
        many = 1 if self._header.line is None else len(record.claim.lines)
        at = self._places[record.line]
        self._changes.append(Change(record.claim, mended, self._numbers[at : at + many]))

    def _cells(self, change: Change) -> dict[int, dict[int, str]] | None:
        """Return the cells that change, by row and column; None where the rows cannot say the claim as mended."""
        texts = [BETWEEN.join(self._rows[row]) for row in change.rows]
        is_long = self._header.code is not None
        if is_long and len(set(change.rows)) < len(change.rows):
            # A row that holds several diagnoses cannot say their order among others.
            return None
        if is_long:
            new = ordered_rows(texts, self._header, change.claim, change.mended, rank_of)
        else:
            new = [
                rewritten(row, self._header, change.claim, change.mended, at, self._one_code)
                for at, row in enumerate(texts)
            ]
        if new is None or any(row is None for row in new):
            return None
        rows = [(row or "").split(BETWEEN) for row in new]
        if not is_long and not reads_as(rows, self._header, self._tidy, change.mended):
            return None
        first = self._source.first_column
        return {
            number: {
                first + at: cell
                for at, (cell, was) in enumerate(zip(cells, self._rows[number], strict=True))
                if cell != was
            }
            for number, cells in zip(change.rows, rows, strict=True)
        }

    def _one_code(self, word: str) -> str:
        return self._tidy.forms.one_code(word)[0].removeprefix("ICD9:")
