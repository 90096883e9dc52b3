"""Claims of days that the bundled Tabular List does not cover: what the codes of their days change is explained."""

from __future__ import annotations

import csv
import lzma
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

import weakcode
from weakcode.codes import catalog
from weakcode.codes.edition import Edition

VALIDITY = {"icd10cm/not-valid-on-date", "icd10cm/not-billable", "icd10cm/unknown-code", "icd10cm/icd9-code"}


class OneEdition:
    """Judges every day by the codes of one, as if codes never changed."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        self.editions = (edition,)

    def edition_for(self, day: date, *, strict: bool = False) -> Edition:
        return self.edition


@pytest.fixture(scope="module")
def claims(shared: Path) -> list[weakcode.Claim]:
    """The shared claims of days on which the bundled Tabular List was not in force."""
    april = catalog.bundled()
    with lzma.open(shared / "claims" / "claims.csv.xz", "rt") as file:
        return [
            weakcode.Claim(row["codes"], row["claim_id"], **{name: row[name] or None for name in ABOUT})
            for row in csv.DictReader(file)
            if not april.notes_from <= date.fromisoformat(row["service_date"]) <= april.notes_to
        ]


ABOUT = ("age", "sex", "service_date")


def found(judge: weakcode.Validator, claim: weakcode.Claim) -> set[tuple[str, tuple[str, ...], tuple[int, ...]]]:
    return {(one.rule, one.codes, one.positions) for one in judge.check(claim)}


def test_every_difference_of_findings_is_that_of_a_code_valid_on_one_of_the_days_alone(claims) -> None:
    april = catalog.edition_for(date(2026, 4, 1))
    by_day, durable, unmoved = weakcode.Validator(), weakcode.Validator(engine="durable"), weakcode.Validator()
    unmoved._at_hand = cast("Any", OneEdition(april))
    different = 0
    for claim in claims:
        now, before = found(by_day, claim), found(unmoved, claim)
        on_day = catalog.edition_for(claim.service_date)
        moved = {code for code in claim.codes if on_day.is_billable(code) is not april.is_billable(code)}
        for rule, codes, positions in now ^ before:
            assert rule in VALIDITY or moved.intersection(codes), (claim.id, rule, codes, positions)
        for code in moved:
            # The day that has the code is not told of it, the other one is.
            told = {rule for rule, codes, _ in (before if on_day.is_billable(code) else now) if code in codes}
            assert told & VALIDITY, (claim.id, code)
        if now != before:
            different += 1
            assert found(durable, claim) == now
    assert different > 10
