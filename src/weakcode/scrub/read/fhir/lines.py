"""The resources of a file: lines that are a value of JSON each by orjson, values of many lines as `values` reads them.

A line counts only where both have the same value of it, which `_claims` tells: no key stands twice, no number is long
and nothing is nested deeply. So what becomes of a resource does not depend on how it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import orjson

from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.fhir.stream import LOOK, Element, is_bundle
from weakcode.scrub.read.fhir.values import TakeAt, Values

BLOCK_BYTES = 1 << 20
"""Of a file that are in memory at a time, unless a line is longer."""
_LONGEST = 1 << 24
_BLANKS = b" \t\r"

Take = Callable[[bytes, int, int], int]
"""Gets a line, its number and its offset; returns one of REFUSED, SOUND and ADDED."""


class Resources:
    """The resources of a file: entries of Bundles, members of lists, values that follow each other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._text = b""
        self._ended = False
        self._line = 1
        self._offset = 0
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Element]:
        lines = _claims.Lines()
        each = self.each(lambda line, *_: lines.add(line), lambda text, at, *_: lines.add_at(text, at)[:2])
        return (element for element in each if element is not None)

    def each(self, take: Take, take_at: TakeAt) -> Iterator[Element | None]:
        """Give each element that is not taken, and None whenever a part of the file was read."""
        while self._more():
            yield from self._part(take, take_at)
            yield None

    def _more(self) -> bool:
        """Have whole lines in memory, all that remains, or what is too long for a line; False at the end."""
        wanted = BLOCK_BYTES
        while not self._ended and len(self._text) < wanted:
            block = self._file.read(max(BLOCK_BYTES, len(self._text)))
            self.bytes_read += len(block)
            self._ended = not block
            self._text += block
            if b"\n" not in self._text:
                wanted = _LONGEST
        return bool(self._text)

    def _part(self, take: Take, take_at: TakeAt) -> Iterator[Element | None]:
        """Read the lines in memory, of which the last may be no whole one and is left for the next part."""
        text, first = self._text, self._offset
        lines = text.split(b"\n")
        if not self._ended and len(lines) > 1:
            lines.pop()
        at, start, number = 0, 0, self._line
        while at < len(lines):
            line = lines[at]
            outcome = take(line, number, first + start)
            element = element_of(line, number, first + start) if outcome == _claims.SOUND else None
            if element is not None:
                yield element
            elif outcome != _claims.ADDED and line.strip(_BLANKS):
                values = Values(text, start, number, first + start, self._file, take_at)
                yield from values.several()
                is_ended = values.is_ended
                self.bytes_read += values.beyond
                if is_ended or values.beyond:
                    self._text, self._offset, self._line = values.text[values.at :], values.offset, values.line
                    self._ended = self._ended or is_ended
                    return
                number, stop = values.line, values.at
                while start + len(lines[at]) < stop:
                    start, at = start + len(lines[at]) + 1, at + 1
                    if at == len(lines):
                        break
                else:
                    lines[at] = lines[at][stop - start :]
                start = stop
                continue
            at, start, number = at + 1, start + len(line) + 1, number + 1
        self._text, self._offset, self._line = text[start:], first + start, number


def element_of(line: bytes, number: int, start: int, path: str = "") -> Element | None:
    """Return the element that a line at this offset is; None for what orjson refuses, and for a Bundle."""
    if b'"Bundle"' in line[:LOOK] and is_bundle(line[: 4 * LOOK].decode("utf-8", "surrogateescape").lstrip(), 0):
        return None
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if value.get("resourceType") == "Bundle":
        return None
    text = line.strip(_BLANKS)
    return Element(value, text, number, path, start=start + line.index(text), sound=True)
