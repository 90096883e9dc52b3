"""Right, left, both and an open side: the codes of one condition that differ in the side alone, by their titles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs
import numpy as np

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.normalise import compact
from weakcode.codes.validity import Window
from weakcode.semantics.groups import SIDES, sides_of, words_of_sides

if TYPE_CHECKING:
    from weakcode.codes.expression.titles import Numbers

_SILENT = frozenset(["of", "the", "in", "side", "eye", "eyes", "ear", "ears", "unilateral"])
"""Words that stand in the title of one side and not in that of both: "right eye" beside "bilateral"."""
_NO_CONDITION = _SILENT | SIDES.keys()
_BEARERS = frozenset(["hand", "hip", "leg", "orbit"])
"""Words that do so in a few titles, and tell two conditions apart in others."""


@attrs.frozen
class CodesBySide:
    """The codes of one condition by side, as they stand in the list without added 7th characters; "" where none is.

    Right and left are always there. `open` are the codes whose title says that the side is not known.
    """

    right: str
    left: str
    both: str = ""
    open: tuple[str, ...] = ()


@remembered
def sided(edition: Edition) -> tuple[CodesBySide, ...]:
    """Return every condition with a code for the right and one for the left, in the order of the list.

    Two titles of a category are right and left of one condition when nothing but these words tells them apart.
    The title for both, or for an open side, has the same words otherwise, in any order and number.
    """
    places, words = words_of_sides(edition)
    unspecified, bearers = words.letter("unspecified"), set(map(words.letter, _BEARERS))
    as_written = words.spelled()
    turned = words.mapped(lambda word: word.replace("right", "left")).spelled()
    conditions = words.mapped(_side_pattern).in_order().spelled()
    sides = sides_of(words)
    categories = edition.categories[places].tolist()
    by_words: dict[tuple[int, str, str], list[int]] = {}
    lefts: dict[tuple[int, str], list[int]] = {}
    rights: list[int] = []
    for at in _of_two_sides(edition, places):
        category, side, condition = categories[at], sides[at], conditions[at]
        if side:
            by_words.setdefault((category, side, condition), []).append(at)
        elif unspecified in condition:
            by_words.setdefault((category, "open", condition.replace(unspecified, "", 1)), []).append(at)
        if side == "left":
            lefts.setdefault((category, as_written[at]), []).append(at)
        if side == "right":
            rights.append(at)
    names = [edition.names[place] for place in places.tolist()]
    windows = edition.windows_at(places)
    found = []
    for right in rights:
        category, condition = categories[right], conditions[right]

        def of_its_days(others: Iterable[int], window: frozenset[int] = windows[right]) -> list[str]:
            return [names[other] for other in others if meet(window, windows[other], edition.windows)]

        for left in of_its_days(lefts.get((category, turned[right]), ())):
            both = of_its_days(by_words.get((category, "both", condition), ())) or of_its_days(
                one
                for bearer in bearers.intersection(condition)
                for one in by_words.get((category, "both", condition.replace(bearer, "", 1)), ())
            )
            silent = of_its_days(by_words.get((category, "open", condition), ()))
            found.append(CodesBySide(names[right], left, both[0] if len(both) == 1 else "", tuple(silent)))
    return tuple(found)


def _of_two_sides(edition: Edition, places: Numbers) -> list[int]:
    """Return which of some places are codes, if need be with a 7th character, of a category with two sides.

    Titles of such a category say "right", and others "left".
    """
    titles, categories = edition.titles, edition.categories
    of_codes = np.zeros(len(categories), np.bool_)
    of_codes[edition.places] = True
    kept = of_codes[places]
    for side in ("right", "left"):
        kept &= np.isin(categories[places], categories[titles.having(side)])
    return np.flatnonzero(kept).tolist()


def meet(one: frozenset[int], other: frozenset[int], windows: Sequence[Window]) -> bool:
    """Whether there is a day in the windows of codes and in those of others, given by number."""
    return not one.isdisjoint(other) or any(_overlap(windows[a], windows[b]) for a in one for b in other)


@lru_cache(maxsize=4096)
def _overlap(one: Window, other: Window) -> bool:
    return any(
        (first or date.min) <= (end or date.max) and (start or date.min) <= (last or date.max)
        for first, last in one.intervals
        for start, end in other.intervals
    )


def _side_pattern(word: str) -> str:
    """Return a word without the ending of a plural; "" for one that tells no condition."""
    if word in _NO_CONDITION:
        return ""
    return word[:-3] + "y" if word.endswith("ies") else word.rstrip("s")


def same_ending(one: str, other: str, edition: Edition) -> Iterator[tuple[int, int]]:
    """Yield the ids of the billable codes of two codes of the list, pairwise by 7th character."""
    rests = endings(other, edition)
    for rest, code_id in endings(one, edition).items():
        if rest in rests:
            yield code_id, rests[rest]


@remembered
def endings(name: str, edition: Edition) -> dict[str, int]:
    """Return the ids of the billable codes of a code of the list by what they have after its spelling."""
    start = len(compact(name))
    return {edition.compact_code(code_id)[start:]: code_id for code_id in edition.billable_below(name)}


def below(names: tuple[str, ...], edition: Edition) -> CodeSet:
    """Return the billable codes of codes of the list."""
    if len(names) == 1:
        return edition.billable_below(names[0])
    return CodeSet.joined(map(edition.billable_below, names))
