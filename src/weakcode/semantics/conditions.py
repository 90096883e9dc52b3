"""The claim conditions of edits, declared once.

A condition is a conjunction over parts of the claim. For each part the table `PARTS` says how a rule file asks for it,
where its value stands, which values meet it, and how to say that it is not met; `CODE_PARTS` says the same of the codes
of the claim. The compiler, the engines, explanations and the rule language's tests derive from these tables. What a
claim does not say does not hold.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.base.patterns import matches
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.spelling import spelled
from weakcode.semantics.judged import JudgedClaim, at_positions
from weakcode.semantics.parts import ClaimPart, CodePart, says
from weakcode.semantics.pointers import FAULTS, OFF_CLAIM, WITHOUT_POINTER
from weakcode.semantics.servicelines import (
    LINE_CONDITIONS,
    asked_lines,
    facts_of,
    lines_met,
    lines_unmet,
    with_procedure,
)

if TYPE_CHECKING:
    from weakcode.rules.model import Case, Rule, When


@attrs.frozen
class Condition:
    """The claim condition of an edit. Every part given must hold."""

    age_min: int | None = None
    age_max: int | None = None
    sex: str | None = None
    settings: tuple[str, ...] = ()
    payers: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    bill_types: tuple[str, ...] = ()
    frequencies: tuple[str, ...] = ()
    original_references: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    taxonomies: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    rendering_providers: tuple[str, ...] = ()
    rendering_taxonomies: tuple[str, ...] = ()
    diagnoses_min: int | None = None
    diagnoses_max: int | None = None
    principals_min: int | None = None
    principals_max: int | None = None
    line_procedures: tuple[str, ...] = ()
    line_modifiers: tuple[str, ...] = ()
    line_revenues: tuple[str, ...] = ()
    line_places: tuple[str, ...] = ()
    line_rendering_providers: tuple[str, ...] = ()
    line_rendering_taxonomies: tuple[str, ...] = ()
    line_units_min: int | None = None
    line_units_max: int | None = None
    line_charge_min: int | None = None
    line_charge_max: int | None = None
    line_starts: dt.date | None = None
    line_ends: dt.date | None = None
    starts: dt.date | None = None
    ends: dt.date | None = None
    documented_all: tuple[str, ...] = ()
    documented_any: tuple[str, ...] = ()
    documented_none: tuple[str, ...] = ()
    present: CodeSet | None = None
    absent: CodeSet | None = None
    first_listed: CodeSet | None = None
    pointer_off_claim: bool = False
    line_without_pointer: bool = False

    @property
    def asks_line(self) -> bool:
        """Whether some service line must have something."""
        return any(says(getattr(self, name)) for name in LINE_CONDITIONS)

    @property
    def faults(self) -> int:
        """What must be wrong with the pointers of service lines, as bits of `FAULTS`."""
        return OFF_CLAIM * self.pointer_off_claim | WITHOUT_POINTER * self.line_without_pointer


_NOTHING = Condition()


def _age_asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
    return {"age_min": when.age.min, "age_max": when.age.max} if when.age else {}


def _within(name: str) -> Callable[[Condition, int | None], bool]:
    """Return what tells whether a number is within the limits of a condition that are called so."""

    def met(condition: Condition, number: int | None) -> bool:
        low, high = getattr(condition, f"{name}_min"), getattr(condition, f"{name}_max")
        return number is not None and (low is None or number >= low) and (high is None or number <= high)

    return met


def _age_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    age = judged.claim.age_in_years
    if age is None:
        yield "the age is not known"
    elif condition.age_min is not None and age < condition.age_min:
        yield f"the age {age} is below {condition.age_min}"
    else:
        yield f"the age {age} is above {condition.age_max}"


def _sex_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    sex = judged.claim.sex
    yield f"the sex is {sex}, not {condition.sex}" if sex else "the sex is not known"


def _setting_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    setting, settings = judged.claim.setting, " or ".join(condition.settings)
    yield f"the setting is {setting}, not {settings}" if setting else "the setting is not known"


def _payer_asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
    return {"payers": tuple(payer.casefold() for payer in when.payer)}


def _payer_met(condition: Condition, names: tuple[str, ...] | None) -> bool:
    return any(matches(condition.payers, name) for name in names or ())


def _payer_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    payer = judged.payer
    yield f'the rule is not for the payer "{payer}"' if payer else "the payer is not known"


def _word_part(name: str, key: str, field: str, what: str) -> ClaimPart:
    """Return the part that a field of one word is; `key` is that of `when`, `field` that of `Condition`."""

    def unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
        value, wanted = getattr(judged.claim, name), ", ".join(getattr(condition, field))
        yield f"the {what} is {value}, none of {wanted}" if value else f"the {what} is not known"

    return ClaimPart(
        name,
        (field,),
        lambda when, case, rule: {field: getattr(when, key)},
        attrgetter(f"claim.{name}"),
        lambda condition, value: value is not None and matches(getattr(condition, field), value),
        unmet,
    )


def _count_part(name: str, what: str, value: Callable[[JudgedClaim], int | None]) -> ClaimPart:
    """Return the part that a number of things is; `name` is also the key of `when`."""
    lowest, highest = f"{name}_min", f"{name}_max"

    def asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
        limits = getattr(when, name)
        return {lowest: limits.min, highest: limits.max} if limits else {}

    def unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
        limits = (("least", getattr(condition, lowest)), ("most", getattr(condition, highest)))
        wanted = " and ".join(f"at {word} {limit}" for word, limit in limits if limit is not None)
        count = value(judged)
        yield f"the number of {what} is not known" if count is None else f"the claim has {count} {what}, not {wanted}"

    return ClaimPart(name, (lowest, highest), asked, value, _within(name), unmet)


def _date_asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
    """Service dates of the case, within the dates on which the rule is in force."""
    ranges = [dates for dates in (when.service_date, rule.effective) if dates]
    return {
        "starts": max((dates.from_ for dates in ranges if dates.from_), default=None),
        "ends": min((dates.to for dates in ranges if dates.to), default=None),
    }


def _date_met(condition: Condition, day: dt.date) -> bool:
    return (condition.starts is None or day >= condition.starts) and (condition.ends is None or day <= condition.ends)


def _date_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    day = f"the service date {judged.date}"
    if judged.claim.service_date is None:
        day = f"{judged.date}, taken for the service date that is not given,"
    if condition.starts is not None and judged.date < condition.starts:
        yield f"{day} is before {condition.starts}"
    if condition.ends is not None and judged.date > condition.ends:
        yield f"{day} is after {condition.ends}"


def _facts_asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
    facts = when.documented
    if facts is None:
        return {}
    return {"documented_all": facts.all, "documented_any": facts.any, "documented_none": facts.none}


def _facts_met(condition: Condition, facts: frozenset[str] | None) -> bool:
    known = facts or frozenset()
    return (
        known.issuperset(condition.documented_all)
        and (not condition.documented_any or not known.isdisjoint(condition.documented_any))
        and known.isdisjoint(condition.documented_none)
    )


def _facts_unmet(condition: Condition, judged: JudgedClaim) -> Iterator[str]:
    known = judged.claim.documented
    for fact in condition.documented_all:
        if fact not in known:
            yield f'the fact "{fact}" is not documented'
    if condition.documented_any and known.isdisjoint(condition.documented_any):
        yield f"none of the facts {', '.join(condition.documented_any)} is documented"
    for fact in condition.documented_none:
        if fact in known:
            yield f'the fact "{fact}" is documented'


def _pointer_asked(when: When, case: Case, rule: Rule) -> dict[str, Any]:
    how = case.pointed and case.pointed.how
    return {"pointer_off_claim": how == "off-claim", "line_without_pointer": how == "no-pointer"}


PARTS = (
    ClaimPart(
        "age", ("age_min", "age_max"), _age_asked, attrgetter("claim.age_in_years"), _within("age"), _age_unmet, "age"
    ),
    ClaimPart(
        "sex",
        ("sex",),
        lambda when, case, rule: {"sex": when.sex},
        attrgetter("claim.sex"),
        lambda condition, sex: sex == condition.sex,
        _sex_unmet,
        "sex",
    ),
    ClaimPart(
        "setting",
        ("settings",),
        lambda when, case, rule: {"settings": when.setting},
        attrgetter("claim.setting"),
        lambda condition, setting: setting in condition.settings,
        _setting_unmet,
        "setting",
    ),
    ClaimPart("payer", ("payers",), _payer_asked, attrgetter("payer_names"), _payer_met, _payer_unmet),
    _word_part("plan", "plan", "plans", "plan"),
    _word_part("bill_type", "bill_type", "bill_types", "type of bill"),
    _word_part("frequency", "frequency", "frequencies", "frequency code"),
    _word_part("original_reference", "original_reference", "original_references", "original reference"),
    _word_part("place", "place", "places", "place of service"),
    _word_part("state", "state", "states", "state"),
    _word_part("provider_taxonomy", "taxonomy", "taxonomies", "taxonomy of the provider"),
    _word_part("provider", "provider", "providers", "billing provider"),
    _word_part("rendering_provider", "rendering_provider", "rendering_providers", "rendering provider"),
    _word_part(
        "rendering_taxonomy", "rendering_taxonomy", "rendering_taxonomies", "taxonomy of the rendering provider"
    ),
    _count_part("diagnoses", "diagnoses", lambda judged: len(judged.ids)),
    _count_part("principals", "principal diagnoses", attrgetter("claim.principals")),
    ClaimPart(
        "lines",
        LINE_CONDITIONS,
        lambda when, case, rule: asked_lines(when, case),
        lambda judged: frozenset(map(facts_of, judged.claim.lines)),
        lines_met,
        lambda condition, judged: lines_unmet(condition, judged.claim.lines),
        "procedures",
        lambda judged: with_procedure(judged.claim.lines),
        needing=("line_procedures",),
    ),
    ClaimPart(
        "service_date",
        ("starts", "ends"),
        _date_asked,
        attrgetter("date"),
        _date_met,
        _date_unmet,
        "service_date",
        attrgetter("claim.service_date"),
    ),
    ClaimPart(
        "documented",
        ("documented_all", "documented_any", "documented_none"),
        _facts_asked,
        attrgetter("claim.documented"),
        _facts_met,
        _facts_unmet,
    ),
    ClaimPart(
        "pointer_faults",
        ("pointer_off_claim", "line_without_pointer"),
        _pointer_asked,
        attrgetter("pointer_faults"),
        lambda condition, faults: not condition.faults & ~faults,
        lambda condition, judged: [
            said for bit, said in FAULTS.items() if condition.faults & ~judged.pointer_faults & bit
        ],
        "pointers",
        attrgetter("pointers"),
    ),
)


NEEDS = ("age", "sex", "setting", "service_date", "pointers", "procedures")
"""What a claim can lack so that edits cannot speak, in the order in which it is reported."""


def _absent_unmet(codes: CodeSet, judged: JudgedClaim, edition: Edition) -> str:
    positions = [at for at, code in judged.distinct if code in codes]
    return f"{at_positions(judged, positions)} is on the claim"


CODE_PARTS = (
    CodePart(
        "present",
        lambda codes, judged: any(code in codes for code in judged.ids),
        lambda codes, judged, edition: f"the rule speaks only with {spelled(codes, edition)} on the claim",
    ),
    CodePart("absent", lambda codes, judged: not any(code in codes for code in judged.ids), _absent_unmet),
    CodePart(
        "first_listed",
        lambda codes, judged: judged.ids[0] in codes,
        lambda codes, judged, edition: (
            f"{judged.claim.codes[0]} is first-listed, and none of {spelled(codes, edition)}"
        ),
    ),
)


def condition_of(when: When, case: Case, rule: Rule, codes: Callable[[str], CodeSet]) -> Condition | None:
    """Return the condition of a rule's case, None where it asks nothing. `codes` resolves a code expression."""
    fields: dict[str, Any] = {}
    for part in PARTS:
        fields |= part.asked(when, case, rule)
    for of_codes in CODE_PARTS:
        text = getattr(when, of_codes.name)
        if text:
            fields[of_codes.name] = codes(text)
    condition = Condition(**fields)
    return None if condition == _NOTHING else condition


def holds(condition: Condition | None, judged: JudgedClaim) -> bool:
    """Tell whether a claim meets the condition of an edit."""
    if condition is None:
        return True
    for part in PARTS:
        if part.is_asked(condition) and not part.met(condition, part.value(judged)):
            return False
    for of_codes in CODE_PARTS:
        codes = getattr(condition, of_codes.name)
        if codes is not None and not of_codes.met(codes, judged):
            return False
    return True


def unmet(condition: Condition, judged: JudgedClaim, edition: Edition) -> list[str]:
    """Return what of a condition a claim does not meet, each as a sentence without its full stop."""
    sentences: list[str] = []
    for part in PARTS:
        if part.is_asked(condition) and not part.met(condition, part.value(judged)):
            sentences += part.unmet(condition, judged)
    for of_codes in CODE_PARTS:
        codes = getattr(condition, of_codes.name)
        if codes is not None and not of_codes.met(codes, judged):
            sentences.append(of_codes.unmet(codes, judged, edition))
    return sentences
