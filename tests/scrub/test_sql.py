"""Claims from queries over files and from PostgreSQL, and findings into a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from weakcode import InputError, UnavailableError, Validator, __version__
from weakcode.cli import main
from weakcode.scrub.read import queries
from weakcode.scrub.read.queries import check_one_query
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.sql import QuerySource
from weakcode.scrub.read.tables.mapping import parse_mapping
from weakcode.scrub.run import Plan
from weakcode.scrub.write.targets import sink_for


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
    good, bad = rows_of(query, None, None, [str(tmp_path)])
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
        ("SELECT * FROM '/none.parquet'", "may not read /none.parquet; --allow PATH"),
        ("COPY (SELECT 1) TO 'x.csv'", "takes one SELECT"),
        ("INSTALL httpfs", "takes one SELECT"),
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
        (["claims.csv", "--into", "duckdb:findings"], "duckdb:FILE:TABLE"),
        (["claims.csv", "--into", "sqlite:x.db:a b"], "is not the name of a table"),
        (["--sql", "SELECT 1", "--db", "mysql://u:secret@h/d"], "not mysql"),
        (["--allow", "x", "claims.csv"], "goes with --sql"),
        (["--sql", "SELECT 1", "--allow", "not-there"], "--allow not-there is neither"),
    ],
)
def test_options_that_do_not_go_together_are_reported(arguments: list[str], said: str) -> None:
    result = weakcode("scrub", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "secret" not in result.stderr


@pytest.fixture
def claims(postgresql: str) -> str:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(postgresql, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS claims, findings, rejects, runs CASCADE")
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
def test_findings_are_written_into_a_table_in_one_transaction(claims: str, engine: str) -> None:
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
    for mode, times in (("upsert", 1), ("upsert", 1), ("append", 2), ("upsert", 1), ("replace", 1)):
        result = weakcode(*arguments, "--into-mode", mode)
        assert "3 claims in = 2 evaluated + 1 rejected" in result.stdout, result.output
        rows = asked(claims, "SELECT claim_id, rule, codes[1], positions[1], line FROM findings")
        assert rows == [("1", "weakness/sarcopenia-underlying-disease-first", "M62.84", 1, 1)] * times
        ((version, by, packs),) = asked(claims, "SELECT DISTINCT weakcode, engine, packs FROM findings")
        assert (version, by) == (__version__, engine)
        assert [pack.split()[0] for pack in packs] == ["weakness"]
    runs = asked(claims, "SELECT findings_table, claims_in, evaluated, rejected, findings FROM runs")
    assert runs == [("findings", 3, 2, 1, 1)] * 5
    assert asked(claims, "SELECT count(DISTINCT f.finding_id) FROM findings f JOIN runs r ON f.run_id = r.id") == [(1,)]


def test_findings_of_a_claim_that_was_mended_go_and_those_of_others_stay(claims: str) -> None:
    arguments = ("scrub", "--db", claims, "--into", "findings", "--only", "weakness", "--sql")
    first = "SELECT * FROM (VALUES ('A', 'M62.84'), ('B', 'M62.84'), ('C', 'M62.84')) t(claim_id, codes)"
    second = "SELECT * FROM (VALUES ('A', 'I10'), ('B', 'M62.84'), ('C', NULL), ('D', 'M62.84')) t(claim_id, codes)"
    for query, left in ((first, ["A", "B", "C"]), (second, ["B", "C", "D"])):
        weakcode(*arguments, query)
        assert [row[0] for row in asked(claims, "SELECT claim_id FROM findings ORDER BY 1")] == left


def test_a_table_of_an_older_version_gets_the_columns_that_it_has_not(claims: str) -> None:
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(claims, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE findings "
            "(claim_id text, rule text, severity text, message text, codes text[], positions int[])"
        )
        cursor.execute("INSERT INTO findings VALUES ('9', 'a/b', 'info', 'Old.', '{}', '{}')")
    weakcode("scrub", "--db", claims, "--sql", QUERY, "--into", "findings", "--only", "weakness")
    rows = asked(claims, "SELECT claim_id, finding_id IS NULL, run_id IS NULL FROM findings ORDER BY 1")
    assert rows == [("1", False, False), ("9", True, True)]


def test_of_a_run_that_is_not_kept_the_table_has_the_record_alone(claims: str) -> None:
    arguments = ("scrub", "--db", claims, "--sql", QUERY, "--into", "findings", "--only", "weakness", "--run-id")
    weakcode(*arguments, "good")
    result = weakcode(*arguments, "bad", "--max-rejects", "0", "--into-mode", "replace")
    assert result.exit_code == 3
    assert asked(claims, "SELECT run_id FROM findings") == [("good",)]
    assert asked(claims, "SELECT id, rejected FROM runs ORDER BY id") == [("bad", 1), ("good", 1)]


def test_two_runs_at_a_time_leave_one_copy_of_each_finding(claims: str) -> None:
    arguments = ("scrub", "--db", claims, "--sql", QUERY, "--into", "findings", "--only", "weakness")
    weakcode(*arguments)
    command = [sys.executable, "-m", "weakcode", *arguments]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    for one in running:
        said = one.communicate(timeout=120)[1]
        assert one.returncode == 1, said
    assert asked(claims, "SELECT count(*), count(DISTINCT finding_id) FROM findings") == [(1, 1)]
    assert asked(claims, "SELECT count(*) FROM runs") == [(3,)]


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


NO_QUERIES = [
    "COPY (SELECT 1) TO PROGRAM 'touch {mark}'",
    "COPY (SELECT 1) TO '{mark}'",
    "SELECT 1; COPY (SELECT 1) TO PROGRAM 'touch {mark}'",
    "SELECT 1 /* */; COPY (SELECT 1) TO PROGRAM 'touch {mark}' --",
    "DO $$ BEGIN EXECUTE $q$COPY (SELECT 1) TO PROGRAM 'touch {mark}'$q$; END $$",
    "CALL pg_catalog.no_such()",
    "EXPLAIN ANALYZE SELECT 1",
    "PREPARE x AS SELECT 1",
    "SET transaction_read_only = off",
    "SHOW ALL",
    "BEGIN",
    "DELETE FROM claims RETURNING id AS claim_id, dx AS codes",
    "WITH gone AS (DELETE FROM claims RETURNING *) SELECT id AS claim_id, dx AS codes FROM gone",
    "SELECT * INTO copied FROM claims",
    "CREATE TABLE copied AS SELECT * FROM claims",
    "MERGE INTO claims USING claims c ON true WHEN MATCHED THEN DELETE",
    "LOCK claims",
    "",
]


def test_what_is_not_one_select_is_refused_by_the_parser() -> None:
    pytest.importorskip("sqlglot", reason="needs the extra sql")
    for text in NO_QUERIES:
        with pytest.raises(InputError, match=r"takes one SELECT"):
            check_one_query(text)
    for text in (
        "TABLE claims",
        "VALUES (1, 'I10');",
        "WITH c AS (SELECT 1 AS a) SELECT a FROM c -- all of them",
        "(SELECT 1) UNION ALL SELECT 2",
        "SELECT DISTINCT ON (id) id, d #>> '{a,b}', E'a\\'b', $$x;y$$ FROM ONLY claims, unnest(dx) WITH ORDINALITY u",
        "SELECT * FROM json_to_recordset('[]') AS x(a int, b text) FETCH FIRST 3 ROWS WITH TIES",
    ):
        check_one_query(text)


def test_the_server_takes_nothing_but_a_query_whatever_the_parser_says(
    claims: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(queries, "check_one_query", lambda text: None)
    tmp_path.chmod(0o777)
    mark = tmp_path / "mark"
    said = set()
    for text in NO_QUERIES:
        with pytest.raises(InputError) as caught:
            rows_of(text.format(mark=mark), claims)
        said.add(str(caught.value).split(":")[0])
        assert "touch" not in str(caught.value)
    with pytest.raises(InputError, match="failed on one of its rows"):
        rows_of("SELECT set_config('transaction_read_only', 'off', true) AS claim_id, 'I10' AS codes", claims)
    assert said == {"the query cannot be run"}
    assert not mark.exists()
    assert asked(claims, "SELECT count(*), to_regclass('copied') FROM claims") == [(3, None)]


def test_rows_are_fetched_part_by_part(claims: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ROWS", 2)
    assert [row.line for row in rows_of(QUERY, claims)] == [1, 2, 3]


def test_a_query_reads_only_what_was_allowed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "claims", tmp_path / "secret"
    inside.mkdir()
    outside.mkdir()
    for folder in (inside, outside):
        (folder / "c.csv").write_text("claim_id,codes\nA,I10\n")
    (outside / "link.csv").symlink_to(inside / "c.csv")
    (inside / "link.csv").symlink_to(outside / "c.csv")
    hidden = pa.table({"claim_id": ["A"], "codes": ["I10"]})  # what a query might find by its name
    for allow in ([str(inside)], [str(inside / "c.csv")]):
        assert len(rows_of(f"SELECT * FROM '{inside}/c.csv'", None, None, allow)) == 1
        for source in (
            f"'{outside}/c.csv'",
            f"'{inside}/../secret/c.csv'",
            f"'{inside}/link.csv'",
            f"'{tmp_path}/*/c.csv'",
            "read_text('/etc/hostname')",
            "glob('/etc/*')",
            "read_csv('/dev/stdin')",
        ):
            with pytest.raises(InputError, match=r"may not read .*--allow PATH"):
                rows_of(f"SELECT 'A' AS claim_id, 'I10' AS codes FROM {source}", None, None, allow)
    with pytest.raises(InputError, match="hidden does not exist"):
        rows_of("SELECT * FROM hidden")
    assert hidden.num_rows


def test_a_query_that_needs_too_much_memory_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "MEMORY", "16MB")
    monkeypatch.setattr(queries, "TEMPORARY", "1MB")
    with pytest.raises(InputError, match="needs more than 16MB of memory"):
        rows_of("SELECT md5(i::TEXT) AS claim_id, 'I10' AS codes FROM range(3_000_000) t(i) ORDER BY claim_id")


@pytest.mark.parametrize("table", ["", "a b", "x;drop table claims", 'f"', "a.b.c"])
def test_a_name_that_is_not_a_table_is_refused(table: str) -> None:
    with pytest.raises(InputError, match="is not the name of a table"):
        sink_for(table, "postgresql://x/y")


def test_a_connection_that_is_lost_is_told_apart_from_bad_input(claims: str, tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes\nA,M62.84\n")

    def lost(_: object) -> None:
        asked(claims, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    plan = Plan([path], Validator(packs="weakness"), on_judged=lost, sink=sink_for("findings", claims), run_id="one")
    with pytest.raises(UnavailableError, match="the findings cannot be written to findings"):
        plan.run()
    # The next run finds the killed one, and writes.
    Plan([path], Validator(packs="weakness"), sink=sink_for("findings", claims), run_id="two").run()
    assert asked(claims, "SELECT id, state FROM runs ORDER BY id") == [("one", "killed"), ("two", "completed")]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("connection to server at 1.2.3.4, port 5432 failed: Connection refused", 2),
        ("connection to server at 1.2.3.4, port 5432 failed: FATAL:  the database system is starting up", 75),
        ("connection to server at 1.2.3.4, port 5432 failed: FATAL:  password authentication failed for user me", 2),
    ],
)
def test_a_server_that_starts_may_be_there_later_and_a_wrong_address_or_password_stays_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, status: int
) -> None:
    dbapi = pytest.importorskip("adbc_driver_postgresql", reason="needs the extra sql").dbapi

    def connect(_: str) -> None:
        raise OSError(said)

    monkeypatch.setattr(dbapi, "connect", connect)
    result = weakcode("scrub", "--db", "postgresql://h/d", "--sql", "SELECT 1", "--into", "findings")
    assert result.exit_code == status


def test_a_database_that_cannot_be_reached_is_one_line_without_its_address() -> None:
    pytest.importorskip("adbc_driver_postgresql", reason="needs the extra sql")
    with pytest.raises(InputError, match="cannot be reached") as caught:
        rows_of("SELECT 1", "postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_is_as_long_as_the_server_takes_it_and_no_longer(claims: str) -> None:
    from adbc_driver_postgresql import dbapi

    arguments = ("scrub", "--db", claims, "--sql", QUERY, "--only", "weakness", "--into")
    longest = "f" * 63
    assert weakcode(*arguments, longest).exit_code == 1
    assert weakcode(*arguments, longest).exit_code == 1
    assert asked(claims, f"SELECT count(*) FROM {longest}") == [(1,)]
    result = weakcode(*arguments, f"{longest}f")
    assert result.exit_code == 2
    assert "too long for the name of a table, which has up to 63 letters" in result.stderr
    with dbapi.connect(claims, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {longest}")


def test_a_user_who_may_not_write_into_the_table_is_refused_before_any_claim_is_read(claims: str) -> None:
    from adbc_driver_postgresql import dbapi

    weakcode("scrub", "--db", claims, "--sql", QUERY, "--only", "weakness", "--into", "findings")
    with dbapi.connect(claims, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS reader")
        cursor.execute("CREATE ROLE reader LOGIN")
        cursor.execute("GRANT ALL ON runs TO reader")
        cursor.execute("GRANT SELECT ON findings TO reader")
        as_reader = claims.replace("tester@", "reader@")
        result = weakcode("scrub", "no-such-file.csv", "--db", as_reader, "--into", "findings")
        cursor.execute("DROP OWNED BY reader")
        cursor.execute("DROP ROLE reader")
    assert result.exit_code == 2
    assert "permission denied for table findings" in result.stderr


def test_a_view_is_refused_and_a_table_is_the_same_with_its_schema_and_without(claims: str) -> None:
    from adbc_driver_postgresql import dbapi

    arguments = ("scrub", "--db", claims, "--sql", QUERY, "--only", "weakness", "--into")
    for name in ("findings", "public.findings"):
        assert weakcode(*arguments, name).exit_code == 1
    assert asked(claims, "SELECT findings_table, number FROM runs ORDER BY number") == [
        ("findings", 1),
        ("findings", 2),
    ]
    with dbapi.connect(claims, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE VIEW all_errors AS SELECT * FROM findings WHERE severity = 'error'")
    result = weakcode(*arguments, "all_errors")
    assert result.exit_code == 2
    assert "all_errors is a view; give the table" in result.stderr
    assert asked(claims, "SELECT count(*) FROM runs") == [(2,)]


def test_a_table_with_other_columns_is_reported_and_left_unchanged(claims: str) -> None:
    result = weakcode("scrub", "--db", claims, "--sql", QUERY, "--into", "claims", "--only", "weakness")
    assert result.exit_code == 2
    assert "cannot be written to claims" in result.stderr
    assert asked(claims, "SELECT count(*) FROM claims") == [(3,)]
