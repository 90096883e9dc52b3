"""Sets of codes in words, as short as a code expression would name them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from weakcode.codes.codeset import CodeSet
from weakcode.codes.normalise import canonical

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_MOST = 6
_CATEGORY = 3


def stems(codes: CodeSet, edition: Edition) -> Iterator[str]:
    """Yield the billable codes of a set in alphabetical order: `M62.8-` for all below M62.8, `R54` for one code.

    Codes that are not billable on the days of the edition are skipped.
    """
    for low, high in places(codes, edition):
        yield from stems_between(low, high, edition, lambda stem: place(edition.span(stem), edition))


def stems_between(low: int, high: int, edition: Edition, placed: Callable[[str], tuple[int, int]]) -> Iterator[str]:
    """Yield the billable codes at the places from `low` to before `high`, as `stems` does.

    `placed` says at which places the codes of a stem stand; who asks for many sets remembers its answers.
    """
    at = low
    while at < high:
        code = edition.compact_code(edition.billable_ids[at])
        for length in range(_CATEGORY, len(code) + 1):
            first, last = placed(code[:length])
            if first == at and last <= high:
                yield canonical(code) if last - first == 1 else _below(code[:length])
                at = last
                break


def place(span: tuple[int, int], edition: Edition) -> tuple[int, int]:
    """Return an interval of numbers as one of places among the billable codes of the edition."""
    return bisect_left(edition.billable_ids, span[0]), bisect_left(edition.billable_ids, span[1])


def places(codes: CodeSet, edition: Edition) -> tuple[tuple[int, int], ...]:
    """Return the intervals of places of the billable codes of a set, in order."""
    return CodeSet(place(span, edition) for span in codes.spans).spans


def _below(stem: str) -> str:
    return f"{stem}.-" if len(stem) == _CATEGORY else f"{canonical(stem)}-"


def spelled(codes: CodeSet, edition: Edition, most: int = _MOST) -> str:
    """Return the codes of a set as a list of at most `most` stems, and how many codes more there are."""
    first = list(islice(stems(codes, edition), most + 1))
    if len(first) <= most:
        strange = any(high > edition.size for _, high in codes.spans)
        return ", ".join([*first, *(["codes that are not billable"] if strange else [])]) or "codes of other days"
    named = CodeSet(place(edition.span(stem.rstrip(".-")), edition) for stem in first[:most])
    more = len(CodeSet(places(codes, edition)) - named) + sum(
        max(high - max(low, edition.size), 0) for low, high in codes.spans
    )
    return f"{', '.join(first[:most])} and {more:,} more codes"
