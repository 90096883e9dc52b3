"""The lines of a file as bytes, with a bound on memory whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from weakcode.scrub.read.rows import BadRow

LONGEST_LINE = 1 << 20
"""Bytes. A claim is a few hundred; a longer line is some other file, and is not taken into memory."""


class Ahead:
    """A file whose next lines can be looked at before they are read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._buffer = b""
        self._at = 0

    def block(self, size: int) -> bytes:
        """Return the whole lines that make up about so many bytes, without reading them.

        Ends in the middle of a line when that is longer than any line of a claim.
        """
        buffer = self._buffer[self._at :]
        if len(buffer) < size:
            buffer += self._file.read(size - len(buffer))
            if buffer and not buffer.endswith(b"\n"):
                buffer += self._file.readline(LONGEST_LINE)
        self._buffer, self._at = buffer, 0
        end = len(buffer) if len(buffer) < 2 * size else buffer.rfind(b"\n", 0, size) + 1
        return buffer[: end or len(buffer)]

    def skip(self, size: int) -> None:
        """Take so many bytes of what was looked at for read."""
        self._at += size

    def readline(self, limit: int) -> bytes:
        """Return the next line, or so much of it."""
        if self._at >= len(self._buffer):
            return self._file.readline(limit)
        end = self._buffer.find(b"\n", self._at, self._at + limit) + 1
        line = self._buffer[self._at : end or min(self._at + limit, len(self._buffer))]
        self._at += len(line)
        if not line.endswith(b"\n") and len(line) < limit:
            line += self._file.readline(limit - len(line))
        return line


class Lines:
    """Iterator of (1-based line number, line without its end); a line that is too long is given as None.

    `bytes_read` says how far it is, `push_back` returns lines that are to be read again.
    """

    def __init__(self, file: BinaryIO | Ahead, first_line: int = 1) -> None:
        self._file = file
        self._next = first_line
        self._again: list[tuple[int, bytes | None]] = []
        self.bytes_read = 0

    def __iter__(self) -> Iterator[tuple[int, bytes | None]]:
        return self

    def __next__(self) -> tuple[int, bytes | None]:
        if self._again:
            return self._again.pop()
        line: bytes | None = self._file.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.bytes_read += len(line)
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            while line and not line.endswith(b"\n"):
                line = self._file.readline(LONGEST_LINE)
                self.bytes_read += len(line)
            line = None
        number, self._next = self._next, self._next + 1
        return number, None if line is None else line.rstrip(b"\r\n")

    def skip(self, lines: int, size: int) -> None:
        """Count lines that were read by someone else."""
        self._next += lines
        self.bytes_read += size

    @property
    def waiting(self) -> bool:
        """Whether lines that were pushed back are to be read again."""
        return bool(self._again)

    @property
    def next_line(self) -> int:
        """The number of the next line of the file."""
        return self._next

    def push_back(self, lines: list[tuple[int, bytes | None]]) -> None:
        """Give these lines, in this order, before the rest of the file."""
        self._again.extend(reversed(lines))


def decoded(line: bytes | None) -> str:
    """Return the line as text; raises BadRow where it is too long or not UTF-8."""
    if line is None:
        raise BadRow("length", f"the line is longer than {LONGEST_LINE:,} bytes")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRow(
            "encoding", f"byte {error.start + 1} of the line is 0x{line[error.start]:02x}, which is not UTF-8"
        ) from None


def shown(line: bytes | None) -> str:
    """Return the line for a rejects file, whatever its bytes are."""
    return "" if line is None else line.decode("utf-8", "backslashreplace")
