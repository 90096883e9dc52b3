"""Findings into a folder of Parquet files: each run once, in the partitions that were asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import weakcode
from weakcode.cli import main
from weakcode.scrub.runs import RunTime
from weakcode.scrub.write.folders import JOURNAL, FolderSink, complete, parquet_files
from weakcode.scrub.write.sinks import Placing

CLAIMS = [
    ("A", "M62.84", "2026-04-30", "Acme/1"),
    ("B", "M62.84", "2026-05-02", "Acme/1"),
    ("C", "M62.84", "2026-05-03", ""),
    ("D", "I10", "2026-05-03", "Blue"),
]


def scrub(folder: Path, *options: object, rows: list[tuple[str, ...]] | None = None, status: int = 1) -> Result:
    claims = folder / "claims.csv"
    lines = [",".join(row) for row in (CLAIMS if rows is None else rows)]
    claims.write_text("\n".join(["claim_id,codes,service_date,payer", *lines, ""]))
    out = ["scrub", str(claims), "--only", "weakness", "--into", f"parquet:{folder / 'out'}", *map(str, options)]
    result = CliRunner().invoke(main, out)
    assert result.exit_code == status, result.output
    return result


def claims_in(folder: Path) -> list[str]:
    return sorted(row for file in parquet_files(folder / "out") for row in pq.read_table(file)["claim_id"].to_pylist())


def names_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder / "out")) for path in parquet_files(folder / "out"))


def test_findings_are_parted_as_asked_and_any_tool_reads_them(tmp_path: Path) -> None:
    scrub(tmp_path, "--partition-by", "payer,month", "--run-id", "night-1")
    assert names_in(tmp_path) == [
        "payer=Acme%2F1/month=2026-04/findings-night-1.parquet",
        "payer=Acme%2F1/month=2026-05/findings-night-1.parquet",
        "payer=__HIVE_DEFAULT_PARTITION__/month=2026-05/findings-night-1.parquet",
    ]
    assert claims_in(tmp_path) == ["A", "B", "C"]
    out = tmp_path / "out"
    assert ds.dataset(out, partitioning="hive").to_table(columns=["claim_id"]).num_rows == 3
    query = f"SELECT claim_id FROM read_parquet('{out}/**/*.parquet', hive_partitioning = true) WHERE month = '2026-05'"
    assert len(duckdb.sql(query).fetchall()) == 2
    record = json.loads((out / "_runs" / "night-1.json").read_text())
    assert (record["run"]["id"], record["findings"]) == ("night-1", 3)
    assert pq.read_metadata(out / names_in(tmp_path)[0]).metadata[b"weakcode.run.id"] == b"night-1"


@pytest.mark.parametrize(
    ("mode", "left"),
    [
        ("run", ["A", "B", "C", "E"]),
        ("append", ["A", "B", "C", "E"]),
        ("partition", ["A", "C", "E"]),
        ("replace", ["E"]),
    ],
)
def test_a_mode_says_what_becomes_of_what_is_there(tmp_path: Path, mode: str, left: list[str]) -> None:
    parted = ("--partition-by", "payer,month")
    scrub(tmp_path, *parted, "--run-id", "night-1")
    later = [("E", "M62.84", "2026-05-09", "Acme/1")]
    scrub(tmp_path, *parted, "--into-mode", mode, "--run-id", "night-2", rows=later)
    assert claims_in(tmp_path) == left
    assert len(list((tmp_path / "out" / "_runs").iterdir())) == 2
    # Once more, as a scheduler that retries it would.
    scrub(tmp_path, *parted, "--into-mode", mode, "--run-id", "night-2", rows=later)
    assert claims_in(tmp_path) == (sorted([*left, "E"]) if mode == "append" else left)
    assert not (tmp_path / "out" / JOURNAL).exists()
    assert not list((tmp_path / "out").glob(".*.partial"))


def test_a_run_that_is_not_kept_leaves_the_folder_and_a_record(tmp_path: Path) -> None:
    scrub(tmp_path, "--run-id", "good")
    scrub(
        tmp_path, "--run-id", "bad", "--into-mode", "replace", "--max-rejects", "0", rows=[("A", "", "", "")], status=3
    )
    assert claims_in(tmp_path) == ["A", "B", "C"]
    assert json.loads((tmp_path / "out" / "_runs" / "bad.json").read_text())["is_kept"] is False


def test_a_run_without_findings_leaves_a_file_without_rows(tmp_path: Path) -> None:
    scrub(tmp_path, "--run-id", "calm", rows=[("D", "I10", "", "")], status=0)
    assert names_in(tmp_path) == ["findings-calm.parquet"]
    assert claims_in(tmp_path) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--partition-by", "moth"], 'did you mean "month"'),
        (["--into-mode", "upsert"], "is for tables"),
        (["--into-mode", "partition"], "needs --partition-by"),
        (["--rejects-into", "rejects"], "use --rejects FILE"),
        (["--partition-by", "month", "--hash-ids"], "no service date with --hash-ids"),
    ],
)
def test_what_does_not_go_together_is_reported(tmp_path: Path, options: list[str], said: str) -> None:
    assert said in scrub(tmp_path, *options, status=2).output


def test_too_many_partitions_are_refused_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weakcode.scrub.write.folders._MOST_PARTITIONS", 1)
    assert "part them by less" in scrub(tmp_path, "--partition-by", "payer", status=2).output
    assert names_in(tmp_path) == []
    assert not list((tmp_path / "out").glob(".*.partial"))


def is_free(folder: Path) -> bool:
    """Whether nothing is left of a run that failed, and the next one works."""
    left = [one.name for one in (folder / "out").rglob("*") if one.suffix in (".journal", ".partial", ".parquet")]
    scrub(folder, "--run-id", "next")
    return left == [] and claims_in(folder) == ["A", "B", "C"]


def test_a_value_that_is_too_long_for_a_folder_is_refused_and_does_not_lock_out_later_runs(tmp_path: Path) -> None:
    long = [("A", "M62.84", "2026-05-02", "p" * 300)]
    said = scrub(tmp_path, "--partition-by", "payer", "--run-id", "bad", rows=long, status=2).output
    assert "a value of payer is too long for the name of a folder" in said
    assert "ppp" not in said
    assert is_free(tmp_path)


def test_a_run_that_cannot_put_all_its_files_in_place_puts_none_and_does_not_lock_out_later_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weakcode.scrub.write.folders._LONGEST_NAME", 10_000)
    long = [("A", "M62.84", "2026-05-02", "Acme"), ("B", "M62.84", "2026-05-02", "p" * 300)]
    said = scrub(tmp_path, "--partition-by", "payer", "--run-id", "bad", rows=long, status=2).output
    assert "File name too long" in said
    assert not (tmp_path / "out" / "payer=Acme").exists()
    assert is_free(tmp_path)


def test_a_partition_in_which_nothing_can_be_written_is_found_before_any_file_is_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "payer=Blue" and may_write(path, mode))
    rows = [("A", "M62.84", "2026-05-02", "Acme"), ("B", "M62.84", "2026-05-02", "Blue")]
    said = scrub(tmp_path, "--partition-by", "payer", "--run-id", "bad", rows=rows, status=2).output
    assert "Permission denied (payer=Blue)" in said
    assert is_free(tmp_path)


def test_two_values_that_are_one_folder_are_refused_instead_of_one_taking_the_place_of_the_other(
    tmp_path: Path,
) -> None:
    # As on a file system that does not tell upper from lower case.
    (tmp_path / "out" / "payer=ACME").mkdir(parents=True)
    (tmp_path / "out" / "payer=Acme").symlink_to("payer=ACME")
    rows = [("A", "M62.84", "2026-05-02", "Acme"), ("B", "M62.84", "2026-05-02", "ACME")]
    said = scrub(tmp_path, "--partition-by", "payer", "--run-id", "bad", rows=rows, status=2).output
    assert "two values of --partition-by name the same folder" in said
    assert is_free(tmp_path)


def test_findings_of_many_partitions_do_not_wait_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weakcode.scrub.write.folders._MOST_ROWS", 3)
    rows = [{"claim_id": f"C{number}", "codes": "M62.84", "payer": "PQ"[number % 2]} for number in range(8)]
    sink = FolderSink(str(tmp_path / "out"), Placing.of(None, "payer", is_folder=True))
    sink.started(RunTime.starting("n"))
    (batch,) = weakcode.Validator(packs="weakness").scrub(pa.Table.from_pylist(rows))
    for number in range(8):
        sink.write(batch.slice(number, 1))
        assert sum(part.rows for part in sink._parts.values()) <= 3
    sink.abandon()


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_run_that_is_killed_while_its_files_are_put_in_place_is_completed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    scrub(tmp_path, "--run-id", "old")
    replaced = Path.replace
    left = [done + 2]  # the record of the run that begins, and the journal, come first

    def killed(self: Path, target: Path) -> Path:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return replaced(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        # What is killed removes nothing.
        patched.setattr("weakcode.scrub.write.folders.shutil.rmtree", lambda *_, **__: None)
        scrub(tmp_path, "--run-id", "new", "--into-mode", "replace", "--partition-by", "month", status=130)
    assert (tmp_path / "out" / JOURNAL).exists()
    complete(tmp_path / "out")
    assert claims_in(tmp_path) == ["A", "B", "C"]
    assert all("findings-new" in name for name in names_in(tmp_path))
    scrub(tmp_path, "--run-id", "new", "--into-mode", "replace", "--partition-by", "month")
    assert claims_in(tmp_path) == ["A", "B", "C"]
    assert not list((tmp_path / "out").glob(".*.partial"))


def test_a_polite_kill_after_the_journal_leaves_the_whole_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replaced, calls = Path.replace, []

    def stopped(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 3:  # after the record of the run that begins, and the journal
            raise KeyboardInterrupt
        return replaced(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stopped)
        scrub(tmp_path, "--run-id", "new", "--partition-by", "month", status=130)
    assert claims_in(tmp_path) == ["A", "B", "C"]
    assert not (tmp_path / "out" / JOURNAL).exists()
    assert not list((tmp_path / "out").glob(".*.partial"))


@pytest.mark.parametrize("mode", [("replace",), ("partition", "--partition-by", "month")])
def test_a_run_that_would_remove_files_of_others_is_refused_before_any_work(
    tmp_path: Path, mode: tuple[str, ...]
) -> None:
    scrub(tmp_path, "--run-id", "one")
    theirs = tmp_path / "out" / "claims-2026.parquet"
    theirs.write_bytes(b"theirs")
    said = scrub(tmp_path, "--into-mode", *mode, status=2).output
    assert "has the file claims-2026.parquet" in said
    assert "a folder of their own" in said
    assert theirs.read_bytes() == b"theirs"
    scrub(tmp_path, "--run-id", "two")
    assert theirs.read_bytes() == b"theirs"
