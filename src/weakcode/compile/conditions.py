"""What an edit asks of the claim as a whole, and what documented text says."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter

import attrs

from weakcode.claims import Claim, ServiceLine
from weakcode.codes.edition import Edition
from weakcode.compile.edits import CompiledRule, Condition, Edit
from weakcode.compile.pointers import FIRST, Pointers, lines_that_point_beyond, lines_that_point_first

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


def holds(condition: Condition | None, judged: JudgedClaim) -> bool:
    """Tell whether the claim meets the condition of an edit. What the claim does not say does not hold."""
    if condition is None:
        return True
    claim, facts = judged.claim, judged.claim.documented
    if condition.age_min is not None or condition.age_max is not None:
        age = claim.age_in_years
        if age is None or age < (condition.age_min or 0):
            return False
        if condition.age_max is not None and age > condition.age_max:
            return False
    if condition.sex is not None and claim.sex != condition.sex:
        return False
    if condition.settings and claim.setting not in condition.settings:
        return False
    if condition.payers and (claim.payer is None or claim.payer.casefold() not in condition.payers):
        return False
    if condition.starts is not None and judged.date < condition.starts:
        return False
    if condition.ends is not None and judged.date > condition.ends:
        return False
    if not facts.issuperset(condition.documented_all) or not facts.isdisjoint(condition.documented_none):
        return False
    if condition.documented_any and facts.isdisjoint(condition.documented_any):
        return False
    if condition.pointer_off_claim and not judged.off_claim:
        return False
    if condition.present is not None and not any(code in condition.present for code in judged.ids):
        return False
    if condition.absent is not None and any(code in condition.absent for code in judged.ids):
        return False
    return condition.first_listed is None or judged.ids[0] in condition.first_listed


def lines_meant(edit: Edit, lines: Sequence[ServiceLine], codes: Sequence[object], subject: int) -> str:
    """Name the service lines that a violation of an edit is about; empty where it is about none.

    `codes` are those of the claim in order, `subject` the position of the violation's subject, 0 where there is none.
    """
    if edit.pointed == FIRST and subject:
        same = [at for at, code in enumerate(codes, start=1) if code == codes[subject - 1]]
        return lines_that_point_first(lines, same)
    if edit.condition is not None and edit.condition.pointer_off_claim:
        return lines_that_point_beyond(lines, len(codes))
    return ""


@lru_cache(maxsize=256)
def _pattern(terms: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(set(terms), key=lambda term: (-len(term), term))
    # Not \b, which asks for a letter behind a term that ends with a full stop or a bracket.
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")


def found_term(edit: Edit, rule: CompiledRule, text: str | None, code_id: int, edition: Edition) -> str | None:
    """Return the first of the edit's terms that a diagnosis's text holds, or None.

    Terms are whole words in any case; where several terms of the rule start at one place the longest counts. A text
    that also holds a term of the diagnosis's own code supports that code: None.
    """
    if not text:
        return None
    owners = dict(rule.terms)
    spoken = re.sub(r"\s+", " ", text.casefold())
    found: Sequence[str] = _pattern((*owners, *edit.terms)).findall(spoken)
    if any(code_id in edition.whole.codeset(owners[term]) for term in found if owners.get(term)):
        return None
    return next((term for term in found if term in edit.terms), None)
