"""Text that is not UTF-8: files in another encoding, and lines of Windows-1252 among lines of UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from weakcode.errors import InputError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 16
_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_HIGH = re.compile(rb"[\x80-\xff]+")
_TEXT_BESIDE = re.compile(rb"[A-Za-z \x80-\xff]")


def encoding_of(start: bytes) -> str | None:
    """Return the encoding that the start of a file shows to be UTF-16 or UTF-32, None for any other."""
    for mark, name in _BOMS.items():
        if start.startswith(mark):
            return name
    # Without a mark: text of English letters has a zero in every second byte.
    even, odd = start[0:512:2], start[1:512:2]
    if len(odd) >= 8 and 0 not in even and odd.count(0) > 0.9 * len(odd):
        return "utf-16-le"
    if len(odd) >= 8 and 0 not in odd and even.count(0) > 0.9 * len(even):
        return "utf-16-be"
    return None


def recoded(file: BinaryIO, encoding: str, name: str) -> BinaryIO:
    """Return the text of a file in an encoding as UTF-8, read from its start; its first bytes can be looked at."""
    return cast(BinaryIO, io.BufferedReader(_Recoding(file, encoding, name), 1 << 17))


class _Recoding(io.RawIOBase):
    """Decodes while it is read. Raises InputError at a byte that is none of the encoding."""

    def __init__(self, file: BinaryIO, encoding: str, name: str) -> None:
        self._file, self._encoding, self._name = file, encoding, name
        self._begin()

    def _begin(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self._encoding)()
        self._decoded = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset or whence:
            raise io.UnsupportedOperation("what is decoded can only be set back to its start")
        self._file.seek(0)
        self._begin()
        return 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        while not self._decoded and not self._ended:
            part = self._file.read(_BLOCK)
            self._ended = not part
            try:
                self._decoded = self._decoder.decode(part, self._ended).encode("utf-8")
            except UnicodeError as error:
                reason = f"{error.reason}" if isinstance(error, UnicodeDecodeError) else str(error)
                raise InputError(
                    f"{self._name} is not text in {self._encoding} ({reason}); --encoding says in which it is"
                ) from None
        size = min(len(view), len(self._decoded))
        view[:size] = self._decoded[:size]
        self._decoded = self._decoded[size:]
        return size


class WindowsLines:
    """A file of lines of which those that are text in Windows-1252, and cannot be UTF-8, are given as UTF-8.

    A line is taken for such where each byte that is not ASCII stands in or beside a word, and none of them is part of a
    character in UTF-8; any other line stays as it is. `on_line` gets the number of lines.
    """

    def __init__(self, file: BinaryIO, on_line: Callable[[int], None]) -> None:
        self._file = file
        self._on_line = on_line

    def read(self, size: int) -> bytes:
        """Return about so many bytes, up to the end of a line."""
        part = self._file.read(size)
        if part and not part.endswith(b"\n"):
            part += self._file.readline(1 << 20)
        return part if _is_utf8(part) else b"".join(map(self._line, part.splitlines(keepends=True)))

    def readline(self, limit: int = -1) -> bytes:
        """Return the next line, or so much of it."""
        line = self._file.readline(limit)
        return line if _is_utf8(line) else self._line(line)

    def _line(self, line: bytes) -> bytes:
        if _is_utf8(line) or not _is_windows(line):
            return line
        self._on_line(1)
        return line.decode("cp1252").encode("utf-8")


def _is_utf8(part: bytes) -> bool:
    if part.isascii():
        return True
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_windows(line: bytes) -> bool:
    for match in _HIGH.finditer(line):
        if _is_utf8(match[0]):
            return False
        beside = line[max(match.start() - 1, 0) : match.start()] + line[match.end() : match.end() + 1]
        if not _TEXT_BESIDE.search(beside):
            return False
    try:
        line.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True
