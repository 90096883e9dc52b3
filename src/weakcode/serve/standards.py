"""Routes that speak the standards: FHIR's $validate with an OperationOutcome, and X12's 837."""

from __future__ import annotations

import io
import json
from typing import Any

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from weakcode._version import __version__
from weakcode.base import objects
from weakcode.errors import WeakcodeError
from weakcode.findings import in_order
from weakcode.notices import judgement
from weakcode.scrub.judge.rows import evaluate
from weakcode.scrub.read.fhir.source import FhirSource
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.read.x12.source import X12Source
from weakcode.scrub.write.outcome import operation_outcome
from weakcode.serve.claims import json_response
from weakcode.serve.problems import ProblemError
from weakcode.serve.requests import Service, check_type, refused
from weakcode.validator import Validator

FHIR = "application/fhir+json"
_BODY = "body"
_LONGEST_FHIR = 4 << 20


@attrs.frozen
class StandardRoutes:
    """The routes of one service."""

    service: Service

    async def claim(self, request: Request) -> Response:
        """POST /fhir/Claim/$validate."""
        return await self._validate(request, "Claim")

    async def benefit(self, request: Request) -> Response:
        """POST /fhir/ExplanationOfBenefit/$validate."""
        return await self._validate(request, "ExplanationOfBenefit")

    async def _validate(self, request: Request, kind: str) -> Response:
        """Answer with an OperationOutcome: findings as issues whose expressions point to the diagnosis.

        The resource is the body, or the parameter `resource` of a Parameters resource. One that cannot be read as a
        claim is an issue too, with status 200, as the operation says; what is no such resource is refused with 422.
        """
        check_type(request, FHIR, "application/json")
        validator = await self.service.validator(request, "mode")
        body = await self.service.body(request, _LONGEST_FHIR)
        resource = _parameter(self.service.json(body))
        if resource.get("resourceType") != kind:
            raise ProblemError(
                422, f"the body is no {kind} of FHIR, nor a Parameters resource with one as its resource"
            )
        outcome, claims = await self.service.in_thread(lambda: _outcome(resource, validator))
        for severities in claims:
            self.service.metrics.claim(severities)
        if not claims:
            self.service.metrics.rejected()
        return Response(outcome, media_type=FHIR)

    async def x12(self, request: Request) -> Response:
        """POST /x12: an 837 in; out, the verdict on each of its claims with its place, and what was rejected."""
        check_type(request, "application/edi-x12", "application/octet-stream", "text/plain", "application/x12")
        validator = await self.service.validator(request)
        body = await self.service.body(request, self.service.settings.max_body)
        try:
            answer, claims, rejected = await self.service.in_thread(lambda: _interchange(body, validator))
        except WeakcodeError as error:
            raise refused(error) from None
        for severities in claims:
            self.service.metrics.claim(severities)
        for _ in range(rejected):
            self.service.metrics.rejected()
        return json_response(answer)


def _parameter(values: dict[str, Any]) -> dict[str, Any]:
    """Return the resource of a Parameters resource, or what was given where it is none."""
    if values.get("resourceType") != "Parameters":
        return values
    parts = values.get("parameter")
    for part in parts if isinstance(parts, list) else []:
        if isinstance(part, dict) and part.get("name") == "resource" and isinstance(part.get("resource"), dict):
            found: dict[str, Any] = part["resource"]
            return found
    raise ProblemError(422, 'the Parameters resource has no parameter "resource"')


def _outcome(resource: dict[str, Any], validator: Validator) -> tuple[str, list[list[str]]]:
    """Return the OperationOutcome on a resource, and the severities of its findings if it could be judged."""
    # Not orjson, which writes no numbers above 64 bits.
    (row,) = evaluate(FhirSource(io.BytesIO(json.dumps(resource).encode()), _BODY), validator)
    if isinstance(row, Rejected):
        issue = {
            "severity": "error",
            "code": "invalid",
            "details": {"text": f"the claim was not judged because of its {row.part}"},
            "expression": [row.place or resource["resourceType"]],
        }
        return orjson.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).decode(), []
    record, verdict = row.record, row.verdict

    def expression(position: int) -> str:
        return record.place_of((position,) if position else ())

    sentences = judgement(verdict.edition, verdict.engine, verdict.packs, verdict.all_notices)
    findings = in_order((*verdict.findings, *verdict.waived))
    return operation_outcome(findings, expression, (), sentences), [[one.severity for one in verdict.findings]]


def _interchange(body: bytes, validator: Validator) -> tuple[dict[str, Any], list[list[str]], int]:
    source = X12Source(io.BytesIO(body), _BODY)
    claims, rejects, severities = [], [], []
    for row in evaluate(source, validator):
        if isinstance(row, Rejected):
            rejects.append(
                {"claim_id": row.claim_id, "line": row.line, "place": row.place, "part": row.part, "reason": row.reason}
            )
            continue
        verdict, record = row.verdict, row.record
        severities.append([finding.severity for finding in verdict.findings])
        places = [record.place_of((position,)) for position in range(1, len(record.claim.codes) + 1)]
        about = {"claim_id": record.claim.id, "line": record.line, "place": record.place}
        claims.append({**about, "codes": list(record.claim.codes), "places": places, **verdict.to_dict()})
    answer = {
        "version": objects.VERSION,
        "weakcode": __version__,
        "claims_in": len(claims) + len(rejects),
        "evaluated": len(claims),
        "rejected": len(rejects),
        "without_diagnoses": source.undiagnosed,
        "claims": claims,
        "rejects": rejects,
        "remarks": list(source.notes),
        "ignored": list(source.ignored),
    }
    return answer, severities, len(rejects)
