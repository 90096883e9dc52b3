"""What claims are read from: files by their names, standard input, and other streams that can be read once."""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import re
import stat
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from weakcode.base.temporary import SPOOL, locked, remove_dead
from weakcode.errors import InputError
from weakcode.scrub.formats import FORMATS
from weakcode.visible import named

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIPE = "-"
"""The input that stands for standard input; a file of this name is `./-`."""
STANDARD_INPUT = "standard input"
"""What messages call it."""
MOST_SPOOLED = 4 << 30
"""Bytes of a stream that are kept in a file, for formats that are not read from start to end."""
BUFFER = 1 << 17
"""Bytes that can be looked at before anything is read."""
_PART = 1 << 20
"""Bytes that are copied at a time."""
GZIP, XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_FHIR = re.compile(rb'"resourceType"\s*:')
_CLAIM = re.compile(rb'"(?:codes|claim_?id)"\s*:', re.IGNORECASE)


@attrs.frozen
class NamedFile(os.PathLike[str]):
    """A file that goes by another name than its own, in messages and in the column `file`."""

    path: Path
    name: str

    def __fspath__(self) -> str:
        return str(self.path)


class Stream(os.PathLike[str]):
    """A stream that is read once, from its start; its first bytes can be looked at before."""

    def __init__(self, raw: _Once, name: str) -> None:
        self._raw = raw
        self.name = name
        self.file = io.BufferedReader(raw, BUFFER)

    def __fspath__(self) -> str:
        return self.name

    @property
    def bytes_read(self) -> int:
        """Bytes that were taken out of the stream so far."""
        return self._raw.total

    @property
    def sha256(self) -> str:
        """The SHA-256 of these bytes."""
        return self._raw.digest.hexdigest()


class _Once(io.RawIOBase):
    """Reads from a stream, the first bytes of which it holds."""

    def __init__(self, stream: Any, name: str) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._name = name
        self.total = 0
        self.digest = hashlib.sha256()
        self.head = b""
        while len(self.head) < BUFFER and (part := self._part(BUFFER - len(self.head))):
            self.head += part

    def _part(self, size: int) -> bytes:
        try:
            part = self._read(size)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{self._name} cannot be read: {reason}") from None
        self.total += len(part or b"")
        self.digest.update(part or b"")
        return part or b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        part = self.head[: len(view)] or self._part(len(view))
        self.head = self.head[len(part) :]
        view[: len(part)] = part
        return len(part)


def name_of(path: str | os.PathLike[str]) -> str:
    """Return the name that a file goes by."""
    return path.name if isinstance(path, NamedFile | Stream) else named(os.fspath(path))


def looks_like_fhir(start: bytes, suffix: str) -> bool:
    """Tell whether the start of a file is that of a resource of FHIR; `suffix` is the extension of its name."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] not in (b"{", b"["):
        return False
    return bool(_FHIR.search(text)) or (suffix == ".json" and not _CLAIM.search(text))


def check_standard_input(names: Sequence[str | os.PathLike[str]], stream: BinaryIO | None) -> None:
    """Raise InputError when "-" is there twice, and when there is no stream for it."""
    if names.count(PIPE) > 1:
        raise InputError(f"{STANDARD_INPUT} ({PIPE}) is given twice; it can be read once")
    if PIPE in names and stream is None:
        raise InputError(f"{STANDARD_INPUT} is closed; give claims to it, or files of claims")


@contextmanager
def opened_input(path: str | os.PathLike[str], stream: BinaryIO | None = None) -> Iterator[str | os.PathLike[str]]:
    """Give an input as a file, or as a `Stream` where it can be read once: a pipe, a device, `stream` for "-".

    What is read from start to end is never kept: CSV, JSON Lines, X12, plain or packed with gzip or xz. Parquet, Arrow,
    zip archives and FHIR, whose resources refer to later ones, are kept in a file as long as the block runs, up to
    `MOST_SPOOLED` bytes. Raises InputError where that is too little, or cannot be written.
    """
    if path == PIPE and stream is not None:
        with read_once(stream, STANDARD_INPUT) as given:
            yield given
        return
    if isinstance(path, NamedFile | Stream) or not _is_stream(path):
        yield path
        return
    try:
        opened = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except OSError as error:
        raise InputError(f"{name_of(path)} cannot be opened: {error.strerror or error}") from None
    with opened, read_once(opened, name_of(path)) as given:
        yield given


def _is_stream(path: str | os.PathLike[str]) -> bool:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - what is given may be any text
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


@contextmanager
def read_once(stream: Any, name: str) -> Iterator[str | os.PathLike[str]]:
    """Give a stream as a `Stream`, or in a file where its format is not read from start to end."""
    raw = _Once(stream, name)
    start = raw.head
    by_path = start.startswith(ZIP) or any(one.needs_path and one.is_begun(start) for one in FORMATS.values())
    if by_path or looks_like_fhir(_unpacked_start(start), Path(name.lower()).suffix):
        with _spooled(raw, name) as path:
            yield NamedFile(path, name)
        return
    yield Stream(raw, name)


def _unpacked_start(start: bytes) -> bytes:
    """Return the start of what is packed, as far as the start of the packed file tells."""
    with suppress(zlib.error, lzma.LZMAError, EOFError):
        if start.startswith(GZIP):
            return zlib.decompressobj(wbits=31).decompress(start, BUFFER)
        if start.startswith(XZ):
            return lzma.LZMADecompressor(memlimit=256 << 20).decompress(start, BUFFER)
    return start


@contextmanager
def _spooled(raw: _Once, name: str) -> Iterator[Path]:
    """Copy a stream into a file that only its user can read, and that is gone when the block is left."""
    path: Path | None = None
    handle = -1
    buffer = bytearray(_PART)
    try:
        try:
            remove_dead(Path(tempfile.gettempdir()), SPOOL)
            handle, made = tempfile.mkstemp(prefix="weakcode-", suffix=".spool")
            path, total = Path(made), 0
            locked(handle, path)
            while size := raw.readinto(buffer):
                total += size
                if total > MOST_SPOOLED:
                    raise InputError(
                        f"{name} holds more than {MOST_SPOOLED:,} bytes of a format that is not read from start to "
                        "end; give it as a file"
                    )
                _write(handle, memoryview(buffer)[:size])
        except OSError as error:
            raise InputError(
                f"{name} cannot be kept in a file while it is read: {error.strerror or error}; "
                "TMPDIR names the folder for it"
            ) from None
        yield path
    finally:
        if path is not None:
            path.unlink(missing_ok=True)
            os.close(handle)


def _write(handle: int, part: memoryview) -> None:
    while part:
        part = part[os.write(handle, part) :]
