"""What an edit asks of the claim as a whole, part by part and at every part's limit, and what lines and words say.

The cases are written out, so that a limit that moves by one is noticed whatever Hypothesis happens to draw.
"""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from tests.engines.strategies import EDITION, program_of
from weakcode.claims import Claim, ServiceLine
from weakcode.codes.catalog import edition_for
from weakcode.codes.codeset import CodeSet
from weakcode.compile.compiler import compile_packs
from weakcode.rules.load import load_pack
from weakcode.rules.model import When
from weakcode.rules.structure import file_key
from weakcode.semantics.conditions import Condition, holds, unmet
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.pointers import lines_about
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import Verb

BOTH_FACTS = ("covid-current", "covid-prior-symptoms")
ADULT = {"age_min": 18}
CHILD = {"age_max": 17}
HOSPITAL = {"settings": ("inpatient", "outpatient")}
ACME = {"payers": ("acme", "acme gold")}
FROM_MAY = {"starts": dt.date(2026, 5, 1)}
TO_MAY = {"ends": dt.date(2026, 5, 1)}
ALL_FACTS = {"documented_all": BOTH_FACTS}
ANY_FACT = {"documented_any": BOTH_FACTS}
NO_FACT = {"documented_none": BOTH_FACTS}
OFF_CLAIM = {"pointer_off_claim": True}
NO_POINTER = {"line_without_pointer": True}


def only(*ids: int) -> CodeSet:
    return CodeSet.of(ids)


def lines(*pointers: tuple[int, ...]) -> list[ServiceLine]:
    return [ServiceLine(number, to) for number, to in enumerate(pointers, start=1)]


def judged(codes: list[str], **about) -> JudgedClaim:
    return JudgedClaim.of(Claim(codes, **about), EDITION)


