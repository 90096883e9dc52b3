"""The files of a release as CDC and CMS publish them: plain, packed with xz or gzip, or in a zip with everything else.

The kind of a member of a zip is detected from its content, since names change every year. The files are untrusted:
what they unpack to is counted while they are unpacked, never taken from their own word.
"""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Literal

import attrs

from weakcode.codes.sources import orders
from weakcode.errors import EditionError

MOST_UNPACKED = 64 * 1024 * 1024
"""Bytes; the list of 2026 has nine million."""
MOST_RATIO = 100
"""Unpacked to packed size; CDC's lists come to about 25."""
MOST_MEMBERS = 200

Kind = Literal["tabular", "index", "order", "addenda"]

_CHUNK = 1 << 20
_ROOTS: dict[bytes, Kind] = {b"<ICD10CM.tabular": "tabular", b"<ICD10CM.index": "index"}
_HEAD = 4096
_BROKEN = (EOFError, lzma.LZMAError, zlib.error, struct.error, zipfile.BadZipFile, RuntimeError, OSError, ValueError)


@attrs.frozen
class ReleasePart:
    """One file of a release: what it is by its content, its name, and the file it was found in, for errors."""

    kind: Kind
    name: str
    where: str
    content: bytes


def read_published(path: Path) -> bytes:
    """Return the XML of the Tabular List in a file. Raises EditionError with one sentence when there is none."""
    content = read_file(path)
    if content.startswith(b"PK"):
        return tabular_in(parts_of(content, path.name, ("tabular",)), content, path.name).content
    return content


def read_file(path: Path) -> bytes:
    """Return the content of a file, unpacked where it is xz or gzip; a zip as it is. Raises EditionError."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise EditionError(f"{path.name} is not a file; give CDC's Tabular List, as XML or the zip as published.")
        if size > MOST_UNPACKED:
            raise EditionError(f"{path.name} has {size:,} bytes; a Tabular List has less than {MOST_UNPACKED:,}.")
        content = path.read_bytes()
    except OSError as error:
        raise EditionError(f"{path.name} cannot be read: {error.strerror}.") from None
    return unpacked(content, path.name)


def unpacked(content: bytes, where: str) -> bytes:
    """Return content that is packed with xz or gzip unpacked, other as it is. Raises EditionError where damaged."""
    if content.startswith(b"\xfd7zXZ\0"):
        return _unpacked(lzma.open(io.BytesIO(content)), len(content), where)
    if content.startswith(b"\x1f\x8b"):
        return _unpacked(gzip.open(io.BytesIO(content)), len(content), where)
    return content


def kind_of(head: bytes) -> Kind | None:
    """Tell what a file of a release is by its first bytes."""
    for root, kind in _ROOTS.items():
        if root in head:
            return kind
    return orders.kind_of(head)


def parts_of(content: bytes, where: str, kinds: tuple[Kind, ...]) -> tuple[ReleasePart, ...]:
    """Return the files of the wanted kinds in a zip, or the file itself where it is no zip and of such a kind.

    Raises EditionError for a zip that is damaged, cut short or made to fill the memory.
    """
    if not content.startswith(b"PK"):
        kind = kind_of(content[:_HEAD])
        return (ReleasePart(kind, where, where, content),) if kind in kinds else ()
    parts: list[ReleasePart] = []
    with _archive(content, where) as archive:
        for member in archive.infolist():
            if not member.filename.lower().endswith((".xml", ".txt")):
                continue
            kind = kind_of(_head(archive, member, where))
            if kind in kinds:
                inner = f"{where}, {member.filename}"
                unpacked = _unpacked(_opened(archive, member, where), member.compress_size, inner)
                parts.append(ReleasePart(kind, member.filename, inner, unpacked))
                if sum(len(part.content) for part in parts) > 2 * MOST_UNPACKED:
                    raise EditionError(f"{where} unpacks to more than {2 * MOST_UNPACKED:,} bytes; it was not read.")
    return tuple(parts)


def tabular_in(parts: tuple[ReleasePart, ...], content: bytes, where: str) -> ReleasePart:
    """Return the one Tabular List among the parts of a file. Raises EditionError for none, and for several."""
    lists = [part for part in parts if part.kind == "tabular"]
    if not lists:
        raise EditionError(f"{where} holds no Tabular List in XML, but {_members(content, where)}.")
    if len(lists) > 1:
        names = " and ".join(part.name for part in lists[:2])
        raise EditionError(f"{where} holds several Tabular Lists, {names}; unpack it and give one.")
    return lists[0]


def _members(content: bytes, where: str) -> str:
    if content.startswith(b"PK"):
        with _archive(content, where) as archive:
            names = ", ".join(one.filename for one in archive.infolist()[:5]) or "nothing"
        return f"{names}; give CDC's table and index zip"
    if content.lstrip()[:1] == b"<":
        return "a page or another document"
    return "something else"


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


def _archive(content: bytes, where: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise EditionError(f"{where} is damaged or cut short ({error}); fetch it again.") from None
    if len(archive.infolist()) > MOST_MEMBERS:
        raise EditionError(f"{where} holds more than {MOST_MEMBERS} files; give the zip as CDC publishes it.")
    return archive


def _opened(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except _BROKEN as error:
        raise EditionError(f"{where}, {member.filename} cannot be unpacked ({error}); fetch it again.") from None


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bytes:
    """Return the beginning of a member."""
    try:
        with _opened(archive, member, where) as stream:
            return stream.read(_HEAD)
    except _BROKEN as error:
        raise EditionError(f"{where} is damaged or cut short ({error}); fetch it again.") from None
