"""How sure a rule is, apart from how bad what it finds is."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from weakcode import Claim, Validator
from weakcode.errors import RuleFileError
from weakcode.findings import CONFIDENCES

OWN = {
    "pack": "own",
    "title": "One rule of each confidence",
    "rules": [
        {"id": "sure", "title": "x", "severity": "error", "confidence": "certain", "forbid": "M62.81"},
        {"id": "likely", "title": "x", "severity": "error", "forbid": "M62.81"},
        {"id": "record", "title": "x", "severity": "warning", "confidence": "record", "forbid": "M62.81"},
    ],
}
WEAK = Claim(["M62.81"], payer="Acme Health")


def found(**profile: Any) -> dict[str, str]:
    validator = Validator(packs=[OWN], profile={"name": "test", **profile})
    return {finding.rule.removeprefix("own/"): str(finding.severity) for finding in validator.check(WEAK)}


def test_a_bundled_rule_that_depends_on_the_record_is_never_an_error() -> None:
    rules = Validator().rules
    assert {rule.confidence for rule in rules} == set(CONFIDENCES)
    assert [rule.id for rule in rules if rule.confidence == "record" and rule.severity == "error"] == []


def test_a_rule_file_cannot_make_an_error_of_what_depends_on_the_record() -> None:
    rule = {"id": "x", "title": "x", "severity": "error", "confidence": "record", "forbid": "M62.81"}
    with pytest.raises(RuleFileError, match=r"is never an error; make it a warning"):
        Validator(packs=[{"pack": "own", "title": "x", "rules": [rule]}]).check(WEAK)


def test_a_rule_that_does_not_say_is_likely() -> None:
    findings = Validator(packs=[OWN]).check(WEAK)
    assert [finding.confidence for finding in findings] == ["likely", "record", "certain"]


def test_a_finding_says_its_confidence_for_one_claim_and_in_columns() -> None:
    validator = Validator(packs=[OWN])
    (batch,) = validator.scrub(pa.table({"claim_id": ["A"], "codes": ["M62.81"]}))
    assert batch.column("confidence").to_pylist() == [one.confidence for one in validator.check(WEAK)]
    names = batch.schema.names
    assert names[names.index("severity") + 1] == "confidence"
    assert all(one.to_dict()["confidence"] == one.confidence for one in validator.check(WEAK))


def test_a_profile_limits_severity_by_confidence() -> None:
    assert found(confidence={"record": "info", "likely": "off"}) == {"sure": "error", "record": "info"}


def test_a_limit_raises_nothing() -> None:
    assert found(confidence={"record": "error"})["record"] == "warning"


def test_a_rule_that_a_profile_names_is_as_it_is_named() -> None:
    assert found(confidence={"likely": "off"}, rules={"own/likely": "warning"})["likely"] == "warning"


def test_a_payers_limit_goes_before_that_for_all() -> None:
    payers = {"Acme Health": {"confidence": {"record": "warning"}}}
    assert found(confidence={"record": "off", "certain": "info"}, payers=payers) == {
        "sure": "info",
        "likely": "error",
        "record": "warning",
    }


def test_limits_of_an_extended_profile_hold_where_the_nearer_says_nothing(tmp_path: Any) -> None:
    (tmp_path / "far.yaml").write_text("name: far\nconfidence: {record: info, certain: warning}\n")
    (tmp_path / "near.yaml").write_text("name: near\nextends: far\nconfidence: {record: off}\n")
    validator = Validator(packs=[OWN], profile=tmp_path / "near.yaml")
    assert {one.rule: str(one.severity) for one in validator.check(WEAK)} == {
        "own/sure": "warning",
        "own/likely": "error",
    }


@pytest.mark.parametrize("where", ["all", "payer"])
def test_a_profile_cannot_make_an_error_of_what_depends_on_the_record(where: str) -> None:
    rules = {"own/record": "error"}
    said = {"rules": rules} if where == "all" else {"payers": {"Acme Health": {"rules": rules}}}
    with pytest.raises(RuleFileError, match=r'"own/record" depends on what the record says and is never an error'):
        found(**said)
