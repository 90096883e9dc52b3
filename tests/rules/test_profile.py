"""Profiles: what they choose, and how a wrong one is refused."""

# ruff: noqa: ISC004  (a message stands whole in its line)

from __future__ import annotations

import pytest

from weakcode.errors import RuleFileError, UnknownNameError
from weakcode.rules.profile import load_profile, parse_profile
from weakcode.rules.profilechecks import check_profile

FILE = """\
name: clinic
packs: [weakness, covid]
rules:
  weakness/documented-term: off
  weakness/excludes2-hematoma: on
  weakness/broad-code-denial-risk: error
payers:
  Acme Health:
    rules:
      weakness/broad-code-denial-risk: info
      weakness/documented-term: on
"""
IDS = ["weakness/documented-term", "weakness/excludes2-hematoma", "weakness/broad-code-denial-risk"]


@pytest.mark.parametrize(
    ("rule", "payer", "default", "enabled", "expected"),
    [
        ("weakness/other", None, "warning", True, "warning"),
        ("weakness/other", None, "warning", False, None),
        ("weakness/documented-term", None, "warning", True, None),
        ("weakness/documented-term", "acme health ", "warning", True, "warning"),
        ("weakness/excludes2-hematoma", None, "info", False, "info"),
        ("weakness/broad-code-denial-risk", None, "warning", True, "error"),
        ("weakness/broad-code-denial-risk", "ACME HEALTH", "warning", True, "info"),
        ("weakness/broad-code-denial-risk", "Other", "warning", True, "error"),
    ],
)
def test_a_payer_goes_before_the_profile_and_the_profile_before_the_rule(rule, payer, default, enabled, expected):
    assert parse_profile(FILE).severity_for(rule, payer, default, enabled=enabled) == expected


def test_on_for_a_payer_keeps_the_severity_that_the_profile_gives_to_all():
    text = "name: a\nrules: {p/r: error}\npayers: {Acme: {rules: {p/r: on}}}\n"
    assert parse_profile(text).severity_for("p/r", "Acme", "info") == "error"


def test_a_profile_without_packs_leaves_the_choice_open():
    assert parse_profile("name: a\n").packs is None
    assert parse_profile("name: a\npacks: covid\n").packs == ("covid",)


def test_a_rule_that_no_pack_has_is_told_with_its_place(tmp_path):
    path = tmp_path / "clinic.yaml"
    path.write_text(FILE.replace("documented-term: on", "documented-terms: on"), encoding="utf-8")
    profile = load_profile(path)
    assert profile.folder == tmp_path
    with pytest.raises(RuleFileError) as caught:
        check_profile(profile, IDS)
    assert [str(problem) for problem in caught.value.problems] == [
        f'{path}:11:7: there is no rule "weakness/documented-terms" in the packs of this profile '
        '(did you mean "weakness/documented-term"?)'
    ]


def test_a_profile_whose_rules_all_exist_passes():
    check_profile(parse_profile(FILE), IDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\nrules: {p/r: of}\n", '2:14: "p/r": expected off or on or error or warning or info, found "of" '
                                        '(did you mean "off"?)'),
        ("name: a\nrules: {p/r: false}\n", '2:14: "p/r": expected off or on or error or warning or info, found false'),
        ("name: a\nrule: {}\n", '2:1: "rule" is not a key of a profile (did you mean "rules"?); '
                                "allowed are name, extends, packs, extra_rules, code_sets, sources, rules, "
                                "denial_risk, payers, waivers"),
        ("rules: {}\n", '1:1: a profile needs "name"; needed are name'),
        ("name: a\npayers: {Acme: {}, ACME: {}}\n", '2:20: "ACME" is the same payer as "Acme"; keep one'),
        ("name: a\nrules: {documented-term: off}\n", '2:8: "rules": expected pack/rule, each lower-case words joined '
                                                     'by hyphens, found "documented-term"'),
    ],
)  # fmt: skip
def test_a_wrong_profile_is_refused_with_its_place(text, expected):
    with pytest.raises(RuleFileError) as caught:
        parse_profile(text, "clinic.yaml")
    assert str(caught.value) == f"clinic.yaml:{expected}"


def test_a_profile_that_is_not_there_is_an_unknown_name(tmp_path):
    with pytest.raises(UnknownNameError, match="there is no profile"):
        load_profile(tmp_path / "none.yaml")