@pytest.mark.parametrize(
    ("condition", "about", "expected"),
    [
        ({}, {}, True),
        (ADULT, {"age": 17}, False),
        (ADULT, {"age": 18}, True),
        (ADULT, {"age": 19}, True),
        (ADULT, {}, False),
        (ADULT, {"birth_date": "2008-05-02", "service_date": "2026-05-01"}, False),
        (ADULT, {"birth_date": "2008-05-02", "service_date": "2026-05-02"}, True),
        ({"age_min": 0}, {"age": 0}, True),
        ({"age_min": 0}, {}, False),
        (CHILD, {"age": 0}, True),
        (CHILD, {"age": 16}, True),
        (CHILD, {"age": 17}, True),
        (CHILD, {"age": 18}, False),
        (CHILD, {}, False),
        ({"age_max": 0}, {"age": 0}, True),
        ({"age_max": 0}, {"age": 1}, False),
        ({"age_min": 40, "age_max": 41}, {"age": 39}, False),
        ({"age_min": 40, "age_max": 41}, {"age": 40}, True),
        ({"age_min": 40, "age_max": 41}, {"age": 41}, True),
        ({"age_min": 40, "age_max": 41}, {"age": 42}, False),
        ({"sex": "F"}, {"sex": "F"}, True),
        ({"sex": "F"}, {"sex": "M"}, False),
        ({"sex": "M"}, {"sex": "F"}, False),
        ({"sex": "F"}, {}, False),
        (HOSPITAL, {"setting": "inpatient"}, True),
        (HOSPITAL, {"setting": "outpatient"}, True),
        (HOSPITAL, {"setting": "professional"}, False),
        (HOSPITAL, {}, False),
        (ACME, {"payer": "acme"}, True),
        (ACME, {"payer": "ACME Gold"}, True),
        (ACME, {"payer": "Medicare"}, False),
        (ACME, {}, False),
        ({"payers": ("a-1",)}, {"payer": "Acme", "payer_id": ("B", "A-1")}, True),
        ({"payers": ("a-1",)}, {"payer_id": ("B",)}, False),
        (FROM_MAY, {"service_date": "2026-04-30"}, False),
        (FROM_MAY, {"service_date": "2026-05-01"}, True),
        (FROM_MAY, {"service_date": "2026-05-02"}, True),
        (TO_MAY, {"service_date": "2026-04-30"}, True),
        (TO_MAY, {"service_date": "2026-05-01"}, True),
        (TO_MAY, {"service_date": "2026-05-02"}, False),
        (ALL_FACTS, {"documented": BOTH_FACTS}, True),
        (ALL_FACTS, {"documented": BOTH_FACTS[:1]}, False),
        (ALL_FACTS, {}, False),
        (ANY_FACT, {"documented": BOTH_FACTS}, True),
        (ANY_FACT, {"documented": BOTH_FACTS[1:]}, True),
        (ANY_FACT, {"documented": ["something-else"]}, False),
        (ANY_FACT, {}, False),
        (NO_FACT, {"documented": BOTH_FACTS}, False),
        (NO_FACT, {"documented": BOTH_FACTS[1:]}, False),
        (NO_FACT, {"documented": ["something-else"]}, True),
        (NO_FACT, {}, True),
        (OFF_CLAIM, {}, False),
        (OFF_CLAIM, {"lines": lines(())}, False),
        (OFF_CLAIM, {"lines": lines((1, 2))}, False),
        (OFF_CLAIM, {"lines": lines((1,), (2, 3))}, True),
        (OFF_CLAIM, {"lines": lines((1,), ())}, False),
        (NO_POINTER, {"lines": lines((1,), ())}, True),
        (NO_POINTER, {"lines": lines((1,), (2, 3))}, False),
        (NO_POINTER, {"lines": lines((), ())}, False),
        (OFF_CLAIM | NO_POINTER, {"lines": lines((3,), ())}, True),
        (OFF_CLAIM | NO_POINTER, {"lines": lines((3,))}, False),
        ({"diagnoses_min": 2}, {}, True),
        ({"diagnoses_min": 3}, {}, False),
        ({"diagnoses_max": 1}, {}, False),
        ({"diagnoses_max": 2}, {}, True),
        # Of several parts every one counts.
        (ADULT | ACME, {"age": 18, "payer": "acme"}, True),
        (ADULT | ACME, {"age": 18}, False),
        (ADULT | ACME, {"payer": "acme"}, False),
    ],
    ids=str,
)
def test_a_condition_holds_up_to_its_limit_and_what_the_claim_does_not_say_does_not_hold(condition, about, expected):
    assert holds(Condition(**condition), judged(["A00", "A01"], **about)) is expected


NO_AGE = {"age_min": 5, "age_max": 3}
NO_DAY = {"starts": dt.date(2026, 5, 3), "ends": dt.date(2026, 5, 1)}
EARLY_MAY = {"starts": dt.date(2026, 5, 1), "ends": dt.date(2026, 5, 3)}
BOTH_FAULTS = {"pointer_off_claim": True, "line_without_pointer": True}
NOT_OFF_CLAIM = "no pointer of a service line leads beyond the diagnoses"
NOT_BARE = "no service line is without a pointer beside others that have some"


