"""Findings of two runs held against each other."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from tests.report.conftest import MakeFindings, finding
from weakcode.cli import main
from weakcode.report.compare import compare

BEFORE = [
    finding("A", "weakness/x", "error", "M62.81", finding_id="1", payer="Acme", title="X"),
    finding("A", "weakness/y", "warning", "R53.1", finding_id="2", payer="Acme"),
    finding("B", "icd10cm/z", "info", "M62.84", finding_id="3"),
    finding("B", "icd10cm/z", "info", "M62.81", finding_id="4", edition="2025-10"),
]
AFTER = [
    BEFORE[0],
    {**BEFORE[1], "severity": "error"},
    {**BEFORE[3], "edition": "2026-04", "message": "Other words."},
    finding("C", "icd10cm/z", "error", "M62.84", finding_id="5", payer="Blue", provider="P1"),
    finding("C", "icd10cm/z", "error", "M62.84", finding_id="6", waived_by="me"),
]


def command(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(main, ["compare", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


@pytest.fixture
def sides(make_findings: MakeFindings) -> tuple[Path, Path]:
    return make_findings(BEFORE, "a.parquet"), make_findings(AFTER, "b.csv")


def test_what_is_new_gone_and_changed_is_counted_by_rule_payer_provider_and_month(sides: tuple[Path, Path]) -> None:
    found = json.loads(command(*sides, "--format", "json").stdout)
    assert {name: found[name] for name in ("new", "gone", "changed", "same")} == {
        "new": 1, "gone": 1, "changed": 2, "same": 1,
    }  # fmt: skip
    assert found["changed_in"] == {"severity": 1, "edition": 1, "message": 1}
    assert found["new_by_severity"] == {"error": 1, "warning": 0, "info": 0}
    rules = {
        one["name"]: (one["new"], one["gone"], one["changed"], one["same"], one["title"]) for one in found["by_rule"]
    }
    assert rules == {
        "weakness/x": (0, 0, 0, 1, "X"), "weakness/y": (0, 0, 1, 0, None), "icd10cm/z": (1, 1, 1, 0, None),
    }  # fmt: skip
    assert {one["name"]: one["new"] for one in found["by_payer"]} == {"Acme": 0, "Blue": 1, "": 0}
    assert {one["name"]: one["new"] for one in found["by_provider"]} == {"P1": 1, "": 0}
    assert [one["findings"] for one in (found["a"], found["b"])] == [4, 4]


def test_the_other_way_round_new_is_gone(sides: tuple[Path, Path]) -> None:
    there, back = compare([str(sides[0])], [str(sides[1])]).total, compare([str(sides[1])], [str(sides[0])]).total
    assert (there.new, there.gone, there.changed, there.same) == (back.gone, back.new, back.changed, back.same)


def test_text_tells_the_differences_and_the_same_findings_have_none(sides: tuple[Path, Path]) -> None:
    said = command(*sides).stdout
    assert "1 new, 1 gone, 2 changed, 1 the same" in said
    assert "By rule" in said
    said = command(sides[0], sides[0]).stdout
    assert "0 new, 0 gone, 0 changed, 4 the same" in said
    assert "By rule" not in said


@pytest.mark.parametrize(("fail_on", "status"), [("never", 0), ("error", 1), ("info", 1)])
def test_new_findings_can_give_exit_status_1(sides: tuple[Path, Path], fail_on: str, status: int) -> None:
    command(*sides, "--fail-on", fail_on, status=status)
    command(sides[1], sides[0], "--fail-on", "error", status=0)


def test_findings_without_ids_are_compared_by_claim_rule_codes_and_positions(make_findings: MakeFindings) -> None:
    old = make_findings([{**row, "finding_id": None} for row in BEFORE], "old.parquet")
    total = compare([str(old)], [str(make_findings(AFTER, "new.jsonl"))]).total
    assert (total.new, total.gone, total.changed, total.same) == (1, 1, 2, 1)


def test_an_id_that_appears_twice_is_counted_as_often(make_findings: MakeFindings) -> None:
    one, two = make_findings(BEFORE[:1], "a.parquet"), make_findings([BEFORE[0]] * 3, "b.parquet")
    total = compare([str(one)], [str(two)]).total
    assert (total.new, total.gone, total.changed, total.same) == (2, 0, 0, 1)


def test_the_findings_of_two_scrubs_are_compared(tmp_path: Path) -> None:
    claims = tmp_path / "claims.csv"
    outs = []
    for name, codes in (("a", "M62.84 I10"), ("b", "I10")):
        claims.write_text(f"claim_id,codes,service_date,payer\nA,{codes},2026-05-02,Acme\nB,M62.84,2026-05-02,Acme\n")
        outs.append(str(tmp_path / f"{name}.parquet"))
        CliRunner().invoke(main, ["scrub", str(claims), "-o", outs[-1], "--only", "weakness"])
    found = compare(outs[:1], outs[1:])
    assert (found.total.new, found.total.gone, found.total.same) == (0, 1, 1)
    assert [(one.name, one.gone) for one in found.by_month] == [("2026-05", 1)]


@pytest.mark.parametrize("name", ["none.parquet", "claims.csv", "x.txt"])
def test_what_is_not_a_findings_file_is_refused_in_a_sentence(
    sides: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    (tmp_path / "claims.csv").write_text("claim_id,codes\nA,I10\n")
    (tmp_path / "x.txt").write_text("x\n")
    said = command(sides[0], tmp_path / name, status=2).output
    assert said.startswith("weakcode: ")
    assert len(said.splitlines()) == 1


@pytest.fixture
def nights(tmp_path: Path) -> Callable[..., None]:
    """Scrub two nights' claims into a table or a folder, as the runs `one` and `two`."""

    def scrub(*into: str) -> None:
        claims = tmp_path / "claims.csv"
        for run, rows in (("one", "A,M62.84\nB,M62.84\n"), ("two", "B,M62.84\nC,M62.84\nD,I10\n")):
            claims.write_text(f"claim_id,codes\n{rows}")
            out = ["scrub", str(claims), "--only", "weakness", "--run-id", run, "--fail-on", "never", *into]
            result = CliRunner().invoke(main, out)
            assert result.exit_code == 0, result.output

    return scrub


