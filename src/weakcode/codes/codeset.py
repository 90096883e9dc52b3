"""Sets of codes of one edition, as sorted intervals of code ids.

The billable codes of an edition are numbered in alphabetical order, so that "every code below M62" and
"A00-B99" are single intervals and a set of thousands of codes is a handful of numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import attrs

_BEYOND = float("inf")
_MANY = 64
"""With more spans, two sets are likely to have nearly all of them in common: the codes of a list on two days."""
_new, _keep = object.__new__, object.__setattr__
Spans = tuple[tuple[int, int], ...]


def _merged(spans: Iterable[tuple[int, int]]) -> Spans:
    ordered = sorted([span for span in spans if span[0] < span[1]])
    if len(ordered) < 2:
        return tuple(ordered)
    merged: list[tuple[int, int]] = []
    for low, high in ordered:
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _apart(one: Spans, other: Spans) -> tuple[set[tuple[int, int]], Spans, Spans]:
    """Return the spans that both sets have, which meet none of the others, and the other spans of each."""
    common = set(one).intersection(other)
    return common, *(tuple([span for span in each if span not in common]) for each in (one, other))  # type: ignore[return-value]


@attrs.frozen
class CodeSet:
    """A set of code ids. `spans` are half-open `(low, high)` intervals, sorted, disjoint and not touching."""

    spans: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_merged)

    @classmethod
    def of(cls, ids: Iterable[int]) -> CodeSet:
        """Return the set of the given ids."""
        spans: list[tuple[int, int]] = []
        start = end = -1
        for code_id in sorted(ids):
            if code_id > end:
                if end >= 0:
                    spans.append((start, end))
                start = code_id
            end = code_id + 1
        if end >= 0:
            spans.append((start, end))
        return cls._made(tuple(spans))

    @classmethod
    def between(cls, low: int, high: int) -> CodeSet:
        """Return the set of the ids from `low` to below `high`."""
        return cls._made(((low, high),) if low < high else ())

    @classmethod
    def stored(cls, spans: Iterable[Iterable[int]]) -> CodeSet:
        """Return the set with the spans of another one, as they were written down."""
        return cls._made(tuple(map(tuple, spans)))  # type: ignore[arg-type]

    @classmethod
    def _made(cls, spans: Spans) -> CodeSet:
        """Return the set of spans that are sorted, disjoint and do not touch, so that none of it is done again."""
        made = _new(cls)
        _keep(made, "spans", spans)
        return made

    def __contains__(self, code_id: int) -> bool:
        index = bisect_right(self.spans, (code_id, _BEYOND))
        return index > 0 and self.spans[index - 1][1] > code_id

    def __len__(self) -> int:
        return sum(high - low for low, high in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.spans:
            yield from range(low, high)

    def __or__(self, other: CodeSet) -> CodeSet:
        one, two = self.spans, other.spans
        if not one or not two:
            return self if one else other
        if one[-1][1] < two[0][0]:
            return CodeSet._made(one + two)
        return CodeSet(one + two)

    def __sub__(self, other: CodeSet) -> CodeSet:
        cuts = other.spans
        if not cuts or not self.spans or cuts[-1][1] <= self.spans[0][0] or self.spans[-1][1] <= cuts[0][0]:
            return self
        kept: list[tuple[int, int]] = []
        own = self.spans
        if len(own) > _MANY < len(cuts):
            _, own, cuts = _apart(own, cuts)
        for low, high in own:
            index = max(bisect_right(cuts, (low, _BEYOND)) - 1, 0)
            while index < len(cuts) and cuts[index][0] < high:
                cut_low, cut_high = cuts[index]
                if cut_low > low:
                    kept.append((low, cut_low))
                low = max(low, cut_high)
                index += 1
            if low < high:
                kept.append((low, high))
        return CodeSet._made(tuple(kept))

    def __and__(self, other: CodeSet) -> CodeSet:
        few, many = (self.spans, other.spans) if len(self.spans) <= len(other.spans) else (other.spans, self.spans)
        if not few or few[-1][1] <= many[0][0] or many[-1][1] <= few[0][0]:
            return _NONE
        if few == many:
            return self
        kept: list[tuple[int, int]] = []
        common: set[tuple[int, int]] = set()
        if len(few) > _MANY:
            common, few, many = _apart(few, many)
        for low, high in few:
            index = max(bisect_right(many, (low, _BEYOND)) - 1, 0)
            while index < len(many) and many[index][0] < high:
                first, end = max(low, many[index][0]), min(high, many[index][1])
                if first < end:
                    kept.append((first, end))
                index += 1
        return CodeSet._made(tuple(sorted([*common, *kept]) if common else kept))


_NONE = CodeSet()
