"""Wide tables, CMS's research files, and layouts that the user maps."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode import InputError, read_claims
from weakcode.scrub.read.files import FileRows, open_claims
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.tables.mapping import parse_mapping

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def dotted(code: str) -> str:
    return code if len(code) < 4 else f"{code[:3]}.{code[3:]}"


def day(text: str) -> dt.date:
    number, month, year = text.split("-")
    return dt.date(int(year), MONTHS.index(month) + 1, int(number))


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str, name: str = "table.csv") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


@pytest.mark.parametrize("kind", ["carrier", "inpatient", "outpatient"])
def test_claims_of_cms_research_files_equal_an_independent_reading(shared: Path, kind: str) -> None:
    path = shared / "claims" / f"bfd_{kind}.csv"
    expected: dict[str, tuple[list[str], dt.date, int]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="|"):
            listed = [row[f"ICD_DGNS_CD{n}"].strip() for n in range(1, 26) if f"ICD_DGNS_CD{n}" in row]
            codes = [code for code in listed if code]
            if row["PRNCPAL_DGNS_CD"] != codes[0]:
                codes = [row["PRNCPAL_DGNS_CD"], *codes]
            date = day(row["CLM_THRU_DT" if kind == "inpatient" else "CLM_FROM_DT"])
            lines = expected[row["CLM_ID"]][2] if row["CLM_ID"] in expected else 0
            expected[row["CLM_ID"]] = ([dotted(code) for code in codes], date, lines + 1)
    with open_claims(path) as source:
        rows = list(source)
    assert all(isinstance(row, Record) for row in rows)
    found = {row.claim.id: row.claim for row in rows if isinstance(row, Record)}
    assert len(found) == len(rows)
    read = {key: (list(claim.codes), claim.service_date, len(claim.lines)) for key, claim in found.items()}
    assert read == expected
    settings = {"carrier": "professional", "inpatient": "inpatient", "outpatient": "outpatient"}
    assert {claim.setting for claim in found.values()} == {settings[kind]}


def test_rows_of_one_claim_are_its_service_lines(table) -> None:
    path = table(
        "CLM_ID|CLM_FROM_DT|NCH_CLM_TYPE_CD|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|ICD_DGNS_CD2|LINE_NUM|HCPCS_CD|LINE_ICD_DGNS_CD\n"
        "7|05-Jan-2026|71|I10|I10|E119|1|99213|E119\n"
        "7|05-Jan-2026|71|I10|I10|E119|2|36415|Z00\n"
        "8|06-Jan-2026|71|R54|R54||1||R54\n"
    )
    one, two = read_claims(path)
    assert (one.id, one.codes) == ("7", ("I10", "E11.9"))
    assert [(line.number, line.procedure, line.pointers) for line in one.lines] == [
        (1, "99213", (2,)),
        (2, "36415", ()),
    ]
    assert (two.id, two.codes, two.service_date) == ("8", ("R54",), dt.date(2026, 1, 6))


def test_present_on_admission_and_codes_apart_come_with_the_claim(table) -> None:
    path = table(
        "CLM_ID|NCH_CLM_TYPE_CD|CLM_FROM_DT|CLM_THRU_DT|ADMTG_DGNS_CD|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|CLM_POA_IND_SW1|"
        "ICD_DGNS_CD2|CLM_POA_IND_SW2|FST_DGNS_E_CD|DOB_DT|GNDR_CD\n"
        "7|60|28-Feb-2026|02-Mar-2026|R079|I214|I214|Y|E119|0|W19XXXA|01-May-1950|2\n"
    )
    with open_claims(path) as source:
        (row,) = source
    assert isinstance(row, Record)
    assert [(diagnosis.code, diagnosis.poa) for diagnosis in row.claim.diagnoses] == [("I21.4", "Y"), ("E11.9", None)]
    assert row.other_codes == (("admitting", "R07.9"), ("external-cause", "W19.XXXA"))
    claim = row.claim
    assert (claim.sex, claim.service_date, claim.setting) == ("F", dt.date(2026, 3, 2), "inpatient")
    assert claim.birth_date == dt.date(1950, 5, 1)


def test_codes_that_the_file_calls_icd9_cannot_be_taken_for_codes_of_icd10(table) -> None:
    path = table(
        "CLM_ID|PRNCPAL_DGNS_CD|PRNCPAL_DGNS_VRSN_CD|ICD_DGNS_CD1|ICD_DGNS_VRSN_CD1|ICD_DGNS_CD2|ICD_DGNS_VRSN_CD2\n"
        "7|V0182|9|V0182|9|4280|9\n8|E119|0|E119|0||\n"
    )
    assert [claim.codes for claim in read_claims(path)] == [("ICD9:V01.82", "428.0"), ("E11.9",)]


def test_a_mapping_reads_parquet_and_arrow_files_too(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    rows = {"NR": [7, 8], "D1": ["M6284", "I10"], "D2": ["I10", None], "DAY": [dt.date(2026, 5, 1), None]}
    pq.write_table(pa.table(rows), tmp_path / "c.parquet")
    feather.write_feather(pa.table(rows), tmp_path / "c.arrow")
    for name in ("c.parquet", "c.arrow"):
        found = list(read_claims(tmp_path / name, parse_mapping(["id=NR,codes=D*,date=DAY"])))
        assert [(claim.id, claim.codes) for claim in found] == [("7", ("M62.84", "I10")), ("8", ("I10",))]
        assert found[0].service_date == dt.date(2026, 5, 1)
    with pytest.raises(InputError, match=r"no column XX, .* its columns are NR, D1, D2, DAY"):
        list(read_claims(tmp_path / "c.parquet", parse_mapping(["id=XX,codes=D*"])))


def test_rows_that_give_one_claim_different_diagnoses_are_rejected_as_one_claim(table) -> None:
    path = table("CLM_ID|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|LINE_NUM\n7|I10|I10|1\n7|R54|R54|2\n8|I10|I10|1\n")
    with open_claims(path) as source:
        bad, good = source
    assert isinstance(bad, Rejected)
    assert (bad.claim_id, bad.line, bad.part) == ("7", 2, "rows")
    assert bad.raw == "7|I10|I10|1\n7|R54|R54|2"
    assert isinstance(good, Record)


def test_a_mapping_reads_any_layout(table) -> None:
    path = table("Case;Main;Other_2;Other_10;Other_1;Seen;Sex\nA1;I10;E119;R54;;3-Mar-2026;1\n")
    mapping = parse_mapping(["id=case,codes=main+other_*", "date=Seen,sex=Sex"])
    (claim,) = read_claims(path, mapping)
    assert (claim.id, claim.codes, claim.sex) == ("A1", ("I10", "E11.9", "R54"), "M")
    assert claim.service_date == dt.date(2026, 3, 3)


def test_a_mapped_research_file_is_read_as_mapped(table) -> None:
    path = table("CLM_ID|CLM_FROM_DT|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|ICD_DGNS_CD2\n1|19-Mar-2017|R54|I10|E119\n")
    (claim,) = read_claims(path, parse_mapping(["id=CLM_ID,codes=ICD_DGNS_CD*,date=CLM_FROM_DT"]))
    assert (claim.codes, claim.service_date) == (("I10", "E11.9"), dt.date(2017, 3, 19))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("id", "is not NAME=COLUMN"),
        ("id=A", "must name id and codes"),
        ("id=A,codes=B,colour=C", "does not know 'colour'"),
        ("id=A,id=B,codes=C", "names id twice"),
    ],
)
def test_a_mapping_that_is_none_is_refused_in_one_sentence(given: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_mapping([given])


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("id=NR,codes=dx", "no column NR, which is mapped to claim_id; its columns are id, dx"),
        ("id=id,codes=dgn*", r"no column dgn\*, which is mapped to codes; its columns are id, dx.*as in dgn1;"),
    ],
)
def test_a_mapping_to_a_column_that_is_not_there_is_reported_with_the_columns(table, mapping: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(read_claims(table("id,dx\n1,I10\n"), parse_mapping([mapping])))


def test_an_unknown_layout_is_reported_with_the_columns_seen_and_what_to_do(table) -> None:
    wide = ",".join(f"column{number}" for number in range(200))
    with pytest.raises(
        InputError, match=r"its columns are column0, .*column39 and 160 more.*--map id=COLUMN"
    ) as caught:
        list(read_claims(table(wide + "\n")))
    assert "column150" not in str(caught.value)


@given(st.data())
def test_cut_off_or_garbled_research_files_give_claims_rejects_or_one_error(data: st.DataObject) -> None:
    import io

    from weakcode.scrub.read.csv.file import CsvSource

    whole = (
        b"CLM_ID|CLM_FROM_DT|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|LINE_NUM\n"
        b"1|19-Mar-2017|I10|I10|1\n1|19-Mar-2017|I10|I10|2\n2|01-Jan-2018|R54|I10|1\n"
    )
    at = data.draw(st.integers(0, len(whole)))
    text = whole[:at] + data.draw(st.binary(max_size=12)) + whole[at + data.draw(st.integers(0, 40)) :]
    try:
        rows = list(CsvSource(io.BytesIO(text), "t.csv"))
    except InputError:
        return
    assert all(isinstance(row, Record | Rejected) for row in rows)


def test_a_day_that_does_not_exist_is_reported_as_the_file_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "rif.csv"
    path.write_text("CLM_ID|PRNCPAL_DGNS_CD|ICD_DGNS_CD1|CLM_FROM_DT\n1|I10|I10|31-Feb-2026\n")
    (row,) = FileRows(str(path))
    assert isinstance(row, Rejected)
    assert "'31-Feb-2026'" in row.reason
