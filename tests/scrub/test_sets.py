"""Files that belong together: folders, patterns, partitions, FHIR's bulk exports, and damaged files among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import weakcode
from weakcode import InputError
from weakcode.scrub.read.fhir.references import SpillingMap
from weakcode.scrub.run import scrub

ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
CARIN = "http://hl7.org/fhir/us/carin-bb/StructureDefinition/C4BB-ExplanationOfBenefit-Inpatient-Institutional"


def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["weakness", "icd10cm"]).in_bulk()


def summary_of(*inputs: Path | str, **options: Any) -> Any:
    return scrub(inputs, validator(), columns=validator().columns(), **options)


def entry(sequence: int, code: str, kind: str | None = None) -> dict[str, Any]:
    concept = {"coding": [{"system": ICD10, "code": code}]}
    kinds = {"type": [{"coding": [{"code": kind}]}]} if kind else {}
    return {"sequence": sequence, "diagnosisCodeableConcept": concept, **kinds}


def benefit(*diagnoses: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "ExplanationOfBenefit", "id": "e", "diagnosis": list(diagnoses), **more}


def write(path: Path, *resources: Any) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in resources))
    return path


def test_a_folder_is_read_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.csv").write_text("claim_id,codes\nA,I10\n")
    (tmp_path / "in" / "deep" / "b.jsonl").write_text('{"claim_id": "B", "codes": ["I10"]}\n')
    (tmp_path / "in" / "_SUCCESS").write_text("")
    (tmp_path / "in" / "read.me").write_text("not claims")
    summary = summary_of(tmp_path / "in")
    assert (summary.claims_in, summary.rejected) == (2, 0)
    assert summary.reading[str(tmp_path / "in")].counts == {"files passed over": 1}
    assert summary_of(f"{tmp_path}/in/**/*.jsonl").claims_in == 1
    assert list(validator().scrub(str(tmp_path / "in"))) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is a folder without any file of claims"):
        summary_of(tmp_path / "empty")


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_names_of_folders_say_what_holds_for_all_claims_in_them(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "service_date=2026-05-01" / "payer=Blue%20Cross"
    folder.mkdir(parents=True)
    rows = pa.table({"claim_id": ["A"], "codes": ["M62.84"]})
    if kind == "parquet":
        pq.write_table(rows, folder / "p.parquet")
    elif kind == "csv":
        (folder / "p.csv").write_text("claim_id,codes\nA,M62.84\n")
    else:
        (folder / "p.jsonl").write_text('{"claim_id": "A", "codes": "M62.84"}\n')
    for columns in (None, validator().columns()):
        summary = scrub([tmp_path], validator(), columns=columns, output=tmp_path / "f.jsonl")
        assert summary.editions == {"2026-04": 1}
        assert json.loads((tmp_path / "f.jsonl").read_text())["payer"] == "Blue Cross"
        (tmp_path / "f.jsonl").unlink()


def test_one_damaged_file_among_several_stops_the_run_unless_it_is_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("claim_id,codes\nA,I10\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 broken")
    (tmp_path / "c.csv").write_text("claim_id,codes\nC,I10\n")
    with pytest.raises(InputError, match="is damaged"):
        summary_of(tmp_path)
    summary = summary_of(tmp_path, keep_going=True)
    assert (summary.claims_in, list(summary.unread)) == (2, [str(tmp_path / "b.parquet")])


def test_patients_and_conditions_are_looked_up_in_all_files_of_a_run(tmp_path: Path) -> None:
    claim = {
        "resourceType": "Claim", "id": "c", "patient": {"reference": "Patient/p"},
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": "Condition/k"}}],
    }  # fmt: skip
    claims = write(tmp_path / "Claim.ndjson", claim)
    condition = {"resourceType": "Condition", "id": "k", "code": {"coding": [{"system": ICD10, "code": "M62.84"}]}}
    write(tmp_path / "Condition.ndjson", condition)
    write(
        tmp_path / "Patient.ndjson",
        {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-31"},
    )
    for inputs in ([tmp_path], sorted(tmp_path.iterdir())):
        summary = summary_of(*inputs)
        assert (summary.evaluated, summary.by_severity["error"]) == (1, 1)
        assert "patients not found" not in summary.reading.get(str(claims), weakcode.scrub.read.log.ReadCounts()).counts
    alone = summary_of(claims, rejects=tmp_path / "r.csv")
    assert alone.reading[str(claims)].counts == {"conditions not found": 1}
    assert "refers to Condition/k, which is not in the file" in (tmp_path / "r.csv").read_text()


def test_what_is_kept_beyond_memory_is_found_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weakcode.scrub.read.fhir.references.MOST_IN_MEMORY", 3)
    shelf: SpillingMap[int] = SpillingMap()
    for number in range(10):
        shelf.put(str(number), number)
    shelf.put("2", 7)
    shelf.put("3", 3)
    assert [shelf.get(key) for key in ("0", "2", "3", "9", "none")] == [0, None, 3, 9, None]


def test_where_a_profile_says_that_there_is_no_order_findings_do_not_rest_on_one(tmp_path: Path) -> None:
    codes = [entry(1, "J18.9", "principal"), entry(2, "M62.84"), entry(3, "G72.9")]
    profile = {"meta": {"profile": [CARIN]}}
    for columns in (None, validator().columns()):
        scrubbed = {
            name: scrub([write(tmp_path / f"{name}.json", resource)], validator(), columns=columns)
            for name, resource in {
                "carin": benefit(*codes, **profile),
                "other": benefit(*codes),
                "without-cause": benefit(*codes[:2], **profile),
                "principal": benefit(entry(1, "M62.84", "principal"), codes[2], **profile),
            }.items()
        }
        errors = {name: summary.by_severity["error"] for name, summary in scrubbed.items()}
        assert errors == {"carin": 0, "other": 1, "without-cause": 1, "principal": 1}


def test_entries_that_are_groups_are_not_diagnoses_and_a_principal_one_counts_once(tmp_path: Path) -> None:
    group = {"sequence": 3, "packageCode": {"coding": [{"system": "https://x/clm_drg_cd", "code": "470"}]}}
    drg = {"sequence": 4, "diagnosisCodeableConcept": {"coding": [{"system": "https://x/MS-DRG", "code": "470"}]}}
    path = write(
        tmp_path / "e.json",
        benefit(
            entry(1, "I10", "principal"), entry(2, "I10"), group, drg, item=[{"sequence": 1, "diagnosisSequence": [2]}]
        ),
    )
    (claim,) = weakcode.read_claims(path)
    assert (claim.codes, claim.lines[0].pointers) == (("I10",), (1,))


@pytest.mark.parametrize(
    "group",
    [
        {"packageCode": {"coding": [{"system": "https://bluebutton.cms.gov/resources/variables/clm_drg_cd"}]}},
        {"packageCode": {"text": "470"}},
        {"diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/ms-drg", "code": "470"}]}},
        {
            "diagnosisCodeableConcept": {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/ex-diagnosisrelatedgroup",
                        "code": "100",
                    }
                ]
            }
        },
        {"diagnosisCodeableConcept": {"text": "470"}, "type": [{"coding": [{"code": "drg"}]}]},
    ],
)
def test_a_drg_is_counted_and_no_diagnosis_however_it_is_written(tmp_path: Path, group: dict[str, Any]) -> None:
    path = write(tmp_path / "c.ndjson", benefit(entry(1, "I10"), {"sequence": 2, **group}))
    summary = summary_of(path)
    assert (summary.evaluated, summary.rejected) == (1, 0)
    assert summary.reading[str(path)].counts == {"groups among diagnoses": 1}


def test_a_reject_names_the_system_that_was_found(tmp_path: Path) -> None:
    snomed = {
        "sequence": 1,
        "diagnosisCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "1"}]},
    }
    summary_of(write(tmp_path / "e.json", benefit(snomed)), rejects=tmp_path / "r.csv")
    assert "its system is http://snomed.info/sct" in (tmp_path / "r.csv").read_text()


def test_bundles_in_bundles_are_read(tmp_path: Path) -> None:
    inner = {"resourceType": "Bundle", "entry": [{"resource": benefit(entry(1, "M62.84"))}]}
    outer = {"resourceType": "Bundle", "entry": [{"resource": inner}, {"resource": benefit(entry(1, "I10"))}]}
    assert len(list(weakcode.read_claims(write(tmp_path / "b.json", outer)))) == 2


def test_urns_are_looked_up_by_id_where_resources_stand_by_themselves(tmp_path: Path) -> None:
    claim = {
        "resourceType": "Claim",
        "id": "c",
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": "urn:uuid:k"}}],
    }
    condition = {"resourceType": "Condition", "id": "k", "code": {"coding": [{"system": ICD10, "code": "I10"}]}}
    (read,) = weakcode.read_claims(write(tmp_path / "c.ndjson", claim, condition))
    assert read.codes == ("I10",)


def test_pharmacy_claims_without_diagnoses_are_counted_apart(tmp_path: Path) -> None:
    pharmacy = {"resourceType": "ExplanationOfBenefit", "id": "p", "type": {"coding": [{"code": "pharmacy"}]}}
    summary = summary_of(write(tmp_path / "c.ndjson", pharmacy, benefit(entry(1, "I10"))))
    assert (summary.claims_in, summary.without_diagnoses) == (1, {"pharmacy": 1})


def test_python_reads_folders_patterns_and_files_that_belong_together(tmp_path: Path) -> None:
    reference = {"sequence": 1, "diagnosisReference": {"reference": "Condition/k"}}
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1944-03-09"}
    condition = {"resourceType": "Condition", "id": "k", "code": {"coding": [{"system": ICD10, "code": "M62.84"}]}}
    write(tmp_path / "Benefit.ndjson", benefit(reference, patient={"reference": "Patient/p"}))
    write(tmp_path / "Condition.ndjson", condition)
    write(tmp_path / "Patient.ndjson", patient)
    for given in (tmp_path, str(tmp_path / "*.ndjson")):
        (claim,) = weakcode.read_claims(given)
        assert (claim.codes, claim.sex) == (("M62.84",), "F")
    (batch,) = validator().scrub([tmp_path / "Benefit.ndjson", tmp_path / "Condition.ndjson"])
    assert batch.column("claim_id").to_pylist() == ["e"]
    (tmp_path / "t" / "payer=Acme").mkdir(parents=True)
    (tmp_path / "t" / "payer=Acme" / "a.csv").write_text("claim_id,codes\nA,I10\n")
    assert [claim.payer for claim in weakcode.read_claims(tmp_path / "t")] == ["Acme"]


def test_rows_of_a_lazy_frame_come_in_batches(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    if not hasattr(polars.LazyFrame, "collect_batches"):
        pytest.skip("needs a polars that gives rows in batches")
    rows = 150_000
    ids = pa.array([f"C{number}" for number in range(rows)])
    pq.write_table(pa.table({"claim_id": ids, "dx1": ["M62.84"] * rows}), tmp_path / "a.parquet", row_group_size=20_000)
    given = polars.scan_parquet(tmp_path / "a.parquet").with_columns(polars.col("dx1").cast(polars.Categorical))
    found = list(validator().scrub(given))
    assert len(found) > 1
    assert pa.Table.from_batches(found)["claim_id"].to_pylist() == ids.to_pylist()


def test_datasets_and_lazy_frames_are_scrubbed(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    dataset = pytest.importorskip("pyarrow.dataset")
    pq.write_table(pa.table({"claim_id": ["A"], "codes": ["M62.84"]}), tmp_path / "a.parquet")
    for source in (dataset.dataset(tmp_path / "a.parquet"), polars.scan_parquet(tmp_path / "a.parquet")):
        (batch,) = validator().scrub(source)
        assert batch.column("claim_id").to_pylist() == ["A"]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    server = pytest.importorskip("moto.server")
    boto3 = pytest.importorskip("boto3")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "y",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="claims-bucket")
    yield client, f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    running.stop()


def test_claims_are_read_from_object_storage(bucket: tuple[Any, str], tmp_path: Path) -> None:
    client, query = bucket
    pq.write_table(pa.table({"claim_id": ["C"], "codes": ["M62.84"]}), tmp_path / "c.parquet")
    for key, content in {
        "in/a.csv": b"claim_id,codes\nA,M62.84\n",
        "in/payer=X/b.jsonl": b'{"claim_id": "B", "codes": ["M62.84"]}\n',
        "in/payer=X/c.parquet": (tmp_path / "c.parquet").read_bytes(),
        "in/_SUCCESS": b"",
        "in/note.md": b"no claims",
    }.items():
        client.put_object(Bucket="claims-bucket", Key=key, Body=content)
    address = "s3://claims-bucket/in"
    summary = summary_of(f"{address}{query}", output=tmp_path / "f.jsonl")
    assert (summary.claims_in, summary.reading[address].counts) == (3, {"files passed over": 1})
    found = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert {(row["claim_id"], row["payer"]) for row in found} == {("A", None), ("B", "X"), ("C", "X")}
    assert {row["file"] for row in found} >= {f"{address}/a.csv"}
    fixed = tmp_path / "fixed.csv"
    told = summary_of(f"{address}/*.csv{query}", fixed=fixed, mend=lambda claim: claim)
    assert told.claims_in == 1
    (remark,) = told.remarks[str(fixed)]
    assert remark.startswith("the claims stand there as a code list: what is in object storage is not written again")
    with pytest.raises(InputError, match=r"^s3://claims-bucket/none holds no file of claims$"):
        summary_of(f"s3://claims-bucket/none{query}")


def test_outputs_are_put_into_object_storage_whole(bucket: tuple[Any, str], tmp_path: Path) -> None:
    client, query = bucket
    path = tmp_path / "in.csv"
    path.write_text("claim_id,codes\nA,M62.84 G72.9\nB,I10 I10\nC\n")
    address = "s3://claims-bucket/out"
    judge = validator()
    summary = summary_of(
        path,
        output=f"{address}/f.parquet{query}",
        rejects=f"{address}/{query}",
        summary=tmp_path / "summary.json",
        fixed=f"{address}/{query}",
        mend=lambda claim: judge.fix(claim).claim,
    )
    assert (summary.claims_in, summary.rejected, summary.fixed) == (3, 1, 2)

    def content(key: str) -> bytes:
        found: bytes = client.get_object(Bucket="claims-bucket", Key=key)["Body"].read()
        return found

    keys = {one["Key"] for one in client.list_objects_v2(Bucket="claims-bucket", Prefix="out/")["Contents"]}
    assert keys == {"out/f.parquet", "out/rejects.jsonl", "out/mended.csv"}
    found = pq.read_table(pa.BufferReader(content("out/f.parquet")))
    assert set(found["claim_id"].to_pylist()) == {"A", "B"}
    assert json.loads(content("out/rejects.jsonl"))["line"] == 4
    assert content("out/mended.csv") == b"claim_id,codes\nA,G72.9 M62.84\nB,I10\nC\n"
    assert (tmp_path / "summary.json").exists()


def test_of_outputs_of_which_one_cannot_be_put_in_its_place_none_appears(
    bucket: tuple[Any, str], tmp_path: Path
) -> None:
    client, query = bucket
    path = tmp_path / "in.csv"
    path.write_text("claim_id,codes\nA,M62.84\nC\n")
    with pytest.raises(InputError, match=r"^s3://no-such-bucket/r\.jsonl cannot be written: "):
        summary_of(
            path,
            output=tmp_path / "f.parquet",
            summary=f"s3://claims-bucket/s.json{query}",
            rejects=f"s3://no-such-bucket/r.jsonl{query}&allow_bucket_creation=false",
        )
    assert client.list_objects_v2(Bucket="claims-bucket", Prefix="s.json")["KeyCount"] == 0
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in.csv"]
    with pytest.raises(InputError, match=r"^s3://claims-bucket/f\.txt has the extension '\.txt'; an output ends in "):
        summary_of(path, output=f"s3://claims-bucket/f.txt{query}")


def test_outputs_in_a_folder_have_their_usual_names(tmp_path: Path) -> None:
    path, folder = tmp_path / "in.csv", tmp_path / "out"
    folder.mkdir()
    path.write_text("claim_id,codes\nA,M62.84\nC\n")
    summary_of(path, output=folder, rejects=folder, summary=f"{folder}/", metrics=folder)
    names = ["findings.parquet", "metrics.prom", "rejects.jsonl", "summary.json"]
    assert sorted(one.name for one in folder.iterdir()) == names
