"""Tables as programs write them: lines around the table, blanks in cells, names of columns of forms and publishers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import weakcode
from weakcode import Claim, InputError
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.run import scrub


@attrs.frozen
class Read:
    """What was read of a file, claim by claim; the counts were those of columns too."""

    claims: list[Claim]
    lines: list[int]
    rejected: list[str]
    counts: dict[str, int]
    columns: dict[str, str]
    said: str

    @property
    def codes(self) -> dict[str | None, tuple[str, ...]]:
        return {claim.id: claim.codes for claim in self.claims}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Read]:
    validator = weakcode.Validator(packs="weakness").in_bulk()

    def run(text: str, name: str = "t.csv", **options: Any) -> Read:
        path = tmp_path / name
        path.write_bytes(text.encode())
        source = FileRows(path, ReadOptions(**options))
        rows = list(source)
        claims = [row for row in rows if isinstance(row, Record)]
        summary = scrub([path], validator, options=ReadOptions(**options), columns=validator.columns())
        assert (summary.evaluated, summary.rejected) == (len(claims), len(rows) - len(claims))
        counted = summary.reading[str(path)].counts if summary.reading else {}
        assert counted == source.counts.counts
        return Read(
            [row.claim for row in claims],
            [row.line for row in rows],
            [row.reason for row in rows if not isinstance(row, Record)],
            dict(counted),
            source.counts.columns,
            "; ".join(source.remarks),
        )

    return run


@pytest.mark.parametrize(
    ("above", "passed"),
    [
        ("Claims report May 2026\nPrepared by: Billing\n\n", 2),
        ("Claims report, May 2026,\n,,\n", 2),
        ('"Report, all claims"\n"Run: 05/01/2026"\n', 2),
        ("\ufeffReport\r\n", 1),
        ("sep=,\r\n", 1),
        ("----------\n", 1),
        ("", 0),
    ],
)
def test_lines_above_the_names_of_columns_are_skipped_and_counted(
    read: Callable[..., Read], above: str, passed: int
) -> None:
    found = read(f"{above}claim_id,dx1,dx2\nA,M62.84,I10\nB,I10,\n")
    assert found.codes == {"A": ("M62.84", "I10"), "B": ("I10",)}
    assert found.lines == [above.count("\n") + 2, above.count("\n") + 3]
    assert found.counts == ({"lines around the table": passed} if passed else {})


def test_the_line_of_excel_says_what_parts_the_cells(read: Callable[..., Read]) -> None:
    assert read("sep=;\nclaim_id;codes\nA;M62.84, I10\n").codes == {"A": ("M62.84", "I10")}
    assert read("sep=|\nclaim_id,no|codes\nA|I10\n", mapping={"id": "claim_id,no", "codes": "codes"}).codes == {
        "A": ("I10",)
    }


def test_names_of_columns_may_have_line_breaks(read: Callable[..., Read]) -> None:
    found = read('Report\n"Claim\nID","Dx\n1","Dx\n2"\nA,M62.84,I10\n')
    assert found.codes == {"A": ("M62.84", "I10")}
    assert found.lines == [6]


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("claim_id,codes,date\n--------,-----,----\nA,M62.84 I10,2026-05-01\n\n(1 rows affected)\n", 2),
        (" claim_id | codes      | date\n----------+------------+------\n A | M62.84 I10 | 2026-05-01\n(1 row)\n", 2),
        ("+---+---+\n| claim_id | codes |\n+---+---+\n| A | M62.84 I10 |\n+---+---+\n1 row in set (0.00 sec)\n", 4),
        ("claim_id,codes,paid\nA,M62.84 I10,10\nTotal,,10\n,,\n", 2),
        ("claim_id,codes,paid\nA,M62.84 I10,10\nGrand Total: 1\nPage 1 of 1\nCompletion time: 2026-05-01T10:00\n", 3),
        ("claim_id\tcodes\nA\tM62.84 I10\nclaim_id\tcodes\n-----\t-----\n1 rows selected.\n", 3),
    ],
)
def test_rules_counts_totals_and_repeated_headers_are_not_claims(
    read: Callable[..., Read], text: str, passed: int
) -> None:
    found = read(text)
    assert found.codes == {"A": ("M62.84", "I10")}
    assert found.rejected == []
    assert found.counts == {"lines around the table": passed}
    assert f"{passed} lines are no row of the table" in found.said


@pytest.mark.parametrize("row", ["Total hip,,10", "A,,10", "7 rows,,x", "A,I10"])
def test_what_may_be_a_claim_is_rejected_and_not_skipped(read: Callable[..., Read], row: str) -> None:
    found = read(f"claim_id,codes,paid\n{row}\n")
    assert (len(found.rejected), found.counts) == (1, {})


def test_a_header_that_names_too_little_is_reported_with_its_names_below_a_title(read: Callable[..., Read]) -> None:
    with pytest.raises(InputError, match="its columns are foo, bar"):
        read("Report of May\nfoo,bar\n1,2\n")


@pytest.mark.parametrize("line", ["PATIENT: Jane Roe", "Name: Roe;Born: May", "Patient:Roe Jane,DOS"])
def test_a_first_line_of_words_and_values_is_not_repeated(read: Callable[..., Read], line: str) -> None:
    with pytest.raises(InputError, match="its first line holds values where the names of columns belong") as raised:
        read(f"{line}\nCLAIM: 17\nDX: I10\n")
    assert "Roe" not in str(raised.value)


def test_blanks_and_protection_around_ids_are_taken_off(read: Callable[..., Read]) -> None:
    assert list(read("claim_id, codes\n A , I10\nB  ,I10\n\u00a0C,I10\n").codes) == ["A", "B", "C"]
    found = read('claim_id,codes,age\n"=""007""","=""M62.84""","=""78"""\n')
    assert found.claims == [Claim(["M62.84"], "007", age=78)]


