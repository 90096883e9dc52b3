"""The rules made of Excludes1 notes against a reading of the notes that shares nothing with weakcode.

Every pair that a note keeps apart is told by one of them, whether its words fit or its reference alone, and no other.
"""

from __future__ import annotations

import random
import re
import string
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weakcode
from tests.notes.reading import Reading, tabular_list

RULES = [
    f"icd10cm/{rule}"
    for rule in ("excludes1", "excludes1-wide-reference", "excludes1-and-excludes2", "excludes1-two-events")
]


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Reading(tabular_list())


@pytest.fixture(scope="module")
def codes() -> list[str]:
    """Billable codes, as the package with the list spells them out; compact."""
    (path,) = tabular_list().parent.glob("code-list-*.txt")
    return sorted(set(re.findall(r"^[A-Z]\d[0-9A-Z]{1,5}$", path.read_text("utf-8").replace(".", ""), re.MULTILINE)))


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["icd10cm"], only=RULES)


def fires(validator: weakcode.Validator, one: str, other: str) -> bool:
    found = validator.check(weakcode.Claim([one, other], service_date="2026-05-04"))
    assert [finding.rule for finding in found] in ([], *([rule] for rule in RULES)), "one finding for one pair"
    return bool(found)


def silent(one: str, other: str) -> bool:
    """Whether a pair is only in the reference of T88.7, which holds nearly every diagnosis and is not told."""
    return "T887" in (one[:4], other[:4])


@pytest.fixture(scope="module")
def billable(codes: list[str]) -> list[str]:
    """Codes that no other continues. The list has headers as well; a code with a placeholder ends with its 7th sign."""
    return [code for code, following in zip(codes, [*codes[1:], ""], strict=True) if not following.startswith(code)]


def test_the_second_reading_sees_every_line(reading: Reading) -> None:
    assert len(reading.lines) == 5407


@settings(max_examples=200)
@given(data=st.data())
def test_a_random_pair_conflicts_exactly_when_a_note_says_so(
    data: st.DataObject, reading: Reading, billable: list[str], validator: weakcode.Validator
) -> None:
    one, other = (billable[data.draw(st.integers(0, len(billable) - 1))] for _ in range(2))
    if one != other and not silent(one, other):
        assert fires(validator, one, other) == reading.conflict(one, other)


def test_pairs_drawn_from_the_notes_conflict_exactly_when_a_note_says_so(
    reading: Reading, billable: list[str], validator: weakcode.Validator
) -> None:
    letters = {letter: [code for code in billable if code[0] == letter] for letter in string.ascii_uppercase}
    pick = random.Random(20260401)
    wrong, hits = [], 0
    for place, line, holds, names in pick.sample(reading.notes, 300):
        written = set(re.findall(r"[A-Z](?=\d)", line))
        held = [code for code in (billable if "-" in place or " " in place else letters[place[0]]) if holds(code)]
        named = [code for letter in sorted(written) for code in letters[letter] if names(code)]
        assert held, place
        assert named, line
        # Beside the last code that the line names, its neighbour, which it does not name.
        near = billable[(bisect_left(billable, named[-1]) + 1) % len(billable)]
        for one, other in ((pick.choice(held), second) for second in (named[0], pick.choice(named), near)):
            if one == other or silent(one, other):
                continue
            expected = reading.conflict(one, other)
            hits += expected
            if fires(validator, one, other) != expected:
                wrong.append((one, other, expected, place, line))
    assert wrong == []
    assert hits > 500
