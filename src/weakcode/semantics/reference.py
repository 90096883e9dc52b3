"""The reference: every edit read against every diagnosis of a claim, with the outcome and the reason.

Nothing here is clever. What engines find is what is violated here; explanations show it, and property tests hold all
engines to it. A diagnosis is a subject where its code is in the edit's subject, its documented text holds one of the
edit's terms, and service lines point to it as the edit wants. A code that stands twice is judged where it stands first.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import stems
from weakcode.semantics.conditions import Condition, holds, unmet
from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.judged import MISSING, JudgedClaim, at_positions, stands_for, without_known_order
from weakcode.semantics.pointers import BY_LINE, FIRST, FIRST_BY_LINE, NEVER, ONLY_BY_LINE
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import FORMS, Verb, Where

_FEW = 6
_INCOMPLETE = "a code that is not billable stands for it: every code below is one of those asked for"


_NOT_POINTED = {
    FIRST: "no service line points to it first",
    NEVER: "a service line points to it, or may have",
    BY_LINE: "no service line that is meant points to it",
    FIRST_BY_LINE: "no service line that is meant points to it first",
    ONLY_BY_LINE: "it is not the first of a service line's diagnoses that are all so",
}
"""Why a diagnosis in the subject set is none, by what service lines should do with it."""


class Outcome(enum.StrEnum):
    """What became of an edit on a claim. A violation may then be waived, or said by another rule."""

    VIOLATED = "violated"
    WAIVED = "waived"
    SUPERSEDED = "superseded"
    SATISFIED = "satisfied"
    NO_OBJECT = "object not on the claim"
    NOT_APPLICABLE = "not applicable"
    OFF = "off"


@attrs.frozen
class Reading:
    """What an edit says of one subject, 0 for the claim as a whole. A violation has a hit, anything else a reason.

    `positions` are those of the diagnoses that the reason speaks of.
    """

    subject: int
    outcome: Outcome
    reason: str = ""
    positions: tuple[int, ...] = ()
    hit: Hit | None = None


@attrs.frozen
class _On:
    """An edit on a claim: `objects` are the positions of its objects."""

    number: int
    edit: Edit
    judged: JudgedClaim
    edition: Edition
    objects: tuple[int, ...]

    def violated(self, i: int, j: int = 0) -> Reading:
        return Reading(i, Outcome.VIOLATED, hit=Hit(self.number, i, j))

    def related(self, i: int) -> list[int]:
        """Return the objects that stand to a subject at i as the edit says."""
        return [j for j in self.objects if self.edit.where.relates(i, j)]

    def absent(self, i: int) -> Reading:
        edit = self.edit
        words = edit.listed or "the codes that it names"
        if any(source.quote for source in edit.sources):
            words = "the codes that it names"
        elif not edit.object - CodeSet([(0, self.edition.size)]):
            # What a rule lists need not be its object: of right and left it lists the code for both.
            few = list(islice(stems(edit.object, self.edition), _FEW + 1))
            words = ", ".join(few) if 0 < len(few) <= _FEW else words
        return Reading(i, Outcome.NO_OBJECT, f"none of {words} is on the claim")


def _present(on: _On, i: int) -> Iterator[Reading]:
    yield on.violated(i)


def _forbid(on: _On, i: int) -> Iterator[Reading]:
    """An object in the relation is a violation. A subject that is an object itself is no violation."""
    if i in on.objects:
        yield Reading(i, Outcome.NOT_APPLICABLE, "it is one of the codes that may not be reported with it itself")
        return
    related = on.related(i)
    if related:
        yield from (on.violated(i, j) for j in related)
    elif on.objects:
        side = on.edit.where.name.lower()
        reason = f"only {side} it is forbidden, not where it is listed: {at_positions(on.judged, on.objects)}"
        yield Reading(i, Outcome.SATISFIED, reason, (i, *on.objects))
    else:
        yield on.absent(i)


def _require(on: _On, i: int) -> Iterator[Reading]:
    """No object in the relation is a violation."""
    related = on.related(i)
    if not related and stands_for(on.judged.incomplete, on.edit.object, on.edit.where, i):
        yield Reading(i, Outcome.SATISFIED, _INCOMPLETE)
    elif related:
        side = "" if on.edit.where is Where.ANYWHERE else f", {on.edit.where.name.lower()} it,"
        reason = f"{at_positions(on.judged, related)}{side} satisfies it"
        yield Reading(i, Outcome.SATISFIED, reason, (i, *related))
    else:
        yield on.violated(i)


def _order(on: _On, i: int) -> Iterator[Reading]:
    """An object on the other side only is a violation, with the first of them, or the last where it belongs after.

    An order without a side is one before.
    """
    others = [j for j in on.objects if j != i]
    related = [j for j in others if (j > i) is (on.edit.where is Where.AFTER)]
    if not others:
        yield on.absent(i)
    elif related:
        reason = f"{at_positions(on.judged, related)} is listed {on.edit.where.name.lower()} it"
        yield Reading(i, Outcome.SATISFIED, reason, (i, *related))
    else:
        yield on.violated(i, max(others) if on.edit.where is Where.AFTER else min(others))


def _first(on: _On, i: int) -> Iterator[Reading]:
    yield Reading(i, Outcome.SATISFIED, "it is first-listed") if i == 1 else on.violated(i)


def _secondary(on: _On, i: int) -> Iterator[Reading]:
    yield on.violated(i) if i == 1 else Reading(i, Outcome.SATISFIED, "it is not first-listed")


def _once(on: _On, i: int) -> Iterator[Reading]:
    """Each repeat of the code is a violation."""
    again = [later for first, later in on.judged.repeats if first == i]
    yield from (on.violated(i, later) for later in again)
    if not again:
        yield Reading(i, Outcome.SATISFIED, "it stands once")


_BY_SUBJECT: Mapping[Verb, Callable[[_On, int], Iterator[Reading]]] = {
    Verb.PRESENT: _present,
    Verb.FORBID: _forbid,
    Verb.REQUIRE: _require,
    Verb.ORDER: _order,
    Verb.FIRST: _first,
    Verb.SECONDARY: _secondary,
    Verb.ONCE: _once,
}


def _at_most_one(on: _On, at: Sequence[int]) -> Iterator[Reading]:
    """The first subject and each later one are a violation; both have the reading."""
    if len(at) < 2:
        yield from (Reading(i, Outcome.SATISFIED, "no other code of its kind is on the claim") for i in at)
    for later in at[1:]:
        yield on.violated(at[0], later)
        yield attrs.evolve(on.violated(at[0], later), subject=later)


def _claim_require(on: _On, at: Sequence[int]) -> Iterator[Reading]:
    """A claim without any of the objects is a violation as a whole."""
    if on.objects:
        reason = f"{at_positions(on.judged, on.objects)} satisfies it"
        yield Reading(0, Outcome.SATISFIED, reason, on.objects)
    elif stands_for(on.judged.incomplete, on.edit.object, Where.ANYWHERE, 0):
        yield Reading(0, Outcome.SATISFIED, _INCOMPLETE)
    else:
        yield on.violated(0)


_TOGETHER: Mapping[Verb, Callable[[_On, Sequence[int]], Iterator[Reading]]] = {
    Verb.AT_MOST_ONE: _at_most_one,
    Verb.CLAIM_REQUIRE: _claim_require,
}
"""Verbs that do not ask each subject by itself."""


def read(number: int, edit: Edit, rule: CompiledRule, judged: JudgedClaim, edition: Edition) -> list[Reading]:
    """Return what an edit, which is that of a number in its program, says of a claim: one reading or more by subject.

    Empty where no code of the claim is a subject of an edit that has some.
    """
    at = [i for i, code in judged.distinct if code in edit.subject]
    if not at and FORMS[edit.verb].has_subject:
        return []
    if not holds(edit.condition, judged):
        reason = "; ".join(unmet(edit.condition or Condition(), judged, edition))
        return [Reading(i, Outcome.NOT_APPLICABLE, reason) for i in at or [0]]
    silent = {i: reason for i in at if (reason := _silent(edit, rule, judged, i, edition))}
    readings = [Reading(i, Outcome.NOT_APPLICABLE, reason) for i, reason in silent.items()]
    at = [i for i in at if i not in silent]
    on = _On(number, edit, judged, edition, tuple(j for j, code in judged.distinct if code in edit.object))
    if edit.verb in _TOGETHER:
        return readings + list(_TOGETHER[edit.verb](on, at))
    for i in at:
        readings += _BY_SUBJECT[edit.verb](on, i)
    return [_in_every_order(one, judged, edit) for one in readings]


def _in_every_order(reading: Reading, judged: JudgedClaim, edit: Edit) -> Reading:
    """Return a reading, satisfied where what is violated rests on an order of codes which is not known."""
    if reading.hit is None or without_known_order([reading.hit], judged, lambda _: edit):
        return reading
    return Reading(reading.subject, Outcome.SATISFIED, "the order of the claim's codes is not known")


def _silent(edit: Edit, rule: CompiledRule, judged: JudgedClaim, i: int, edition: Edition) -> str:
    """Return why a diagnosis in the subject set is not a subject, by text or service lines; empty where it is."""
    if edit.pointed is not None:
        if judged.pointers is None:
            return "no service line has a pointer"
        if i not in judged.pointed(edit):
            return _NOT_POINTED[edit.pointed]
    if edit.poa:
        if not judged.has_poa:
            return "the claim is not inpatient, or has no present-on-admission indicator"
        if judged.poa(i) not in edit.poa:
            sign = judged.poa(i)
            return f"its present-on-admission indicator is {sign}" if sign != MISSING else "its indicator is missing"
    if edit.terms:
        text = judged.claim.diagnoses[i - 1].text
        if not text:
            return "no text is documented for it"
        if not found_term(edit, rule, text, judged.ids[i - 1], edition):
            return f"the documented text does not say {', '.join(edit.terms)} alone"
    return ""


def violations(edits: Iterable[Edit], rules: Sequence[CompiledRule], judged: JudgedClaim, edition: Edition) -> set[Hit]:
    """Return every violation of these edits, whose numbers are their places, on a claim."""
    found: set[Hit] = set()
    for number, edit in enumerate(edits):
        readings = read(number, edit, rules[edit.rule], judged, edition)
        found.update(reading.hit for reading in readings if reading.hit is not None)
    return found
