"""The tables of CMS's Medicare Coverage Database, as CMS publishes them: a zip of CSV files, often a zip in a zip.

The names of the tables in a file say which one it is, never its own. Tables are UTF-8 or Windows-1252, with or without
a byte order mark, their columns in any order. The files are untrusted input: what they unpack to is counted
while they are unpacked.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import hashlib
import io
import lzma
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path, PurePosixPath

import attrs

from weakcode.errors import InputError, did_you_mean
from weakcode.visible import visible

MOST_UNPACKED = 1 << 30
"""Bytes of all tables together; those of all articles of 2026 have some 300 million."""
MOST_MEMBERS = 2_000
_DEEPEST = 3
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, struct.error, zipfile.BadZipFile, RuntimeError, OSError, ValueError)
"""What a damaged zip raises; a place before its beginning and a name that is no text are ValueErrors."""

_PARTED = {"\t": "tabs", ";": "semicolons", "|": "bars"}

Row = tuple[str, ...]


@attrs.frozen
class Table:
    """A table that is asked for: its file, the columns that it must have, and those that it may have.

    Some tables changed their names over the years; `names` are all of them.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    required: bool = False


@attrs.frozen(eq=False)
class PublishedFile:
    """A file as it was published: rows of its tables, with the values of `Table.columns` and then `Table.optional`.

    A table that is not there has no entry in `rows`, a column that is not there is blank in every row. `absent` says
    what is not there. `day` is the newest day on which a member of the zip was made, None where that is not known.
    """

    kind: str
    file: str
    sha256: str
    day: date | None
    rows: Mapping[str, Sequence[Row]]
    absent: tuple[str, ...]


def members_of(path: Path, wanted: frozenset[str]) -> tuple[dict[str, tuple[bytes, str]], str, date | None]:
    """Return the CSV files in a zip, or in zips in it: content and place by lower-case name; its SHA-256; its day.

    Of files that are not `wanted` the content is left out. Raises InputError for anything that is not a zip, is
    damaged, or unpacks to more than a file of CMS's does.
    """
    name = visible(path.name)
    try:
        if path.is_dir():
            raise InputError(f'"{visible(str(path))}" is a folder; give a zip of the Medicare Coverage Database')
        if not path.is_file():
            raise InputError(f'there is no file "{visible(str(path))}"; give a zip of the Medicare Coverage Database')
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {(error.strerror or 'unknown reason').lower()}") from None
    if not content.startswith(b"PK"):
        raise InputError(
            f"{name} is not a zip; give a zip as the Medicare Coverage Database has it, such as current_article.zip"
        )
    found: dict[str, tuple[bytes, str]] = {}
    days: list[date] = []
    _collect(content, name, _Collected(wanted, found, days, [MOST_UNPACKED]), 0)
    return found, hashlib.sha256(content).hexdigest(), max(days, default=None)


@attrs.frozen
class _Collected:
    """What is found in a zip and those in it; `left` is how many bytes may still be unpacked."""

    wanted: frozenset[str]
    found: dict[str, tuple[bytes, str]]
    days: list[date]
    left: list[int]


def _collect(content: bytes, where: str, into: _Collected, depth: int) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_MEMBERS:
                raise InputError(f"{where} holds more than {MOST_MEMBERS:,} files; give the zip as CMS publishes it")
            for info in infos:
                _member(archive, info, where, into, depth)
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{where} is damaged or cut short ({visible(str(error))}); download it again") from None


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, into: _Collected, depth: int) -> None:
    name = PurePosixPath(info.filename.replace("\\", "/")).name.lower()
    place = f"{where}, {visible(name)}"
    if name.endswith(".zip") and depth < _DEEPEST:
        inner = _unpacked(archive, info, place, into.left)
        _collect(inner, place, into, depth + 1)
    elif name.endswith(".csv"):
        if name in into.found:
            raise InputError(f"{where} holds {visible(name)} twice; give the zip as CMS publishes it")
        content = b""
        if name in into.wanted:
            content = _unpacked(archive, info, place, into.left)
            with contextlib.suppress(ValueError):
                into.days.append(date(*info.date_time[:3]))
        into.found[name] = (content, place)


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str, left: list[int]) -> bytes:
    """Return the content of a member, of which no more is unpacked than the zip tells; that is looked at first."""
    left[0] -= info.file_size
    if left[0] < 0:
        raise InputError(f"{where} unpacks to more than {MOST_UNPACKED:,} bytes in all; it was not read")
    with archive.open(info) as stream:
        return stream.read()