@pytest.mark.parametrize(
    "header",
    [
        "claim_id,dx1,dx1_poa,dx2,dx2_poa",
        "claim_id,dx1,poa_dx1,dx2,poa_dx2",
        "Claim ID,Dx 1 Code,Dx 1 POA Ind,Dx 2 Code,Dx 2 POA Ind",
        "claim_id,DX1,DXPOA1,DX2,DXPOA2",
        "claim_id,principal_dx,principal_poa,dx2,poa2",
        "Encounter,Principal Diagnosis,Principal POA,Secondary Diagnosis 1,Secondary POA 1",
        "KEY,I10_DX1,DXPOA1,I10_DX2,DXPOA2",
        "Claim ID,Dx,POA,Dx.1,POA.1",
        "Claim ID,Dx,POA,Dx 2,POA 2",
    ],
)
def test_indicators_go_with_their_diagnoses(read: Callable[..., Read], header: str) -> None:
    (claim,) = read(f"{header}\nA,M62.84,Y,I10,N\n").claims
    assert [(one.code, one.poa) for one in claim.diagnoses] == [("M62.84", "Y"), ("I10", "N")]


@pytest.mark.parametrize(
    "header",
    [
        "Encounter,Prin Dx,Prin POA,Sec Dx 1,Sec Dx 1 POA,Sec Dx 2,Sec Dx 2 POA",
        "Encounter,dx1,dx1_poa,dx2,dx2_poa,dx3,dx3_poa",
        "claim_id,dx1,dx1_poa,Dx 2,Dx 2 POA,dx3,dx3_poa",
    ],
)
def test_columns_that_are_mapped_are_kept_with_their_indicators(read: Callable[..., Read], header: str) -> None:
    text = f"{header}\nA,M62.84,Y,I10,N,R54,U\n"
    found = read(text)
    mapping: dict[str, str] = {}
    for column, part in found.columns.items():
        mapping[part] = f"{mapping[part]}+{column}" if part in mapping else column
    assert read(text, mapping=mapping).claims == found.claims
    assert [one.poa for one in found.claims[0].diagnoses] == ["Y", "N", "U"]


@pytest.mark.parametrize(
    "text",
    [
        "Encounter ID,Dx Rank,ICD Code\nA,2,I10\nA,1,M62.84\n",
        "claim_id,dx_seq_num,dx\nA,1,M62.84\nA,2,I10\n",
        "Claim #,Dx Code,Diagnosis Order\nA,M62.84,primary\nA,I10,secondary\n",
    ],
)
def test_rows_of_diagnoses_with_their_places_are_one_claim(read: Callable[..., Read], text: str) -> None:
    pytest.importorskip("duckdb")
    assert read(text).codes == {"A": ("M62.84", "I10")}


