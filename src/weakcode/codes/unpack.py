"""A Tabular List as CDC publishes it, as XML: plain, packed with xz or gzip, or in the zip with everything else.

The file is untrusted input. What it unpacks to is counted while it is unpacked, never taken from its own word.
"""

from __future__ import annotations

import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from weakcode.errors import EditionError

MOST_UNPACKED = 64 * 1024 * 1024
"""Bytes; the list of 2026 has nine million."""
MOST_RATIO = 100
"""Unpacked to packed size; CDC's lists come to about 25."""
MOST_MEMBERS = 200

_CHUNK = 1 << 20
_ROOT = b"<ICD10CM.tabular"
_BROKEN = (EOFError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError)


def read_published(path: Path) -> bytes:
    """Return the XML of the Tabular List in a file. Raises EditionError with one sentence when there is none."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise EditionError(f"{path.name} is not a file; give CDC's Tabular List, as XML or the zip as published.")
        if size > MOST_UNPACKED:
            raise EditionError(f"{path.name} has {size:,} bytes; a Tabular List has less than {MOST_UNPACKED:,}.")
        content = path.read_bytes()
    except OSError as error:
        raise EditionError(f"{path.name} cannot be read: {error.strerror}.") from None
    if content.startswith(b"\xfd7zXZ\0"):
        return _unpacked(lzma.open(io.BytesIO(content)), len(content), path.name)
    if content.startswith(b"\x1f\x8b"):
        return _unpacked(gzip.open(io.BytesIO(content)), len(content), path.name)
    if content.startswith(b"PK"):
        return _from_zip(content, path.name)
    return content


def _unpacked(stream: IO[Any] | gzip.GzipFile, packed: int, where: str) -> bytes:
    """Read a stream to its end, unless it turns out to be made to fill the memory."""
    most = min(MOST_UNPACKED, max(packed, 1) * MOST_RATIO)
    parts: list[bytes] = []
    total = 0
    try:
        with stream:
            while part := stream.read(_CHUNK):
                total += len(part)
                if total > most:
                    raise EditionError(
                        f"{where} unpacks to more than {most:,} bytes, which no Tabular List does; it was not read."
                    )
                parts.append(part)
    except _BROKEN as error:
        raise EditionError(f"{where} is damaged or cut short ({error}); fetch it again.") from None
    return b"".join(parts)


def _from_zip(content: bytes, where: str) -> bytes:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise EditionError(f"{where} is damaged or cut short ({error}); fetch it again.") from None
    with archive:
        members = [one for one in archive.infolist() if one.filename.lower().endswith(".xml")]
        if len(archive.infolist()) > MOST_MEMBERS:
            raise EditionError(f"{where} holds more than {MOST_MEMBERS} files; give the zip as CDC publishes it.")
        lists = [one for one in members if _is_tabular(archive, one, where)]
        if not lists:
            there = ", ".join(one.filename for one in archive.infolist()[:5]) or "nothing"
            raise EditionError(f"{where} holds no Tabular List in XML, but {there}; give CDC's table and index zip.")
        if len(lists) > 1:
            names = " and ".join(one.filename for one in lists[:2])
            raise EditionError(f"{where} holds several Tabular Lists, {names}; unpack it and give one.")
        return _unpacked(_opened(archive, lists[0], where), lists[0].compress_size, f"{where}, {lists[0].filename}")


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except _BROKEN as error:
        raise EditionError(f"{where}, {member.filename} cannot be unpacked ({error}); fetch it again.") from None


def _is_tabular(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bool:
    """Tell by its beginning whether a member is a Tabular List; the indexes in the same zip are not."""
    try:
        with _opened(archive, member, where) as stream:
            return _ROOT in stream.read(4096)
    except _BROKEN as error:
        raise EditionError(f"{where} is damaged or cut short ({error}); fetch it again.") from None
