"""Correctly coded claims of every chapter stay without error under every pack.

The claim id begins with the section of the guidelines that the claim comes from, mostly as one of its own examples, or
with "Tabular" and the code whose notes the claim follows.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

import weakcode

FILE = Path(__file__).resolve().parents[2] / "examples" / "clean-claims.csv"
ROWS = list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))


@cache
def _validator() -> weakcode.Validator:
    return weakcode.Validator()


def test_there_are_many_clean_claims_and_each_has_an_id_of_its_own() -> None:
    ids = [row["claim_id"] for row in ROWS]
    assert len(ids) >= 500
    assert len(set(ids)) == len(ids)


def test_every_chapter_has_clean_claims_of_its_own() -> None:
    assert {row["codes"][0] for row in ROWS} >= set("ABCDEFGHIJKLMNOPQRSTUZ")
    assert any(code[0] in "VWXY" for row in ROWS for code in row["codes"].split())
    assert {row["setting"] for row in ROWS} == {"professional", "outpatient", "inpatient"}


@pytest.mark.parametrize("row", ROWS, ids=[row["claim_id"] for row in ROWS])
def test_a_correctly_coded_claim_has_no_error(row: dict[str, str]) -> None:
    claim = weakcode.Claim(
        codes=row["codes"].split(),
        id=row["claim_id"],
        service_date=row["service_date"] or None,
        age=int(row["age"]) if row["age"] else None,
        sex=row["sex"] or None,
        setting=row["setting"] or None,
        documented=(row["documented"] or "").split(),
    )
    errors = [f"{found.rule}: {found.message}" for found in _validator().check(claim) if found.severity == "error"]
    assert errors == []