def test_a_number_of_diagnoses_beside_their_list_makes_no_rows_of_diagnoses(read: Callable[..., Read]) -> None:
    assert read("claim_id,codes,dx_num\nA,M62.84 I10,2\nB,I10,1\n").codes == {"A": ("M62.84", "I10"), "B": ("I10",)}


def test_columns_that_are_mapped_are_kept_with_those_that_need_no_telling(read: Callable[..., Read]) -> None:
    found = read("claim_id,Dx 1,dx2,sex\nA,M62.84,I10,F\n")
    assert found.columns == {"claim_id": "id", "Dx 1": "codes", "dx2": "codes", "sex": "sex"}
    assert "columns were recognized by their names: codes = Dx 1, dx2;" in found.said


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("claim_id,dx1,icd_1,icd_2", "icd_1, icd_2"),
        ("claim_id,dx1,dx2,Diagnosis", "Diagnosis"),
        ("claim_id,codes,Dx 1,notes", "Dx 1"),
    ],
)
def test_columns_called_as_diagnoses_that_are_not_read_are_named(
    read: Callable[..., Read], header: str, columns: str
) -> None:
    found = read(f"{header}\nA{',I10' * header.count(',')}\n")
    assert f"{columns}: called as diagnoses are, but not read" in found.said


def test_columns_that_stand_out_of_order_are_kept_in_the_order_of_their_numbers(read: Callable[..., Read]) -> None:
    found = read("Claim ID,Dx 3,Dx 1,dx2\nA,I10,M62.84,R54\n")
    assert found.codes == {"A": ("M62.84", "R54", "I10")}
    assert [column for column, part in found.columns.items() if part == "codes"] == ["Dx 1", "dx2", "Dx 3"]


@pytest.mark.parametrize(
    "header",
    [
        "Claim #,Diagnosis 1,Diagnosis 2",
        "Claim ID,ICD-10 #1,ICD-10 #2",
        "Claim ID,Diagnosis Code (1),Diagnosis Code (2)",
        "Claim ID,Primary Dx,Secondary Dx",
        "Patient Control Number,67,67A",
        "Patient Control Number,FL 67,FL 67A",
        "Claim ID,21A,21B",
        "Claim ID,Box 21.1,Box 21.2",
        "MC004,MC041,MC042",
        # Names of two kinds in one table.
        "claim_id,dx 1,dx2",
        "claim_id,Diag1,dx2",
        "claim_id,dx1,Diagnosis 2",
        "Claim ID,Dx 1,Secondary Dx",
        "claim_id,dx1,Other Diagnoses",
        "Claim ID,Diagnosis 1,Other Diagnosis 1",
        "Claim ID,Primary Dx,Dx 2",
        # The first one without a number, also where pandas has numbered columns of one name.
        "claim_id,dx,dx2",
        "Claim ID,Diagnosis,Diagnosis 2",
        "Claim ID,Diagnosis,Diagnosis.1",
    ],
)
def test_columns_are_reported_as_forms_and_publishers_call_them(read: Callable[..., Read], header: str) -> None:
    assert read(f"{header}\nA,M62.84,I10\n").codes == {"A": ("M62.84", "I10")}


def test_one_column_may_hold_all_diagnoses_after_the_principal_one(read: Callable[..., Read]) -> None:
    found = read('Claim ID,Primary Dx,Secondary Dx\nA,M62.84,"I10, R54"\nB,I10,\n')
    assert found.codes == {"A": ("M62.84", "I10", "R54"), "B": ("I10",)}


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_column_that_says_whether_the_patient_is_female_tells_the_sex(
    read: Callable[..., Read], tmp_path: Path, kind: str
) -> None:
    rows = {"KEY": ["A", "B", "C"], "I10_DX1": ["I10"] * 3, "FEMALE": [1, 0, None]}
    if kind == "csv":
        claims = read("KEY,I10_DX1,FEMALE\nA,I10,1\nB,I10,0\nC,I10,\n").claims
    elif kind == "jsonl":
        each = [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]
        claims = read("".join(json.dumps(one) + "\n" for one in each), "t.jsonl").claims
    else:
        pq.write_table(pa.table(rows), tmp_path / "t.parquet")
        claims = list(weakcode.read_claims(tmp_path / "t.parquet"))
    assert [claim.sex for claim in claims] == ["F", "M", None]


