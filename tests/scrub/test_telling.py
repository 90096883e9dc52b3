"""What a run tells: records of a log on standard error, and events of OpenLineage in a file."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator, FormatChecker

from weakcode import Validator
from weakcode.cli import main
from weakcode.scrub import watching
from weakcode.scrub.run import scrub
from weakcode.scrub.schema import findings_schema

_FACETS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["_producer", "_schemaURL"],
        "properties": {name: {"type": "string", "format": "uri"} for name in ("_producer", "_schemaURL")},
    },
}
_NAMED = {
    "required": ["namespace", "name"],
    "properties": {
        "namespace": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        **dict.fromkeys(("facets", "inputFacets", "outputFacets"), _FACETS),
    },
}
EVENT = Draft202012Validator(
    {
        "required": ["eventTime", "eventType", "run", "job", "producer", "schemaURL"],
        "properties": {
            "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
            "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
            "run": {"required": ["runId"], "properties": {"runId": {"format": "uuid"}, "facets": _FACETS}},
            "job": _NAMED,
            "inputs": {"type": "array", "items": _NAMED},
            "outputs": {"type": "array", "items": _NAMED},
            "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
        },
    },
    format_checker=FormatChecker(),
)
"""What the specification asks of an event (OpenLineage 2-0-2, RunEvent and its facets)."""


def run(folder: Path, *arguments: object, status: int = 1, claims: str = "A,M62.84\nB,\nC,I10\n") -> Result:
    path = folder / "claims.csv"
    path.write_text(f"claim_id,codes\n{claims}")
    told = ["scrub", "--only", "weakness", str(path), *map(str, arguments)]
    result = CliRunner().invoke(main, told)
    assert result.exit_code == status, result.output
    return result


def events(path: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    for event in read:
        EVENT.validate(event)
    return read


def records(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stderr.splitlines()]


def test_events_say_that_a_run_starts_what_it_read_and_wrote_and_how_many(tmp_path: Path) -> None:
    lineage, out = tmp_path / "events.jsonl", tmp_path / "f.parquet"
    name = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    run(tmp_path, "-o", out, "--lineage", lineage, "--run-id", name)
    start, complete = events(lineage)
    assert [one["eventType"] for one in (start, complete)] == ["START", "COMPLETE"]
    assert {one["run"]["runId"] for one in (start, complete)} == {name}
    assert start["job"] == complete["job"]
    (read,), (written,) = complete["inputs"], complete["outputs"]
    assert (read["namespace"], read["name"]) == ("file", str(tmp_path / "claims.csv"))
    assert read["inputFacets"]["inputStatistics"]["size"] == (tmp_path / "claims.csv").stat().st_size
    assert written["name"] == str(out)
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 1
    assert [one["name"] for one in written["facets"]["schema"]["fields"]] == findings_schema().names
    counts = complete["run"]["facets"]["weakcode_counts"]
    assert (counts["claims_in"], counts["evaluated"], counts["rejected"], counts["findings"]) == (3, 2, 1, 1)


def test_of_a_run_that_fails_is_stopped_or_is_not_kept_the_last_event_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lineage, out = tmp_path / "events.jsonl", tmp_path / "f.csv"
    run(tmp_path, "-o", out, "--lineage", lineage, "--max-rejects", 0, status=3)
    run(tmp_path, "-o", out, "--lineage", lineage, claims="B,\n", status=2)
    run(tmp_path, tmp_path / "none.csv", "-o", out, "--lineage", lineage, status=2)

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("weakcode.scrub.run._Run.file", stops)
        run(tmp_path, "-o", out, "--lineage", lineage, status=130)
    last = events(lineage)[1::2]
    assert [one["eventType"] for one in last] == ["FAIL", "FAIL", "FAIL", "ABORT"]
    said = [one["run"]["facets"]["errorMessage"]["message"] for one in last]
    for text, of in zip(
        ("--max-rejects 0", "no row is a claim", "none.csv does not exist", "Ctrl-C"), said, strict=True
    ):
        assert text in of
    assert not any("outputFacets" in one for event in last for one in event["outputs"])


@pytest.mark.parametrize("namespace", ["airflow", "https://airflow.example:8080/prod"])
def test_a_run_that_a_scheduler_tries_again_is_another_run_below_the_same_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, namespace: str
) -> None:
    lineage, parent = tmp_path / "events.jsonl", "3fa85f64-5717-4562-b3fc-2c963f66afa6"
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "billing")
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"{namespace}/nightly.scrub/{parent}")
    for _ in range(2):
        run(tmp_path, "-o", tmp_path / "f.csv", "--lineage", lineage, "--run-id", "night-7")
    read = events(lineage)
    assert len({UUID(one["run"]["runId"]) for one in read}) == 2
    for event in read:
        assert event["job"]["namespace"] == "billing"
        assert event["run"]["facets"]["weakcode_run"]["id"] == "night-7"
        named = event["run"]["facets"]["parent"]
        assert (named["run"], named["job"]) == ({"runId": parent}, {"namespace": namespace, "name": "nightly.scrub"})


@pytest.mark.parametrize(
    ("into", "named"),
    [
        ("duckdb:{}/f.db:findings", ("duckdb://{}/f.db", "findings")),
        ("sqlite:{}/f.db:findings", ("sqlite://{}/f.db", "findings")),
        ("parquet:{}/f", ("file", "{}/f")),
    ],
)
def test_tables_and_folders_are_named_as_outputs(tmp_path: Path, into: str, named: tuple[str, str]) -> None:
    lineage = tmp_path / "events.jsonl"
    run(tmp_path, "--into", into.format(tmp_path), "--lineage", lineage)
    (written,) = events(lineage)[1]["outputs"]
    assert (written["namespace"], written["name"]) == tuple(one.format(tmp_path) for one in named)


def test_of_the_address_of_a_database_only_host_and_name_are_reported() -> None:
    from weakcode.scrub.write.runs.lineage import Dataset

    told = Dataset.into("billing.findings", "postgresql://me:secret@db.example:5433/claims?sslpassword=hidden")
    assert (told.namespace, told.name) == ("postgres://db.example:5433", "claims.billing.findings")
    assert Dataset.into("findings", "adbc:snowflake:user:secret@account").namespace == "adbc+snowflake"


@pytest.mark.parametrize(
    "name", ["claims.csv", "f.jsonl", "e.json", "s3://bucket/e.jsonl", "none/e.jsonl", "notes.jsonl"]
)
def test_events_are_not_added_to_what_holds_something_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.jsonl").write_text('{"claim_id": "A"}\n')
    where = name if "://" in name else tmp_path / name
    said = run(tmp_path, "-o", tmp_path / "f.jsonl", "--lineage", where, status=2).output
    assert "--lineage" in said or "cannot be written" in said
    assert not (tmp_path / "f.jsonl").exists()
    assert (tmp_path / "notes.jsonl").read_text() == '{"claim_id": "A"}\n'


def test_the_log_as_json_has_a_record_a_line_for_start_end_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "EVERY", 0.0)
    result = run(tmp_path, "-o", tmp_path / "f.csv", "--log-format", "json", "--run-id", "night-7")
    assert "2 evaluated + 1 rejected" in result.stdout
    read = [one for one in records(result) if one["logger"] == "weakcode.scrub"]
    assert [read[0]["event"], read[-1]["event"]] == ["run.started", "run.completed"]
    assert {one["event"] for one in read[1:-1]} == {"run.progress"}
    assert {one["level"] for one in read} == {"info"}
    assert {one["run"] for one in (read[0], read[-1])} == {"night-7"}
    assert (read[-1]["claims_in"], read[-1]["rejected"], read[-1]["findings"]) == (3, 1, 1)


def test_the_log_has_what_goes_wrong_and_with_quiet_nothing_else(tmp_path: Path) -> None:
    for claims, status, event in (("B,\n", 2, "run.completed"), ("A,I10\n", 0, None)):
        result = run(
            tmp_path, "-o", tmp_path / "f.csv", "--log-format", "json", "--quiet", claims=claims, status=status
        )
        read = records(result)
        assert [one["event"] for one in read if "event" in one] == ([event] if event else [])
        assert all(one["level"] in ("warning", "error") for one in read)
        assert bool(read) == bool(status)
    read = records(run(tmp_path, tmp_path / "none.csv", "-o", tmp_path / "f.csv", "--log-format", "json", status=2))
    assert {one["message"] for one in read if one["level"] == "error"} == {
        f"run {read[0]['run']} failed: {tmp_path / 'none.csv'} does not exist; give a file of claims",
        f"{tmp_path / 'none.csv'} does not exist; give a file of claims",
    }


def test_the_log_as_text_is_a_line_a_record_with_time_level_and_part(tmp_path: Path) -> None:
    said = run(tmp_path, "-o", tmp_path / "f.csv", "--log-format", "text", "--max-rejects", 0, status=3).stderr
    line = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|WARNING|ERROR) weakcode(\.\w+)?: .+")
    assert said
    assert all(line.fullmatch(one) for one in said.splitlines()), said


def test_a_program_hears_of_runs_through_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes\nMRN1234,M62.84\nMRN1235,\n")
    with caplog.at_level(logging.INFO, "weakcode"):
        scrub([path], Validator(packs="weakness"), output=tmp_path / "f.csv", run_id="night-7")
    (start, end) = [record for record in caplog.records if record.name == "weakcode.scrub"]
    assert start.getMessage() == "run night-7 started"
    assert end.getMessage().startswith("run night-7 completed: 2 claims, 1 evaluated, 1 rejected, 1 finding in ")


def test_an_event_for_which_there_is_no_room_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    file = tmp_path / "events.jsonl"
    run(tmp_path, "-o", tmp_path / "f.csv", "--lineage", file)
    before = file.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
    try:
        done = run(tmp_path, "-o", tmp_path / "f.csv", "--lineage", file, status=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "events.jsonl cannot be written: No space left on device" in done.stderr
    assert file.read_bytes() == before


def test_nothing_but_what_goes_wrong_is_on_standard_error_of_a_quiet_run(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    claims.write_text("claim_id,codes\nA,M62.84\n")
    command = ["scrub", claims, "--only", "weakness", "--into", f"duckdb:{tmp_path / 'f.db'}:findings", "--quiet"]
    done = subprocess.run([sys.executable, "-m", "weakcode", *command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
