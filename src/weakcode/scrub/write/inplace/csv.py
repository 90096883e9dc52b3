"""Mended claims in their own text table: the input again, with other cells where diagnoses went elsewhere."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from weakcode.claims import Claim
from weakcode.scrub.guard import unguarded
from weakcode.scrub.read.archives import members_of
from weakcode.scrub.read.csv.file import CsvSource
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.tables.forms import unprotected
from weakcode.scrub.read.tables.long import rank_of
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.inplace.csvclaim import Change, ordered_rows, reads_as, rewritten
from weakcode.scrub.write.inplace.mended import MendedClaims

_LONGEST_ROW = 50
"""Lines that a row with line breaks inside quotes may have."""


class MendedCsv(MendedClaims):
    """Takes what was evaluated and writes the table again when all is known. `changed` counts the claims that were
    mended.

    Memory holds the claims that are mended, since the rows of one may stand anywhere in the table.
    """

    what = "their rows"

    def __init__(self, target: Path, file: BinaryIO, mend: Mend, path: str | os.PathLike[str], options: ReadOptions):
        super().__init__(mend)
        self._target, self._to = target, file
        (self._member,) = members_of(path)
        with self._member.open() as source:
            read = CsvSource(source, name_of(path), options)
        self._header, self._tidy = read.header, read._tidy
        self._changes: dict[int, Change] = {}

    def end(self) -> None:
        """Write the table."""
        edits = self._long_edits() if self._header.code is not None else {}
        lines = self._lines()
        for number, line in lines:
            if number in edits:
                row = edits[number]
                text = b"" if row is None else row.encode("latin-1") + _end_of(line)
            elif number in self._changes and self._header.code is None:
                text = self._mended(self._changes[number], line, lines)
            else:
                text = line
            with writing(self._target):
                self._to.write(text)

    def _take(self, record: Record) -> None:
        mended = self._mend(record.claim)
        if mended != record.claim:
            self._changes[record.line] = Change(record.claim, mended, record.lines)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        with self._member.open() as source:
            yield from enumerate(source, start=1)

    def _mended(self, change: Change, line: bytes, lines: Iterator[tuple[int, bytes]]) -> bytes:
        """Return the rows of a claim as mended, or as they were where they cannot say it."""
        header, many = self._header, 1 if self._header.line is None else len(change.claim.lines)
        parts, rows, ends = [line], [], []
        while True:
            while not self._is_whole(parts[-1]) and parts[-1].count(b"\n") < _LONGEST_ROW:
                more = next(lines, None)
                if more is None:
                    break
                parts[-1] += more[1]
            if parts[-1].strip():
                rows.append(parts[-1])
                ends.append(_end_of(parts[-1]))
            if len(rows) == many or (more := next(lines, None)) is None:
                break
            parts.append(more[1])
        new = [
            rewritten(_text(row), header, change.claim, change.mended, at, self._one_code)
            for at, row in enumerate(rows)
        ]
        if len(rows) != many or not self._says(new, change.mended):
            self._left += 1
            return b"".join(parts)
        self.changed += 1
        made = iter([(one or "").encode("latin-1") + end for one, end in zip(new, ends, strict=True)])
        return b"".join(next(made) if part.strip() else part for part in parts)

    def _is_whole(self, row: bytes) -> bool:
        """Tell whether no quote of a row is open."""
        if b'"' not in row:
            return True
        try:
            next(csv.reader([_text(row)], delimiter=self._header.delimiter, strict=True))
        except csv.Error as error:
            return "unexpected end of data" not in str(error)
        return True

    def _one_code(self, word: str) -> str:
        return self._tidy.forms.one_code(word.strip('"'))[0].removeprefix("ICD9:")

    def _says(self, rows: Sequence[str | None], mended: Claim) -> bool:
        """Tell whether rows are read as the mended claim."""
        if any(row is None for row in rows):
            return False
        return reads_as([self._cells(row or "") for row in rows], self._header, self._tidy, mended)

    def _cells(self, row: str) -> list[str]:
        content = row.encode("latin-1")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
        cells = (
            next(csv.reader([text], delimiter=self._header.delimiter))
            if '"' in text
            else text.split(self._header.delimiter)
        )
        if self._header.guarded:
            return [unguarded(cell) for cell in cells]
        if (at := self._header.claim_id) is not None and at < len(cells):
            cells[at] = unprotected(cells[at])
        return cells

    def _long_edits(self) -> dict[int, str | None]:
        """Return the rows that change, of claims of which each diagnosis has a row; None for a row that goes."""
        lines_needed = {line for change in self._changes.values() for line in change.rows}
        rows = {number: _text(line) for number, line in self._lines() if number in lines_needed}
        edits: dict[int, str | None] = {}
        for change in self._changes.values():
            rows_before = [rows[line] for line in change.rows]
            # A row that holds several diagnoses cannot say their order among others.
            has_own = len(set(change.rows)) == len(change.rows)
            new = ordered_rows(rows_before, self._header, change.claim, change.mended, rank_of) if has_own else None
            if new is None or not all(self._is_whole(line.encode("latin-1")) for line in rows_before):
                self._left += 1
                continue
            self.changed += 1
            edits.update(zip(change.rows, new, strict=True))
        return edits


def _text(row: bytes) -> str:
    return row.rstrip(b"\r\n").decode("latin-1")


def _end_of(row: bytes) -> bytes:
    return row[len(row.rstrip(b"\r\n")) :]
