"""Safe fixes reorder and drop repeats, and do no harm."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode import Claim, ServiceLine, Validator


@cache
def validator() -> Validator:
    return Validator(packs=["weakness", "covid", "icd10cm"])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("U09.9 J96.10", "J96.10 U09.9"),
        ("K31.84 E11.43", "E11.43 K31.84"),
        ("N18.30 I10 E11.22", "E11.22 N18.30 I10"),
        ("I10 E11.9 I10", "I10 E11.9"),
        ("M62.84 G72.9", "G72.9 M62.84"),
        ("G72.9 M62.84", "G72.9 M62.84"),
        ("I10 F02.80 R54 G20.A1", "I10 G20.A1 F02.80 R54"),
        ("K31.84 N18.30 E11.43 E11.22", "E11.43 K31.84 E11.22 N18.30"),
        ("R54 I50.22 B96.20 I11.0 N39.0", "R54 I11.0 I50.22 N39.0 B96.20"),
    ],
)
def test_the_codes_come_into_the_order_that_the_rules_ask_for(wrong, right):
    fixed = validator().fix(Claim(wrong))
    assert fixed.claim.codes == tuple(right.split())
    assert not [finding for finding in fixed.remaining if finding.fix and finding.fix.safe]
    assert (fixed.claim.codes == tuple(wrong.split())) is (wrong == right)


def test_a_choice_of_codes_to_move_is_left_to_the_coder():
    fixed = validator().fix(Claim("U09.9 I10 J96.10"))
    assert fixed.claim.codes == ("U09.9", "I10", "J96.10")
    assert fixed.applied == ()


def test_pointers_of_service_lines_follow_their_diagnoses():
    claim = Claim("K31.84 E11.43 K31.84", lines=[ServiceLine(1, (1, 2)), ServiceLine(2, (3,))])
    fixed = validator().fix(claim)
    assert fixed.claim.codes == ("E11.43", "K31.84")
    assert [line.pointers for line in fixed.claim.lines] == [(2, 1), (2,)]


def test_an_unsafe_fix_is_applied_only_on_request():
    claim = Claim([{"code": "M62.81", "text": "frailty"}, "I10"])
    assert validator().fix(claim).claim.codes == ("M62.81", "I10")
    assert "R54" in validator().fix(claim, unsafe=True).claim.codes


_DEMANDS = (
    ("E11.43", "K31.84"),
    ("E11.22", "N18.30"),
    ("I11.0", "I50.22"),
    ("G20.A1", "F02.80"),
    ("U07.1", "J12.82"),
    ("J96.10", "U09.9"),
    ("G72.9", "M62.84"),
    ("N39.0", "B96.20"),
    ("E11.621", "L97.411"),
    ("I10", "R54"),
)


def moved(before, after):
    """How many codes are not among those that keep their order, the longest increasing part of their new places."""
    places = [after.index(code) for code in before]
    longest = [1] * len(places)
    for end, start in combinations(range(len(places)), 2):
        if places[end] < places[start]:
            longest[start] = max(longest[start], longest[end] + 1)
    return len(places) - max(longest)


def findings_on(codes):
    """The findings on the codes, and those of them that a safe change of the order would mend."""
    found = validator().check(Claim(codes))
    problems = {(finding.rule, frozenset(finding.codes)) for finding in found}
    return problems, any(finding.fix and finding.fix.safe for finding in found)


@given(st.lists(st.sampled_from(_DEMANDS), min_size=1, max_size=3, unique=True), st.data())
def test_no_order_that_the_rules_accept_moves_fewer_codes(pairs, data):
    codes = tuple(data.draw(st.permutations([code for pair in pairs for code in pair])))[:5]
    fixed = validator().fix(Claim(codes))
    before, is_open = findings_on(codes)
    assert bool(fixed.applied) is is_open
    accepted = [order for order in permutations(codes) if is_accepted(order, before)]
    assert fixed.claim.codes in accepted
    assert moved(codes, fixed.claim.codes) == min(moved(codes, order) for order in accepted)


def is_accepted(codes, before):
    problems, is_open = findings_on(codes)
    return problems <= before and not is_open


_PAIRS = """
    E11.43 K31.84 E11.22 N18.30 I11.0 I50.22 G20.A1 F02.80 U07.1 J12.82 U09.9 J96.10 M62.84 G72.9 M62.81 R54 R53.1 I10
    B96.20 N39.0 Z79.4 E11.9 R65.20 A41.9 L97.411 E11.621 I70.234 I96 D63.1 N18.6 I12.0 Z99.2
"""


@given(st.lists(st.sampled_from(_PAIRS.split()), min_size=1, max_size=8))
def test_a_safe_fix_adds_no_finding_loses_no_code_and_has_nothing_left_to_do(codes):
    claim = Claim(codes)
    before = validator().check(claim)
    fixed = validator().fix(claim)
    assert set(fixed.claim.codes) == set(claim.codes)

    def problems(findings):
        return Counter((finding.rule, frozenset(finding.codes)) for finding in findings)

    assert not problems(fixed.remaining) - problems(before)
    again = validator().fix(fixed.claim)
    assert again.claim == fixed.claim
    assert again.applied == ()
