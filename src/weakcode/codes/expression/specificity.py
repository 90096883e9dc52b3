"""Codes that leave something open, as their titles say, and the codes that tell it instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from weakcode.codes.codeset import CodeSet, codes_where

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition

_OPEN = re.compile(r"\b(?:unspecified|not specified|NOS)\b", re.IGNORECASE)
# These titles hold what is told and has no code of its own as well.
_OTHER_TOO = re.compile(r"\bother(?: and|,| or)(?: other)? unspecified\b", re.IGNORECASE)
_GROUPS = ("chapter", "section")


def leaves_open(title: str) -> bool:
    """Tell whether a title says that something is not specified."""
    return bool(_OPEN.search(title)) and not _OTHER_TOO.search(title)


def unspecified(edition: Edition) -> CodeSet:
    """Return the billable codes of any day whose titles leave something open."""
    import numpy as np

    titles = edition.titles
    said = ("unspecified", "not specified", "nos")
    # Most titles are recognised by their plain words, without the patterns.
    found = titles.having_word(*said) & ~titles.having("other")
    perhaps = titles.having(*said) & ~found
    for index in np.flatnonzero(perhaps).tolist():
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
            return [child.name + "-" * bool(child.children) for child in specific]
    return []
