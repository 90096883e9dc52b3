"""Inputs of public reports, each beside the text that says what is to become of it: claim by claim and in columns."""

from __future__ import annotations

import datetime as dt
import json
import runpy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import weakcode
from weakcode import InputError, Validator, read_claims
from weakcode.scrub.run import scrub
from weakcode.scrub.summary import Summary

SARCOPENIA = "weakness/sarcopenia-underlying-disease-first"
POINTERS = {"id": "CLAIM", "codes": "D*", "line": "LN", "procedure": "CPT", "pointer": "PTR"}


@attrs.frozen
class Scrubbed:
    """What became of an input: `found` are the rules and messages by claim, `reasons` those of rejects by claim."""

    summary: Summary
    found: Mapping[str, list[tuple[str, str]]]
    reasons: Mapping[str, str]

    @property
    def counts(self) -> tuple[int, int]:
        return self.summary.evaluated, self.summary.rejected

    @property
    def rules(self) -> dict[str, list[str]]:
        return {claim: [rule for rule, _ in found] for claim, found in self.found.items()}

    @property
    def remarks(self) -> str:
        return "; ".join(remark for told in self.summary.remarks.values() for remark in told)


@cache
def validator() -> Validator:
    return Validator().in_bulk()


@pytest.fixture
def scrubbed(shared: Path, tmp_path: Path) -> Callable[..., Scrubbed]:
    def run(name: str, *, errors_only: bool = True, **options: Any) -> Scrubbed:
        (path,) = [one for one in (shared / "cases").iterdir() if one.name == name]
        both = [
            _scrubbed([path], tmp_path / name / way, errors_only, columns=columns, **options)
            for way, columns in (("one-by-one", None), ("columns", validator().columns()))
        ]
        assert both[0].found == both[1].found
        assert both[0].reasons == both[1].reasons
        assert both[0].remarks == both[1].remarks
        return both[1]

    return run


