"""Findings into a file of DuckDB or SQLite: one copy of each, whatever is repeated or stopped."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from weakcode.cli import main

KINDS = ["duckdb", "sqlite"]
ROWS = ["A,M62.84", "B,M62.84", ",M62.84", "D,"]


def scrub(*arguments: object, status: int = 1) -> Result:
    result = CliRunner().invoke(main, ["scrub", "--only", "weakness", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


def claims(folder: Path, rows: list[str]) -> Path:
    path = folder / "claims.csv"
    path.write_text("claim_id,codes\n" + "".join(f"{row}\n" for row in rows))
    return path


def asked(kind: str, path: Path, query: str) -> list[tuple[Any, ...]]:
    connection: Any = duckdb.connect(str(path)) if kind == "duckdb" else sqlite3.connect(path)
    try:
        return list(connection.execute(query).fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize("engine", ["columnar", "durable"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_repeated_run_leaves_one_copy_and_a_record_of_each_run(tmp_path: Path, kind: str, engine: str) -> None:
    path, file = claims(tmp_path, ROWS), tmp_path / "f.db"
    for times in (1, 2, 3):
        scrub(path, "--into", f"{kind}:{file}:findings", "--engine", engine, "--run-id", f"r{times}")
        found = asked(kind, file, "SELECT claim_id, rule, run_id, line FROM findings ORDER BY line")
        assert [(claim, run, line) for claim, _, run, line in found] == [
            ("A", f"r{times}", 2), ("B", f"r{times}", 3), (None, f"r{times}", 4),
        ]  # fmt: skip
        runs = asked(kind, file, "SELECT id, claims_in, evaluated, rejected, findings FROM runs ORDER BY id")
        assert runs == [(f"r{number}", 4, 3, 1, 3) for number in range(1, times + 1)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_findings_of_a_mended_claim_go_and_those_of_others_stay(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "f.db"
    scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{file}:findings")
    scrub(claims(tmp_path, ["A,I10", "E,M62.84", "B,"]), "--into", f"{kind}:{file}:findings")
    assert asked(kind, file, "SELECT claim_id FROM findings WHERE claim_id IS NOT NULL ORDER BY 1") == [("B",), ("E",)]
    scrub(claims(tmp_path, ["Z,M62.84"]), "--into", f"{kind}:{file}:findings", "--into-mode", "replace")
    assert asked(kind, file, "SELECT claim_id FROM findings") == [("Z",)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_that_is_not_a_findings_table_is_left_unchanged(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "f.db"
    asked(kind, file, "CREATE TABLE mine (x INTEGER)")
    said = scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{file}:mine", status=2).output
    assert "other columns" in said
    assert asked(kind, file, "SELECT * FROM mine") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_not_a_database_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "f.db").write_text("no database, and longer than the header of one" * 9)
    said = scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{tmp_path / 'f.db'}:findings", status=2).output
    assert "cannot be written to" in said
    assert "Traceback" not in said
    said = scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{tmp_path / 'no' / 'f.db'}:findings", status=2).output
    assert "does not exist" in said


@pytest.mark.parametrize("waits", [True, False])
def test_a_run_waits_for_a_file_of_duckdb_that_another_process_has(
    tmp_path: Path, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = claims(tmp_path, ROWS), tmp_path / "f.db"
    monkeypatch.setattr("weakcode.scrub.write.databases.embedded._PATIENCE", 60.0 if waits else 0.0)
    holding = f"import duckdb, sys; held = duckdb.connect({str(file)!r}); print('held', flush=True); sys.stdin.read(1)"
    with subprocess.Popen([sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        if waits:
            monkeypatch.setattr("weakcode.scrub.write.databases.embedded._BETWEEN", 0.05)
            threading.Timer(0.3, other.stdin.close).start()
            scrub(path, "--into", f"duckdb:{file}:findings")
        else:
            said = scrub(path, "--into", f"duckdb:{file}:findings", status=75).output
            assert "f.db is in use by another process; run again when that has ended" in said
            compared = CliRunner().invoke(main, ["compare", *[f"duckdb:{file}:findings"] * 2])
            assert compared.exit_code == 75
            assert "f.db is in use by another process; run again when that has ended" in compared.output
            other.stdin.close()


def test_a_file_of_sqlite_that_stays_locked_is_told_apart_from_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weakcode.scrub.write.databases.embedded._PATIENCE", 0.0)
    path, file = claims(tmp_path, ROWS), tmp_path / "f.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    said = scrub(path, "--into", f"sqlite:{file}:findings", status=75).output
    assert "f.db is in use by another process; run again when that has ended" in said
    other.close()
    scrub(path, "--into", f"sqlite:{file}:findings")


@pytest.mark.parametrize("kind", [*KINDS, "adbc"])
def test_a_run_or_a_partition_takes_the_place_of_its_like(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "f.db"
    into = ["--into", f"{kind}:{file}:findings"]
    if kind == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs ADBC's driver of SQLite")
        into = ["--db", f"adbc:sqlite:{file}", "--into", "findings"]

    def run(rows: list[str], *options: str) -> list[tuple[str, ...]]:
        path = tmp_path / "claims.csv"
        path.write_text("claim_id,codes,service_date,payer\n" + "".join(f"{row}\n" for row in rows))
        scrub(path, *into, *options)
        return asked("sqlite" if kind == "adbc" else kind, file, "SELECT claim_id, run_id FROM findings ORDER BY 1, 2")

    rows = ["A,M62.84,2026-04-30,X", "B,M62.84,2026-05-02,X", "C,M62.84,2026-05-03,"]
    one = [("A", "one"), ("B", "one"), ("C", "one")]
    assert run(rows, "--run-id", "one") == one
    two = ("--into-mode", "run", "--run-id", "two")
    assert run(rows[1:], *two) == run(rows[1:], *two) == [*one[:2], ("B", "two"), one[2], ("C", "two")]
    left = run(rows[:1], "--into-mode", "run", "--run-id", "one")
    assert left == [("A", "one"), ("B", "two"), ("C", "two")]
    later = ["E,M62.84,2026-05-09,", "F,M62.84,2026-06-09,X"]
    found = run(later, "--into-mode", "partition", "--partition-by", "payer,month", "--run-id", "3")
    assert found == [("A", "one"), ("B", "two"), ("E", "3"), ("F", "3")]


@pytest.mark.parametrize("kind", [*KINDS, "adbc"])
def test_rejected_rows_have_a_table_with_their_text_and_go_when_their_claim_is_judged(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEAKCODE_HASH_KEY", "a key of the practice")
    file = tmp_path / "f.db"
    into = ["--into", f"{kind}:{file}:findings", "--rejects-into", "rejects"]
    if kind == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs ADBC's driver of SQLite")
        into = ["--db", f"adbc:sqlite:{file}", "--into", "findings", "--rejects-into", "rejects"]

    def rejects() -> list[tuple[Any, ...]]:
        query = "SELECT claim_id, line, raw, run_id FROM rejects ORDER BY line, claim_id"
        return asked("sqlite" if kind == "adbc" else kind, file, query)

    scrub(claims(tmp_path, ROWS), *into, "--run-id", "one")
    assert rejects() == [("D", 5, "D,", "one")]
    scrub(claims(tmp_path, ["A,M62.84", "E,", ","]), *into, "--run-id", "two")
    assert rejects() == [("E", 3, "E,", "two"), ("D", 5, "D,", "one")]
    scrub(claims(tmp_path, ["D,M62.84", "E,"]), *into, "--run-id", "three")
    assert rejects() == [("E", 3, "E,", "three")]
    scrub(claims(tmp_path, ["D,", "E,"]), *into, "--run-id", "four", "--max-rejects", "0", status=3)
    assert [(claim, run) for claim, _, _, run in rejects()] == [("D", "four"), ("E", "four")]
    scrub(claims(tmp_path, ["D,M62.84", "E,"]), *into, "--hash-ids", "--run-id", "five")
    assert [raw for _, _, raw, run in rejects() if run == "five"] == [""]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--db", "adbc:sqlite", "--into", "findings"], "names a driver and a database"),
        (["--db", "adbc:no_such_driver:x", "--into", "findings"], "cannot be reached by the driver no_such_driver"),
        (["--db", "postgresql://h/d"], "--into TABLE to write into"),
        (["--db", "postgresql://h/d", "--into", "duckdb:f.db:t"], "--into TABLE to write into"),
        (["--into-mode", "append"], "goes with --into"),
        (["--into", "duckdb:f.db:t", "--partition-by", "payer"], "--into-mode partition"),
    ],
)
def test_options_of_tables_that_do_not_go_together_are_reported(tmp_path: Path, options: list[str], said: str) -> None:
    if "adbc" in options[1]:
        pytest.importorskip("adbc_driver_manager", reason="needs the extra sql")
    assert said in scrub(claims(tmp_path, ROWS), *options, status=2).output


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("table", "rejects", "said"),
    [
        ("Runs", "rejects", "runs is the table of the runs, beside the findings; give the findings another one"),
        ("findings", "runs", "runs is the table of the runs, beside the findings; give the rejected rows another one"),
        ("weakcode_found", "rejects", "weakcode_found is the table of what waits to be written"),
        ("new", "main.new", "is named for findings and for rejected rows"),
        ("findings", "Findings", "without reason; give the rejected rows a table of their own"),
        ("everything", "rejects", "everything is a view"),
    ],
)
def test_a_table_that_findings_cannot_go_into_is_refused_before_any_claim_is_read(
    tmp_path: Path, kind: str, table: str, rejects: str, said: str
) -> None:
    file = tmp_path / "f.db"
    scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{file}:findings", "--run-id", "one")
    asked(kind, file, "CREATE VIEW everything AS SELECT * FROM findings")
    into = ["--into", f"{kind}:{file}:{table}", "--rejects-into", rejects]
    assert said in scrub(tmp_path / "no-such-file.csv", *into, status=2).output
    assert asked(kind, file, "SELECT id FROM runs") == [("one",)]


def test_a_table_whose_columns_were_changed_is_refused_before_any_claim_is_read(tmp_path: Path) -> None:
    file = tmp_path / "f.db"
    into = ["--into", f"duckdb:{file}:findings"]
    scrub(claims(tmp_path, ROWS), *into)
    asked("duckdb", file, "ALTER TABLE findings ALTER claim_id TYPE INTEGER USING 1")
    before = asked("duckdb", file, "FROM findings"), asked("duckdb", file, "FROM runs")
    said = scrub(tmp_path / "no-such-file.csv", *into, status=2).output
    assert "the findings cannot be written to" in said
    assert (asked("duckdb", file, "FROM findings"), asked("duckdb", file, "FROM runs")) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_the_same_however_it_is_spelled(tmp_path: Path, kind: str) -> None:
    path, file, digests = claims(tmp_path, ROWS), tmp_path / "f.db", tmp_path / "d.parquet"
    scrub(path, "--into", f"{kind}:{file}:findings", "--digests", digests)
    for spelled in ("main.findings", "Findings"):
        scrub(path, "--into", f"{kind}:{file}:{spelled}")
    runs = "SELECT findings_table, number FROM runs ORDER BY number"
    assert asked(kind, file, runs) == [("findings", 1), ("findings", 2), ("findings", 3)]
    # Another run may have judged by other rules, and its findings are those in the table now.
    said = scrub(path, "--into", f"{kind}:{file}:findings", "--since", digests, status=2).output
    assert "another one did; run once without --since" in said
    page = tmp_path / "page.html"
    shown = CliRunner().invoke(main, ["report", f"{kind}:{file}:main.findings", "-o", str(page)])
    assert "3 runs" in shown.output


@pytest.mark.parametrize("name", ["claims.csv", "claims.json", "claims.parquet"])
def test_findings_do_not_go_into_a_file_of_something_else_which_duckdb_would_open_in_memory(
    tmp_path: Path, name: str
) -> None:
    path = claims(tmp_path, ROWS)
    other = tmp_path / name
    if name == "claims.parquet":
        duckdb.sql("SELECT 'some text' AS a").write_parquet(str(other))
    elif name == "claims.json":
        other.write_text('[{"a": "more than twelve bytes"}]')
    content = other.read_bytes()
    said = scrub(path, "--into", f"duckdb:{other}:findings", status=2).output
    assert "it is not a database of DuckDB" in said
    assert other.read_bytes() == content
    compared = CliRunner().invoke(main, ["compare", f"duckdb:{other}:findings", str(other)])
    assert "it is not a database of DuckDB" in compared.output


@pytest.mark.parametrize("kind", KINDS)
def test_findings_do_not_go_into_memory_where_nobody_would_see_them(tmp_path: Path, kind: str) -> None:
    said = scrub(claims(tmp_path, ROWS), "--into", f"{kind}::memory::findings", status=2).output
    assert "what is in memory is gone when the run has ended" in said


def test_hashed_ids_that_are_others_in_each_run_would_replace_no_findings_and_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WEAKCODE_HASH_KEY", raising=False)
    path, options = claims(tmp_path, ROWS), ["--into", "duckdb:f.db:findings"]
    assert "needs WEAKCODE_HASH_KEY" in scrub(path, *options, "--hash-ids", status=2).output
    assert [one.name for one in tmp_path.iterdir()] == ["claims.csv"]
    monkeypatch.setenv("WEAKCODE_HASH_KEY", "a key of the practice")
    for _ in range(2):
        scrub(path, *options, "--hash-ids")
    assert asked("duckdb", tmp_path / "f.db", "SELECT count(*) FROM findings WHERE claim_id <> ''") == [(2,)]
    monkeypatch.delenv("WEAKCODE_HASH_KEY")
    scrub(path, *options, "--hash-ids", "--into-mode", "append")


@pytest.mark.parametrize(("kind", "name"), [("duckdb", "SQLite"), ("sqlite", "DuckDB")])
def test_a_file_of_the_other_kind_is_reported(tmp_path: Path, kind: str, name: str) -> None:
    (other,) = set(KINDS) - {kind}
    scrub(claims(tmp_path, ROWS), "--into", f"{other}:{tmp_path / 'f.db'}:findings")
    said = f"f.db is a database of {name}; write {other}: instead of {kind}:"
    assert said in scrub(claims(tmp_path, ROWS), "--into", f"{kind}:{tmp_path / 'f.db'}:findings", status=2).stderr
    compared = CliRunner().invoke(main, ["compare", *[f"{kind}:{tmp_path / 'f.db'}:findings"] * 2])
    assert compared.exit_code == 2
    assert said in compared.stderr


def test_a_file_of_duckdb_that_found_no_room_is_not_in_the_way_of_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(path: str, **_: object) -> None:
        Path(path).touch()
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    into = ["--into", f"duckdb:{tmp_path / 'f.db'}:findings"]
    with monkeypatch.context() as patched:
        patched.setattr(duckdb, "connect", connect)
        assert "No space left on device" in scrub(claims(tmp_path, ROWS), *into, status=2).stderr
    scrub(claims(tmp_path, ROWS), *into)
