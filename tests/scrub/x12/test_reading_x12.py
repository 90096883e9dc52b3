"""Claims from 837 files: what the segments say comes out, in the guide's order, with its places."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import string
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.choices import Table, chosen, chosen_lists, evenly, joined
from tests.scrub.x12.writing837 import Signs, interchange

from weakcode import Claim, InputError
from weakcode.claims import Diagnosis, ServiceLine
from weakcode.scrub.formats import FORMATS
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.source import X12Source


def rows_of(content: str | bytes, name: str = "f.837") -> list[Record | Rejected]:
    data = content.encode() if isinstance(content, str) else content
    return list(X12Source(io.BytesIO(data), name))


def file_of(*claim: str, before: str = "", after: str = "", version: str = "005010X222A1", patient: str = "") -> str:
    """An interchange around these segments, which are separated by `~` and without ends."""
    header = (
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260401*1200*^*00501*000000042*0*T*:~"
        f"GS*HC*S*R*20260401*1200*7*X*{version}~ST*837*0099*{version}~HL*1**20*1~"
    )
    patient = patient or "HL*2*1*22*0~SBR*P*18~NM1*IL*1*DOE*JO~DMG*D8*19500301*F~NM1*PR*2*ACME HEALTH*****PI*9~"
    return header + before + patient + "~".join(claim) + "~" + after + "SE*1*0099~GE*1*7~IEA*1*000000042~"


CLM = "CLM*A1*100***11:B:1*Y*A*Y*Y"


def one(content: str) -> Record:
    (row,) = rows_of(content)
    assert isinstance(row, Record), row
    return row


def rejected(content: str) -> Rejected:
    (row,) = rows_of(content)
    assert isinstance(row, Rejected), row
    return row


# what a claim says


def test_a_professional_claim_comes_out_with_all_that_its_segments_say() -> None:
    row = one(file_of(CLM, "HI*ABK:M6284*ABF:I10", "LX*1", "SV1*HC:99213:25*40*UN*1***2:1", "DTP*472*D8*20260302"))
    assert row.claim == Claim(
        ["M62.84", "I10"],
        "A1",
        birth_date="1950-03-01",
        sex="F",
        service_date="2026-03-02",
        setting="professional",
        payer="ACME HEALTH",
        payer_id=["9"],
        frequency="1",
        principals=1,
        place="11",
        lines=[
            ServiceLine(1, (2, 1), "99213", modifiers=["25"], units=1, charge=40, start="2026-03-02", end="2026-03-02")
        ],
    )


def test_principal_then_others_then_external_causes_and_the_rest_stands_apart() -> None:
    row = one(
        file_of(
            CLM,
            "HI*ABN:W010XXA",
            "HI*ABF:I10*ABF:E119",
            "HI*APR:R0602",
            "HI*ABJ:R531",
            "HI*ABK:S72001A",
            "HI*BH:A1:D8:20260101*BBR:0SR9019:D8:20260301",
            version="005010X223A2",
        )
    )
    assert row.claim.codes == ("S72.001A", "I10", "E11.9", "W01.0XXA")
    assert row.other_codes == (("reason-for-visit", "R06.02"), ("admitting", "R53.1"))


def test_present_on_admission_is_the_ninth_component() -> None:
    row = one(file_of(CLM, "HI*ABK:A419:::::::Y*ABF:I10:::::::1*ABF:E119"))
    assert [(diagnosis.code, diagnosis.poa) for diagnosis in row.claim.diagnoses] == [
        ("A41.9", "Y"),
        ("I10", "1"),
        ("E11.9", None),
    ]


def test_icd9_codes_are_distinguished_from_those_of_icd10() -> None:
    row = one(file_of(CLM, "HI*BK:4019*BF:V103*BF:E8889"))
    assert row.claim.codes == ("401.9", "ICD9:V10.3", "ICD9:E888.9")


@pytest.mark.parametrize(
    ("version", "place", "setting"),
    [
        ("005010X222A1", "21:B:1", "professional"),
        ("005010X224A2", "11:B:1", "professional"),
        ("005010X223A2", "11:A:1", "inpatient"),
        ("005010X223A2", "21:A:4", "inpatient"),
        ("005010X223A2", "13:A:1", "outpatient"),
        ("005010X223A2", "85:A:1", "outpatient"),
        ("005010X223A2", "", None),
        ("004010X096A1", "11:A:1", "inpatient"),
        ("004010X098A1", "11::1", "professional"),
        ("", "11:A:1", None),
    ],
)
def test_the_setting_follows_from_the_transaction_and_the_type_of_bill(version, place, setting) -> None:
    assert one(file_of(f"CLM*A1*100***{place}", "HI*ABK:I10", version=version)).claim.setting == setting


def test_4010_may_name_its_guide_in_a_ref_segment() -> None:
    assert one(file_of(CLM, "HI*ABK:I10", version="", before="REF*87*004010X098A1~")).claim.setting == "professional"


def test_a_patient_who_is_not_the_subscriber_has_a_birth_date_and_sex_of_their_own() -> None:
    subscriber = "HL*2*1*22*1~SBR*P~NM1*IL*1*DOE*JO~DMG*D8*19500301*F~NM1*PR*2*ACME~"
    row = one(file_of(CLM, "HI*ABK:I10", patient=subscriber + "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*TED~DMG*D8*20150901*M~"))
    assert (row.claim.sex, str(row.claim.birth_date), row.claim.payer) == ("M", "2015-09-01", "ACME")
    row = one(file_of(CLM, "HI*ABK:I10", patient=subscriber + "HL*3*2*23*0~PAT*19~NM1*QC*1*DOE*TED~"))
    assert (row.claim.sex, row.claim.birth_date) == (None, None)


def test_what_other_insurance_says_is_not_taken_for_the_patient() -> None:
    row = one(file_of(CLM, "HI*ABK:I10", "SBR*S*01", "DMG*D8*19990101*M", "NM1*IL*1*ROE", "NM1*PR*2*OTHER", "LX*1"))
    assert (row.claim.sex, str(row.claim.birth_date), row.claim.payer) == ("F", "1950-03-01", "ACME HEALTH")


def test_two_claims_of_one_patient_both_have_what_the_patient_has() -> None:
    first, second = rows_of(file_of(CLM, "HI*ABK:I10", "CLM*A2*5***11:B:1", "HI*ABK:R54"))
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert [(row.claim.id, row.claim.codes, row.claim.sex) for row in (first, second)] == [
        ("A1", ("I10",), "F"),
        ("A2", ("R54",), "F"),
    ]


@pytest.mark.parametrize(
    ("version", "bill", "dates", "expected"),
    [
        ("005010X223A2", "13", ["DTP*434*RD8*20260301-20260305"], "2026-03-01"),
        ("005010X223A2", "11", ["DTP*434*RD8*20260301-20260305"], "2026-03-05"),
        ("005010X223A2", "11", ["LX*1", "DTP*472*D8*20260304"], "2026-03-04"),
        ("005010X222A1", "11", ["LX*1", "DTP*472*D8*20260304", "LX*2", "DTP*472*RD8*20260302-20260303"], "2026-03-02"),
        ("005010X224A2", "11", ["DTP*472*D8*20260302"], "2026-03-02"),
        ("005010X222A1", "11", ["DTP*431*D8*20260302"], None),
    ],
)
def test_the_service_date_is_that_of_the_statement_or_of_the_earliest_line(version, bill, dates, expected) -> None:
    hi_first = ["HI*ABK:I10", *dates] if dates[0] == "LX*1" else [*dates, "HI*ABK:I10"]
    date = one(file_of(f"CLM*A1*100***{bill}:A:1", *hi_first, version=version)).claim.service_date
    assert (str(date) if date else None) == expected


def test_pointers_follow_the_diagnoses_where_the_file_has_them_in_another_order() -> None:
    row = one(file_of(CLM, "HI*ABF:I10*ABK:M6281", "LX*1", "SV1*HC:1*1*UN*1***1:2:4"))
    assert (row.claim.codes, row.claim.lines[0].pointers) == (("M62.81", "I10"), (2, 1, 4))


# files


def test_line_breaks_wrapped_lines_and_other_delimiters_change_nothing_but_the_places() -> None:
    content = file_of(CLM, "HI*ABK:M6284*ABF:I10", "LX*1", "SV1*HC:99213*40*UN*1***1", "DTP*472*D8*20260302")
    expected = one(content).claim
    wrapped = "\r\n".join(content[at : at + 80] for at in range(0, len(content), 80))
    for changed in (
        content.replace("~", "~\n"),
        content.replace("~", "~\r\n\r\n"),
        content.replace("~", "~\n  "),
        content.replace("~", "\n"),
        content.replace("~", "\r\n"),
        content.replace("~", "~~"),
        "\ufeff\n" + content + "\n\n\x1a",
        content.translate(str.maketrans("*:~", "|>\x1e")),
        wrapped,
    ):
        assert one(changed).claim == expected
    breaks = one(content.replace("~", "~\n"))
    assert (breaks.line, breaks.lines) == (10, (11, 11))
    assert breaks.place == "interchange 000000042, transaction 0099, segment 8"
    assert breaks.places == tuple(f"interchange 000000042, transaction 0099, segment 9, HI0{n}" for n in (1, 2))
    assert (breaks.spot_of(), breaks.spot_of((2, 1))) == ("f.837:10", "f.837:11")
    hi = content.index("HI*") + 1
    assert one(content).spot_of((2,)) == f"f.837:1:{hi}"
    assert one(content).places[0].endswith(f"segment 9, HI01, column {hi}")


def test_interchanges_with_delimiters_of_their_own_may_follow_each_other() -> None:
    claims = [Claim(["I10"], str(n), setting="professional") for n in range(3)]
    signs = [Signs(), Signs("|", "^", "\n"), Signs("*", ">", "'", "\n")]
    for order in itertools.permutations(range(3)):
        content = "".join("".join(interchange([claims[n]], "P", n, signs[n])) for n in order)
        rows = rows_of(content)
        assert [row.claim.id for row in rows if isinstance(row, Record)] == [str(n) for n in order]
        assert [row.place.split(",")[0] for row in rows] == [f"interchange {n:09}" for n in order]


def test_a_bad_width_of_the_isa_segment_does_not_matter() -> None:
    assert one(file_of(CLM, "HI*ABK:I10").replace("*SENDER    ", "*SENDER ")).claim.codes == ("I10",)


def test_text_that_is_not_ascii_is_kept() -> None:
    row = one(file_of("CLM*Ü1*1***11:B:1", "HI*ABK:I10", patient="HL*2*1*22*0~NM1*PR*2*SANTÉ~"))
    assert (row.claim.id, row.claim.payer) == ("Ü1", "SANTÉ")


def test_x12_is_detected_by_its_first_segment() -> None:
    assert FORMATS["x12"].is_begun(b"ISA*00*")
    assert FORMATS["x12"].is_begun(b"\xef\xbb\xbf\r\nISA|00|")
    assert FORMATS["x12"].is_begun(b"GS*HC*")
    assert not FORMATS["x12"].is_begun(b"claim_id,codes")
    assert not FORMATS["x12"].is_begun(b"ISAAC,codes")
    assert not FORMATS["x12"].is_begun(b"")


# what is no claim


@pytest.mark.parametrize(
    ("segments", "part"),
    [
        ([CLM, "LX*1"], "codes"),
        ([CLM, "HI*BK*8901*BF*87200"], "codes"),
        ([CLM, "HI*ABK:"], "codes"),
        ([CLM, "HI*A?K:I10"], "qualifiers"),
        ([CLM, "HI*ABK:I10:::::::Q"], "present-on-admission indicator"),
        ([CLM, "H1*ABF:I10", "HI*ABK:R54"], "segments"),
        ([CLM, "HI*ABK:I10", "LX*1", "HI*ABF:E119"], "segments"),
        ([CLM, "REF*D9*1 HI*ABF:E119", "HI*ABK:I10"], "segments"),
        ([CLM, "HI*ABK:I10", "LX*1", "SV1*HC:1*1*UN*1***A"], "pointers"),
        ([CLM, "HI*ABK:I10", "LX*1", "DTP*472*D8*20260231"], "service date"),
        ([CLM, "HI*ABK:I10", "LX*1", "DTP*472*XX*20260201"], "service date"),
        ([CLM, "HI*ABK:I10", "LX*1", "DTP*472*D8*19490101"], "dates"),
        (["HI*ABK:I10", "LX*1"], "segments"),
    ],
)
def test_a_claim_that_is_not_whole_is_rejected_with_what_is_wrong(segments: list[str], part: str) -> None:
    row = rejected(file_of(*segments))
    assert row.part == part
    assert row.place.startswith("interchange 000000042, transaction 0099, segment ")


def test_a_birth_date_that_is_none_rejects_the_patients_claims_only() -> None:
    patient = "HL*2*1*22*0~DMG*D8*19501301*F~" + CLM + "~HI*ABK:I10~HL*3*1*22*0~DMG*D8*19501201*M~"
    first, second = rows_of(file_of("CLM*A2*1***11:B:1", "HI*ABK:R54", patient=patient))
    assert isinstance(first, Rejected)
    assert first.part == "birth date"
    assert isinstance(second, Record)
    assert second.claim.sex == "M"


def test_a_reject_holds_the_claim_as_it_stands_but_says_nothing_of_it_in_public() -> None:
    row = rejected(file_of(CLM, "HI*A?K:I10"))
    assert (row.claim_id, row.raw) == ("A1", f"{CLM}~HI*A?K:I10~")
    assert "I10" not in row.where + row.part


def test_a_file_that_is_cut_off_within_a_claim_loses_that_claim_aloud() -> None:
    content = file_of(CLM, "HI*ABK:I10", "CLM*A2*1***11:B:1", "HI*ABK:R54*ABF:I10", "LX*1")
    first, second = rows_of(content[: content.index("*ABF:I10")])
    assert isinstance(first, Record)
    assert first.claim.id == "A1"
    assert isinstance(second, Rejected)
    assert (second.claim_id, second.part) == ("A2", "end of file")


def test_a_file_that_is_cut_off_between_claims_is_reported() -> None:
    content = file_of(CLM, "HI*ABK:I10", after="HL*3*1*22*0~")
    first, second = rows_of(content[: content.index("SE*")])
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert second.part == "end of file"


def test_a_lost_clm_segment_never_lends_its_diagnoses_to_the_claim_before() -> None:
    rows = rows_of(file_of(CLM, "HI*ABK:I10", "LX*1", "SV1*HC:1*1*UN*1", "REF*D9*2", "HI*ABK:R54"))
    assert [type(row) for row in rows] == [Rejected]


@pytest.mark.parametrize("segment", ["DTP*472*D8*20260401", "REF*D9*1~CL1*1", "HCP*03*1", "SVD*9*1"])
def test_a_claim_of_which_only_the_rest_is_left_is_a_reject(segment: str) -> None:
    content = file_of(CLM, "HI*ABK:I10", after=f"HL*3*1*22*0~NM1*IL*1*ROE~{segment}~")
    first, second = rows_of(content)
    assert isinstance(first, Record)
    assert isinstance(second, Rejected)
    assert (second.part, second.claim_id) == ("segments", None)
    assert "stands in no claim" in second.reason


@pytest.mark.parametrize("end", ["SE*5*0099~GE*1*7~IEA*1*000000042~", "GE*1*7~IEA*1*000000042~", "IEA*1*000000042~"])
def test_a_transaction_without_any_claim_is_a_reject(end: str) -> None:
    content = file_of().replace("SE*1*0099~GE*1*7~IEA*1*000000042~", end)
    empty, *rest = rows_of(content)
    assert isinstance(empty, Rejected)
    assert (empty.part, empty.reason) == ("transaction", "the transaction has no claim; it was lost")
    assert [row.part for row in rest if isinstance(row, Rejected)] == ([] if "SE*" in end else ["end of file"])
    assert "transaction 0099" in empty.where
    rows = rows_of(content + file_of(CLM, "HI*ABK:I10"))
    assert [type(row) for row in rows] == [Rejected, Record]


def test_a_lost_level_never_lends_its_patient_to_the_next_claim() -> None:
    between = ["SBR*P*18", "NM1*IL*1*ROE*ANN", "NM1*PR*2*BETA"]
    _, second = rows_of(file_of(CLM, "HI*ABK:I10", "LX*1", "SV1*HC:1*1", *between, "CLM*A2*1***11:B:1", "HI*ABK:R54"))
    assert isinstance(second, Record)
    assert (second.claim.sex, second.claim.birth_date, second.claim.payer) == (None, None, None)


def test_a_stretch_lost_from_one_claim_into_another_is_seen_by_the_numbers_of_the_levels() -> None:
    claims = [Claim([code], f"C{code}", setting="professional") for code in ("I10", "R54", "E11.9", "M62.84")]
    content = "".join(interchange(claims, "P"))
    cut = content[: content.index("HI*ABK:I10")] + content[content.index("HI*ABK:R54") :]
    first, *others = rows_of(cut)
    assert isinstance(first, Rejected)
    assert (first.claim_id, first.part) == ("CI10", "levels")
    assert [row.claim.id for row in others if isinstance(row, Record)] == ["CE11.9", "CM62.84"]


def test_levels_may_be_numbered_otherwise() -> None:
    claims = [Claim([code], f"C{code}", setting="professional") for code in ("I10", "R54", "E11.9", "M62.84")]
    content = "".join(interchange(claims, "P"))
    for numbers in ((10, 20, 30, 40), (5, 5, 5, 5), (4, 3, 2, 9)):
        changed = content
        for level, number in zip(range(2, 6), numbers, strict=True):
            changed = changed.replace(f"HL*{level}*1*", f"HL*_{number}*1*")
        rows = rows_of(changed.replace("*_", "*"))
        assert [type(row) for row in rows] == [Record] * 4


def test_a_wrong_segment_count_is_noted() -> None:
    source = X12Source(io.BytesIO(file_of(CLM, "HI*ABK:I10").encode()), "f")
    assert len(list(source)) == 1
    (note,) = source.notes
    assert note.startswith("transaction 0099 has 10 segments where its SE segment says 1")


def test_other_transaction_sets_are_skipped_and_named() -> None:
    other = "ST*277*0001*005010X214~BHT*1~DTP*472*D8*20260401~SVC*HC:99213*1~SE*3*0001~"
    content = file_of(CLM, "HI*ABK:I10").replace("ST*837*", other + "ST*837*")
    source = X12Source(io.BytesIO(content.encode()), "f")
    assert [type(row) for row in source] == [Record]
    assert source.ignored == ("transaction set 277",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("GS*HC*S~ST*837*1~", "begins with 'GS'; an X12 file begins with an ISA segment"),
        ("ISA*00*~", "the ISA segment cannot be read"),
        ("ISA" + "*0" * 15 + "*1~GS*HC~", "the ISA segment cannot be read"),
        ("\x00\x01\x02", "does not begin with a segment"),
        (file_of(CLM, "HI*ABK:I10").replace("ST*837", "ST*835").replace(CLM + "~HI*ABK:I10~", ""), "holds no 837"),
    ],
)
def test_a_file_that_is_not_an_837_is_one_clear_line(content: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        rows_of(content)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lost_segment_end_over_megabytes_is_not_taken_into_memory() -> None:
    content = file_of(CLM, "HI*ABK:I10", "NTE*ADD*" + "x" * 3_000_000, "CLM*A2*1***11:B:1", "HI*ABK:R54")
    first, second = rows_of(content)
    assert isinstance(first, Rejected)
    assert first.part == "length"
    assert isinstance(second, Record)
    assert second.claim.id == "A2"
    assert second.places[0].endswith(f"column {content.index('HI*ABK:R54') + 1}")


# round trip

CODES = ["M62.84", "I10", "E11.9", "S72.001A", "A41.9", "U07.1", "W01.0XXA", "F03.90"]
DAYS = [dt.date(2015, 10, 1) + dt.timedelta(number) for number in range(4_111)]
BIRTHS = [dt.date(1901, 1, 1) + dt.timedelta(number) for number in range(41_639)]
PAYERS: list[dict[str, Any]] = [
    {},
    {"plan": "MB"},
    {"payer": "ACME"},
    {"payer": "MEDICARE B", "payer_id": ["00435"], "plan": "CI"},
]
IDS = chosen_lists(str, string.ascii_uppercase + string.digits + "-", least=1, most=38)
ABOUT: dict[str, Table] = {
    "birth_date": evenly([None], BIRTHS),
    "sex": ["F", "M", None],
    "statement": evenly([None], DAYS),
    "setting": ["inpatient", "outpatient"],
    "payer": PAYERS,
    "frequency": [None, "1", "7"],
    "has_reference": [True, False],
    "principals": [1, 1, 1, 0, 2],
    "place": [None, "11", "02"],
    "provider": [None, "1234567893", "1999999992"],
    "provider_taxonomy": [None, "207Q00000X"],
    "rendering_provider": [None, "1234567893"],
    "rendering_taxonomy": [None, "225100000X"],
    "pcs": evenly(*(list(product(["0SRC0J9", "5A1935Z", "0SR"], repeat=size)) for size in range(4))),
    "discharge_status": [None, "01", "20"],
    "state": [None, "CA", "TX"],
}
_NUMBERS = evenly([None], [0, 1, -1, 2.5, 0.1, 123456789.25])
LINES: dict[str, Table] = {
    "pointers": range(5),
    **{f"pointer_{number}": range(1 << 16) for number in range(4)},
    "procedure": [None, "99213", "D0120"],
    "modifiers": evenly(*(list(product(["25", "59", "GP"], repeat=size)) for size in range(5))),
    "units": _NUMBERS,
    "charge": _NUMBERS,
    "place": [None, "22"],
    "revenue": [None, "0450"],
    "rendering_provider": [None, "1999999992"],
    "rendering_taxonomy": [None, "207Q00000X"],
    "start": evenly([None], DAYS),
    "days": range(4),
}


def claims(kind: str) -> st.SearchStrategy[Claim]:
    most, indicators = (25, [None, "Y", "N", "U", "W", "1"]) if kind == "I" else (12, [None])
    listed = st.one_of(
        *(chosen_lists(lambda code, poa: (code, poa), CODES, indicators, least=1, most=size) for size in (9, most))
    )
    lines = chosen_lists(dict, least=0, most=5, **LINES)
    return joined(lambda *drawn: _claim(kind, *drawn), listed, lines, IDS, chosen(dict, **ABOUT))


def _claim(
    kind: str,
    listed: list[tuple[str, str | None]],
    drawn: list[dict[str, Any]],
    signs: list[str],
    about: dict[str, Any],
) -> Claim:
    statement, payer, setting = about.pop("statement"), about.pop("payer"), about.pop("setting")
    lines = [_line(kind, len(listed), number, **one) for number, one in enumerate(drawn, start=1)]
    starts = [line.start for line in lines if line.start]
    if kind == "I":
        bill = {"inpatient": "11", "outpatient": "13"}[setting] + (about["frequency"] or "")
        about |= {"setting": setting, "bill_type": bill, "place": None}
    else:
        statement = None
        about |= {"setting": "professional", "pcs": (), "discharge_status": None}
    if not about["rendering_provider"]:
        about["rendering_taxonomy"] = None
    about["principals"] = min(about["principals"], len(listed))
    missing = "missing" if about["frequency"] == "7" else None
    about["original_reference"] = "ICN9/-1" if about.pop("has_reference") else missing
    day = statement or min(starts, default=None)
    diagnoses = [Diagnosis(code, poa=poa) for code, poa in listed]
    return Claim(diagnoses, "".join(signs), service_date=day, lines=lines, **about, **payer)


def _line(kind: str, diagnoses: int, number: int, **drawn: Any) -> ServiceLine:
    to = [1 + drawn.pop(f"pointer_{n}") % (diagnoses + 2) for n in range(4)][: drawn.pop("pointers")]
    start, days = drawn["start"], drawn.pop("days")
    if not drawn["procedure"]:
        drawn["modifiers"] = ()
    drawn["place" if kind == "I" else "revenue"] = None
    return ServiceLine(number, () if kind == "I" else to, **drawn, end=start and start + dt.timedelta(days))


SIGNS = st.sampled_from([Signs(), Signs(after="\n"), Signs("|", "^", "\n"), Signs("\x1d", "\x1f", "\x1c", "\r\n")])


@pytest.mark.parametrize("kind", ["P", "I", "D"])
@given(data=st.data())
def test_claims_that_are_written_as_837_are_read_back_equal(kind: str, data: st.DataObject) -> None:
    written = data.draw(st.lists(st.lists(claims(kind), min_size=1, max_size=3), min_size=1, max_size=3))
    content = "".join(
        "".join(interchange(batch, kind, number, data.draw(SIGNS))) for number, batch in enumerate(written, start=1)
    )
    rows = rows_of(content)
    assert [attrs.asdict(row.claim) for row in rows if isinstance(row, Record)] == [
        attrs.asdict(claim) for batch in written for claim in batch
    ]
    assert len(rows) == sum(map(len, written))


def test_a_file_on_disk_is_detected_by_content_and_by_extension(tmp_path: Path) -> None:
    from weakcode import read_claims

    for name in ("claims.txt", "claims.837"):
        path = tmp_path / name
        path.write_text(file_of(CLM, "HI*ABK:I10"))
        assert [claim.id for claim in read_claims(path)] == ["A1"]
    path.write_text("no such thing")
    with pytest.raises(InputError, match="ISA"):
        list(read_claims(path))


def test_a_place_is_one_line_whatever_stands_in_the_control_numbers() -> None:
    row = one(file_of(CLM, "HI*ABK:I10").replace("ST*837*0099*", "ST*837*00\x1b[31m" + "9" * 50 + "*"))
    assert row.place == f"interchange 000000042, transaction 00??31m{'9' * 13}, segment 8, column {row.place[-3:]}"


def test_the_payer_without_a_name_is_its_number() -> None:
    assert one(file_of(CLM, "HI*ABK:I10", patient="HL*2*1*22*0~NM1*PR*2******PI*00435~")).claim.payer == "00435"


def test_a_wrong_segment_count_stands_in_the_summary_of_a_scrub(tmp_path: Path) -> None:
    from weakcode import Validator
    from weakcode.scrub.run import scrub

    path = tmp_path / "claims.837"
    path.write_text(file_of(CLM, "HI*ABK:I10"))
    summary = scrub([path], Validator(packs=["weakness"]))
    assert (summary.claims_in, summary.evaluated) == (1, 1)
    (remark,) = summary.remarks[str(path)]
    assert "where its SE segment says 1" in remark


def test_the_files_of_an_archive_are_remarked_on_by_name(tmp_path: Path) -> None:
    from weakcode import Validator
    from weakcode.scrub.run import scrub

    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name in ("one.837", "two.837"):
            archive.writestr(name, file_of(CLM, "HI*ABK:I10"))
    summary = scrub([tmp_path / "c.zip"], Validator(packs=["weakness"]))
    assert (summary.claims_in, summary.evaluated) == (2, 2)
    remarks = summary.remarks[str(tmp_path / "c.zip")]
    assert [remark.split(": ")[0] for remark in remarks] == [f"{tmp_path}/c.zip/one.837", f"{tmp_path}/c.zip/two.837"]
    assert all("where its SE segment says 1" in remark for remark in remarks)


def test_a_file_that_ends_between_transactions_is_reported_without_the_number_of_one() -> None:
    whole = file_of(CLM, "HI*ABK:I10")
    claim, end = rows_of(whole[: whole.index("GE*")] + "GE*1*7~GS*HC*S*R*20260401*1200*8*X*005010X222A1~")
    assert isinstance(claim, Record)
    assert isinstance(end, Rejected)
    assert end.place == "interchange 000000042, outside any transaction"
    assert "cut off" in end.reason
