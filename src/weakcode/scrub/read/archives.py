"""Files as they come: plain, packed with gzip or xz, or in a zip archive. What they unpack to is counted."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import attrs

from weakcode.errors import InputError
from weakcode.scrub.formats import PACKED
from weakcode.scrub.read.inputs import BUFFER, GZIP, XZ, ZIP, Stream, name_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_RATIO = 250
"""Unpacked to packed size. Wide tables with few filled columns come to about 60."""
FREE = 64 << 20
"""Bytes that may be unpacked whatever the ratio: small files of few claims pack very well."""
MOST_MEMBERS = 1_000

# What unpacking raises: BadGzipFile is an OSError, NotImplementedError (a method that is not known) a RuntimeError.
_BROKEN = (EOFError, OSError, RuntimeError, ValueError, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
_WORKBOOKS = frozenset(("xl/workbook.xml", "xl/workbook.bin"))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How workbooks of before 2007 begin."""
_LITTER = ("__MACOSX/", ".DS_Store", "Thumbs.db")


@attrs.frozen
class Member:
    """A file, or a file in an archive. `name` is what messages call it."""

    name: str
    _opener: Callable[[], IO[bytes]]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open it for reading from its start; the file can be set back to 0."""
        with self._opener() as file:
            yield cast(BinaryIO, file)


def members_of(path: str | os.PathLike[str]) -> list[Member]:
    """Return the file itself, or the files in it; raises InputError when it cannot be opened or holds none."""
    if isinstance(path, Stream):
        return [_in_stream(path)]
    name, path = name_of(path), Path(path)
    with _readable(path, name) as file:
        start = file.peek(8)[:8]
    if start.startswith(ZIP):
        return _in_zip(path, name)
    if start.startswith((GZIP, XZ)):
        packed = path.stat().st_size
        how: Callable[[Path], Any] = gzip.GzipFile if start.startswith(GZIP) else lzma.LZMAFile
        unpack = partial(how, path)
        return [Member(name, lambda: _buffered(unpack, lambda: packed, name))]
    return [Member(name, lambda: _readable(path, name))]


def _in_stream(stream: Stream) -> Member:
    """Return what a stream holds, to be opened once."""
    start = stream.file.peek(8)[:8]
    if start.startswith((GZIP, XZ)):
        how: Callable[..., Any] = gzip.open if start.startswith(GZIP) else lzma.open
        unpack = partial(how, stream.file)
        return Member(stream.name, lambda: _buffered(unpack, lambda: stream.bytes_read, stream.name, again=False))
    return Member(stream.name, lambda: stream.file)


def is_workbook(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is an Excel workbook, by its content."""
    if isinstance(path, Stream):
        return False
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
        if start == OLE:
            return True
        if not start.startswith(ZIP):
            return False
        with zipfile.ZipFile(path) as archive:
            return bool(_WORKBOOKS & set(archive.namelist()))
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def plain_suffix(name: str) -> str:
    """Return the extension that tells the format: `.csv` for `claims.csv.gz`."""
    parts = Path(name.lower())
    return Path(parts.stem).suffix if parts.suffix in PACKED else parts.suffix


def _readable(path: Path, name: str) -> io.BufferedReader:
    try:
        return io.BufferedReader(_File(path, name), BUFFER)
    except FileNotFoundError:
        raise InputError(f"{name} does not exist; give a file of claims") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder; give the files in it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be opened: {getattr(error, 'strerror', None) or error}") from None


class _File(io.FileIO):
    """A file whose errors have its name."""

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._shown = name

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise InputError(f"{self._shown} cannot be read: {error.strerror or error}") from None


def _in_zip(path: Path, name: str) -> list[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except _BROKEN as error:
        raise InputError(f"{name} is a zip archive that is damaged or cut short ({error}); fetch it again") from None
    names = {entry.filename for entry in entries}
    if _WORKBOOKS & names:
        raise InputError(f"{name} is an Excel workbook in an archive; unpack it")
    entries = [entry for entry in entries if not any(litter in entry.filename for litter in _LITTER)]
    if not entries:
        raise InputError(f"{name} is a zip archive without any file")
    if len(entries) > MOST_MEMBERS:
        raise InputError(f"{name} holds {len(entries):,} files; at most {MOST_MEMBERS:,} are read, so unpack it first")
    for entry in entries:
        if entry.flag_bits & 1:
            raise InputError(f"{name}: {entry.filename} is encrypted; unpack it with its password first")
    return [_member(path, f"{name}/{entry.filename}", entry) for entry in entries]


def _member(path: Path, name: str, entry: zipfile.ZipInfo) -> Member:
    def unpack() -> IO[bytes]:
        archive = zipfile.ZipFile(path)
        try:
            return cast(IO[bytes], _ZipMember(archive, entry))
        except BaseException:
            archive.close()
            raise

    # The real size of the archive bounds what an entry can claim to be packed into.
    packed = min(entry.compress_size, path.stat().st_size)
    return Member(name, lambda: _buffered(unpack, lambda: packed, name))


class _ZipMember(io.RawIOBase):
    """A file in a zip archive that closes its archive when it is closed."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._file = archive.open(entry)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
            self._archive.close()
        super().close()


def _buffered(
    unpack: Callable[[], IO[bytes]], packed: Callable[[], int], name: str, *, again: bool = True
) -> io.BufferedReader:
    return io.BufferedReader(_Unpacking(unpack, packed, name, again=again), BUFFER)


class _Unpacking(io.RawIOBase):
    """Unpacks while it is read, and refuses what was made to fill a disk or to run for days.

    `packed` says how large the packed form is, of a stream as far as it was read; `again` whether it can be read again.
    """

    def __init__(self, unpack: Callable[[], IO[bytes]], packed: Callable[[], int], name: str, *, again: bool) -> None:
        self._unpack = unpack
        self._packed = packed
        self._again = again
        self._name = name
        self._total = 0
        self._file = self._opened()

    def _opened(self) -> IO[bytes]:
        try:
            return self._unpack()
        except _BROKEN as error:
            raise InputError(f"{self._name} cannot be unpacked ({error}); fetch it again") from None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._again

    def tell(self) -> int:
        return self._total

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset or whence or not self._again:
            raise io.UnsupportedOperation("what is unpacked can only be set back to its start")
        self._file.close()
        self._file = self._opened()
        self._total = 0
        return 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        room = memoryview(buffer).cast("B")
        try:
            part = self._file.read(len(room))
        except _BROKEN as error:
            reason = str(error) or type(error).__name__
            raise InputError(f"{self._name} is damaged or cut short ({reason}); fetch it again") from None
        self._total += len(part)
        most = max(FREE, self._packed() * MOST_RATIO)
        if self._total > most:
            raise InputError(
                f"{self._name} unpacks to more than {most:,} bytes, over {MOST_RATIO} times its size; "
                "unpack it yourself if that is what it should be"
            )
        room[: len(part)] = part
        return len(part)

    def close(self) -> None:
        if not self.closed and hasattr(self, "_file"):
            self._file.close()
        super().close()
