"""What a claim takes, and what it says about what it does not take."""

from __future__ import annotations

import datetime as dt
import json
import math
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode import Claim, CodeTypeError, Diagnosis, Finding, InputError, ServiceLine, Source, Waiver, read_claims
from weakcode.fields import FIELDS, LINE_FIELDS
from weakcode.fields.parsers import SETTINGS


@pytest.mark.parametrize("spelled", ["M62.81", "M6281", "m62.81", " m62 81 ", "M62.81."])
def test_a_code_is_read_in_any_spelling_and_written_dotted(spelled: str) -> None:
    assert Claim([spelled]).codes == ("M62.81",)


def test_codes_keep_their_order_and_their_repeats() -> None:
    assert Claim(["I10", "E11.9", "I10"]).codes == ("I10", "E11.9", "I10")


@pytest.mark.parametrize("codes", ["M62.84 I10", "M62.84;I10", "M62.84, I10"])
def test_codes_may_come_as_one_text(codes: str) -> None:
    assert Claim(codes).codes == ("M62.84", "I10")


def test_a_diagnosis_carries_text_and_present_on_admission() -> None:
    claim = Claim([{"code": "r54", "text": " senile debility ", "poa": "y"}, Diagnosis("I10")])
    assert claim.diagnoses == (Diagnosis("R54", "senile debility", "Y"), Diagnosis("I10"))


@pytest.mark.parametrize(("codes", "position"), [([62], 1), (["I10", None], 2), (["I10", "E11.9", b"R54"], 3)])
def test_a_code_that_is_not_text_is_a_type_error_that_names_its_position(codes: list[object], position: int) -> None:
    with pytest.raises(TypeError, match=f"diagnosis {position} is"):
        Claim(codes)  # type: ignore[arg-type]
    assert issubclass(CodeTypeError, TypeError)


@pytest.mark.parametrize("codes", [None, 62.81, b"M62.81", {"M62.81", "I10"}, {"code": "I10"}])
def test_a_list_without_an_order_is_reported(codes: object) -> None:
    with pytest.raises(CodeTypeError, match=r"codes are a list in the order of the claim, .* found"):
        Claim(codes)  # type: ignore[arg-type]


def test_a_truncated_or_invented_code_is_kept_for_a_rule_to_tell() -> None:
    assert Claim(["E11", "QQQ.99"]).codes == ("E11", "QQQ.99")


@pytest.mark.parametrize("codes", [[], "", "  ; ", [" "]])
def test_a_claim_without_codes_is_refused(codes: object) -> None:
    with pytest.raises(InputError, match=r"at least one|is empty"):
        Claim(codes)  # type: ignore[arg-type]


@pytest.mark.parametrize("age", [-1, 151, 3.5, "old", True, float("inf")])
def test_an_age_that_cannot_be_is_refused(age: object) -> None:
    with pytest.raises(InputError, match=r"age is not a whole number of years from 0 to 150"):
        Claim(["I10"], age=age)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "age"), [(0, 0), ("78", 78), (" 8 ", 8), (150, 150), ("", None), (None, None), (float("nan"), None)]
)
def test_an_age_is_a_whole_number_or_not_known(given: object, age: int | None) -> None:
    assert Claim(["I10"], age=given).age == age  # type: ignore[arg-type]


@pytest.mark.parametrize("date", ["2026-02-30", "2026-13-01", "yesterday", "02/03/2026", 20260302])
def test_a_date_that_is_not_a_day_of_the_calendar_is_refused(date: object) -> None:
    with pytest.raises(InputError, match="the service date is not a date"):
        Claim(["I10"], service_date=date)  # type: ignore[arg-type]


@pytest.mark.parametrize("date", ["2026-03-02", "20260302", dt.date(2026, 3, 2), dt.datetime(2026, 3, 2, 9, 30)])
def test_a_date_is_text_or_a_date(date: object) -> None:
    assert Claim(["I10"], service_date=date).service_date == dt.date(2026, 3, 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("born", "seen", "years"),
    [
        ("1950-06-15", "2026-06-14", 75),
        ("1950-06-15", "2026-06-15", 76),
        ("2024-02-29", "2026-02-28", 1),
        ("2024-02-29", "2026-03-01", 2),
        ("2026-05-01", "2026-05-01", 0),
    ],
)
def test_the_age_is_in_completed_years_on_the_service_date(born: str, seen: str, years: int) -> None:
    assert Claim(["I10"], birth_date=born, service_date=seen).age_in_years == years


def test_an_age_that_is_given_goes_before_the_birth_date() -> None:
    assert Claim(["I10"], age=70, birth_date="1950-01-01", service_date="2026-05-01").age_in_years == 70


def test_a_birth_date_alone_tells_no_age() -> None:
    assert Claim(["I10"], birth_date="1950-01-01").age_in_years is None


def test_a_birth_after_the_service_is_refused() -> None:
    with pytest.raises(InputError, match="birth date is after the service date"):
        Claim(["I10"], birth_date="2026-05-02", service_date="2026-05-01")


