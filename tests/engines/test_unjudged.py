"""What could not be judged on a claim, for want of something that it does not say."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.strategies import claims, edits
from tests.engines.test_columnar import EDITION, all_edits, batch_of, claim_of, judge_of, rows
from weakcode import Claim, Diagnosis, ServiceLine, Validator
from weakcode.cli import main
from weakcode.codes.codeset import CodeSet
from weakcode.scrub.columns.claims import columns_of
from weakcode.scrub.judge.columns import ColumnScrubber
from weakcode.semantics.conditions import NEEDS, Condition
from weakcode.semantics.edits import Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.unjudged import POA, could_not_be_judged
from weakcode.semantics.verbs import FORMS, Verb

FULL = {
    "age": 30,
    "sex": "F",
    "setting": "outpatient",
    "service_date": "2026-05-01",
    "lines": [ServiceLine(1, pointers=(1,))],
}
JUDGE = Validator(today="2026-05-01")


def not_judged(*codes: str, without: str = "", **more: object) -> dict[str, set[str]]:
    about = {name: value for name, value in {**FULL, **more}.items() if name not in without.split()}
    return {one.needs: set(one.rules) for one in JUDGE.judge(Claim(list(codes), **about)).not_judged}


def test_an_inpatient_claim_without_indicators_has_the_rules_about_them_reported() -> None:
    told = not_judged("I21.4", setting="inpatient")["poa"]
    assert told == {"poa/missing", "poa/not-exempt", "poa/one-for-blank", "poa/needless", "poa/hospital-acquired"}
    assert "poa" not in not_judged("I21.4")
    with_one = Claim([Diagnosis("I21.4", poa="Y"), "I10"], **{**FULL, "setting": "inpatient"})
    assert not any(one.needs == "poa" for one in JUDGE.judge(with_one).not_judged)


@given(st.lists(edits(), max_size=8), claims)
def test_what_could_not_be_judged_is_what_the_specification_says(some_edits, claim):
    judge = judge_of(some_edits)
    judged = JudgedClaim.of(claim, EDITION)
    told = judge.unjudged.of(judged, bytes([3] * 3), EDITION.starts)
    names = {f"small/{name}": number for number, name in enumerate("bca")}
    found = {(one.needs, names[rule]) for one in told for rule in one.rules}
    assert found == could_not_be_judged(some_edits, judged)


ADULTS = Condition(age_min=18)
THERAPY = Condition(line_procedures=("97110",))


@pytest.mark.parametrize(
    ("verb", "asked", "codes", "about", "needs"),
    [
        (Verb.PRESENT, {"condition": ADULTS}, "A00 A01", {}, "age"),
        (Verb.PRESENT, {"condition": ADULTS}, "A00", {}, ""),
        (Verb.PRESENT, {"condition": ADULTS}, "A01", {"age": 18}, ""),
        (Verb.PRESENT, {"condition": ADULTS}, "A01", {"age": 17}, ""),
        (Verb.PRESENT, {"condition": ADULTS}, "A01", {"lines": [ServiceLine(1, (1,))]}, "age"),
        # One that looks at the first-listed code alone speaks of no other.
        (Verb.SECONDARY, {"condition": ADULTS}, "A01 A00", {}, "age"),
        (Verb.SECONDARY, {"condition": ADULTS}, "A00 A01", {}, ""),
        # One about the claim speaks of the codes with which alone it speaks, or of any claim.
        (Verb.CLAIM_REQUIRE, {"condition": ADULTS}, "A00", {}, "age"),
        (Verb.CLAIM_REQUIRE, {"condition": Condition(age_min=18, present=CodeSet.of([1]))}, "A00", {}, ""),
        (Verb.CLAIM_REQUIRE, {"condition": Condition(age_min=18, present=CodeSet.of([1]))}, "A01", {}, "age"),
        # All else that it asks holds.
        (Verb.PRESENT, {"condition": Condition(age_min=18, sex="F")}, "A01", {}, "age sex"),
        (Verb.PRESENT, {"condition": Condition(age_min=18, sex="F")}, "A01", {"sex": "F"}, "age"),
        (Verb.PRESENT, {"condition": Condition(age_min=18, sex="F")}, "A01", {"sex": "M"}, ""),
        (Verb.PRESENT, {"condition": Condition(age_min=18, payers=("acme",))}, "A01", {}, ""),
        # The day that is taken for the service date may do.
        (Verb.PRESENT, {"condition": Condition(starts=dt.date(2026, 4, 1))}, "A01", {}, ""),
        (Verb.PRESENT, {"condition": Condition(starts=dt.date(2026, 4, 2))}, "A01", {}, "service_date"),
        (Verb.PRESENT, {"pointed": "first"}, "A01", {}, "pointers"),
        (Verb.PRESENT, {"pointed": "first"}, "A01", {"lines": [ServiceLine(1, ())]}, "pointers"),
        (Verb.PRESENT, {"pointed": "first"}, "A01 A00", {"lines": [ServiceLine(1, (2,))]}, ""),
        (Verb.PRESENT, {"pointed": "never", "condition": ADULTS}, "A01", {"lines": [ServiceLine(1, (1,))]}, ""),
        (Verb.PRESENT, {"condition": Condition(pointer_off_claim=True)}, "A01", {}, "pointers"),
        (Verb.PRESENT, {"condition": Condition(line_without_pointer=True)}, "A01", {}, "pointers"),
        (Verb.PRESENT, {"pointed": "line", "condition": THERAPY}, "A01", {}, "pointers procedures"),
        (
            Verb.PRESENT,
            {"pointed": "line", "condition": THERAPY},
            "A01",
            {"lines": [ServiceLine(1, (1,))]},
            "procedures",
        ),
        (
            Verb.PRESENT,
            {"pointed": "line", "condition": THERAPY},
            "A01",
            {"lines": [ServiceLine(1, (), "97110")]},
            "pointers",
        ),
        (
            Verb.PRESENT,
            {"pointed": "line", "condition": THERAPY},
            "A01",
            {"lines": [ServiceLine(1, (), "99213")]},
            "",
        ),
        (Verb.PRESENT, {"poa": ("N",)}, "A00", {"setting": "inpatient"}, "poa"),
        (Verb.PRESENT, {"poa": ("N",)}, "A01", {"setting": "outpatient"}, ""),
        (Verb.PRESENT, {"poa": ("N",), "condition": ADULTS}, "A01", {"setting": "inpatient"}, "age poa"),
    ],
)
def test_what_an_edit_could_not_be_judged_for_is_what_it_asks_for_and_the_claim_does_not_say(
    verb, asked, codes, about, needs
):
    has_subject, needs_object = FORMS[verb].has_subject, FORMS[verb].needs_object
    subject, related = CodeSet.of([1] * has_subject), CodeSet.of([2] * needs_object)
    edit = Edit(rule=0, verb=verb, subject=subject, object=related, **asked)
    other = Edit(rule=1, verb=Verb.PRESENT, subject=CodeSet.of([0, 1]))
    judged = JudgedClaim.of(Claim(codes, **about), EDITION)
    assert could_not_be_judged([other, edit, other], judged) == {(need, 0) for need in needs.split()}
    told = judge_of([other, edit, other]).unjudged.of(judged, bytes([3] * 3), EDITION.starts)
    assert {(one.needs, one.rules) for one in told} == {(need, ("small/b",)) for need in needs.split()}


def test_edits_of_which_nothing_is_to_be_told_keep_no_other_from_being_told():
    elsewhere = Edit(rule=1, verb=Verb.PRESENT, subject=CodeSet.of([5]), condition=ADULTS)
    about_pointers = Edit(rule=1, verb=Verb.PRESENT, subject=CodeSet.of([1]), pointed="first", condition=ADULTS)
    asking = Edit(rule=0, verb=Verb.PRESENT, subject=CodeSet.of([1]), condition=ADULTS)
    judged = JudgedClaim.of(Claim("A01", lines=[ServiceLine(1, (1,))]), EDITION)
    for edits_in_order in ([elsewhere, asking], [about_pointers, asking], [elsewhere, about_pointers, asking]):
        assert could_not_be_judged(edits_in_order, judged) == {("age", 0)}
        told = judge_of(edits_in_order).unjudged.of(judged, bytes([3] * 3), EDITION.starts)
        assert [(one.needs, one.rules) for one in told] == [("age", ("small/b",))]


@given(
    st.lists(all_edits(), max_size=8),
    st.lists(rows, max_size=6),
    st.lists(st.sampled_from([None, "info", "error"]), min_size=12, max_size=12),
)
def test_a_batch_counts_what_could_not_be_judged_on_its_claims(some_edits, some_rows, levels):
    payers = [None, "Acme", "Medicare", "other"]
    judge = judge_of(some_edits, severity=lambda rule, payer: levels[rule * 4 + payers.index(payer)])
    expected: Counter[str] = Counter()
    rules: set[tuple[str, str]] = set()
    for number, row in enumerate(some_rows):
        claim = claim_of(row, number)
        judged = JudgedClaim.of(claim, EDITION)
        for one in judge.unjudged.of(judged, judge.assembler.severities(claim.payer), EDITION.starts):
            expected[one.needs] += 1
            rules.update((one.needs, rule) for rule in one.rules)
    found = ColumnScrubber(lambda date: judge, today=EDITION.starts).scrub(batch_of(some_rows))
    assert {one.needs: one.claims for one in found.not_judged} == dict(expected)
    assert {(one.needs, rule) for one in found.not_judged for rule in one.rules} == rules


def test_a_claim_that_says_everything_was_judged_in_full():
    assert not_judged("O80", "Z37.0", "I10") == {}


def test_each_thing_that_is_missing_is_reported_with_the_rules_that_need_it():
    assert not_judged("O80", without="age") == {
        "age": {"mce/age-conflict", "guidelines/obstetric-code-on-newborn-record"}
    }
    assert "mce/unacceptable-principal" in not_judged("Z66", "I10", without="setting")["setting"]
    assert not_judged("N40.0", without="sex", service_date="2020-05-01") == {"sex": {"mce/sex-conflict"}}
    assert "lines/diagnosis-without-line" in not_judged("I10", without="lines")["pointers"]


OWN = {
    "pack": "own",
    "title": "Own",
    "rules": [
        {
            "id": "therapy",
            "title": "Therapy",
            "severity": "warning",
            "why": "w",
            "pointed": {"procedure": "97110", "any": "M62.84"},
        },
        {
            "id": "emergency",
            "title": "Emergency",
            "severity": "warning",
            "why": "w",
            "subject": "M62.81",
            "pointed": {"revenue": "0450"},
        },
    ],
}
PROCEDURES, POINTERS = ("procedures", ("own/therapy",)), ("pointers", ("own/therapy",))


@pytest.mark.parametrize(
    ("codes", "lines", "told"),
    [
        (["M62.81"], [], {PROCEDURES, POINTERS}),
        (["M62.81"], [{"number": 1, "pointers": [1]}], {PROCEDURES}),
        (["M62.81"], [{"number": 1, "procedure": " ", "pointers": [1]}], {PROCEDURES}),
        (["M62.81"], [{"number": 1, "procedure": "97110"}], {POINTERS}),
        (["M62.81"], [{"number": 1, "procedure": "99213"}], set()),
        (["M62.81"], [{"number": 1, "procedure": "97110", "pointers": [1]}], set()),
        (["M62.84"], [], set()),
        (["M62.81"], [{"number": 1, "revenue": "0450"}], {PROCEDURES, ("pointers", ("own/emergency", "own/therapy"))}),
    ],
)  # fmt: skip
def test_a_rule_about_a_procedure_is_reported_of_claims_without_procedures_or_pointers(codes, lines, told):
    judge = Validator(packs=[OWN], today="2026-05-01")
    claim = Claim(codes, "A", lines=lines)
    assert {(one.needs, one.rules) for one in judge.judge(claim).not_judged} == told
    counts = judge.columns().scrub(columns_of([claim, claim])).not_judged
    assert {(one.needs, one.rules, one.claims) for one in counts} == {(*one, 2) for one in told}


LINE = {"number": 1, "procedure": "97110", "pointers": [1]}
RULE_OF_NEED = {
    "age": ({"when": {"age": {"min": 18}}}, {"age": 18}),
    "sex": ({"when": {"sex": "F"}}, {"sex": "F"}),
    "setting": ({"when": {"setting": "inpatient"}}, {"setting": "inpatient"}),
    "service_date": ({"when": {"service_date": {"to": "2026-04-01"}}}, {"service_date": "2026-04-01"}),
    "pointers": ({"pointed": "first"}, {"lines": [LINE]}),
    "procedures": ({"when": {"line": {"procedure": "97110"}}}, {"lines": [LINE]}),
    "poa": ({"poa": "N"}, {"codes": [{"code": "M62.81", "poa": "N"}, "I10"]}),
}
"""For each thing that a claim can lack, a rule that needs it, and what a claim says that the rule is violated by."""


def test_each_need_of_the_declarations_has_a_rule_here():
    assert set(RULE_OF_NEED) == {*NEEDS, POA}


@pytest.mark.parametrize("need", RULE_OF_NEED)
def test_a_rule_is_reported_where_its_data_is_missing_and_judges_where_it_is_given(need):
    asked, said = RULE_OF_NEED[need]
    about = {"setting": "inpatient"} if need == "poa" else {}
    rule = {"id": "needy", "title": "N", "severity": "warning", "subject": "M62.81", **asked}
    if not asked.keys() & {"pointed", "poa"}:
        rule["forbid"] = "I10"
    judge = Validator(packs=[{"pack": "own", "title": "Own", "rules": [rule]}], today="2026-05-01")
    lacking = judge.judge({"codes": ["M62.81", "I10"], **about})
    assert [(one.needs, one.rules) for one in lacking.not_judged] == [(need, ("own/needy",))]
    assert not lacking.findings
    full = judge.judge({"codes": ["M62.81", "I10"], **about, **said})
    assert [finding.rule for finding in full.findings] == ["own/needy"]
    assert not full.not_judged


@pytest.mark.parametrize("need", ["age", "sex", "setting", "service_date"])
def test_a_claim_is_reported_if_it_lacks_what_the_rules_need_and_only_then(need):
    asked, said = RULE_OF_NEED[need]
    rule = {"id": "needy", "title": "N", "severity": "warning", "subject": "M62.81", "forbid": "I10", **asked}
    judge = Validator(packs=[{"pack": "own", "title": "Own", "rules": [rule]}], today="2026-05-01")
    claim = {"codes": ["M62.81", "I10"], **FULL, "lines": [LINE], **said}
    assert not judge.judge(claim).not_judged
    assert [one.needs for one in judge.judge({**claim, need: None}).not_judged] == [need]


def test_a_rule_that_is_about_no_code_of_the_claim_is_not_reported():
    assert not_judged("E78.5", without="age sex setting") == {}


def test_a_rule_that_holds_on_other_days_only_is_not_reported_where_the_day_is_known():
    assert not_judged("N40.0", without="sex") == {}


def test_a_date_is_missing_only_for_rules_that_do_not_hold_on_the_day_of_the_run():
    assert "mce/sex-conflict" in not_judged("N40.0", without="service_date sex")["service_date"]
    assert not_judged("E66.813", "E66.01", without="service_date") == {
        "service_date": {"icd10cm/icd10-before-october-2015"}
    }


def test_a_rule_that_is_off_is_not_reported():
    judge = Validator(profile={"name": "x", "rules": {"mce/age-conflict": "off"}})
    told = judge.judge(Claim(["O80"], **{**FULL, "age": None})).not_judged
    assert "mce/age-conflict" not in {rule for one in told for rule in one.rules}


def test_a_repeat_of_a_run_counts_the_same_whatever_the_engine(tmp_path):
    (tmp_path / "claims.csv").write_text("claim_id,codes,age\n1,O80 Z37.0,30\n2,O80 Z37.0,\n3,E78.5,\n")
    said = []
    for engine in ("durable", "columnar"):
        summary = tmp_path / f"{engine}.json"
        scrubbed = [
            "scrub",
            f"{tmp_path}/claims.csv",
            "--engine",
            engine,
            "--summary",
            str(summary),
            "--fail-on",
            "never",
        ]
        assert CliRunner().invoke(main, [*scrubbed, "--today", "2026-05-01", "--fail-on", "never"]).exit_code == 0
        said.append(json.loads(summary.read_text())["not_judged"])
    assert said[0] == said[1]
    assert {one["needs"]: one["claims"] for one in said[0]} == {"age": 1, "pointers": 3, "service_date": 3, "sex": 2}


def test_claims_in_arrow_are_counted_like_single_ones():
    found = scrubbed_claims({"codes": [["O80"], ["I10"]], "age": [None, None]})
    assert {one.needs: one.claims for one in found.not_judged}["age"] == 1


def scrubbed_claims(columns):
    return JUDGE.columns().scrub(pa.record_batch(columns))
