"""Words in the documented text: which of several terms at one place counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from weakcode import Claim, Diagnosis, Finding, Validator

RULES = """
pack: words
title: Words of one another
rules:
  - id: word
    title: A word that belongs to another code
    severity: warning
    subject: R53.1
    cases:
      - {terms: [frailty], message: "short: {term}"}
      - {terms: [frailty of old age], message: "long: {term}"}
"""


BY_CODE = """
pack: words
title: Words of other codes
rules:
  - id: word
    title: A word that belongs to another code
    severity: warning
    subject: R53.1, R54
    cases:
      - {terms: [frailty], fix: {action: replace-subject, code: R54}}
      - {terms: [weakness], fix: {action: replace-subject, code: R53.1}}
"""


@pytest.fixture(params=["durable", "columnar"])
def judged(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Findings as an engine gives them; an explanation is refused where the reference reading has others."""

    def of(rules: str, *diagnoses: Diagnosis) -> tuple[Finding, ...]:
        path = tmp_path / "words.yaml"
        path.write_text(rules)
        validator, claim = Validator([path], engine=request.param), Claim(diagnoses)
        validator.explain(claim)
        return validator.check(claim)

    return of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Frailty of old age", ["long: frailty of old age"]),
        ("frailty of old men", ["short: frailty"]),
        ("some frailty, then frailty of old age", ["long: frailty of old age", "short: frailty"]),
        ("frailtyof old age", []),
    ],
)
def test_of_terms_that_begin_at_one_place_the_longest_counts(judged: Any, text: str, expected: list[str]) -> None:
    found = judged(RULES, Diagnosis("R53.1", text=text))
    assert sorted(finding.message for finding in found) == expected


@pytest.mark.parametrize(
    ("texts", "positions"),
    [
        (("frailty", None, None), [(1,)]),
        ((None, "frailty", None), []),
        ((None, None, "weakness"), [(3,)]),
        (("frailty", "weakness", "weakness"), [(1,), (3,)]),
        (("weakness", "frailty", "frailty"), []),
        (("frailty and weakness", None, "weakness, frailty"), []),
        (("weak", "frail", "no words"), []),
    ],
)
def test_each_diagnosis_is_read_with_its_own_text_and_its_own_code(
    judged: Any, texts: tuple[str | None, ...], positions: list[tuple[int, ...]]
) -> None:
    codes = ("R53.1", "I10", "R54")
    found = judged(BY_CODE, *[Diagnosis(code, text=text) for code, text in zip(codes, texts, strict=True)])
    assert [finding.positions for finding in found] == positions


@pytest.mark.parametrize(("text", "positions"), [("frailty", [(2,)]), ("weakness", []), ("frailty, weakness", [])])
def test_a_diagnosis_in_second_place_is_read_with_its_own_code(
    judged: Any, text: str, positions: list[tuple[int, ...]]
) -> None:
    found = judged(BY_CODE, Diagnosis("I10"), Diagnosis("R53.1", text=text))
    assert [finding.positions for finding in found] == positions
