"""Findings as an OperationOutcome of FHIR R4, whose expressions point to the offending diagnosis."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from weakcode.findings import Finding

_SEVERITIES = {"error": "error", "warning": "warning", "info": "information"}
RULES = "urn:weakcode:rule"
"""System of the codes that name rules."""


def operation_outcome(
    findings: Sequence[Finding],
    expression: Callable[[int], str] | None = None,
    about: Sequence[str] = (),
    judged_by: Sequence[str] = (),
) -> str:
    """Return findings on one claim as one line of JSON. `expression` gives the path of a diagnosis by its position,
    and of the claim for position 0; without it the paths are those of a Claim with the same diagnoses.
    `about` says what a path does not, such as claim and file; it stands with every issue. `judged_by` names edition,
    engine and packs, and is a last issue, for information only.
    """
    issues = [_issue(finding, expression or _path, about) for finding in findings]
    if judged_by or not issues:
        # An OperationOutcome has at least one issue.
        text = " ".join([*([] if issues else ["No findings."]), *judged_by])
        issues.append({"severity": "information", "code": "informational", "details": {"text": text}})
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}, ensure_ascii=False)


def _path(position: int) -> str:
    return f"Claim.diagnosis[{position - 1}]" if position else "Claim"


def _issue(finding: Finding, expression: Callable[[int], str], about: Sequence[str]) -> dict[str, Any]:
    details = [*about, f"confidence: {finding.confidence}", *finding.cited]
    if finding.denial_risk:
        details.append(str(finding.denial_risk))
    if finding.waiver:
        details.append(f"waived by {finding.waiver.who}: {finding.waiver.reason}")
    elif finding.fix:
        details.append(f"fix: {finding.fix.description}")
    issue = {
        "severity": "information" if finding.waiver else _SEVERITIES[finding.severity],
        "code": "business-rule",
        "details": {"coding": [{"system": RULES, "code": finding.rule}], "text": finding.message},
        "diagnostics": "; ".join(details),
        "expression": [expression(position) for position in finding.positions] or [expression(0)],
    }
    return {name: value for name, value in issue.items() if value}
