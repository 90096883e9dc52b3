"""A place in the Tabular List of an edition, and the notes at it."""

from __future__ import annotations

from typing import NamedTuple

import attrs

NOTE_KINDS = {
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code_first",
    "useAdditionalCode": "use_additional",
    "codeAlso": "code_also",
    "includes": "includes",
    "inclusionTerm": "inclusion_term",
    "notes": "note",
    "sevenChrNote": "seventh_character_note",
}
"""The kinds of notes by the names of their elements in CDC's XML."""
_CATEGORY = 3


@attrs.frozen
class Node:
    """One place in the Tabular List. `kind` is chapter, section, category, subcategory or code (billable)."""

    name: str
    kind: str
    title: str
    parent: str | None
    children: tuple[str, ...]
    billable: bool
    placeholder: bool


class TitledPlace(NamedTuple):
    """A place in the Tabular List without what is below it: cheap enough to go through all of them."""

    name: str
    kind: str
    title: str
    parent: str | None


@attrs.frozen(cache_hash=True)
class Note:
    """One block of note lines at a node; `block` counts the blocks of that kind at that node, from 0."""

    kind: str
    place: str
    block: int
    lines: tuple[str, ...]


def name_of(stored: str) -> str:
    """Return the name of a place by the text of its key."""
    if stored.startswith("@"):
        return f"Chapter {stored[1:]}"
    # A code as it is stored is compact already.
    return stored if "-" in stored or len(stored) <= _CATEGORY else f"{stored[:_CATEGORY]}.{stored[_CATEGORY:]}"
