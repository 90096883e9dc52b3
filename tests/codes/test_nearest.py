"""The code that was probably meant by text that is none."""

from __future__ import annotations

import pytest

from weakcode import check
from weakcode.codes.catalog import edition_for
from weakcode.codes.expression.nearest import nearest_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I1O", "I10"),
        ("M62.8I", "M62.81"),
        ("5I0", None),
        ("E11.90", "E11.9"),
        ("I10.0", "I10"),
        ("I10.00", "I10"),
        ("M62.811", "M62.81"),
        ("M62.8IO", "M62.81"),
        ("572.001A", "S72.001A"),
        ("QQQ", None),
        ("Z99.999", None),
        ("John Doe", None),
        ("", None),
    ],
)
def test_a_slip_of_the_pen_leads_to_the_code_that_was_meant(text: str, code: str | None) -> None:
    assert nearest_code(text, edition_for(None)) == code


def test_a_finding_names_the_code_that_was_meant() -> None:
    (finding,) = check(["E11.90"], service_date="2026-05-01")
    assert finding.rule == "icd10cm/unknown-code"
    assert "E11.9 (Type 2 diabetes mellitus without complications) is one, and was probably meant" in finding.message


def test_what_is_not_a_code_at_all_is_not_guessed_at() -> None:
    (finding,) = check(["JOHN DOE"], service_date="2026-05-01")
    assert "meant" not in finding.message
