"""What is shown or logged steers no terminal, opens no formula and says nothing about a person."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st

from weakcode import Claim, Diagnosis, InputError, ServiceLine, Waiver, WeakcodeError, read_claims
from weakcode.cli import main
from weakcode.rules.load import load_pack
from weakcode.scrub.guard import guarded, unguarded
from weakcode.visible import named, visible, visible_json

HOSTILE = "A\x1b[31mB\x1b]0;t\x07\u202eC\u200bD\x9bE\u2066\ufeff"
HIDDEN = [character for character in HOSTILE if not character.isalnum() and not character.isascii()] + ["\x1b", "\x07"]


def weakcode(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


def unseen(text: str) -> list[str]:
    return [character for character in HIDDEN if character in text]


def test_what_steers_a_terminal_is_spelled_out() -> None:
    assert visible(HOSTILE) == r"A\x1b[31mB\x1b]0;t\x07<U+202E>C<U+200B>D\x9bE<U+2066><U+FEFF>"
    assert visible("Zoë Müller 漢字 ✓") == "Zoë Müller 漢字 ✓"
    assert visible("a\nb") == r"a\x0ab"
    assert visible("\udcff\ud800") == r"\xff<U+D800>"
    assert named("\udcff.csv") == r"\xff.csv"


@given(st.text())
@example("\x7f")
def test_json_says_the_same_with_nothing_unseen(text: str) -> None:
    told = visible_json(json.dumps({"id": text}, ensure_ascii=False))
    assert json.loads(told) == {"id": text}
    assert visible(told) == told


def test_ids_names_and_messages_are_shown_with_nothing_unseen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"c{HOSTILE}.jsonl"
    rows = [{"claim_id": HOSTILE, "codes": ["M62.84", "I10"]}, {"claim_id": HOSTILE, "codes": [], HOSTILE: 1}]
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    for arguments in (
        ("scrub", name),
        ("scrub", name, "--format", "json"),
        ("scrub", name, "--format", "fhir"),
        ("scrub", name, "-o", f"f{HOSTILE}.parquet"),
        ("scrub", f"{HOSTILE}.csv"),
        ("check", "I10", "--profile", HOSTILE),
        ("check", "I10", "--payer", HOSTILE, "--only", HOSTILE),
        ("check", HOSTILE, "I10"),
        ("fix", HOSTILE),
        ("code", HOSTILE),
        ("find", HOSTILE),
        (HOSTILE,),
        ("scrub", f"--{HOSTILE}"),
        ("rules", "show", HOSTILE),
    ):
        status, output = weakcode(*arguments)
        assert status in (0, 1, 2), (arguments, output)
        assert output.strip()
        assert not unseen(output), (arguments, output)


def test_ids_stay_as_they_are_in_parquet_and_json(tmp_path: Path) -> None:
    source = tmp_path / "c.jsonl"
    source.write_text(json.dumps({"claim_id": HOSTILE, "codes": ["M62.84"]}) + "\n")
    assert weakcode("scrub", str(source), "-o", str(tmp_path / "f.parquet"))[0] == 1
    assert set(pq.read_table(tmp_path / "f.parquet").column("claim_id").to_pylist()) == {HOSTILE}
    printed = weakcode("scrub", str(source), "--format", "json")[1].splitlines()[0]
    assert json.loads(printed)["claim_id"] == HOSTILE


def test_a_rule_file_that_steers_terminals_is_refused() -> None:
    for escape in (r"\e[2J", r"\u202e", r"\x9b"):
        with pytest.raises(WeakcodeError, match="steers terminals or turns text") as caught:
            load_pack(f'pack: demo\ntitle: "x{escape}"\n')
        assert not unseen(str(caught.value))


FORMULAS = [
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "x;=1",
    "x\t=cmd|' /C calc'!A0",
    "\uff1d1",
    "'=1",
    "''=1",
    "'",
    "'a",
    "x; '=1",
    "O'Brien",
    "A-1",
]


@given(st.text(alphabet="'=+-@\t;\r\n a\uff1d", max_size=12))
def test_a_guard_is_put_and_taken_away_without_a_trace(cell: str) -> None:
    (told,) = guarded([cell])
    assert unguarded(str(told)) == cell
    assert not str(told).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d"))


def test_cells_that_would_be_formulas_are_guarded_and_read_back_as_they_were(tmp_path: Path) -> None:
    source, fixed, findings = tmp_path / "c.jsonl", tmp_path / "fixed.csv", tmp_path / "f.csv"
    claims = [Claim(["M62.84", "I10"], id=cell, payer=f"{cell.strip()}x") for cell in FORMULAS]
    rows = [{"claim_id": claim.id, "codes": list(claim.codes), "payer": claim.payer} for claim in claims]
    source.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"claim_id": "=2", "codes": []}]))
    rejects = tmp_path / "r.csv"
    common = ("--only", "weakness", "--rejects", str(rejects))
    assert weakcode("scrub", str(source), "--fix", str(fixed), "-o", str(findings), *common)[0] == 1
    for path in (fixed, findings, rejects):
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\uff1d"))], path
    assert [(one.id, one.payer) for one in read_claims(fixed)] == [(one.id, one.payer) for one in claims]
    again = tmp_path / "again.parquet"
    assert weakcode("scrub", str(fixed), "-o", str(again), "--only", "weakness")[0] == 1
    assert set(pq.read_table(again).column("claim_id").to_pylist()) == set(FORMULAS)
    plain = tmp_path / "plain.csv"
    assert weakcode("scrub", str(source), "--fix", str(plain), "--raw-csv", *common)[0] == 1
    assert "\n=HYPERLINK(1)," in plain.read_text()
    assert plain.read_text().startswith("claim_id,codes,")


def test_an_apostrophe_of_another_program_stays(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text("claim_id,codes,payer\n'=1,I10,'-x\n")
    assert [(one.id, one.payer) for one in read_claims(path)] == [("'=1", "'-x")]


PERSON = {"birth_date": "1931-05-17", "payer": "Marker Health", "sex": "F", "documented": ["covid-current"]}


def test_errors_and_reprs_say_nothing_about_a_person(caplog: pytest.LogCaptureFixture) -> None:
    waiver = Waiver("icd10cm/excludes2", reason="Marker reason", who="Marker Who", claim_id="A1")
    claim = Claim(
        [Diagnosis("M62.84", text="Marker text"), "MARKERNAME"],
        id="A1",
        **PERSON,
        age=95,
        lines=[ServiceLine(1, (1,), "MARKER-CPT")],
        waivers=[waiver],
    )
    for shown in (repr(claim), repr(claim.diagnoses), repr(claim.lines), repr(waiver), f"{claim}"):
        assert not [word for word in ("1931", "Marker", "MARKER", "95", "covid") if word in shown], shown
    assert "A1" in repr(claim)
    assert "M62.84" in repr(claim)
    for wrong in (
        {"birth_date": "31-MARK-17"},
        {"birth_date": "2026-05-02", "service_date": "2026-05-01"},
        {"service_date": "MARKER"},
        {"age": "MARKER"},
        {"sex": "MARKER"},
        {"setting": "MARKER"},
        {"payer": {"MARKER": 1}},
        {"documented": [{"MARKER": 1}]},
        {"waivers": [{"MARKER": "x"}]},
        {"waivers": "MARKER"},
    ):
        with pytest.raises(InputError) as caught:
            Claim(["I10"], **wrong)
        logging.getLogger("test").error("refused: %s %r", caught.value, caught.value)
    for codes in ({"MARKER": 1}, [{"MARKER": 1, "code": "I10"}], [{"code": {"MARKER": 2}}]):
        with pytest.raises(WeakcodeError) as refused:
            Claim(codes)
        logging.getLogger("test").error("refused: %s %r", refused.value, refused.value)
    assert "MARK" not in caplog.text
    assert "2026-05" not in caplog.text


def test_a_rejects_file_still_says_which_value_it_was(tmp_path: Path) -> None:
    path = tmp_path / "c.parquet"
    pq.write_table(pa.table({"claim_id": ["A"], "codes": [["I10"]], "age": ["old\x1b"]}), path)
    weakcode("scrub", str(path), "--rejects", str(tmp_path / "r.jsonl"), "-o", str(tmp_path / "f.csv"))
    assert "the age 'old\\\\x1b' is not a whole number" in (tmp_path / "r.jsonl").read_text()


def test_commands_print_in_one_way_alone() -> None:
    commands = Path(__file__).parents[2] / "src" / "weakcode" / "cli"
    for path in commands.rglob("*.py"):
        if path.name != "output.py":
            assert "click.echo(" not in path.read_text(), f"{path}: say and say_json spell out what is not seen"