@pytest.mark.parametrize(
    ("condition", "about", "reasons"),
    [
        (NO_AGE, {}, ["the age is not known"]),
        (NO_AGE, {"age": 3}, ["the age 3 is below 5"]),
        (NO_AGE, {"age": 4}, ["the age 4 is below 5"]),
        (NO_AGE, {"age": 5}, ["the age 5 is above 3"]),
        ({"age_max": 3}, {"age": 4}, ["the age 4 is above 3"]),
        ({"age_min": 5}, {"age": 0}, ["the age 0 is below 5"]),
        (NO_DAY, {"service_date": "2026-05-01"}, ["the service date 2026-05-01 is before 2026-05-03"]),
        (
            NO_DAY,
            {"service_date": "2026-05-02"},
            [
                "the service date 2026-05-02 is before 2026-05-03",
                "the service date 2026-05-02 is after 2026-05-01",
            ],
        ),
        (NO_DAY, {"service_date": "2026-05-03"}, ["the service date 2026-05-03 is after 2026-05-01"]),
        (EARLY_MAY, {"service_date": "2026-04-30"}, ["the service date 2026-04-30 is before 2026-05-01"]),
        (EARLY_MAY, {"service_date": "2026-05-04"}, ["the service date 2026-05-04 is after 2026-05-03"]),
        ({"age_min": 3, "age_max": 5}, {"age": 6}, ["the age 6 is above 5"]),
        ({"diagnoses_min": 3}, {}, ["the claim has 2 diagnoses, not at least 3"]),
        ({"diagnoses_max": 1}, {}, ["the claim has 2 diagnoses, not at most 1"]),
        ({"diagnoses_min": 3, "diagnoses_max": 9}, {}, ["the claim has 2 diagnoses, not at least 3 and at most 9"]),
        ({"principals_max": 0}, {}, ["the number of principal diagnoses is not known"]),
        ({"principals_min": 1}, {"principals": 0}, ["the claim has 0 principal diagnoses, not at least 1"]),
        ({"plans": ("MB", "CI")}, {}, ["the plan is not known"]),
        ({"plans": ("MB", "CI")}, {"plan": "HM"}, ["the plan is HM, none of MB, CI"]),
        (ACME, {}, ["the payer is not known"]),
        (ACME, {"payer": "Other"}, ['the rule is not for the payer "Other"']),
        (ALL_FACTS, {"documented": BOTH_FACTS[:1]}, ['the fact "covid-prior-symptoms" is not documented']),
        (
            ALL_FACTS | ANY_FACT,
            {},
            [
                'the fact "covid-current" is not documented',
                'the fact "covid-prior-symptoms" is not documented',
                "none of the facts covid-current, covid-prior-symptoms is documented",
            ],
        ),
        (ANY_FACT | NO_FACT, {"documented": BOTH_FACTS[:1]}, ['the fact "covid-current" is documented']),
        (BOTH_FAULTS, {"lines": lines((1,), (2,))}, [NOT_OFF_CLAIM, NOT_BARE]),
        (BOTH_FAULTS, {"lines": lines((1,), (2, 3))}, [NOT_BARE]),
        (BOTH_FAULTS, {"lines": lines((1,), ())}, [NOT_OFF_CLAIM]),
        (BOTH_FAULTS, {"lines": lines((3,), ())}, []),
        ({"line_without_pointer": True}, {"lines": lines((1,), (3,))}, [NOT_BARE]),
        (OFF_CLAIM, {"lines": lines((1,), ())}, [NOT_OFF_CLAIM]),
        ({"present": only(3)}, {}, ["the rule speaks only with A03 on the claim"]),
        ({"absent": only(1)}, {}, ["A01 at 2 is on the claim"]),
        ({"first_listed": only(1)}, {}, ["A00 is first-listed, and none of A01"]),
        ({"absent": only(2, 3), "first_listed": only(0), "present": only(1)}, {}, []),
    ],
    ids=str,
)
def test_what_a_claim_does_not_meet_is_reported_part_by_part_and_nothing_else(condition, about, reasons):
    claim = judged(["A00", "A01"], **about)
    assert list(unmet(Condition(**condition), claim, EDITION)) == reasons
    assert holds(Condition(**condition), claim) is (not reasons)


