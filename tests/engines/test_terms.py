"""Words in the documented text: which of several terms at one place counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from weakcode import Claim, Diagnosis, Validator

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


@pytest.mark.parametrize("engine", ["durable", "columnar"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Frailty of old age", ["long: frailty of old age"]),
        ("frailty of old men", ["short: frailty"]),
        ("some frailty, then frailty of old age", ["long: frailty of old age", "short: frailty"]),
        ("frailtyof old age", []),
    ],
)
def test_of_terms_that_begin_at_one_place_the_longest_counts(
    engine: str, text: str, told: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "words.yaml"
    path.write_text(RULES)
    claim = Claim([Diagnosis("R53.1", text=text)])
    assert sorted(finding.message for finding in Validator([path], engine=engine).check(claim)) == told