@pytest.mark.parametrize(("given", "sex"), [("f", "F"), ("Male", "M"), ("U", None), ("", None), (None, None)])
def test_a_sex_is_read_in_the_usual_spellings(given: str | None, sex: str | None) -> None:
    assert Claim(["I10"], sex=given).sex == sex  # type: ignore[arg-type]


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest_that_does() -> None:
    with pytest.raises(InputError, match='did you mean "inpatient"'):
        Claim(["I10"], setting="in-patient")  # type: ignore[arg-type]


def test_documented_facts_are_a_set_of_lower_case_names() -> None:
    wanted = {"covid-current", "covid-prior-symptoms"}
    assert Claim(["I10"], documented="COVID-current; covid-prior-symptoms").documented == wanted
    assert Claim(["I10"], documented=["covid-current", "Covid-Prior-Symptoms "]).documented == wanted


def test_a_claim_does_not_change() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Claim(["I10"]).age = 3  # type: ignore[misc]


def test_diagnoses_know_their_positions_and_get_new_ones_on_another_claim() -> None:
    claim = Claim(["M62.84", {"code": "I10", "poa": "Y"}])
    assert [diagnosis.position for diagnosis in claim.diagnoses] == [1, 2]
    turned = Claim(list(reversed(claim.diagnoses)))
    assert [(one.code, one.poa, one.position) for one in turned.diagnoses] == [("I10", "Y", 1), ("M62.84", None, 2)]


whole = st.builds(
    Claim,
    st.lists(
        st.builds(Diagnosis, st.sampled_from(["M62.84", "I10"]), st.none() | st.just("weak"), st.none() | st.just("Y")),
        min_size=1,
        max_size=3,
    ),
    st.none() | st.text("aB1 ", min_size=1),
    age=st.none() | st.integers(0, 150),
    sex=st.sampled_from([None, "F", "M"]),
    service_date=st.none() | st.dates(dt.date(2026, 1, 1)),
    birth_date=st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2025, 12, 31)),
    setting=st.sampled_from([None, *SETTINGS]),
    payer=st.sampled_from([None, "Medicare"]),
    documented=st.frozensets(st.sampled_from(["covid-current", "covid-prior-symptoms"])),
    payer_id=st.lists(st.sampled_from(["00435", "MCR01"]), unique=True),
    plan=st.sampled_from([None, "MB", "MEDICARE ADVANTAGE"]),
    bill_type=st.sampled_from([None, "131"]),
    frequency=st.sampled_from([None, "1", "7"]),
    place=st.sampled_from([None, "11", "02"]),
    provider=st.sampled_from([None, "1234567893"]),
    provider_taxonomy=st.sampled_from([None, "207Q00000X"]),
    rendering_provider=st.sampled_from([None, "1999999992"]),
    rendering_taxonomy=st.sampled_from([None, "225100000X"]),
    pcs=st.lists(st.sampled_from(["0SRC0J9", "5A1935Z"]), max_size=2),
    discharge_status=st.sampled_from([None, "01", "20"]),
    state=st.sampled_from([None, "CA"]),
    lines=st.lists(
        st.builds(
            ServiceLine,
            st.integers(1, 9),
            st.just((2, 1)),
            st.none() | st.just("99213"),
            modifiers=st.lists(st.sampled_from(["25", "59"]), unique=True),
            units=st.none() | st.sampled_from([1, 2.5]),
            charge=st.none() | st.floats(-1e6, 1e6, allow_nan=False),
            place=st.sampled_from([None, "22"]),
            revenue=st.sampled_from([None, "0450"]),
            start=st.none() | st.dates(dt.date(2026, 1, 1)),
            end=st.none() | st.dates(dt.date(2026, 1, 1)),
            main_only=st.booleans(),
        ),
        max_size=2,
    ),
    waivers=st.lists(st.just(Waiver("mce/sex-conflict", "seen", "me", ("R54",), until="2026-12-31")), max_size=1),
)


@settings(deadline=None)
@given(whole)
def test_a_claim_as_an_object_is_the_same_claim_here_and_as_a_line_of_json(
    tmp_path_factory: pytest.TempPathFactory, claim: Claim
) -> None:
    line = json.dumps(claim.to_dict())
    assert Claim.from_dict(json.loads(line)) == claim
    path = tmp_path_factory.getbasetemp() / "claim.jsonl"
    path.write_text(line + "\n", "utf-8")
    assert list(read_claims(path)) == [claim]


def test_id_and_claim_id_of_an_object_are_one_field(tmp_path: Path) -> None:
    for named in ({"id": "A1"}, {"claim_id": "A1"}, {"id": "A1", "claim_id": "A1"}):
        assert Claim.from_dict({"codes": ["I10"], **named}).id == "A1"
        path = tmp_path / "claim.jsonl"
        path.write_text(json.dumps({"codes": ["I10"], **named}) + "\n", "utf-8")
        assert [claim.id for claim in read_claims(path)] == ["A1"]
    with pytest.raises(InputError, match="two ids"):
        Claim.from_dict({"codes": ["I10"], "id": "A1", "claim_id": "A2"})


def test_an_object_with_an_unknown_field_is_refused_with_what_was_meant() -> None:
    with pytest.raises(InputError, match="did you mean"):
        Claim.from_dict({"codes": ["I10"], "servicedate": "2026-05-01"})