@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "parquet", "adbc"])
def test_runs_of_a_table_or_a_folder_are_compared(tmp_path: Path, nights: Callable[..., None], kind: str) -> None:
    place, db = f"{kind}:{tmp_path / 'f.db'}:findings", ()
    if kind == "parquet":
        place = f"parquet:{tmp_path / 'out'}"
    if kind == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs ADBC's driver of SQLite")
        place, db = "findings", ("--db", f"adbc:sqlite:{tmp_path / 'f.db'}")
    nights("--into", place, "--into-mode", "run", *db)
    found = json.loads(command(f"{place}@one", f"{place}@two", *db, "--format", "json").stdout)
    assert [found[name] for name in ("new", "gone", "changed", "same")] == [1, 1, 0, 1]
    assert [one["findings"] for one in (found["a"], found["b"])] == [2, 2]
    assert found["a"]["files"][0].endswith("@one")
    assert found["a"]["packs"][0].startswith("weakness")
    whole = json.loads(command(place, f"{place}@two", *db, "--format", "json").stdout)
    assert (whole["gone"], whole["same"]) == (2, 2)
    said = command(f"{place}@one", f"{place}@three", *db, status=2).output
    assert "has no run three; its last are one, two" in said


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_run_of_which_later_ones_replaced_something_is_not_compared(
    tmp_path: Path, nights: Callable[..., None], kind: str
) -> None:
    place = f"{kind}:{tmp_path / 'f.db'}:findings"
    nights("--into", place)
    said = command(f"{place}@one", f"{place}@two", status=2).output
    assert "of the 2 findings of run one" in said
    assert "still has 1" in said
    assert "3 the same" in command(place, place).stdout


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("duckdb", "ALTER TABLE findings ALTER codes TYPE VARCHAR USING array_to_string(codes, ' ')"),
        ("duckdb", "ALTER TABLE findings ALTER line TYPE VARCHAR USING 'seven'"),
        ("duckdb", "ALTER TABLE findings ALTER service_date TYPE VARCHAR USING 'May'"),
        ("sqlite", "UPDATE findings SET positions = 'one' WHERE rowid = 1"),
        ("sqlite", "UPDATE findings SET line = 'seven' WHERE rowid = 1"),
    ],
)
def test_a_column_of_a_table_that_was_changed_is_reported_without_its_values(
    tmp_path: Path, kind: str, change: str
) -> None:
    claims, place = tmp_path / "claims.csv", f"{kind}:{tmp_path / 'f.db'}:findings"
    claims.write_text("claim_id,codes,service_date\nA,M62.84,2026-05-02\nB,M62.84,2026-05-02\n")
    scrub = ["scrub", str(claims), "--only", "weakness", "--into", place, "--fail-on", "never"]
    assert CliRunner().invoke(main, scrub).exit_code == 0
    connection: Any = duckdb.connect(str(tmp_path / "f.db")) if kind == "duckdb" else sqlite3.connect(tmp_path / "f.db")
    connection.execute(change)
    connection.commit()
    connection.close()
    for refused in (["compare", place, place], ["report", place, "-o", str(tmp_path / "page.html")]):
        result = CliRunner().invoke(main, refused)
        assert result.exit_code == 2, result.output
        assert "something else than weakcode writes" in result.output or "values of several types" in result.output
        assert not any(value in result.output for value in ("seven", "May", "'one'"))


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_table_without_runs_beside_it_is_reported_and_a_damaged_row_of_runs_is_named(
    tmp_path: Path, kind: str
) -> None:
    claims, place = tmp_path / "claims.csv", f"{kind}:{tmp_path / 'f.db'}:findings"
    claims.write_text("claim_id,codes\nA,M62.84\n")
    scrub = ["scrub", str(claims), "--only", "weakness", "--into", place, "--fail-on", "never", "--run-id", "one"]
    assert CliRunner().invoke(main, scrub).exit_code == 0

    def reported(change: str) -> Result:
        connection: Any = (
            duckdb.connect(str(tmp_path / "f.db")) if kind == "duckdb" else sqlite3.connect(tmp_path / "f.db")
        )
        connection.execute(change)
        connection.commit()
        connection.close()
        return CliRunner().invoke(main, ["report", place, "-o", str(tmp_path / "page.html")])

    damaged = reported("UPDATE runs SET summary = '{'")
    assert (damaged.exit_code, damaged.output) == (
        2,
        "weakcode: the table runs has no summary of run one that can be read\n",
    )
    assert "1 finding by 1 rule" in reported("DROP TABLE runs").output


