"""On which service dates a code is billable: by the shipped table, and by the files at hand on their own days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import attrs

from weakcode.codes.table import CodeTable

Interval = tuple[date | None, date | None]
"""First and last day, both included; None where nothing is known before or after."""

_DAY = timedelta(days=1)


@attrs.frozen
class Window:
    """The days on which some codes are billable."""

    intervals: tuple[Interval, ...]

    @classmethod
    def of(cls, written: Iterable[Iterable[str | None]]) -> Window:
        """Return the window of intervals whose days are written as text."""
        days = (tuple(day and date.fromisoformat(day) for day in interval) for interval in written)
        return cls(tuple((first or None, last or None) for first, last in days))

    def covers(self, day: date) -> bool:
        """Whether the codes are billable on a day."""
        return any((not first or first <= day) and (not last or day <= last) for first, last in self.intervals)

    def missing(self, day: date) -> str:
        """Return the days around one that is not covered, in words: "since 2021-10-01", "before 2016-10-01"."""
        last = max((last for _, last in self.intervals if last and last < day), default=None)
        first = min((first for first, _ in self.intervals if first and first > day), default=None)
        if last and first:
            return f"from {last + _DAY} to {first - _DAY}"
        return f"since {last + _DAY}" if last else f"before {first}"


@attrs.frozen
class Release:
    """A code set and the days, both included, on which it is in force; `tabled` where the shipped table tells it."""

    name: str
    starts: date
    ends: date
    tabled: bool = True

    @property
    def label(self) -> str:
        """The name with the days on which it is in force."""
        return f"{self.name} ({self.starts} to {self.ends})"


def release_on(day: date, releases: Sequence[Release]) -> Release:
    """Return the release in force on a day; that of a file at hand before that of the shipped table.

    Between and after all releases that is the last one before, and before all of them the first.
    """
    there = [one for one in releases if one.starts <= day <= one.ends]
    if there:
        return min(there, key=lambda one: one.tabled)
    before = [one for one in releases if one.ends < day]
    return max(before, key=lambda one: one.ends) if before else min(releases, key=lambda one: one.starts)


@attrs.frozen(eq=False)
class CodeSource:
    """The codes of a release that is at hand, compact, with their titles; `headers` likewise."""

    release: Release
    codes: Mapping[str, str]
    headers: Mapping[str, str]


@attrs.frozen(eq=False)
class Calendar:
    """All releases, oldest first, and the window of every compact code that any of them has, by its number."""

    releases: tuple[Release, ...]
    windows: tuple[Window, ...]
    window_of: Mapping[str, int]


def tabled_releases(table: CodeTable) -> tuple[Release, ...]:
    """Return the releases of the shipped table, oldest first."""
    ends = [*(day - _DAY for day in table.releases[1:]), table.last]
    return tuple(Release(f"{starts:%Y-%m}", starts, last) for starts, last in zip(table.releases, ends, strict=True))


def calendar(table: CodeTable, by_release: Mapping[Release, Iterable[str]]) -> Calendar:
    """Return what is known of the days of all codes, those of files at hand by their release.

    On its own days a file at hand is right, not the table.
    """
    days = {(one.starts, one.ends) for one in by_release}
    tabled = [one for one in tabled_releases(table) if (one.starts, one.ends) not in days]
    releases = tuple(sorted((*tabled, *by_release), key=lambda one: (one.starts, one.tabled)))
    changes = sorted({day for one in releases for day in (one.starts, one.ends + _DAY)})
    # The day after the last one known is no change: what comes then is not known.
    changes = [day for day in changes if day <= max(one.ends for one in releases)]
    shipped = [0] * len(table.histories)
    of_files: dict[Release, int] = {}
    for place, day in enumerate(changes):
        judge = release_on(day, releases)
        if judge in by_release:
            of_files[judge] = of_files.get(judge, 0) | 1 << place
        else:
            on = min(day, table.last)
            for number, history in enumerate(table.histories):
                if any(spell.starts <= on <= spell.ends for spell in history):
                    shipped[number] |= 1 << place
    masks = {code: shipped[history] for code, history in table.codes.items()}
    known = masks.get
    for judge, places in of_files.items():
        masks |= {code: known(code, 0) | places for code in by_release[judge]}
    numbers: dict[int, int] = {}
    for mask in filter(None, dict.fromkeys(masks.values())):
        numbers[mask] = len(numbers)
    window_of = {code: numbers[mask] for code, mask in masks.items() if mask}
    return Calendar(releases, tuple(_window(mask, changes) for mask in numbers), window_of)


def _window(mask: int, changes: Sequence[date]) -> Window:
    found: list[Interval] = []
    first: int | None = None
    for place in range(len(changes) + 1):
        there = place < len(changes) and mask >> place & 1
        if there and first is None:
            first = place
        elif not there and first is not None:
            ends = changes[place] - _DAY if place < len(changes) else None
            found.append((changes[first] if first else None, ends))
            first = None
    return Window(tuple(found))
