"""With --hash-ids nothing that a scrub tells holds a claim id, and what was hashed with one key can be joined."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import hmac
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from pyarrow import feather, ipc

from weakcode.cli import main
from weakcode.engines.ids import id_of
from weakcode.engines.kernel._kernel import nth_of_run
from weakcode.report.data import read_report_data
from weakcode.scrub.schema import PERSONAL

KEY = "a key of the house"
IDS = ["PATIENT-4711", "PATIENT-4712", "PATIENT-4711"]
"""Every one with a finding; the first and the last are the same claim id."""
BAD = "PATIENT-4713"
ROWS = [(IDS[0], "M62.84 I10"), (IDS[1], "M62.8"), (IDS[2], "M62.84"), ("", "M62.8")]


def hashed(claim_id: str) -> str:
    """Return what a hashed id is, said once more: the first 16 digits of the HMAC-SHA256 under the key."""
    return hmac.new(KEY.encode(), claim_id.encode(), hashlib.sha256).hexdigest()[:16]


@pytest.fixture
def claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WEAKCODE_HASH_KEY", KEY)
    path = tmp_path / "claims.csv"
    rows = [*(f"{name},{codes}," for name, codes in ROWS), f"{BAD},M62.84,seventy-{BAD}"]
    path.write_text("claim_id,codes,age\n" + "".join(f"{row}\n" for row in rows))
    return path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, ["scrub", "--only", "weakness", "--only", "icd10cm", *map(str, arguments)])
    assert result.exit_code == 1, result.output
    assert "PATIENT" not in result.output
    return result


def ids_in(path: Path) -> list[str | None]:
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [row["claim_id"] or None for row in csv.DictReader(file)]
    if path.suffix == ".jsonl":
        return [json.loads(line)["claim_id"] for line in path.read_text().splitlines()]
    if path.suffix == ".parquet":
        return pq.read_table(path)["claim_id"].to_pylist()
    if path.suffix == ".arrow":
        return feather.read_table(path)["claim_id"].to_pylist()
    return ipc.open_stream(path).read_all()["claim_id"].to_pylist()


@pytest.mark.parametrize("engine", ["columnar", "durable"])
@pytest.mark.parametrize("name", ["f.csv", "f.jsonl", "f.parquet", "f.arrow", "f.arrows"])
def test_findings_of_every_format_have_hashed_ids_and_no_id_stays_none(claims: Path, name: str, engine: str) -> None:
    out = claims.parent / name
    run(claims, "--hash-ids", "--engine", engine, "-o", out)
    found = ids_in(out)
    assert {one for one in found if one} == {hashed(name) for name in IDS}
    assert None in found
    assert b"PATIENT" not in out.read_bytes()


def test_findings_are_the_same_but_for_their_ids(claims: Path) -> None:
    plain, hidden = claims.parent / "plain.csv", claims.parent / "hidden.csv"
    CliRunner().invoke(main, ["scrub", "--only", "weakness", "--only", "icd10cm", str(claims), "-o", str(plain)])
    run(claims, "--hash-ids", "-o", hidden)
    with plain.open(newline="") as file:
        expected = list(csv.DictReader(file))
    for row in expected:
        row["claim_id"] = hashed(row["claim_id"]) if row["claim_id"] else ""
        first = id_of(row["claim_id"], row["rule"], row["codes"].split(), [*map(int, row["positions"].split())])
        # The third row is the second claim of its id.
        row["finding_id"] = nth_of_run(first, 2) if row["line"] == "4" else first
    with hidden.open(newline="") as file:
        assert list(csv.DictReader(file)) == expected


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_the_service_date_is_not_reported_beside_hashed_ids(tmp_path: Path, engine: str) -> None:
    claims, out = tmp_path / "claims.csv", tmp_path / "f.parquet"
    claims.write_text(f"claim_id,codes,service_date\n{IDS[0]},M62.84 I10,2026-05-02\n")
    for options, days in ((["--hash-ids"], [None]), ([], [dt.date(2026, 5, 2)])):
        command = ["scrub", "--only", "weakness", "--engine", engine, str(claims), "-o", str(out), *options]
        assert CliRunner().invoke(main, command).exit_code == 1
        found = pq.read_table(out)
        assert found["service_date"].to_pylist() == days
        assert all(found[name].null_count == len(days) for name in PERSONAL if days == [None])


@pytest.mark.parametrize("as_format", ["text", "json", "fhir"])
def test_printed_findings_have_hashed_ids(claims: Path, as_format: str) -> None:
    said = run(claims, "--hash-ids", "--format", as_format).output
    assert all(hashed(name) in said for name in IDS)


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_rejects_have_only_hashed_id_place_and_part(claims: Path, name: str) -> None:
    aside = claims.parent / name
    run(claims, "--hash-ids", "-o", claims.parent / "f.csv", "--rejects", aside)
    if name == "r.csv":
        with aside.open(newline="") as file:
            (row,) = csv.DictReader(file)
    else:
        row = json.loads(aside.read_text())
    assert (row["claim_id"], row["reason"], row["raw"], int(row["line"])) == (hashed(BAD), "age", "", 6)
    assert "PATIENT" not in aside.read_text()


def test_mended_claims_keep_their_ids_and_the_help_says_so(claims: Path) -> None:
    mended, found = claims.parent / "mended.csv", claims.parent / "f.csv"
    run(claims, "--hash-ids", "--fix", mended, "-o", found)
    # The table again, with its rejected rows.
    assert {one for one in ids_in(mended) if one} == {*IDS, BAD}
    assert {one for one in ids_in(found) if one} == {hashed(name) for name in IDS}
    said = " ".join(CliRunner().invoke(main, ["scrub", "--help"]).output.split())
    assert "The claims of --fix keep their ids." in said


@pytest.mark.parametrize("kind", ["string", "large_string", "dictionary", "int64"])
def test_ids_of_any_type_of_column_are_hashed(claims: Path, kind: str) -> None:
    ids = ["17", "18", "17", None]
    column = {
        "string": pa.array(ids),
        "large_string": pa.array(ids, pa.large_string()),
        "dictionary": pa.array(ids).dictionary_encode(),
        "int64": pa.array([one and int(one) for one in ids]),
    }[kind]
    path, out = claims.parent / "claims.parquet", claims.parent / "f.jsonl"
    pq.write_table(pa.table({"claim_id": column, "codes": [row[1].split() for row in ROWS]}), path)
    run(path, "--hash-ids", "-o", out, "--jobs", 2)
    assert set(ids_in(out)) == {hashed("17"), hashed("18"), None}


def test_ids_of_a_query_are_hashed(claims: Path) -> None:
    out = claims.parent / "f.csv"
    run("--sql", f"SELECT claim_id, codes FROM '{claims}'", "--allow", claims, "--hash-ids", "-o", out)
    assert {one for one in ids_in(out) if one} == {hashed(name) for name in [*IDS, BAD]}


def test_scrub_and_report_hash_alike_so_that_their_ids_join(claims: Path) -> None:
    plain, hidden = claims.parent / "plain.parquet", claims.parent / "hidden.parquet"
    CliRunner().invoke(main, ["scrub", "--only", "weakness", "--only", "icd10cm", str(claims), "-o", str(plain)])
    run(claims, "--hash-ids", "-o", hidden)
    shown = {row.claim for row in read_report_data([str(plain)], hash_key=KEY.encode()).rows}
    assert shown == {one or "" for one in ids_in(hidden)}


def test_without_a_key_ids_differ_from_run_to_run(claims: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEAKCODE_HASH_KEY")
    runs = []
    for name in ("one.csv", "two.csv"):
        run(claims, "--hash-ids", "-o", claims.parent / name)
        runs.append({one for one in ids_in(claims.parent / name) if one})
    assert len(runs[0]) == len(runs[1]) == len(set(IDS))
    assert runs[0].isdisjoint(runs[1])
