"""Sets of codes of one edition, as sorted intervals of code ids.

The billable codes of an edition are numbered in alphabetical order, so that "every code below M62" and
"A00-B99" are single intervals and a set of thousands of codes is a handful of numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import attrs


def _merged(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(span for span in spans if span[0] < span[1]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


@attrs.frozen
class CodeSet:
    """A set of code ids. `spans` are half-open `(low, high)` intervals, sorted, disjoint and not touching."""

    spans: tuple[tuple[int, int], ...] = attrs.field(default=(), converter=_merged)

    @classmethod
    def of(cls, ids: Iterable[int]) -> CodeSet:
        """Return the set of the given ids."""
        return cls((i, i + 1) for i in ids)

    @classmethod
    def stored(cls, spans: Iterable[Iterable[int]]) -> CodeSet:
        """Return the set with the spans of another one, as they were written down."""
        made = cls.__new__(cls)
        # They have been merged before; to do so again was most of the cost of reading an edit.
        object.__setattr__(made, "spans", tuple(map(tuple, spans)))
        return made

    def __contains__(self, code_id: int) -> bool:
        index = bisect_right(self.spans, (code_id, float("inf")))
        return index > 0 and self.spans[index - 1][1] > code_id

    def __len__(self) -> int:
        return sum(high - low for low, high in self.spans)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def __iter__(self) -> Iterator[int]:
        for low, high in self.spans:
            yield from range(low, high)

    def __or__(self, other: CodeSet) -> CodeSet:
        return CodeSet(self.spans + other.spans)

    def __sub__(self, other: CodeSet) -> CodeSet:
        kept: list[tuple[int, int]] = []
        cuts = other.spans
        for low, high in self.spans:
            index = max(bisect_right(cuts, (low, float("inf"))) - 1, 0)
            for cut_low, cut_high in cuts[index:]:
                if cut_low >= high:
                    break
                if cut_low > low:
                    kept.append((low, cut_low))
                low = max(low, cut_high)
            if low < high:
                kept.append((low, high))
        return CodeSet(kept)

    def __and__(self, other: CodeSet) -> CodeSet:
        return self - (self - other)
