"""Conditions and pointers read once more, field by field and line by line: what all engines share is held to this."""

from __future__ import annotations

from fnmatch import fnmatchcase

import attrs

from weakcode.semantics.conditions import Condition


def _named(value: str, wanted) -> bool:
    """Whether a value is one of those named, in one of their ranges or like one of their patterns."""
    for name in wanted:
        low, dash, high = name.upper().partition("-")
        if dash and len(low) == len(high) == len(value) and low <= value.upper() <= high:
            return True
        if fnmatchcase(value.upper(), name.upper()):
            return True
    return False


def _between(value, low, high) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or low <= value) and (high is None or value <= high)


def _line(condition: Condition, line) -> bool:
    return (
        (not condition.line_procedures or _named(line.procedure or "", condition.line_procedures))
        and (not condition.line_modifiers or any(_named(one, condition.line_modifiers) for one in line.modifiers))
        and (not condition.line_revenues or _named(line.revenue or "", condition.line_revenues))
        and (not condition.line_places or _named(line.place or "", condition.line_places))
        and (
            not condition.line_rendering_providers
            or _named(line.rendering_provider or "", condition.line_rendering_providers)
        )
        and (
            not condition.line_rendering_taxonomies
            or _named(line.rendering_taxonomy or "", condition.line_rendering_taxonomies)
        )
        and _between(line.units, condition.line_units_min, condition.line_units_max)
        and _between(line.charge, condition.line_charge_min, condition.line_charge_max)
        and _between(line.start, condition.line_starts, condition.line_ends)
    )


def meets(condition: Condition | None, claim, ids, date) -> bool:
    if condition is None:
        return True
    tests = []
    if condition.age_min is not None:
        tests.append(claim.age is not None and claim.age >= condition.age_min)
    if condition.age_max is not None:
        tests.append(claim.age is not None and claim.age <= condition.age_max)
    if condition.sex:
        tests.append(claim.sex == condition.sex)
    if condition.settings:
        tests.append(claim.setting in condition.settings)
    if condition.payers:
        names = [claim.payer or "", *claim.payer_id]
        tests.append(any(_named(name, condition.payers) for name in names))
    for value, wanted in (
        (claim.plan, condition.plans),
        (claim.bill_type, condition.bill_types),
        (claim.frequency, condition.frequencies),
        (claim.original_reference, condition.original_references),
        (claim.place, condition.places),
        (claim.state, condition.states),
        (claim.provider_taxonomy, condition.taxonomies),
        (claim.provider, condition.providers),
        (claim.rendering_provider, condition.rendering_providers),
        (claim.rendering_taxonomy, condition.rendering_taxonomies),
    ):
        if wanted:
            tests.append(value is not None and _named(value, wanted))
    asked = [name for name in attrs.fields_dict(Condition) if name.startswith("line_") and "pointer" not in name]
    if any(getattr(condition, name) not in ((), None) for name in asked):
        tests.append(any(_line(condition, line) for line in claim.lines))
    tests.append(_between(len(ids), condition.diagnoses_min, condition.diagnoses_max))
    if condition.principals_min is not None or condition.principals_max is not None:
        count = claim.principals
        tests.append(count is not None and _between(count, condition.principals_min, condition.principals_max))
    if condition.starts:
        tests.append(date >= condition.starts)
    if condition.ends:
        tests.append(date <= condition.ends)
    tests.append(all(fact in claim.documented for fact in condition.documented_all))
    tests.append(not any(fact in claim.documented for fact in condition.documented_none))
    if condition.documented_any:
        tests.append(any(fact in claim.documented for fact in condition.documented_any))
    if condition.present is not None:
        tests.append(any(code in set(condition.present) for code in ids))
    if condition.absent is not None:
        tests.append(not any(code in set(condition.absent) for code in ids))
    if condition.first_listed is not None:
        tests.append(ids[0] in set(condition.first_listed))
    if condition.pointer_off_claim:
        tests.append(any(pointer > len(ids) for line in claim.lines for pointer in line.pointers))
    if condition.line_without_pointer:
        pointed = [bool(line.pointers) for line in claim.lines]
        tests.append(any(pointed) and not all(pointed))
    return all(tests)


def pointed_to(edit, claim, ids) -> set[int]:
    """The first positions of the diagnoses to which service lines point as an edit asks."""
    within = range(1, len(claim.codes) + 1)
    first = {at: claim.codes.index(claim.codes[at - 1]) + 1 for at in within}
    if not any(line.pointers for line in claim.lines):
        return set()
    if edit.pointed == "first":
        return {first[line.pointers[0]] for line in claim.lines if line.pointers and line.pointers[0] in within}
    if edit.pointed == "never":
        pointed = {first[at] for line in claim.lines for at in line.pointers if at in within}
        return set() if any(line.main_only for line in claim.lines) else set(first.values()) - pointed
    found = set()
    for line in claim.lines:
        to = [at for at in line.pointers if at in within]
        if edit.condition is not None and not _line(edit.condition, line):
            continue
        if edit.pointed == "line":
            found.update(first[at] for at in to)
        elif edit.pointed == "line-first":
            found.update(first[at] for at in to[:1])
        elif not line.main_only and {ids[at - 1] for at in to} <= set(edit.subject):
            found.update(first[at] for at in to[:1])
    return found