@pytest.mark.parametrize(
    ("condition", "holding", "failing"),
    [
        ({"present": only(1, 2)}, [["A00", "A01"], ["A02"]], [["A00", "A03"]]),
        ({"absent": only(1, 2)}, [["A00", "A03"]], [["A00", "A01"], ["A02"]]),
        ({"first_listed": only(1, 2)}, [["A01", "A00"], ["A02", "A00"]], [["A00", "A01"], ["A03"]]),
        ({"present": only(1), "first_listed": only(0)}, [["A00", "A01"]], [["A00"], ["A01"], ["A01", "A00"]]),
        ({"present": CodeSet()}, [], [["A00"]]),
        ({"absent": CodeSet()}, [["A00"]], []),
        ({"first_listed": CodeSet()}, [], [["A00"]]),
    ],
    ids=str,
)
def test_a_condition_about_codes_looks_at_all_of_them_or_at_the_first(condition, holding, failing):
    assert [codes for codes in holding + failing if holds(Condition(**condition), judged(codes))] == holding


def test_a_payer_is_called_by_its_name_for_the_profile_by_that_of_the_claim_and_by_its_ids():
    claim = Claim(["A00"], payer="Acme Gold", payer_id=("A-1", "B"))
    assert JudgedClaim.of(claim, EDITION, payer="Acme").payer_names == ("Acme", "Acme Gold", "A-1", "B")
    assert JudgedClaim.of(claim, EDITION).payer_names == ("Acme Gold", "A-1", "B")
    assert judged(["A00"]).payer_names == ()
    assert JudgedClaim.of(Claim(["A00"]), EDITION, payer="Acme").payer_names == ("Acme",)


def test_no_condition_always_holds():
    assert holds(None, judged(["A00"]))


def test_a_claim_without_a_date_is_judged_as_of_the_first_day_of_the_edition():
    assert judged(["A00"]).date == dt.date(2026, 4, 1)
    assert judged(["A00"], service_date="2026-05-02").date == dt.date(2026, 5, 2)


def test_a_code_that_is_repeated_is_reported_with_its_first_position():
    claim = judged(["A03", "A01", "A03", "A03", "A01", "A02"])
    assert claim.ids == (3, 1, 3, 3, 1, 2)
    assert claim.distinct == ((1, 3), (2, 1), (6, 2))
    assert claim.repeats == ((1, 3), (1, 4), (2, 5))


def test_two_unknown_codes_are_not_a_repeat_of_one_another():
    assert judged(["Q99.99", "ZZZ"]).repeats == ()


def test_a_claim_is_spoken_of_where_one_diagnosis_has_text():
    assert judged([{"code": "A00"}, {"code": "A01", "text": "weak"}]).has_text
    assert not judged([{"code": "A00"}, {"code": "A01", "text": " "}]).has_text


def test_pointers_are_known_only_where_a_line_has_one():
    assert judged(["A00", "A01"]).pointers is None
    assert judged(["A00", "A01"], lines=lines(())).pointers is None
    pointers = judged(["A00", "A01", "A02"], lines=lines((2, 1))).pointers
    assert pointers is not None
    assert (pointers.first, pointers.never, pointers.off_claim) == ({2}, {3}, False)


THERAPY = {"line_procedures": ("97110-97150",)}


def line(number: int, procedure: str, *to: int, **about) -> ServiceLine:
    return ServiceLine(number, to, procedure, **about)