def _scrubbed(inputs: list[Path], folder: Path, errors_only: bool, **options: Any) -> Scrubbed:
    folder.mkdir(parents=True)
    findings, rejects = folder / "findings.jsonl", folder / "rejects.jsonl"
    summary = scrub(inputs, validator(), output=findings, rejects=rejects, **options)
    found: dict[str, list[tuple[str, str]]] = {}
    for one in _lines(findings):
        if one["severity"] == "error" or not errors_only:
            found.setdefault(one["claim_id"], []).append((one["rule"], one["message"]))
    return Scrubbed(summary, found, {one["claim_id"]: one["reason"] for one in _lines(rejects)})


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_01_only_the_row_without_a_diagnosis_is_rejected(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    name = "01-wide-parquet-row-without-dx.parquet"
    case = scrubbed(name)
    assert case.counts == (2, 1)
    assert case.rules == {"A": [SARCOPENIA]}
    assert case.reasons == {"C": "the claim has no diagnosis codes"}
    frame = pq.read_table(shared / "cases" / name)
    for made in (frame, frame.to_pandas(), pytest.importorskip("polars").from_arrow(frame)):
        with pytest.warns(UserWarning, match="rejected rows were left out: 1"):
            found = pa.Table.from_batches(validator().scrub(made))
        assert (SARCOPENIA, "A") in zip(found["rule"].to_pylist(), found["claim_id"].to_pylist(), strict=True)


def test_02_dictionaries_of_polars_are_read(scrubbed: Callable[..., Scrubbed]) -> None:
    polars = pytest.importorskip("polars")
    case = scrubbed("02-polars-categorical.arrow")
    assert case.counts == (2, 0)
    assert case.rules == {"A": [SARCOPENIA]}
    codes, ids = pl_enum(polars, ["M62.84", "I10"]), pl_enum(polars, ["A", "B"])
    frames = [
        polars.DataFrame({"claim_id": ids, "dx1": codes}),
        polars.DataFrame({"claim_id": ids.cast(polars.Categorical), "dx1": codes.cast(polars.Categorical)}),
    ]
    for frame in frames:
        (batch,) = (batch for batch in validator().scrub(frame) if batch.num_rows)
        assert (SARCOPENIA, "A") in zip(batch["rule"].to_pylist(), batch["claim_id"].to_pylist(), strict=True)


def pl_enum(polars: Any, values: list[str]) -> Any:
    return polars.Series(values, dtype=polars.Enum(values))


def test_03_more_than_a_code_in_an_element_is_rejected_with_its_place(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("03-x12-several-dx-in-one-composite.837")
    assert case.counts == (0, 1)
    assert "HI01 holds more than a code: 4 more components" in case.reasons["C1"]


def test_04_positions_and_letters_are_pointers_and_one_off_the_claim_is_found(
    scrubbed: Callable[..., Scrubbed], shared: Path
) -> None:
    name = "04-table-pointer-positions.csv"
    case = scrubbed(name, mapping=POINTERS)
    assert case.counts == (3, 0)
    assert case.rules == {"A": ["lines/pointer-off-claim"]}
    claims = list(read_claims(shared / "cases" / name, POINTERS))
    assert [claim.lines[0].pointers for claim in claims] == [(5,), (1, 2), (1, 2)]


def test_05_ids_in_several_rows_are_reported_and_a_row_a_diagnosis_can_be_said(
    scrubbed: Callable[..., Scrubbed], shared: Path
) -> None:
    name = "05-long-format.csv"
    case = scrubbed(name)
    assert case.counts == (4, 0)
    assert "2 claim ids stand in more than one row, and each row was judged as a claim" in case.remarks
    assert "--map id=…,code=…,sequence=…" in case.remarks
    claims = read_claims(shared / "cases" / name, {"id": "claim_id", "code": "codes"})
    assert [(claim.id, claim.codes) for claim in claims] == [("A", ("M62.84", "G72.9")), ("B", ("J18.9", "R05.9"))]


def test_06_upper_case_names_give_id_date_and_sex(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    name = "06-uppercase-columns.parquet"
    case = scrubbed(name)
    assert case.rules == {"A": [SARCOPENIA]}
    claims = list(read_claims(shared / "cases" / name))
    assert [(one.id, one.sex, one.service_date) for one in claims] == [
        ("A", "F", dt.date(2026, 5, 1)),
        ("B", "M", dt.date(2026, 5, 1)),
    ]
    found = pa.Table.from_batches(validator().scrub(pd.read_parquet(shared / "cases" / name)))
    assert set(zip(found["claim_id"].to_pylist(), found["service_date"].to_pylist(), strict=True)) == {
        ("A", dt.date(2026, 5, 1))
    }


def test_07_words_for_nothing_are_empty(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    case = scrubbed("07-na-null.csv")
    assert case.counts == (5, 0)
    assert case.rules == {"A": [SARCOPENIA]}
    claims = {claim.id: claim for claim in read_claims(shared / "cases" / "07-na-null.csv")}
    assert {claim.codes for name, claim in claims.items() if name != "A"} == {("I10",)}
    assert (claims["B"].age, claims["C"].service_date, claims["D"].age, claims["E"].sex) == (None, None, 78, None)
    assert "6 cells hold a word for no value" in case.remarks


def test_08_dates_with_a_time_of_sas_and_with_the_month_first_are_read(
    scrubbed: Callable[..., Scrubbed], shared: Path
) -> None:
    case = scrubbed("08-date-with-time.csv")
    assert case.counts == (4, 0)
    days = [claim.service_date for claim in read_claims(shared / "cases" / "08-date-with-time.csv")]
    assert days == [dt.date(2026, 5, 1)] * 4
    assert "1 date of service date has a form that leaves a choice, and was read as month/day/year" in case.remarks


def test_09_what_begins_with_e_and_is_not_an_external_cause_is_not_an_icd9_code(
    scrubbed: Callable[..., Scrubbed],
) -> None:
    case = scrubbed("09-e1190-is-no-icd9.csv")
    assert case.rules == {"A": ["icd10cm/unknown-code"], "B": ["icd10cm/unknown-code"]}
    assert "E11.90 is not an ICD-10-CM code; E11.9" in case.found["A"][0][1]


def test_10_a_code_of_icd10_under_a_qualifier_of_icd9_is_said_with_the_code(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("10-icd10-under-bk.837")
    said = "HI01 says ICD-9-CM (BK), but M62.84 is an ICD-10-CM code; use ABK/ABF"
    assert said in case.reasons["C1"]


def test_11_each_system_is_right_on_its_own_side_of_october_2015(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("11-icd9-before-2015.csv", errors_only=False)
    assert case.counts == (2, 0)
    assert case.rules == {"B": ["icd10cm/icd10-before-october-2015"]}


def test_12_lost_transactions_and_groups_are_reported(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("12-lost-transaction.837")
    assert case.counts == (2, 0)
    assert "group 1 has 2 transactions where its GE segment says 3" in case.remarks
    assert "interchange 000000101 has 1 group where its IEA segment says 2" in case.remarks


def test_13_the_files_of_a_bulk_export_are_one_set(
    scrubbed: Callable[..., Scrubbed], shared: Path, tmp_path: Path
) -> None:
    case = scrubbed("13-bulk-export")
    assert case.rules == {"c1": [SARCOPENIA], "e1": ["mce/age-conflict"]}
    assert case.remarks.count("holds no claim, so it was passed over") == 2
    export = shared / "cases" / "13-bulk-export"
    benefits = export / "ExplanationOfBenefit.ndjson"
    together = _scrubbed([benefits, export / "Patient.ndjson"], tmp_path / "a", True)
    assert together.rules == {"e1": ["mce/age-conflict"]}
    alone = _scrubbed([benefits], tmp_path / "b", True)
    assert alone.rules == {}
    assert "the patient of 1 claim was not found, so age and sex are unknown" in alone.remarks
    lost = _scrubbed([export / "Claim.ndjson"], tmp_path / "c", True)
    assert "refers to Condition/k1, which is not in the file" in lost.reasons["c1"]


def test_14_a_drg_among_the_diagnoses_is_skipped_and_reported(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    case = scrubbed("14-fhir-drg-entry.json")
    (claim,) = read_claims(shared / "cases" / "14-fhir-drg-entry.json")
    assert claim.codes == ("J18.9", "I10")
    assert "1 entry of diagnoses is a DRG and was passed over" in case.remarks


def test_15_a_bundle_in_a_bundle_is_read(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("15-fhir-bundle-in-bundle.json")
    assert case.counts == (2, 0)
    assert case.rules == {"c2": [SARCOPENIA]}


def test_16_where_sequence_is_not_an_order_no_finding_depends_on_it_and_that_is_reported(
    scrubbed: Callable[..., Scrubbed], shared: Path, tmp_path: Path
) -> None:
    case = scrubbed("16-c4bb-sequence-is-no-order.json", errors_only=False)
    assert case.counts == (1, 0)
    assert case.rules == {}
    said = "1 claim follows CARIN's profiles, in which sequence is no order"
    assert said in case.remarks
    as_line = tmp_path / "eob.ndjson"
    as_line.write_text(json.dumps(json.loads((shared / "cases" / "16-c4bb-sequence-is-no-order.json").read_text())))
    assert said in _scrubbed([as_line], tmp_path / "line", True, columns=validator().columns()).remarks


def test_17_claims_that_need_no_diagnosis_are_counted_apart(scrubbed: Callable[..., Scrubbed]) -> None:
    for name, kind, evaluated in (
        ("17-claims-without-dx.ndjson", "pharmacy", 1),
        ("17-dental-without-hi.837", "dental", 0),
    ):
        case = scrubbed(name)
        assert case.counts == (evaluated, 0)
        assert case.summary.without_diagnoses == {kind: 1}
        assert case.summary.is_kept


def test_18_a_bad_date_of_an_837_is_reported_in_the_words_of_837(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("18-x12-date-advice.837")
    assert case.reasons["C1"] == "the service date '20260231' is not a date; write it as CCYYMMDD"


def test_19_python_takes_the_names_of_the_command_line_and_refuses_others(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(shared / "cases" / "19-read-claims-mapping.py"))
    assert capsys.readouterr().out.splitlines() == [f"[('A', {dt.date(2026, 5, 1)!r})]"] * 2
    mapping = {"id": "NR", "codes": "D*", "date": "SEEN"}
    list(validator().scrub("t.csv", mapping=mapping))
    with pytest.raises(InputError, match="--map does not know 'bogus'"):
        list(validator().scrub("t.csv", mapping={**mapping, "bogus": "X"}))
    with pytest.raises(InputError, match="--map does not know 'bogus'"):
        list(read_claims("t.csv", {**mapping, "bogus": "X"}))


def test_20_what_stands_for_no_date_is_none_and_no_claim_is_reported(shared: Path) -> None:
    runpy.run_path(str(shared / "cases" / "20-nat.py"))
    assert weakcode.check(["M62.84"], service_date=pd.NaT) == weakcode.check(["M62.84"])
    assert weakcode.Claim(["I10"], service_date=np.datetime64("2026-05-01")).service_date == dt.date(2026, 5, 1)
    assert [one.rule for one in validator().check({"codes": ["M62.84"]})] == [SARCOPENIA]
    with pytest.raises(TypeError, match=r"a claim is a weakcode\.Claim"):
        validator().check(5)  # type: ignore[arg-type]


def test_21_numbers_and_nulls_are_read_as_in_text(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    case = scrubbed("21-numbers-in-parquet.parquet")
    assert case.counts == (2, 0)
    claims = list(read_claims(shared / "cases" / "21-numbers-in-parquet.parquet"))
    assert [(one.codes, one.sex, one.service_date) for one in claims] == [
        (("I10",), "M", dt.date(2026, 5, 1)),
        (("I10",), "F", dt.date(2026, 5, 1)),
    ]


def test_22_a_repetition_is_rejected(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("22-x12-repetition.837")
    assert case.counts == (0, 1)
    assert "HI01 holds the repetition separator of ISA11; HI elements do not repeat" in case.reasons["C1"]


def test_23_a_claim_with_only_a_reason_for_the_visit_is_reported_as_that(scrubbed: Callable[..., Scrubbed]) -> None:
    case = scrubbed("23-c4bb-reason-only.json")
    said = "the claim lists no diagnosis, only one of type patientreasonforvisit"
    assert case.reasons == {"c1": said}


def test_24_a_principal_diagnosis_listed_again_counts_once(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    case = scrubbed("24-principal-listed-again.json", errors_only=False)
    assert case.rules == {}
    (claim,) = read_claims(shared / "cases" / "24-principal-listed-again.json")
    assert claim.codes == ("S72.001A", "I10")


def test_25_xml_is_reported_as_such(shared: Path) -> None:
    with pytest.raises(InputError, match="is XML; weakcode reads FHIR as JSON"):
        list(read_claims(shared / "cases" / "25-fhir.xml"))


def test_26_urns_are_looked_up_by_id(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    assert scrubbed("26-ndjson-urn-uuid.ndjson").rules == {"c1": [SARCOPENIA]}
    (claim,) = read_claims(shared / "cases" / "26-ndjson-urn-uuid.ndjson")
    assert (claim.codes, claim.sex, claim.birth_date) == (("M62.84",), "F", dt.date(1944, 3, 9))


def test_27_a_stay_is_one_under_any_guide(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    assert scrubbed("27-x12-other-guides.837").rules == {"C1": [SARCOPENIA]}
    (claim,) = read_claims(shared / "cases" / "27-x12-other-guides.837")
    assert (claim.setting, claim.service_date) == ("inpatient", dt.date(2026, 5, 5))


def test_28_prefixes_lists_and_pipes_are_read(scrubbed: Callable[..., Scrubbed], shared: Path) -> None:
    case = scrubbed("28-prefixed-codes.csv")
    assert case.rules == {"A": [SARCOPENIA], "B": [SARCOPENIA], "C": [SARCOPENIA]}
    claims = [claim.codes for claim in read_claims(shared / "cases" / "28-prefixed-codes.csv")]
    assert claims == [("M62.84",), ("M62.84", "I10"), ("M62.84", "I10")]
    assert "3 cells of codes have a prefix" in case.remarks


def test_every_case_has_its_test(shared: Path) -> None:
    tested = {name.split("_")[1] for name in globals() if name.startswith("test_") and name.split("_")[1].isdecimal()}
    assert tested == {path.name[:2] for path in (shared / "cases").glob("*.expected.txt")}
