"""The sheets of a workbook as its parts have them: cells of rows change, and every other byte of each part stays.

The format is Office Open XML (ECMA-376): a zip archive in which each sheet is a part of
XML, with an element for each row and cell.
"""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import escape

from weakcode.errors import InputError

_BOOK = "xl/workbook.xml"
_LINKS = "xl/_rels/workbook.xml.rels"
_TAG = r"<(?:[\w.-]+:)?{name}\b([^>]*?)/?>"
_SHEET = re.compile(_TAG.format(name="sheet"))
_LINK = re.compile(_TAG.format(name="Relationship"))
_ATTRIBUTE = re.compile(r"([\w.-]+:)?([\w.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ROW = re.compile(r"<(?P<prefix>(?:[\w.-]+:)?)row\b(?P<info>[^>]*?)(?:/>|>(?P<cells>.*?)</(?P=prefix)row>)", re.DOTALL)
_CELL = re.compile(r"<(?P<prefix>(?:[\w.-]+:)?)c\b(?P<info>[^>]*?)(?:/>|>(?P<held>.*?)</(?P=prefix)c>)", re.DOTALL)
_PLACE = re.compile(r"([A-Z]{1,3})(\d+)")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d+)?")


def part_of_sheet(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the part that holds a sheet; raises InputError where the workbook does not say it."""
    links = {}
    for attributes in map(_attributes, _LINK.findall(_text(archive, _LINKS))):
        target = attributes.get("Target", "")
        links[attributes.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    for attributes in map(_attributes, _SHEET.findall(_text(archive, _BOOK))):
        if attributes.get("name") == sheet and (part := links.get(attributes.get("id"))):
            return part
    raise InputError("the workbook does not say where its sheet is kept; save it again as .xlsx")


def sheet_text(path: Path, sheet: str) -> str:
    """Return the XML of a sheet; raises InputError where it cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _text(archive, part_of_sheet(archive, sheet))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, NotImplementedError):
        raise _not_again(path) from None


def check_workbook(path: Path, sheet: str) -> None:
    """Raise InputError for a workbook whose sheet is not kept as XML in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            part = part_of_sheet(archive, sheet)
            if not part.endswith(".xml") or part not in archive.namelist():
                raise _not_again(path)
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, NotImplementedError):
        raise _not_again(path) from None


def copied(source: Path, file: BinaryIO, sheet: str, text: str) -> None:
    """Write a workbook again with this XML of a sheet; raises InputError for a workbook that cannot be read so."""
    try:
        with zipfile.ZipFile(source) as book, zipfile.ZipFile(file, "w") as made:
            part = part_of_sheet(book, sheet)
            for entry in book.infolist():
                content = text.encode("utf-8") if entry.filename == part else book.read(entry)
                made.writestr(entry, content, entry.compress_type)
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, NotImplementedError):
        raise _not_again(source) from None


def _not_again(path: Path) -> InputError:
    return InputError(f"{path.name} cannot be written again as a workbook; save it as .xlsx")


class Sheet:
    """The XML of a sheet, in which cells can be given other text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._spans: dict[int, tuple[int, int]] = {}
        for match in _ROW.finditer(text):
            number = _attributes(match["info"]).get("r", "")
            if number.isdecimal():
                self._spans[int(number)] = match.span()

    def row(self, number: int, cells: Mapping[int, str]) -> str:
        """Return the XML of a row, counted from 1, with these texts by the number of a column, from 0.

        Raises LookupError where a cell has no place in it or holds a formula.
        """
        if number not in self._spans:
            raise LookupError(f"row {number} is not in the sheet")
        match = _ROW.fullmatch(self._text, *self._spans[number])
        assert match is not None, "it was found before"
        return _changed_row(match, cells)

    def with_rows(self, rows: Mapping[int, str]) -> str:
        """Return the XML of the sheet with other rows."""
        pieces, end = [], 0
        for start, stop, number in sorted((*self._spans[number], number) for number in rows):
            pieces += [self._text[end:start], rows[number]]
            end = stop
        return "".join((*pieces, self._text[end:]))


def _changed_row(row: re.Match[str], cells: Mapping[int, str]) -> str:
    if row["cells"] is None:
        raise LookupError("the row has no cells")
    pieces: list[tuple[int, str]] = []
    end = 0
    left = dict(cells)
    for match in _CELL.finditer(row["cells"]):
        between = row["cells"][end : match.start()]
        end = match.end()
        place = _PLACE.fullmatch(_attributes(match["info"]).get("r", ""))
        if place is None:
            raise LookupError("a cell does not say where it stands")
        column = column_number(place[1])
        text = left.pop(column, None)
        pieces.append((column, between + (match[0] if text is None else _cell(match, text))))
    number = _attributes(row["info"])["r"]
    for column, text in left.items():
        if text:
            pieces.append(
                (column, _new_cell(row["prefix"], f"{column_name(column)}{number}", "", text, is_number=False))
            )
    pieces.sort(key=lambda piece: piece[0])
    inner = "".join(piece for _, piece in pieces) + row["cells"][end:]
    start = row.start("cells") - row.start()
    return row[0][:start] + inner + row[0][start + len(row["cells"]) :]


def _cell(match: re.Match[str], text: str) -> str:
    """Return a cell with other text; its place and its style stay."""
    if match["held"] is not None and re.search(r"<(?:[\w.-]+:)?f\b", match["held"]):
        raise LookupError("the cell holds a formula")
    attributes = _attributes(match["info"])
    is_number = attributes.get("t", "n") == "n" and match["held"] is not None
    return _new_cell(match["prefix"], attributes["r"], attributes.get("s", ""), text, is_number=is_number)


def _new_cell(prefix: str, place: str, style: str, text: str, *, is_number: bool) -> str:
    styled = f' s="{style}"' if style else ""
    if not text:
        return f'<{prefix}c r="{place}"{styled}/>'
    if is_number and _NUMBER.fullmatch(text):
        return f'<{prefix}c r="{place}"{styled}><{prefix}v>{text}</{prefix}v></{prefix}c>'
    kept = f'<{prefix}is><{prefix}t xml:space="preserve">{escape(text)}</{prefix}t></{prefix}is>'
    return f'<{prefix}c r="{place}"{styled} t="inlineStr">{kept}</{prefix}c>'


def column_number(name: str) -> int:
    """Return the number of a column from 0: 0 of A, 26 of AA."""
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_name(number: int) -> str:
    """Return the name of a column by its number from 0."""
    name = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(one or other) for _, name, one, other in _ATTRIBUTE.findall(text)}


def _text(archive: zipfile.ZipFile, part: str) -> str:
    return archive.read(part).decode("utf-8")
