"""What could not be judged on a claim: the meaning.

A rule could not be judged where one of its edits speaks of codes on the claim and asks for something that the claim
does not say, while everything else that it asks of the claim beside its codes holds. An edit speaks of its subject, in
the first place where it looks there alone; one without a subject speaks of the codes with which alone it speaks, or of
any claim. A claim without a service date is judged as of a day; the date is missing only for edits that do not hold
then. Edits that look at pointers could not be judged where service lines have none; those that do so whatever a line
has are not asked for more where there are some. Edits that ask for a procedure could not be judged on a claim of which
no line names one; else its lines are what they say. Documented text is not looked at. Rules about present-on-admission
indicators could not be judged on an inpatient claim that has none, whatever its codes.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.semantics.conditions import NEEDS, PARTS, Condition
from weakcode.semantics.edits import Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.parts import ClaimPart
from weakcode.semantics.pointers import OF_LINES, PointedKind
from weakcode.semantics.verbs import FORMS

BITS = {need: 1 << place for place, need in enumerate(NEEDS)}
"""A bit for each thing that a claim can lack."""
POA = "poa"
"""What an inpatient claim without present-on-admission indicators lacks."""
_ASKABLE = tuple(part for part in PARTS if part.need)


def _bits(parts: Iterable[ClaimPart]) -> int:
    # Two parts may need the same of a claim.
    return sum(BITS[need] for need in {part.need for part in parts})


def missing(judged: JudgedClaim) -> int:
    """Return what a claim does not say, as bits of `BITS`."""
    return _bits(part for part in _ASKABLE if part.value_in(judged) is None)


def asked_of(edit: Edit) -> Condition:
    """Return what an edit asks of a claim beside its codes.

    Its fields about pointers tell whether it looks at those of any lines, and of lines that have something.
    """
    return asked_for(edit.condition or Condition(), edit.pointed)


def asked_for(condition: Condition, pointed: PointedKind | None) -> Condition:
    """Return what a condition asks of a claim beside its codes, where its edit looks at pointers so; see `asked_of`."""
    return attrs.evolve(
        condition,
        pointer_off_claim=bool(condition.faults) or (pointed is not None and pointed not in OF_LINES),
        line_without_pointer=pointed in OF_LINES,
        present=None,
        absent=None,
        first_listed=None,
    )


def wants(condition: Condition) -> int:
    """Return what a condition asks for that a claim can lack, as bits of `BITS`."""
    return _bits(part for part in _ASKABLE if part.is_needed(condition))


def codes_of(edit: Edit) -> CodeSet | None:
    """Return the codes of which an edit speaks, None where it speaks of any claim."""
    if FORMS[edit.verb].has_subject:
        return edit.subject
    return edit.condition.present if edit.condition else None


def could_not_be_judged(edits: Iterable[Edit], judged: JudgedClaim) -> set[tuple[str, int]]:
    """Return (need, rule by its number) of every edit that could not be judged, read one by one."""
    found: set[tuple[str, int]] = set()
    for edit in edits:
        if edit.asks_poa and judged.lacks_poa:
            found.add((POA, edit.rule))
        asked, codes = asked_of(edit), codes_of(edit)
        looked_at = judged.ids[:1] if FORMS[edit.verb].looks_first else judged.ids
        if codes is not None and not any(code in codes for code in looked_at):
            continue
        parts = [part for part in PARTS if part.is_asked(asked)]
        lacking = [part for part in parts if part.is_needed(asked) and part.value_in(judged) is None]
        others = [part for part in parts if part not in lacking and part.need != "pointers"]
        if asked.pointer_off_claim and judged.pointers is not None:
            continue
        if all(part.met(asked, part.value(judged)) for part in others):
            # The day that is taken for the date that is not given may do; nothing else that is not given does.
            found.update((part.need, edit.rule) for part in lacking if not part.met(asked, part.value(judged)))
    return found
