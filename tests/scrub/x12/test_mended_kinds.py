"""Composites, qualifiers, trailers, guides and dental claims of an 837 that were once read wrongly or in silence."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.scrub.x12.agreement import agree
from tests.scrub.x12.test_reading_x12 import CLM, file_of, one, rejected

from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12.source import X12Source

LINES = ["LX*1", "SV1*HC:99213*100*UN*1***1", "DTP*472*D8*20260502"]


def source_of(content: str) -> tuple[list[object], X12Source]:
    agree(content.encode())
    source = X12Source(io.BytesIO(content.encode()), "f")
    return list(source), source


@pytest.mark.parametrize(
    ("hi", "more"),
    [
        ("HI*ABF:I10:ABF:E119:ABF:N1830", "HI01 holds more than a code: 4 more components"),
        ("HI*ABK:I10*ABF:E119:ABF", "HI02 holds more than a code: 1 more component"),
        ("HI*ABK:I10:::::::Y:ABF:E119", "HI01 holds more than a code: 2 more components"),
        ("HI*ABK:I10:::100", "HI01 holds more than a code: 1 more component"),
        ("HI*ABK:I10*ABJ:R51:ABF:E119", "HI02 holds more than a code: 2 more components"),
    ],
)
def test_an_hi_element_with_more_than_a_code_is_rejected_and_not_read_in_part(hi: str, more: str) -> None:
    row = rejected(file_of(CLM, "HI*ABK:M6284", hi, *LINES))
    assert (row.part, row.reason) == ("codes", f"segment 10, {more}")


def test_a_date_and_a_poa_indicator_beside_a_code_are_not_more_than_a_code() -> None:
    content = file_of(CLM, "HI*ABK:M6284:D8:20260501*ABF:I10:::::::Y", *LINES)
    assert one(content).claim.codes == ("M62.84", "I10")
    agree(content.encode())


@pytest.mark.parametrize(
    ("hi", "sign"), [("HI*BK>4019*BF>25000", ">"), ("HI*ABK|I10", "|"), ("HI*APR:R51*ABF>I10", ">")]
)
def test_another_sign_between_components_than_that_of_isa_is_reported(hi: str, sign: str) -> None:
    row = rejected(file_of(CLM, hi, *LINES))
    assert row.reason.endswith(f"the ISA segment says that ':' parts components, and here {sign!r} does")
    agree(file_of(CLM, hi, *LINES).encode())


@pytest.mark.parametrize("hi", ["HI*ABK:M6284^ABF:I10", "HI*ABK:M6284*BH:11:D8:20260501^ABF:I10"])
def test_an_hi_element_that_repeats_is_rejected(hi: str) -> None:
    row = rejected(file_of(CLM, hi, *LINES))
    assert "holds the repetition separator of ISA11; HI elements do not repeat" in row.reason
    agree(file_of(CLM, hi, *LINES).encode())


def test_4010_has_no_repetition_separator() -> None:
    assert one(file_of(CLM, "HI*ABK:M6284").replace("*^*00501", "*U*00401")).claim.codes == ("M62.84",)


@pytest.mark.parametrize(
    ("hi", "says"),
    [
        ("HI*BK:M6284*BF:I10", "HI01 says ICD-9-CM (BK), but M62.84 is an ICD-10-CM code; use ABK/ABF"),
        ("HI*BK:4019*BF:E11.9", "HI02 says ICD-9-CM (BF), but E11.9 is an ICD-10-CM code; use ABK/ABF"),
        ("HI*BK:4019*BN:V4352XA", "HI02 says ICD-9-CM (BN), but V43.52XA is an ICD-10-CM code; use ABK/ABF"),
    ],
)
def test_an_icd10_code_under_a_qualifier_of_icd9_is_reported_as_that(hi: str, says: str) -> None:
    row = rejected(file_of(CLM, hi, *LINES))
    assert (row.part, row.reason) == ("qualifiers", f"segment 9, {says}")


def test_an_icd9_code_with_a_letter_is_shown_in_its_finding() -> None:
    from weakcode import Validator

    (finding,) = [
        found
        for found in Validator().check(one(file_of(CLM, "HI*BK:V103*BF:E8889")).claim)
        if found.rule == "icd10cm/icd9-code"
    ]
    assert finding.codes[0] == "ICD9:V10.3"
    assert "no-code" not in finding.message


GROUP = "GS*HC*S*R*20260401*1200*8*X*005010X222A1~"


@pytest.mark.parametrize(
    ("was", "becomes", "notes"),
    [
        ("GE*1*7", "GE*3*7", ["group 7 has 1 transaction where its GE segment says 3"]),
        ("GE*1*7", "GE*1*9", ["group 7 ends with the control number 9 in its GE segment"]),
        ("GE*1*7", "GE*01*07", []),
        ("IEA*1*000000042", "IEA*2*000000042", ["interchange 000000042 has 1 group where its IEA segment says 2"]),
        ("IEA*1*000000042", "IEA*1*000000043", ["interchange 000000042 ends with the control number 000000043"]),
        ("SE*13*0099", "SE*13*0098", ["transaction 0099 ends with the control number 0098 in its SE segment"]),
        ("SE*13*0099", "SE*13", ["transaction 0099 ends with the control number of none in its SE segment"]),
        ("GE*1*7", "GE", ["group 7 has 1 transaction where its GE segment says nothing", "group 7 ends with"]),
        ("GE*1*7", f"GE*1*7~{GROUP}GE*0*8", ["interchange 000000042 has 2 groups where its IEA segment says 1"]),
    ],
)
def test_every_trailer_is_checked_for_its_count_and_its_control_number(
    was: str, becomes: str, notes: list[str]
) -> None:
    content = file_of(CLM, "HI*ABK:I10", *LINES).replace("SE*1*", "SE*13*").replace(was, becomes)
    rows, source = source_of(content)
    assert [type(row) for row in rows] == [Record]
    assert len(source.notes) == len(notes)
    for said, note in zip(source.notes, notes, strict=True):
        assert said.startswith(note)


def test_a_date_is_asked_for_as_an_837_writes_it() -> None:
    for date in ("D8*20260231", "RD8*20260231-20260301", "D8*2026-02-28"):
        row = rejected(file_of(CLM, "HI*ABK:I10", "LX*1", f"DTP*472*{date}"))
        assert "CCYYMMDD" in row.reason
        assert "YYYY-MM-DD" not in row.reason


@pytest.mark.parametrize("version", ["005010X299A1", "005010X292", "008020X324", "006020X991"])
def test_a_stay_is_one_whatever_the_guide_is_called(version: str) -> None:
    stay = ["CLM*A1*100***11:A:1", "DTP*434*RD8*20260501-20260505", "HI*ABK:I10", "LX*1", "SV2*0120**100*UN*5"]
    rows, source = source_of(file_of(*stay, version=version).replace("SE*1*", "SE*13*"))
    (row,) = rows
    assert isinstance(row, Record)
    assert (row.claim.setting, str(row.claim.service_date)) == ("inpatient", "2026-05-05")
    assert source.notes == ()


@pytest.mark.parametrize(
    ("place", "service", "setting"),
    [
        ("11:B:1", "SV1*HC:99213*100*UN*1", "professional"),
        ("13:A:1", "SV2*0300*HC:1*1*UN*1", "outpatient"),
        ("11:B:1", "SV3*AD:D1110*80", "professional"),
        ("11:B:1", "SV2*0300*HC:1*1*UN*1", None),
        ("11::1", "SV1*HC:99213*100*UN*1", None),
    ],
)
def test_under_a_guide_that_is_not_known_the_claim_says_what_it_is_or_a_note_does(place, service, setting) -> None:
    content = file_of(f"CLM*A1*100***{place}", "HI*ABK:I10", "LX*1", service, version="006020X991")
    rows, source = source_of(content.replace("SE*1*", "SE*12*"))
    (row,) = rows
    assert isinstance(row, Record)
    assert row.claim.setting == setting
    notes = [note for note in source.notes if "the implementation guide 006020X991 is not known" in note]
    assert len(notes) == (setting is None)


DENTAL = ["CLM*D1*100***11:B:1", "LX*1", "SV3*AD:D1110*80****1", "DTP*472*D8*20260502"]


def test_a_dental_claim_without_diagnoses_is_counted_apart() -> None:
    rows, source = source_of(file_of(*DENTAL, *DENTAL, CLM, "HI*ABK:K0290", version="005010X224A2"))
    assert [row.claim.codes for row in rows if isinstance(row, Record)] == [("K02.90",)]
    assert (len(rows), source.undiagnosed) == (1, {"dental": 2})


def test_a_dental_claim_that_lost_its_diagnoses_is_rejected() -> None:
    pointing = [*DENTAL[:2], "SV3*AD:D1110*80****1*****1", DENTAL[3]]
    assert rejected(file_of(*pointing, version="005010X224A2")).part == "codes"
    assert rejected(file_of(*DENTAL, version="005010X222A1")).part == "codes"
    agree(file_of(*pointing, version="005010X224A2").encode())


def test_a_file_of_dental_claims_without_diagnoses_is_not_a_failure(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from weakcode.cli import main

    path = tmp_path / "dental.837"
    path.write_text(file_of(*DENTAL, version="005010X224A2").replace("SE*1*", "SE*12*"))
    for more in ([], ["-o", str(tmp_path / "f.parquet")]):
        done = CliRunner().invoke(main, ["scrub", str(path), *more])
        assert done.exit_code == 0, done.output
        assert "1 dental claim without diagnoses" in done.output
    done = CliRunner().invoke(main, ["scrub", str(path), "-o", str(tmp_path / "g.parquet"), "--format", "json"])
    summary = json.loads(done.output)
    assert (summary["claims_in"], summary["without_diagnoses"]) == (0, {"dental": 1})
