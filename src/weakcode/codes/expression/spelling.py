"""Sets of codes in words, as short as a code expression would name them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from weakcode.codes.codeset import CodeSet
from weakcode.codes.normalise import dotted

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
    ids = edition.billable_ids
    before = edition.compact_code(ids[low - 1]) if low else ""
    past = edition.compact_code(ids[high]) if high < len(ids) else ""
    at = low
    while at < high:
        code = edition.compact_code(ids[at])
        # The shortest stem that neither the code before nor the one past the end has.
        stem = code[: max(_CATEGORY, 1 + _common(code, before), 1 + _common(code, past))]
        last = at + 1 if at + 1 == high or past.startswith(code) else placed(stem)[1]
        yield dotted(code) if last - at == 1 else _below(stem)
        at = last
        before = edition.compact_code(ids[last - 1]) if at < high else ""


def _common(code: str, other: str) -> int:
    """Return how many characters two codes begin with alike."""
    for number, (one, two) in enumerate(zip(code, other, strict=False)):
        if one != two:
            return number
    return min(len(code), len(other))


def place(span: tuple[int, int], edition: Edition) -> tuple[int, int]:
    """Return an interval of numbers as one of places among the billable codes of the edition."""
    if edition is edition.whole:
        return min(span[0], edition.size), min(span[1], edition.size)
    return bisect_left(edition.billable_ids, span[0]), bisect_left(edition.billable_ids, span[1])


def places(codes: CodeSet, edition: Edition) -> tuple[tuple[int, int], ...]:
    """Return the intervals of places of the billable codes of a set, in order."""
    if edition is edition.whole:
        return (codes & CodeSet.between(0, edition.size)).spans
    return CodeSet(place(span, edition) for span in codes.spans).spans


def _below(stem: str) -> str:
    return f"{stem}.-" if len(stem) == _CATEGORY else f"{dotted(stem)}-"


def spelled(codes: CodeSet, edition: Edition, most: int = _MOST) -> str:
    """Return the codes of a set as a list of at most `most` stems, and how many codes more there are."""
    first = list(islice(stems(codes, edition), most + 1))
    if len(first) <= most:
        has_other = any(high > edition.size for _, high in codes.spans)
        return ", ".join([*first, *(["codes that are not billable"] if has_other else [])]) or "codes of other days"
    named = CodeSet(place(edition.span(stem.rstrip(".-")), edition) for stem in first[:most])
    more = len(CodeSet(places(codes, edition)) - named) + sum(
        max(high - max(low, edition.size), 0) for low, high in codes.spans
    )
    return f"{', '.join(first[:most])} and {more:,} more codes"
