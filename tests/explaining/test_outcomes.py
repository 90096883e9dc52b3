"""Every outcome that an explanation can tell, through the public API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.engines.strategies import EDITION
from weakcode import Claim, ServiceLine, Validator
from weakcode.claims import Waiver
from weakcode.codes.catalog import edition_for
from weakcode.codes.codeset import CodeSet
from weakcode.codes.expression.spelling import spelled
from weakcode.errors import EngineError
from weakcode.explain import Explanation, Outcome, Step, explain
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.reference import read
from weakcode.semantics.verbs import Verb

ENGINES = ("durable", "columnar")

OWN = """
pack: own
title: Rules of every kind
facts: {met: "The patient was met.", unmet: "The patient was not met."}
rules:
  - {id: present, title: t, severity: error, forbid: I10, when: WHEN}
  - {id: forbid-before, title: t, severity: error, subject: I10, forbid: {before: E11.9}}
  - {id: itself, title: t, severity: error, subject: "I10, E11.9", forbid: "E11.9, J45.20"}
  - {id: order, title: t, severity: error, subject: E11.9, order: {before: I10}}
  - {id: order-after, title: t, severity: error, subject: I10, order: {after: E11.9}}
  - {id: require, title: t, severity: error, subject: E11.9, require: "I10, J45.20"}
  - {id: first, title: t, severity: error, subject: I10, position: first}
  - {id: secondary, title: t, severity: error, subject: I10, position: secondary}
  - {id: one, title: t, severity: error, subject: "I10, J45.20", at_most_one: true}
  - {id: once, title: t, severity: error, subject: I10, once: true}
  - {id: claim, title: t, severity: error, require: E11.9, when: {present: I10}}
  - {id: elsewhere, title: t, severity: error, require: E11.9, when: {present: J45.20}}
  - {id: words, title: t, severity: error, subject: I10, terms: [frailty], fix: {action: replace-subject, code: R54}}
