"""A brute-force reading of the semantics: every edit against every pair of diagnoses, nothing clever.

It shares no code with the engines beyond the classes that carry the data.
"""

from __future__ import annotations

from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.verbs import Verb, Where


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


def points(pointed, claim, code) -> bool:
    """Tell whether the lines point to a code, at whichever of its positions, as `pointed` says."""
    if pointed is None:
        return True
    to = [
        [claim.codes[p - 1] if p <= len(claim.codes) else None for p in line.pointers]
        for line in claim.lines
        if line.pointers
    ]
    if pointed == "first":
        return any(codes[0] == code for codes in to)
    return bool(to) and not any(code in codes for codes in to)


def related(where: Where, i: int, j: int) -> bool:
    return {Where.ANYWHERE: i != j, Where.BEFORE: j < i, Where.AFTER: j > i}[where]


def violations(number: int, edit: Edit, claim, ids, date) -> set[Hit]:
    """Return the violations of one edit on one claim. `ids` are the code ids by position."""
    if not meets(edit.condition, claim, ids, date):
        return set()
    subject, objects = set(edit.subject), set(edit.object)
    first: dict[str, int] = {}
    for position, code in enumerate(claim.codes, start=1):
        first.setdefault(code, position)
    places = sorted(first.values())
    at = {position: ids[position - 1] for position in places}
    found: set[Hit] = set()
    if edit.verb is Verb.CLAIM_REQUIRE:
        return set() if any(code in objects for code in ids) else {Hit(number, 0, 0)}
    if edit.verb is Verb.ONCE:
        for position, code in enumerate(claim.codes, start=1):
            if position != first[code] and ids[position - 1] in subject and points(edit.pointed, claim, code):
                found.add(Hit(number, first[code], position))
        return found
    subjects = [i for i in places if at[i] in subject and points(edit.pointed, claim, claim.codes[i - 1])]
    for i in subjects:
        partners = [j for j in places if at[j] in objects and related(edit.where, i, j)]
        if edit.verb is Verb.PRESENT:
            found.add(Hit(number, i, 0))
        elif edit.verb is Verb.FORBID and at[i] not in objects:
            found.update(Hit(number, i, j) for j in partners)
        elif (
            (edit.verb is Verb.REQUIRE and not partners)
            or (edit.verb is Verb.FIRST and i != 1)
            or (edit.verb is Verb.SECONDARY and i == 1)
        ):
            found.add(Hit(number, i, 0))
        elif edit.verb is Verb.ORDER:
            ahead = [j for j in places if at[j] in objects and j < i]
            behind = [j for j in places if at[j] in objects and j > i]
            if edit.where is Where.AFTER:
                if ahead and not behind:
                    found.add(Hit(number, i, max(ahead)))
            elif behind and not ahead:
                found.add(Hit(number, i, min(behind)))
    if edit.verb is Verb.AT_MOST_ONE:
        found.update(Hit(number, subjects[0], later) for later in subjects[1:])
    return found


def merged(hits, some_edits, replaces, severities) -> list[tuple[tuple[int, ...], int, int]]:
    """Return the findings that hits amount to, in order: the edits, the first of which names it, subject and object.

    `replaces` has the rules that each rule supersedes; rules are in the order of their ids.
    """

    def is_pair(edit):
        return edit.verb is Verb.FORBID and edit.where is Where.ANYWHERE

    groups: dict[object, list[Hit]] = {}
    for hit in sorted(hits, key=lambda hit: (hit.subject, hit.object, hit.edit)):
        edit = some_edits[hit.edit]
        if severities[edit.rule]:
            groups.setdefault((edit.rule, frozenset(hit[1:])) if is_pair(edit) else hit, []).append(hit)

    def supersedes(specific, generic):
        rules = [some_edits[group[0].edit].rule for group in (specific, generic)]
        one, other = specific[0], generic[0]
        same = {*one[1:]} == {*other[1:]} if one.object and other.object else one.subject == other.subject
        return same and rules[1] in replaces[rules[0]]

    kept = [one for one in groups.values() if not any(supersedes(other, one) for other in groups.values())]
    kept.sort(key=lambda group: (group[0].subject, some_edits[group[0].edit].rule, group[0].object, group[0].edit))
    return [(tuple(hit.edit for hit in group), group[0].subject, group[0].object) for group in kept]


def all_violations(some_edits, judged) -> set[Hit]:
    """Return the violations of every edit on a judged claim."""
    found: set[Hit] = set()
    for number, edit in enumerate(some_edits):
        found |= violations(number, edit, judged.claim, judged.ids, judged.date)
    return found
