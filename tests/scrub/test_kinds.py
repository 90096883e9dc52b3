"""Other inputs of the kinds of public reports, each with what is to become of it, one by one and in columns."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.scrub.test_cases import SARCOPENIA, Scrubbed, _scrubbed, validator

from weakcode import Claim, read_claims

ICD10, ICD9 = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm"


@pytest.fixture
def outcome_of(tmp_path: Path) -> Callable[..., Scrubbed]:
    """Scrub a file with this content both ways; return what became of it."""

    def run(name: str, content: str | bytes | None = None, **options: Any) -> Scrubbed:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        ways = {"one-by-one": None, "columns": validator().columns()}
        one, other = (
            _scrubbed([path], tmp_path / f"{way} {name}", True, columns=columns, **options)
            for way, columns in ways.items()
        )
        assert (one.found, one.reasons, one.remarks) == (other.found, other.reasons, other.remarks)
        return other

    return run


def interchange(diagnoses: str, kind: str = "222A1") -> str:
    """Return an 837 with one claim, A, whose HI segments are given."""
    institutional = kind == "223A2"
    service = "SV2*0300**1*UN*1" if institutional else "SV1*HC:99213*1*UN*1***1"
    segments = [
        f"ST*837*0001*005010X{kind}", "BHT*0019*00*1*20260501*1200*CH", "HL*1**20*1", "NM1*85*2*C*****XX*1234567893",
        "HL*2*1*22*0", "SBR*P*18*******CI", "NM1*IL*1*D*J****MI*1", "DMG*D8*19500101*F", "NM1*PR*2*ACME*****PI*1",
        f"CLM*A*1***{'11:A:1' if institutional else '11:B:1'}", diagnoses, "LX*1", service, "DTP*472*D8*20260501",
    ]  # fmt: skip
    head = "ISA*00*          *00*          *ZZ*S              *ZZ*R              *260501*1200*^*00501*000000001*0*T*:~"
    body = "~".join([*segments, f"SE*{len(segments) + 1}*0001", "GE*1*1", "IEA*1*000000001"])
    return f"{head}GS*HC*S*R*20260501*1200*1*X*005010X{kind}~{body}~"


def resource(identity: str, code: str, system: str = ICD10, **others: Any) -> dict[str, Any]:
    return {
        "resourceType": "Claim",
        "id": identity,
        "patient": {"reference": "Patient/p1"},
        "billablePeriod": {"start": "2026-05-01"},
        "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"system": system, "code": code}]}}],
        **others,
    }


@pytest.mark.parametrize("sign", [";", "/", ",", " ", "-", "><"])
def test_03_codes_that_another_sign_parts_are_no_one_code(outcome_of: Callable[..., Scrubbed], sign: str) -> None:
    case = outcome_of("a.837", interchange(f"HI*ABK:M6284{sign}I10"))
    assert case.counts == (0, 1)
    assert case.reasons["A"].endswith("HI01 holds 2 codes (M62.84 and I10); an element holds one")


@pytest.mark.parametrize("code", ["M62.84", " m6284", "M6284 "])
def test_03_a_code_with_dot_blanks_or_in_lower_case_is_one(outcome_of: Callable[..., Scrubbed], code: str) -> None:
    assert outcome_of("a.837", interchange(f"HI*ABK:{code}")).rules["A"] == [SARCOPENIA]


def test_10_a_code_of_icd10_under_the_system_of_icd9_is_reported_with_the_code(
    outcome_of: Callable[..., Scrubbed],
) -> None:
    case = outcome_of(
        "a.ndjson", "\n".join(json.dumps(resource(*one)) for one in (("A", "M62.84", ICD9), ("B", "I10")))
    )
    assert case.reasons == {"A": "diagnosis[0] says ICD-9-CM, but M62.84 is an ICD-10-CM code"}
    assert case.counts == (1, 1)


def export(folder: Path) -> None:
    """Write a bulk export: numbered files, a manifest, and an empty file of errors."""
    folder.mkdir()
    patient = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1944-01-01"}
    (folder / "Claim.000.ndjson").write_text(json.dumps(resource("A", "O80")) + "\n")
    (folder / "Claim.001.ndjson").write_text(json.dumps(resource("B", "M62.84")) + "\n")
    (folder / "Patient.000.ndjson").write_text(json.dumps(patient) + "\n")
    (folder / "manifest.json").write_text(json.dumps({"output": [{"type": "Claim", "url": "x"}]}))
    (folder / "error.ndjson").write_text("")


@pytest.mark.parametrize("form", ["folder", "zip", "gz"])
def test_13_an_export_with_a_manifest_and_an_empty_file_is_one_set(
    outcome_of: Callable[..., Scrubbed], tmp_path: Path, form: str
) -> None:
    export(tmp_path / "export")
    name = "export"
    if form == "zip":
        name = "export.zip"
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for path in sorted((tmp_path / "export").iterdir()):
                archive.write(path, f"export/{path.name}")
    elif form == "gz":
        name = "packed"
        (tmp_path / name).mkdir()
        for path in (tmp_path / "export").iterdir():
            (tmp_path / name / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    case = outcome_of(name)
    assert case.rules == {"A": ["mce/age-conflict"], "B": [SARCOPENIA]}
    assert "is empty, so it was passed over" in case.remarks
    assert "holds no claim, so it was passed over" in case.remarks


def test_20_missing_values_of_pandas_are_none_in_fields_of_text() -> None:
    nan = float("nan")
    given = {"codes": ["I10"], "payer": nan, "sex": nan, "age": nan, "provider": nan, "setting": None}
    assert Claim.from_dict(given) == Claim(["I10"])


def test_21_whole_numbers_are_the_same_id_as_floats(outcome_of: Callable[..., Scrubbed], tmp_path: Path) -> None:
    ids = [1.0, None, 12345678901.0, 3.5, 1e17]
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"claim_id": ids, "dx1": ["M62.84"] * len(ids)}), path)
    spelled = ["1", None, "12345678901", "3.5", "1e+17"]
    assert [claim.id for claim in read_claims(path)] == spelled
    assert set(outcome_of(path.name).rules) == set(spelled)
    rows = '{"claim_id": 2.0, "codes": [null, "M62.84"], "service_date": 20260501.0, "sex": 2.0}\n'
    assert outcome_of("a.jsonl", rows).rules == {"2": [SARCOPENIA]}


@pytest.mark.parametrize(("qualifier", "kind"), [("APR", "reason for visit"), ("ABJ", "admitting")])
def test_23_an_837_claim_with_only_a_diagnosis_outside_its_list_is_rejected_as_that(
    outcome_of: Callable[..., Scrubbed], qualifier: str, kind: str
) -> None:
    case = outcome_of("a.837", interchange(f"HI*{qualifier}:R079", "223A2"))
    assert case.reasons == {"A": f"the claim lists no diagnosis, only one of type {kind}"}


def test_28_lists_as_numpy_and_postgres_write_them_are_read(
    outcome_of: Callable[..., Scrubbed], tmp_path: Path
) -> None:
    cells = ["['M62.84' 'I10']", '"{M62.84,I10}"', "\"('M62.84', 'I10')\"", "ICD-10-CM: M62.84 | ICD-10-CM: I10"]
    case = outcome_of("a.csv", "claim_id,codes\n" + "".join(f"{at},{cell}\n" for at, cell in enumerate(cells)))
    assert case.rules == {str(at): [SARCOPENIA] for at in range(len(cells))}
    assert {claim.codes for claim in read_claims(tmp_path / "a.csv")} == {("M62.84", "I10")}


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_rows_that_end_in_a_delimiter_lose_nothing_and_are_reported(
    outcome_of: Callable[..., Scrubbed], ending: str
) -> None:
    rows = ["claim_id\tdx1\tdx2", "A\tM62.84\tI10\t", "B\tI10\t\t\t", "C\tI10\tE11.9\tN18.30", "\x1a"]
    case = outcome_of("a.csv", ending.join(rows))
    assert case.rules == {"A": [SARCOPENIA]}
    assert case.reasons == {"C": "the row has 4 fields, the header has 3"}
    assert case.counts == (2, 1)
    assert "2 rows end in delimiters behind the last column, with nothing between them" in case.remarks


def test_an_object_around_claims_is_detected_by_the_key_of_their_list(outcome_of: Callable[..., Scrubbed]) -> None:
    around = {"meta": {"page": 1}, "claims": [{"claim_id": "A", "codes": ["I10"]}]}
    case = outcome_of("a.jsonl", json.dumps(around) + "\n")
    said = "the object is no claim, but has a list of objects under 'claims'; give that list alone"
    assert case.reasons == {None: said}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_indicators_beside_a_cell_of_several_codes_are_read_each_for_its_code(
    outcome_of: Callable[..., Scrubbed], tmp_path: Path, form: str
) -> None:
    mapping = {"id": "NR", "codes": "DX", "poa": "POA"}
    rows = [("A", "M62.84 G72.9", "Y N"), ("B", "I10;E11.9", "Y"), ("C", "I10|E11.9", "Y,N,Y"), ("D", "I10", "")]
    if form == "parquet":
        table = pa.table(dict(zip(("NR", "DX", "POA"), map(list, zip(*rows, strict=True)), strict=True)))
        pq.write_table(table, tmp_path / "a.parquet")
    else:
        (tmp_path / "a.csv").write_text("NR,DX,POA\n" + "".join(f'{a},{b},"{c}"\n' for a, b, c in rows))
    fixed = tmp_path / "mended.csv" if form == "csv" else None
    case = outcome_of(f"a.{form}", mapping=mapping)
    assert case.reasons == {"C": "a cell has 3 present-on-admission indicators for 2 codes"}
    (tmp_path / "good.csv").write_text("NR,DX,POA\n" + "".join(f'{a},{b},"{c}"\n' for a, b, c in rows if a != "C"))
    read = [[(one.code, one.poa) for one in claim.diagnoses] for claim in read_claims(tmp_path / "good.csv", mapping)]
    assert read == [[("M62.84", "Y"), ("G72.9", "N")], [("I10", "Y"), ("E11.9", "Y")], [("I10", None)]]
    if fixed is not None:
        told = outcome_of("good.csv", mapping=mapping, fixed=fixed, mend=lambda one: validator().fix(one).claim)
        # Codes that would leave their indicators behind stay where they are, which is told.
        assert fixed.read_text() == (tmp_path / "good.csv").read_text()
        assert "as they were, because their rows cannot list them as mended" in told.remarks


def test_where_objects_are_diagnoses_the_advice_is_what_objects_can_follow(outcome_of: Callable[..., Scrubbed]) -> None:
    rows = [{"claim_id": "A", "codes": [code]} for code in ("M62.84", "I10")]
    case = outcome_of("a.jsonl", "\n".join(map(json.dumps, rows)))
    assert "1 claim id stands in more than one row" in case.remarks
    assert case.remarks.endswith(
        "give them as a table (CSV, Parquet), of which --map makes one claim of the rows of an id"
    )