def test_rows_of_mimic_and_i2b2_are_put_together(read: Callable[..., Read]) -> None:
    mimic = "subject_id,hadm_id,seq_num,icd_code,icd_version\n1,20,2,I10,10\n1,20,1,M6284,10\n1,21,1,4019,9\n"
    assert read(mimic).codes == {"20": ("M62.84", "I10"), "21": ("401.9",)}
    older = "ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE\n1,1,20,2,V103\n2,1,20,1,4019\n"
    assert read(older).codes == {"20": ("401.9", "ICD9:V10.3")}
    facts = (
        "ENCOUNTER_NUM,PATIENT_NUM,CONCEPT_CD,START_DATE\n1,2,ICD10:I10,2026-05-01\n1,2,LOINC:2160-0,2026-05-01\n"
        "1,2,ICD10CM:M62.84,2026-05-01\n2,2,ICD9:401.9,2010-05-01\n"
    )
    found = read(facts)
    assert found.codes == {"1": ("I10", "M62.84"), "2": ("401.9",)}
    assert found.claims[0].service_date == dt.date(2026, 5, 1)
    assert "1 row of another code type was passed over" in found.said


def test_a_table_is_mended_between_the_lines_around_it(tmp_path: Path) -> None:
    rows = "Encounter,Prin Dx,Prin POA,Sec Dx 1,Sec POA 1\n A1 ,M62.84,Y,G72.9,N\nA2,I10,Y,,\n"
    given = f"Report of May\n\n{rows}(2 rows affected)\n"
    (tmp_path / "t.csv").write_text(given)
    validator = weakcode.Validator(packs="weakness").in_bulk()
    summary = scrub(
        [tmp_path / "t.csv"],
        validator,
        fixed=tmp_path / "mended.csv",
        mend=lambda claim: validator.fix(claim).claim,
        columns=validator.columns(),
    )
    assert summary.fixed == 1
    assert (tmp_path / "mended.csv").read_text() == given.replace("M62.84,Y,G72.9,N", "G72.9,N,M62.84,Y")


@pytest.mark.parametrize(
    "date", ["2026-05-01 13:45:00 EST", "Fri May 1 2026", "Fri, 1 May 2026 10:00:00 -0500", "May 1st, 2026"]
)
def test_dates_of_programs_are_read_with_their_zones_and_days_of_the_week(read: Callable[..., Read], date: str) -> None:
    (claim,) = read(f'claim_id,codes,service_date\nA,I10,"{date}"\n').claims
    assert claim.service_date == dt.date(2026, 5, 1)


@pytest.mark.parametrize(("age", "years"), [("78y 3m", 78), ("89 or older", 89), ("65 and over", 65), ("6 mo", 0)])
def test_ages_in_words_are_whole_years(read: Callable[..., Read], age: str, years: int) -> None:
    assert read(f"claim_id,codes,age\nA,I10,{age}\n").claims[0].age == years


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", "claim_id,codes,age\nA,I10,78.5\nB,I10,0.25\nC,I10,78.0\nD,I10,1.99 years\nE,I10,<1\n"),
        (
            "t.jsonl",
            "".join(
                json.dumps({"claim_id": name, "codes": ["I10"], "age": age}) + "\n"
                for name, age in (("A", 78.5), ("B", 0.25), ("C", 78.0), ("D", "1.99 years"), ("E", "<1"))
            ),
        ),
    ],
)
def test_of_ages_with_a_fraction_completed_years_count_and_that_is_reported(
    read: Callable[..., Read], name: str, text: str
) -> None:
    found = read(text, name)
    assert [claim.age for claim in found.claims] == [78, 0, 78, 1, 0]
    assert found.counts == {"fractional ages": 3}
    assert "3 ages have a fraction, of which the completed years count" in found.said


def test_ages_of_floating_point_in_a_frame_are_completed_years() -> None:
    frame = pa.table({"claim_id": ["A", "B"], "codes": ["I10", "I10"], "age": [78.5, None]})
    rejected: list[Any] = []
    list(weakcode.Validator(packs="weakness").scrub(frame, on_reject=rejected.append))
    assert not rejected


