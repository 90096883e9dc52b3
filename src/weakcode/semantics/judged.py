"""A claim as an edition sees it: what every reading of the semantics looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

from weakcode.claims import Claim
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.normalise import compact
from weakcode.semantics.pointers import Pointers, pointed_positions
from weakcode.semantics.verbs import FORMS, Order, Where, in_every_order

if TYPE_CHECKING:
    from weakcode.semantics.edits import Edit, Hit

_Places = tuple[tuple[int, int], ...]
INPATIENT = "inpatient"
MISSING = "missing"
"""Stands for no present-on-admission indicator."""
_TEXT, _POA = attrgetter("text"), attrgetter("poa")


@attrs.define(eq=False)
class JudgedClaim:
    """A claim with its codes as ids of the edition it is judged by.

    `distinct` holds (position, id) of each code's first position, `repeats` (first position, later position) of each
    repeat, both in claim order. `incomplete` holds (position, the billable codes of any day below it) of each code
    that is a category, lacks characters or is not billable on the day. `has_text` tells whether a diagnosis has
    documented text. `pointers` is what the service lines say of the codes; None where they say nothing. `payer` is who
    pays, as a profile calls it. `order` says of which codes the order is known.
    """

    claim: Claim
    date: dt.date
    ids: tuple[int, ...]
    distinct: _Places
    repeats: _Places
    has_text: bool
    pointers: Pointers | None
    incomplete: tuple[tuple[int, CodeSet], ...] = ()
    payer: str | None = None
    order: Order = "all"

    @classmethod
    def of(
        cls,
        claim: Claim,
        edition: Edition,
        day: dt.date | None = None,
        payer: str | None = None,
        order: Order = "all",
    ) -> JudgedClaim:
        """Return the claim as the edition sees it. `day` stands for the service date of a claim without one.

        Without it, the edition's first day does. `payer` is the payer's name where a profile knows a better one than
        the claim says.
        """
        codes = claim.codes
        ids = tuple(map(edition.code_id, codes))
        distinct: _Places = tuple(enumerate(ids, start=1))
        repeats: _Places = ()
        if len(set(codes)) < len(codes):
            distinct, repeats = _apart(codes, distinct)
        has_text = any(map(_TEXT, claim.diagnoses))
        pointers = Pointers.of(claim.lines, codes) if claim.lines else None
        of_day = claim.service_date or day or edition.starts
        incomplete = _incomplete(codes, distinct, edition) if max(ids) >= edition.size else ()
        payer = payer or claim.payer
        return cls(claim, of_day, ids, distinct, repeats, has_text, pointers, incomplete, payer, order)

    @property
    def payer_names(self) -> tuple[str, ...]:
        """Everything that the payer is called: its name for the profile and for the claim, and its ids."""
        return names_of(self.payer, self.claim.payer, self.claim.payer_id)

    @property
    def has_poa(self) -> bool:
        """Whether present-on-admission indicators are reported on the claim: it is inpatient and has at least one."""
        return self.claim.setting == INPATIENT and any(map(_POA, self.claim.diagnoses))

    @property
    def lacks_poa(self) -> bool:
        """Whether the claim is inpatient and has no present-on-admission indicator."""
        return self.claim.setting == INPATIENT and not any(map(_POA, self.claim.diagnoses))

    def poa(self, position: int) -> str:
        """Return the present-on-admission indicator of a diagnosis, `missing` where it has none."""
        return self.claim.diagnoses[position - 1].poa or MISSING

    def pointed(self, edit: Edit) -> frozenset[int]:
        """Return the first positions of the diagnoses that service lines point to as an edit with `pointed` asks."""
        if self.pointers is None:
            return frozenset()
        return pointed_positions(edit, self.pointers, self.claim.lines, self.claim.codes, self.ids)

    @property
    def pointer_faults(self) -> int:
        """What is wrong with the pointers of service lines, as bits of `FAULTS`."""
        return 0 if self.pointers is None else self.pointers.faults


def _incomplete(codes: Sequence[str], placed: _Places, edition: Edition) -> tuple[tuple[int, CodeSet], ...]:
    found = ((at, codes_below(codes[at - 1], edition)) for at, number in placed if number >= edition.size)
    return tuple((at, below) for at, below in found if below)


def codes_below(code: str, edition: Edition) -> CodeSet:
    """Return the codes of any day that are or begin with a code; none for text that is less than a category."""
    return CodeSet.between(*edition.span(code)) if len(compact(code)) >= 3 else CodeSet()


def stands_for(incomplete: Iterable[tuple[int, CodeSet]], objects: CodeSet, where: Where, subject: int) -> bool:
    """Tell whether a code that is not billable is what a requirement asks for: all codes below it are among these.

    That it lacks characters is a finding of its own, and no other is built on it. `incomplete` are those of the claim,
    as `JudgedClaim` has them; `subject` is 0 for the whole claim.
    """
    if not objects:
        return False
    return any((not subject or where.relates(subject, at)) and not below - objects for at, below in incomplete)


def without_satisfied(hits: Iterable[Hit], judged: JudgedClaim, edit_of: Callable[[int], Edit]) -> list[Hit]:
    """Return the hits on a claim without those of requirements that a code that is not billable satisfies."""
    kept = []
    for hit in hits:
        edit = edit_of(hit.edit)
        asks = FORMS[edit.verb].asks_object and not hit.object
        if not (asks and stands_for(judged.incomplete, edit.object, edit.where, hit.subject)):
            kept.append(hit)
    return kept


def without_known_order(hits: Iterable[Hit], judged: JudgedClaim, edit_of: Callable[[int], Edit]) -> list[Hit]:
    """Return the hits on a claim that are violations in whatever order those of its codes stand that have none."""
    if judged.order == "all" or len(judged.distinct) == 1:
        return list(hits)
    kept = []
    for hit in hits:
        edit = edit_of(hit.edit)
        others = partial(_others, edit, hit.subject, judged)
        if in_every_order(edit.verb, edit.where, hit.subject, hit.object, judged.order, others):
            kept.append(hit)
    return kept


def _others(edit: Edit, i: int, judged: JudgedClaim) -> list[int]:
    """Return the first positions of what satisfies an edit, beside i."""
    found = [at for at, code in judged.distinct if at != i and code in edit.object]
    return found + [at for at, below in judged.incomplete if at != i and not below - edit.object]


def names_of(payer: str | None, on_claim: str | None, ids: Sequence[str] | None) -> tuple[str, ...]:
    """Return everything that a payer is called, each once, its name for the profile first."""
    return tuple(dict.fromkeys(name for name in (payer, on_claim, *(ids or ())) if name))


def _apart(codes: Sequence[str], placed: Sequence[tuple[int, int]]) -> tuple[_Places, _Places]:
    """Return (position, id) of each code's first position, and (first position, later position) of each repeat."""
    first: dict[str, tuple[int, int]] = {}
    met = [(first.setdefault(code, place)[0], place[0]) for code, place in zip(codes, placed, strict=True)]
    return tuple(first.values()), tuple((earlier, at) for earlier, at in met if earlier != at)


def at_positions(judged: JudgedClaim, positions: Sequence[int]) -> str:
    """Return codes with their positions, as in `I10 at 1, E11.9 at 2`."""
    return ", ".join(f"{judged.claim.codes[at - 1]} at {at}" for at in positions)
