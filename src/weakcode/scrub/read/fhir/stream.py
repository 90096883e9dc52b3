"""The resources of a JSON file, one at a time, with their lines and paths. Memory holds one resource, not the file."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

import attrs

from weakcode.scrub.read.keys import paired

LONGEST_RESOURCE = 32 << 20
"""Characters. A claim has some thousand; a longer one is not taken into memory."""
_BLOCK = 1 << 16
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_STEP = re.compile(r"(?:^|\.)([a-z]\w*)|\[(\d+)\]")
"""A step of a path; types of resources, which begin with a capital, are none."""
LOOK = 4096
"""Characters in which an object says that it is a Bundle, if it is one that is read entry by entry."""
ENTRIES = "Bundle.entry"
_UNFINISHED = 12
"""An error this near to the end of what was read may be no error: `tru`, `\\u00`."""


@attrs.frozen
class Element:
    """A value of the file: its JSON, text and 1-based line, and its path as FHIR writes paths.

    Where `problem` is given there is no value: what stands there is no JSON. `start` is the byte at which it begins.
    """

    value: Any
    content: str | bytes
    line: int
    path: str
    problem: str = ""
    start: int = 0
    sound: bool = False
    """Whether the value is known to have no key twice and no text but UTF-8."""

    @property
    def text(self) -> str:
        """The text of the value."""
        return self.content if isinstance(self.content, str) else self.content.decode("utf-8", "surrogateescape")

    def origin(self, path: str, indexes: tuple[int, ...]) -> ElementOrigin:
        """Return where a resource of the element stands that has this path, with the places of its diagnoses."""
        steps = _STEP.findall(path.removeprefix(self.path))
        stop = self.start + (_size(self.content) if isinstance(self.content, str) else len(self.content))
        return ElementOrigin(self.start, stop, tuple(int(at) if at else name for name, at in steps), indexes)


@attrs.frozen
class ElementOrigin:
    """The bytes of an element, the steps from there to a resource, and the places in `diagnosis` of its diagnoses."""

    start: int
    stop: int
    steps: tuple[str | int, ...]
    indexes: tuple[int, ...]


@attrs.frozen
class Inside:
    """Where in a list or Bundle a reading begins: before an `item`, after one (`rest`), before a `key` of a Bundle, or
    behind the value of one (`close`). `path` is that of the list, empty for one that is no Bundle's; `number` is that
    of the next item.
    """

    state: str
    path: str
    number: int


class _Broken(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most so many; none at the end."""


