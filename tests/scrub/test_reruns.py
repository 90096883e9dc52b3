"""Nightly runs into PostgreSQL that are killed and tried again: one copy of each finding, and a record of each run."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest


def asked(db: str, query: str) -> list[tuple[Any, ...]]:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(db, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []


@pytest.fixture
def command(postgresql: str, tmp_path: Path) -> list[str]:
    asked(postgresql, "DROP TABLE IF EXISTS findings, rejects, runs")
    path = tmp_path / "claims.csv"
    rows = [f"C{number},{'' if number % 100 == 0 else 'M62.84'},2026-05-0{number % 9 + 1}" for number in range(3_000)]
    path.write_text("\n".join(["claim_id,codes,service_date", *rows, ""]))
    return [
        *(sys.executable, "-m", "weakcode", "scrub", "--only", "weakness", str(path), "--quiet", "--db", postgresql),
        *("--into", "findings", "--rejects-into", "rejects", "--fail-on", "never"),
    ]


def counts(db: str) -> list[tuple[Any, ...]]:
    query = "SELECT count(*), count(DISTINCT finding_id), (SELECT count(*) FROM rejects) FROM findings"
    return asked(db, query)


def test_files_are_scrubbed_into_postgresql_and_a_run_or_partition_takes_the_place_of_its_like(
    postgresql: str, command: list[str]
) -> None:
    subprocess.run([*command, "--run-id", "one"], check=True)
    assert counts(postgresql) == [(2_970, 2_970, 30)]
    subprocess.run([*command, "--into-mode", "run", "--run-id", "two"], check=True)
    subprocess.run([*command, "--into-mode", "run", "--run-id", "two"], check=True)
    assert counts(postgresql) == [(5_940, 2_970, 60)]
    partition = ("--into-mode", "partition", "--partition-by", "month,payer", "--run-id", "three")
    subprocess.run([*command, *partition], check=True)
    assert counts(postgresql) == [(2_970, 2_970, 90)]
    assert asked(postgresql, "SELECT id, findings, rejected FROM runs ORDER BY id") == [
        ("one", 2_970, 30), ("three", 2_970, 30), ("two", 2_970, 30),
    ]  # fmt: skip
    (raw,) = asked(postgresql, "SELECT raw, reason FROM rejects WHERE claim_id = 'C0' AND run_id = 'three'")
    assert raw[0] == "C0,,2026-05-01"
    assert raw[1]


@pytest.mark.parametrize("times", [2, pytest.param(10, marks=pytest.mark.attack)])
@pytest.mark.parametrize("mode", ["upsert", "run"])
def test_kills_and_retries_leave_one_copy_of_each_finding_and_a_record_of_the_run(
    postgresql: str, command: list[str], mode: str, times: int
) -> None:
    command = [*command, "--run-id", "night-1", "--into-mode", mode]
    began = time.monotonic()
    subprocess.run(command, check=True)
    took = time.monotonic() - began
    asked(postgresql, "DROP TABLE findings, rejects, runs")
    dice = random.Random(times)
    for _ in range(times):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(dice.uniform(0.3, 1.1) * took)
        running.send_signal(signal.SIGKILL)
        running.wait()
        if asked(postgresql, "SELECT to_regclass('findings')") != [(None,)]:
            assert counts(postgresql) == [(2_970, 2_970, 30)]
            assert asked(postgresql, "SELECT id, claims_in FROM runs") == [("night-1", 3_000)]
    for _ in range(times):
        subprocess.run(command, check=True)
    assert counts(postgresql) == [(2_970, 2_970, 30)]
    ((record,),) = asked(postgresql, "SELECT summary FROM runs")
    summary = json.loads(record)
    assert (summary["run"]["id"], summary["evaluated"], summary["rejected"]) == ("night-1", 2_970, 30)
