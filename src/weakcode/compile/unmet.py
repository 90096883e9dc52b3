"""What of a condition a claim does not meet, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weakcode.codes.edition import Edition
from weakcode.codes.spelling import spelled
from weakcode.compile.conditions import JudgedClaim
from weakcode.compile.edits import Condition


def unmet(condition: Condition, judged: JudgedClaim, edition: Edition) -> list[str]:
    """Return what of a condition the claim does not meet, each as a sentence without its full stop."""
    claim = judged.claim
    said = [*_unmet_patient(condition, judged), *_unmet_codes(condition, judged, edition)]
    for fact in condition.documented_all:
        if fact not in claim.documented:
            said.append(f'the fact "{fact}" is not documented')
    if condition.documented_any and claim.documented.isdisjoint(condition.documented_any):
        said.append(f"none of the facts {', '.join(condition.documented_any)} is documented")
    if condition.pointer_off_claim and not (judged.pointers is not None and judged.pointers.off_claim):
        said.append("no pointer of a service line leads beyond the diagnoses")
    for fact in condition.documented_none:
        if fact in claim.documented:
            said.append(f'the fact "{fact}" is documented')
    return said


def _unmet_patient(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    claim, age = judged.claim, judged.claim.age_in_years
    if condition.age_min is not None or condition.age_max is not None:
        if age is None:
            yield "the age is not known"
        elif age < (condition.age_min or 0):
            yield f"the age {age} is below {condition.age_min}"
        elif condition.age_max is not None and age > condition.age_max:
            yield f"the age {age} is above {condition.age_max}"
    if condition.sex is not None and claim.sex != condition.sex:
        yield f"the sex is {claim.sex}, not {condition.sex}" if claim.sex else "the sex is not known"
    if condition.settings and claim.setting not in condition.settings:
        asked = " or ".join(condition.settings)
        yield f"the setting is {claim.setting}, not {asked}" if claim.setting else "the setting is not known"
    if condition.payers and (claim.payer or "").casefold() not in condition.payers:
        yield f'the rule is not for the payer "{claim.payer}"' if claim.payer else "the payer is not known"
    day = f"the service date {judged.date}"
    if claim.service_date is None:
        day = f"{judged.date}, taken for the service date that is not given,"
    if condition.starts is not None and judged.date < condition.starts:
        yield f"{day} is before {condition.starts}"
    if condition.ends is not None and judged.date > condition.ends:
        yield f"{day} is after {condition.ends}"


def _unmet_codes(condition: Condition, judged: JudgedClaim, edition: Edition) -> Iterator[str]:
    if condition.present is not None and not any(code in condition.present for code in judged.ids):
        yield f"the rule speaks only with {spelled(condition.present, edition)} on the claim"
    if condition.absent is not None:
        there = [at for at, code in judged.distinct if code in condition.absent]
        if there:
            yield f"{at_positions(judged, there)} is on the claim"
    if condition.first_listed is not None and judged.ids[0] not in condition.first_listed:
        yield f"{judged.claim.codes[0]} is first-listed, and none of {spelled(condition.first_listed, edition)}"


def at_positions(judged: JudgedClaim, positions: Sequence[int]) -> str:
    """Return codes with their positions, as in `I10 at 1, E11.9 at 2`."""
    return ", ".join(f"{judged.claim.codes[at - 1]} at {at}" for at in positions)
