"""What the notes say of whole claims, where coders know the answer."""

from __future__ import annotations

from functools import cache

import pytest

import weakcode


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator()


@cache
def notes_only() -> weakcode.Validator:
    """Other packs supersede a note where a guideline says more."""
    return weakcode.Validator(packs=["icd10cm"])


def rules(codes: str, judge: weakcode.Validator | None = None) -> list[str]:
    claim = weakcode.Claim(codes.split(), service_date="2026-05-04")
    return [finding.rule for finding in (judge or notes_only()).check(claim)]


@pytest.mark.parametrize("codes", ["J44.1 J45.20", "J00 J01.90", "I25.10 I25.5", "I50.9 I50.20", "R05.9 J18.9"])
def test_a_pair_that_no_excludes1_note_keeps_apart(codes: str) -> None:
    for order in (codes, " ".join(reversed(codes.split()))):
        assert "icd10cm/excludes1" not in rules(order)


@pytest.mark.parametrize(
    "codes",
    [
        "E11.43 K31.84",
        "G20.A1 F02.80",
        "U07.1 J12.82",
        "I11.0 I50.22",
        "E11.22 N18.30",
    ],
)
def test_a_cause_before_its_manifestation_is_clean_and_the_reverse_is_one_order_error(codes: str) -> None:
    only = notes_only()
    claim = weakcode.Claim(codes.split(), service_date="2026-05-04")
    assert only.check(claim) == ()
    reversed_claim = weakcode.Claim(list(reversed(claim.codes)), service_date="2026-05-04")
    (finding,) = only.check(reversed_claim)
    assert (finding.rule, finding.severity) == ("icd10cm/code-first-order", "error")
    assert finding.positions == (1, 2)
    assert finding.fix is not None
    assert finding.fix.safe


def test_hypertension_with_diabetes_is_clean() -> None:
    assert rules("I10 E11.9", validator()) == []
    assert rules("E11.9 I10", validator()) == []


def test_only_the_weakness_pack_reports_sarcopenia_without_its_cause() -> None:
    found = rules("M62.84 I10", validator())
    assert found
    assert all(rule.startswith("weakness/") for rule in found)
    assert len(found) == len(set(found)) == 1


@pytest.mark.parametrize("codes", ["R54 R53.1", "R53.1 R54"])
def test_senility_with_weakness_is_one_finding(codes: str) -> None:
    pair = [
        finding
        for finding in validator().check(weakcode.Claim(codes.split(), service_date="2026-05-04"))
        if set(finding.codes) == {"R54", "R53.1"}
    ]
    assert len(pair) == 1


def test_the_message_names_both_codes_with_titles_and_quotes_the_note() -> None:
    only = notes_only()
    (finding,) = only.check(weakcode.Claim(["M62.81", "M62.84"], service_date="2026-05-04"))
    assert finding.message.startswith(
        "M62.81 (Muscle weakness (generalized)) and M62.84 (Sarcopenia) exclude each other; "
        'the Excludes1 note at M62.81 reads "'
    )
    assert any(source.quote and "M62.84" in source.quote for source in finding.sources)


def test_a_poisoning_goes_first_and_an_adverse_effect_after_its_nature() -> None:
    assert "icd10cm/code-first-missing" not in rules("T40.2X1A R11.0")
    assert "icd10cm/code-first-missing" in rules("T40.2X5A I10")
    assert "icd10cm/code-first-order" in rules("T39.015A K29.00")
    assert "icd10cm/code-first-order" not in rules("K29.00 T39.015A")


@pytest.mark.parametrize("codes", ["I10 I69.351", "F17.210 J44.9", "S62.001A S67.01XA"])
def test_what_the_patient_may_have_come_for_may_stand_first(codes: str) -> None:
    assert "icd10cm/use-additional-order" not in rules(codes)


@pytest.mark.parametrize("codes", ["Z79.4 E11.9", "B96.20 N39.0", "A74.9 O98.811", "Y92.010 T20.00XA", "Z17.0 C50.911"])
def test_what_only_adds_to_another_code_stands_after_it(codes: str) -> None:
    assert any(rule.endswith("-order") for rule in rules(codes))


@pytest.mark.parametrize("codes", ["D69.42", "N48.30", "M02.30", "J69.8", "F07.81"])
def test_a_code_that_can_stand_without_a_cause_is_not_asked_for_one(codes: str) -> None:
    assert "icd10cm/code-first-missing" not in rules(codes)
