"""The work list, on the page and as a file: claims with the most errors first, and what to do about them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import FOUR, MakeFindings, finding
from tests.report.test_page import Page, report
from weakcode.errors import InputError
from weakcode.report import worklist
from weakcode.report.data import read_report_data
from weakcode.report.render import write_report


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_claims_with_the_most_errors_come_first_with_all_their_findings(make_findings: MakeFindings) -> None:
    worst = [finding("W", "icd10cm/excludes1", "error", codes) for codes in ("M62.84 R53.1", "M62.81 R53.1")]
    data = read_report_data([str(make_findings([*FOUR, *worst]))], work=2)
    assert [(one.claim, [item.severity for item in one.items]) for one in data.work] == [
        ("W", ["error", "error"]),
        ("A", ["error", "warning"]),
    ]


def test_a_claim_tells_its_codes_with_titles_its_fix_and_who_it_is_about(make_findings: MakeFindings) -> None:
    row = {**FOUR[0], "fix": "Drop R53.1.", "payer": "Acme", "provider": "1234567893", "service_date": None}
    (claim,) = read_report_data([str(make_findings([row]))], work=5).work
    (item,) = claim.items
    assert (claim.payer, claim.provider, item.fix, item.where) == ("Acme", "1234567893", "Drop R53.1.", "claims.csv:2")
    assert item.codes == (("M62.81", "1", "Muscle weakness (generalized)"), ("R53.1", "2", "Weakness"))


def test_the_list_ends_at_the_claims_and_the_findings_that_were_asked_for(make_findings: MakeFindings) -> None:
    rows = [finding(f"C{place // 3}", "icd10cm/excludes1", "error", "M62.84 R53.1") for place in range(30)]
    path = str(make_findings(rows))
    assert len(read_report_data([path], work=4).work) == 4
    assert len(read_report_data([path], work=9, rows=7).work) == 2
    assert len(read_report_data([path], work=9, rows=0).work) == 1, "a claim is shown whole"
    assert read_report_data([path]).work == ()


def test_claims_without_an_id_are_listed_by_their_place(make_findings: MakeFindings) -> None:
    rows = [finding(None, "icd10cm/excludes1", "error", "M62.84 R53.1", line=line) for line in (2, 3, 3)]
    found = read_report_data([str(make_findings(rows))], work=9).work
    assert [[item.where for item in one.items] for one in found] == [["claims.csv:3"] * 2, ["claims.csv:2"]]


def test_the_page_shows_the_list(make_findings: MakeFindings, tmp_path: Path) -> None:
    rows = [{**row, "fix": f"Mend {row['claim_id']}."} for row in FOUR]
    report(make_findings(rows), "-o", tmp_path / "report.html", "--work", 2)
    text = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).text.split())
    assert "Work list 2 of 3 claims with findings, those with the most errors first." in text
    assert "A 2 findings Error M62.81 Muscle weakness (generalized)" in text
    assert "Fix: Mend A." in text
    assert "Fix: Mend C." not in text


def test_a_csv_work_list_has_all_findings_and_nothing_that_a_spreadsheet_runs(
    make_findings: MakeFindings, tmp_path: Path
) -> None:
    rows = [*FOUR, finding("=1+1", "icd10cm/excludes1", "info", "M62.84 R53.1", payer="\u202eevil")]
    result = report(
        make_findings(rows, said=None), "-o", tmp_path / "r.html", "--work", 1, "--work-list", tmp_path / "w.csv"
    )
    assert "5 findings on 4 claims." in result.stdout
    found = read_csv(tmp_path / "w.csv")
    assert [row["claim_id"] for row in found] == ["A", "A", "B", "'=1+1", "C"]
    assert found[0]["codes"] == "M62.81; R53.1"
    assert found[0]["code_titles"] == "Muscle weakness (generalized); Weakness"
    assert found[3]["payer"] == "<U+202E>evil"
    assert found[0]["where"] == "claims.csv:2"
    assert {row["assigned_to"] for row in found} == {""}


def test_an_excel_work_list_says_the_same_as_the_csv(make_findings: MakeFindings, tmp_path: Path) -> None:
    calamine = pytest.importorskip("python_calamine", reason="needs the extra excel")
    rows = [*FOUR, finding("=1+1", "icd10cm/excludes1", "info", "M62.84 R53.1")]
    for name in ("w.csv", "w.xlsx"):
        write_report([make_findings(rows)], tmp_path / "r.html", work_list=tmp_path / name)
    head, *sheet = calamine.CalamineWorkbook.from_path(str(tmp_path / "w.xlsx")).get_sheet_by_index(0).to_python()
    assert head[:3] == ["Claim", "Service date", "Payer"]
    told = [[cell.removeprefix("'") for cell in row.values()] for row in read_csv(tmp_path / "w.csv")]
    assert [row[: len(sheet[0])] for row in told] == sheet


def test_hashed_ids_go_into_the_work_list_without_dates(
    make_findings: MakeFindings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datetime as dt

    monkeypatch.setenv("WEAKCODE_HASH_KEY", "secret")
    row = {**FOUR[0], "claim_id": "CLAIM-4711", "service_date": dt.date(2026, 4, 2), "finding_id": "ab" * 12}
    findings, page, listed = make_findings([row]), tmp_path / "r.html", tmp_path / "w.csv"
    report(findings, "-o", page, "--work-list", listed, "--hash-ids")
    assert [one["claim_id"] for one in read_csv(listed)] == ["73c7b28bbf0be35d"]
    for text in (page.read_text(encoding="utf-8"), listed.read_text(encoding="utf-8-sig")):
        assert not any(one in text for one in ("CLAIM-4711", "2026-04-02", "2 April 2026", "ab" * 12))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("w.txt", "an output ends in .xlsx, .csv"),
        ("none/w.csv", "does not exist"),
        ("findings.parquet", "ends in .xlsx"),
    ],
)
def test_a_work_list_that_cannot_be_written_is_reported(
    make_findings: MakeFindings, tmp_path: Path, name: str, said: str
) -> None:
    result = report(make_findings(), "-o", tmp_path / "r.html", "--work-list", tmp_path / name)
    assert (result.exit_code, said in result.stderr) == (2, True)
    assert not (tmp_path / "r.html").exists()


def test_more_findings_than_a_worksheet_holds_are_refused_and_nothing_is_written(
    make_findings: MakeFindings, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(worklist, "_MOST_EXCEL", 3)
    findings = make_findings()
    with pytest.raises(InputError, match=r"holds 3 rows, and there are 4 findings; give w\.csv instead"):
        write_report([findings], tmp_path / "r.html", work_list=tmp_path / "w.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == [findings.name]
