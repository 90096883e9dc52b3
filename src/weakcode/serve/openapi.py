"""The interface as an OpenAPI 3.1 document: made from the routes, the shipped schemas and one worked example."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from weakcode import schemas
from weakcode._version import __version__
from weakcode.base import objects

EXAMPLE = {
    "id": "A1",
    "codes": ["M62.84", "I10", "R54"],
    "age": 78,
    "sex": "F",
    "service_date": "2026-05-01",
}
"""An invented claim."""
FHIR_EXAMPLE = {
    "resourceType": "Claim",
    "status": "active",
    "use": "claim",
    "billablePeriod": {"start": "2026-05-01"},
    "diagnosis": [
        {
            "sequence": 1,
            "diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M62.84"}]},
        }
    ],
}
X12_EXAMPLE = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260501*1200*^*00501*000000001*0*P*:~"
    "GS*HC*SENDER*RECEIVER*20260501*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~BHT*0019*00*1*20260501*1200*CH~"
    "HL*1**20*1~HL*2*1*22*0~SBR*P*18*******MB~CLM*A1*100***11:B:1*Y*A*Y*Y~HI*ABK:M6284*ABF:I10~LX*1~"
    "SV1*HC:99213*100*UN*1***1:2~DTP*472*D8*20260501~SE*11*0001~GE*1*1~IEA*1*000000001~"
)
_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence. It repeats no value of a claim."},
    },
    "required": ["type", "title", "status", "detail"],
}
_PROFILE = {
    "name": "profile",
    "in": "query",
    "description": "The name of a profile of this server; without it the usual rules judge.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"},
}
_DATE = {
    "name": "date",
    "in": "query",
    "description": "The day whose codes are asked for, YYYY-MM-DD; today where it is left out.",
    "schema": {"type": "string", "format": "date"},
}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(kind: str, schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    return {kind: {"schema": schema} if example is None else {"schema": schema, "example": example}}


def _operation(
    summary: str,
    answer: dict[str, Any],
    body: dict[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    wrong: tuple[int, ...] = (401, 503),
) -> dict[str, Any]:
    refused = {
        str(status): {"description": "Refused.", "content": _content("application/problem+json", _ref("problem"))}
        for status in wrong
    }
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {"200": {"description": "The answer.", "content": answer}, **refused},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    if parameters:
        operation["parameters"] = parameters
    return operation


_OF_CLAIMS = (400, 401, 404, 408, 413, 415, 422, 503)
_ANY: dict[str, Any] = {"type": "object"}


def _path(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "description": pattern}


def _claim_paths() -> dict[str, Any]:
    claim = _content("application/json", _ref("claim"), EXAMPLE)
    verdict = _content("application/json", _ref("verdict"))
    unsafe = {"name": "unsafe", "in": "query", "schema": {"type": "boolean"}, "description": "Also apply proposals."}
    return {
        "/v1/check": _operation("Judge a claim.", verdict, claim, [_PROFILE], _OF_CLAIMS),
        "/v1/check-many": _operation(
            "Judge claims, one as JSON a line; a verdict a line comes back in their order, while they are sent. "
            "In the place of a line that is not a claim stands an object with `line` and `error`.",
            _content("application/x-ndjson", {"type": "string"}),
            _content("application/x-ndjson", {"type": "string"}, '{"id": "A1", "codes": ["I10"]}\n'),
            [_PROFILE],
            (401, 404, 415, 503),
        ),
        "/v1/fix": _operation(
            "Mend a claim where that is safe.",
            _content("application/json", _ANY),
            claim,
            [_PROFILE, unsafe],
            _OF_CLAIMS,
        ),
        "/v1/explain": _operation(
            "Say what became of every edit about a claim.", verdict, claim, [_PROFILE], _OF_CLAIMS
        ),
    }


def _standard_paths() -> dict[str, Any]:
    outcome = _content("application/fhir+json", _ANY)
    resource = _content("application/fhir+json", _ANY, FHIR_EXAMPLE)
    benefit = {**FHIR_EXAMPLE, "resourceType": "ExplanationOfBenefit"}
    interchange = _content("application/edi-x12", {"type": "string"}, X12_EXAMPLE)
    return {
        "/fhir/Claim/$validate": _operation(
            "Judge a Claim of FHIR R4; the answer is an OperationOutcome.", outcome, resource, [_PROFILE], _OF_CLAIMS
        ),
        "/fhir/ExplanationOfBenefit/$validate": _operation(
            "Judge an ExplanationOfBenefit of FHIR R4; the answer is an OperationOutcome.",
            outcome,
            _content("application/fhir+json", _ANY, benefit),
            [_PROFILE],
            _OF_CLAIMS,
        ),
        "/x12": _operation(
            "Judge the claims of an X12 837.", _content("application/json", _ANY), interchange, [_PROFILE], _OF_CLAIMS
        ),
    }


def _reference_paths() -> dict[str, Any]:
    anything = _content("application/json", _ANY)
    words = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}, "example": "senile debility"}
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10}}
    rule = [_path("pack", "such as icd10cm"), _path("rule", "such as excludes1"), _PROFILE]
    return {
        "/v1/codes": _operation("Find codes by words.", anything, None, [words, limit, _DATE], (400, 401, 503)),
        "/v1/codes/{code}": _operation(
            "Look a code up.",
            _content("application/json", _ref("code")),
            None,
            [_path("code", "such as M62.84"), _DATE],
            (400, 401, 404, 503),
        ),
        "/v1/rules": _operation("List the rules.", anything, None, [_PROFILE], (401, 404, 503)),
        "/v1/rules/{pack}/{rule}": _operation("Show a rule.", anything, None, rule, (401, 404, 503)),
        "/openapi.json": _operation("This document.", anything),
        "/healthz": _operation("The process answers.", anything, wrong=()),
        "/readyz": _operation("Rules and engine are ready.", anything, wrong=()),
        "/metrics": _operation("Counts for Prometheus.", _content("text/plain", {"type": "string"})),
    }


def _pasted() -> dict[str, Any]:
    """Return the operation that takes codes out of a text."""
    text = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    return _operation(
        "Take the diagnosis codes out of a text such as a superbill; `left_out` is what looks like a code and is none.",
        _content("application/json", _ANY),
        _content("application/json", text, {"text": "Dx: I10; E11.65 / m6281  CPT 99213 J1100"}),
        [_DATE],
        (400, 401, 413, 415, 422, 503),
    )


def _component(name: str) -> dict[str, Any]:
    """Return a shipped schema for the components: its own definitions become components of the same names."""
    schema = schemas.schema(name)
    return {key: value for key, value in schema.items() if key not in ("$schema", "$defs")}


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the document."""
    definitions: dict[str, Any] = {}
    for name in ("claim", "code", "finding", "verdict"):
        for inner, schema in schemas.schema(name)["$defs"].items():
            # A claim's waiver and diagnosis have fewer keys than those of a finding.
            definitions[f"{name}{inner}"] = _pointing(schema, name)
    components = {
        **{name: _pointing(_component(name), name) for name in ("claim", "code", "finding", "verdict")},
        **definitions,
        "problem": _PROBLEM,
    }
    paths: dict[str, dict[str, Any]] = {}
    posts = _claim_paths() | _standard_paths() | {"/v1/codes": _pasted()}
    for method, operations in (("post", posts), ("get", _reference_paths())):
        for path, operation in operations.items():
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": objects.DIALECT,
        "info": {
            "title": "weakcode",
            "version": __version__,
            "description": "Judges the ICD-10-CM codes of claims. Objects say the `version` of their form, and only "
            "ever gain keys.",
        },
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _pointing(schema: Any, owner: str) -> Any:
    """Return the schema with references into its own definitions leading to the components."""
    if isinstance(schema, dict):
        return {
            key: f"#/components/schemas/{owner}{value.removeprefix('#/$defs/')}"
            if key == "$ref"
            else _pointing(value, owner)
            for key, value in schema.items()
        }
    return [_pointing(item, owner) for item in schema] if isinstance(schema, list) else schema
