"""Service lines held against coverage policies: what is found, what is not, and the same in every reading."""

from __future__ import annotations

import pickle

import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.coverage.conftest import PROFILE
from weakcode import Claim, Validator
from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.explain import Outcome
from weakcode.scrub.columns.claims import columns_of

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module")
def validators(installed):
    return {engine: Validator(profile=PROFILE, packs=["coverage"], engine=engine) for engine in ("columnar", "durable")}


def _claim(codes, *lines, payer="Medicare", day="2026-05-01", **more):
    of_lines = [
        {"number": number, "procedure": procedure, "pointers": list(pointers)}
        for number, (procedure, pointers) in enumerate(lines, start=1)
    ]
    return Claim(codes, "A", lines=of_lines, payer=payer, service_date=day, **more)


def _found(validators, claim):
    found = {engine: validator.check(claim) for engine, validator in validators.items()}
    assert found["columnar"] == found["durable"]
    return found["columnar"]


def test_a_line_that_points_to_no_covered_diagnosis_is_reported_with_the_diagnosis_that_would(validators):
    (finding,) = _found(validators, _claim(["M62.84", "M62.81"], ("97110", [2])))
    assert finding.rule == "coverage/diagnosis-not-covered"
    assert (finding.severity, finding.positions, finding.codes) == ("warning", (2,), ("M62.81",))
    assert finding.message == (
        "97110 of service line 1 points to M62.81 at 2, which article A90001 (Therapy) does not name as covered for "
        "it; of the claim's other diagnoses, M62.84 at 1 would be covered."
    )
    assert str(finding.sources[0]) == (
        "CMS Medicare Coverage Database: Therapy (version 1, in force from 2024-01-01), Article A90001, "
        "ICD-10-CM codes that it covers"
    )


@pytest.mark.parametrize(
    ("claim", "rules"),
    [
        (_claim(["M62.84"], ("97110", [1])), []),
        (_claim(["I10", "M62.84"], ("97110", [1, 2])), []),
        (_claim(["M62.81"], ("97110", [1]), payer="Acme"), []),
        (_claim(["M62.81"], ("97110", [1]), payer=None), []),
        (_claim(["M62.81"], ("97110", [1]), payer="mcr-west"), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], ("97110", [1]), payer="Medicare Part B"), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], ("97110", [1]), payer="00435"), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], ("97110", [1]), payer="Other"), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], (" 97110 ", [1])), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], ("99213", [1])), []),
        (_claim(["M62.81"], (None, [1])), []),
        (_claim(["M62.81", "M62.84"], ("97110", [])), []),
        (_claim(["M62.81", "I10"], ("97110", [])), ["diagnosis-not-covered"]),
        (_claim(["M62.81"], ("97110", [2])), []),
        (_claim(["M62.81"], ("97110", [1]), day="2023-12-31"), []),
        (_claim(["R53.1"], ("G0003", [1])), ["diagnosis-excluded"]),
        (_claim(["R53.1", "I10"], ("G0003", [1, 2])), []),
        (_claim(["I10"], ("G0003", [1])), []),
        (_claim(["M62.81"], ("G0007", [1])), ["diagnosis-excluded"]),
        (_claim(["M62.81", "G72.9"], ("G0007", [1, 2])), []),
        (_claim(["I10"], ("G0007", [1])), ["diagnosis-not-covered"]),
        (_claim(["I10"], ("G0005", [1])), []),
        (_claim(["N18.30"], ("G0005", [1]), day="2025-12-31"), ["diagnosis-not-covered"]),
        (_claim(["I10"], ("G0006", [1])), []),
        (_claim(["E66.01"], ("G0004", [1])), []),
        (_claim(["E66.813", "Z68.41"], ("G0004", [1, 2])), []),
        (_claim(["E66.813", "Z68.41"], ("G0004", [1])), ["secondary-code-missing"]),
        (_claim(["M62.81"], ("97110", [1]), ("97110", [1])), ["diagnosis-not-covered"]),
        (_claim(["M62.81", "I10"], ("97110", [1]), ("97110", [2])), ["diagnosis-not-covered"] * 2),
    ],
)  # fmt: skip
def test_policies_judge_by_payer_procedure_pointers_and_day(validators, claim, rules):
    assert [one.rule.removeprefix("coverage/") for one in _found(validators, claim)] == rules


def test_a_diagnosis_of_a_group_that_words_give_to_another_procedure_is_advice_that_quotes_them(validators):
    (finding,) = _found(validators, _claim(["N18.30"], ("G0001", [1])))
    assert (finding.rule, finding.severity) == ("coverage/diagnosis-not-covered", "info")
    assert finding.message.endswith('It says: "The following support G0001:"')
    assert finding.sources[0].quote == "The following support G0001:"
    assert _found(validators, _claim(["N18.30"], ("G0002", [1]))) == ()


