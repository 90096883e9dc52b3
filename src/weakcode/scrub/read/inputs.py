"""What claims are read from: files by their names, and standard input, which is a file as long as it is read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import attrs

from weakcode.errors import InputError
from weakcode.visible import named

PIPE = "-"
"""The input that stands for standard input; a file of this name is `./-`."""
STANDARD_INPUT = "standard input"
"""What claims from there are told to stand in."""
_PART = 1 << 20
"""Bytes that are copied at a time."""


@attrs.frozen
class NamedFile(os.PathLike[str]):
    """A file that goes by another name than its own, in messages and in the column `file`."""

    path: Path
    name: str

    def __fspath__(self) -> str:
        return str(self.path)


def name_of(path: str | os.PathLike[str]) -> str:
    """Return the name that a file goes by."""
    return path.name if isinstance(path, NamedFile) else named(os.fspath(path))


@contextmanager
def with_standard_input(
    names: Sequence[str | os.PathLike[str]], stream: BinaryIO | None
) -> Iterator[Sequence[str | os.PathLike[str]]]:
    """Give the inputs with `stream` in the place of "-", as a file, which is gone when the block is left.

    A format is told by a look at the start and then read from the start, Parquet from its end: a pipe has each once.
    Raises InputError when "-" is there twice, when there is no stream, and when the file cannot be written.
    """
    if PIPE not in names:
        yield names
        return
    if names.count(PIPE) > 1:
        raise InputError(f"{STANDARD_INPUT} ({PIPE}) is given twice; it can be read once")
    if stream is None:
        raise InputError(f"{STANDARD_INPUT} is closed; give claims to it, or files of claims")
    with _kept(stream) as path:
        yield [NamedFile(path, STANDARD_INPUT) if name == PIPE else name for name in names]


@contextmanager
def _kept(stream: BinaryIO) -> Iterator[Path]:
    """Copy a stream into a file that only its user can read."""
    path: Path | None = None
    try:
        try:
            handle, made = tempfile.mkstemp(prefix="weakcode-")
            path = Path(made)
            with os.fdopen(handle, "wb") as file:
                while part := stream.read(_PART):
                    file.write(part)
        except OSError as error:
            raise InputError(
                f"{STANDARD_INPUT} cannot be kept in a file while it is read: {error.strerror or error}; "
                "TMPDIR names the folder for it"
            ) from None
        yield path
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
