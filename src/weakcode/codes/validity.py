"""On which service dates a code is billable: by the shipped table, and by the files at hand on their own days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.table import CodeTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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
    releases_of_day = [one for one in releases if one.starts <= day <= one.ends]
    if releases_of_day:
        return min(releases_of_day, key=lambda one: one.tabled)
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
    """All releases, oldest first, and the window of every code that any of them has.

    `keys` are the codes, sorted, as `keys.pack_key` has them; `window_of` has the number of the window of each.
    """

    releases: tuple[Release, ...]
    windows: tuple[Window, ...]
    keys: NDArray[np.uint64]
    window_of: NDArray[np.int64]

    def windows_of(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the numbers of the windows of codes, all of which some release has."""
        import numpy as np

        return self.window_of[np.searchsorted(self.keys, keys)]

    def without(self, keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the codes but for some that releases have."""
        import numpy as np

        kept = np.ones(len(self.keys), np.bool_)
        kept[np.searchsorted(self.keys, keys)] = False
        return self.keys[kept]


def tabled_releases(table: CodeTable) -> tuple[Release, ...]:
    """Return the releases of the shipped table, oldest first."""
    ends = [*(day - _DAY for day in table.releases[1:]), table.last]
    return tuple(Release(f"{starts:%Y-%m}", starts, last) for starts, last in zip(table.releases, ends, strict=True))


def calendar(table: CodeTable, by_release: Mapping[Release, NDArray[np.uint64]]) -> Calendar:
    """Return what is known of the days of all codes; `by_release` has the keys of those of files at hand.

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
    masks = _Masks(table.keys, table.lives, shipped)
    for judge, places in of_files.items():
        masks.add(by_release[judge], places)
    return Calendar(releases, *masks.windows(changes))


class _Masks:
    """The days from which on codes are billable, as the bits of a number for each code; few numbers are distinct."""

    def __init__(self, keys: NDArray[np.uint64], kinds: Sequence[int], masks: Sequence[int]) -> None:
        """Give the code of each key the mask that its kind, a number, has in `masks`."""
        import numpy as np

        self._keys, self._kinds, self._masks = keys, np.array(kinds, np.int64), [*masks]

    def add(self, keys: NDArray[np.uint64], bits: int) -> None:
        """Set these bits for some codes, and clear none; codes that are new come last."""
        import numpy as np

        both, first, of = np.unique(np.append(self._keys, keys), return_index=True, return_inverse=True)
        is_present = np.zeros(len(both), np.bool_)
        is_present[of[len(self._keys) :]] = True
        kinds = np.full(len(both), len(self._masks))
        kinds[of[: len(self._keys)]] = self._kinds
        in_order = np.argsort(first)
        self._keys = both[in_order]
        made, self._kinds = np.unique((2 * kinds + is_present)[in_order], return_inverse=True)
        masks = [*self._masks, 0]
        self._masks = [masks[one >> 1] | bits * (one & 1) for one in made.tolist()]

    def windows(self, changes: Sequence[date]) -> tuple[tuple[Window, ...], NDArray[np.uint64], NDArray[np.int64]]:
        """Return the windows in the order of their first codes, the keys of codes that have one, sorted, and which."""
        import numpy as np

        kinds, first = np.unique(self._kinds, return_index=True)
        numbers: dict[int, int] = {}
        number_of = np.full(len(self._masks), -1)
        for kind in kinds[np.argsort(first)].tolist():
            if self._masks[kind]:
                number_of[kind] = numbers.setdefault(self._masks[kind], len(numbers))
        by_key = np.argsort(self._keys, kind="stable")
        window = number_of[self._kinds[by_key]]
        is_known = window >= 0
        return tuple(_window(mask, changes) for mask in numbers), self._keys[by_key][is_known], window[is_known]


def _window(mask: int, changes: Sequence[date]) -> Window:
    found: list[Interval] = []
    first: int | None = None
    for place in range(len(changes) + 1):
        is_valid = place < len(changes) and mask >> place & 1
        if is_valid and first is None:
            first = place
        elif not is_valid and first is not None:
            ends = changes[place] - _DAY if place < len(changes) else None
            found.append((changes[first] if first else None, ends))
            first = None
    return Window(tuple(found))
