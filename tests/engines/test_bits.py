"""Tests of the claim as bits: each says what the condition says by itself."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.strategies import EDITION, claims, conditions, edit_conditions
from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.rules.lines.model import LineTest, NumberRange, Pointed
from weakcode.rules.model import Case, When
from weakcode.semantics.bits import AskedLines, AskedPart, ClaimTest, ConditionBits
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


def test_a_line_meets_the_limits_of_those_tests_alone_whose_words_it_has() -> None:
    tests = [
        ClaimTest(Condition(line_procedures=(procedure,), line_units_min=units))
        for procedure, units in (("97110", 2), ("99213", 2), ("97110", 1), ("99213", 1), ("97140", 3))
    ]
    for procedure, units, expected in (
        ("97110", 1, [False, False, True, False, False]),
        ("97110", 2, [True, False, True, False, False]),
        ("99213", 1, [False, False, False, True, False]),
        ("97140", 2, [False] * 5),
        ("97140", 3, [False, False, False, False, True]),
        ("G0008", 1, [False] * 5),
    ):
        claim = Claim(["A00"], lines=[ServiceLine(1, (1,), procedure, units=units)])
        assert met(tests, claim) == expected


def test_of_lines_only_that_is_looked_at_which_some_test_asks_for() -> None:
    units, day = {"line_units_min": 1, "line_units_max": 3}, {"line_starts": dt.date(2026, 5, 1)}
    for asked, looks_at in (
        ([units], ("units",)),
        ([units, day], ("units", "start")),
        ([{"line_charge_max": 0}, {"line_places": ("11",), **day}], ("place", "charge", "start")),
        ([{"line_procedures": ("97110",)}], ("procedure",)),
    ):
        (lines,) = ConditionBits([ClaimTest(Condition(**one)) for one in asked]).parts  # type: ignore[arg-type]
        assert isinstance(lines, AskedLines)
        assert lines.looks_at == looks_at


def test_a_line_is_held_to_every_limit_at_once() -> None:
    day = dt.date(2026, 5, 1)
    every = ClaimTest(
        Condition(
            line_units_min=1,
            line_units_max=3,
            line_charge_min=10,
            line_charge_max=20,
            line_starts=day,
            line_ends=day,
        )
    )
    inside = {"units": 2, "charge": 15, "start": day}
    for about, expected in (({}, True), ({"units": 4}, False), ({"charge": 9}, False), ({"start": None}, False)):
        claim = Claim(["A00"], lines=[ServiceLine(1, (1,), **inside | about)])  # type: ignore[arg-type]
        assert met([every], claim) == [expected]


def test_ten_thousand_values_of_a_part_are_remembered_and_no_more() -> None:
    (payers,) = ConditionBits([ClaimTest(Condition(payers=("acme",)))]).parts
    assert isinstance(payers, AskedPart)
    for number in range(10_000):
        assert payers.bits((str(number),)) == 1
    assert len(payers.known) == 10_000
    assert payers.bits(("acme",)) == 3
    assert payers.known == {("acme",): 3}


def test_what_a_claim_could_say_and_does_not_is_as_lenient_tests_want_it() -> None:
    day = dt.date(2026, 4, 1)  # the first day of the edition, which stands for a date that is not given
    tests = [
        ClaimTest(Condition(**asked))  # type: ignore[arg-type]
        for asked in (
            {"age_min": 18},
            {"starts": day},
            {"ends": dt.date(2026, 3, 31)},
            {"line_procedures": ("97110",)},
            {"line_units_min": 2},
            {"payers": ("acme",)},
        )
    ]
    for about, expected in (
        ({}, [True, True, True, True, False, False]),
        ({"age": 17, "service_date": day}, [False, True, False, True, False, False]),
        ({"lines": [ServiceLine(1, (1,), units=2)], "payer": "other"}, [True, True, True, True, True, False]),
        ({"lines": [ServiceLine(1, (1,), "99213")], "payer": "acme"}, [True, True, True, False, False, True]),
    ):
        claim = JudgedClaim.of(Claim(["A00"], **about), EDITION)  # type: ignore[arg-type]
        bits = ConditionBits(tests, lenient=True).of(claim)
        assert [bool(bits >> number & 1) for number in range(1, len(tests) + 1)] == expected
        assert bits & 1
        strict = ConditionBits(tests).of(claim)
        assert [bool(strict >> number & 1) for number in range(1, len(tests) + 1)] == [
            holds(one.condition, claim) for one in tests
        ]


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


def test_a_claim_without_lines_is_distinguished_from_one_whose_lines_lack_what_is_asked() -> None:
    asked = Condition(line_procedures=("97110",))
    without, other = Claim(["A00"]), Claim(["A00"], lines=[ServiceLine(1, (1,), "99213")])
    reasons = [unmet(asked, JudgedClaim.of(claim, EDITION), EDITION) for claim in (without, other)]
    assert reasons == [["the claim has no service lines"], ["no service line has procedure 97110"]]
