"""Nightly runs into PostgreSQL: runs and partitions that take the place of their like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.forked import Forks


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
        *("scrub", "--only", "weakness", str(path), "--quiet", "--db", postgresql),
        *("--into", "findings", "--rejects-into", "rejects", "--fail-on", "never"),
    ]


def counts(db: str) -> list[tuple[Any, ...]]:
    query = "SELECT count(*), count(DISTINCT finding_id), (SELECT count(*) FROM rejects) FROM findings"
    return asked(db, query)


def test_files_are_scrubbed_into_postgresql_and_a_run_or_partition_takes_the_place_of_its_like(
    postgresql: str, command: list[str], forks: Forks, tmp_path: Path
) -> None:
    def run(*more: str) -> None:
        done = forks.run(*command, *more, folder=tmp_path)
        assert done.returncode == 0, done.stderr

    run("--run-id", "one")
    assert counts(postgresql) == [(2_970, 2_970, 30)]
    run("--into-mode", "run", "--run-id", "two")
    run("--into-mode", "run", "--run-id", "two")
    assert counts(postgresql) == [(5_940, 2_970, 60)]
    partition = ("--into-mode", "partition", "--partition-by", "month,payer", "--run-id", "three")
    run(*partition)
    assert counts(postgresql) == [(2_970, 2_970, 90)]
    assert asked(postgresql, "SELECT id, findings, rejected FROM runs ORDER BY id") == [
        ("one", 2_970, 30), ("three", 2_970, 30), ("two", 2_970, 30),
    ]  # fmt: skip
    (raw,) = asked(postgresql, "SELECT raw, reason FROM rejects WHERE claim_id = 'C0' AND run_id = 'three'")
    assert raw[0] == "C0,,2026-05-01"
    assert raw[1]
