"""Commands on claim files in other formats than code lists."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from weakcode.cli import main


def weakcode(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def bundle(path: Path) -> Path:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10-cm"}
    diagnoses = [
        {"sequence": 1, "diagnosisCodeableConcept": {"coding": [{**coding, "code": "I10"}]}},
        {"sequence": 2, "diagnosisCodeableConcept": {"coding": [{**coding, "code": "M6284"}]}},
    ]
    resource = {"resourceType": "Claim", "id": "A7", "diagnosis": diagnoses}
    path.write_text(json.dumps({"resourceType": "Bundle", "entry": [{"resource": resource}]}, indent=1))
    return path


def test_a_finding_in_a_fhir_file_is_an_operation_outcome_that_points_to_the_diagnosis(tmp_path: Path) -> None:
    result = weakcode("scrub", str(bundle(tmp_path / "b.json")), "--format", "fhir", "--only", "weakness")
    assert result.exit_code == 1
    (outcome,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert outcome["resourceType"] == "OperationOutcome"
    issue, judged_by = outcome["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "business-rule")
    assert issue["details"]["coding"][0]["code"] == "weakness/sarcopenia-underlying-disease-first"
    assert issue["expression"][0] == "Bundle.entry[0].resource.diagnosis[1]"
    assert "claim A7" in issue["diagnostics"]
    assert judged_by["severity"] == "information"
    assert "packs weakness 1" in judged_by["details"]["text"]


def test_a_check_answers_with_an_operation_outcome_also_where_there_is_nothing_to_say() -> None:
    found = json.loads(weakcode("check", "M62.84", "--format", "fhir", "--only", "weakness").stdout)
    assert found["issue"][0]["expression"] == ["Claim.diagnosis[0]"]
    clean = json.loads(weakcode("check", "I10", "--format", "fhir", "--only", "weakness").stdout)
    assert [issue["severity"] for issue in clean["issue"]] == ["information"]


def test_the_text_says_file_and_line_as_editors_read_them(tmp_path: Path) -> None:
    path = bundle(tmp_path / "b.json")
    result = weakcode("scrub", str(path), "--only", "weakness")
    line = next(n for n, text in enumerate(path.read_text().splitlines(), start=1) if '"sequence": 2' in text)
    assert f"{path}:{line - 1} Bundle.entry[0].resource.diagnosis[1]" in result.stdout


def test_a_mapped_table_is_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("NR;D1;D2\n7;M62.84;I10\n")
    result = weakcode("scrub", str(path), "--map", "id=NR,codes=D*", "--only", "weakness")
    assert f"Claim 7  M62.84 I10  {path}:2" in result.stdout
    refused = weakcode("scrub", str(path), "--only", "weakness")
    assert refused.exit_code == 2
    assert "its columns are NR, D1, D2" in refused.stderr
