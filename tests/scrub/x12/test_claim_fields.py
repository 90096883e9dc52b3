"""What an 837 says of payer, provider, bill and service lines, read by both readers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.scrub.x12.agreement import agree
from tests.scrub.x12.test_reading_x12 import CLM, file_of, one, rejected

from weakcode.claims import Claim, ServiceLine

SUBSCRIBER = "HL*2*1*22*0~SBR*P*18*******mb~NM1*IL*1*DOE*JO~N4*HOME*NV*89001~DMG*D8*19500301*F"
BILLING = "PRV*BI*PXC*207q00000x~NM1*85*2*CLINIC*****XX*1234567893~N4*TOWN*CA*94000~NM1*87*2~N4*BOX*NV*89001"
PAYER = "NM1*PR*2*MEDICARE*****PI*00435~N4*FAR*NV*89001"


def claim_in(*segments: str, version: str = "005010X222A1", levels: str = f"{BILLING}~{SUBSCRIBER}~{PAYER}~") -> Claim:
    """The claim of a file, on which both readers agree."""
    content = file_of(*segments, version=version, patient=levels)
    agree(content.encode())
    return one(content).claim


def line_in(*segments: str, version: str = "005010X222A1") -> ServiceLine:
    (line,) = claim_in(CLM, "HI*ABK:I10", "LX*1", *segments, version=version).lines
    return line


def test_payer_plan_and_billing_provider_come_from_the_levels_before_the_claim() -> None:
    claim = claim_in(CLM, "HI*ABK:I10")
    assert (claim.payer, claim.payer_id, claim.plan) == ("MEDICARE", ("00435",), "MB")
    assert (claim.provider, claim.provider_taxonomy, claim.state) == ("1234567893", "207Q00000X", "CA")


def test_other_payers_of_the_claim_say_nothing_of_its_payer_or_provider() -> None:
    other = ("SBR*S*18*******CI", "NM1*PR*2*OTHER*****PI*1", "N4*OTHER*TX*75001", "NM1*82*1*X*****XX*1999999992")
    claim = claim_in(CLM, "HI*ABK:I10", *other)
    assert (claim.payer, claim.payer_id, claim.plan) == ("MEDICARE", ("00435",), "MB")
    assert (claim.rendering_provider, claim.state) == (None, "CA")


def test_a_patient_below_the_subscriber_has_the_subscribers_payer_and_the_next_subscriber_has_not() -> None:
    patient = f"{BILLING}~{SUBSCRIBER}~{PAYER}~HL*3*2*23*0~NM1*QC*1*DOE*KIM~"
    assert claim_in(CLM, "HI*ABK:I10", levels=patient).payer_id == ("00435",)
    later = claim_in(CLM, "HI*ABK:I10", levels=f"{BILLING}~{SUBSCRIBER}~{PAYER}~HL*3*1*22*0~NM1*IL*1*ROE~")
    assert (later.payer, later.payer_id, later.plan, later.provider) == (None, (), None, "1234567893")


def test_the_next_billing_provider_takes_nothing_from_the_one_before() -> None:
    levels = f"{BILLING}~{SUBSCRIBER}~{PAYER}~HL*3**20*1~NM1*85*2*OTHER~HL*4*3*22*0~NM1*IL*1*ROE~"
    claim = claim_in(CLM, "HI*ABK:I10", levels=levels)
    assert (claim.provider, claim.provider_taxonomy, claim.state) == (None, None, None)


@pytest.mark.parametrize("entity", ["85", "82"])
def test_an_id_that_is_not_an_npi_is_not_kept(entity: str) -> None:
    person = f"NM1*{entity}*1*WELBY*MARCUS****34*123456789"
    levels = f"{person}~{SUBSCRIBER}~" if entity == "85" else f"{SUBSCRIBER}~"
    claim = claim_in(CLM, "HI*ABK:I10", *([person] if entity == "82" else []), levels=levels)
    assert (claim.provider, claim.rendering_provider) == (None, None)


def test_rendering_provider_and_the_facilitys_state_come_from_the_claim() -> None:
    facility = ("NM1*82*1*WELBY*MARCUS****XX*1999999992", "NM1*77*2*SITE", "N3*1 ROAD", "N4*PHOENIX*az*85001")
    claim = claim_in(CLM, "HI*ABK:I10", *facility, "LX*1", "SV1*HC:99213*1*UN*1***1", "NM1*82*1*X*****XX*1234567893")
    assert (claim.rendering_provider, claim.state) == ("1999999992", "AZ")


def test_the_rendering_provider_is_read_for_the_claim_and_for_lines_of_others() -> None:
    claim = claim_in(
        CLM, "HI*ABK:I10", "NM1*82*1*WELBY****MD*XX*1999999992", "PRV*PE*PXC*207q00000x", "NM1*77*2*SITE",
        "PRV*AS*PXC*1",
        "SBR*S*18*******CI", "NM1*82*1*OTHER*****XX*1", "PRV*PE*PXC*999999999X",
        "LX*1", "SV1*HC:97110*1*UN*1***1", "PRV*PE*PXC*101Y00000X",
        "NM1*82*1*THERAPIST*****XX*1234567893", "PRV*PE*ZZ*225100000X", "NM1*DQ*1*Y", "PRV*PE*PXC*1",
        "LX*2", "SV1*HC:99213*1*UN*1***1",
    )  # fmt: skip
    assert (claim.rendering_provider, claim.rendering_taxonomy) == ("1999999992", "207Q00000X")
    assert [(line.rendering_provider, line.rendering_taxonomy) for line in claim.lines] == [
        ("1234567893", "225100000X"), (None, None)
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["0src0j9", "0SR", "0SR-C0J9 x", "", "Ä"])
def test_procedures_and_discharge_of_a_stay_are_read_and_reject_no_claim(code: str) -> None:
    more = (f"HI*BBR:{code}:D8:20260501", "HI*BBQ:5A1935Z*BBQ:02HV33Z", "HI*BG:17")
    claim = claim_in("CLM*A*1***11:A:1", "CL1*1*7*2", "HI*ABK:I10", *more, version="005010X223A2")
    given = (code.upper(),) if code and " " not in code else tuple(code.upper().split())
    assert claim.pcs == (*given, "5A1935Z", "02HV33Z")
    assert claim.discharge_status == "02"


@pytest.mark.parametrize(
    ("clm05", "version", "said"),
    [
        ("11:B:7", "005010X222A1", {"place": "11", "bill_type": None, "frequency": "7"}),
        ("2:B:1", "005010X222A1", {"place": "02", "bill_type": None, "frequency": "1"}),
        ("11:B:1", "005010X224A2", {"place": "11", "bill_type": None, "frequency": "1"}),
        ("13:A:7", "005010X223A2", {"place": None, "bill_type": "137", "frequency": "7"}),
        ("13:A", "005010X223A2", {"place": None, "bill_type": "13", "frequency": None}),
        ("", "005010X223A2", {"place": None, "bill_type": None, "frequency": None}),
        ("13:A:1", "005010X999A9", {"place": None, "bill_type": "131", "frequency": "1"}),
    ],
)
def test_clm05_is_a_place_or_a_type_of_bill(clm05: str, version: str, said: dict[str, Any]) -> None:
    claim = claim_in(f"CLM*A*1***{clm05}", "HI*ABK:I10", version=version)
    assert {name: getattr(claim, name) for name in said} == said


@pytest.mark.parametrize(
    ("segment", "version", "said"),
    [
        (
            "SV1*HC:g0101:25:gp*125.50*UN*2*22**1",
            "005010X222A1",
            {"procedure": "G0101", "modifiers": ("25", "GP"), "charge": 125.5, "units": 2, "place": "22"},
        ),
        ("SV1*HC:00100*500*MJ*45***1", "005010X222A1", {"charge": 500, "units": None}),
        ("SV1*HC:99213:76:76*.5*UN*-1***1", "005010X222A1", {"modifiers": ("76", "76"), "charge": 0.5, "units": -1}),
        ("SV1*HC:99213*a lot*UN*1***1", "005010X222A1", {"procedure": "99213", "charge": None, "units": 1}),
        (
            "SV2*450*HC:99284:25*900*UN*1",
            "005010X223A2",
            {"revenue": "0450", "procedure": "99284", "modifiers": ("25",), "charge": 900, "units": 1},
        ),
        ("SV2*0120**2400*DA*3", "005010X223A2", {"revenue": "0120", "procedure": None, "units": 3}),
        (
            "SV3*AD:d2150*80*11***2*****1",
            "005010X224A2",
            {"procedure": "D2150", "charge": 80, "place": "11", "units": 2, "pointers": (1,)},
        ),
    ],
)
def test_a_line_says_what_was_done_where_and_for_how_much(segment: str, version: str, said: dict[str, Any]) -> None:
    line = line_in(segment, version=version)
    assert {name: getattr(line, name) for name in said} == said


@pytest.mark.parametrize(
    ("date", "days"),
    [
        ("D8*20260502", (2, 2)),
        ("RD8*20260502-20260504", (2, 4)),
    ],
)
def test_a_line_has_its_own_days(date: str, days: tuple[int, int]) -> None:
    line = line_in("SV1*HC:99213*1*UN*1***1", f"DTP*472*{date}", "DTP*472*D8*20260509")
    assert (line.start, line.end) == tuple(dt.date(2026, 5, day) for day in days)


def test_a_line_with_a_pointer_that_is_none_rejects_its_claim_whatever_follows() -> None:
    content = file_of(CLM, "HI*ABK:I10", "LX*1", "SV1*HC:99213*1*UN*1***A", "DTP*472*D8*20260502")
    assert rejected(content).part == "pointers"
    agree(content.encode())


def test_a_date_after_the_number_of_the_next_line_is_not_the_one_befores() -> None:
    claim = claim_in(CLM, "HI*ABK:I10", "LX*1", "SV1*HC:99213*1*UN*1***1", "LX*2", "DTP*472*D8*20260502")
    assert [line.start for line in claim.lines] == [None]
    assert claim.service_date == dt.date(2026, 5, 2)
