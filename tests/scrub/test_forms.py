"""Tables as people export them: names of columns, words for nothing, dates, codes in brackets, a row a code."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import weakcode
from weakcode import Claim, InputError, read_claims
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.mapping import read_map_file
from weakcode.scrub.run import scrub

Write = Callable[..., Path]


@pytest.fixture
def table(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "t.csv") -> Path:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return write


def only(path: Path, **options: Any) -> Claim:
    (row,) = FileRows(path, ReadOptions(**options))
    assert isinstance(row, Record), row
    return row.claim


def remarks_of(path: Path, **options: Any) -> str:
    source = FileRows(path, ReadOptions(**options))
    list(source)
    return "; ".join(source.remarks)


@pytest.mark.parametrize(
    "header",
    [
        "Patient Acct #,Dx 1,Dx 2,DOS,DOB,Gender",
        "CLAIM_NO,DIAG_1_CD,DIAG_2_CD,SERVICE_DATE,BIRTH_DATE,SEX",
        "Encounter ID,ICD-10 Code 1,ICD-10 Code 2,Date of Service,Date Of Birth,Patient Sex",
        "claim id,1st Diagnosis,2nd Diagnosis,From Date,dob,sex",
    ],
)
def test_columns_are_detected_by_their_letters_and_digits(table: Write, header: str) -> None:
    path = table(f"{header}\nA,M62.84,I10,2026-05-01,1950-01-31,F\n")
    claim = only(path)
    assert (claim.id, claim.codes, claim.sex) == ("A", ("M62.84", "I10"), "F")
    assert (claim.service_date, claim.birth_date) == (dt.date(2026, 5, 1), dt.date(1950, 1, 31))
    assert header.split(",")[1] in remarks_of(path)


@pytest.mark.parametrize(
    "header",
    [
        "CSN,DX_1_ICD10,DX_2_ICD10,CONTACT_DATE,Legal Sex",
        "Claim ID,ICD-10 Claim Diagnosis Code 01,ICD-10 Claim Diagnosis Code 02,Svc Dt,Patient Sex",
        "Acct #,Diag A,Diag B,Begin DOS,GDR_CD",
        "FIN NBR,PRIMARY_DIAG,SECONDARY_DIAG_1,DISCH_DT_TM,SEX_DISP",
        "Account Number,Prin Dx,Sec Dx 1,Discharge Date,Member Gender",
    ],
)
def test_columns_of_billing_systems_are_reported_with_the_principal_diagnosis_first(table: Write, header: str) -> None:
    claim = only(table(f"{header}\nA,M62.84,I10,2026-05-14,F\n"))
    assert (claim.id, claim.codes, claim.sex) == ("A", ("M62.84", "I10"), "F")
    assert claim.service_date == dt.date(2026, 5, 14)


@pytest.mark.parametrize("cell", ["M62.84 - Sarcopenia", "M62.84: Sarcopenia", "M6284 (Sarcopenia)"])
def test_a_description_after_a_code_is_taken_off_and_reported(table: Write, cell: str) -> None:
    path = table(f"claim_id,dx1,dx2\nA,{cell},I10\n")
    assert only(path).codes == ("M62.84", "I10")
    assert "1 cell of codes has a prefix, brackets, quotes or a description" in remarks_of(path)


@pytest.mark.parametrize("kind", ["parquet", "frame", "jsonl"])
def test_names_in_upper_case_are_read_in_every_format(tmp_path: Path, kind: str) -> None:
    rows = {"CLAIM_ID": ["A"], "DX1": ["M62.84"], "DX2": [None], "SERVICE_DATE": ["2026-05-01"], "SEX": ["F"]}
    source: Any = pa.table(rows)
    if kind == "parquet":
        pq.write_table(source, tmp_path / "c.parquet")
        source = tmp_path / "c.parquet"
    elif kind == "jsonl":
        source = tmp_path / "c.jsonl"
        source.write_text(json.dumps({name: values[0] for name, values in rows.items()}) + "\n")
    (batch,) = weakcode.Validator(packs="weakness").scrub(source)
    (found,) = batch.to_pylist()
    assert (found["claim_id"], found["edition"]) == ("A", "2026-04")


def test_a_row_without_diagnosis_rejects_itself_alone(tmp_path: Path) -> None:
    rows = pa.table({"claim_id": ["A", "B", "C"], "dx1": ["M62.84", "I10", None], "dx2": ["I10", None, None]})
    pq.write_table(rows, tmp_path / "c.parquet")
    for source in (rows, tmp_path / "c.parquet"):
        rejected: list[Rejected] = []
        list(weakcode.Validator(packs="weakness").scrub(source, on_reject=rejected.append))
        assert [(one.claim_id, one.reason) for one in rejected] == [("C", "the claim has no diagnosis codes")]


@pytest.mark.parametrize("made", ["Categorical", "Enum"])
def test_dictionaries_of_polars_are_read_in_every_column(made: str) -> None:
    polars = pytest.importorskip("polars")
    values = {
        "claim_id": ["A", "B"],
        "dx1": ["M62.84", "I10"],
        "sex": ["F", "M"],
        "service_date": ["2026-05-01", "2026-05-02"],
    }
    frame = polars.DataFrame(
        {
            name: polars.Series(given, dtype=polars.Categorical if made == "Categorical" else polars.Enum(given))
            for name, given in values.items()
        }
    )
    (batch,) = weakcode.Validator(packs="weakness").scrub(frame)
    assert batch.column("claim_id").to_pylist() == ["A"]


@pytest.mark.parametrize("word", ["NA", "n/a", "NULL", "NaN", "None", ".", "#N/A", "~", "<NA>", "NaT"])
def test_words_for_nothing_are_empty_cells(table: Write, word: str) -> None:
    path = table(f"claim_id,dx1,dx2,service_date,age,sex,payer\nA,I10,{word},{word},{word},{word},{word}\n")
    claim = only(path)
    assert claim == Claim(["I10"], "A")
    assert "5 cells hold a word for no value" in remarks_of(path)


def test_other_words_for_nothing_can_be_given(table: Write) -> None:
    path = table("claim_id,codes,age\nA,I10 nix,nix\n")
    assert only(path, missing="nix,ohne").codes == ("I10",)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-02T00:00:00Z", "2026-05-02 13:45:00", "2026-05-02T10:00:00.000+02:00", "02MAY2026", "02-MAY-2026",
        "02MAY2026:00:00:00", "5/2/2026", "05/02/26", "5/2/2026 12:00:00 AM", "20260502", "20260502.0", "2026/5/2",
        "May 2, 2026", "46144", "46144.0", "24228", "05022026",
    ],
)  # fmt: skip
def test_dates_in_the_usual_forms_are_read(table: Write, text: str) -> None:
    assert only(table(f'claim_id,codes,service_date\nA,I10,"{text}"\n')).service_date == dt.date(2026, 5, 2)


def test_the_form_of_dates_is_decided_for_a_column_and_reported_where_it_was_a_guess(table: Write) -> None:
    clear = table("claim_id,codes,date\nA,I10,05/02/2026\nB,I10,25/12/2025\n", "clear.csv")
    assert [claim.service_date for claim in read_claims(clear)] == [dt.date(2026, 2, 5), dt.date(2025, 12, 25)]
    assert "leaves a choice" not in remarks_of(clear)
    guessed = table("claim_id,codes,date\nA,I10,05/02/2026\n", "guessed.csv")
    assert "1 date of service date has a form that leaves a choice, and was read as month/day/year" in remarks_of(
        guessed
    )
    assert only(guessed, date_format="DD/MM/YYYY").service_date == dt.date(2026, 2, 5)
    assert only(guessed, date_format="%d/%m/%Y").service_date == dt.date(2026, 2, 5)


def test_a_date_that_does_not_fit_the_others_is_rejected(table: Write) -> None:
    good, bad = FileRows(table("claim_id,codes,date\nA,I10,12/25/2025\nB,I10,25/12/2025\n"))
    assert isinstance(good, Record)
    assert isinstance(bad, Rejected)
    assert bad.part == "service date"


def test_a_birth_in_two_digits_lies_in_the_past(table: Write) -> None:
    claim = only(table("claim_id,codes,date,dob\nA,I10,05/14/26,01/31/50\n"))
    assert (claim.service_date, claim.birth_date) == (dt.date(2026, 5, 14), dt.date(1950, 1, 31))


@pytest.mark.parametrize("form", ["", "MM", "%Y", "week"])
def test_a_form_of_dates_that_is_none_is_refused(form: str) -> None:
    with pytest.raises(InputError, match="is no form of a date"):
        ReadOptions(date_format=form)


@pytest.mark.parametrize(
    ("cell", "codes"),
    [
        ("ICD10:M62.84", ["M62.84"]),
        ("ICD-10-CM: M62.84, ICD-10-CM: I10", ["M62.84", "I10"]),
        ("['M62.84', 'I10']", ["M62.84", "I10"]),
        ('["M62.84", "I10"]', ["M62.84", "I10"]),
        ("{M62.84,I10}", ["M62.84", "I10"]),
        ("M62.84|I10", ["M62.84", "I10"]),
        ("http://hl7.org/fhir/sid/icd-10-cm|I10", ["I10"]),
        ("ICD9CM:V01.82", ["ICD9:V01.82"]),
    ],
)
def test_codes_with_prefixes_quotes_and_brackets_are_read(table: Write, cell: str, codes: list[str]) -> None:
    quoted = cell.replace('"', '""')
    path = table(f'claim_id,codes\nA,"{quoted}"\n')
    assert list(only(path).codes) == codes
    assert "taken off" in remarks_of(path)


def test_numbers_and_nulls_of_parquet_are_read_as_those_of_text(tmp_path: Path) -> None:
    rows = {
        "claim_id": [1, 2], "codes": [["I10", None, "", " ", "NA"], ["M62.84"]], "sex": [1, 2],
        "age": [78.0, float("nan")],
        "service_date": [20260501, 20260502],
    }  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "c.parquet")
    first, second = read_claims(tmp_path / "c.parquet")
    assert (first.id, first.codes, first.sex, first.age) == ("1", ("I10",), "M", 78)
    assert (second.sex, second.age, second.service_date) == ("F", None, dt.date(2026, 5, 2))


@pytest.mark.parametrize(
    ("cell", "pointers"),
    [("5", (5,)), ('"1,2"', (1, 2)), ("1:2", (1, 2)), ("AB", (1, 2)), ("B", (2,)), ("E119", (2,)), ("", ())],
)
def test_pointers_of_tables_are_positions_letters_or_codes(table: Write, cell: str, pointers: tuple[int, ...]) -> None:
    path = table(f"CLAIM,LN,CPT,D1,D2,PTR\nA,1,99213,I10,E119,{cell}\n")
    mapping = {"id": "CLAIM", "codes": "D*", "line": "LN", "procedure": "CPT", "pointer": "PTR"}
    assert only(path, mapping=mapping).lines[0].pointers == pointers


@pytest.mark.parametrize("cell", ["0", "M", "1;Z", "?", "-1"])
def test_a_pointer_that_is_none_rejects_its_claim(table: Write, cell: str) -> None:
    (row,) = FileRows(
        table(f"CLAIM,LN,D1,PTR\nA,1,I10,{cell}\n"),
        ReadOptions(mapping={"id": "CLAIM", "codes": "D*", "line": "LN", "pointer": "PTR"}),
    )
    assert isinstance(row, Rejected)
    assert "is neither the position of a diagnosis" in row.reason


def test_ids_that_stand_in_several_rows_are_reported_once(table: Write) -> None:
    assert "2 claim ids stand in more than one row" in remarks_of(
        table("claim_id,codes\nA,I10\nB,I10\nA,R54\nB,R54\nC,I10\n")
    )


def test_a_row_a_diagnosis_gives_one_claim_for_the_rows_of_an_id(table: Write) -> None:
    path = table(
        "CLM,SEQ,TYPE,DX,AGE\nA,2,10,G72.9,70\nB,1,ICD-10-CM,J18.9,5\nA,1,10,M62.84,\nB,2,CPT,99213,5\nC,1,9,V01.82,\n"
    )
    mapping = {"id": "CLM", "code": "DX", "sequence": "SEQ", "codetype": "TYPE", "age": "AGE"}
    source = FileRows(path, ReadOptions(mapping=mapping))
    found = [row for row in source if isinstance(row, Record)]
    assert [(row.claim.id, row.claim.codes, row.claim.age, row.line, row.lines) for row in found] == [
        ("A", ("M62.84", "G72.9"), 70, 2, (4, 2)),
        ("B", ("J18.9",), 5, 3, (3,)),
        ("C", ("ICD9:V01.82",), None, 6, (6,)),
    ]
    assert "1 row of another code type was passed over" in "; ".join(source.remarks)


@pytest.mark.parametrize(
    ("header", "row", "layout"),
    [
        ("ENCOUNTERID,DX,DX_TYPE,PDX,ADMIT_DATE", "A,I10,10,S,2026-05-01\nA,M62.84,10,P,2026-05-01", "PCORnet"),
        ("condition_occurrence_id,person_id,visit_occurrence_id,condition_source_value,condition_start_date",
         "1,9,A,M62.84,2026-05-01\n2,9,A,I10,2026-05-01", "OMOP"),
        ("CUR_CLM_UNIQ_ID,CLM_VAL_SQNC_NUM,CLM_DGNS_CD,DGNS_PRCDR_ICD_IND,CLM_FROM_DT",
         "A,2,I10,0,2026-05-01\nA,1,M6284,0,2026-05-01", "CCLF4"),
        ("claim_id,claim_line_number,claim_type,diagnosis_code_1,diagnosis_code_2,claim_start_date",
         "A,1,professional,M6284,I10,2026-05-01", "Tuva"),
        ("CLM_ID,DGNS_1_CD,DGNS_2_CD,SRVC_BGN_DT", "A,M6284,I10,2026-05-01", "T-MSIS"),
        ("Id,PATIENTID,PROVIDERID,DIAGNOSIS1,DIAGNOSIS2,SERVICEDATE", "A,9,8,M62.84,I10,2026-05-01T00:00:00Z",
         "Synthea"),
    ],
)  # fmt: skip
def test_tables_of_known_publishers_are_detected_by_their_headers(
    table: Write, header: str, row: str, layout: str
) -> None:
    path = table(f"{header}\n{row}\n")
    claim = only(path)
    assert (claim.id, claim.codes, claim.service_date) == ("A", ("M62.84", "I10"), dt.date(2026, 5, 1))
    assert layout in remarks_of(path)


def test_codes_of_synpuf_are_of_icd9(table: Write) -> None:
    claim = only(table("DESYNPUF_ID,CLM_ID,CLM_FROM_DT,ICD9_DGNS_CD_1,ICD9_DGNS_CD_2\nX,A,20090210,71537,V5867\n"))
    assert (claim.codes, claim.service_date) == (("715.37", "ICD9:V58.67"), dt.date(2009, 2, 10))


def test_other_encodings_are_read_and_reported(table: Write) -> None:
    text = "claim_id,codes,payer\nA,I10,Société générale\n"
    for encoded, options, word in (
        (text.encode("utf-16"), {}, "UTF-16"),
        (text.encode("utf-16-le"), {}, "UTF-16"),
        (text.encode("cp1252"), {}, "1 row is not UTF-8 and was read as Windows-1252"),
        (text.encode("cp850"), {"encoding": "cp850"}, "CP850"),
    ):
        path = table(encoded)
        assert only(path, **options).payer == "Société générale"
        assert word in remarks_of(path, **options)


def test_python_takes_the_names_of_the_command_line(table: Write) -> None:
    path = table("NR,D1,D2,SEEN\nA,M62.84,I10,2026-05-01\n")
    mapping = {"id": "NR", "codes": ["D1", "D2"], "date": "SEEN"}
    (claim,) = read_claims(path, mapping)
    assert (claim.id, claim.codes, claim.service_date) == ("A", ("M62.84", "I10"), dt.date(2026, 5, 1))
    (batch,) = weakcode.Validator(packs="weakness").scrub(path, mapping=mapping)
    assert batch.num_rows == 1
    for source in (path, pa.table({"NR": ["A"], "D1": ["I10"]})):
        with pytest.raises(InputError, match="--map does not know 'bogus'"):
            list(weakcode.Validator(packs="weakness").scrub(source, mapping={"id": "NR", "codes": "D*", "bogus": "X"}))


def test_missing_values_of_pandas_and_numpy_are_not_dates() -> None:
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    assert Claim(["I10"], service_date=pandas.NaT).service_date is None
    assert Claim(["I10"], service_date=numpy.datetime64("2026-05-01T10:00:00.000000001")).service_date == dt.date(
        2026, 5, 1
    )
    assert Claim(["I10"], service_date=numpy.datetime64("NaT"), age=float("nan")).age is None


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    path = tmp_path / "c.xlsx"
    with xlsxwriter.Workbook(path) as book:
        claims, long = book.add_worksheet("Claims"), book.add_worksheet("Long")
        date = book.add_format({"num_format": "mm/dd/yyyy"})
        claims.write(0, 0, "Claims of May")
        claims.write_row(2, 0, ["Acct #", "Dx 1", "Dx 2", "DOS", "Sex"])
        claims.write_row(3, 0, [1001, "M62.84", "I10"])
        claims.write_datetime(3, 3, dt.datetime(2026, 5, 1), date)
        claims.write(3, 4, "F")
        claims.write_row(5, 0, ["B", "NA", "", 46144])
        for row, cells in enumerate([["CLM", "SEQ", "DX"], ["A", 2, "I10"], ["A", 1, "M62.84"]]):
            long.write_row(row, 0, cells)
    return path


def test_a_workbook_is_read_as_a_table(workbook: Path) -> None:
    first, second = FileRows(workbook)
    assert isinstance(first, Record)
    claim = first.claim
    assert (claim.id, claim.codes, claim.service_date, claim.sex) == (
        "1001",
        ("M62.84", "I10"),
        dt.date(2026, 5, 1),
        "F",
    )
    assert first.line == 4
    assert isinstance(second, Rejected)
    assert (second.line, second.claim_id) == (6, "B")


def test_a_sheet_is_chosen_by_name(workbook: Path) -> None:
    claim = only(workbook, sheet="Long", mapping={"id": "CLM", "code": "DX", "sequence": "SEQ"})
    assert claim.codes == ("M62.84", "I10")
    with pytest.raises(InputError, match="has no sheet 'None'; its sheets are Claims, Long"):
        only(workbook, sheet="None")


def test_a_workbook_that_is_damaged_is_one_clear_error(workbook: Path) -> None:
    content = workbook.read_bytes()
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    workbook.write_bytes(content[:at] + b"\xff" * 40 + content[at + 40 :])
    with pytest.raises(InputError, match="cannot be read"):
        only(workbook)


def test_how_a_file_was_read_is_in_the_summary(table: Write) -> None:
    path = table("Claim No,Dx 1,DOS\nA,NA,5/2/2026\nA,I10,5/3/2026\n")
    summary = scrub([path], weakcode.Validator(packs="weakness").in_bulk())
    said = json.loads(summary.to_json())["reading"][str(path)]
    assert said["columns"] == {"Claim No": "id", "Dx 1": "codes", "DOS": "date"}
    assert said["counts"] == {"guessed dates of service date": 2, "missing": 1, "repeated ids": 1}


def test_a_mapping_is_kept_in_a_file_and_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from weakcode.cli import main

    def run(*more: str) -> object:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *more])
        return ended.value.code

    (tmp_path / "t.csv").write_text("Acct,Dx 1,Dx 2\nA,I10,R54\n")
    arguments = ["scrub", str(tmp_path / "t.csv"), "--map-file", str(tmp_path / "m.json"), "--only", "weakness"]
    assert run("-o", str(tmp_path / "o.csv")) == 0
    assert read_map_file(tmp_path / "m.json") == {"claim_id": "Acct", "codes": "Dx 1+Dx 2"}
    assert run("-o", str(tmp_path / "o.csv")) == 0
    assert "1 claim in = 1 evaluated" in capsys.readouterr().out
