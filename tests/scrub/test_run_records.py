"""The record of a run says from its start to its end what happened to it, wherever its findings go."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.forked import Forks
from tests.scrub.databases import asked, asked_of

from weakcode import Validator
from weakcode.cli import main
from weakcode.scrub.run import Plan
from weakcode.scrub.write.databases import postgres
from weakcode.scrub.write.targets import sink_for


def full_for(monkeypatch: pytest.MonkeyPatch, folder: Path, pattern: str) -> None:
    """Have the disk be full for some files."""
    synced = os.fsync

    def fsync(handle: int) -> None:
        if any(os.path.samestat(os.fstat(handle), path.stat()) for path in folder.glob(pattern)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        synced(handle)

    monkeypatch.setattr(os, "fsync", fsync)


PLACES = ["duckdb", "sqlite", "postgresql", "folder", "file"]
KILLED = (
    "import os, signal, sys\n"
    "from weakcode.cli import main\n"
    "from weakcode.scrub import run\n"
    "run._Run.summary = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    "main(sys.argv[1:])"
)


class Place:
    """Where findings go, and how the record of a run is read there."""

    def __init__(self, kind: str, folder: Path, db: str) -> None:
        self.kind, self.folder, self.db = kind, folder, db
        self.claims = folder / "claims.csv"
        self.claims.write_text("claim_id,codes\nA,M62.84\nB,I10\n")

    def arguments(self, *options: object) -> list[str]:
        into = {
            "duckdb": ["--into", f"duckdb:{self.folder / 'f.db'}:findings"],
            "sqlite": ["--into", f"sqlite:{self.folder / 'f.db'}:findings"],
            "postgresql": ["--db", self.db, "--into", "findings"],
            "folder": ["--into", f"parquet:{self.folder / 'out'}"],
            "file": ["-o", str(self.folder / "f.parquet"), "--records", str(self.folder / "records")],
        }[self.kind]
        return ["scrub", "--only", "weakness", str(self.claims), *into, "--quiet", *map(str, options)]

    def run(self, *options: object, status: int = 1) -> Result:
        result = CliRunner().invoke(main, self.arguments(*options))
        assert result.exit_code == status, result.output
        return result

    def kill(self, forks: Forks, *options: object) -> None:
        done = forks.run(*self.arguments(*options), program=KILLED, folder=self.folder)
        assert done.returncode == -9

    def record(self, run: str) -> tuple[str, str, int | None]:
        """Return the state of a run, why, and its claims."""
        if self.kind in ("folder", "file"):
            records = self.folder / ("out/_runs" if self.kind == "folder" else "records")
            path = next(records / name for name in (f"{run}.running", f"{run}.json") if (records / name).exists())
            said = json.loads(path.read_text())
            state = said.get("state") or ("completed" if said["is_kept"] else "not kept")
            return state, said.get("why", ""), said.get("claims_in")
        query = f"SELECT state, coalesce(why, ''), claims_in FROM runs WHERE id = '{run}'"
        (row,) = asked_of(self.kind, self.folder, self.db, query)
        return row


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    db = request.getfixturevalue("postgresql") if request.param == "postgresql" else ""
    if db:
        asked(db, "DROP TABLE IF EXISTS findings, rejects, runs")
    return Place(request.param, tmp_path, db)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_run_that_is_killed_is_under_way_until_the_next_one_tells_that_it_was_killed(
    place: Place, forks: Forks
) -> None:
    place.kill(forks, "--run-id", "monday")
    assert place.record("monday") == ("running", "", None)
    place.run("--run-id", "tuesday")
    state, why, claims = place.record("monday")
    assert (state, claims) == ("killed", None)
    assert "killed, or its machine stopped" in why
    assert place.record("tuesday") == ("completed", "", 2)
    place.run("--run-id", "monday")
    assert place.record("monday") == ("completed", "", 2)


@pytest.mark.parametrize("place", PLACES, indirect=True)
def test_a_run_that_fails_or_is_not_kept_says_why_and_its_retry_takes_its_place(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.claims.rename(place.folder / "elsewhere.csv")
    place.run("--run-id", "monday", status=2)
    state, why, claims = place.record("monday")
    assert (state, claims) == ("failed", None)
    assert "does not exist" in why

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("weakcode.scrub.run._Run.file", stops)
        (place.folder / "elsewhere.csv").rename(place.claims)
        place.run("--run-id", "monday", status=130)
    assert place.record("monday")[0] == "stopped"
    place.claims.write_text("claim_id,codes\nA,\n")
    place.run("--run-id", "monday", status=2)
    assert place.record("monday") == ("not kept", "", 1)


@pytest.mark.parametrize("place", ["sqlite", "folder"], indirect=True)
def test_a_run_that_completed_and_is_tried_again_in_vain_stays_completed(place: Place, forks: Forks) -> None:
    place.run("--run-id", "monday")
    place.kill(forks, "--run-id", "monday")
    place.run("--run-id", "tuesday")
    state, why, claims = place.record("monday")
    assert (state, claims) == ("completed", 2)
    if place.kind != "folder":
        assert why.startswith("killed: an attempt to run it again did not complete")


def test_a_killed_run_is_found_where_only_files_open_for_writing_can_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    place, locked = Place("file", tmp_path, ""), fcntl.flock

    def as_on_nfs(file: Any, how: int) -> None:
        if fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        locked(file, how)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    place.run("--run-id", "monday")
    (tmp_path / "records" / "sunday.running").write_text('{"run": {"id": "sunday", "started": "", "ended": ""}}')
    place.run("--run-id", "tuesday")
    assert json.loads((tmp_path / "records" / "sunday.json").read_text())["state"] == "killed"


@pytest.mark.parametrize("kind", ["postgresql", "folder", "file"])
def test_a_run_of_the_same_id_waits_for_no_end_of_the_other(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = request.getfixturevalue("postgresql") if kind == "postgresql" else ""
    monkeypatch.setattr(postgres, "WAITS", 0.0)
    place = Place(kind, tmp_path, db)
    said = []
    judge = Plan.run

    def meanwhile(plan: Plan) -> Any:
        if not said:
            said.append("")
            other = Plan(
                plan.inputs, plan.judge, run_id=plan.run_id, output=plan.output, watchers=plan.watchers,
                sink=plan.sink, progress=lambda *_: said.append(place.run("--run-id", "monday", status=75).output),
            )  # fmt: skip
            return judge(other)
        return judge(plan)

    monkeypatch.setattr(Plan, "run", meanwhile)
    place.run("--run-id", "monday")
    assert "run monday is under way already" in said[1]
    assert place.record("monday") == ("completed", "", 2)


def test_runs_that_begin_at_the_same_time_make_the_tables_once(postgresql: str, tmp_path: Path) -> None:
    asked(postgresql, "DROP TABLE IF EXISTS findings, rejects, runs")
    place, validator = Place("postgresql", tmp_path, postgresql), Validator(packs="weakness")

    def run(number: int) -> int:
        sink = sink_for("findings", postgresql, {}, mode="run", rejects="rejects")
        return Plan([place.claims], validator, sink=sink, run_id=f"r{number}").run().findings

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(4))) == [1] * 4
    assert asked(postgresql, "SELECT count(*) FROM findings") == [(4,)]
    assert asked(postgresql, "SELECT state, count(*) FROM runs GROUP BY state") == [("completed", 4)]


def test_a_report_over_records_shows_the_runs_that_completed(tmp_path: Path) -> None:
    from weakcode.report.runs import runs_of

    place = Place("file", tmp_path, "")
    place.run("--run-id", "monday")
    place.run(tmp_path / "none.csv", "--run-id", "tuesday", status=2)
    runs = runs_of([str(tmp_path / "records"), str(tmp_path / "f.parquet")])
    assert [one.id for one in runs] == ["monday"]


def test_a_new_folder_of_a_run_that_cannot_begin_is_not_made(tmp_path: Path) -> None:
    place = Place("folder", tmp_path, "")
    place.run("--rejects", place.claims, status=2)
    place.run("--digests", tmp_path / "d.parquet", status=2)
    assert not (tmp_path / "out").exists()


def test_a_record_without_room_is_reported_before_anything_is_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place("file", tmp_path, "")
    (tmp_path / "f.parquet").write_bytes(b"of yesterday")
    full_for(monkeypatch, tmp_path / "records", ".*.json.partial")
    said = place.run("--run-id", "monday", status=2).stderr
    assert said.startswith("weakcode: the disk is full: ")
    assert said.count("\n") == 1
    assert (tmp_path / "f.parquet").read_bytes() == b"of yesterday"
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["monday.running"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_record_is_whole_whenever_it_is_read_or_its_run_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = Place(kind, tmp_path, "")
    folder = tmp_path / ("records" if kind == "file" else "out/_runs")
    opened, states = Path.open, list[set[str]]()

    def open_and_look(path: Path, *arguments: Any, **options: Any) -> Any:
        file = opened(path, *arguments, **options)
        records = [json.loads(opened(one, "rb").read()) for one in folder.glob("[!.]*")]
        states.append({one.get("state", "completed") for one in records})
        return file

    monkeypatch.setattr(Path, "open", open_and_look)
    place.run("--run-id", "monday")
    assert {"running"} in states
    assert place.record("monday")[0] == "completed"


@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "folder"])
def test_a_summary_without_room_leaves_what_findings_go_into_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    place = Place(kind, tmp_path, "")
    place.run("--run-id", "monday")
    full_for(monkeypatch, tmp_path, ".s.json.*.partial")
    assert "the disk is full" in place.run("--run-id", "tuesday", "--summary", tmp_path / "s.json", status=2).stderr
    assert place.record("monday")[0] == "completed"
    assert place.record("tuesday")[0] == "failed"
    if kind == "folder":
        assert [path.name for path in (tmp_path / "out").glob("*.parquet")] == ["findings-monday.parquet"]
    else:
        assert asked_of(kind, tmp_path, "", "SELECT DISTINCT run_id FROM findings") == [("monday",)]
