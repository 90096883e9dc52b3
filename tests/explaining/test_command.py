"""weakcode check --explain, as an auditor meets it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from weakcode import Validator
from weakcode.cli import main


def weakcode(*args: str) -> Result:
    return CliRunner().invoke(main, list(args))


def test_a_clean_claim_is_explained_diagnosis_by_diagnosis() -> None:
    result = weakcode("check", "G72.9", "M62.84", "--explain")
    assert result.exit_code == 0
    first, second = result.stdout.index("G72.9 at 1\n"), result.stdout.index("M62.84 at 2\n")
    assert first < second
    told = result.stdout[second:]
    assert "satisfied               weakness/sarcopenia-underlying-disease-first (error): G72.9 at 1" in told
    assert 'M62, Excludes1: "alcoholic myopathy (G72.1)"' in told
    assert "have no subject on the claim" in told
    assert "No findings. Judged by ICD-10-CM 2026-04" in told


def test_what_is_repeated_says_where_it_was_judged() -> None:
    assert "I10 at 2\n  stands again, judged at 1" in weakcode("check", "I10", "I10", "--explain").stdout


def test_json_has_every_step_beside_the_findings() -> None:
    plain = json.loads(weakcode("check", "R54", "M62.84", "--format", "json").stdout)
    answer = json.loads(weakcode("check", "R54", "M62.84", "--format", "json", "--explain").stdout)
    explanation = answer.pop("explanation")
    assert answer == plain
    violated = {(s["rule"], tuple(s["positions"])) for s in explanation["steps"] if s["outcome"] == "violated"}
    assert violated == {(f["rule"], tuple(f["positions"])) for f in plain["findings"]}
    assert explanation["edits_elsewhere"] < explanation["edits"]
    off = next(step for step in explanation["steps"] if step["rule"] == "icd10cm/excludes2")
    assert (off["outcome"], off["severity"]) == ("off", None)
    assert off["sources"][0]["quote"]


def test_an_explanation_in_fhir_is_refused_in_one_sentence() -> None:
    result = weakcode("check", "I10", "--format", "fhir", "--explain")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--explain has no place in FHIR" in result.stderr


@pytest.mark.parametrize("codes", [["I10"], ["M62.84"]])
@pytest.mark.parametrize("form", ["text", "json", "fhir"])
def test_every_format_names_the_packs_that_judged(form: str, codes: list[str]) -> None:
    said = weakcode("check", *codes, "--format", form).stdout
    found = ", ".join(json.loads(said)["packs"]) if form == "json" else said
    assert ", ".join(Validator().packs) in found


@pytest.mark.parametrize("form", ["text", "json", "fhir"])
def test_every_format_tells_whose_notes_judge_newer_codes(form: str) -> None:
    said = weakcode("check", "I10", "--format", form, "--date", "2026-11-28").stdout
    assert "the codes are those of 2026-10, the notes those of 2026-04" in said
    assert "installed Tabular List" not in weakcode("check", "I10", "--format", form, "--date", "2026-05-01").stdout
