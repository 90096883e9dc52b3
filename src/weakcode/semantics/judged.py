"""A claim as an edition sees it: what every reading of the semantics looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from operator import attrgetter

import attrs

from weakcode.claims import Claim
from weakcode.codes.edition import Edition
from weakcode.semantics.pointers import Pointers

_Places = tuple[tuple[int, int], ...]
_TEXT = attrgetter("text")


@attrs.define(eq=False)
class JudgedClaim:
    """A claim with its codes as ids of the edition it is judged by.

    `distinct` holds (position, id) of each code's first position, `repeats` (first position, later position) of each
    repeat, both in claim order. `is_spoken` tells whether a diagnosis has documented text. `pointers` is what the
    service lines say of the codes; None where they say nothing.
    """

    claim: Claim
    date: dt.date
    ids: tuple[int, ...]
    distinct: _Places
    repeats: _Places
    is_spoken: bool
    pointers: Pointers | None

    @classmethod
    def of(cls, claim: Claim, edition: Edition, day: dt.date | None = None) -> JudgedClaim:
        """Return the claim as the edition sees it. `day` stands for the service date of a claim without one.

        Without it, the edition's first day does.
        """
        codes = claim.codes
        ids = tuple(map(edition.code_id, codes))
        distinct: _Places = tuple(enumerate(ids, start=1))
        repeats: _Places = ()
        if len(set(codes)) < len(codes):
            distinct, repeats = _apart(codes, distinct)
        is_spoken = any(map(_TEXT, claim.diagnoses))
        pointers = Pointers.of(claim.lines, codes) if claim.lines else None
        return cls(claim, claim.service_date or day or edition.starts, ids, distinct, repeats, is_spoken, pointers)

    @property
    def off_claim(self) -> bool:
        """Whether a service line points to a diagnosis that the claim does not have."""
        return self.pointers is not None and self.pointers.off_claim


def _apart(codes: Sequence[str], placed: Sequence[tuple[int, int]]) -> tuple[_Places, _Places]:
    """Return (position, id) of each code's first position, and (first position, later position) of each repeat."""
    first: dict[str, tuple[int, int]] = {}
    met = [(first.setdefault(code, place)[0], place[0]) for code, place in zip(codes, placed, strict=True)]
    return tuple(first.values()), tuple((earlier, at) for earlier, at in met if earlier != at)


def at_positions(judged: JudgedClaim, positions: Sequence[int]) -> str:
    """Return codes with their positions, as in `I10 at 1, E11.9 at 2`."""
    return ", ".join(f"{judged.claim.codes[at - 1]} at {at}" for at in positions)
