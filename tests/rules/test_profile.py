"""Profiles: what they choose, and how a wrong one is refused."""

# ruff: noqa: ISC004  (a message stands whole in its line)

from __future__ import annotations

import pytest

import weakcode
from weakcode.errors import RuleFileError, UnknownNameError
from weakcode.rules.profilechecks import check_profile
from weakcode.rules.profileload import load_profile, parse_profile

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


def test_a_rule_that_no_pack_has_is_reported_with_its_place(tmp_path):
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
                                "confidence, denial_risk, payers, waivers"),
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


def written(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


BASE = """\
name: base
packs: [weakness]
sources: {policy: {title: Policy, publisher: Acme, edition: "2026"}}
rules: {weakness/documented-term: off, weakness/broad-code-denial-risk: info}
payers:
  Acme:
    rules: {weakness/broad-code-denial-risk: error, weakness/documented-term: on}
    denial_risk:
      weakness/broad-code-denial-risk: {risk: low, source: policy, at: section 1}
      M62.81: {risk: medium, source: policy, at: section 2}
"""
NEAR = """\
name: near
extends: base
rules: {weakness/broad-code-denial-risk: warning}
payers:
  ACME:
    rules: {weakness/documented-term: off}
    denial_risk: {M62.81: {risk: high, source: policy, at: section 3}}
"""


def test_what_a_profile_extends_holds_wherever_it_says_nothing_itself(tmp_path):
    profile = load_profile(written(tmp_path, base=BASE, near=NEAR) / "near.yaml")
    assert (profile.name, profile.packs, profile.packs_folder) == ("near", ("weakness",), tmp_path)
    assert profile.severity_for("weakness/documented-term", None, "warning") is None
    assert profile.severity_for("weakness/broad-code-denial-risk", None, "error") == "warning"
    assert profile.severity_for("weakness/broad-code-denial-risk", "acme", "info") == "error"
    assert profile.severity_for("weakness/documented-term", "acme", "warning") is None
    risks = profile.risks["Acme" if "Acme" in profile.payers else "ACME"]
    assert [(risk.level, str(risk.source)) for risk in risks.values()] == [
        ("low", "Acme: Policy (2026), section 1"),
        ("high", "Acme: Policy (2026), section 3"),
    ]


def test_profiles_extend_each_other_over_folders_and_read_their_paths_from_their_own(tmp_path):
    (tmp_path / "shared").mkdir()
    written(tmp_path / "shared", base="name: base\nextra_rules: own.yaml\n", own=OWN_RULES)
    written(tmp_path, near="name: near\nextends: shared/base.yaml\n")
    assert load_profile(tmp_path / "near.yaml").rule_files == (tmp_path / "shared" / "own.yaml",)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"near": "name: near\nextends: bsae\n", "base": "name: base\n"},
         'near.yaml:2:10: there is no profile "bsae" to extend (did you mean "base"?)'),
        ({"near": "name: near\nextends: base\n", "base": "name: base\nextends: near.yaml\n"},
         "base.yaml:2:10: the profiles extend each other in a circle: near.yaml -> base.yaml -> near.yaml"),
        ({"near": "name: near\nextends: base\n", "base": "name: base\nrules: {p/r: of}\n"}, 'base.yaml:2:14: "p/r"'),
        ({"near": "name: near\nextra_rules: [none.yaml]\n"}, 'near.yaml:2:15: there is no rule file "none.yaml" in'),
        ({"near": "name: near\ndenial_risk: {M62.81: {risk: high, source: x}}\n"},
         'near.yaml:2:44: "x" is not among sources; declare it'),
        ({"near": "name: near\nsources: {x: {title: t}}\ndenial_risk: {weakness: {risk: high, source: x}}\n"},
         "near.yaml:3:15: "),
        ({"near": "name: near\nsources: {x: {title: t}}\ndenial_risk: {M62.81: {risk: big, source: x}}\n"},
         'expected low or medium or high, found "big"'),
        ({"near": "name: near\ncode_sets: {mce-adult: M62.81}\n"}, "is a code set of weakcode itself"),
        ({"near": "name: near\ncode_sets: {own: $othr, other: M62.81}\n"}, 'did you mean "other"'),
        ({"near": "name: near\nwaivers: [{rule: p/r, reason: a, who: b}]\n"}, "2:11: the waiver of p/r names neither"),
    ],
)  # fmt: skip
def test_what_a_profile_names_and_is_not_there_is_reported_with_its_place(tmp_path, files, said):
    written(tmp_path, **files)
    with pytest.raises(RuleFileError) as caught:
        load_profile(tmp_path / "near.yaml")
    assert said in str(caught.value)


def test_a_rule_that_no_pack_has_is_reported_where_it_stands_in_the_profile_that_is_extended(tmp_path):
    slip = BASE.replace("documented-term: on", "documented-tern: on")
    written(tmp_path, near="name: near\nextends: base\n", base=slip)
    with pytest.raises(RuleFileError) as caught:
        weakcode.Validator(profile=tmp_path / "near.yaml")
    assert 'base.yaml:7:53: there is no rule "weakness/documented-tern"' in str(caught.value)
    assert 'did you mean "weakness/documented-term"?' in str(caught.value)


OWN_RULES = """\
pack: own
title: Own rules
rules:
  - {id: heart, title: Heart, severity: error, subject: $heart, position: secondary}
"""


def test_a_profile_brings_rules_and_the_code_sets_they_name(tmp_path):
    near = "name: near\npacks: covid\nextra_rules: own.yaml\ncode_sets: {heart: I50.-}\n"
    written(tmp_path, own=OWN_RULES, near=near)
    validator = weakcode.Validator(profile=tmp_path / "near.yaml")
    assert [finding.rule for finding in validator.check(weakcode.Claim(["I50.9", "I10"]))] == ["own/heart"]
    assert not validator.check(weakcode.Claim(["I10", "I50.9"]))


@pytest.mark.parametrize("name", ["muscle-disease", "weakness/muscle-disease"])
def test_a_code_set_of_a_profile_takes_the_place_of_a_packs_own_and_can_build_on_it(tmp_path, name):
    rule = "weakness/sarcopenia-underlying-disease-first"

    def passes(profile, codes):
        validator = weakcode.Validator(profile=profile, packs=["weakness"])
        return rule not in [finding.rule for finding in validator.check(weakcode.Claim(codes))]

    written(
        tmp_path,
        plain="name: plain\n",
        wider=f"name: wider\ncode_sets: {{{name}: '$muscle-disease, M33.-'}}\n",
        other=f"name: other\ncode_sets: {{{name}: M33.-}}\n",
    )
    claims = (["G72.9", "M62.84"], ["M33.20", "M62.84"])
    assert [[passes(tmp_path / f"{one}.yaml", codes) for codes in claims] for one in ("plain", "wider", "other")] == [
        [True, False], [True, True], [False, True],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ("{muscle-diseases: M33.-}", 'near.yaml:3:13: the code set "muscle-diseases" is not used by any pack or own '
                                     'rule (did you mean "muscle-disease"?)'),
        ("{covid/muscle-disease: M33.-}", 'is not used by the pack "covid"'),
    ],
)  # fmt: skip
def test_a_code_set_that_nothing_uses_is_refused(tmp_path, sets, said):
    written(tmp_path, near=f"name: near\npacks: weakness\ncode_sets: {sets}\n")
    with pytest.raises(RuleFileError) as caught:
        weakcode.Validator(profile=tmp_path / "near.yaml")
    assert said in str(caught.value)
