"""Tests of the claim as bits: each says what the condition says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.strategies import EDITION, claims, conditions, edit_conditions
from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.rules.lines.model import LineTest, NumberRange, Pointed
from weakcode.rules.model import Case, When
from weakcode.semantics.bits import ClaimTest, ConditionBits
from weakcode.semantics.conditions import CODE_PARTS, Condition, holds, unmet
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.servicelines import asked_lines


def met(tests: list[ClaimTest], claim: Claim) -> list[bool]:
    bits = ConditionBits(tests).of(JudgedClaim.of(claim, EDITION))
    assert bits & 1, "bit 0 stands for no condition"
    assert not bits >> len(tests) + 1
    return [bool(bits >> number & 1) for number in range(1, len(tests) + 1)]


def without_codes(condition: Condition | None) -> Condition:
    asked = {name: getattr(condition or Condition(), name) for name in Condition.__annotations__}
    return Condition(**asked | dict.fromkeys((part.name for part in CODE_PARTS), None))


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(ClaimTest, st.one_of(conditions, edit_conditions).map(without_codes), st.booleans()), max_size=6
    ),
    claims,
)
def test_each_bit_says_whether_its_condition_holds(tests: list[ClaimTest], claim: Claim) -> None:
    judged = JudgedClaim.of(claim, EDITION)
    expected = [holds(one.condition, judged) and (judged.has_text or not one.needs_text) for one in tests]
    assert met(tests, claim) == expected


def test_a_test_that_needs_text_fails_without_and_takes_no_other_with_it() -> None:
    tests = [ClaimTest(Condition(), needs_text) for needs_text in (False, True, False, True, False)]
    assert met(tests, Claim(["A00"])) == [True, False, True, False, True]
    assert met(tests, Claim([Diagnosis("A00", text="a term")])) == [True] * 5


def test_of_tests_of_one_part_those_hold_that_the_value_meets() -> None:
    tests = [
        ClaimTest(Condition(**asked)) for asked in ({"age_min": 18}, {"age_max": 17}, {"sex": "F"}, {"age_min": 19})
    ]
    assert met(tests, Claim(["A00"], age=18)) == [True, False, False, False]
    assert met(tests, Claim(["A00"], age=17, sex="F")) == [False, True, True, False]
    assert met(tests, Claim(["A00"], age=19, sex="M")) == [True, False, False, True]
    assert met(tests, Claim(["A00"])) == [False] * 4


LIMITS = [
    {"line_units_min": 2},
    {"line_units_max": 2},
    {"line_charge_min": 100},
    {"line_charge_max": 100},
]


@pytest.mark.parametrize("words", [{}, {"line_procedures": ("97110",)}])
def test_the_limits_of_each_test_are_those_of_a_line_whichever_tests_stand_beside_it(words: dict[str, object]) -> None:
    tests = [ClaimTest(Condition(**words, **limits)) for limits in LIMITS]  # type: ignore[arg-type]
    for units, charge, expected in (
        (1, 99, [False, True, False, True]),
        (2, 100, [True, True, True, True]),
        (3, 101, [True, False, True, False]),
    ):
        claim = Claim(["A00"], lines=[ServiceLine(1, (1,), "97110", units=units, charge=charge)])
        assert met(tests, claim) == expected
        assert [met([one], claim)[0] for one in tests] == expected
        assert met(tests[::-1], claim) == expected[::-1]


def test_what_a_line_must_have_is_asked_under_when_or_pointed() -> None:
    under_when = asked_lines(When(line=LineTest(procedure=("97110",), units=NumberRange(min=2))), Case())
    under_pointed = asked_lines(When(), Case(pointed=Pointed(procedure=("97110",), units=NumberRange(min=2))))
    assert under_when == under_pointed
    assert (under_when["line_procedures"], under_when["line_units_min"], under_when["line_units_max"]) == (
        ("97110",),
        2,
        None,
    )
    assert asked_lines(When(), Case()) == {}


def test_a_claim_without_lines_is_told_from_one_whose_lines_lack_what_is_asked() -> None:
    asked = Condition(line_procedures=("97110",))
    without, other = Claim(["A00"]), Claim(["A00"], lines=[ServiceLine(1, (1,), "99213")])
    reasons = [unmet(asked, JudgedClaim.of(claim, EDITION), EDITION) for claim in (without, other)]
    assert reasons == [["the claim has no service lines"], ["no service line has procedure 97110"]]
