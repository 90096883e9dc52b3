"""What a finding cites follows from the day of the claim."""

from __future__ import annotations

import pytest

import weakcode


@pytest.mark.parametrize(
    ("day", "codes", "year"),
    [("2026-05-01", "2026-04", 2026), ("2026-11-28", "2026-10", 2027), ("2019-09-30", "2018-10", 2019)],
)
def test_a_finding_cites_the_guidelines_and_the_code_set_of_its_day(day: str, codes: str, year: int) -> None:
    judge = weakcode.Validator(packs=["icd10cm"])
    (finding,) = judge.check(weakcode.Claim(["S52.521"], service_date=day))
    titles = [source.title for source in finding.sources]
    assert titles == [
        f"ICD-10-CM Tabular List of Diseases and Injuries ({codes})",
        f"ICD-10-CM Official Guidelines for Coding and Reporting (FY {year})",
    ]


def test_a_finding_made_from_a_note_cites_the_list_that_has_the_note() -> None:
    judge = weakcode.Validator(packs=["icd10cm"])
    findings = judge.check(weakcode.Claim(["R54", "R53.1"], service_date="2026-11-28"))
    titles = {source.title for finding in findings for source in finding.sources if source.quote}
    assert titles == {"ICD-10-CM Tabular List (2026-04)"}