def test_a_second_code_that_words_ask_for_is_advice_and_says_what_would_do(validators):
    (finding,) = _found(validators, _claim(["E66.813", "Z68.41"], ("G0004", [1])))
    assert finding.severity == "info"
    assert "Z68.41 at 2 would be one" in finding.message
    assert "must be reported with a secondary diagnosis from Group 2" in finding.message


def test_a_claim_without_procedures_is_not_judged_and_not_clean(validators):
    claims = [
        Claim(["M62.81"], "A", payer="Medicare", service_date="2026-05-01"),
        _claim(["M62.81"], (None, [1])),
        _claim(["M62.84"], ("97110", [1])),
        Claim(["M62.81"], "A", payer="Acme"),
    ]
    verdicts = [validators["columnar"].judge(claim) for claim in claims]
    assert [[(one.needs, one.packs) for one in verdict.not_judged] for verdict in verdicts] == [
        [("procedures", ("coverage",))],
        [("procedures", ("coverage",))],
        [],
        [],
    ]
    (count,) = validators["columnar"].columns().scrub(columns_of(claims)).not_judged
    assert (count.needs, count.claims, count.packs) == ("procedures", 2, ("coverage",))
    assert validators["durable"].judge(claims[0]).not_judged == verdicts[0].not_judged


RULE = {
    "pack": "own",
    "title": "Own",
    "rules": [
        {"id": "own", "title": "Own", "severity": "info", "why": "w", "subject": "I10", "pointed": {"procedure": "G*"}}
    ],
}


def test_a_claim_that_rules_and_policies_could_not_judge_for_want_of_procedures_counts_once():
    validator = Validator(profile=PROFILE, packs=["coverage", RULE])
    about = {"service_date": "2026-05-01", "lines": [{"number": 1, "pointers": [1]}]}
    claims = [
        Claim(["I10"], "A", payer="Medicare", **about),
        Claim(["I10"], "B", payer="Acme", **about),
        Claim(["M62.81"], "C", payer="Medicare", **about),
        Claim(["M62.81"], "D", payer="Acme", **about),
    ]
    told = [[(one.needs, one.packs) for one in validator.judge(claim).not_judged] for claim in claims]
    assert told == [
        [("procedures", ("coverage", "own"))],
        [("procedures", ("own",))],
        [("procedures", ("coverage",))],
        [],
    ]
    (count,) = validator.columns().scrub(columns_of(claims)).not_judged
    assert (count.needs, count.claims, count.packs) == ("procedures", 3, ("coverage", "own"))


@pytest.mark.parametrize(
    "procedures", [pa.array([97110, 97110]), pa.array([" 97110", "97110"]).dictionary_encode(), pa.array([97110.0] * 2)]
)
def test_procedures_are_read_from_numbers_and_from_dictionaries(validators, procedures):
    pointers = pa.array([[1], [2]], pa.list_(pa.int32()))
    lines = pa.ListArray.from_arrays(
        [0, 1, 2], pa.StructArray.from_arrays([procedures, pointers], ["procedure", "pointers"])
    )
    claims = [Claim(["M62.81", "M62.84"], number, payer="Medicare", service_date="2026-05-01") for number in "AB"]
    batch = columns_of(claims).append_column("lines", lines)
    scrubbed = validators["columnar"].columns().scrub(batch)
    assert [(row["claim_id"], row["rule"]) for row in scrubbed.findings.to_pylist()] == [
        ("A", "coverage/diagnosis-not-covered")
    ]
    assert scrubbed.not_judged == ()


def test_ids_of_the_payer_and_the_state_say_which_policies_judge():
    two = [{"articles": "A90001", "states": "CA"}, {"articles": "A90003", "states": "NV"}]
    profile = {"name": "x", "payers": {"Medicare": {"ids": "00435", "coverage": two}}}
    validator = Validator(profile=profile, packs=["coverage"])

    def found(state, **more):
        claim = _claim(["M62.81"], ("G0007", [1]), payer="Any name", payer_id=["00435"], state=state, **more)
        verdict = validator.judge(claim)
        rows = validator.columns().scrub(columns_of([claim])).findings.to_pylist()
        assert [row["message"] for row in rows] == [one.message for one in verdict.findings]
        return [one.rule for one in verdict.findings], [one.needs for one in verdict.not_judged]

    assert found("CA") == (["coverage/diagnosis-not-covered"], [])
    assert found("NV") == (["coverage/diagnosis-excluded"], [])
    assert found("TX") == ([], [])
    assert found(None) == ([], ["state"])


def test_severities_risks_and_waivers_hold_for_policies_too():
    profile = PROFILE | {
        "rules": {"coverage/diagnosis-not-covered": "error"},
        "sources": {"own": {"title": "Remittances"}},
        "denial_risk": {"coverage/diagnosis-not-covered": {"risk": "high", "source": "own"}},
    }
    validator = Validator(profile=profile)
    (finding,) = [one for one in validator.check(_claim(["M62.81"], ("97110", [1]))) if one.rule.startswith("cov")]
    assert finding.severity == "error"
    assert finding.denial_risk is not None
    waiver = {"rule": finding.rule, "codes": "M62.81", "reason": "Appeal is won", "who": "J. Doe"}
    verdict = validator.judge(_claim(["M62.81"], ("97110", [1]), waivers=[waiver]))
    assert [one.rule for one in verdict.waived] == [finding.rule]
    off = Validator(profile=profile | {"rules": {"coverage/diagnosis-not-covered": "off"}}, packs=["coverage"])
    assert off.check(_claim(["M62.81"], ("97110", [1]))) == ()


