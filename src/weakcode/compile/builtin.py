"""Code sets that every rule file can use without declaring them, resolved against an edition."""

from __future__ import annotations

import re
from collections.abc import Callable

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Node
from weakcode.compile.notes import manifestation_codes

_SIDES = re.compile(r"\b(?:right|left|bilateral)\b", re.IGNORECASE)
_UNSPECIFIED = re.compile(r"\bunspecified\b", re.IGNORECASE)


def unspecified_side(edition: Edition) -> CodeSet:
    """Return the codes whose title says "unspecified" where a sibling says right, left or bilateral.

    The rest of the title must be the same, so that only the side is what is not said.
    """
    siblings: dict[str, list[Node]] = {}
    for node in edition.nodes():
        if node.parent is not None and node.kind not in ("chapter", "section", "category"):
            siblings.setdefault(node.parent, []).append(node)
    spans: list[tuple[int, int]] = []
    for children in siblings.values():
        stems = {_stem(_SIDES, child.title) for child in children if _SIDES.search(child.title)}
        for child in children:
            if stems and not _SIDES.search(child.title) and not stems.isdisjoint(_silent_stems(child.title)):
                spans.extend(edition.billable_below(child.name).spans)
    return CodeSet(spans)


def _silent_stems(title: str) -> set[str]:
    """Return the title without each "unspecified" in turn: "unspecified nerve of unspecified arm" has two to try."""
    return {
        _stem(_SIDES, title[: found.start()] + " " + title[found.end() :]) for found in _UNSPECIFIED.finditer(title)
    }


def _stem(words: re.Pattern[str], title: str) -> str:
    """Return a title without the word that tells the side, compared without number and punctuation."""
    rest = words.sub(" ", title.lower())
    rest = re.sub(r"\b(?:side|sides|ears?|eyes?)\b", lambda m: m[0].rstrip("s"), rest)
    return " ".join(word.rstrip("s") for word in re.findall(r"[a-z0-9]+", rest))


BUILTIN: dict[str, Callable[[Edition], CodeSet]] = {
    "unknown-code": lambda edition: CodeSet.of([edition.unknown_id]),
    "not-billable": lambda edition: CodeSet.of([edition.header_id]),
    "icd9-code": lambda edition: CodeSet.of([edition.icd9_id]),
    "manifestation": manifestation_codes,
    "unspecified-side": unspecified_side,
}
