"""Whether an edition from the cache can be followed wherever it leads."""

from __future__ import annotations

import re
from datetime import date

from weakcode.codes.compiled import KINDS, NOTES
from weakcode.codes.storage.shape import EDITION, NOBODY, SEARCH
from weakcode.codes.storage.sound import is_like, numbers_hold
from weakcode.codes.storage.store import Container
from weakcode.codes.validity import Window

_PHRASE = re.compile(r"(phrase|alike|alone|within)\t[^\t]+\t[^\t]*\t[^\t]*")
_EDITION = {
    "sevenths": [{str: str}],
    "version": str,
    "windows": [[(frozenset((str, None)), frozenset((str, None)))]],
    "releases": [(str, str, str, bool)],
    "titles": {str: str},
    "retitled": {str: [(str, str, str)]},
    "digest": str,
}


def edition_holds(stored: Container) -> bool:
    """Tell whether a container is an edition that can be followed wherever it leads."""
    meta, sections = stored.meta, stored.sections
    if not is_like(meta, _EDITION) or not meta["releases"] or not meta["digest"]:
        return False
    for _, first, last, _ in meta["releases"]:
        date.fromisoformat(first), date.fromisoformat(last)
    limits = {"windows": len(meta["windows"]), "sevenths": len(meta["sevenths"])}
    limits |= {"kinds": len(KINDS), "notes": len(NOTES)}
    for intervals in meta["windows"]:
        Window.of(intervals)
    bytes(sections["terms"]).decode()
    return numbers_hold(sections, EDITION, limits) and _is_tree(
        *(sections[name].cast("I").tolist() for name in ("node_parent", "node_end"))
    )


def _is_tree(parents: list[int], ends: list[int]) -> bool:
    """Tell whether every node comes after its parent and ends after itself, so that no walk is endless."""
    count = len(parents)
    return all(parent == NOBODY or parent < node for node, parent in enumerate(parents)) and all(
        node < end <= count for node, end in enumerate(ends)
    )


def codes_hold(stored: Container) -> bool:
    """Tell whether a container has the codes and headers of a file, each with its title."""
    return is_like(stored.meta, {"codes": {str: str}, "headers": {str: str}}) and len(stored.meta) == 2


def search_holds(stored: Container) -> bool:
    """Tell whether a container is a search index that can be followed wherever it leads."""
    words = bytes(stored.sections["search_words"]).decode()
    starts = len(stored.sections["search_starts"]) // 4
    counted = words.count("\n") + 1 == starts - 1 or (not words and starts == 1)
    are_phrases = all(map(_PHRASE.fullmatch, bytes(stored.sections["search_phrases"]).decode().split("\n")))
    return not stored.meta and counted and are_phrases and numbers_hold(stored.sections, SEARCH, {})
