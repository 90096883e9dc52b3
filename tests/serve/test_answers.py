"""What the server answers is what the library says, and its interface describes it."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

import weakcode
from tests.serve.running import CLAIM, FHIR, Server
from weakcode import Claim, Verdict, schemas

CLAIMS: list[dict[str, Any]] = [
    CLAIM,
    {"codes": ["I10"]},
    {"codes": "K31.84 E11.43", "age": 60},
    {"codes": [{"code": "R54", "text": "senile debility"}], "service_date": "2019-01-05"},
    {"codes": ["I10", "I10"], "waivers": [{"rule": "icd10cm/duplicate-code", "reason": "portal", "who": "A. Coder"}]},
    {"codes": ["I10"] * 200},
]


def plain(values: Any) -> Any:
    return json.loads(json.dumps(values))


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator()


@pytest.mark.parametrize("claim", CLAIMS, ids=range(len(CLAIMS)))
def test_a_check_gives_the_verdict_of_the_library(
    server: Server, validator: weakcode.Validator, claim: dict[str, Any]
) -> None:
    answer = server.ask("POST", "/v1/check", claim)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json == plain(validator.judge(claim).to_dict())
    assert Verdict.from_dict(answer.json) == validator.judge(claim)
    jsonschema.validate(answer.json, schemas.schema("verdict"))


def test_many_claims_get_a_verdict_a_line_in_their_order(server: Server, validator: weakcode.Validator) -> None:
    claims = [{**claim, "id": f"N{number}"} for number, claim in enumerate(CLAIMS * 20)]
    body = "\n".join(map(json.dumps, claims)).encode()
    answer = server.ask("POST", "/v1/check-many", body, {"content-type": "application/x-ndjson"})
    lines = [json.loads(line) for line in answer.body.splitlines()]
    assert [line["claim_id"] for line in lines] == [claim["id"] for claim in claims]
    first = {key: value for key, value in lines[0].items() if key != "claim_id"}
    assert first == plain(validator.judge(claims[0]).to_dict())


def test_a_line_that_is_not_a_claim_has_its_error_in_its_place(server: Server) -> None:
    lines = [
        b'{"codes": ["I10"]}',
        b"{",
        b'{"codes": ["I10"], "age": "SECRET"}',
        b"x" * 1_100_000,
        b"",
        b'{"codes": "I10"}',
    ]
    answer = server.ask("POST", "/v1/check-many", b"\n".join(lines), {"content-type": "application/x-ndjson"})
    got = [json.loads(line) for line in answer.body.splitlines()]
    assert [one.get("line") for one in got] == [None, 2, 3, 4, None]
    assert [("error" in one) for one in got] == [False, True, True, True, False]
    assert b"SECRET" not in answer.body


def test_a_mended_claim_and_an_explanation_are_those_of_the_library(
    server: Server, validator: weakcode.Validator
) -> None:
    claim = {"codes": ["K31.84", "E11.43", "I10", "I10"]}
    fixed = server.ask("POST", "/v1/fix", claim).json
    here = validator.fix(claim)
    assert Claim.from_dict(fixed["claim"]) == here.claim
    assert [one["description"] for one in fixed["applied"]] == [one.description for one in here.applied]
    assert fixed["remaining"] == [plain(finding.to_dict()) for finding in here.remaining]
    explained = server.ask("POST", "/v1/explain", claim).json
    assert explained["explanation"] == plain(validator.explain(claim).to_dict())
    assert server.ask("POST", "/v1/fix?unsafe=maybe", claim).status == 400


def test_codes_are_looked_up_and_found(server: Server) -> None:
    info = server.ask("GET", "/v1/codes/m6284").json
    assert info == plain(weakcode.lookup("M62.84").to_dict())
    found = server.ask("GET", "/v1/codes?q=senile%20debility&limit=2").json
    assert [hit["code"] for hit in found["hits"]] == [hit.code for hit in weakcode.search("senile debility", 2)]
    for path, status in [
        ("/v1/codes/QQQ", 404),
        ("/v1/codes/I10?date=yesterday", 400),
        ("/v1/codes", 400),
        ("/v1/codes?q=", 400),
        ("/v1/codes?q=x&limit=0", 400),
        ("/v1/codes?q=x&limit=9999999999999999999999", 400),
        (f"/v1/codes?q={'x' * 300}", 400),
    ]:
        assert server.ask("GET", path).status == status, path


def test_rules_are_listed_and_shown(server: Server, validator: weakcode.Validator) -> None:
    rules = server.ask("GET", "/v1/rules").json["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in validator.rules]
    shown = server.ask("GET", "/v1/rules/weakness/excludes1-frailty").json
    here = next(rule for rule in validator.rules if rule.id == "weakness/excludes1-frailty")
    assert shown == {"version": 1, **plain(here.to_dict())}
    missing = server.ask("GET", "/v1/rules/weakness/excludes1-fraility")
    assert missing.status == 404
    assert 'did you mean "weakness/excludes1-frailty"' in missing.json["detail"]


def test_fhir_gets_an_operation_outcome_that_points_to_the_diagnosis(server: Server) -> None:
    headers = {"content-type": "application/fhir+json"}
    for kind in ("Claim", "ExplanationOfBenefit"):
        resource = {**FHIR, "resourceType": kind}
        for body in (
            resource,
            {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": resource}]},
        ):
            answer = server.ask("POST", f"/fhir/{kind}/$validate", body, headers)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/fhir+json")
            assert answer.json["resourceType"] == "OperationOutcome"
            first = answer.json["issue"][0]
            assert first["expression"] == [f"{kind}.diagnosis[0]"]
            assert first["details"]["coding"][0]["code"] == "weakness/sarcopenia-underlying-disease-first"
    broken = {**FHIR, "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"text": "SECRET"}}]}
    answer = server.ask("POST", "/fhir/Claim/$validate", broken, headers)
    assert (answer.status, answer.json["issue"][0]["severity"]) == (200, "error")
    assert b"SECRET" not in answer.body
    for wrong in (
        {"resourceType": "Patient"},
        {"resourceType": "ExplanationOfBenefit"},
        {"resourceType": "Parameters"},
    ):
        assert server.ask("POST", "/fhir/Claim/$validate", wrong, headers).status == 422


def test_an_837_gets_the_verdicts_on_its_claims(server: Server, validator: weakcode.Validator) -> None:
    from weakcode.serve.openapi import X12_EXAMPLE

    answer = server.ask("POST", "/x12", X12_EXAMPLE, {"content-type": "application/edi-x12"})
    assert answer.status == 200
    got = answer.json
    assert (got["claims_in"], got["evaluated"], got["rejected"]) == (1, 1, 0)
    (claim,) = got["claims"]
    assert (claim["claim_id"], claim["codes"]) == ("A1", ["M62.84", "I10"])
    assert "weakness/sarcopenia-underlying-disease-first" in [finding["rule"] for finding in claim["findings"]]
    refused = server.ask("POST", "/x12", b"no interchange", {"content-type": "application/edi-x12"})
    assert refused.status == 422


def test_the_interface_is_described_and_its_examples_work(server: Server) -> None:
    document = server.ask("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    components = document["components"]["schemas"]
    tried = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            known = {200, *map(int, operation["responses"])}
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                answer = server.ask(method.upper(), path, content["example"], {"content-type": kind})
                assert answer.status == 200, (path, answer.body)
                told = operation["responses"]["200"]["content"]
                assert answer.headers["content-type"].partition(";")[0] in told
                schema = next(iter(told.values()))["schema"]
                if "application/json" in told:
                    jsonschema.validate(answer.json, {**schema, "components": {"schemas": components}})
                refused = server.ask(method.upper(), path, b"{", {"content-type": "text/html"})
                assert refused.status in known, path
                tried += 1
    assert tried >= 7
    unknown = [path for path in document["paths"] if "{" not in path and server.ask("OPTIONS", path).status == 404]
    assert not unknown
    assert json.dumps(document).count("$defs") == 0


def test_the_interface_is_a_valid_openapi_document(server: Server) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    validator.validate(server.ask("GET", "/openapi.json").json)


def test_every_path_that_is_read_answers_as_it_is_described(server: Server) -> None:
    document = server.ask("GET", "/openapi.json").json
    named = {"code": "M62.84", "pack": "icd10cm", "rule": "excludes1"}
    read = [(path, methods["get"]) for path, methods in document["paths"].items() if "get" in methods]
    assert len(read) >= 8
    for path, operation in read:
        asked = [one for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")]
        query = "&".join(f"{one['name']}={one['example'].replace(' ', '+')}" for one in asked)
        answer = server.ask("GET", f"{path.format(**named)}?{query}" if query else path.format(**named))
        assert answer.status == 200, path
        told = operation["responses"]["200"]["content"]
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in told, path
        if kind == "application/json":
            schema = told[kind]["schema"]
            jsonschema.validate(answer.json, {**schema, "components": document["components"]})


def test_what_is_wrong_is_a_problem_in_the_words_of_the_command_line(server: Server) -> None:
    for claim, status, detail in [
        ({"codes": []}, 422, "the claim has no diagnosis codes; give at least one"),
        (
            {"codes": ["I10"], "service_date": "2026-13-01"},
            422,
            "the service date is not a date; write it as YYYY-MM-DD",
        ),
        ({"codes": ["U07.1"], "documented": ["covid-curent"]}, 422, 'did you mean "covid-current"'),
        ({"codes": ["I10"] * 1001}, 422, "at most 1000"),
        ([], 422, "no object"),
    ]:
        answer = server.ask("POST", "/v1/check", claim)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json["status"] == status
        assert detail in answer.json["detail"]
    assert server.ask("POST", "/v1/explain", {"codes": ["I10"] * 201}).status == 422
    assert server.ask("GET", "/v1/check").status == 405
    assert server.ask("GET", "/v2/check").json["detail"].startswith("there is nothing at this path")
    assert server.ask("POST", "/v1/check", "<x/>", {"content-type": "text/xml"}).status == 415


def test_health_readiness_and_counts_are_reported(server: Server) -> None:
    assert server.ask("GET", "/healthz").json == {"status": "ok"}
    assert server.ask("GET", "/readyz").json["status"] == "ready"

    def claims() -> float:
        text = server.ask("GET", "/metrics").body.decode()
        (line,) = [line for line in text.splitlines() if line.startswith('weakcode_claims_total{outcome="evaluated"}')]
        return float(line.split()[-1])

    before = claims()
    server.ask("POST", "/v1/check", CLAIM)
    assert claims() == before + 1
    text = server.ask("GET", "/metrics").body.decode()
    assert 'weakcode_requests_total{route="/v1/check",status="2xx"}' in text
    assert "M62.84" not in text
    assert "HID-77" not in text


def test_the_page_is_there_and_may_load_nothing_from_elsewhere(server: Server) -> None:
    page = server.ask("GET", "/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert server.ask("GET", "/page/index.html").headers["content-security-policy"].startswith("default-src 'none'")