def test_an_explanation_says_what_policies_made_of_every_line(validators):
    claim = _claim(["M62.84", "M62.81"], ("97110", [1]), ("97110", [2]), ("G0005", [1]))
    steps = validators["columnar"].explain(claim).steps
    assert [(step.outcome, step.position) for step in steps] == [
        (Outcome.SATISFIED, 1),
        (Outcome.NOT_APPLICABLE, 1),
        (Outcome.VIOLATED, 2),
    ]
    assert steps[0].reason == "article A90001 covers M62.84 at 1 for it"
    assert steps[1].reason == "article A90005 (Last year's) is not in force on 2026-05-01"


def test_a_policy_that_is_not_installed_is_reported_when_the_profile_is_loaded():
    profile = {"name": "x", "payers": {"Medicare": {"coverage": {"articles": ["A9001"]}}}}
    with pytest.raises(InputError, match="the policy A9001 is not installed"):
        Validator(profile=profile)
    profile = {"name": "x", "payers": {"Medicare": {"coverage": {"contractor": "01112"}}}}
    with pytest.raises(InputError, match="none of contractor 01112"):
        Validator(profile=profile)


def test_a_validator_travels_with_its_policies(validators, monkeypatch, tmp_path):
    sent = pickle.dumps(validators["columnar"])
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(tmp_path))
    claim = _claim(["M62.81"], ("97110", [1]))
    assert pickle.loads(sent).check(claim) == validators["columnar"].check(claim) != ()


CODES = ["M62.81", "M62.84", "G72.9", "I10", "N18.30", "E66.813", "E66.01", "Z68.41", "R53.1", "XXX", "M62.8"]
LINES = st.lists(
    st.fixed_dictionaries(
        {
            "number": st.integers(1, 3),
            "procedure": st.sampled_from(
                ["97110", "g0001", "G0002", "G0003", "G0004", "G0005", "G0006", "G0007", "99213", None, ""]
            ),
            "pointers": st.lists(st.integers(1, 5), max_size=3),
            "main_only": st.sampled_from([None, True]),
        }
    ),
    max_size=3,
)
CLAIMS = st.builds(
    Claim,
    st.lists(st.sampled_from(CODES), min_size=1, max_size=4),
    st.just("A"),
    lines=LINES,
    payer=st.sampled_from(["Medicare", "MCR1", "medicare  part b", "Other", "Acme", "Nobody", None]),
    service_date=st.sampled_from(["2023-06-01", "2025-12-31", "2026-05-01", None]),
)


@settings(max_examples=150)
@given(st.lists(CLAIMS, min_size=1, max_size=6))
def test_batches_single_claims_engines_and_explanations_agree(validators, claims):
    columnar = validators["columnar"]
    single = [columnar.check(claim) for claim in claims]
    assert [validators["durable"].check(claim) for claim in claims] == single
    batch = columns_of(claims).set_column(0, "claim_id", pa.array([str(n) for n in range(len(claims))]))
    scrubbed = columnar.columns().scrub(batch)
    rows = scrubbed.findings.to_pylist()
    told = [
        (
            str(number),
            one.rule,
            one.severity,
            one.message,
            list(one.codes),
            list(one.positions),
            list(map(str, one.sources)),
            one.confidence,
            one.title,
        )
        for number, findings in enumerate(single)
        for one in findings
    ]
    fields = ("claim_id", "rule", "severity", "message", "codes", "positions", "sources", "confidence", "title")
    assert [tuple(row[name] for name in fields) for row in rows] == told
    assert scrubbed.clean == sum(not findings for findings in single)
    for claim, findings in zip(claims, single, strict=True):
        violated = [step for step in columnar.explain(claim).steps if step.outcome is Outcome.VIOLATED]
        assert {(s.rule, s.severity, s.positions, s.reason) for s in violated} == {
            (one.rule, one.severity, one.positions, one.message) for one in findings
        }


def test_risk_shows_which_policies_cover_a_diagnosis_and_which_do_not():
    ask = ["risk", "--procedure", "G0007", "--date", "2026-05-01"]
    weak = CliRunner().invoke(main, [*ask, "M62.81"])
    assert weak.exit_code == 1
    assert "A90001 does not cover it" in weak.output
    assert "A90003 excludes it" in weak.output
    myopathy = CliRunner().invoke(main, [*ask, "g729"])
    assert myopathy.exit_code == 0
    assert "A90001 covers it" in myopathy.output
