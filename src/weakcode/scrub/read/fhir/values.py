"""Resources that have many lines, or stand in a list or Bundle: cut out of the text natively, one after the other.

What is not plain JSON is read from there by the reader of elements (`stream`), so that what becomes of a file does not
depend on how it was read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO

import attrs
import orjson

from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.fhir.stream import ENTRIES, LONGEST_RESOURCE, LOOK, Element, Elements, Inside, is_bundle

BLOCK_BYTES = 1 << 18
"""Of a file that are read at a time, more where a value is longer."""
_BLANKS = re.compile(rb"(?:[ \t\r\n]|\xef\xbb\xbf)*")
_FEW = 1 << 12

TakeAt = Callable[[bytes, int, int, int, str], tuple[int, int]]
"""Gets a text, a place in it, its line, its offset in the file and its path; returns one of REFUSED, SOUND, ADDED and
MORE, and where the value ends."""


@attrs.define
class Feed:
    """The rest of the text in memory, small parts of it first, and then the file. `beyond` is what was read of it."""

    _text: bytes
    _at: int
    _file: BinaryIO
    beyond: int = 0
    _part: int = _FEW

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none at the end."""
        part = self._text[self._at : self._at + min(size, self._part)]
        self._part *= 2
        self._at += len(part)
        if not part:
            part = self._file.read(size)
            self.beyond += len(part)
        return part


class Values:
    """Reads values from a place of a text, which goes on in the file. `line` and `offset` are those of `at`.

    `beyond` is what was read of the file; as long as it is nothing, `text` is the one that was given.
    """

    def __init__(self, text: bytes, at: int, line: int, offset: int, file: BinaryIO, take: TakeAt) -> None:
        self.text, self.at = text, at
        self.line, self.offset = line, offset
        self.beyond = 0
        self._file, self._take = file, take
        self._ended = False
        self._since = 0

    def several(self) -> Iterator[Element | None]:
        """Give the elements of the value that comes next and, as long as they have many lines, of those after it.

        None stands for a part of the file that was read.
        """
        while self._peek():
            line = self.line
            yield from self._one()
            yield from self._between()
            if self.line == line:
                return

    @property
    def is_ended(self) -> bool:
        """Whether nothing but blanks is left."""
        return not self._peek()

    def _one(self) -> Iterator[Element | None]:
        if self._peek() == b"[":
            self._skip(1)
            yield from self._list("", 0)
            return
        while len(self.text) - self.at < 4 * LOOK and self._fill():
            pass
        start = self.text[self.at : self.at + 4 * LOOK].decode("utf-8", "surrogateescape")
        if start.startswith("{") and is_bundle(start, 0):
            self._skip(1)
            if self._peek() == b"}":
                self._skip(1)
            else:
                yield from self._bundle()
        else:
            element = self._value("")
            if isinstance(element, Inside):
                yield from self._by_elements(None)
            elif element is not None:
                yield element

    def _bundle(self) -> Iterator[Element | None]:
        """Read a Bundle from one of its keys on."""
        while True:
            is_entry = self._key()
            if is_entry is None:
                yield from self._by_elements(Inside("key", ENTRIES, 0))
                return
            if is_entry:
                self._skip(1)
                if not (yield from self._list(ENTRIES, 0)):
                    return
            sign = self._peek()
            if sign not in (b",", b"}"):
                yield from self._by_elements(Inside("close", ENTRIES, 0))
                return
            self._skip(1)
            if sign == b"}":
                return
            self._peek()

    def _key(self) -> bool | None:
        """Read a key and its value, and tell whether it is a list of entries, which is left; None where that is odd."""
        while True:
            outcome, end = _claims.Lines().value_at(self.text, self.at)
            key = self.text[self.at : end]
            if outcome == _claims.SOUND and key.startswith(b'"') and b"\\" not in key:
                at = self._behind(end)
                if self.text[at : at + 1] == b":":
                    at = self._behind(at + 1)
                    if key == b'"entry"' and self.text[at : at + 1] == b"[":
                        self._skip(at - self.at)
                        return True
                    outcome, end = _claims.Lines().value_at(self.text, at)
                    if outcome == _claims.SOUND:
                        self._skip(end - self.at)
                        return False
                elif at < len(self.text):
                    return None
                if at == len(self.text):
                    outcome = _claims.MORE
            elif outcome == _claims.SOUND:
                return None
            if outcome != _claims.MORE or not self._fill():
                return None

    def _list(self, path: str, number: int) -> Generator[Element | None, None, bool]:
        """Give the items of a list from one of them on; tell whether what is around it goes on here."""
        if self._peek() == b"]":
            self._skip(1)
            return True
        while True:
            self._peek()
            element = self._value(f"{path}[{number}]")
            if isinstance(element, Inside):
                # One item only: those after it may be plain again.
                inside = True
                for element in self._by_elements(Inside("item", path, number), one=True):
                    yield element
                    inside = element is None or not element.problem
                if not inside:
                    return False
            elif element is not None:
                yield element
            yield from self._between()
            number += 1
            sign = self._peek()
            if sign not in (b",", b"]"):
                yield from self._by_elements(Inside("rest", path, number))
                return False
            self._skip(1)
            if sign == b"]":
                return True

    def _between(self) -> Iterator[None]:
        """Give None where as much was read as is given together."""
        if self._since >= BLOCK_BYTES:
            self._since = 0
            yield None

    def _value(self, path: str) -> Element | Inside | None:
        """Return the element that stands here, None where it was taken, a place where the reader of elements has to."""
        while True:
            outcome, end = self._take(self.text, self.at, self.line, self.offset, path)
            if outcome in (_claims.ADDED, _claims.SOUND):
                break
            if outcome != _claims.MORE or len(self.text) - self.at > LONGEST_RESOURCE or not self._fill():
                return Inside("item", path, 0)
        content, line, offset = self.text[self.at : end], self.line, self.offset
        self._skip(end - self.at)
        if outcome == _claims.ADDED:
            return None
        return Element(orjson.loads(content), content, line, path, start=offset, sound=True)

    def _by_elements(self, inside: Inside | None, *, one: bool = False) -> Iterator[Element]:
        """Give what the reader of elements finds from here on, of the whole value or of `one` item."""
        feed = Feed(self.text, self.at, self._file)
        elements = Elements(feed, self.line, self.offset, inside)
        for element in elements.one():
            yield element
            if one and not element.problem:
                break
        stands, rest = elements.stands, elements.rest()
        if feed.beyond:
            self.text, self.at = rest, 0
            self.beyond += feed.beyond
        else:
            self.at += stands[1] - self.offset
        self._since += stands[1] - self.offset
        self.line, self.offset = stands

    def _behind(self, at: int) -> int:
        match = _BLANKS.match(self.text, at)
        return at if match is None else match.end()

    def _peek(self) -> bytes:
        """Return the next sign that is no blank, without reading it; nothing at the end."""
        while True:
            self._skip(self._behind(self.at) - self.at)
            if self.at < len(self.text):
                return self.text[self.at : self.at + 1]
            if not self._fill():
                return b""

    def _skip(self, size: int) -> None:
        self.line += self.text.count(b"\n", self.at, self.at + size)
        self.at += size
        self.offset += size
        self._since += size

    def _fill(self) -> bool:
        """Read on, as much again while a value does not end; False at the end of the file."""
        rest = len(self.text) - self.at
        block = b"" if self._ended else self._file.read(max(BLOCK_BYTES, rest))
        self._ended = not block
        if block:
            self.text, self.at = self.text[self.at :] + block, 0
            self.beyond += len(block)
        return bool(block)