@pytest.mark.parametrize("values", [["I10"], None, "I10"])
def test_what_is_not_an_object_is_not_a_claim(values: object) -> None:
    with pytest.raises(InputError, match="mapping"):
        Claim.from_dict(values)  # type: ignore[arg-type]


def test_every_declared_field_is_an_attribute_of_a_claim_with_its_parser() -> None:
    converters = {field.name: field.converter for field in attrs.fields(Claim)}
    for field in FIELDS:
        assert converters[field.name] is field.parse


def test_every_declared_field_of_a_line_is_an_attribute_with_its_parser() -> None:
    assert {field.name: field.converter for field in attrs.fields(ServiceLine)} == {
        field.name: field.parse for field in LINE_FIELDS
    }


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("payer_id", "00435; mcr01 00435", ("00435", "MCR01")),
        ("payer_id", ["00435"], ("00435",)),
        ("payer_id", 435, ("435",)),
        ("payer_id", " ", ()),
        ("plan", " mb ", "MB"),
        ("plan", "", None),
        ("bill_type", "0131", "131"),
        ("bill_type", 131, "131"),
        ("frequency", 7, "7"),
        ("place", 2, "02"),
        ("place", "11", "11"),
        ("provider", 1234567893.0, "1234567893"),
        ("provider", math.nan, None),
        ("provider_taxonomy", "207q00000x", "207Q00000X"),
        ("rendering_taxonomy", "225100000x", "225100000X"),
        ("pcs", "0src0j9; 5A1935Z", ("0SRC0J9", "5A1935Z")),
        ("discharge_status", 1, "01"),
        ("discharge_status", "20", "20"),
        ("state", "ca", "CA"),
    ],
)
def test_codes_and_ids_are_kept_in_one_spelling_however_a_table_writes_them(
    field: str, given: object, kept: object
) -> None:
    assert getattr(Claim(["I10"], **{field: given}), field) == kept


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("procedure", "g0101", "G0101"),
        ("procedure", 99213, "99213"),
        ("modifiers", "25 59", ("25", "59")),
        ("modifiers", ["gp", ""], ("GP",)),
        ("units", "2", 2),
        ("charge", "125.50", 125.5),
        ("charge", -1, -1),
        ("revenue", 450, "0450"),
        ("place", "2", "02"),
        ("start", "20260502", dt.date(2026, 5, 2)),
        ("end", "2026-05-03", dt.date(2026, 5, 3)),
    ],
)
def test_values_of_a_line_are_kept_in_one_spelling(field: str, given: object, kept: object) -> None:
    (line,) = Claim(["I10"], lines=[{field: given}]).lines
    assert getattr(line, field) == kept


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"place": True}, "place of service"),
        ({"provider": 1.5}, "provider"),
        ({"payer_id": [["00435"]]}, "payer id"),
        ({"lines": [{"charge": "a lot"}]}, "service line 1: the charge is not a number"),
        ({"lines": [{}, {"units": math.inf}]}, "service line 2: the units"),
        ({"lines": [{"modifiers": [True]}]}, "service line 1: the modifier"),
        ({"lines": [{"start": "yesterday"}]}, "service line 1: the start of a service line"),
    ],
)
def test_a_value_that_cannot_be_is_refused_without_being_repeated(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Claim.from_dict({"codes": ["I10"], **values})


def test_the_repr_of_a_claim_says_nothing_of_provider_payer_or_money() -> None:
    line = {"procedure": "SECRET", "modifiers": ["SECRET"], "charge": 4711, "revenue": "SECRET"}
    claim = Claim(["I10"], payer_id="SECRET", provider="SECRET", plan="SECRET", state="SECRET", lines=[line])
    assert "SECRET" not in repr(claim)
    assert "4711" not in repr(claim)


def test_a_publication_that_is_cited_with_two_places_is_named_once() -> None:
    sources = (Source("Guidelines", "Section I.A.13"), Source("List", "M62.84"), Source("Guidelines", "Section I.B.1"))
    finding = Finding("a/b", "error", "…", sources=sources)
    assert finding.cited == ("Guidelines, Section I.A.13, Section I.B.1", "List, M62.84")


@pytest.mark.parametrize(("key", "hint"), [("proceduer", "procedure"), ("Pointers", "pointers"), ("unit", "units")])
def test_a_service_line_of_an_object_has_no_other_keys_than_a_line_has(key: str, hint: str) -> None:
    with pytest.raises(InputError, match=f'service line 2 has a field that is not known.*did you mean "{hint}"'):
        Claim.from_dict({"codes": ["I10"], "lines": [{"procedure": "99213"}, {key: 1}]})


def test_lines_that_a_claim_writes_are_lines_that_it_reads() -> None:
    line = {
        "procedure": "99213",
        "modifiers": ["25"],
        "pointers": [1],
        "units": 1,
        "charge": 9.5,
        "start": "2026-05-01",
    }
    claim = Claim.from_dict({"codes": ["I10"], "lines": [line, [1]]})
    assert Claim.from_dict(claim.to_dict()) == claim
