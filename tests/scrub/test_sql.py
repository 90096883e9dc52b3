"""Claims from queries over files and from PostgreSQL, and findings into a table."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from weakcode import InputError, __version__
from weakcode.cli import main
from weakcode.scrub.read.layouts import parse_mapping
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.sql import QuerySource, TableSink


def weakcode(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def rows_of(*arguments: Any) -> list[Record | Rejected]:
    with QuerySource(*arguments) as source:
        return list(source)


def test_a_query_over_a_file_gives_claims(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": [7, 8], "dx": [["M6284", "I10"], []], "seen": ["2026-05-01", None]}), tmp_path / "c.parquet"
    )
    query = f"SELECT id AS claim_id, dx AS codes, seen::DATE AS service_date FROM '{tmp_path}/c.parquet' ORDER BY id"
    good, bad = rows_of(query)
    assert isinstance(good, Record)
    assert (good.line, good.claim.id, good.claim.codes, str(good.claim.service_date)) == (
        1,
        "7",
        ("M62.84", "I10"),
        "2026-05-01",
    )
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.claim_id, bad.part) == (2, "8", "codes")


def test_a_query_may_give_a_wide_or_mapped_table() -> None:
    (wide,) = rows_of("SELECT 'A' AS claim_id, 'I10' AS dx1, NULL AS dx2, 'R54' AS dx3")
    assert isinstance(wide, Record)
    assert wide.claim.codes == ("I10", "R54")
    mapping = parse_mapping(["id=nr,codes=d*,date=day"])
    (mapped,) = rows_of("SELECT 1 AS nr, 'R54' AS d2, 'I10' AS d1, TIMESTAMP '2026-05-01 10:00' AS day", None, mapping)
    assert isinstance(mapped, Record)
    assert (mapped.claim.codes, str(mapped.claim.service_date)) == (("I10", "R54"), "2026-05-01")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT 1 AS x", "its columns are x"),
        ("SELEC", "cannot be run: Parser Error"),
        ("SELECT * FROM 'none.parquet'", "cannot be run: IO Error"),
        ("CREATE TABLE t (x INT)", "takes one SELECT"),
        ("SELECT 1; SELECT 2", "takes one SELECT"),
        ("", "takes one SELECT"),
    ],
)
def test_a_query_that_gives_no_claims_is_refused_in_one_sentence(query: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        rows_of(query)
    assert "\n" not in str(caught.value)


def test_a_value_that_a_query_stumbles_over_is_not_repeated() -> None:
    with pytest.raises(InputError, match="failed on one of its rows") as caught:
        rows_of("SELECT v::INT AS claim_id, 'I10' AS codes FROM (VALUES ('secret')) t(v)")
    assert "secret" not in str(caught.value)


def test_a_query_is_scrubbed_on_the_command_line(tmp_path: Path) -> None:
    query = "SELECT * FROM (VALUES ('A', 'M62.84 I10'), ('B', 'I10'), ('C', NULL)) t(claim_id, codes)"
    printed = weakcode("scrub", "--sql", query, "--only", "weakness")
    assert "Claim A  M62.84 I10  query:1" in printed.stdout
    assert "3 claims in = 2 evaluated + 1 rejected" in printed.stdout
    for engine in ("durable", "columnar"):
        out = tmp_path / f"{engine}.parquet"
        result = weakcode("scrub", "--sql", query, "--only", "weakness", "--engine", engine, "-o", str(out))
        assert result.exit_code == 1, result.output
        found = pq.read_table(out).to_pylist()
        assert [(row["claim_id"], row["rule"], row["file"], row["line"]) for row in found] == [
            ("A", "weakness/sarcopenia-underlying-disease-first", "query", 1)
        ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there is no input"),
        (["--db", "postgresql://x/y"], "--db needs --sql"),
        (["--sql", "SELECT 1", "--into", "t"], "--into TABLE needs --db"),
        (["--sql", "SELECT 1", "--db", "mysql://u:secret@h/d"], "not mysql"),
    ],
)
def test_options_that_do_not_go_together_are_told(arguments: list[str], said: str) -> None:
    result = weakcode("scrub", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "secret" not in result.stderr


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of the tests' own, or a skip that says why there is none."""
    pytest.importorskip("adbc_driver_postgresql", reason="needs the extra sql")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    binaries = next((place for place in places if (place / "initdb").exists()), None)
    found = shutil.which("initdb")
    if binaries is None and found:
        binaries = Path(found).parent
    if binaries is None:
        pytest.skip("needs PostgreSQL's server programs (Debian: postgresql)")
    # The server refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user and subprocess.run([*user, "true"], capture_output=True, check=False).returncode:
        pytest.skip("runs as root, and there is no user postgres that a PostgreSQL server could run as")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="weakcode-pg-"))
    folder.chmod(0o777)
    data, options = folder / "data", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        for step in (
            [binaries / "initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync"],
            [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"],
        ):
            done = subprocess.run([*user, *map(str, step)], capture_output=True, text=True, check=False, cwd=folder)
            if done.returncode:
                pytest.skip(f"PostgreSQL does not start: {done.stderr.strip()[-200:]}")
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        with suppress(OSError):
            stop = [str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
            subprocess.run([*user, *stop], capture_output=True, check=False, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def claims(postgresql: str) -> str:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS claims, findings")
        cursor.execute("CREATE TABLE claims (id bigint, dx text[], born date, seen date, gender text)")
        cursor.execute(
            "INSERT INTO claims VALUES (1, '{M6284,I10}', '1950-01-01', '2026-05-01', 'F'),"
            " (2, '{I10}', NULL, '2026-05-01', NULL), (3, NULL, NULL, NULL, NULL)"
        )
    return postgresql


COLUMNS = "id AS claim_id, dx AS codes, born AS birth_date, seen AS service_date, gender AS sex"
QUERY = f"SELECT {COLUMNS} FROM claims ORDER BY id"


def asked(db: str, query: str) -> list[tuple[Any, ...]]:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(db) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def test_claims_are_read_from_postgresql(claims: str) -> None:
    first, second, third = rows_of(QUERY, claims)
    assert isinstance(first, Record)
    assert (first.claim.id, first.claim.codes, first.claim.sex, first.claim.age_in_years) == (
        "1",
        ("M62.84", "I10"),
        "F",
        76,
    )
    assert isinstance(second, Record)
    assert isinstance(third, Rejected)


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_findings_are_added_to_a_table_in_one_transaction(claims: str, engine: str) -> None:
    arguments = [
        "scrub",
        "--db",
        claims,
        "--sql",
        QUERY,
        "--into",
        "findings",
        "--only",
        "weakness",
        "--engine",
        engine,
    ]
    for times in (1, 2):
        result = weakcode(*arguments)
        assert "3 claims in = 2 evaluated + 1 rejected" in result.stdout, result.output
        rows = asked(claims, "SELECT claim_id, rule, codes[1], positions[1], line FROM findings")
        assert rows == [("1", "weakness/sarcopenia-underlying-disease-first", "M62.84", 1, 1)] * times
        ((version, by, packs),) = asked(claims, "SELECT DISTINCT weakcode, engine, packs FROM findings")
        assert (version, by) == (__version__, engine)
        assert [pack.split()[0] for pack in packs] == ["weakness"]


def test_a_table_without_findings_is_made_all_the_same(claims: str) -> None:
    query = QUERY + " OFFSET 1 LIMIT 1"
    result = weakcode("scrub", "--db", claims, "--sql", query, "--into", "public.findings", "--only", "weakness")
    assert result.exit_code == 0, result.output
    assert asked(claims, "SELECT count(*) FROM findings") == [(0,)]


def test_a_failure_leaves_the_database_as_it_was(claims: str, tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_bytes(b"PAR1 this is damaged")
    query = QUERY + " LIMIT 1"
    failing = "SELECT * FROM (" + query + ") q UNION ALL SELECT 1/(id-3), dx, born, seen, gender FROM claims"
    result = weakcode("scrub", "--db", claims, "--sql", failing, "--into", "findings", "--only", "weakness")
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert asked(claims, "SELECT to_regclass('findings')") == [(None,)]


def test_a_query_may_not_change_the_database(claims: str) -> None:
    with pytest.raises(InputError, match=r"cannot be run: .*read-only"):
        rows_of("DELETE FROM claims RETURNING id AS claim_id, dx AS codes", claims)
    assert asked(claims, "SELECT count(*) FROM claims") == [(3,)]


@pytest.mark.parametrize("table", ["", "a b", "x;drop table claims", 'f"', "a.b.c"])
def test_a_name_that_is_no_table_is_refused(table: str) -> None:
    with pytest.raises(InputError, match="is not the name of a table"):
        TableSink("postgresql://x/y", table)


def test_a_database_that_cannot_be_reached_is_one_line_without_its_address() -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="needs the extra sql")
    with pytest.raises(InputError, match="cannot be reached") as caught:
        rows_of("SELECT 1", "postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_with_other_columns_is_told_and_left_alone(claims: str) -> None:
    result = weakcode("scrub", "--db", claims, "--sql", QUERY, "--into", "claims", "--only", "weakness")
    assert result.exit_code == 2
    assert "cannot be written to claims" in result.stderr
    assert asked(claims, "SELECT count(*) FROM claims") == [(3,)]
