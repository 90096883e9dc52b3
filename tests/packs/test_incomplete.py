"""That a code lacks characters is one finding, and no other is built on it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from weakcode import Claim, Validator

CLAIMS = ("Z51.11 C50", "N18.3 D63.1", "I63 R29.705", "A41 R65.20 N17.9", "M80.08 I10", "I10 D63.1 N18.3")
VALIDATOR = Validator()


def rules(codes: str, **more: object) -> list[str]:
    return [one.rule for one in VALIDATOR.check(Claim(codes.split(), service_date="2026-05-01", **more))]


@pytest.mark.parametrize("codes", ["Z51.11 C50", "N18.3 D63.1", "I63 R29.705", "A41 R65.20 N17.9"])
def test_a_category_stands_for_what_a_rule_requires(codes: str) -> None:
    assert rules(codes) == ["icd10cm/not-billable"]


def test_it_must_stand_where_the_rule_wants_it() -> None:
    assert "icd10cm/code-first-missing" in rules("I10 D63.1 N18.3")


def test_a_category_of_which_only_some_codes_are_asked_for_is_not_enough() -> None:
    assert "weakness/sarcopenia-underlying-disease-first" in rules("G7 M62.84")
    assert "icd10cm/code-first-missing" in rules("N1 D63.1")


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_single_claims_and_batches_agree(engine: str) -> None:
    validator = Validator(engine=engine)
    batch = pa.table({"claim_id": list(map(str, range(len(CLAIMS)))), "codes": [one.split() for one in CLAIMS]})
    batch = batch.append_column("service_date", pa.array(["2026-05-01"] * len(CLAIMS)))
    found = [row for part in validator.scrub(batch) for row in part.to_pylist()]
    in_columns = [(row["claim_id"], row["rule"]) for row in found]
    single = [
        (str(number), one.rule)
        for number, codes in enumerate(CLAIMS)
        for one in validator.check(Claim(codes.split(), service_date="2026-05-01"))
    ]
    assert in_columns == single


def test_an_explanation_says_what_stands_for_the_requirement() -> None:
    claim = Claim(["N18.3", "D63.1"], service_date="2026-05-01")
    reasons = [step.reason for step in VALIDATOR.explain(claim).steps if step.rule == "icd10cm/code-first-missing"]
    assert any("stands for it" in reason for reason in reasons)
