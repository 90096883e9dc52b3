"""What a biller is told about COVID-19 and what it leaves behind."""

from __future__ import annotations

import weakcode
from weakcode import Finding

BOTH = ("covid-current", "covid-prior-symptoms")


def _check(codes: str, documented: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    return weakcode.check(codes.split(), packs=["covid"], documented=documented)


def _rules_and_positions(findings: tuple[Finding, ...]) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.rule.removeprefix("covid/"), finding.positions) for finding in findings]


def test_post_covid_before_its_condition_names_the_order() -> None:
    findings = _check("U09.9 J96.10")
    assert _rules_and_positions(findings) == [("post-covid-condition-first", (1,)), ("post-covid-secondary-only", (1,))]
    assert {finding.severity for finding in findings} == {"error"}
    assert "J96.10" in findings[0].message
    assert "is listed after it" in findings[0].message
    assert "first-listed" in findings[1].message


def test_respiratory_failure_before_post_covid_is_clean() -> None:
    assert _check("J96.10 U09.9") == ()


def test_post_covid_alone_breaks_both_order_rules() -> None:
    assert _rules_and_positions(_check("U09.9")) == [
        ("post-covid-condition-first", (1,)),
        ("post-covid-secondary-only", (1,)),
    ]


def test_covid_before_post_covid_is_not_the_condition() -> None:
    assert _rules_and_positions(_check("U07.1 U09.9")) == [
        ("both-codes-need-both-infections", (2, 1)),
        ("post-covid-condition-first", (2,)),
    ]


def test_an_external_cause_and_a_z_code_are_not_the_condition() -> None:
    assert _rules_and_positions(_check("Z86.16 Y95 U09.9")) == [("post-covid-condition-first", (3,))]


def test_an_unknown_code_can_be_the_condition() -> None:
    told = _rules_and_positions(_check("Q99.ZZZ U09.9"))
    assert [entry for entry in told if entry[0].startswith("post-covid")] == []


def test_a_re_infection_with_its_old_condition_is_clean() -> None:
    assert _check("U07.1 J12.82 R43.8 U09.9", BOTH) == ()


def test_a_documented_current_infection_asks_for_u071_and_offers_it() -> None:
    (finding,) = _check("J12.82", ("covid-current",))
    assert finding.rule == "covid/active-infection-is-u071"
    assert finding.positions == ()
    assert finding.codes == ()
    assert finding.fix is not None
    assert finding.fix.code == "U07.1"
    assert not finding.fix.safe


def test_a_re_infection_without_u071_is_one_finding_of_the_specific_rule() -> None:
    assert _rules_and_positions(_check("R43.8 U09.9", BOTH)) == [("current-with-prior-needs-both", ())]


def test_a_re_infection_without_either_code_names_each() -> None:
    findings = _check("R43.8", BOTH)
    assert _rules_and_positions(findings) == [("current-with-prior-needs-both", ())] * 2
    assert {finding.fix.code for finding in findings if finding.fix} == {"U07.1", "U09.9"}


def test_both_codes_without_documentation_ask_to_verify() -> None:
    (finding,) = _check("U07.1 R43.8 U09.9")
    assert finding.severity == "warning"
    assert "verify" in finding.message


def test_nothing_is_said_of_a_current_infection_coded_as_such() -> None:
    assert _check("U07.1 J12.82", ("covid-current",)) == ()
