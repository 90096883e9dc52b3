"""Files of claims: what is read, what is rejected and where."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode import InputError, read_claims
from weakcode.scrub.read.files import open_claims
from weakcode.scrub.read.rows import Record, Rejected, RowError


def rows_of(path: Path) -> list[Record | Rejected]:
    with open_claims(path) as source:
        return list(source)


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | bytes, name: str = "claims.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def test_a_csv_row_becomes_a_claim_with_its_line(file) -> None:
    path = file(
        "claim_id,codes,service_date,age,sex,setting,payer,documented\n"
        "A1,m6284;I10,2026-05-01,81,F,outpatient,Medicare,covid-current\n"
    )
    (row,) = rows_of(path)
    assert isinstance(row, Record)
    assert (row.file, row.line) == (str(path), 2)
    claim = row.claim
    assert (claim.id, claim.codes, claim.age, claim.sex) == ("A1", ("M62.84", "I10"), 81, "F")
    assert (str(claim.service_date), claim.setting, claim.payer) == ("2026-05-01", "outpatient", "Medicare")
    assert claim.documented == {"covid-current"}


def test_numbered_columns_are_read_in_the_order_of_their_numbers(file) -> None:
    path = file("claim_id,dx2,dx1,dx10,dx3\nA1,I10,M62.84,E78.5,\n")
    assert [claim.codes for claim in read_claims(path)] == [("M62.84", "I10", "E78.5")]


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_the_delimiter_is_detected_by_the_header(file, delimiter: str) -> None:
    path = file(delimiter.join(["claim_id", "codes", "age"]) + "\n" + delimiter.join(["A1", "I10 E11.9", "50"]) + "\n")
    assert [(claim.codes, claim.age) for claim in read_claims(path)] == [(("I10", "E11.9"), 50)]


def test_a_byte_order_mark_windows_line_ends_and_blank_lines_change_nothing(file) -> None:
    path = file("\ufeffClaim_ID,Codes\r\n\r\nA1,I10\r\n\r\nA2,R54\r\n")
    assert [(row.line, row.claim.id, row.claim.codes) for row in rows_of(path)] == [
        (3, "A1", ("I10",)),
        (5, "A2", ("R54",)),
    ]


@pytest.mark.parametrize(
    ("row", "part", "said"),
    [
        ("B,I10,-4,2026-05-01", "age", "-4"),
        ("B,I10,4,2026-02-30", "service date", "2026-02-30"),
        ("B,,4,2026-05-01", "codes", "no diagnosis codes"),
        ("B,I10,4", "number of fields", "3 fields, the header has 4"),
        ("B,I10,4,2026-05-01,x", "number of fields", "5 fields, the header has 4"),
        ('B,"I10,4,2026-05-01', "quotes", "a quote is not closed"),
        ('B,"I10"x,4,2026-05-01', "quotes", "stands inside a field"),
    ],
)
def test_a_row_that_is_not_a_claim_is_rejected_and_the_rest_is_read(file, row: str, part: str, said: str) -> None:
    path = file(f"claim_id,codes,age,service_date\nA,I10,4,2026-05-01\n{row}\nC,R54,90,2026-05-01\n")
    first, bad, last = rows_of(path)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert last.claim.id == "C"
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.claim_id, bad.part, bad.raw) == (3, "B", part, row)
    assert said in bad.reason


def test_bytes_that_are_not_utf8_reject_their_row_only(file) -> None:
    good, bad, after = rows_of(file(b"claim_id,codes\nA,I10\nB,\xff10\nC,R54\n"))
    assert isinstance(good, Record)
    assert isinstance(after, Record)
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.part, bad.raw) == (3, "encoding", "B,\\xff10")


def test_a_lost_quote_does_not_swallow_the_rows_up_to_the_next_quote(file) -> None:
    path = file('claim_id,codes,age\nA,"I10,4\nB,R54,90\nC,I10",4\nD,E11.9,5\n')
    assert [(row.line, type(row).__name__) for row in rows_of(path)] == [
        (2, "Rejected"),
        (3, "Record"),
        (4, "Rejected"),
        (5, "Record"),
    ]


def test_codes_in_quotes_may_run_over_lines(file) -> None:
    first, second = rows_of(file('claim_id,codes,age\nA,"I10\nE11.9",4\nB,R54,90\n'))
    assert isinstance(first, Record)
    assert first.claim.codes == ("I10", "E11.9")
    assert (first.line, second.line) == (2, 4)


def test_a_line_too_long_for_a_claim_is_rejected_without_being_kept(file) -> None:
    bad, good = rows_of(file("claim_id,codes\nA," + "I10 " * 400_000 + "\nB,R54\n"))
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.part, bad.raw) == (2, "length", "")
    assert isinstance(good, Record)
    assert good.line == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty; expected a header"),
        ("\n\n", "nothing but empty lines"),
        (
            "nr,ailments\n1,I10\n",
            "there is no column claim_id and no column codes .* its columns are nr, ailments",
        ),
        ("claim_id,code\n1,I10\n", 'no column codes .* columns are claim_id, code .did you mean "code"'),
        ("claim_id,codes,codes\n1,I10,\n", '"codes" stands twice'),
        ("claim_id,codes,dx1\n1,I10,\n", "not in both"),
        (b"PAR1\x00\x00", "is damaged or cut short"),
        (b"claim_id\x00,codes", "is not a text file"),
        ("<Claim xmlns='http://hl7.org/fhir'/>", "is XML; weakcode reads FHIR as JSON"),
    ],
)
def test_a_file_that_is_not_a_file_of_claims_is_refused_in_one_sentence(file, content: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        rows_of(file(content))


def test_a_file_or_folder_that_cannot_be_opened_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        rows_of(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        rows_of(tmp_path)


def test_json_lines_take_codes_as_list_text_or_objects(file) -> None:
    path = file(
        '{"claim_id": 1, "codes": ["M62.84", "I10"], "age": 81}\n'
        '{"claim_id": "B", "codes": "M62.84 I10"}\n'
        '{"codes": [{"code": "R53.1", "text": "Frailty", "poa": "Y"}], "documented": ["covid-current"],'
        ' "lines": [{"number": 7, "pointers": [1], "procedure": "99213"}]}\n',
        "claims.jsonl",
    )
    one, two, three = read_claims(path)
    assert (one.id, one.codes, one.age) == ("1", ("M62.84", "I10"), 81)
    assert (two.id, two.codes) == ("B", ("M62.84", "I10"))
    assert (three.id, three.diagnoses[0].text, three.documented) == (None, "Frailty", {"covid-current"})
    assert (three.lines[0].number, three.lines[0].pointers, three.lines[0].procedure) == (7, (1,), "99213")


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("not json", "JSON"),
        ('["I10"]', "JSON"),
        ('{"claim_id": "B"}', "codes"),
        ('{"claim_id": "B", "codes": []}', "codes"),
        ('{"claim_id": "B", "codes": 5}', "codes"),
        ('{"claim_id": "B", "codes": ["I10", 5]}', "codes"),
        ('{"claim_id": "B", "codes": [{"kode": "I10"}]}', "codes"),
        ('{"claim_id": 1.5, "codes": ["I10"]}', "claim_id"),
        ('{"claim_id": "B", "codes": ["I10"], "age": [1]}', "age"),
        ('{"claim_id": "B", "codes": ["I10"], "payer": 7}', "payer"),
        ('{"claim_id": "B", "codes": ["I10"], "lines": [{"pointers": [0]}]}', "lines"),
        ('{"claim_id": "B", "codes": ["I10"], "lines": [{"pointers": ["x1"]}]}', "lines"),
        ('{"claim_id": "B", "codes": ["I10"], "lines": [[true]]}', "lines"),
        ('{"claim_id": "B", "codes": ["I10"], "lines": [1]}', "lines"),
        ('{"claim_id": "B", "codes": ["I10"], "lines": "1 2"}', "lines"),
        ('{"claim_id": "\\ud800", "codes": ["I10"]}', "encoding"),
        ("[" * 100_000, "JSON"),
    ],
)
def test_a_json_line_that_is_not_a_claim_is_rejected_and_the_rest_is_read(file, line: str, part: str) -> None:
    path = file(f'{{"claim_id": "A", "codes": ["I10"]}}\n{line}\n{{"claim_id": "C", "codes": ["R54"]}}\n', "c.jsonl")
    first, bad, last = rows_of(path)
    assert isinstance(first, Record)
    assert isinstance(last, Record)
    assert isinstance(bad, Rejected)
    assert (bad.line, bad.part, bad.raw) == (2, part, line)


def test_the_content_tells_the_format_whatever_the_extension_says(file) -> None:
    assert [claim.id for claim in read_claims(file('{"claim_id": "J", "codes": "I10"}\n', "claims.csv"))] == ["J"]
    assert [claim.id for claim in read_claims(file("claim_id,codes\nC,I10\n", "claims.jsonl"))] == ["C"]


def test_columns_that_are_not_known_are_named(file) -> None:
    with open_claims(file("claim_id,codes,Colour,dx_note\nA,I10,red,\n")) as source:
        list(source)
        assert source.ignored == ("Colour", "dx_note")


def test_read_claims_stops_at_a_bad_row_and_says_where_without_repeating_it(file) -> None:
    path = file("claim_id,codes,age\nA,I10,4\nB,I10,secret\n")
    claims = read_claims(path)
    assert next(claims).id == "A"
    with pytest.raises(RowError, match="line 3: the row cannot be read as a claim because of its age") as caught:
        next(claims)
    assert "secret" not in str(caught.value)
    assert "secret" in caught.value.rejected.reason


cell = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=12)


@given(st.lists(st.tuples(cell, st.lists(st.sampled_from(["I10", "R54", "m6281"]), min_size=1), cell), max_size=8))
def test_whatever_a_csv_writer_writes_is_read_back(rows: list[tuple[str, list[str], str]]) -> None:
    from weakcode.scrub.read.csv.file import CsvSource

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["claim_id", "codes", "remark"])
    writer.writerows([identity, " ".join(codes), remark] for identity, codes, remark in rows)
    found = list(CsvSource(io.BytesIO(text.getvalue().encode()), "c.csv"))
    spelled = {"I10": "I10", "R54": "R54", "m6281": "M62.81"}
    assert [(row.claim.id, row.claim.codes) for row in found if isinstance(row, Record)] == [
        (identity.strip() or None, tuple(spelled[code] for code in codes)) for identity, codes, _ in rows
    ]


@given(st.binary(max_size=300))
def test_any_bytes_give_claims_rejects_or_one_clear_error(content: bytes) -> None:
    from weakcode.scrub.read.csv.file import CsvSource
    from weakcode.scrub.read.jsonl.file import JsonlSource

    for source in (
        CsvSource(io.BytesIO(b"claim_id,codes,age\n" + content), "c.csv"),
        JsonlSource(io.BytesIO(content), "c.jsonl"),
    ):
        for row in source:
            assert isinstance(row, Record | Rejected)
            json.dumps(row.raw).encode()


def test_a_list_in_json_is_read_item_by_item(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text(
        '[{"claim_id": "A", "codes": ["M62.84", "I10"], "age": 70},\n'
        ' {"CLAIM ID": "B", "DX1": "I10", "DOS": "05/02/2026"},\n'
        " {}, 7,\n"
        ' {"claim_id": "C", "codes": "I10",\n  "claim_id": "D"}\n]\n'
    )
    with open_claims(path) as source:
        rows = list(source)
    read = [row for row in rows if isinstance(row, Record)]
    assert [(row.claim.id, row.claim.codes, row.line, row.place) for row in read] == [
        ("A", ("M62.84", "I10"), 1, "[0]"),
        ("B", ("I10",), 2, "[1]"),
    ]
    assert str(read[1].claim.service_date) == "2026-05-02"
    wrong = [row for row in rows if isinstance(row, Rejected)]
    assert [(row.line, row.place, row.part) for row in wrong] == [
        (3, "[2]", "codes"),
        (3, "[3]", "JSON"),
        (4, "[4]", "JSON"),
    ]


def test_a_list_that_breaks_off_gives_the_claims_before_it(tmp_path: Path) -> None:
    path = tmp_path / "claims.json"
    path.write_text('[{"claim_id": "A", "codes": ["I10"]}, {"claim_id": "B", "co')
    with open_claims(path) as source:
        first, second = source
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert (second.part, second.reason) == ("JSON", "the file breaks off inside a value")


def test_an_object_over_several_lines_is_one_claim(tmp_path: Path) -> None:
    path = tmp_path / "claim.json"
    path.write_text(
        '{\n  "claim_id": "A",\n  "codes": [\n    "I10"\n  ]\n}\n{\n  "claim_id": "B",\n  "codes": ["I10"]\n}\n'
    )
    with open_claims(path) as source:
        assert [(row.claim.id, row.line) for row in source if isinstance(row, Record)] == [("A", 1), ("B", 7)]
