"""Ten kills at moments spread over a nightly run, each tried again: one copy of each finding, and a record of each run.

Runs are children of one process that has imported everything, so that the moments fall on reading, judging and writing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.scrub.databases import asked, asked_of

from weakcode.scrub.write.folders import JOURNAL

RUNNER = """
import os, signal, sys, time
import duckdb, pyarrow.dataset, pyarrow.parquet
from weakcode.cli import main
from weakcode import Validator
import weakcode.scrub.judge.batch, weakcode.scrub.read.csv.batch, weakcode.scrub.run, weakcode.scrub.write.folders

Validator(packs="weakness").warm()
for line in sys.stdin:
    after, *arguments = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if not child:
        try:
            main(arguments)
        except SystemExit as ending:
            os._exit(ending.code)
    if after:
        time.sleep(float(after))
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
KILLS = 10
CLAIMS, REJECTED = 5_000, 50
PLACES = [
    "postgresql upsert",
    pytest.param("postgresql run", marks=pytest.mark.attack),
    pytest.param("file", marks=pytest.mark.attack),
    pytest.param("folder", marks=pytest.mark.attack),
    "duckdb",
    pytest.param("sqlite", marks=pytest.mark.attack),
]


class Nights:
    """Runs of one command, and what they leave."""

    def __init__(self, place: str, folder: Path, db: str, runner: subprocess.Popen[str]) -> None:
        self.kind, _, mode = place.partition(" ")
        self.folder, self.db, self._runner = folder, db, runner
        claims = folder / "claims.csv"
        rows = [f"C{number},{'' if number % 100 == 0 else 'M62.84'},P{number % 7}" for number in range(CLAIMS)]
        claims.write_text("\n".join(["claim_id,codes,payer", *rows, ""]))
        into = {
            "duckdb": ["--into", f"duckdb:{folder / 'f.db'}:findings", "--rejects-into", "rejects"],
            "sqlite": ["--into", f"sqlite:{folder / 'f.db'}:findings", "--rejects-into", "rejects"],
            "postgresql": ["--db", db, "--into", "findings", "--into-mode", mode, "--rejects-into", "rejects"],
            "folder": ["--into", f"parquet:{folder / 'out'}", "--partition-by", "payer"],
            "file": ["-o", f"{folder / 'f.parquet'}", "--records", f"{folder / 'records'}"],
        }[self.kind]
        rejects = [] if "--rejects-into" in into else ["--rejects", f"{folder / 'rejects.jsonl'}"]
        only = ["--only", "weakness", "--fail-on", "never", "--quiet", "--run-id"]
        self._arguments = ["scrub", str(claims), *into, *rejects, *only]

    def run(self, run: str, after: float | None = None) -> int:
        """Run once, killed after some seconds where they are given; return the exit status."""
        assert self._runner.stdin is not None
        assert self._runner.stdout is not None
        self._runner.stdin.write("\t".join(["" if after is None else str(after), *self._arguments, run]) + "\n")
        self._runner.stdin.flush()
        return int(self._runner.stdout.readline())

    def seconds(self, run: str) -> float:
        """Run once, and return how long that took."""
        began = time.monotonic()
        assert self.run(run) == 0
        return time.monotonic() - began

    def counts(self) -> tuple[int, int, int]:
        """Return how many findings there are, how many differ, and how many rejected rows."""
        if self.kind in ("file", "folder"):
            files = [self.folder / "f.parquet"] if self.kind == "file" else sorted(self.folder.rglob("out/*/*.parquet"))
            ids = [one for file in files for one in pq.read_table(file)["finding_id"].to_pylist()]
            return len(ids), len(set(ids)), len((self.folder / "rejects.jsonl").read_text().splitlines())
        found = "SELECT count(*), count(DISTINCT finding_id), (SELECT count(*) FROM rejects) FROM findings"
        (row,) = asked_of(self.kind, self.folder, self.db, found)
        return (row[0], row[1], row[2])

    def records(self) -> dict[str, tuple[str, int | None]]:
        """Return of each run its state, and how many claims it read."""
        if self.kind in ("file", "folder"):
            read = [json.loads(one.read_text()) for one in self._of_runs().glob("[!.]*")]
            return {one["run"]["id"]: (one.get("state", "completed"), one.get("claims_in")) for one in read}
        return {
            run: (state, claims)
            for run, state, claims in asked_of(self.kind, self.folder, self.db, "SELECT id, state, claims_in FROM runs")
        }

    def _of_runs(self) -> Path:
        return self.folder / ("records" if self.kind == "file" else "out/_runs")


@pytest.fixture(scope="module")
def runner() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", RUNNER], stdin=pipe, stdout=pipe, text=True) as running:
        yield running
        assert running.stdin is not None
        running.stdin.close()


@pytest.mark.parametrize("place", PLACES)
def test_ten_kills_and_ten_retries_leave_one_copy_of_each_finding_and_a_record_of_each_run(
    request: pytest.FixtureRequest, tmp_path: Path, runner: subprocess.Popen[str], place: str
) -> None:
    db = request.getfixturevalue("postgresql") if place.startswith("postgresql") else ""
    nights = Nights(place, tmp_path, db, runner)
    if db:
        asked(db, "DROP TABLE IF EXISTS findings, rejects, runs")
    whole = (CLAIMS - REJECTED, CLAIMS - REJECTED, REJECTED)
    nights.run("night")
    took = min(nights.seconds("night"), nights.seconds("night"))
    ends = Counter[int]()
    for kill in range(KILLS):
        # The same run again and again; every other one is of the next night, where that replaces the one before.
        night = "night" if nights.kind == "folder" or place.endswith("run") else f"night-{kill // 2}"
        ends[nights.run(night, (kill + 0.5) / KILLS * took)] += 1
        # Of a folder, a journal says which files the next run has still to put in their places.
        assert (tmp_path / "out" / JOURNAL).exists() or nights.counts() == whole
        assert {state for state, _ in nights.records().values()} <= {"running", "completed"}
        assert nights.run(night) == 0
        assert nights.counts() == whole
        assert set(nights.records().values()) == {("completed", CLAIMS)}
    assert set(ends) <= {-9, 0}
    assert ends[-9] >= KILLS // 2
    assert not list(tmp_path.rglob(".*.partial"))