def test_findings_of_claims_with_other_ids_are_new_and_gone_and_the_reason_is_said(
    sides: tuple[Path, Path], make_findings: MakeFindings
) -> None:
    hashed = [{**one, "claim_id": one["claim_id"] * 8, "finding_id": f"{one['finding_id']}h"} for one in BEFORE]
    other = make_findings(hashed, "hashed.parquet")
    said = "No claim has findings on both sides. Claim ids that were hashed on one side only"
    assert said in " ".join(command(sides[0], other).stdout.split())
    assert json.loads(command(sides[0], other, "--format", "json").stdout)["remarks"][0].startswith(said)
    for side in (sides[1], make_findings([], "empty.parquet")):
        assert "No claim has findings" not in command(sides[0], side).stdout


@pytest.mark.parametrize("command_line", [["compare", "none.csv", "none.csv"], ["report", "none.csv", "-o", "p.html"]])
def test_errors_are_records_of_a_log_where_one_is_asked_for(command_line: list[str]) -> None:
    result = CliRunner().invoke(main, [*command_line, "--log-format", "json"])
    assert result.exit_code == 2
    (record,) = map(json.loads, result.stderr.splitlines())
    assert (record["level"], record["logger"]) == ("error", "weakcode.cli")
    assert record["message"].startswith("there is no file none.csv")


