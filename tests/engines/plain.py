"""Conditions read once more, field by field: what the table of conditions is held to."""

from __future__ import annotations

from weakcode.semantics.conditions import Condition


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
        tests.append((claim.payer or "").lower() in condition.payers)
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
    return all(tests)
