"""Cells for one code that hold more: several codes, a title, the box of a form; tables of all kinds agree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import weakcode
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.run import scrub

MAP = {"id": "CLM", "codes": "D*", "line": "LN", "pointer": "PTR", "poa": "POA*"}
LONG = {"id": "CLM", "code": "DX", "sequence": "SEQ", "poa": "POA"}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., FileRows]:
    def write(text: str, mapping: dict[str, str] | None = None) -> FileRows:
        (tmp_path / "t.csv").write_text(text)
        return FileRows(tmp_path / "t.csv", ReadOptions(mapping=mapping))

    return write


def codes_of(rows: Iterable[Any]) -> list[tuple[str, ...]]:
    return [row.claim.codes for row in rows if isinstance(row, Record)]


@pytest.mark.parametrize(
    "cell",
    [
        "I10, E11.9",
        "I10; E11.9",
        "I10|E11.9",
        "I10 E119",
        "I10,E11.9",
        "I10/E11.9",
        "I10 + E11.9",
        "I10 and E11.9",
        "I10<br>E11.9",
        "['I10', 'E11.9']",
        "ICD10:I10, ICD10:E11.9",
        "A: I10 B: E11.9",
        "1) I10 2) E11.9",
        "I10 Hypertension; E11.9 Type 2 diabetes",
        "I10, NA, E11.9",
    ],
)
def test_several_codes_in_a_cell_for_one_are_diagnoses_in_their_order(read: Callable[..., FileRows], cell: str) -> None:
    source = read(f'claim_id,dx1,dx2\nA,"{cell}",N18.30\n')
    assert codes_of(source) == [("I10", "E11.9", "N18.30")]
    assert "1 cell for one code holds several, which were read as diagnoses in their order" in source.remarks[-1]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("I10 Essential hypertension", "I10"),
        ("E11.9, Type 2 diabetes mellitus without complications", "E11.9"),
        ("D51.0 Vitamin B12 deficiency anemia", "D51.0"),
        ("A:I10", "I10"),
        ("21A. I10", "I10"),
        ("(B) I10", "I10"),
        ("['I10']", "I10"),
    ],
)
def test_the_title_of_a_code_and_the_box_of_a_form_are_taken_off_and_reported(
    read: Callable[..., FileRows], cell: str, code: str
) -> None:
    source = read(f'claim_id,dx1\nA,"{cell}"\n')
    assert codes_of(source) == [(code,)]
    assert "1 cell of codes has a prefix, brackets, quotes or a description" in source.remarks[-1]


def test_a_comma_for_the_dot_is_read_as_one_and_reported(read: Callable[..., FileRows]) -> None:
    source = read('claim_id,dx1,dx2\nA,"M62,84","S72,001A"\n')
    assert codes_of(source) == [("M62.84", "S72.001A")]
    assert "2 cells of codes have a comma in the place of the dot" in source.remarks[-1]


@pytest.mark.parametrize("cell", ["I10 see E11.65", "I10; hypertension", "A00-B99", "I10 I1", "hypertension", "I10; ?"])
def test_what_is_neither_codes_nor_a_title_stays_a_code_that_does_not_exist(
    read: Callable[..., FileRows], cell: str
) -> None:
    (codes,) = codes_of(read(f'claim_id,dx1\nA,"{cell}"\n'))
    assert len(codes) == 1
    assert "icd10cm/unknown-code" in [found.rule for found in weakcode.check(codes, packs="icd10cm")]


def test_indicators_and_pointers_beside_such_a_cell_do_not_shift(read: Callable[..., FileRows]) -> None:
    (row,) = read('CLM,LN,D1,D2,POA1,POA2,PTR\nA,1,"I10, E11.9",N18.30,Y,N,2\nA,2,"I10, E11.9",N18.30,Y,N,1\n', MAP)
    assert [(one.code, one.poa) for one in row.claim.diagnoses] == [("I10", "Y"), ("E11.9", "Y"), ("N18.30", "N")]
    assert [line.pointers for line in row.claim.lines] == [(3,), (1, 2)]


@pytest.mark.parametrize("second", ["", "N18.30"])
def test_pointers_that_count_codes_are_taken_as_they_are(read: Callable[..., FileRows], second: str) -> None:
    (row,) = read(f'CLM,LN,D1,D2,POA1,POA2,PTR\nA,1,"I10, E11.9",{second},"Y,N",,"2,3"\n', MAP)
    assert [(one.code, one.poa) for one in row.claim.diagnoses][:2] == [("I10", "Y"), ("E11.9", "N")]
    assert row.claim.lines[0].pointers == (2, 3)


def test_a_row_of_several_diagnoses_gives_them_in_its_place(read: Callable[..., FileRows]) -> None:
    (row,) = read('CLM,DX,SEQ,POA\nA,N18.30,2,N\nA,"I10, E11.9",1,Y\n', LONG)
    assert [(one.code, one.poa) for one in row.claim.diagnoses] == [("I10", "Y"), ("E11.9", "Y"), ("N18.30", "N")]
    assert [row.line_of([at]) for at in (1, 2, 3)] == [3, 3, 2]


@pytest.mark.parametrize("trailer", ["Total,3,,", "Grand Total,,,2", ",,,", "(2 rows affected),,,", "End of report,,,"])
def test_lines_of_totals_are_not_claims_of_a_table_with_a_row_a_diagnosis(
    read: Callable[..., FileRows], trailer: str
) -> None:
    source = read(f"CLM,DX,SEQ,POA\nA,I10,1,Y\nB,E11.9,1,Y\n{trailer}\n", LONG)
    assert len(list(source)) == 2
    assert source.counts.counts["lines around the table"] == 1


def test_an_id_without_a_diagnosis_is_rejected_and_no_line_of_totals(read: Callable[..., FileRows]) -> None:
    rows = list(read("CLM,DX,SEQ,POA\nA,I10,1,Y\nTotals Inc,,1,\n", LONG))
    assert [isinstance(row, Record) for row in rows] == [True, False]


def test_such_a_cell_is_mended_in_place(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('claim_id,dx1,dx2,age\nA,"K31.84; E11.43",I10,80\nB,I10,"E11.9, M62.84",80\n')
    validator = weakcode.Validator().in_bulk()
    target = tmp_path / "fixed.csv"
    scrub(
        [tmp_path / "t.csv"],
        validator,
        fixed=target,
        mend=lambda claim: validator.fix(claim).claim,
        columns=validator.columns(),
    )
    mended = [validator.fix(claim).claim for claim in weakcode.read_claims(tmp_path / "t.csv")]
    assert list(weakcode.read_claims(target)) == mended
    assert target.read_text().splitlines()[1].startswith('A,"E11.43; K31.84",')


@pytest.mark.parametrize(
    ("row", "becomes"),
    [('A,"K31.84","E11.43, I10"', 'A,E11.43,"K31.84, I10"'), ('A,K31.84,"E11.43"', 'A,E11.43,"K31.84"')],
)
def test_a_code_in_quotes_changes_places_with_one_of_a_list(tmp_path: Path, row: str, becomes: str) -> None:
    (tmp_path / "t.csv").write_text(f"claim_id,Primary Dx,Secondary Dx\n{row}\n")
    validator = weakcode.Validator().in_bulk()
    target = tmp_path / "fixed.csv"
    scrub([tmp_path / "t.csv"], validator, fixed=target, mend=lambda claim: validator.fix(claim).claim)
    assert target.read_text().splitlines()[1] == becomes


CELL = st.sampled_from(
    ["I10", "E119", "", " ", "NA", "I10, E11.9", "I10;N18.30", "A:I10", "M62,84", "I10 Essential hypertension",
     "M62 84",
     "['I10', 'R54']", "I10 and R54", "401.9, 250.00", "ICD-9: 250.00; ICD9:V01.82", "I10\x1fE11.9", "A00-B99", "x y z"]
)  # fmt: skip
NAMES = ("claim_id", "dx1", "dx2", "Primary Dx")


@settings(max_examples=50, deadline=None)
@given(cells=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6))
@example(cells=[("I10", "E119", "I10, E11.9")])
@example(cells=[("I10, E11.9", "", "I10")])
def test_tables_of_every_kind_read_cells_alike(cells: list[tuple[str, str, str]], tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("cells")
    rows = [dict(zip(NAMES, (f"C{number}", *row), strict=True)) for number, row in enumerate(cells)]
    lines = [",".join(f'"{value}"' for value in row.values()) for row in rows]
    (folder / "t.csv").write_text("\n".join([",".join(rows[0]), *lines]) + "\n")
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, folder / "t.parquet")
    pq.write_table(
        table.set_column(table.column_names.index("dx1"), "dx1", table["dx1"].dictionary_encode()), folder / "d.parquet"
    )

    def outcome(name: str) -> tuple[Any, Any]:
        source = FileRows(folder / name)
        read = [
            row.claim if isinstance(row, Record) else (row.line - name.endswith("csv"), row.reason) for row in source
        ]
        return read, source.counts.counts

    assert outcome("t.parquet") == outcome("d.parquet") == outcome("t.csv")


def test_lists_and_objects_hold_such_cells_too(tmp_path: Path) -> None:
    rows = [{"claim_id": "A", "codes": ["I10, E11.9", "N18.30"]}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text('{"claim_id": "A", "codes": ["I10, E11.9", "N18.30"]}\n')
    (tmp_path / "w.jsonl").write_text('{"claim_id": "A", "dx1": "I10, E11.9", "dx2": "N18.30"}\n')
    for name in ("t.parquet", "t.jsonl", "w.jsonl"):
        source = FileRows(tmp_path / name)
        assert codes_of(source) == [("I10", "E11.9", "N18.30")]
        assert source.counts.counts["several codes"] == 1


def test_where_lines_point_to_places_in_a_list_no_item_becomes_several(tmp_path: Path) -> None:
    claim = {"claim_id": "A", "codes": ["I10, E11.9", "N18.30"], "lines": [[2]]}
    pq.write_table(pa.Table.from_pylist([claim]), tmp_path / "t.parquet")
    (read,) = weakcode.read_claims(tmp_path / "t.parquet")
    assert (read.codes[1], read.lines[0].pointers) == ("N18.30", (2,))