class Elements:
    """Iterator over the resources of a file: entries of Bundles, members of lists, values that follow each other.

    The file may be the rest of one; `line` and `offset` say where it begins, `inside` that it does so in a value.
    """

    def __init__(self, file: Readable, line: int = 1, offset: int = 0, inside: Inside | None = None) -> None:
        self._file = file
        self._inside = inside
        self._decode_bytes = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._decoder = json.JSONDecoder(object_pairs_hook=paired)
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = line
        self._offset = offset
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Element]:
        while self.here() is not None:
            yield from self.one()

    def here(self) -> tuple[int, int] | None:
        """Return line and offset of the value, list or Bundle that comes next; None at the end of the file."""
        return (self._line, self._offset) if self._peek() else None

    @property
    def stands(self) -> tuple[int, int]:
        """Line and offset of what comes next, blanks included."""
        return self._line, self._offset

    def rest(self) -> bytes:
        """Return what was read from the file and is no part of any element yet."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._decode_bytes.getstate()[0]

    def one(self) -> Iterator[Element]:
        """Give the elements of the value, list or Bundle that comes next."""
        try:
            yield from self._top()
        except _Broken as error:
            yield Element(None, "", error.line, "", error.problem)
            self._resume()

    def _top(self) -> Iterator[Element]:
        inside, self._inside = self._inside, None
        if inside is not None:
            yield from self._from(inside)
            return
        sign = self._peek()
        if sign == "[":
            self._skip(1)
            yield from self._list("")
            return
        while len(self._text) - self._at < LOOK and self._fill():
            pass
        if sign == "{" and is_bundle(self._text, self._at):
            yield from self._bundle()
        else:
            yield self._value()

    def _from(self, inside: Inside) -> Iterator[Element]:
        """Read on inside a list or Bundle, to its end."""
        if inside.state in ("item", "rest"):
            yield from self._items(inside.path, inside.number, inside.state == "item")
        if inside.path and (inside.state == "key" or self._expect(",}") == ","):
            yield from self._keys()

    def _bundle(self) -> Iterator[Element]:
        """Read a Bundle key by key, its entries one by one."""
        self._skip(1)
        if self._peek() == "}":
            self._skip(1)
        else:
            yield from self._keys()

    def _keys(self) -> Iterator[Element]:
        while True:
            if self._peek() != '"':
                raise self._expected("a name in quotes")
            key = self._value().value
            self._expect(":")
            if key == "entry" and self._peek() == "[":
                self._skip(1)
                yield from self._list(ENTRIES)
            else:
                self._value()
            if self._expect(",}") == "}":
                return

    def _list(self, path: str) -> Iterator[Element]:
        if self._peek() == "]":
            self._skip(1)
        else:
            yield from self._items(path, 0, True)

    def _items(self, path: str, number: int, has_one: bool) -> Iterator[Element]:
        while has_one or self._expect(",]") == ",":
            yield attrs.evolve(self._value(), path=f"{path}[{number}]")
            number, has_one = number + 1, False

    def _value(self) -> Element:
        self._peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                near_end = error.pos >= len(self._text) - _UNFINISHED or error.msg.startswith("Unterminated")
                if near_end and not self._ended:
                    if len(self._text) - self._at > LONGEST_RESOURCE:
                        raise _Broken(f"a value is longer than {LONGEST_RESOURCE:,} characters", self._line) from None
                    self._fill()
                    continue
                if error.pos >= len(self._text.rstrip()) or (error.msg.startswith("Unterminated") and self._ended):
                    raise _Broken("the file breaks off inside a value", self._line) from None
                line = self._line + self._text.count("\n", self._at, error.pos)
                raise _Broken(f"what stands there is not JSON: {error.msg}", line) from None
            except RecursionError:
                raise _Broken("a value is nested too deeply", self._line) from None
            except ValueError:
                raise _Broken("a number is too long to read", self._line) from None
            if end == len(self._text) and not self._ended:
                self._fill()
                continue
            text, line, start = self._text[self._at : end], self._line, self._offset
            self._skip(end - self._at)
            return Element(value, text, line, "", start=start)

    def _peek(self) -> str:
        """Return the next sign that is no blank, without reading it; an empty string at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            assert match is not None
            self._skip(match.end() - self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def _expect(self, signs: str) -> str:
        sign = self._peek()
        if not sign or sign not in signs:
            raise self._expected(" or ".join(signs))
        self._skip(1)
        return sign

    def _expected(self, what: str) -> _Broken:
        if not self._peek():
            return _Broken("the file breaks off inside a Bundle or list", self._line)
        return _Broken(f"what stands there is not JSON: expected {what}", self._line)

    def _skip(self, number: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + number)
        self._offset += _size(self._text[self._at : self._at + number])
        self._at += number

    def _fill(self) -> bool:
        """Read on, twice as much each time while a value does not end; False at the end of the file."""
        rest = len(self._text) - self._at
        block = self._file.read(max(_BLOCK, rest))
        self.bytes_read += len(block)
        self._ended = self._ended or not block
        self._text = self._text[self._at :] + self._decode_bytes.decode(block, not block)
        self._at = 0
        return not self._ended

    def _resume(self) -> None:
        """Go on at the next line that begins an object: after a bad line, or a Bundle that broke off."""
        while True:
            found = self._text.find("\n{", self._at)
            if found >= 0:
                self._skip(found + 1 - self._at)
                return
            # The line break may be the last sign read so far.
            self._skip(max(len(self._text) - 1 - self._at, 0))
            if not self._fill():
                self._skip(len(self._text) - self._at)
                return


def is_bundle(text: str, at: int) -> bool:
    """Tell whether the object that begins at a place of a text says early that it is a Bundle."""
    depth, named = 0, -1
    for match in _MARKS.finditer(text, at, at + LOOK):
        mark = match[0]
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if not depth:
                return False
        elif depth == 1:
            if named >= 0 and text[named : match.start()].strip() == ":":
                return mark == '"Bundle"'
            named = match.end() if mark == '"resourceType"' else -1
    return False


def _size(text: str) -> int:
    """Return how many bytes a text of the file has there."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))
