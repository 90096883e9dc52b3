"""Claims from a CSV file: one row a claim, codes in one column or in dx1, dx2, …"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

import attrs

from weakcode.batch.fields import ABOUT_THE_CLAIM, claim_from
from weakcode.batch.rows import BadRow, Record, Rejected
from weakcode.batch.textlines import Lines, decoded, shown
from weakcode.claims import Claim
from weakcode.errors import InputError, did_you_mean

_DELIMITERS = ",\t|;"
_WIDE = re.compile(r"(?:dx|icd_dgns_cd)_?(\d{1,3})")
_LONGEST_ROW = 50
"""Lines that a row with line breaks inside quotes may have: one lost quote must not swallow a file."""


@attrs.frozen
class Header:
    """Which column holds what. Positions count from 0; `wide` are those of dx1, dx2, … in their order."""

    width: int
    delimiter: str
    claim_id: int
    codes: int | None
    wide: tuple[int, ...]
    about: tuple[tuple[str, int], ...]
    ignored: tuple[str, ...]

    @property
    def known(self) -> tuple[int, ...]:
        """Positions of all columns that are read."""
        codes = self.wide if self.codes is None else (self.codes,)
        return (self.claim_id, *codes, *(position for _, position in self.about))


def header_cells(line: str) -> tuple[list[str], str]:
    """Return the cells of a header line as they are written, and the delimiter that it uses."""
    delimiter = max(_DELIMITERS, key=line.count)
    cells = next(csv.reader([line], delimiter=delimiter), [])
    return [cell.strip() for cell in cells], delimiter


def read_header(line: str, file: str) -> Header:
    """Return the columns that a header line names; raises InputError with the columns seen if one lacks."""
    cells, delimiter = header_cells(line)
    names = [cell.lower() for cell in cells]
    seen = f"its columns are {', '.join(cells)}" if any(cells) else "its first line is empty"
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise InputError(f'{file}: the column "{min(twice)}" stands twice in the header; {seen}')
    numbered = sorted(
        (int(match[1]), position) for position, name in enumerate(names) if (match := _WIDE.fullmatch(name))
    )
    wide = tuple(position for _, position in numbered)
    if "codes" in names and wide:
        raise InputError(f'{file}: the codes are in a column "codes" or in dx1, dx2, …, not in both; {seen}')
    missing = [] if "claim_id" in names else ["claim_id"]
    if "codes" not in names and not wide:
        missing.append("codes (or dx1, dx2, …)")
    if missing:
        hint = did_you_mean("claim_id" if missing[0] == "claim_id" else "codes", names)
        raise InputError(f"{file}: there is no column {' and no column '.join(missing)}; {seen}{hint}")
    used = {"claim_id", "codes", *ABOUT_THE_CLAIM, *(names[position] for position in wide)}
    return Header(
        width=len(names),
        delimiter=delimiter,
        claim_id=names.index("claim_id"),
        codes=names.index("codes") if "codes" in names else None,
        wide=wide,
        about=tuple((name, names.index(name)) for name in ABOUT_THE_CLAIM if name in names),
        ignored=tuple(cell for cell, name in zip(cells, names, strict=True) if name not in used),
    )


class CsvSource:
    """The rows of one CSV file. `ignored` are the columns that are not known."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._lines = Lines(file)
        self._name = name
        self.header = self._read_header()
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
                return read_header(text, self._name)
            except csv.Error as error:
                raise InputError(f"{self._name}, line {number}: the header cannot be read: {error}") from None
        raise InputError(f"{self._name} holds nothing but empty lines; expected a header with claim_id and codes")

    def __iter__(self) -> Iterator[Record | Rejected]:
        for number, line in self._lines:
            if line is not None and not line.strip():
                continue
            raw = line
            try:
                cells, raw = self._cells(number, line)
                claim = self._claim(cells)
            except BadRow as error:
                yield Rejected(self._name, number, error.claim_id, error.reason, error.part, shown(raw))
            else:
                yield Record(claim, self._name, number, shown(raw))

    def _claim(self, cells: list[str]) -> Claim:
        header = self.header
        claim_id = cells[header.claim_id] or None if len(cells) > header.claim_id else None
        if len(cells) != header.width:
            raise BadRow(
                "number of fields",
                f"the row has {len(cells)} fields, the header has {header.width}",
                claim_id,
            )
        codes: str | list[str]
        if header.codes is None:
            codes = [cell for position in header.wide if (cell := cells[position].strip())]
        else:
            codes = cells[header.codes]
        if any('"' in code for code in codes):
            raise BadRow("quotes", "a quote stands among the codes", claim_id)
        return claim_from({name: cells[position].strip() for name, position in header.about}, codes, claim_id)

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
