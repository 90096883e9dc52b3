"""Code sets that every rule file can use without declaring them, resolved against an edition.

Those of the Medicare Code Editor change with Medicare's lists, some of them on a day on which the codes stay.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes import poa, table
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Titled
from weakcode.codes.expression.specificity import unspecified
from weakcode.compile.tabular.laterality import meet
from weakcode.compile.tabular.notes import after_injury_codes, manifestation_codes

_SIDES = re.compile(r"\b(?:right|left|bilateral)\b", re.IGNORECASE)
_SIDE_WORDS = frozenset(("right", "left", "bilateral"))
_WORD = re.compile(r"[a-z0-9]+")
_UNSPECIFIED = re.compile(r"\bunspecified\b", re.IGNORECASE)


def unspecified_side(edition: Edition) -> CodeSet:
    """Return the codes whose title says "unspecified" where a sibling says right, left or bilateral.

    The rest of the title must be the same, so that only the side is what is not said.
    """
    nodes, titles = edition.titled(), edition.lower_titles
    silent: dict[str, list[Titled]] = {}
    for node, title in zip(nodes, titles, strict=True):
        if "unspecified" in title and node.parent is not None and node.kind == "subcategory" and not _sided(title):
            silent.setdefault(node.parent, []).append(node)
    sided: dict[tuple[str, str], list[CodeSet]] = {}
    for node, title in zip(nodes, titles, strict=True):
        if node.parent in silent and node.kind == "subcategory" and _sided(title):
            sided.setdefault((node.parent, _stem(title)), []).append(edition.billable_below(node.name))
    found: list[CodeSet] = []
    for parent in {parent for parent, _ in sided}:
        for node in silent[parent]:
            codes = edition.billable_below(node.name)
            others = (other for stem in _silent_stems(node.title) for other in sided.get((parent, stem), ()))
            if any(meet(codes, other, edition) for other in others):
                found.append(codes)
    return CodeSet.joined(found)


def _sided(title: str) -> bool:
    """Whether a title in lower case tells a side."""
    return ("right" in title or "left" in title or "bilateral" in title) and _SIDES.search(title) is not None


def _silent_stems(title: str) -> set[str]:
    """Return the title without each "unspecified" in turn: "unspecified nerve of unspecified arm" has two to try."""
    return {_stem(title[: found.start()] + " " + title[found.end() :]) for found in _UNSPECIFIED.finditer(title)}


def _stem(title: str) -> str:
    """Return a title without the words that tell the side, compared without number and punctuation."""
    return " ".join([word.rstrip("s") for word in _WORD.findall(title.lower()) if word not in _SIDE_WORDS])


@attrs.frozen
class Flagged:
    """The codes with a flag of the Medicare Code Editor, without those that also have the flag `without`.

    Of a flag that has ended, the codes are those of its last day.
    """

    flag: str
    without: str | None = None

    def changes(self) -> tuple[date, ...]:
        """Return the days from which on the set is another, the first day known first."""
        days = {*table.changes(self.flag), *(table.changes(self.without) if self.without else ())}
        return tuple(sorted(day for day in days if day <= table.last_flagged(self.flag)))

    def on(self, day: date, edition: Edition) -> CodeSet:
        """Return the codes on a day; also those not billable on it that were so flagged when they were."""
        day = min(day, table.last_flagged(self.flag))
        codes = _by_history(edition)
        kept = CodeSet.joined(codes[number] for number in table.having(self.flag, day) if number in codes)
        if self.without is None:
            return kept
        return kept - CodeSet.joined(codes[number] for number in table.having(self.without, day) if number in codes)


@remembered
def _by_history(edition: Edition) -> dict[int, CodeSet]:
    """Return the codes of an edition by the number of their history in the table of codes."""
    found: defaultdict[int | None, list[int]] = defaultdict(list)
    history_of = table.table().codes.get
    for code, number in edition.numbers.items():
        found[history_of(code)].append(number)
    return {history: CodeSet.of(numbers) for history, numbers in found.items() if history is not None}


@attrs.frozen
class Admitted:
    """Codes that are exempt from present-on-admission indicators, or hospital-acquired conditions; see `codes.poa`."""

    kind: str

    def changes(self) -> tuple[date, ...]:
        """Return the days from which on the set is another, the first day known first."""
        return poa.changes(self.kind)

    def on(self, day: date, edition: Edition) -> CodeSet:
        """Return the codes on a day."""
        return CodeSet.joined(_spelled_out(codes, edition) for codes in poa.lists_on(self.kind, day))


@remembered
def _spelled_out(codes: tuple[str, ...], edition: Edition) -> CodeSet:
    """Return those of some compact codes that an edition has on any day."""
    numbers = edition.numbers
    return CodeSet.of([numbers[code] for code in codes if code in numbers])


DATED: dict[str, Flagged | Admitted] = {
    "mce-newborn": Flagged("newborn"),
    "mce-pediatric": Flagged("pediatric"),
    "mce-maternity": Flagged("maternity"),
    "mce-adult": Flagged("adult"),
    "mce-female": Flagged("female"),
    "mce-male": Flagged("male"),
    "mce-external-cause": Flagged("ecodepdx"),
    "mce-manifestation": Flagged("manifestation"),
    "mce-unacceptable-principal": Flagged("unacceptable", without="reqsdx"),
    "mce-requires-secondary": Flagged("reqsdx"),
    "mce-questionable-admission": Flagged("qadm"),
    "mce-unspecified": Flagged("unspecified"),
    "poa-exempt": Admitted(poa.EXEMPT),
    "hospital-acquired": Admitted(poa.ACQUIRED),
}
"""Code sets that depend on the day of the claim."""

BUILTIN: dict[str, Callable[[Edition], CodeSet]] = {
    "unknown-code": lambda edition: CodeSet.of([edition.unknown_id]),
    "not-billable": lambda edition: CodeSet.of([edition.header_id]),
    "icd9-code": lambda edition: CodeSet.of([edition.icd9_id]),
    "manifestation": manifestation_codes,
    "after-injury": after_injury_codes,
    "unspecified": unspecified,
    "unspecified-side": unspecified_side,
}
