"""What FHIR resources say of payer, provider, bill and items."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from weakcode import Claim, read_claims

NPI = "http://hl7.org/fhir/sid/us-npi"


def read(tmp_path: Path, **more: Any) -> Claim:
    resource = {
        "resourceType": "Claim",
        "id": "A",
        "diagnosis": [
            {"sequence": 1, "diagnosisCodeableConcept": coded("M62.81", "http://hl7.org/fhir/sid/icd-10-cm")}
        ],
        **more,
    }
    path = tmp_path / "claim.json"
    path.write_text(json.dumps(resource))
    (claim,) = read_claims(path)
    return claim


def coded(code: str, system: str = "s") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def test_payer_provider_and_bill_of_a_resource_are_fields_of_the_claim(tmp_path: Path) -> None:
    claim = read(
        tmp_path,
        insurer={"identifier": {"value": "00435"}, "display": "Medicare"},
        provider={"reference": "#org"},
        contained=[
            {"resourceType": "Organization", "id": "org", "identifier": [
                {"system": "urn:tax", "value": "12-3456789"}, {"system": NPI, "value": "1234567893"}]},
            {"resourceType": "Location", "id": "site", "address": {"state": "ca"}},
        ],
        careTeam=[
            {"provider": {"identifier": {"system": NPI, "value": "1"}}, "role": coded("attending")},
            {"provider": {"identifier": {"system": NPI, "value": "1999999992"}}, "role": coded("performing")},
        ],
        facility={"reference": "#site"},
        supportingInfo=[{"sequence": 1, "category": coded("typeofbill"), "code": coded("0137")}],
    )  # fmt: skip
    assert (claim.payer, claim.payer_id) == ("Medicare", ("00435",))
    assert (claim.provider, claim.rendering_provider, claim.state) == ("1234567893", "1999999992", "CA")
    assert (claim.bill_type, claim.frequency) == ("137", "7")


NUCC, PCS = "http://nucc.org/provider-taxonomy", "http://www.cms.gov/Medicare/Coding/ICD10"


def test_taxonomy_procedures_and_discharge_are_fields_of_the_claim(tmp_path: Path) -> None:
    of_team = [
        {"role": coded("performing"), "qualification": coded("99", "https://bluebutton.cms.gov/prvdr_spclty")},
        {"role": coded("performing"), "qualification": coded("225100000x", NUCC)},
        {"provider": {"identifier": {"system": NPI, "value": "1"}}, "role": coded("attending"),
         "qualification": coded("207Q00000X", NUCC)},
    ]  # fmt: skip
    done = [
        {"sequence": 2, "procedureCodeableConcept": coded("5A1935Z", f"{PCS}/")},
        {"sequence": 1, "procedureCodeableConcept": coded("0src0j9", PCS)},
        {"sequence": 3, "procedureCodeableConcept": coded("9671", "http://www.cms.gov/Medicare/Coding/ICD9")},
    ]
    told = [{"sequence": 1, "category": coded("discharge-status"), "code": coded("2")}]
    claim = read(tmp_path, careTeam=of_team, procedure=done, supportingInfo=told)
    assert (claim.rendering_provider, claim.rendering_taxonomy) == (None, "225100000X")
    assert (claim.pcs, claim.discharge_status) == (("0SRC0J9", "5A1935Z"), "02")
    of_team[0]["provider"] = {"identifier": {"system": NPI, "value": "1999999992"}}
    claim = read(tmp_path, careTeam=of_team)
    assert (claim.rendering_provider, claim.rendering_taxonomy) == ("1999999992", None)


def test_cms_gives_the_frequency_alone(tmp_path: Path) -> None:
    claim = read(tmp_path, supportingInfo=[{"sequence": 1, "category": coded("typeofbill"), "code": coded("1")}])
    assert (claim.bill_type, claim.frequency) == (None, "1")


def test_an_item_says_what_was_done_when_where_and_for_how_much(tmp_path: Path) -> None:
    item = {
        "sequence": 1,
        "diagnosisSequence": [1],
        "productOrService": coded("97110"),
        "modifier": [coded("gp"), coded("59")],
        "quantity": {"value": 2},
        "net": {"value": 125.5, "currency": "USD"},
        "locationCodeableConcept": coded("11"),
        "locationAddress": {"state": "TX"},
        "revenue": coded("0420"),
        "servicedPeriod": {"start": "2026-05-01", "end": "2026-05-03T10:00:00Z"},
    }
    claim = read(tmp_path, item=[item])
    (line,) = claim.lines
    assert (line.procedure, line.modifiers, line.units, line.charge) == ("97110", ("GP", "59"), 2, 125.5)
    assert (line.place, line.revenue, claim.state) == ("11", "0420", "TX")
    assert (line.start, line.end) == (dt.date(2026, 5, 1), dt.date(2026, 5, 3))
    (day,) = read(tmp_path, item=[{**item, "servicedPeriod": None, "servicedDate": "2026-05-02"}]).lines
    assert (day.start, day.end) == (dt.date(2026, 5, 2), dt.date(2026, 5, 2))


def test_the_charge_of_an_adjudicated_item_is_what_was_submitted(tmp_path: Path) -> None:
    amounts = [
        {"category": coded("benefit"), "amount": {"value": 10}},
        {"category": coded("submitted"), "amount": {"value": 80}},
    ]
    (line,) = read(tmp_path, item=[{"sequence": 1, "adjudication": amounts}]).lines
    assert line.charge == 80


@pytest.mark.parametrize("odd", [None, 1, "text", [], {}, [1], {"coding": 1}, {"value": "x"}, {"identifier": 7}, 1e400])
def test_what_is_not_of_its_type_is_not_known_and_rejects_nothing(tmp_path: Path, odd: Any) -> None:
    names = ("insurer", "provider", "careTeam", "facility", "supportingInfo", "contained")
    inner = (
        "modifier", "quantity", "net", "locationCodeableConcept", "locationAddress", "revenue", "servicedPeriod",
        "servicedDate", "adjudication",
    )  # fmt: skip
    claim = read(tmp_path, **dict.fromkeys(names, odd), item=[{"sequence": 1, **dict.fromkeys(inner, odd)}])
    assert (claim.provider, claim.state, claim.bill_type) == (None, None, None)
    (line,) = claim.lines
    assert (line.modifiers, line.units, line.charge, line.place, line.start) == ((), None, None, None, None)