@pytest.mark.parametrize("word", ["-", "?", "(blank)", "#DIV/0!", "N/K", "0000-00-00"])
def test_words_for_unknown_are_empty_where_nothing_else_may_stand(read: Callable[..., Read], word: str) -> None:
    found = read(f"claim_id,dx1,dx2,age,sex,birth_date,service_date,payer\nA,I10,{word},{word},{word},{word},,{word}\n")
    assert found.claims == [Claim(["I10"], "A", payer=word)]
    assert found.counts == {"missing": 4}


def test_bytes_that_no_program_called_text_are_text(tmp_path: Path) -> None:
    rows = {"claim_id": [b"A", b"B\xff"], "dx1": [b"M62.84", b"I10"], "dx2": [b"I10", None], "sex": [b"F", None]}
    table = pa.table({name: pa.array(values, pa.binary()) for name, values in rows.items()})
    pq.write_table(table, tmp_path / "t.parquet")
    first, second = FileRows(tmp_path / "t.parquet")
    assert isinstance(first, Record)
    assert (first.claim.id, first.claim.codes, first.claim.sex) == ("A", ("M62.84", "I10"), "F")
    assert second.part == "claim id"  # type: ignore[union-attr]
    lists = pa.table({"claim_id": ["A"], "codes": pa.array([[b"M62.84", b"I10"]], pa.list_(pa.binary()))})
    (batch,) = weakcode.Validator(packs="weakness").scrub(lists)
    assert batch.column("claim_id").to_pylist() == ["A"]


@pytest.mark.parametrize("cell", ["ICD10-M62.84", "DX:M62.84", "Dx1: M62.84", "ICD-10-CM-M62.84"])
def test_more_prefixes_of_codes_are_taken_off(read: Callable[..., Read], cell: str) -> None:
    for text in (f"claim_id,dx1\nA,{cell}\n", f"claim_id,codes\nA,{cell}\n"):
        assert read(text).codes == {"A": ("M62.84",)}


@pytest.mark.parametrize(
    ("text", "sex"),
    [("F - Female", "F"), ("Male (M)", "M"), ("male/m", "M"), ("Transgender", None), ("U-Unknown", None)],
)
def test_a_sex_in_several_words_that_agree_is_read(read: Callable[..., Read], text: str, sex: str | None) -> None:
    assert read(f"claim_id,codes,sex\nA,I10,{text}\n").claims[0].sex == sex


def test_a_sex_in_words_that_differ_is_rejected(read: Callable[..., Read]) -> None:
    assert read("claim_id,codes,sex\nA,I10,Male/Female\n").rejected


@pytest.mark.parametrize(
    "cell",
    [
        "M62.84/I10",
        "M62.84^I10",
        "M62.84 & I10",
        "M62.84+I10",
        "M62.84:I10",
        "ICD-10-CM M62.84; ICD-10-CM I10",
        "urn:oid:2.16.840.1.113883.6.90|M62.84 urn:oid:2.16.840.1.113883.6.90|I10",
        "M62.84 - Sarcopenia, of muscles; I10 - Hypertension",
        "M62.84: Sarcopenia|I10",
        "M62.84 (Sarcopenia), I10 (Essential (primary) hypertension)",
    ],
)
def test_lists_of_codes_in_other_forms_are_read_and_counted(read: Callable[..., Read], cell: str) -> None:
    found = read(f'claim_id,codes\nA,"{cell}"\n')
    assert found.codes == {"A": ("M62.84", "I10")}
    assert found.counts == {"prefixed": 1}


def test_dates_and_sexes_of_json_may_be_numbers(read: Callable[..., Read]) -> None:
    found = read('{"claim_id": "A", "codes": ["I10", null], "sex": 2, "service_date": 20260501}\n', "t.jsonl")
    assert found.claims == [Claim(["I10"], "A", sex="F", service_date="2026-05-01")]


@pytest.mark.parametrize(
    "claim",
    [
        '"dx": "M62.84", "dx2": "I10"',
        '"principalDiagnosis": "M62.84", "secondaryDiagnoses": ["I10"]',
        '"primary_dx": "M62.84 Sarcopenia", "secondaryDiagnosis": ["I10"]',
        '"diagnosis1": "M62.84", "diagnosis2": null, "diagnosis3": "I10"',
    ],
)
def test_keys_of_json_are_reported_as_columns_are(read: Callable[..., Read], claim: str) -> None:
    assert read(f'{{"claim_id": "A", {claim}}}\n', "t.jsonl").codes == {"A": ("M62.84", "I10")}