@pytest.mark.parametrize(
    ("about", "holding", "failing"),
    [
        (THERAPY, [line(1, "97110", 1)], [line(1, "97151", 1)]),
        (THERAPY | {"line_modifiers": ("GP",)}, [line(1, "97112", modifiers="59 GP")], [line(1, "97112")]),
        ({"line_units_min": 2, "line_units_max": 3}, [line(1, "1", units=2)], [line(1, "1", units=3.5), line(2, "1")]),
        ({"line_units_max": 3}, [line(1, "1", units=3)], [line(1, "1", units=3.5), line(2, "1")]),
        ({"line_charge_min": 100}, [line(1, "1", charge=100)], [line(1, "1", charge=99.99), line(2, "1")]),
        ({"line_starts": dt.date(2026, 5, 1)}, [line(1, "1", start="2026-05-01")], [line(1, "1", start="2026-04-30")]),
        ({"line_ends": dt.date(2026, 5, 1)}, [line(1, "1", start="2026-05-01")], [line(1, "1"), line(2, "1")]),
        ({"line_places": ("11",)}, [line(1, "1", place="11")], [line(1, "1", place="12"), line(2, "1")]),
        ({"line_revenues": ("045*",)}, [line(1, "1", revenue="450")], [line(1, "1", revenue="460")]),
        # One line has all of it, or none does.
        (THERAPY | {"line_units_min": 2}, [], [line(1, "97110", units=1), line(2, "99213", units=2)]),
    ],
    ids=str,
)
def test_a_condition_holds_where_one_service_line_has_all_that_it_asks(about, holding, failing):
    condition = Condition(**about)
    assert not holding or holds(condition, judged(["A00"], lines=[*failing, *holding]))
    assert not holds(condition, judged(["A00"], lines=failing))
    assert not holds(condition, judged(["A00"]))


@pytest.mark.parametrize(
    ("kind", "given", "subjects", "named"),
    [
        ("line", [line(1, "97110", 1, 2), line(2, "99213", 3)], {1, 2}, "service line 1"),
        ("line", [line(1, "99213", 1)], set(), ""),
        ("line", [line(1, "97110"), line(2, "97140", 4, 9)], {2}, "service line 2"),
        ("line-first", [line(1, "97110", 1, 2), line(2, "97140", 3, 1)], {1, 3}, "service line 1"),
        ("line-only", [line(1, "97110", 1, 2), line(2, "97140", 2)], {1, 2}, "service line 1"),
        ("line-only", [line(1, "97110", 1, 3), line(2, "97140", 9, 2)], {2}, "service line 2"),
        ("line-only", [line(1, "97110", 1, main_only=True)], set(), ""),
    ],
    ids=str,
)
def test_lines_that_are_meant_tell_which_diagnoses_are_subjects(kind, given, subjects, named):
    # The fourth diagnosis is the second once more. A03 is no subject, so a line that points to it points to others too.
    claim = judged(["A00", "A01", "A03", "a01"], lines=given)
    asked = Edit(0, Verb.PRESENT, only(0, 1), condition=Condition(**THERAPY), pointed=kind)
    stored = program_of([asked]).edit(0)
    assert claim.pointed(stored) == subjects
    at = min(subjects, default=1)
    assert lines_about(stored, given, claim.claim.codes, at, claim.ids) == named


def edit(**about) -> Edit:
    return Edit(rule=0, verb=Verb.PRESENT, subject=only(1), **about)


BEYOND = Condition(**OFF_CLAIM)
BARE = Condition(**NO_POINTER)


@pytest.mark.parametrize(
    ("about", "subject", "named"),
    [
        ({"pointed": "first"}, 2, "service lines 1 and 3"),
        ({"pointed": "first"}, 1, "service line 2"),
        ({"pointed": "first"}, 4, "service line 4"),
        ({"pointed": "first"}, 0, ""),
        ({"pointed": "never"}, 2, ""),
        ({}, 2, ""),
        ({"condition": Condition(age_min=18)}, 2, ""),
        ({"condition": BEYOND}, 0, "service line 2 (pointer 5)"),
        ({"condition": BEYOND}, 2, "service line 2 (pointer 5)"),
        ({"condition": BEYOND, "pointed": "first"}, 2, "service lines 1 and 3"),
        ({"condition": BEYOND, "pointed": "first"}, 0, "service line 2 (pointer 5)"),
    ],
    ids=str,
)
def test_a_violation_names_the_lines_that_it_is_about_and_no_others(about, subject, named):
    # The third diagnosis is the second once more: a pointer to it is one to the code. Programs give edits out as read
    # from the cache, so this one is too.
    codes = Claim(["A00", "A01", "a01", "A02"]).codes
    stored = program_of([edit(**about)]).edit(0)
    assert lines_about(stored, lines((2, 1), (1, 2, 3, 5), (3,), (4,)), codes, subject) == named