def test_a_database_that_no_input_is_in_is_reported(sides: tuple[Path, Path], tmp_path: Path) -> None:
    said = "--db says where tables are, and no input is the name of one"
    assert said in command(*sides, "--db", "no address", status=2).stderr
    page = ["report", str(sides[0]), "--db", "no address", "-o", str(tmp_path / "page.html")]
    assert said in CliRunner().invoke(main, page).stderr


@pytest.mark.parametrize("error", [duckdb.TransactionException, duckdb.IOException])
def test_temporary_files_that_find_no_room_are_told_in_a_sentence(
    sides: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def connect(*_: object, **__: object) -> None:
        raise error("Failed to commit: Could not write file: No space left on device")

    monkeypatch.setattr(duckdb, "connect", connect)
    assert "TMPDIR says where they go" in command(*sides, status=2).stderr
    page = CliRunner().invoke(main, ["report", str(sides[0]), "-o", str(tmp_path / "page.html")])
    assert page.exit_code == 2
    assert "TMPDIR says where they go" in page.stderr


@pytest.mark.parametrize("place", ["duckdb:none.db:findings", "sqlite:x", "duckdb:{0}:mine", "sqlite:{0}:a b"])
def test_what_is_not_a_table_of_findings_is_refused_in_a_sentence(
    sides: tuple[Path, Path], tmp_path: Path, place: str
) -> None:
    import duckdb

    file = tmp_path / "f.db"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE mine (x INTEGER)")
    said = command(sides[0], place.format(file), status=2).output
    assert said.startswith("weakcode: ")
    assert len(said.splitlines()) == 1


def test_a_run_whose_id_begins_with_that_of_another_has_its_own_findings(tmp_path: Path) -> None:
    for rows, run in (
        ("A,M62.84\nB,M62.84\n", "monday"),
        ("A,M62.84\n", "monday-2"),
        ("A,M62.84\n", "monday-0badcafe"),
    ):
        path = tmp_path / "claims.csv"
        path.write_text(f"claim_id,codes\n{rows}")
        into = ["scrub", str(path), "--only", "weakness", "--into", f"parquet:{tmp_path / 'out'}", "--run-id", run]
        assert CliRunner().invoke(main, into).exit_code == 1
    for run in ("monday-2", "monday-0badcafe"):
        text = command(f"{tmp_path / 'out'}@monday", f"{tmp_path / 'out'}@{run}").stdout
        assert "0 new, 1 gone, 0 changed, 1 the same" in text


def test_a_run_without_findings_in_a_folder_of_partitions_is_compared_and_reported(tmp_path: Path) -> None:
    from weakcode.report.render import write_report

    out = tmp_path / "out"
    for codes, run in (("M62.84", "monday"), ("I10", "tuesday")):
        path = tmp_path / "claims.csv"
        path.write_text(f"claim_id,codes,payer\nA,{codes},Acme\n")
        into = ["--into", f"parquet:{out}", "--partition-by", "payer", "--run-id", run, "--fail-on", "never"]
        assert CliRunner().invoke(main, ["scrub", str(path), "--only", "weakness", *into]).exit_code == 0
    assert "0 new, 1 gone, 0 changed, 0 the same" in command(f"{out}@monday", f"{out}@tuesday").stdout
    assert "1 new, 0 gone, 0 changed, 0 the same" in command(f"{out}@tuesday", f"{out}@monday").stdout
    shown = write_report([str(out)], tmp_path / "r.html")
    assert (shown.findings, shown.claims, shown.clean, len(shown.trend.runs if shown.trend else ())) == (0, 1, 1, 2)
    assert write_report([f"{out}@tuesday"], tmp_path / "r.html").clean == 1


@pytest.mark.parametrize("content", ["", '{"state": "comp', "[]"])
def test_a_damaged_record_of_a_run_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "claims.csv").write_text("claim_id,codes\nA,M62.84\n")
    out = tmp_path / "out"
    scrub = ["scrub", str(tmp_path / "claims.csv"), "--only", "weakness", "--into", f"parquet:{out}"]
    assert CliRunner().invoke(main, [*scrub, "--run-id", "monday"]).exit_code == 1
    (out / "_runs" / "monday.json").write_text(content)
    for args in (
        ["compare", f"{out}@monday", str(out)],
        ["report", f"{out}@monday", "-o", str(tmp_path / "r.html")],
        ["report", str(out), "-o", str(tmp_path / "r.html")],
    ):
        result = CliRunner().invoke(main, args)
        assert (result.exit_code, "monday.json cannot be read as the record of a run" in result.stderr) == (2, True)