@pytest.mark.parametrize(
    "claim",
    [
        '"dx1": "M62.84", "dx1_poa": "Y", "dx2": "I10", "dx2_poa": "N"',
        '"principalDiagnosis": "M62.84", "principalPoa": "Y", "otherDx1": "I10", "otherDx1Poa": "N"',
    ],
)
def test_indicators_of_json_go_with_their_diagnoses(read: Callable[..., Read], claim: str) -> None:
    (found,) = read(f'{{"claim_id": "A", {claim}}}\n', "t.jsonl").claims
    assert [(one.code, one.poa) for one in found.diagnoses] == [("M62.84", "Y"), ("I10", "N")]


@pytest.mark.parametrize("pointers", [["1", "2"], ["A", "B"], "1,2", "AB", [1, "B"]])
def test_pointers_of_json_may_be_text(read: Callable[..., Read], pointers: Any) -> None:
    one = {"claim_id": "A", "codes": ["I10", "R54"], "lines": [{"procedure": "99213", "pointers": pointers}]}
    (claim,) = read(json.dumps(one) + "\n", "t.jsonl").claims
    assert claim.lines[0].pointers == (1, 2)


def test_a_pointer_of_json_that_is_none_rejects_its_claim(read: Callable[..., Read]) -> None:
    one = {"claim_id": "A", "codes": ["I10"], "lines": [{"pointers": ["Z9"]}]}
    assert "pointer" in read(json.dumps(one) + "\n", "t.jsonl").rejected[0]


def test_numbers_of_databases_are_dates_and_sexes(tmp_path: Path) -> None:
    table = pa.table(
        {
            "CLAIM_ID": pa.array([7], pa.decimal128(38, 0)),
            "DX1": ["I10"],
            "SERVICE_DATE": pa.array([20260501], pa.decimal128(38, 0)),
            "SEX": pa.array([2], pa.decimal128(38, 0)),
            "AGE": pa.array([78], pa.decimal128(38, 0)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    (claim,) = weakcode.read_claims(tmp_path / "t.parquet")
    assert claim == Claim(["I10"], "7", age=78, sex="F", service_date="2026-05-01")


@pytest.mark.parametrize("kind", ["Categorical", "Enum"])
def test_lists_of_categories_of_polars_are_codes(kind: str) -> None:
    polars = pytest.importorskip("polars")
    inner = polars.Enum(["M62.84", "I10"]) if kind == "Enum" else polars.Categorical
    frame = polars.DataFrame(
        {"claim_id": ["A", "B", "C"], "codes": [["M62.84", "I10"], ["I10"], ["I10", "M62.84"]]},
        schema_overrides={"codes": polars.List(inner)},
    )
    for given in (frame, frame[1:]):
        found = pa.Table.from_batches(weakcode.Validator(packs="weakness").in_bulk().scrub(given))
        assert found["claim_id"].to_pylist() == (["A", "C"] if given is frame else ["C"])


def test_indicators_that_say_nothing_do_not_reject_rows_of_diagnoses(read: Callable[..., Read]) -> None:
    rows = "E1,I10,10,2026-05-01,S,NI\nE1,M62.84,10,2026-05-01,P,Y\nE2,401.9,09,2012-05-01,X,UN\n"
    found = read(f"ENCOUNTERID,DX,DX_TYPE,ADMIT_DATE,PDX,DX_POA\n{rows}")
    assert found.codes == {"E1": ("M62.84", "I10"), "E2": ("401.9",)}
    assert [one.poa for one in found.claims[0].diagnoses] == ["Y", None]


def test_what_hcup_and_sas_write_for_nothing_is_empty_and_counted(read: Callable[..., Read]) -> None:
    found = read("KEY,I10_DX1,AGE,FEMALE\n1,I10,-9,-99\n2,I10,.A,.\n3,I10,78,1\n")
    assert [(claim.age, claim.sex) for claim in found.claims] == [(None, None), (None, None), (78, "F")]
    assert found.counts == {"missing": 4}
