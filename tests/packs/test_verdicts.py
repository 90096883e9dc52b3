"""Claims that coders judged: each has the finding that they would expect, at that severity, and none that is worse.

`verdicts.csv` says of each claim what is right: the rule and its severity, or that nothing is to be said.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

import weakcode

ROWS = list(csv.DictReader((Path(__file__).parent / "verdicts.csv").read_text(encoding="utf-8").splitlines()))
RANK = {"info": 0, "warning": 1, "error": 2}


@cache
def _validator() -> weakcode.Validator:
    return weakcode.Validator()


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['kind']}: {row['codes']}" for row in ROWS])
def test_a_claim_gets_the_verdict_of_a_coder(row: dict[str, str]) -> None:
    found = _validator().check(weakcode.Claim(row["codes"].split(), service_date="2026-05-01"))
    told = [(str(one.rule), str(one.severity)) for one in found]
    if row["verdict"] == "silent":
        assert told == []
        return
    assert (row["rule"], row["verdict"]) in told
    assert max(RANK[severity] for _, severity in told) == RANK[row["verdict"]]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["kind"].startswith("an incomplete")], ids=lambda row: row["codes"]
)
def test_an_incomplete_code_has_one_finding_and_no_other(row: dict[str, str]) -> None:
    found = _validator().check(weakcode.Claim(row["codes"].split(), service_date="2026-05-01"))
    assert [one.rule for one in found] == [row["rule"]]
