"""FHIR Claim and ExplanationOfBenefit: what is read, where it stands, and what bad input ends in."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weakcode import InputError, read_claims
from weakcode.scrub.read.fhir import FhirSource
from weakcode.scrub.read.files import open_claims
from weakcode.scrub.read.rows import Record, Rejected

SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
FILES = [
    "EOB-Base-Sample", "EOB-Carrier-Sample", "EOB-DME-Sample", "EOB-HHA-Sample", "EOB-Hospice-Sample", "EOB-SNF-Sample",
    "claimFissRead", "claimMcsRead", "claimSearch", "eobByPatientIdAll", "eobReadCarrier", "eobReadInpatient",
]  # fmt: skip


def rows_of(content: Any) -> list[Record | Rejected]:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    return list(FhirSource(io.BytesIO(content), "f.json"))


def one(content: Any) -> Record:
    (row,) = rows_of(content)
    assert isinstance(row, Record), row
    return row


def diagnosis(sequence: int, code: str, *kinds: str, poa: str | None = None, system: str = SYSTEM) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sequence": sequence,
        "diagnosisCodeableConcept": {"coding": [{"system": system, "code": code}]},
    }
    if kinds:
        found["type"] = [{"coding": [{"code": kind}]} for kind in kinds]
    if poa:
        found["onAdmission"] = {"coding": [{"code": poa}]}
    return found


def claim(*diagnoses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Claim", "id": "C1", "diagnosis": list(diagnoses), **more}


def expected_of(resource: dict[str, Any]) -> list[str]:
    """Read the diagnoses once more by other means: principal first, then by sequence, without other codes."""
    listed = []
    for entry in resource["diagnosis"]:
        codings = {c["system"]: c["code"] for c in entry["diagnosisCodeableConcept"]["coding"]}
        code = codings.get(SYSTEM) or codings["http://hl7.org/fhir/sid/icd-9-cm"]
        kinds = [c["code"] for concept in entry.get("type", []) for c in concept["coding"]]
        if not {"admitting", "patientreasonforvisit"} & set(kinds):
            listed.append(("principal" not in kinds, entry["sequence"], code.upper().replace(".", "")))
    return [code for _, _, code in sorted(listed)]


@pytest.mark.parametrize("name", FILES)
def test_every_real_file_gives_the_diagnosis_sequences_of_an_independent_reading(shared: Path, name: str) -> None:
    path = shared / "fhir" / f"bfd_{name}.json"
    whole = json.loads(path.read_text())
    resources = [entry["resource"] for entry in whole["entry"]] if "entry" in whole else [whole]
    resources = [one for one in resources if one["resourceType"] in ("Claim", "ExplanationOfBenefit")]
    if not resources:
        with pytest.raises(InputError, match=r"holds no Claim and no ExplanationOfBenefit .* ExplanationOfBenefitBase"):
            list(read_claims(path))
        return
    with open_claims(path) as source:
        rows = list(source)
        apart = sum(source.undiagnosed.values())  # type: ignore[attr-defined]
    resources = [one for one in resources if "diagnosis" in one or "pharmacy" not in json.dumps(one["type"]).lower()]
    assert len(rows) == len(resources)
    assert apart == ("eobByPatientIdAll" in name)
    text = path.read_text().splitlines()
    for row, resource in zip(rows, resources, strict=True):
        if "diagnosis" not in resource:
            assert isinstance(row, Rejected)
            assert (row.claim_id, row.part) == (resource["id"], "codes")
            continue
        contained = {one["resourceType"]: one for one in resource.get("contained", [])}
        born = contained.get("Patient", {}).get("birthDate")
        if born and born > resource["billablePeriod"]["start"]:
            assert isinstance(row, Rejected)
            assert (row.claim_id, row.part) == (resource["id"], "dates")
            continue
        assert isinstance(row, Record)
        assert row.claim.id == resource["id"]
        codes = [code.removeprefix("ICD9:").replace(".", "") for code in row.claim.codes]
        assert codes == expected_of(resource)
        gender = contained.get("Patient", {}).get("gender")
        assert row.claim.sex == {"male": "M", None: None}[gender]
        period = resource["billablePeriod"]
        assert str(row.claim.service_date) == period["end" if row.claim.setting == "inpatient" else "start"]
        for line in row.lines:
            assert text[line - 1].strip().endswith("{")
            assert '"sequence"' in text[line] or '"extension"' in text[line]


def test_the_principal_diagnosis_comes_first_and_admitting_and_reason_for_visit_stand_apart() -> None:
    row = one(
        claim(
            diagnosis(4, "W19.XXXA", "externalcauseofinjury"),
            diagnosis(1, "R07.9", "admitting"),
            diagnosis(3, "I21.4", "principal", poa="y"),
            diagnosis(2, "E119", poa="n"),
            diagnosis(5, "R06.02", "patientreasonforvisit"),
        )
    )
    assert row.claim.codes == ("I21.4", "E11.9", "W19.XXXA")
    assert [found.poa for found in row.claim.diagnoses] == ["Y", "N", None]
    assert row.other_codes == (("admitting", "R07.9"), ("reason-for-visit", "R06.02"))
    assert row.places == ("Claim.diagnosis[2]", "Claim.diagnosis[3]", "Claim.diagnosis[0]")


def test_items_become_service_lines_whose_pointers_follow_the_positions() -> None:
    row = one(
        claim(
            diagnosis(1, "R07.9", "admitting"),
            diagnosis(2, "E11.9"),
            diagnosis(3, "I10", "principal"),
            item=[
                {"sequence": 1, "diagnosisSequence": [2, 3, 1], "productOrService": {"coding": [{"code": "99213"}]}},
                {"sequence": 2, "diagnosisSequence": [9]},
            ],
        )
    )
    first, second = row.claim.lines
    assert (first.number, first.pointers, first.procedure) == (1, (2, 1), "99213")
    assert second.pointers == (9,)


def test_the_patient_of_a_bundle_gives_birth_date_and_sex_wherever_it_stands() -> None:
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-05-01"}
    period = {"billablePeriod": {"start": "2026-05-01", "end": "2026-05-03"}}
    for reference, url in [("Patient/p", None), ("urn:uuid:7", "urn:uuid:7"), ("https://x.org/r4/Patient/p", None)]:
        entry: dict[str, Any] = {"resource": patient}
        if url:
            entry["fullUrl"] = url
        for order in (1, -1):
            bundle = [{"resource": claim(diagnosis(1, "I10"), patient={"reference": reference}, **period)}, entry]
            row = one({"resourceType": "Bundle", "type": "collection", "entry": bundle[::order]})
            assert (row.claim.sex, row.claim.birth_date) == ("F", dt.date(1950, 5, 1))
            assert row.claim.age_in_years == 76


def test_two_patients_of_one_name_are_nobody() -> None:
    people = [{"resource": {"resourceType": "Patient", "id": "p", "gender": sex}} for sex in ("female", "male")]
    row = one(
        {
            "resourceType": "Bundle",
            "entry": [*people, {"resource": claim(diagnosis(1, "I10"), patient={"reference": "Patient/p"})}],
        }
    )
    assert row.claim.sex is None


def test_a_condition_that_a_diagnosis_refers_to_gives_its_code() -> None:
    condition = {"resourceType": "Condition", "id": "c", "code": {"coding": [{"system": SYSTEM, "code": "R54"}]}}
    by_reference = {"sequence": 1, "diagnosisReference": {"reference": "Condition/c"}}
    assert one(
        {"resourceType": "Bundle", "entry": [{"resource": claim(by_reference)}, {"resource": condition}]}
    ).claim.codes == ("R54",)
    contained = {"sequence": 1, "diagnosisReference": {"reference": "#c"}}
    assert one(claim(contained, contained=[condition])).claim.codes == ("R54",)


@pytest.mark.parametrize(
    ("about", "setting", "date"),
    [
        ({"type": {"coding": [{"code": "professional"}]}}, "professional", "2026-05-01"),
        ({"type": {"coding": [{"code": "institutional"}]}}, None, "2026-05-01"),
        (
            {"type": {"coding": [{"code": "institutional"}]}, "subType": {"coding": [{"code": "inpatient"}]}},
            "inpatient",
            "2026-05-03",
        ),
        (
            {"meta": {"profile": ["http://x/C4BB-ExplanationOfBenefit-Outpatient-Institutional"]}},
            "outpatient",
            "2026-05-01",
        ),
    ],
)
def test_the_setting_and_the_date_that_decides_come_from_type_and_period(about, setting: str, date: str) -> None:
    period = {"start": "2026-05-01T08:00:00Z", "end": "2026-05-03"}
    found = one(claim(diagnosis(1, "I10"), billablePeriod=period, **about)).claim
    assert (found.setting, str(found.service_date)) == (setting, date)


def test_icd9_codes_cannot_be_taken_for_codes_of_icd10() -> None:
    row = one(claim(diagnosis(1, "V586", system="http://hl7.org/fhir/sid/icd-9-cm")))
    assert row.claim.codes == ("ICD9:V58.6",)


def test_line_delimited_resources_and_lists_are_read_with_their_lines(tmp_path: Path) -> None:
    both = [
        claim(diagnosis(1, "I10")),
        {**claim(diagnosis(1, "R54")), "id": "C2", "resourceType": "ExplanationOfBenefit"},
    ]
    lines = "\n".join(map(json.dumps, both))
    assert [(row.line, row.claim.id, row.place) for row in rows_of(lines)] == [
        (1, "C1", "Claim"),
        (2, "C2", "ExplanationOfBenefit"),
    ]
    assert [row.places for row in rows_of(both)] == [("[0].diagnosis[0]",), ("[1].diagnosis[0]",)]
    (tmp_path / "f.ndjson").write_text(lines)
    assert [claim.id for claim in read_claims(tmp_path / "f.ndjson")] == ["C1", "C2"]


def test_a_bad_line_is_rejected_and_the_next_one_read() -> None:
    good = json.dumps(claim(diagnosis(1, "I10")))
    kinds = [(type(row).__name__, row.line) for row in rows_of(f"{good}\n{good[:-30]}\n{good}\n{{'x'\n{good}")]
    assert kinds == [("Record", 1), ("Rejected", 2), ("Record", 3), ("Rejected", 4), ("Record", 5)]


def test_a_bundle_that_breaks_off_keeps_what_was_whole_and_tells_the_rest() -> None:
    entries = [{"resource": {**claim(diagnosis(1, "I10")), "id": f"C{n}"}} for n in range(3)]
    text = json.dumps({"resourceType": "Bundle", "entry": entries}, indent=1)
    rows = rows_of(text[: text.index('"C2"')])
    assert [row.claim.id for row in rows[:2] if isinstance(row, Record)] == ["C0", "C1"]
    assert isinstance(rows[2], Rejected)
    assert (rows[2].part, len(rows)) == ("JSON", 3)
    assert "breaks off" in rows[2].reason


@pytest.mark.parametrize(
    ("resource", "part"),
    [
        (claim(), "codes"),
        (claim(diagnosis(1, "I10"), diagnosis(1, "R54")), "diagnosis sequence"),
        (claim({"sequence": "1"}), "diagnosis sequence"),
        (claim({"sequence": 1}), "codes"),
        (claim(diagnosis(1, "25064002", system="http://snomed.info/sct")), "codes"),
        (claim(diagnosis(1, "")), "codes"),
        (claim(diagnosis(1, "I10", "admitting")), "codes"),
        ({**claim(), "diagnosis": ["I10"]}, "diagnosis"),
        (claim(diagnosis(1, "I10"), item=[{"diagnosisSequence": ["1"]}]), "lines"),
        (claim(diagnosis(1, "I10"), billablePeriod={"start": "2026-02-30"}), "dates"),
    ],
)
def test_a_resource_that_is_not_a_claim_is_rejected_with_its_path(resource: dict[str, Any], part: str) -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource}, {"resource": claim(diagnosis(1, "I10"))}]}
    bad, good = rows_of(bundle)
    assert isinstance(bad, Rejected)
    assert (bad.part, bad.place, bad.claim_id) == (part, "Bundle.entry[0].resource", "C1")
    assert isinstance(good, Record)


def test_the_input_of_an_operation_holds_claims_in_its_parameters_and_their_parts() -> None:
    inner = claim(diagnosis(1, "I10"), id="a")
    given = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": inner},
            {"name": "more", "part": [{"name": "claim", "resource": {**inner, "id": "b"}}, {"name": "text"}]},
        ],
    }
    for content in (given, {"resourceType": "Bundle", "entry": [{"resource": given}]}):
        first, second = rows_of(content)
        assert isinstance(first, Record)
        assert isinstance(second, Record)
        assert (first.claim.id, second.claim.id) == ("a", "b")
        assert first.places[0].endswith("arameter[0].resource.diagnosis[0]")
        assert second.places[0].endswith("arameter[1].part[0].resource.diagnosis[0]")


def test_what_is_not_a_resource_is_reported_wherever_the_bundle_says_that_it_is_one() -> None:
    entries = ["x", {"fullUrl": "urn:y"}, {"resource": claim(diagnosis(1, "I10"))}]
    late = {"id": "z" * 5_000, "entry": entries, "resourceType": "Bundle"}
    for bundle in ({"resourceType": "Bundle", "entry": entries}, late):
        source = FhirSource(io.BytesIO(json.dumps(bundle).encode()), "f.json")
        bad, good = source
        assert isinstance(bad, Rejected)
        assert (bad.part, bad.place) == ("JSON", "Bundle.entry[0]")
        assert isinstance(good, Record)
        assert good.places == ("Bundle.entry[2].resource.diagnosis[0]",)
        assert source.ignored == ("an object that is no resource",)


def test_absurd_nesting_is_one_reject() -> None:
    (row,) = rows_of('{"resourceType": "Claim", "x": ' + "[" * 500_000)
    assert isinstance(row, Rejected)
    assert "nested too deeply" in row.reason


def test_bytes_that_are_not_text_reject_their_resource_only() -> None:
    good = json.dumps(claim(diagnosis(1, "I10"))).encode()
    bad, after = rows_of(good.replace(b"C1", b"C\xff") + b"\n" + good)
    assert isinstance(bad, Rejected)
    assert bad.part == "encoding"
    assert isinstance(after, Record)


def test_a_large_bundle_is_read_piece_by_piece(tmp_path: Path) -> None:
    resource = json.dumps({"resource": claim(diagnosis(1, "I10"), note="x" * 5_000)})
    path = tmp_path / "b.json"
    path.write_text('{"resourceType": "Bundle", "entry": [' + ",\n".join([resource] * 2_000) + "]}")
    import tracemalloc

    tracemalloc.start()
    try:
        assert sum(1 for _ in read_claims(path)) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 4_000_000 < path.stat().st_size
    finally:
        tracemalloc.stop()


WHOLE = json.dumps(
    {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1950-01-01"}},
            {"resource": claim(diagnosis(1, "I10"), diagnosis(2, "R54"), patient={"reference": "Patient/p"})},
            {"resource": {**claim(diagnosis(1, "E11.9"), item=[{"diagnosisSequence": [1]}]), "id": "C2"}},
        ],
    },
    indent=1,
).encode()


@given(st.data())
def test_cut_off_or_garbled_bundles_give_claims_rejects_or_one_error(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(WHOLE)))
    content = WHOLE[:at] + data.draw(st.binary(max_size=10)) + WHOLE[at + data.draw(st.integers(0, 60)) :]
    try:
        rows = rows_of(content)
    except InputError:
        return
    for row in rows:
        assert isinstance(row, Record | Rejected)
        json.dumps(row.raw).encode()


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_real_files_cut_off_or_garbled_lose_no_claim_silently(shared: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([name for name in FILES if name.startswith("claim") or "Read" in name]))
    whole = (shared / "fhir" / f"bfd_{name}.json").read_bytes()
    at = data.draw(st.integers(1, len(whole) - 1))
    cut = data.draw(st.booleans())
    content = whole[:at] if cut else whole[:at] + data.draw(st.binary(min_size=1, max_size=6)) + whole[at + 3 :]
    before = {row.claim.id: row.claim.codes for row in rows_of(whole) if isinstance(row, Record)}
    try:
        rows = rows_of(content)
    except InputError:
        return
    assert rows
    if cut and content.strip() != whole.strip():
        assert isinstance(rows[-1], Rejected)
        assert all(before[row.claim.id] == row.claim.codes for row in rows if isinstance(row, Record))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["I10", SYSTEM, "principal", "#p"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "code", "system", "reference", "start", "sequence", "id"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.data())
def test_any_value_anywhere_in_a_resource_gives_a_claim_or_a_reject(data: st.DataObject) -> None:
    resource = json.loads(WHOLE)["entry"][1]["resource"]
    names = [
        "diagnosis",
        "item",
        "type",
        "subType",
        "meta",
        "billablePeriod",
        "insurance",
        "insurer",
        "patient",
        "contained",
        "id",
        "identifier",
    ]
    resource[data.draw(st.sampled_from(names))] = data.draw(values)
    within = data.draw(st.sampled_from(["sequence", "diagnosisCodeableConcept", "type", "onAdmission", "extension"]))
    if isinstance(resource["diagnosis"], list) and resource["diagnosis"] and isinstance(resource["diagnosis"][0], dict):
        resource["diagnosis"][0][within] = data.draw(values)
    (row,) = rows_of(resource)
    assert isinstance(row, Record | Rejected)


codes = st.sampled_from(["I10", "E11.9", "R54", "M62.84", "S72.001A"])


@given(
    st.lists(
        st.tuples(codes, st.sampled_from([None, "Y", "N"])), min_size=1, max_size=12, unique_by=lambda pair: pair[0]
    ),
    st.dates(dt.date(2020, 1, 1), dt.date(2026, 9, 30)),
)
def test_claims_written_as_fhir_are_read_back_equal(listed: list[tuple[str, str | None]], date: dt.date) -> None:
    written = claim(
        *(diagnosis(n, code, poa=poa) for n, (code, poa) in enumerate(listed, start=1)),
        billablePeriod={"start": str(date)},
        item=[{"sequence": 1, "diagnosisSequence": [len(listed)]}],
    )
    found = one(written).claim
    assert [(d.code, d.poa) for d in found.diagnoses] == listed
    assert (found.service_date, found.lines[0].pointers) == (date, (len(listed),))
