"""Mended claims in their own Excel workbook: cells of diagnoses change, and nothing else does."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import weakcode
from weakcode import Claim, InputError
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.run import scrub
from weakcode.scrub.summary import Summary

xlsxwriter = pytest.importorskip("xlsxwriter")
calamine = pytest.importorskip("python_calamine")

Sheet = list[list[Any]]


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: Sheet, formulas: dict[tuple[int, int], str] | None = None) -> Path:
        path = tmp_path / "claims.xlsx"
        with xlsxwriter.Workbook(path) as book:
            bold = book.add_format({"bold": True, "bg_color": "yellow"})
            book.add_worksheet("Notes").write(0, 0, "nothing of this changes")
            sheet = book.add_worksheet("Claims")
            sheet.set_column(0, 3, 22)
            for number, row in enumerate(rows):
                # A column that is empty stands before the table.
                for at, value in enumerate(row, start=1):
                    if value is not None:
                        sheet.write(number, at, value, bold if value == "M62.84" else None)
            for (row, column), formula in (formulas or {}).items():
                sheet.write_formula(row, column, formula, None, "M62.84")
        return path

    return write


def mended(path: Path, **options: Any) -> tuple[Summary, Path]:
    validator = weakcode.Validator(packs="weakness").in_bulk()
    target = path.with_name("mended.xlsx")
    summary = scrub(
        [path],
        validator,
        fixed=target,
        mend=lambda claim: validator.fix(claim).claim,
        columns=validator.columns(),
        options=ReadOptions(sheet="Claims", **options),
    )
    return summary, target


def claims(path: Path, **options: Any) -> list[Claim]:
    return [row.claim for row in FileRows(path, ReadOptions(sheet="Claims", **options)) if isinstance(row, Record)]


def values(path: Path) -> list[list[Any]]:
    return calamine.CalamineWorkbook.from_path(path).get_sheet_by_name("Claims").to_python(skip_empty_area=False)


def test_only_cells_of_mended_claims_change(workbook: Callable[..., Path]) -> None:
    path = workbook(
        [
            ["Report of May"],
            [],
            ["Claim No", "Dx 1", "Dx 2", "Dx 3", "DOS", "Remark"],
            ["A", "M62.84", "G72.9", None, "2026-05-01", "x & <y>"],
            ["B", "I10", None, None, "2026-05-01"],
            ["C", "I10", "M62.84", "G72.9"],
            ["", "I10"],
        ]
    )
    summary, target = mended(path)
    assert summary.fixed == 2
    assert [claim.codes for claim in claims(target)] == [
        ("G72.9", "M62.84"),
        ("I10",),
        ("I10", "G72.9", "M62.84"),
        ("I10",),
    ]
    was, now = values(path), values(target)
    changed = {(row, at) for row, cells in enumerate(was) for at, cell in enumerate(cells) if cell != now[row][at]}
    assert changed == {(3, 2), (3, 3), (5, 3), (5, 4)}
    with zipfile.ZipFile(path) as before, zipfile.ZipFile(target) as after:
        parts = [part for part in before.namelist() if before.read(part) != after.read(part)]
        assert (before.namelist(), parts) == (after.namelist(), ["xl/worksheets/sheet2.xml"])
        text, new = (book.read(parts[0]).decode() for book in (before, after))
    # The place of a code keeps its style, whatever code stands there.
    assert new.count(' s="') == text.count(' s="')


def test_lists_indicators_and_numbers_go_along(workbook: Callable[..., Path]) -> None:
    path = workbook([["Claim No", "Codes"], ["A", "M62.84, G72.9"]])
    assert mended(path)[0].fixed == 1
    assert values(path.with_name("mended.xlsx"))[1][-1] == "G72.9, M62.84"
    path = workbook([["Claim No", "Dx 1", "POA 1", "Dx 2", "POA 2"], ["A", "M62.84", "Y", "G72.9", "N"]])
    mended(path)
    (claim,) = claims(path.with_name("mended.xlsx"))
    assert [(one.code, one.poa) for one in claim.diagnoses] == [("G72.9", "N"), ("M62.84", "Y")]


def test_rows_of_diagnoses_get_the_numbers_of_their_new_places(workbook: Callable[..., Path]) -> None:
    mapping = {"id": "CLM", "code": "DX", "sequence": "SEQ"}
    path = workbook([["CLM", "SEQ", "DX"], ["A", 1, "M62.84"], ["B", 1, "I10"], ["A", 2, "G72.9"]])
    summary, target = mended(path, mapping=mapping)
    assert summary.fixed == 1
    assert {claim.id: claim.codes for claim in claims(target, mapping=mapping)} == {
        "A": ("G72.9", "M62.84"),
        "B": ("I10",),
    }
    assert [row[-2] for row in values(target)] == ["SEQ", 2.0, 1.0, 1.0]


def test_a_cell_with_a_formula_stays_and_its_claim_is_counted(workbook: Callable[..., Path]) -> None:
    path = workbook([["Claim No", "Dx 1", "Dx 2"], ["A", None, "G72.9"]], {(1, 2): '="M62.84"'})
    summary, target = mended(path)
    assert summary.fixed == 0
    assert values(target) == values(path)
    assert "1 of the claims" in summary.remarks[str(target)][0]


def test_a_workbook_is_written_from_a_workbook_only(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("claim_id,codes\nA,I10\n")
    with pytest.raises(InputError, match="has to be one Excel workbook"):
        mended(tmp_path / "t.csv")
