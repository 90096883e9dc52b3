"""Mended claims in their own text table: cells of diagnoses, pointers and sequences move, and no other byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode import Claim, Validator
from weakcode.scrub.read.files import open_claims
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.run import scrub

VALIDATOR = Validator(packs=["icd10cm"]).in_bulk()


def mended(tmp_path: Path, content: str | bytes, name: str = "out.csv", **options: Any) -> tuple[bytes, Any]:
    """Write a table, scrub it with --fix, and hold what is read of the result to what the fixes say."""
    path, out = tmp_path / "in.csv", tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    summary = scrub(
        [path],
        VALIDATOR,
        columns=VALIDATOR.columns(),
        fixed=out,
        mend=lambda one: VALIDATOR.fix(one).claim,
        **options,
    )
    after = claims(out, **options)
    expected = [VALIDATOR.fix(one).claim for one in claims(path, **options)]
    assert not summary.remarks.get(str(out))
    assert sorted(map(str, after)) == sorted(map(str, expected))
    assert {one.id: bare(one) for one in after} == {one.id: bare(one) for one in expected}
    return out.read_bytes(), summary


def claims(path: Path, **options: Any) -> list[Claim]:
    with open_claims(path, options.get("mapping"), options.get("options", ReadOptions())) as source:
        return [row.claim for row in source if isinstance(row, Record)]


def bare(claim: Claim) -> Claim:
    return attrs.evolve(claim, waivers=())


def test_codes_in_one_cell_keep_their_spelling_and_what_is_between_them(tmp_path: Path) -> None:
    content = (
        "Note;claim_id;codes;x\n"
        "a;1;K31.84  e1143,I10;é\n"
        'b;2;"[""ICD10:K3184"", ""E11.43""]";"two\nlines"\n'
        "c;3;I10;\n"
        "bad row\n"
        "\n"
        "d;4;K31.84|I10|E11.43;last"
    )
    after, summary = mended(tmp_path, content)
    assert after.decode() == content.replace("K31.84  e1143,I10", "e1143  K31.84,I10").replace(
        'ICD10:K3184"", ""E11.43', 'E11.43"", ""ICD10:K3184'
    ).replace("K31.84|I10|E11.43", "E11.43|K31.84|I10")
    assert summary.fixed == 3
    assert summary.rejected == 1


def test_columns_of_codes_take_their_indicators_along(tmp_path: Path) -> None:
    content = (
        "CLM_ID,DX1,POA1,DX2,POA2,DX3,POA3,SEX\r\n"
        'A,K3184,Y,"I10",N,E1143,W,F\r\n'
        "B,K3184,Y,,,E1143,W,F\r\n"
        "C,I10,Y,I10,Y,,,M\r\n"
    )
    after, _ = mended(tmp_path, content, mapping={"id": "CLM_ID", "codes": "DX*", "poa": "POA*", "sex": "SEX"})
    lines = after.decode().split("\r\n")
    assert lines[1] == 'A,E1143,W,K3184,Y,"I10",N,F'
    assert lines[2] == "B,E1143,W,,,K3184,Y,F"
    assert lines[3] == "C,I10,Y,,,,,M"


def test_a_principal_diagnosis_of_its_own_changes_with_the_first_of_the_list(tmp_path: Path) -> None:
    content = "id,pdx,dx1,dx2\nA,K31.84,K31.84,E11.43\nB,K31.84,E11.43,\n"
    mapping = {"id": "id", "principal": "pdx", "codes": "dx*"}
    after, _ = mended(tmp_path, content, mapping=mapping)
    assert after.decode() == "id,pdx,dx1,dx2\nA,E11.43,E11.43,K31.84\nB,E11.43,K31.84,\n"


def test_pointers_of_service_lines_follow_as_numbers_letters_or_codes(tmp_path: Path) -> None:
    content = (
        "CLAIM,D1,D2,LN,CPT,PTR\n"
        "A,K31.84,E11.43,1,99213,1\nA,K31.84,E11.43,2,99214,2:1\n"
        "B,K31.84,E11.43,1,99213,A\nB,K31.84,E11.43,2,99214,ba\n"
        "C,K31.84,E11.43,1,99213,K31.84\n"
    )
    mapping = {"id": "CLAIM", "codes": "D*", "line": "LN", "procedure": "CPT", "pointer": "PTR"}
    after, _ = mended(tmp_path, content, mapping=mapping)
    assert after.decode() == (
        "CLAIM,D1,D2,LN,CPT,PTR\n"
        "A,E11.43,K31.84,1,99213,2\nA,E11.43,K31.84,2,99214,1:2\n"
        "B,E11.43,K31.84,1,99213,B\nB,E11.43,K31.84,2,99214,ab\n"
        "C,E11.43,K31.84,1,99213,K31.84\n"
    )


def test_rows_of_diagnoses_get_other_numbers_or_change_places(tmp_path: Path) -> None:
    mapping = {"id": "id", "code": "code", "sequence": "seq"}
    content = "id,code,seq,what\nA,K31.84,1,slow\nB,I10,1,x\nA,E11.43,2,sugar\nA,I10,3,high\n"
    after, _ = mended(tmp_path, content, mapping=mapping)
    assert after.decode() == "id,code,seq,what\nA,K31.84,2,slow\nB,I10,1,x\nA,E11.43,1,sugar\nA,I10,3,high\n"
    after, _ = mended(tmp_path, content, mapping={"id": "id", "code": "code"})
    assert after.decode() == "id,code,seq,what\nA,E11.43,2,sugar\nB,I10,1,x\nA,K31.84,1,slow\nA,I10,3,high\n"
    after, _ = mended(tmp_path, "id,code,seq\nA,K31.84,P\nA,I10,S\nA,E11.43,S\n", mapping=mapping)
    assert after.decode() == "id,code,seq\nA,E11.43,P\nA,K31.84,S\nA,I10,S\n"
    after, _ = mended(tmp_path, "id,code,seq\nA,I10,1\nA,I10,2\nA,E11.9,3\n", mapping=mapping)
    assert after.decode() == "id,code,seq\nA,I10,1\nA,E11.9,2\n"


def test_what_no_row_can_say_stays_and_is_counted(tmp_path: Path) -> None:
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    content = "id,code,sex\nA,K31.84,F\nA,E11.43,M\n"
    path.write_text(content)
    summary = scrub(
        [path],
        VALIDATOR,
        columns=VALIDATOR.columns(),
        mapping={"id": "id", "code": "code", "sex": "sex"},
        fixed=out,
        mend=lambda one: VALIDATOR.fix(one).claim,
    )
    assert summary.fixed == 0
    assert summary.remarks[str(out)] == (
        "1 of the claims are as they were, because their rows cannot list them as mended",
    )
    assert out.read_text() == content


def test_bytes_that_are_not_utf8_stay(tmp_path: Path) -> None:
    content = b"claim_id\tcodes\tname\n1\tK31.84 E11.43\tM\xfcller\n"
    after, _ = mended(tmp_path, content, "out.tsv")
    assert after == content.replace(b"K31.84 E11.43", b"E11.43 K31.84")


def test_lines_of_fhir_are_written_again_as_ndjson(tmp_path: Path) -> None:
    line = (
        '{"resourceType":"Claim","id":"A","diagnosis":[{"sequence":1,"diagnosisCodeableConcept":{"coding":[{"system":'
        '"http://hl7.org/fhir/sid/icd-10-cm","code":"K31.84"}]}},{"sequence":2,"diagnosisCodeableConcept":{"coding":[{'
        '"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.43"}]}}]}\n'
    )
    after, summary = mended(tmp_path, line, "out.ndjson")
    assert summary.fixed == 1
    swapped = line.replace('"sequence":1', '"sequence":0').replace('"sequence":2', '"sequence":1')
    assert after.decode() == swapped.replace('"sequence":0', '"sequence":2')


def test_a_table_that_is_not_one_text_table_is_refused_where_it_is_to_be_written_again(tmp_path: Path) -> None:
    from weakcode import InputError

    path = tmp_path / "in.jsonl"
    path.write_text('{"codes": ["I10"]}\n')
    with pytest.raises(InputError, match="one text table in UTF-8"):
        scrub([path], VALIDATOR, fixed=tmp_path / "out.tsv", mend=lambda claim: claim)


CODES = st.sampled_from(["K31.84", "k3184", "E11.43", "I10", "I10", "M62.84", "G72.9", "Z99.9", ""])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(CODES, min_size=4, max_size=4), st.lists(st.sampled_from(["Y", "N", ""]), min_size=4, max_size=4)
        ),
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_reading_it_again_gives_exactly_the_mended_claims(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[list[str], list[str]]], delimiter: str, quoted: bool
) -> None:
    names = ["id", "D1", "P1", "D2", "P2", "D3", "P3", "D4", "P4", "note"]
    # A run that reads no claim at all leaves its outputs as they were; so one claim is always there.
    table = [names, ["one", "I10", "Y", "", "", "", "", "", "", ""]]
    for number, (codes, indicators) in enumerate(rows):
        beside = [cell for code, poa in zip(codes, indicators, strict=True) for cell in (code, poa if code else "")]
        table.append([f"C{number}", *beside, 'a "b"' if quoted else "é"])
    lines = [
        delimiter.join('"' + cell.replace('"', '""') + '"' if '"' in cell else cell for cell in row) for row in table
    ]
    content = "\n".join(lines) + "\n"
    mended(tmp_path_factory.mktemp("t"), content, mapping={"id": "id", "codes": "D*", "poa": "P*"})


def test_a_table_in_a_folder_that_says_something_of_its_claims_is_mended(tmp_path: Path) -> None:
    folder = tmp_path / "payer=ACME" / "sex=F"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("claim_id,dx1,dx2\nA,K31.84,E11.43\n")
    summary = scrub(
        [folder / "a.csv"],
        VALIDATOR,
        columns=VALIDATOR.columns(),
        fixed=tmp_path / "out.csv",
        mend=lambda one: VALIDATOR.fix(one).claim,
    )
    assert (tmp_path / "out.csv").read_text() == "claim_id,dx1,dx2\nA,E11.43,K31.84\n"
    assert not summary.remarks.get(str(tmp_path / "out.csv"))