"""


@pytest.fixture(params=ENGINES)
def explained(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    def of(codes: str, rule: str, when: str = "{sex: F}", **known: Any) -> tuple[Step, ...]:
        path = tmp_path / "own.yaml"
        path.write_text(OWN.replace("WHEN", when))
        validator = Validator(packs=[path], engine=request.param)
        texts = known.pop("text", {})
        diagnoses = [{"code": code, "text": texts.get(at)} for at, code in enumerate(codes.split(), start=1)]
        return validator.explain(Claim(diagnoses, **known)).of(f"own/{rule}")

    return of


@pytest.mark.parametrize(
    ("when", "known", "reason"),
    [
        ("{age: {min: 18}}", {}, "the age is not known"),
        ("{age: {min: 18}}", {"age": 17}, "the age 17 is below 18"),
        ("{age: {max: 64}}", {"age": 65}, "the age 65 is above 64"),
        ("{age: {max: 64}}", {"birth_date": "1950-01-01", "service_date": "2026-05-01"}, "the age 76 is above 64"),
        ("{sex: F}", {}, "the sex is not known"),
        ("{sex: F}", {"sex": "M"}, "the sex is M, not F"),
        ("{setting: inpatient}", {}, "the setting is not known"),
        ("{setting: inpatient}", {"setting": "outpatient"}, "the setting is outpatient, not inpatient"),
        ("{payer: Acme}", {}, "the payer is not known"),
        ("{payer: Acme}", {"payer": "Other"}, 'the rule is not for the payer "Other"'),
        (
            "{service_date: {from: 2026-06-01}}",
            {"service_date": "2026-05-31"},
            "the service date 2026-05-31 is before 2026-06-01",
        ),
        (
            "{service_date: {to: 2026-03-31}}",
            {},
            "2026-04-01, taken for the service date that is not given, is after 2026-03-31",
        ),
        ("{documented: {all: met}}", {}, 'the fact "met" is not documented'),
        ("{documented: {any: [met, unmet]}}", {}, "none of the facts met, unmet is documented"),
        ("{documented: {none: met}}", {"documented": "met"}, 'the fact "met" is documented'),
        ("{present: E11.-}", {}, "the rule speaks only with E11.- on the claim"),
        ("{absent: J45.-}", {}, "J45.20 at 2 is on the claim"),
        ("{first_listed: E11.-}", {}, "I10 is first-listed, and none of E11.-"),
        ("{sex: F, age: {min: 9}}", {"age": 3}, "the age 3 is below 9; the sex is not known"),
        ("{line: {units: {min: 2}}}", {}, "the claim has no service lines"),
        (
            '{line: {procedure: ["97110", "G*"], units: {min: 2}}}',
            {"lines": [ServiceLine(1, procedure="97110", units=1)]},
            "no service line has procedure 97110, G* and units from 2",
        ),
        (
            "{line: {charge: {min: 10, max: 100}, date: {from: 2026-05-01}}}",
            {"lines": [ServiceLine(1, charge=101, start="2026-05-01"), ServiceLine(2, charge=100)]},
            "no service line has charge from 10 to 100 and first day from 2026-05-01",
        ),
    ],
)
def test_a_condition_that_does_not_hold_says_which_part_of_it(
    explained: Any, when: str, known: dict[str, Any], reason: str
) -> None:
    (step,) = explained("I10 J45.20", "present", when, **known)
    assert (step.outcome, step.reason, step.position, step.code) == (Outcome.NOT_APPLICABLE, reason, 1, "I10")


@pytest.mark.parametrize(
    ("codes", "rule", "outcome", "reason", "positions"),
    [
        ("I10 E11.9", "forbid-before", "satisfied", "only before it is forbidden", (1, 2)),
        ("I10 J45.20", "forbid-before", "object not on the claim", "none of E11.9 is on the claim", (1,)),
        ("E11.9 I10", "forbid-before", "violated", "may not be reported together", (2, 1)),
        ("E11.9 J45.20", "itself", "not applicable", "one of the codes that may not be reported with it", (1,)),
        ("I10 E11.9", "order", "satisfied", "I10 at 1 is listed before it", (2, 1)),
        ("E11.9 I10", "order", "violated", "must be listed before", (1, 2)),
        ("E11.9", "order", "object not on the claim", "none of I10 is on the claim", (1,)),
        ("I10 E11.9", "order-after", "satisfied", "E11.9 at 2 is listed after it", (1, 2)),
        ("E11.9 I10", "order-after", "violated", "must be listed", (2, 1)),
        ("J45.20 E11.9 I10", "require", "satisfied", "J45.20 at 1, I10 at 3 satisfies it", (2, 1, 3)),
        ("E11.9", "require", "violated", "needs one of these codes", (1,)),
        ("I10 E11.9", "first", "satisfied", "it is first-listed", (1,)),
        ("E11.9 I10", "first", "violated", "only be the first-listed", (2,)),
        ("E11.9 I10", "secondary", "satisfied", "it is not first-listed", (2,)),
        ("I10 E11.9", "secondary", "violated", "may not be the first-listed", (1,)),
        ("I10 E11.9", "one", "satisfied", "no other code of its kind", (1,)),
        ("I10 E11.9", "once", "satisfied", "it stands once", (1,)),
        ("I10 E11.9 I10", "once", "violated", "is listed more than once", (1, 3)),
        ("I10 E11.9", "claim", "satisfied", "E11.9 at 2 satisfies it", (2,)),
        ("I10", "claim", "violated", "The claim needs one of these codes", ()),
        ("I10", "words", "not applicable", "no text is documented", (1,)),
    ],
)
def test_every_kind_of_rule_tells_its_outcome_its_reason_and_the_positions(
    explained: Any, codes: str, rule: str, outcome: str, reason: str, positions: tuple[int, ...]
) -> None:
    (step,) = explained(codes, rule)
    assert (step.outcome.value, step.positions) == (outcome, positions)
    assert reason in step.reason


def test_two_of_which_only_one_may_stand_are_reported_at_both(explained: Any) -> None:
    first, second = explained("I10 E11.9 J45.20", "one")
    assert (first.position, second.position) == (1, 3)
    assert first.positions == second.positions == (1, 3)
    assert {first.outcome, second.outcome} == {Outcome.VIOLATED}


def test_a_text_without_the_words_of_the_rule_says_which_words(explained: Any) -> None:
    (step,) = explained("I10", "words", text={1: "high pressure"})
    assert (step.outcome, step.reason) == (
        Outcome.NOT_APPLICABLE,
        "the documented text does not say frailty alone",
    )
    (step,) = explained("I10", "words", text={1: "frailty of age"})
    assert step.outcome is Outcome.VIOLATED


def test_a_claim_level_rule_whose_occasion_is_not_on_the_claim_is_only_counted(explained: Any) -> None:
    assert explained("I10", "elsewhere") == ()
    (step,) = explained("J45.20 E11.9", "elsewhere")
    assert (step.outcome, step.position) == (Outcome.SATISFIED, 0)


def _explained(*codes: str, engine: str | None = None, **known: Any) -> Explanation:
    return Validator(engine=engine).explain(Claim(list(codes), **known))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_requirement_that_is_met_names_what_meets_it_and_where(engine: str) -> None:
    (step,) = _explained("G72.9", "M62.84", engine=engine).of("weakness/sarcopenia-underlying-disease-first")
    assert (step.outcome, step.position, step.positions) == (Outcome.SATISFIED, 2, (2, 1))
    assert "G72.9 at 1, before it, satisfies it" in step.reason


def test_notes_of_one_kind_are_one_step_with_each_notes_place_and_words() -> None:
    (step,) = _explained("M62.84").of("icd10cm/excludes1")
    assert step.outcome is Outcome.NO_OBJECT
    assert step.edits == len(step.sources) - 1 > 5  # each note, and the section of the guidelines
    quoted = {source.place: source.quote for source in step.sources}
    assert "M62, Excludes1" in quoted
    assert any(source.quote and "myalgia" in source.quote for source in step.sources)


def test_what_is_not_on_the_claim_is_the_other_side_and_not_the_code_for_both() -> None:
    (step,) = _explained("H25.11").of("guidelines/right-and-left-of-a-bilateral-code")
    assert (step.outcome, step.reason) == (Outcome.NO_OBJECT, "none of H25.12 is on the claim")


def test_what_a_specific_rule_says_better_names_that_rule() -> None:
    explained = _explained("R54", "M62.84")
    superseded = [step for step in explained.of("icd10cm/excludes1") if step.outcome is Outcome.SUPERSEDED]
    assert {step.by for step in superseded} == {"weakness/excludes1-frailty"}
    assert {step.positions for step in superseded} == {(1, 2)}
    assert all("weakness/excludes1-frailty" in step.reason for step in superseded)


def test_a_rule_that_is_off_says_whether_by_default_by_profile_or_by_choice(tmp_path: Path) -> None:
    (default,) = _explained("M62.84").of("icd10cm/excludes2")
    assert (default.outcome, default.severity) == (Outcome.OFF, None)
    assert default.reason == "it is off unless asked for"
    assert default.edits > 1

    profile = tmp_path / "practice.yaml"
    profile.write_text("name: our practice\nrules: {weakness/excludes1-frailty: off}\n")
    validator = Validator(profile=profile)
    (step,) = validator.explain(Claim(["R54", "M62.84"])).of("weakness/excludes1-frailty")
    assert (step.outcome, step.reason) == (Outcome.OFF, 'the profile "our practice" switches it off')
    (other,) = validator.explain(Claim(["M62.84"])).of("icd10cm/excludes2")
    assert other.reason == "it is off unless asked for"

    alone = Validator(packs=["weakness/excludes1-frailty"]).explain(Claim(["R54", "M62.84"]))
    assert alone.of("weakness/excludes1-frailty")[0].outcome is Outcome.VIOLATED
    reasons = {step.reason for step in alone.steps if step.outcome is Outcome.OFF}
    assert reasons == {"it is not among the rules that were asked for"}


def test_a_profile_that_speaks_by_payer_is_explained_for_the_claims_payer(tmp_path: Path) -> None:
    profile = tmp_path / "payers.yaml"
    profile.write_text(
        "name: payers\npayers: {Acme: {rules: {weakness/excludes1-frailty: info}}, Other: {rules: {}}}\n"
    )
    validator = Validator(profile=profile)
    for payer, severity in (("Acme", "info"), ("Other", "error")):
        (step,) = validator.explain(Claim(["R54", "M62.84"], payer=payer)).of("weakness/excludes1-frailty")
        assert (step.outcome, step.severity) == (Outcome.VIOLATED, severity)


def test_the_rules_without_a_subject_on_the_claim_are_counted() -> None:
    explained = _explained("R54")
    touched = {step.rule for step in explained.steps}
    rules = Validator().rules
    assert explained.rules_elsewhere == len(rules) - len(touched)
    assert explained.edits_elsewhere + sum(step.edits for step in explained.steps) == explained.edits


def test_a_code_that_does_not_exist_is_explained_as_well() -> None:
    steps = _explained("ZZZ.9", "I10").steps
    assert any(step.outcome is Outcome.VIOLATED and step.rule == "icd10cm/unknown-code" for step in steps)


def test_an_engine_that_found_something_else_is_not_explained_away() -> None:
    validator, claim = Validator(packs="weakness"), Claim(["M62.84"])
    edition = edition_for(None)
    judge, judged = validator._judge_of(edition), JudgedClaim.of(claim, edition)
    with pytest.raises(EngineError, match="disagree about weakness/sarcopenia-underlying-disease-first"):
        explain(judged, validator.judge(claim), judge.program, edition, judge.assembler, [], str)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_waived_finding_is_reported_as_waived_by_whom_and_why(engine: str) -> None:
    waiver = Waiver("weakness/excludes1-frailty", reason="Unrelated conditions.", who="A. Coder", codes="R54 M62.84")
    claim = Claim(["R54", "M62.84"], waivers=[waiver])
    explained = Validator(engine=engine).explain(claim)
    (step,) = explained.of("weakness/excludes1-frailty")
    assert (step.outcome, step.positions) == (Outcome.WAIVED, (1, 2))
    assert step.reason.endswith("Waived by A. Coder: Unrelated conditions.")
    assert explained.verdict.waived
    # What the waived finding says better stays superseded: one problem is one finding, also when it is waived.
    (generic,) = [one for one in explained.of("icd10cm/excludes1") if one.positions == (1, 2)]
    assert (generic.outcome, generic.by) == (Outcome.SUPERSEDED, "weakness/excludes1-frailty")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("M62.-", "M62.-"),
        ("M62.8-, R54", "M62.8-, R54"),
        ("R53.1", "R53.1"),
        ("G71-G73", "G71.-, G72.-, G73.-"),
        ("S72.001-", "S72.001-"),
    ],
)
def test_a_set_of_codes_is_spelled_as_a_coder_would(expression: str, words: str) -> None:
    edition = edition_for(None)
    assert spelled(edition.codeset(expression), edition) == words


def test_a_long_set_of_codes_is_cut_and_counted() -> None:
    edition = edition_for(None)
    codes = edition.codeset("A00-A09")
    said = spelled(codes, edition, most=2)
    assert said.startswith("A00.-, A01.- and ")
    left = len(codes) - len(edition.codeset("A00-A01"))
    assert said.endswith(f" and {left} more codes")


OWN_RULE = CompiledRule("own/rule", "", "error", True, "own")
SIX = "B20, E11.9, J45.20, M62.84, R53.1, R54"


@pytest.mark.parametrize(
    ("listed", "named"),
    [
        ("$few", SIX),
        ("$first", "A00.0, R54"),  # with the first code of the list
        (f"{SIX}, R05.1", f"{SIX}, R05.1"),
        ("$many", "$many"),
        ("T81.4XXA", "T81.4XXA"),  # of other days
    ],
)
def test_up_to_six_missing_codes_are_named_and_more_are_as_the_rule_lists_them(tmp_path, listed, named):
    path = tmp_path / "own.yaml"
    path.write_text(
        f'pack: own\ntitle: t\ncode_sets: {{few: "{", ".join(reversed(SIX.split(", ")))}", many: "A00-B99",'
        ' first: "R54, A00.0"}\nrules:\n'
        f'  - {{id: missing, title: t, severity: info, subject: I10, forbid: "{listed}"}}\n'
    )
    (step,) = Validator(packs=[path]).explain(Claim("I10 Z99.2")).of("own/missing")
    wanted = "A00-B99" if named == "$many" else named
    assert (step.outcome, step.reason) == (Outcome.NO_OBJECT, f"none of {wanted} is on the claim")


@pytest.mark.parametrize(
    ("pointed", "lines", "reason"),
    [
        ("first", ["2 1"], "no service line points to it first"),
        ("never", ["2 1"], "a service line points to it, or may have"),
    ],
)
def test_a_subject_that_service_lines_do_not_point_to_so_says_why(tmp_path, pointed, lines, reason):
    path = tmp_path / "own.yaml"
    rule = f"{{id: lines, title: t, severity: info, subject: I10, pointed: {pointed}}}"
    path.write_text(f"pack: own\ntitle: t\nrules:\n  - {rule}\n")
    pointers = [[int(one) for one in line.split()] for line in lines]
    claim = Claim("I10 R54", lines=[ServiceLine(number, line) for number, line in enumerate(pointers, start=1)])
    (step,) = Validator(packs=[path]).explain(claim).of("own/lines")
    assert (step.outcome, step.reason) == (Outcome.NOT_APPLICABLE, reason)


def test_each_of_three_codes_of_one_kind_is_violated_and_none_is_satisfied(tmp_path):
    path = tmp_path / "own.yaml"
    rule = '{id: one, title: t, severity: info, subject: "I10, R54, J45.20", at_most_one: true}'
    path.write_text(f"pack: own\ntitle: t\nrules:\n  - {rule}\n")
    steps = Validator(packs=[path]).explain(Claim("I10 R54 J45.20")).of("own/one")
    assert {step.outcome for step in steps} == {Outcome.VIOLATED}


@pytest.mark.parametrize("when", ["", ", when: {sex: F}"])
def test_a_rule_about_the_claim_is_explained_at_no_position(tmp_path, when):
    path = tmp_path / "own.yaml"
    path.write_text(f"pack: own\ntitle: t\nrules:\n  - {{id: claim, title: t, severity: info, require: R54{when}}}\n")
    (step,) = Validator(packs=[path]).explain(Claim("I10", sex="M")).of("own/claim")
    assert step.position == 0
    assert step.outcome is (Outcome.NOT_APPLICABLE if when else Outcome.VIOLATED)
    (step,) = Validator(packs=[path]).explain(Claim("I10 R54", sex="F")).of("own/claim")
    assert (step.outcome, step.position) == (Outcome.SATISFIED, 0)


@pytest.mark.parametrize(
    ("setting", "indicators", "reason"),
    [
        ("professional", ["Y", None], "the claim is not inpatient, or has no present-on-admission indicator"),
        ("inpatient", [None, None], "the claim is not inpatient, or has no present-on-admission indicator"),
        ("inpatient", ["Y", None], "its present-on-admission indicator is Y"),
        ("inpatient", [None, "Y"], "its indicator is missing"),
    ],
)
def test_a_subject_without_the_indicator_that_a_rule_asks_for_says_which_it_has(setting, indicators, reason):
    edit = Edit(rule=0, verb=Verb.PRESENT, subject=CodeSet.of([0]), poa=("N",))
    given = [{"code": code, "poa": poa} for code, poa in zip(("A00", "A01"), indicators, strict=True)]
    (reading,) = read(0, edit, OWN_RULE, JudgedClaim.of(Claim(given, setting=setting), EDITION), EDITION)
    assert (reading.outcome, reading.reason) == (Outcome.NOT_APPLICABLE, reason)


def test_a_subject_is_read_with_its_own_indicator():
    edit = Edit(rule=0, verb=Verb.PRESENT, subject=CodeSet.of([0]), poa=("N",))
    given = [{"code": code, "poa": poa} for code, poa in (("A01", "N"), ("A02", "N"), ("A00", "Y"))]
    (reading,) = read(0, edit, OWN_RULE, JudgedClaim.of(Claim(given, setting="inpatient"), EDITION), EDITION)
    assert reading.reason == "its present-on-admission indicator is Y"


def test_a_rule_that_rests_on_an_order_that_is_not_known_is_satisfied_and_says_so():
    edit = Edit(rule=0, verb=Verb.FIRST, subject=CodeSet.of([0]))
    for order, outcome in (("all", Outcome.VIOLATED), ("none", Outcome.SATISFIED)):
        judged = JudgedClaim.of(Claim("A01 A00"), EDITION, order=order)
        (reading,) = read(0, edit, OWN_RULE, judged, EDITION)
        assert (reading.outcome, reading.reason) == (
            outcome,
            "" if outcome is Outcome.VIOLATED else "the order of the claim's codes is not known",
        )