def test_what_is_no_name_of_a_table_is_not_blamed_on_an_option_that_was_not_given(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    import duckdb

    duckdb.connect(str(tmp_path / "x.db")).close()
    result = CliRunner().invoke(main, ["compare", f"duckdb:{tmp_path / 'x.db'}:a b", str(sides[0])])
    assert (result.exit_code, result.stderr) == (
        2,
        "weakcode: 'a b' is not the name of a table, such as findings or billing.findings\n",
    )


@pytest.mark.parametrize("extension", [".csv", ".jsonl", ".parquet"])
def test_the_findings_that_differ_are_written_with_what_they_were_before(
    sides: tuple[Path, Path], tmp_path: Path, extension: str
) -> None:
    file = tmp_path / f"differences{extension}"
    command(*sides, "-o", file)
    source = {
        ".csv": f"read_csv('{file}', all_varchar = true)",
        ".jsonl": f"read_json('{file}', format = 'newline_delimited')",
        ".parquet": f"'{file}'",
    }[extension]
    asked = f"SELECT change, finding_id, claim_id, severity_before, edition_before, message_before FROM {source}"
    with duckdb.connect() as connection:
        found = connection.execute(asked).fetchall()
    words = BEFORE[3]["message"]
    assert [tuple("" if one is None else str(one) for one in row) for row in sorted(found, key=lambda row: row[1])] == [
        ("changed", "2", "A", "warning", str(BEFORE[1]["edition"]), str(BEFORE[1]["message"])),
        ("gone", "3", "B", "", "", ""),
        ("changed", "4", "B", "info", "2025-10", str(words)),
        ("new", "5", "C", "", "", ""),
    ]


def test_of_an_id_that_stands_twice_the_findings_beyond_the_others_differ(
    make_findings: MakeFindings, tmp_path: Path
) -> None:
    once, twice = make_findings(BEFORE[:1], "a.parquet"), make_findings([BEFORE[0], BEFORE[0]], "b.parquet")
    for sides, change in (((once, twice), "new"), ((twice, once), "gone")):
        command(*sides, "-o", tmp_path / "d.jsonl")
        (line,) = (tmp_path / "d.jsonl").read_text().splitlines()
        assert json.loads(line)["change"] == change


def test_cells_that_a_spreadsheet_takes_for_formulas_are_guarded(make_findings: MakeFindings, tmp_path: Path) -> None:
    sides = make_findings([], "a.parquet"), make_findings([{**BEFORE[0], "claim_id": "=1+1"}], "b.parquet")
    command(*sides, "-o", tmp_path / "d.csv")
    assert "new,'=1+1," in (tmp_path / "d.csv").read_text()
