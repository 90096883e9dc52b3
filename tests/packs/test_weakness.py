"""What a biller is told about weakness, frailty and sarcopenia."""

from __future__ import annotations

import pytest

import weakcode
from weakcode import Claim, Finding, Validator


def _check(codes: str, **known: object) -> tuple[Finding, ...]:
    return weakcode.check(codes.split(), packs=["weakness"], **known)  # type: ignore[arg-type]


def _rules_and_positions(findings: tuple[Finding, ...]) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.rule.removeprefix("weakness/"), finding.positions) for finding in findings]


def _texted(code: str, text: str) -> tuple[Finding, ...]:
    return Validator(packs=["weakness"]).check(Claim(codes=[{"code": code, "text": text}, "I10"]))


def test_sarcopenia_without_a_muscle_disease_names_the_missing_underlying_disease() -> None:
    (finding,) = _check("M62.84 I10")
    assert finding.rule == "weakness/sarcopenia-underlying-disease-first"
    assert finding.severity == "error"
    assert finding.codes == ("M62.84",)
    assert finding.positions == (1,)
    assert "underlying muscle disease" in finding.message
    assert "Sarcopenia" in finding.message
    assert "is listed after it" not in finding.message
    assert any("M62.84" in source.place for source in finding.sources)


def test_myopathy_before_sarcopenia_is_clean() -> None:
    assert _check("G72.9 M62.84") == ()


def test_a_myopathy_that_only_follows_sarcopenia_is_named_in_the_message() -> None:
    (finding,) = _check("M62.84 G72.9")
    assert "G72.9" in finding.message
    assert "is listed after it" in finding.message


def test_each_excluded_pair_is_reported_once() -> None:
    told = _rules_and_positions(_check("M62.81 R54 F03.90 M62.84"))
    assert [entry for entry in told if entry[0].startswith("excludes1")] == [
        ("excludes1-generalized-weakness", (1, 4)),
        ("excludes1-frailty", (2, 3)),
        ("excludes1-frailty", (2, 4)),
    ]


def test_the_pairs_stand_beside_the_order_of_the_same_claim() -> None:
    told = _rules_and_positions(_check("M62.81 R54 F03.90 M62.84"))
    assert [entry for entry in told if not entry[0].startswith("excludes1")] == [
        ("underlying-cause-first", (1,)),
        ("sarcopenia-underlying-disease-first", (4,)),
    ]


def test_an_excluded_pair_is_reported_in_both_orders() -> None:
    assert ("excludes1-weakness", (2, 1)) in _rules_and_positions(_check("R54 R53.1"))
    assert ("excludes1-weakness", (1, 2)) in _rules_and_positions(_check("R53.1 R54"))


def test_a_header_is_not_an_object_of_the_site_specific_rule() -> None:
    told = _rules_and_positions(_check("I69.351 M62.8 M62.5"))
    assert [entry for entry in told if entry[0] == "prefer-site-specific"] == []


def test_a_header_above_the_subject_is_not_the_subject() -> None:
    rules = {rule for rule, _ in _rules_and_positions(_check("M62.8"))}
    assert not rules & {
        "broad-code-denial-risk",
        "underlying-cause-first",
        "sarcopenia-underlying-disease-first",
    }


def test_generalized_weakness_alone_is_one_finding() -> None:
    assert _rules_and_positions(_check("M62.81")) == [("broad-code-denial-risk", (1,))]


def test_weakness_alone_asks_for_its_cause() -> None:
    assert _rules_and_positions(_check("R53.1")) == [("underlying-cause-first", (1,))]


def test_the_hematoma_reminder_is_off_unless_it_is_named() -> None:
    assert _check("G72.9 M62.81 M79.81") == ()


def test_an_unspecified_site_is_reported_beside_a_named_one() -> None:
    assert ("prefer-site-specific", (3, 2)) in _rules_and_positions(_check("I69.351 M62.511 M62.50"))


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("frailty", "R54"),
        ("Old age", "R54"),
        ("senescence", "R54"),
        ("Senile asthenia", "R54"),
        ("senile debility", "R54"),
        ("debility", "R53.1"),
        ("Asthenia", "R53.1"),
        ("lack of energy and strength", "R53.1"),
        ("Reduced strength of muscles in several sites", "M62.81"),
    ],
)
def test_each_documented_term_is_reported_under_a_wrong_code_and_quiet_under_its_own(text: str, right: str) -> None:
    wrong = "M62.89"
    (finding,) = [f for f in _texted(wrong, text) if f.rule == "weakness/documented-term"]
    assert finding.fix is not None
    assert finding.fix.code == right
    assert not finding.fix.safe
    assert finding.positions == (1,)
    assert text.lower() in finding.message.lower()
    assert [f for f in _texted(right, text) if f.rule == "weakness/documented-term"] == []


@pytest.mark.parametrize("code", ["R53.81", "R53.83"])
def test_debility_and_fatigue_codes_are_left_to_the_tabular_list(code: str) -> None:
    assert [f for f in _texted(code, "debility, lack of energy and strength") if "term" in f.rule] == []


def test_a_term_inside_another_word_is_not_the_term() -> None:
    assert [f for f in _texted("R53.1", "bold ageing face, frailtyless") if "term" in f.rule] == []
