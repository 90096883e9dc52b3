"""Claims, findings and verdicts as objects of JSON: out, in again, and as their shipped schemas say."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weakcode
from weakcode import Claim, Finding, InputError, Severity, Validator, Verdict, schemas

CLAIM = {
    "claim_id": "A1",
    "codes": ["M62.84", {"code": "I10", "text": "high pressure"}, "I10"],
    "age": 78,
    "sex": "F",
    "service_date": "2026-03-02",
    "lines": [{"number": 1, "pointers": [1]}],
    "waivers": [{"rule": "icd10cm/duplicate-code", "reason": "the portal adds it", "who": "A. Coder"}],
}


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


def through_json(values: Any) -> Any:
    return json.loads(json.dumps(values))


def test_a_verdict_is_the_same_after_json(validator: Validator) -> None:
    for claim in (CLAIM, ["M62.84"], {"codes": ["I10"], "service_date": "2018-03-02"}, "A41.9"):
        verdict = validator.judge(claim)
        assert Verdict.from_dict(through_json(verdict.to_dict())) == verdict
        for finding in (*verdict.findings, *verdict.waived):
            assert Finding.from_dict(through_json(finding.to_dict())) == finding


CODES = st.sampled_from(
    ["M62.84", "I10", "R54", "E11.22", "N18.4", "U07.1", "J12.82", "S72.001A", "Z99", "K31.84", "E11.43"]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(CODES, min_size=1, max_size=8), st.sampled_from([None, "2016-01-05", "2026-05-01"]))
def test_whatever_is_found_fits_the_shipped_schemas(codes: list[str], day: str | None) -> None:
    claim = Claim(codes, id="A", service_date=day)
    verdict = weakcode.Validator().judge(claim)
    jsonschema.validate(through_json(claim.to_dict()), schemas.schema("claim"))
    jsonschema.validate(through_json(verdict.to_dict()), schemas.schema("verdict"))
    for finding in verdict.findings:
        jsonschema.validate(through_json(finding.to_dict()), schemas.schema("finding"))


def test_a_verdict_with_everything_fits_its_schema(validator: Validator) -> None:
    verdict = validator.judge(CLAIM)
    assert verdict.waived
    assert verdict.unmatched == ()
    jsonschema.validate(through_json(verdict.to_dict()), schemas.schema("verdict"))
    jsonschema.validate(through_json(Claim.of(CLAIM).to_dict()), schemas.schema("claim"))


@pytest.mark.parametrize("name", schemas.NAMES)
def test_the_shipped_schema_follows_from_the_classes(name: str) -> None:
    assert schemas.schema(name) == schemas.schema_of(name), "run: python -m weakcode.schemas"
    jsonschema.Draft202012Validator.check_schema(schemas.schema(name))
    assert schemas.schema(name)["properties"]["version"] == {"const": 1}


@pytest.mark.parametrize(
    "claim",
    [{}, {"codes": []}, {"codes": ["I10"], "agee": 3}, {"codes": ["I10"], "sex": "?!"}, {"codes": [{"text": "x"}]}],
)
def test_the_schema_refuses_what_a_claim_refuses(claim: dict[str, Any]) -> None:
    with pytest.raises(weakcode.WeakcodeError):
        Claim.from_dict(claim)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(claim, schemas.schema("claim"))


def test_keys_of_later_versions_are_skipped_and_other_forms_are_refused(validator: Validator) -> None:
    values = validator.judge(["I10", "I10"]).to_dict()
    assert Verdict.from_dict({**values, "later": 1}) == validator.judge(["I10", "I10"])
    for wrong, said in [
        ({**values, "version": 2}, "version"),
        ({**values, "findings": [{"rule": 7}]}, r"verdict\.findings\[0\]\.rule is text, found a number"),
        ({**values, "findings": None}, "findings is a list, found nothing"),
        ({"edition": "x"}, "verdict has no findings"),
        ([], "verdict is an object, found a list"),
    ]:
        with pytest.raises(InputError, match=said):
            Verdict.from_dict(wrong)  # type: ignore[arg-type]


def test_a_claim_of_another_version_is_refused() -> None:
    assert Claim.from_dict({"codes": ["I10"], "version": 1}).codes == ("I10",)
    for version in (2, 0, "1", True):
        with pytest.raises(InputError, match="version"):
            Claim.from_dict({"codes": ["I10"], "version": version})


def test_a_validator_takes_a_claim_its_codes_or_an_object(validator: Validator) -> None:
    claim = Claim(["K31.84", "E11.43"], age=50)
    ways: list[Any] = [claim, {"codes": ["K31.84", "E11.43"], "age": 50}]
    for one in ways:
        assert validator.check(one) == validator.check(claim)
        assert validator.judge(one) == validator.judge(claim)
        assert validator.fix(one) == validator.fix(claim)
        assert validator.explain(one) == validator.explain(claim)
    assert validator.check(["K31.84", "E11.43"]) == validator.check("K31.84, E11.43")
    with pytest.raises(InputError, match="has a field that is not known"):
        validator.check({"codes": ["I10"], "aeg": 3})
    with pytest.raises(InputError, match='did you mean "service_date"'):
        validator.check({"codes": ["I10"], "date": "2026-11-29"})
    with pytest.raises(weakcode.CodeTypeError):
        validator.judge(7)  # type: ignore[arg-type]


def test_a_severity_compares_with_text_on_either_side() -> None:
    assert Severity.ERROR == "error"
    word, other = "error", "warning"
    assert word == Severity.ERROR
    assert Severity.ERROR > "warning" > Severity.INFO
    assert "info" < Severity.WARNING <= "warning"
    assert other >= Severity.INFO
    assert sorted(["error", Severity.INFO, "warning"], key=Severity.parse) == ["info", "warning", "error"]
    assert max(Severity) is Severity.ERROR
    assert {"error": 1}[Severity.ERROR] == 1
    assert json.dumps(Severity.ERROR) == '"error"'
    with pytest.raises(ValueError, match='"fatal" is not a severity'):
        assert Severity.ERROR > "fatal"


def test_a_verdict_in_a_notebook_is_a_table_of_escaped_text(validator: Validator) -> None:
    verdict = validator.judge(["K31.84", "E11.43"])
    hostile = attrs.evolve(verdict.findings[0], message="<script>alert(1)</script>\u202e")
    html = attrs.evolve(verdict, findings=(hostile,))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;U+202E&gt;" in html
    assert "No findings" in validator.judge(["I10"])._repr_html_()
    assert re.search(r"<td>K31.84 at 1</td>", validator.explain(["K31.84", "E11.43"])._repr_html_())


def test_a_rule_tells_why_on_whose_word_and_shows_examples(validator: Validator) -> None:
    rules = {rule.id: rule for rule in validator.rules}
    rule = rules["weakness/sarcopenia-underlying-disease-first"]
    assert rule.why
    assert rule.sources
    failing = [case.claim for case in rule.examples if case.fails]
    assert failing
    assert all(rule.id in [finding.rule for finding in validator.check(claim)] for claim in failing)
    values = through_json(rule.to_dict())
    assert {example["shows"] for example in values["examples"]} == {"pass", "fail"}
    assert all(Claim.from_dict(example["claim"]) for example in values["examples"])


def test_a_code_is_looked_up_and_found_by_words() -> None:
    info = weakcode.lookup("m6284", "2026-03-02")
    assert (info.code, info.title, info.billable) == ("M62.84", "Sarcopenia", True)
    assert "weakness/sarcopenia-underlying-disease-first" in [one.rule for one in info.rules]
    jsonschema.validate(through_json(info.to_dict()), schemas.schema("code"))
    assert weakcode.lookup("S72.00").below or weakcode.lookup("S72.00").seventh_characters
    hits = weakcode.search("senile debility", limit=3)
    assert hits[0].code == "R54"
    assert len(hits) <= 3
    with pytest.raises(InputError, match="is not in ICD-10-CM"):
        weakcode.lookup("Q00.Z")
    for wrong in ("", "  "):
        with pytest.raises(InputError, match="no text to find"):
            weakcode.search(wrong)
    with pytest.raises(InputError, match="limit"):
        weakcode.search("debility", limit=0)
