"""weakcode scrub --spark: Parquet in, a folder of Parquet files out, whole or not at all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tests.spark.comparing import COLUMNS, counted, on_one_machine
from tests.spark.conftest import MASTER
from weakcode.cli import main
from weakcode.spark import run

WITH_PLACES = (*COLUMNS, "line")


def weakcode(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], catch_exceptions=False)


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    kinds = {"codes": pa.list_(pa.string())}
    columns = {name: pa.array([row[name] for row in rows], kinds.get(name)) for name in rows[0]}
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_a_folder_of_parquet_files_holds_the_findings_of_a_local_scrub_with_file_and_row(
    session: Any, tmp_path: Path
) -> None:
    rows: list[dict[str, Any]] = [{"claim_id": f"C{place}", "codes": ["M62.84", "I10"]} for place in range(7)]
    rows[4]["codes"] = []
    claims = written(tmp_path / "may claims+50%.parquet", rows)
    output, rejects, summary = (tmp_path / name for name in ("out.parquet", "rejects.jsonl", "summary.json"))
    lineage = tmp_path / "events.jsonl"

    ran = weakcode(
        "scrub",
        claims,
        "--spark",
        MASTER,
        "--lineage",
        lineage,
        "--records",
        tmp_path / "records",
        "--run-id",
        "night-1",
        "--log-format",
        "json",
        "-o",
        output,
        "--rejects",
        rejects,
        "--summary",
        summary,
        "--only",
        "weakness",
    )

    assert ran.exit_code == 1, ran.output
    assert "7 claims in = 6 evaluated + 1 rejected; 0 clean" in ran.output
    table = pq.read_table(output)
    from weakcode import Validator

    expected, _ = on_one_machine(claims, Validator(packs="weakness"), WITH_PLACES)
    assert counted(table.to_pylist(), WITH_PLACES) == expected
    assert set(table["file"].to_pylist()) == {str(claims)}
    assert sorted(table["line"].to_pylist()) == [1, 2, 3, 4, 6, 7]
    (reject,) = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert (reject["file"], reject["line"], reject["claim_id"]) == (str(claims), 5, "C4")
    assert reject["reason"] == "the claim has no diagnosis codes"
    counts = json.loads(summary.read_text())
    assert (counts["claims_in"], counts["rejected"], counts["findings"]) == (7, 1, 6)
    assert counts["first_rejected"] == [{"where": f"{claims}, line 5", "part": "codes"}]
    told = json.loads((output / "_weakcode.json").read_text())
    assert told["weakcode.packs"] == "weakness 1"
    assert told["summary"]["claims_in"] == 7
    assert (output / "_SUCCESS").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["records", *(path.name for path in (claims, output, rejects, summary, lineage))]
    )
    (record,) = (tmp_path / "records").iterdir()
    assert (record.name, json.loads(record.read_text())["claims_in"]) == ("night-1.json", 7)
    start, complete = [json.loads(line) for line in lineage.read_text().splitlines()]
    assert [start["eventType"], complete["eventType"]] == ["START", "COMPLETE"]
    assert complete["run"]["facets"]["weakcode_counts"]["claims_in"] == 7
    one = complete["outputs"][0]
    assert (one["name"], one["outputFacets"]["outputStatistics"]["rowCount"]) == (str(output), 6)
    assert [json.loads(line)["event"] for line in ran.stderr.splitlines()] == ["run.started", "run.completed"]


def test_hashed_ids_are_those_of_a_local_scrub_and_rejects_tell_nothing_else(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_HASH_KEY", "a key of the house")
    rows: list[dict[str, Any]] = [{"claim_id": f"PATIENT-{place}", "codes": ["M62.84", "I10"]} for place in range(4)]
    rows[2]["codes"] = []
    claims = written(tmp_path / "claims.parquet", rows)
    local, output, rejects = (tmp_path / name for name in ("local.parquet", "out.parquet", "rejects.csv"))
    common = ("scrub", claims, "--hash-ids", "--only", "weakness")

    weakcode(*common, "-o", local)
    ran = weakcode(*common, "--spark", MASTER, "-o", output, "--rejects", rejects)

    assert "4 claims in = 3 evaluated + 1 rejected" in ran.output
    assert sorted(pq.read_table(output)["claim_id"].to_pylist()) == sorted(pq.read_table(local)["claim_id"].to_pylist())
    assert "PATIENT" not in rejects.read_text() + ran.output + str(pq.read_table(output).to_pylist())


def test_files_with_different_columns_lose_none_of_them(session: Any, tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    written(folder / "a.parquet", [{"claim_id": "A", "codes": ["M62.84", "I10"]}])
    written(folder / "b.parquet", [{"claim_id": "B", "codes": ["M62.84", "I10"], "age": "old"}])

    ran = weakcode("scrub", folder, "--spark", MASTER, "-o", tmp_path / "out.parquet", "--only", "weakness")

    assert "2 claims in = 1 evaluated + 1 rejected" in ran.output
    assert Counter(pq.read_table(tmp_path / "out.parquet")["claim_id"].to_pylist()) == Counter("A")


def test_clean_claims_give_an_empty_table_and_exit_status_0(session: Any, tmp_path: Path) -> None:
    claims = written(tmp_path / "claims.parquet", [{"claim_id": "A", "codes": ["I10"]}])

    ran = weakcode("scrub", claims, "--spark", MASTER, "-o", tmp_path / "out.parquet", "--only", "weakness")

    assert ran.exit_code == 0, ran.output
    table = pq.read_table(tmp_path / "out.parquet")
    assert (table.num_rows, "denial_risk" in table.column_names, "kind" in table.column_names) == (0, True, False)


def test_an_output_that_is_there_already_is_left_as_it_is(session: Any, tmp_path: Path) -> None:
    claims = written(tmp_path / "claims.parquet", [{"claim_id": "A", "codes": ["M62.84"]}])
    (tmp_path / "out.parquet").write_text("last year's")

    ran = weakcode("scrub", claims, "--spark", MASTER, "-o", tmp_path / "out.parquet")

    assert ran.exit_code == 2
    assert "is there already; remove it, or give the output another name" in ran.output
    assert (tmp_path / "out.parquet").read_text() == "last year's"


def test_damaged_row_groups_are_rejected_as_on_one_machine(session: Any, tmp_path: Path) -> None:
    claims = written(tmp_path / "claims.parquet", [{"claim_id": "Mrs. Smith", "codes": ["M62.84"]}] * 500)
    content = bytearray(claims.read_bytes())
    content[4:3000] = bytes(2996)
    claims.write_bytes(content)
    outputs = [tmp_path / f"{way}.parquet" for way in ("spark", "local")]
    rejects = [tmp_path / f"{way}.csv" for way in ("spark", "local")]

    for output, aside, way in zip(outputs, rejects, (["--spark", MASTER], []), strict=True):
        weakcode("scrub", claims, *way, "-o", output, "--rejects", aside, "--only", "weakness")

    assert rejects[0].read_text() == rejects[1].read_text()
    assert "row group 0 is damaged" in rejects[0].read_text()
    assert pq.read_table(outputs[0])["line"].to_pylist() == pq.read_table(outputs[1])["line"].to_pylist() != []


def test_a_file_without_a_footer_ends_the_run_with_one_sentence_and_nothing_is_left_behind(
    session: Any, tmp_path: Path
) -> None:
    claims = written(tmp_path / "claims.parquet", [{"claim_id": "Mrs. Smith", "codes": ["M62.84"]}] * 500)
    claims.write_bytes(claims.read_bytes()[:-200])

    ran = weakcode(
        "scrub", claims, "--spark", MASTER, "-o", tmp_path / "out.parquet", "--rejects", tmp_path / "rejects.csv"
    )

    assert ran.exit_code == 2
    assert "claims.parquet is damaged or cut short" in ran.output
    assert len(ran.output.splitlines()) == 1
    assert "Smith" not in ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["claims.parquet"]


@pytest.mark.attack
def test_at_addresses_that_only_spark_knows_the_findings_are_those_of_one_machine_and_a_retry_replaces_them(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No other file system is at hand: the same way, taken at local paths.
    monkeypatch.setattr(run, "_plain_path", lambda _: None)
    rows = [{"claim_id": f"C{place}", "codes": ["M62.84", "I10"] if place % 5 else []} for place in range(20)]
    claims = written(tmp_path / "claims.parquet", rows)
    outputs = [tmp_path / f"{way}.parquet" for way in ("spark", "local")]
    rejects = [tmp_path / f"{way}.csv" for way in ("spark", "local")]
    for output, aside, way in zip(outputs, rejects, (["--spark", MASTER], []), strict=True):
        for _ in range(2 if way else 1):
            ran = weakcode(
                "scrub", claims, *way, "-o", output, "--rejects", aside, "--only", "weakness", "--run-id", "night-1"
            )
            assert ran.exit_code == 1, ran.output
    spark, local = (counted(pq.read_table(output).to_pylist(), WITH_PLACES) for output in outputs)
    assert spark == local
    by_spark, by_itself = (sorted(aside.read_text().splitlines()) for aside in rejects)
    assert by_spark == by_itself
    assert len(by_itself) == 1 + 4, "a header, and the claims without codes"
    assert json.loads((outputs[0] / "_weakcode.json").read_text())["summary"]["run"]["id"] == "night-1"
    assert not list(tmp_path.glob("*.partial"))


def test_columns_under_other_names_are_mapped_and_the_counts_are_written_as_openmetrics(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"CLM": f"C{place}", "DX_1": "M62.84", "DX_2": "I10"} for place in range(5)]
    claims = written(tmp_path / "claims.parquet", rows)
    told, outputs = tmp_path / "run.prom", [tmp_path / f"{way}.parquet" for way in ("spark", "local")]
    mapping = ("--map", "id=CLM,codes=DX_*", "--only", "weakness")
    for output, way in zip(outputs, (["--spark", MASTER, "--metrics", told], []), strict=True):
        ran = weakcode("scrub", claims, *way, "-o", output, *mapping)
        assert ran.exit_code == 1, ran.output
    spark, local = (counted(pq.read_table(output).to_pylist(), WITH_PLACES) for output in outputs)
    assert spark == local
    assert 'weakcode_claims{outcome="evaluated"} 5' in told.read_text().splitlines()
    # So it is at addresses that only Spark knows.
    monkeypatch.setattr(run, "_plain_path", lambda _: None)
    away = tmp_path / "away.parquet"
    assert weakcode("scrub", claims, "--spark", MASTER, "-o", away, *mapping).exit_code == 1
    assert counted(pq.read_table(away).to_pylist(), WITH_PLACES) == local


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sql", "SELECT 1"], "--spark cannot go with --sql"),
        (["--sql", "SELECT 1", "--db", "postgresql://h/d"], "--spark cannot go with --sql"),
        (["--into", "duckdb:f.db:findings"], "--spark cannot go with --into"),
        (["--fix", "mended.csv", "--jobs", "2"], "--spark cannot go with --fix and --jobs"),
        (["--engine", "durable"], "--spark cannot go with --engine durable"),
    ],
)
def test_what_spark_cannot_do_is_said_at_once(tmp_path: Path, options: list[str], said: str) -> None:
    pytest.importorskip("pyspark", reason="needs the extra spark")
    ran = weakcode("scrub", "claims.parquet", "--spark", MASTER, "-o", tmp_path / "out.parquet", *options)

    assert ran.exit_code == 2
    assert said in ran.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["claims.parquet"], "--spark needs Parquet files or folders to read, and -o NAME.parquet to write"),
        (["claims.parquet", "-o", "out.csv"], "--spark writes a folder of Parquet files; give it a name in .parquet"),
        (["no-such.parquet", "-o", "out.parquet"], "no-such.parquet does not exist"),
        (["claims.parquet", "-o", "no-folder/out.parquet"], "no-folder does not exist; make it first"),
    ],
)
def test_inputs_and_outputs_that_cannot_be_are_said_in_a_sentence(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "claims.parquet", [{"claim_id": "A", "codes": ["I10"]}])

    ran = weakcode("scrub", *arguments, "--spark", MASTER)

    assert ran.exit_code == 2
    assert said in ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["claims.parquet"]


def test_spark_connect_and_a_machine_without_java_are_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="needs the extra spark")
    monkeypatch.setattr(sql.SparkSession, "getActiveSession", lambda: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    output = tmp_path / "out.parquet"

    connect = weakcode("scrub", "claims.parquet", "--spark", "sc://host:15002", "-o", output)
    without = weakcode("scrub", "claims.parquet", "--spark", "local[1]", "-o", output)

    assert "not Spark Connect" in connect.output
    assert "--spark needs Java 17 or later, and there is none; install it, or set JAVA_HOME" in without.output
