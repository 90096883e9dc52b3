"""The segments of an X12 file, with their places. Memory is bounded whatever the file holds.

Every interchange says its own delimiters in its ISA segment. They are taken from the order of its elements rather than
from fixed columns, so that an ISA that lost or gained a blank is read all the same.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import BinaryIO, NamedTuple

import attrs

from weakcode.errors import InputError

LONGEST_SEGMENT = 1 << 20
"""Characters. A segment has some hundred; a longer one has lost its end, and is not taken into memory."""
_BLOCK = 1 << 16
_LONGEST_ISA = 400
"""Characters that surely hold an ISA segment, which has 106."""
BETWEEN = " \t\r\n\x00\x1a\ufeff"
"""What may stand between segments and means nothing: line breaks, padding, an end-of-file mark."""
_BREAK = re.compile(r"[\r\n]+")
_HEADER = re.compile(r"ISA[^A-Za-z0-9\s]|ISA\s")


@attrs.frozen
class Delimiters:
    """What parts elements, components of an element, segments, and elements that repeat; empty where none may."""

    element: str
    component: str
    segment: str
    repetition: str = ""


@attrs.frozen
class Spot:
    """Where a segment begins: bytes before it, 1-based line and column, and the delimiters that hold there."""

    offset: int
    line: int
    column: int
    delimiters: Delimiters


class Segment(NamedTuple):
    """A segment as it stands in the file, and where: 1-based line and column.

    `text` is the segment without its end; empty where it was too long to be taken. `closed` is False for what stands
    after the last segment end of the file. `offset` counts the bytes of the file before the text.
    """

    text: str
    line: int
    column: int
    closed: bool = True
    offset: int = 0


def read_delimiters(start: str) -> Delimiters | None:
    """Return the delimiters that an ISA segment at the start of the text declares, or None where they make no sense."""
    if not _HEADER.match(start):
        return None
    element = start[3]
    parts = start[:_LONGEST_ISA].split(element, 16)
    if len(parts) < 17 or len(parts[16]) < 2:
        return None
    component, end = parts[16][0], parts[16][1]
    distinct = len({element, component, end}) == 3
    if not distinct or any(sign.isalnum() or sign == " " for sign in (element, component, end)):
        return None
    # Before version 00402 an agency's code stands there.
    repetition = parts[11] if len(parts[11]) == 1 and not (parts[11].isalnum() or parts[11].isspace()) else ""
    return Delimiters(element, component, end, "" if repetition in (element, component, end) else repetition)


class Segments:
    """Iterator over the segments of a file, the ISA segments among them.

    `delimiters` are those of the last segment given.

    Raises InputError where the file does not begin with an ISA segment.
    """

    def __init__(self, file: BinaryIO, name: str, resume: Spot | None = None) -> None:
        """Read a file from its start; with `resume`, what follows a place in it, which `file` gives."""
        self._file = file
        self._name = name
        self.bytes_read = 0
        self._offset, self._line, self._column = 0, 1, 1
        if resume is None:
            self.delimiters = self._first_delimiters()
        else:
            self._offset, self._line, self._column, self.delimiters = attrs.astuple(resume, recurse=False)
            self._buffer = ""

    def _read(self) -> str:
        block = self._file.read(_BLOCK)
        self.bytes_read += len(block)
        # One character a byte, so that columns are right and nothing is refused; values are decoded when kept.
        return block.decode("latin-1")

    def _first_delimiters(self) -> Delimiters:
        start = self._read()
        buffer = start.removeprefix("\xef\xbb\xbf")
        self._offset = len(start) - len(buffer)
        while buffer and not buffer.strip(BETWEEN):
            self._pass(buffer)
            buffer = self._read()
        rest = buffer.lstrip(BETWEEN)
        if len(rest) < _LONGEST_ISA:
            rest += self._read()
            buffer = buffer[: len(buffer) - len(buffer.lstrip(BETWEEN))] + rest
        self._buffer = buffer
        delimiters = read_delimiters(rest)
        if delimiters is None:
            head = re.match(r"[A-Za-z0-9]{2,3}", rest)
            if not rest.startswith("ISA"):
                found = f"begins with {head[0]!r}" if head else "does not begin with a segment"
                raise InputError(
                    f"{self._name} {found}; an X12 file begins with an ISA segment, which says its delimiters"
                )
            raise InputError(
                f"{self._name}, line {self._line}: the ISA segment cannot be read; it has 16 elements, and the "
                "delimiters it uses are three different signs"
            )
        return delimiters

    def _pass(self, text: str) -> None:
        self._offset += len(text)
        breaks = text.count("\n")
        if breaks:
            self._line += breaks
            self._column = len(text) - text.rindex("\n")
        else:
            self._column += len(text)

    def __iter__(self) -> Generator[Segment, None, None]:
        buffer, ended = self._buffer, False
        self._buffer = ""
        while True:
            end, again = self.delimiters.segment, False
            pieces = buffer.split(end)
            buffer = pieces.pop()
            for number, piece in enumerate(pieces):
                if piece[:3] == "ISA" or (piece[:1] in BETWEEN and piece.lstrip(BETWEEN)[:3] == "ISA"):
                    rest = end.join([*pieces[number:], buffer])
                    whole = ended or len(rest) >= _LONGEST_ISA
                    if not whole or self._changes(rest):
                        buffer, again = rest, whole
                        break
                segment = self._segment(piece, end)
                if segment:
                    yield segment
            heads = buffer.lstrip(BETWEEN)[:3] == "ISA" and (ended or len(buffer) >= _LONGEST_ISA)
            if again or (heads and self._changes(buffer)):
                continue
            if ended:
                break
            if len(buffer) > LONGEST_SEGMENT:
                text = buffer.lstrip(BETWEEN)
                self._pass(buffer[: len(buffer) - len(text)])
                buffer = text
            if len(buffer) > LONGEST_SEGMENT:
                buffer = yield from self._too_long(buffer)
            more = self._read()
            ended = not more
            buffer += more
        last = self._segment(buffer, "", closed=False)
        if last:
            yield last

    def _changes(self, text: str) -> bool:
        """Take over the delimiters of an interchange that begins here, and tell whether they are others."""
        found = read_delimiters(text.lstrip(BETWEEN))
        if found is None or found == self.delimiters:
            return False
        self.delimiters = found
        return True

    def _segment(self, piece: str, end: str, *, closed: bool = True) -> Segment | None:
        line, column = self._line, self._column
        offset = self._offset
        if piece[:1] in BETWEEN or piece[-1] in BETWEEN or "\n" in piece or "\r" in piece:
            text = piece.lstrip(BETWEEN)
            self._pass(piece[: len(piece) - len(text)])
            line, column, offset = self._line, self._column, self._offset
            self._pass(text + end)
            if len(text) > LONGEST_SEGMENT:
                return Segment("", line, column, closed, offset)
            # Some systems break lines at a fixed width, wherever that falls.
            text = _BREAK.sub("", text).rstrip(BETWEEN)
        else:
            text = piece
            self._offset += len(piece) + len(end)
            if end == "\n":
                self._line, self._column = line + 1, 1
            else:
                self._column = column + len(piece) + len(end)
            if len(text) > LONGEST_SEGMENT:
                return Segment("", line, column, closed, offset)
        return Segment(text, line, column, closed, offset) if text else None

    def _too_long(self, buffer: str) -> Generator[Segment, None, str]:
        """Skip to the next segment end; give one empty segment for what was skipped, and return the rest."""
        end = self.delimiters.segment
        yield Segment("", self._line, self._column, True, self._offset)
        while (at := buffer.find(end)) < 0:
            self._pass(buffer)
            buffer = self._read()
            if not buffer:
                return ""
        self._pass(buffer[: at + 1])
        return buffer[at + 1 :]