@pytest.mark.parametrize(
    ("condition", "given", "named"),
    [
        (BEYOND, lines((1, 3), (4,), (1, 2)), "service lines 1 (pointer 3) and 2 (pointer 4)"),
        (BEYOND, lines((4, 1, 3, 4)), "service line 1 (pointers 4, 3)"),
        (BARE, lines((1,), ()), "service line 2"),
        (BARE, lines((), (1,), (), ()), "service lines 1, 3 and 4"),
        (BARE, lines((1,), (), (), (), ()), "service lines 2, 3, 4 and 5"),
        (BARE, lines((1,), *[()] * 5), "service lines 2, 3, 4 and 2 more"),
        (BARE, lines((1,), *[()] * 8), "service lines 2, 3, 4 and 5 more"),
        # Two lines that a source numbers alike are named once.
        (BARE, [ServiceLine(7), ServiceLine(8, (1,)), ServiceLine(7), ServiceLine(9)], "service lines 7 and 9"),
    ],
    ids=str,
)
def test_lines_are_named_each_once_with_what_is_wrong_and_of_many_the_first_three(condition, given, named):
    stored = program_of([edit(condition=condition)]).edit(0)
    claim = judged(["A00", "A01"], lines=given)
    assert holds(condition, claim)
    assert lines_about(stored, given, claim.claim.codes, 2) == named


# "weak" is asked about by the edit, "frail" by another case of the rule; "tired" belongs to A01, "frail" to A02.
RULE = CompiledRule(
    "small/words",
    "",
    "warning",
    True,
    "small",
    terms=(("weak", ""), ("weak knee", ""), ("tired", "A01"), ("frail", "A02")),
)
WEAK = edit(terms=("weak", "t.b."))


@pytest.mark.parametrize(
    ("text", "code_id", "term"),
    [
        (None, 1, None),
        ("", 1, None),
        ("strong", 1, None),
        ("weak", 1, "weak"),
        ("was WEAK today", 1, "weak"),
        ("weakness", 1, None),
        ("tweak", 1, None),
        ("weak knee", 1, None),
        ("weak \n\t knee", 1, None),
        ("weak knee, weak", 1, "weak"),
        ("weak and frail", 1, "weak"),
        ("frail", 1, None),
        ("weak and frail", 2, None),
        ("weak and tired", 1, None),
        ("weak and tired", 2, "weak"),
        ("tired and weak", 0, "weak"),
        ("had t.b. once", 1, "t.b."),
        ("T.B.", 1, "t.b."),
        ("had t.b.c. once", 1, None),
        ("had xt.b. once", 1, None),
        ("had taba once", 1, None),
    ],
    ids=str,
)
def test_a_term_is_found_as_a_whole_word_unless_the_text_supports_the_code(text, code_id, term):
    assert found_term(WEAK, RULE, text, code_id, EDITION) == term


def test_of_several_terms_the_first_in_the_text_is_reported():
    both = edit(terms=("weak", "weary"))
    assert found_term(both, RULE, "weary and weak", 3, EDITION) == "weary"
    assert found_term(both, RULE, "weak and weary", 3, EDITION) == "weak"


