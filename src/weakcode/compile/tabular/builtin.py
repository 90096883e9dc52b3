"""Code sets that every rule file can use without declaring them, resolved against an edition.

Those of the Medicare Code Editor change with Medicare's lists, some of them on a day on which the codes stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import attrs
import numpy as np

from weakcode.base.remembered import remembered
from weakcode.codes import poa, table
from weakcode.codes.codeset import CodeSet, codes_at, codes_where
from weakcode.codes.edition import Edition
from weakcode.codes.expression.specificity import unspecified
from weakcode.codes.keys import pack_keys
from weakcode.compile.tabular.laterality import meet
from weakcode.compile.tabular.notes import codes_after, manifestation_codes
from weakcode.semantics.groups import words_of_sides

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDES = ("right", "left", "bilateral")


def unspecified_side(edition: Edition) -> CodeSet:
    """Return the codes whose title says "unspecified" where a sibling says right, left or bilateral.

    The rest of the title must be the same, so that only the side is what is not said.
    """
    places, words = words_of_sides(edition)
    tells_side, tells_none = words.having(_SIDES), words.having(["unspecified"])
    stems = words.mapped(_stem).spelled()
    unspecified = words.letter("unspecified")
    windows, names = edition.windows_at(places), edition.names
    parents = np.asarray(edition.parents)[places].tolist()
    sided: dict[tuple[int, str], list[int]] = {}
    silent: list[int] = []
    sides = tells_side.tolist()
    for at in np.flatnonzero((tells_side | tells_none) & edition.of_kind("subcategory")[places]).tolist():
        if sides[at]:
            sided.setdefault((parents[at], stems[at]), []).append(at)
        else:
            silent.append(at)
    found: list[CodeSet] = []
    for at in silent:
        others = (one for left in _without_each(unspecified, stems[at]) for one in sided.get((parents[at], left), ()))
        if any(meet(windows[at], windows[other], edition.windows) for other in others):
            found.append(edition.billable_below(names[int(places[at])]))
    return CodeSet.joined(found)


def _stem(word: str) -> str:
    """Return a word without number; "" for one that tells the side."""
    return "" if word in _SIDES else word.rstrip("s")


def _without_each(word: str, words: str) -> Iterator[str]:
    """Yield words without each of a word in turn: "unspecified nerve of unspecified arm" has two to try."""
    at = words.find(word)
    while at >= 0:
        yield words[:at] + words[at + 1 :]
        at = words.find(word, at + 1)


@attrs.frozen
class FlaggedCodes:
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
        kept = _of_histories(table.having(self.flag, day), edition)
        return kept if self.without is None else kept - _of_histories(table.having(self.without, day), edition)


def _of_histories(numbers: tuple[int, ...], edition: Edition) -> CodeSet:
    chosen = np.zeros(len(table.table().histories) + 1, np.bool_)
    chosen[list(numbers)] = True
    return codes_where(chosen[_histories(edition)])


@remembered
def _histories(edition: Edition) -> NDArray[np.int64]:
    """Return the number of the history in the table of codes of each code of an edition, -1 for one without."""
    known = table.table()
    found = np.full(edition.size, -1)
    numbers = edition.numbers_of(known.keys)
    is_known = numbers >= 0
    found[numbers[is_known]] = np.array(known.lives)[is_known]
    return found


@attrs.frozen
class PoaCodes:
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
    numbers = edition.numbers_of(pack_keys(codes))
    return codes_at(np.sort(numbers[numbers >= 0]))


DATED: dict[str, FlaggedCodes | PoaCodes] = {
    "mce-newborn": FlaggedCodes("newborn"),
    "mce-pediatric": FlaggedCodes("pediatric"),
    "mce-maternity": FlaggedCodes("maternity"),
    "mce-adult": FlaggedCodes("adult"),
    "mce-female": FlaggedCodes("female"),
    "mce-male": FlaggedCodes("male"),
    "mce-external-cause": FlaggedCodes("ecodepdx"),
    "mce-manifestation": FlaggedCodes("manifestation"),
    "mce-unacceptable-principal": FlaggedCodes("unacceptable", without="reqsdx"),
    "mce-requires-secondary": FlaggedCodes("reqsdx"),
    "mce-questionable-admission": FlaggedCodes("qadm"),
    "mce-unspecified": FlaggedCodes("unspecified"),
    "poa-exempt": PoaCodes(poa.EXEMPT),
    "hospital-acquired": PoaCodes(poa.ACQUIRED),
}
"""Code sets that depend on the day of the claim."""

BUILTIN: dict[str, Callable[[Edition], CodeSet]] = {
    "unknown-code": lambda edition: CodeSet.of([edition.unknown_id]),
    "not-billable": lambda edition: CodeSet.of([edition.header_id]),
    "icd9-code": lambda edition: CodeSet.of([edition.icd9_id]),
    "manifestation": manifestation_codes,
    "after-injury": partial(codes_after, "S00-T34, T66-T79"),
    "after-poisoning": partial(codes_after, "T36-T65"),
    "after-complication": partial(codes_after, "T80-T88"),
    "unspecified": unspecified,
    "unspecified-side": unspecified_side,
}
