"""Right, left, both and an open side: the codes of one condition that differ in the side alone, by their titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.normalise import compact
from weakcode.codes.validity import Window
from weakcode.semantics.groups import SIDES

_SAY_SIDE = ("right", "left", "bilateral", "both", "unspecified")
_WORD = re.compile(r"[a-z0-9]+")
_SILENT = frozenset(["of", "the", "in", "side", "eye", "eyes", "ear", "ears", "unilateral"])
"""Words that stand in the title of one side and not in that of both: "right eye" beside "bilateral"."""
_NO_CONDITION = _SILENT | SIDES.keys()
_BEARERS = frozenset(["hand", "hip", "leg", "orbit"])
"""Words that do so in a few titles, and tell two conditions apart in others."""


@attrs.frozen
class Sided:
    """The codes of one condition by side, as they stand in the list without added 7th characters; "" where none is.

    Right and left are always there. `open` are the codes whose title says that the side is not known.
    """

    right: str
    left: str
    both: str = ""
    open: tuple[str, ...] = ()


@remembered
def sided(edition: Edition) -> tuple[Sided, ...]:
    """Return every condition with a code for the right and one for the left, in the order of the list.

    Two titles of a category are right and left of one condition when nothing but these words tells them apart.
    The title for both, or for an open side, has the same words otherwise, in any order and number.
    """
    by_words: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    lefts: dict[tuple[str, str], list[str]] = {}
    rights: list[tuple[str, str, tuple[str, ...]]] = []
    # Codes, and what is one once it has its 7th character.
    nodes, titles = edition.titled(), edition.lower_titles
    # A category has conditions with two sides where titles of it say "right", and others "left".
    told = tuple(zip(nodes, titles, strict=True))
    two_sided = {node.name[:3] for node, title in told if "right" in title}
    two_sided &= {node.name[:3] for node, title in told if "left" in title}
    for index in edition.places_of_codes():
        title, name = titles[index], nodes[index].name
        if name[:3] not in two_sided or not any(map(title.__contains__, _SAY_SIDE)):
            continue
        category, written = name[:3], _WORD.findall(title)
        side, words = _read(written)
        if side:
            by_words.setdefault((category, side, words), []).append(name)
        elif "unspecified" in words:
            by_words.setdefault((category, "open", _without("unspecified", words)), []).append(name)
        if side == "left":
            lefts.setdefault((category, " ".join(written)), []).append(name)
        if side == "right":
            rights.append((name, " ".join(written), words))
    found = []
    for name, title, words in rights:
        windows = edition.windows_of(edition.billable_below(name))

        def of_its_days(names: Iterable[str], windows: frozenset[int] = windows) -> list[str]:
            return [
                one for one in names if _meet(windows, edition.windows_of(edition.billable_below(one)), edition.windows)
            ]

        for left in of_its_days(lefts.get((name[:3], title.replace("right", "left")), ())):
            both = of_its_days(by_words.get((name[:3], "both", words), ())) or of_its_days(
                one
                for bearer in _BEARERS.intersection(words)
                for one in by_words.get((name[:3], "both", _without(bearer, words)), ())
            )
            silent = of_its_days(by_words.get((name[:3], "open", words), ()))
            found.append(Sided(name, left, both[0] if len(both) == 1 else "", tuple(silent)))
    return tuple(found)


def meet(codes: CodeSet, others: CodeSet, edition: Edition) -> bool:
    """Whether there is a day on which codes of both sets are billable."""
    return _meet(edition.windows_of(codes), edition.windows_of(others), edition.windows)


def _meet(one: frozenset[int], other: frozenset[int], windows: Sequence[Window]) -> bool:
    return not one.isdisjoint(other) or any(_overlap(windows[a], windows[b]) for a in one for b in other)


@lru_cache(maxsize=4096)
def _overlap(one: Window, other: Window) -> bool:
    return any(
        (first or date.min) <= (end or date.max) and (start or date.min) <= (last or date.max)
        for first, last in one.intervals
        for start, end in other.intervals
    )


def _read(words: list[str]) -> tuple[str, tuple[str, ...]]:
    """Return the side that the words of a title tell, "" for none or more than one, and its other words, sorted."""
    sides = {side for word, side in SIDES.items() if word in words}
    rest = sorted(filter(None, map(_told, words)))
    return (sides.pop() if len(sides) == 1 else ""), tuple(rest)


def _without(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    at = words.index(word)
    return words[:at] + words[at + 1 :]


@lru_cache(maxsize=8192)
def _told(word: str) -> str:
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
    spellings, start = edition.spellings, len(compact(name))
    return {spellings[i][0][start:]: i for i in edition.billable_below(name)}


def below(names: tuple[str, ...], edition: Edition) -> CodeSet:
    """Return the billable codes of codes of the list."""
    if len(names) == 1:
        return edition.billable_below(names[0])
    return CodeSet.joined(map(edition.billable_below, names))
