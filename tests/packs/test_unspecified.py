"""The codes that leave something open, and what is said of them."""

from __future__ import annotations

import datetime as dt

import pytest

from weakcode import Claim, Validator
from weakcode.codes.catalog import edition_for
from weakcode.codes.codeset import CodeSet
from weakcode.codes.expression.specificity import leaves_open, specific_instead, unspecified
from weakcode.compile.tabular.builtin import DATED

DAY = dt.date(2026, 5, 1)
EDITION = edition_for(DAY)


@pytest.fixture(scope="module")
def open_codes() -> CodeSet:
    return unspecified(EDITION.whole)


def test_medicares_own_list_of_unspecified_codes_is_within_the_set(open_codes: CodeSet) -> None:
    listed = DATED["mce-unspecified"].on(DAY, EDITION.whole)
    missing = sorted(EDITION.whole.code(number) for number in listed - open_codes)
    assert len(listed) > 3_000
    assert missing == []


@pytest.mark.parametrize(
    "code", ["J18.9", "I50.9", "N39.0", "M25.569", "S52.501A", "C50.919", "F17.200", "W19.XXXA", "O09.90"]
)
def test_a_title_that_leaves_something_open_is_in_the_set(open_codes: CodeSet, code: str) -> None:
    assert EDITION.code_id(code) in open_codes


@pytest.mark.parametrize("code", ["E11.9", "I10", "K21.9", "M17.11", "J45.20", "Z00.00", "K57.30"])
def test_a_code_that_leaves_nothing_open_is_not(open_codes: CodeSet, code: str) -> None:
    assert EDITION.code_id(code) not in open_codes


def test_a_title_that_holds_other_conditions_too_does_not_count() -> None:
    assert not leaves_open("Other and unspecified disorders")
    assert leaves_open("Unspecified disorder")


def test_the_nearest_codes_that_say_more_are_named() -> None:
    assert specific_instead("M25.569", EDITION) == ["M25.561", "M25.562"]
    assert "I50.2-" in specific_instead("I50.9", EDITION)
    assert specific_instead("W19.XXXA", EDITION) == []


def test_codes_of_other_conditions_in_the_same_category_are_not_named() -> None:
    assert specific_instead("N39.0", EDITION) == []
    assert "E78.1" in specific_instead("E78.5", EDITION)
    assert specific_instead("D69.6", EDITION) == ["D69.3", "D69.4-", "D69.5-"]
    assert "D64.0" in specific_instead("D64.9", EDITION)


def test_an_unspecified_place_is_reported_once_and_one_code_says_more() -> None:
    found = Validator(also=["icd10cm/unspecified-code"]).check(Claim(["R51.9", "Y92.9"], service_date=DAY))
    told = [one for one in found if "unspecified" in one.rule]
    assert [one.rule for one in told] == ["icd10cm/unspecified-code", "guidelines/unspecified-place-activity-or-status"]
    assert "R51.0 of its category says more" in told[0].message


def test_the_rule_is_off_and_a_profile_gives_it_a_payers_denial_risk() -> None:
    claim = Claim(["I50.9"], payer="Acme Health", service_date=DAY)
    assert [one.rule for one in Validator().check(claim)] == []
    profile = {
        "name": "x",
        "sources": {"policy": {"title": "Unspecified codes"}},
        "payers": {
            "Acme Health": {
                "rules": {"icd10cm/unspecified-code": "warning"},
                "denial_risk": {"$unspecified": {"risk": "high", "source": "policy"}},
            }
        },
    }
    (finding,) = Validator(profile=profile).check(claim)
    assert (finding.rule, finding.severity) == ("icd10cm/unspecified-code", "warning")
    assert finding.denial_risk is not None
    assert finding.denial_risk.level == "high"
    assert "I50.2-" in finding.message


def test_an_open_side_is_reported_as_such_and_not_twice() -> None:
    found = Validator(also=["icd10cm/unspecified-code"]).check(Claim(["M25.569"], service_date=DAY))
    assert [one.rule for one in found] == ["icd10cm/unspecified-side"]
