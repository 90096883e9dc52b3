"""Codes that leave something open, as their titles say, and the codes that tell it instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from weakcode.codes.codeset import CodeSet, codes_where

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.codes.places import Node

_OPEN = re.compile(r"\b(?:unspecified|not specified|NOS)\b", re.IGNORECASE)
# These titles hold what is told and has no code of its own as well.
_OTHER_TOO = re.compile(r"\bother(?: and|,| or)(?: other)? unspecified\b", re.IGNORECASE)
_GROUPS = ("chapter", "section")
_WORD = re.compile(r"[a-z]{4,}")
_STEM = 5
_CATEGORY = 3
_REST = "9"
"""What a code of the rest of its category has as its fourth character: its neighbours are what it is the rest of."""
_SAY_NOTHING = re.compile(
    "(?:un)?specified|other|disorders?|diseases?|with(?:out)?|sites?|parts?|types?|side|elsewhere|classified|initial"
    "|subsequent|encounter|sequela"
)


def leaves_open(title: str) -> bool:
    """Tell whether a title says that something is not specified."""
    return bool(_OPEN.search(title)) and not _OTHER_TOO.search(title)


def unspecified(edition: Edition) -> CodeSet:
    """Return the billable codes of any day whose titles leave something open."""
    import numpy as np

    titles = edition.titles
    phrases = ("unspecified", "not specified", "nos")
    # Most titles are recognised by their plain words, without the patterns.
    found = titles.having_word(*phrases) & ~titles.having("other")
    candidates = titles.having(*phrases) & ~found
    for index in np.flatnonzero(candidates).tolist():
        found[index] = leaves_open(edition.title_at(index))
    found &= ~edition.of_kind(*_GROUPS) & ~edition.has_below
    # What has nothing below it is the place of all its codes, which differ in their 7th characters.
    return codes_where(found[edition.places])


def specific_instead(code: str, edition: Edition) -> list[str]:
    """Return the codes nearest to a code, within its category, that leave nothing open; those with others below end
    in a dash.
    """
    for above in edition.ancestors(code):
        if above.kind in _GROUPS:
            break
        specific = [child for child in edition.children_of(above.name) if not leaves_open(child.title)]
        # What lacks its 7th character has the finished codes below it, which are as open as it is.
        if specific and not leaves_open(above.title):
            if len(above.name) == _CATEGORY and code[_CATEGORY + 1] != _REST:
                specific = _of_one_condition(edition.title(code) or "", above.title, specific)
            return [child.name + "-" * bool(child.children) for child in specific]
    return []


def _of_one_condition(title: str, above: str, siblings: list[Node]) -> list[Node]:
    """Return those places whose titles share a word with this one that is not in the title above them.

    A place of other conditions, such as N39, has neighbours of which none says more of the same one. Where all words
    are in the title above, as those of anemias are, every neighbour is the same condition.
    """
    own = _stems(title) - _stems(above)
    return [place for place in siblings if own & _stems(place.title)] if own else siblings


def _stems(title: str) -> set[str]:
    """Return how the words of a title begin that name something, so that forms of one word are the same."""
    return {word[:_STEM] for word in _WORD.findall(title.lower()) if not _SAY_NOTHING.fullmatch(word)}
