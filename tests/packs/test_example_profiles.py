"""The example profiles: what each says of the example claims, with and without it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

import weakcode
from weakcode.checking import run_examples

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "profiles"


@cache
def validator(profile: str | None) -> weakcode.Validator:
    chosen = None if profile is None else FOLDER / f"{profile}.yaml"
    return weakcode.Validator(profile=chosen, engine="columnar", today="2026-06-01")


def verdict(profile: str | None, claim_id: str) -> weakcode.Verdict:
    (claim,) = [claim for claim in weakcode.read_claims(FOLDER / "claims.jsonl") if claim.id == claim_id]
    return validator(profile).judge(claim)


@pytest.mark.parametrize(
    ("profile", "claim_id", "rule", "without", "with_it", "risk"),
    [
        ("anthem", "PR-01", "icd10cm/excludes1", "error", "error", "high"),
        ("anthem", "PR-03", "icd10cm/unspecified-side", "warning", "error", "high"),
        ("anthem", "PR-04", "icd10cm/unspecified-side", "warning", "warning", None),
        ("independence", "PR-05", "independence/sequela-code-first", None, "error", "medium"),
        ("independence", "PR-06", "guidelines/genetic-susceptibility-first", "warning", "warning", "medium"),
        ("emblemhealth", "PR-08", "icd10cm/excludes1", "error", "error", "high"),
        ("unitedhealthcare-medicare-advantage", "PR-09", "icd10cm/excludes1", "error", "error", "high"),
        ("medicare-chiropractic", "PR-10", "medicare-chiropractic/level-of-subluxation", None, "error", "high"),
        ("medicare-post-covid", "PR-11", "medicare-post-covid/what-remains-on-the-line", None, "warning", "medium"),
        ("medicare-post-covid", "PR-12", "covid/post-covid-secondary-only", "error", "error", "medium"),
        ("independence", "PR-07", "guidelines/examination-not-first", "warning", "warning", "medium"),
    ],
)
def test_an_example_profile_changes_what_its_payer_says_and_nothing_for_others(
    profile, claim_id, rule, without, with_it, risk
):
    plain = {finding.rule: finding.severity for finding in verdict(None, claim_id).findings}
    found = {finding.rule: finding for finding in verdict(profile, claim_id).findings}
    assert plain.get(rule) == without
    assert found[rule].severity == with_it
    assert (found[rule].denial_risk and found[rule].denial_risk.level) == risk
    if risk:
        assert found[rule].denial_risk.source.title.startswith(
            (
                "Anthem Blue Cross",
                "Independence Blue Cross",
                "EmblemHealth",
                "UnitedHealthcare",
                "Centers for Medicare",
                "Noridian",
                "HealthKeepers",
            )
        )


def test_the_example_waiver_of_an_excludes1_pair_says_that_the_conditions_are_unrelated():
    judged = verdict("anthem", "PR-02")
    assert judged.findings == ()
    (waived,) = judged.waived
    assert (waived.rule, waived.codes) == ("icd10cm/excludes1", ("M54.2", "M50.20"))
    assert waived.waiver.reason.startswith("unrelated")


def test_the_rules_of_the_example_profile_keep_their_word():
    outcomes = run_examples(sorted(FOLDER.glob("*-rules.yaml")))
    assert outcomes
    assert all(outcome.ok for outcome in outcomes)
