"""Equivalence classes of codes: those that are in the same edits, by where the spans of code sets begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from weakcode.codes._codeset import by_class, toggle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


@attrs.frozen(eq=False)
class Spans:
    """Code sets by number: set n has the spans `low[k]` to `high[k]` for k from `bounds[n]` to `bounds[n + 1]`."""

    bounds: Numbers
    low: Numbers
    high: Numbers

    def of(self, sets: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return the spans of these sets, one after the other: whose, by its place in `sets`, low and high."""
        import numpy as np

        sizes, at = _ranges(self.bounds[sets], self.bounds[sets + 1])
        return np.repeat(np.arange(len(sets)), sizes), self.low[at], self.high[at]

    def sizes(self) -> Numbers:
        """Return how many codes each set has."""
        import numpy as np

        total = np.concatenate(([0], np.cumsum(self.high - self.low)))
        return np.asarray(total[self.bounds[1:]] - total[self.bounds[:-1]], np.int64)


def _ranges(first: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Return how many numbers each half-open range has, and the numbers of all, in one row."""
    import numpy as np

    sizes = end - first
    begins = np.cumsum(sizes) - sizes
    return sizes, np.arange(int(sizes.sum())) + np.repeat(first - begins, sizes)


@attrs.frozen(eq=False)
class Classes:
    """Segments of code ids by their first id, the class of each, and by class what its codes are in.

    `listed` has, for each role, the members of all classes in one row and where those of each class begin in it.
    """

    starts: Numbers
    members: Numbers
    listed: tuple[tuple[Numbers, Numbers], ...]


def classes(
    roles: Sequence[Numbers], spans: Spans, unlisted: Sequence[Numbers], bounds_only: Numbers | None = None
) -> Classes:
    """Return the classes of codes that differ in no role.

    `roles` gives for each role the sets of its members, such as the subjects of all edits; `unlisted` those members of
    each role that are distinguished but not listed. Segments also begin and end where the sets `bounds_only` do, which
    make no classes. Classes are numbered as their first codes stand.
    """
    import numpy as np

    found = [spans.of(sets) for sets in roles]
    further = [] if bounds_only is None else [spans.of(bounds_only)]
    ends = [part for _, low, high in (*found, *further) for part in (low, high)]
    past = 1 + max(int(part.max(initial=0)) for part in ends)
    starts, place_of = _numbered(np.concatenate(ends), past)
    # What a segment is in, as the exclusive or of two random words for each member: equal only where the members are.
    random = np.random.default_rng(2)
    marks = np.zeros((2, len(starts)), np.uint64)
    for sets, (set_numbers, low, high) in zip(roles, found, strict=True):
        words = random.integers(0, 2**64, (2, len(sets)), np.uint64)
        for places in (place_of[low], place_of[high]):
            for mark, word in zip(marks, words, strict=True):
                toggle(mark, places, set_numbers, word)
    marks = np.bitwise_xor.accumulate(marks, axis=1)
    by_mark = np.argsort(marks[0], kind="stable")
    marks = marks[:, by_mark]
    is_new = np.append(True, (marks[:, 1:] != marks[:, :-1]).any(axis=0))
    # Sorting by them leaves equal marks in their order, so that the first of each is the first code.
    which = np.empty(len(starts), np.int64)
    which[by_mark] = np.cumsum(is_new) - 1
    first = by_mark[is_new]
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    leaders = starts[first[order]]
    listed = tuple(
        _members(len(sets), part, (leaders, past), left_out)
        for sets, part, left_out in zip(roles, found, unlisted, strict=True)
    )
    return Classes(starts, rank[which], listed)


def _numbered(ids: Numbers, past: int) -> tuple[Numbers, Numbers]:
    """Return 0 and the distinct ids, sorted, all below `past`, and by id how many of them are below it."""
    import numpy as np

    is_bound = np.zeros(past, np.int64)
    is_bound[ids] = is_bound[0] = 1
    return np.flatnonzero(is_bound), np.cumsum(is_bound) - is_bound


def _members(
    size: int, spans: tuple[Numbers, Numbers, Numbers], leaders: tuple[Numbers, int], left_out: Numbers
) -> tuple[Numbers, Numbers]:
    """Return the members of each class, of which `leaders` are the first codes, and where those of each begin."""
    import numpy as np

    firsts, first_of = _numbered(*leaders)
    unlisted = np.zeros(size, bool)
    unlisted[left_out[left_out < size]] = True
    kept = ~unlisted[spans[0]]
    set_numbers, low, high = (part[kept] for part in spans)
    members, bounds = by_class(set_numbers, first_of[low], first_of[high], len(firsts))
    return np.frombuffer(members, np.uint32), np.frombuffer(bounds, np.int64)