ASKED: list[tuple[str, dict[str, object] | None]] = [
    ("", None),
    ("when: {age: {min: 18}}", {"age_min": 18}),
    ("when: {age: {max: 0}}", {"age_max": 0}),
    ("when: {age: {min: 18, max: 64}}", {"age_min": 18, "age_max": 64}),
    ("when: {sex: F}", {"sex": "F"}),
    ("when: {setting: inpatient}", {"settings": ("inpatient",)}),
    ("when: {payer: [Acme Gold, MED*]}", {"payers": ("acme gold", "med*")}),
    ("when: {plan: MB}", {"plans": ("MB",)}),
    ("when: {bill_type: ['131', 11*]}", {"bill_types": ("131", "11*")}),
    ("when: {frequency: '7'}", {"frequencies": ("7",)}),
    ("when: {original_reference: missing}", {"original_references": ("missing",)}),
    ("when: {place: '11'}", {"places": ("11",)}),
    ("when: {state: CA}", {"states": ("CA",)}),
    ("when: {taxonomy: 207*}", {"taxonomies": ("207*",)}),
    ("when: {provider: '1234567893'}", {"providers": ("1234567893",)}),
    ("when: {rendering_provider: '1234567893'}", {"rendering_providers": ("1234567893",)}),
    ("when: {rendering_taxonomy: 207*}", {"rendering_taxonomies": ("207*",)}),
    ("when: {diagnoses: {min: 2}}", {"diagnoses_min": 2}),
    ("when: {diagnoses: {max: 12}}", {"diagnoses_max": 12}),
    ("when: {principals: {min: 0, max: 1}}", {"principals_min": 0, "principals_max": 1}),
    (
        "when: {line: {procedure: '97110', units: {min: 2}, charge: {max: 9}}}",
        {"line_procedures": ("97110",), "line_units_min": 2, "line_charge_max": 9},
    ),
    ("when: {service_date: {from: 2026-05-01}}", {"starts": dt.date(2026, 5, 1)}),
    ("when: {service_date: {to: 2026-05-01}}", {"ends": dt.date(2026, 5, 1)}),
    (
        "effective: {from: 2026-04-01, to: 2026-06-30}",
        {"starts": dt.date(2026, 4, 1), "ends": dt.date(2026, 6, 30)},
    ),
    # On the days on which both hold.
    (
        "when: {service_date: {from: 2026-05-01, to: 2026-05-31}}, effective: {from: 2026-04-01, to: 2026-06-30}",
        {"starts": dt.date(2026, 5, 1), "ends": dt.date(2026, 5, 31)},
    ),
    (
        "when: {service_date: {from: 2026-05-01}}, effective: {from: 2026-05-02, to: 2026-06-30}",
        {"starts": dt.date(2026, 5, 2), "ends": dt.date(2026, 6, 30)},
    ),
    (
        "when: {documented: {all: [one, two], none: three}}",
        {"documented_all": ("one", "two"), "documented_none": ("three",)},
    ),
    ("when: {documented: {any: [one, two]}}", {"documented_any": ("one", "two")}),
    ("when: {present: A00.0}", {"present": only(0)}),
    ("when: {absent: A00.1}", {"absent": only(1)}),
    ("when: {first_listed: A00.0}", {"first_listed": only(0)}),
    ("when: {sex: M, absent: A00.1}", {"sex": "M", "absent": only(1)}),
    ("pointed: off-claim", {"pointer_off_claim": True}),
    ("pointed: no-pointer", {"line_without_pointer": True}),
    ("subject: I10, pointed: first", None),
    ("subject: I10, pointed: {how: never}, when: {sex: F}", {"sex": "F"}),
]


def test_each_key_of_a_case_asks_for_its_part_of_the_claim_and_nothing_else():
    asked = [text if "pointed" in text else f"subject: I10, once: true, {text}" for text, _ in ASKED]
    rules = [f"  - {{id: r{at}, title: T, severity: error, {text}}}" for at, text in enumerate(asked)]
    head = ["pack: own", "title: Own", "facts: {one: One, two: Two, three: Three}", "rules:"]
    pack = load_pack("\n".join([*head, *rules]), name="own.yaml").pack
    _, edits = compile_packs([pack], edition_for(None).whole)
    conditions = {edit.rule: edit.condition for edit in edits}
    assert list(conditions.values()) == [None if one is None else Condition(**one) for _, one in ASKED]
    said = " ".join(text for text, _ in ASKED)
    assert not [field.name for field in attrs.fields(When) if f"{file_key(field)}: " not in said]