def text_of(content: bytes) -> str:
    """Return the text of a table: UTF-8 or UTF-16 with a byte order mark, UTF-8, or else Windows-1252."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def published(
    kind: str,
    tables: Mapping[str, Table],
    members: Mapping[str, tuple[bytes, str]],
    file: str,
    sha256: str,
    day: date | None,
) -> PublishedFile:
    """Return the tables of one kind of file. Raises InputError for one that is missing, damaged or another."""
    rows: dict[str, Sequence[Row]] = {}
    absent: list[str] = []
    for key, table in tables.items():
        name = next((f"{one}.csv" for one in table.names if f"{one}.csv" in members), None)
        if name is None:
            if table.required:
                wanted = f"{table.names[0]}.csv"
                others = [one for one in members if not members[one][0]]
                hint = did_you_mean(wanted, others) or f"; it holds {_names_text(members)}"
                raise InputError(f"{file} has no table {wanted}{hint}; nothing was installed")
            absent.append(table.names[0])
            continue
        content, where = members[name]
        read, without = _rows(content, where, table)
        rows[key] = read
        absent += [f"{name.removesuffix('.csv')}.{column}" for column in without]
    return PublishedFile(kind, file, sha256, day, rows, tuple(absent))


def _names_text(names: Mapping[str, object]) -> str:
    shown_names = sorted(visible(name) for name in names)
    more = f" and {len(shown_names) - 5} more" if len(shown_names) > 5 else ""
    return (", ".join(shown_names[:5]) + more) or "no tables at all"


def _rows(content: bytes, where: str, table: Table) -> tuple[list[Row], list[str]]:
    has_mark = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = text_of(content) if has_mark or b"\0" not in content else "\0"
    if "\0" in text:
        raise InputError(f"{where} holds bytes that are no text; it is damaged, download it again")
    before = csv.field_size_limit(min(sys.maxsize, MOST_UNPACKED, 2**31 - 1))
    try:
        return _parsed(csv.reader(io.StringIO(text, newline=""), strict=True), where, table)
    finally:
        csv.field_size_limit(before)


def _parsed(reader: Iterator[list[str]], where: str, table: Table) -> tuple[list[Row], list[str]]:
    line = 1
    try:
        head = [name.strip().lower() for name in next(reader, [])]
        again = next((name for name in (*table.columns, *table.optional) if head.count(name) > 1), None)
        if again is not None:
            raise InputError(f"{where} has two columns {again}; it is damaged, download it again")
        places = [_place(name, head, where) for name in table.columns]
        without = [name for name in table.optional if name not in head]
        places += [head.index(name) if name in head else -1 for name in table.optional]
        width, rows = len(head), []
        for values in reader:
            line += 1
            if len(values) != width:
                if not any(values):
                    continue
                raise InputError(
                    f"{where}, row {line} has {len(values)} fields where its header has {width}; "
                    "the table is damaged or cut short, download it again"
                )
            rows.append(tuple([values[at].strip() if at >= 0 else "" for at in places]))
    except csv.Error as error:
        raise InputError(
            f"{where}, row {line + 1} cannot be read ({error}); the table is damaged or cut short, download it again"
        ) from None
    return rows, without


def _place(name: str, head: Sequence[str], where: str) -> int:
    if name not in head:
        columns = ", ".join(visible(one) for one in head[:8]) or "none"
        parted = next((word for sign, word in _PARTED.items() if len(head) == 1 and sign in head[0]), None)
        hint = did_you_mean(name, head) or f"; its columns are {columns}"
        if parted:
            hint = f": it is parted by {parted}, where CMS writes commas"
        raise InputError(f"{where} has no column {name}{hint}; nothing was installed")
    return list(head).index(name)
