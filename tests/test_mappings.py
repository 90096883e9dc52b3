"""Profiles and rule files can be given as mappings, and mean and refuse what the same files do."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

import weakcode
from weakcode.rules.load import load_pack
from weakcode.rules.profileload import load_profile

RULE = {"id": "frailty", "title": "Frailty", "severity": "info", "subject": "M62.81", "forbid": "R54", "why": "ours"}
PACK = {"pack": "own", "title": "Own", "rules": [RULE]}
PROFILE = {"name": "ours", "packs": ["weakness"], "rules": {"own/frailty": "error"}}
CLAIM = weakcode.Claim(["M62.81", "R54"], service_date="2026-05-02")


def _severities(validator: weakcode.Validator) -> list[str]:
    return [finding.severity for finding in validator.check(CLAIM) if finding.rule == "own/frailty"]


def _refusal(**given: Any) -> str:
    with pytest.raises(weakcode.RuleFileError) as caught:
        weakcode.Validator(**given).warm()
    return str(caught.value)


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_mappings_judge_as_the_files_do(tmp_path: Path, engine: str) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(PACK))
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump(PROFILE))
    files = weakcode.Validator(profile=tmp_path / "ours.yaml", also=tmp_path / "own.yaml", engine=engine)
    mappings = weakcode.Validator(profile=PROFILE, also=PACK, engine=engine)
    assert mappings.check(CLAIM) == files.check(CLAIM)
    assert _severities(mappings) == ["error"]
    assert mappings.packs == files.packs


def test_a_rule_file_given_as_a_mapping_stands_beside_names_of_packs() -> None:
    validator = weakcode.Validator(packs=["weakness", PACK])
    assert _severities(validator) == ["info"]
    assert {rule.pack for rule in validator.rules} == {"weakness", "own"}
    assert _severities(weakcode.Validator(packs=PACK)) == ["info"]


def test_a_single_rule_of_a_mapping_can_be_asked_for() -> None:
    off = {**PACK, "rules": [{**RULE, "enabled": False}]}
    assert _severities(weakcode.Validator(also=off)) == []
    assert _severities(weakcode.Validator(also=[off, "own/frailty"])) == ["info"]


@pytest.mark.parametrize("given", [[PACK], PACK, 7, ["icd10cm/excludes1", None]], ids=str)
def test_only_takes_full_ids_of_rules_and_says_where_rules_go(given: Any) -> None:
    with pytest.raises(weakcode.InputError, match=r"only= takes full ids of rules.*packs= or also="):
        weakcode.Validator(only=given)


def test_a_text_as_only_is_one_rule() -> None:
    one, listed = (weakcode.Validator(only=given) for given in ("icd10cm/excludes1", ["icd10cm/excludes1"]))
    assert one.check(["M54.2", "M50.20"]) == listed.check(["M54.2", "M50.20"]) != ()


def test_dates_and_tuples_of_a_program_are_taken_as_a_file_has_them() -> None:
    waiver = {"rule": "own/frailty", "reason": "known", "who": "A", "codes": ("M62.81", "R54")}
    lasting = {**PROFILE, "waivers": ({**waiver, "until": dt.date(2026, 12, 31)},)}
    verdict = weakcode.Validator(profile=lasting, also=PACK, today="2026-11-28").judge(CLAIM)
    assert [waived.waiver.place for waived in verdict.waived] == ["profile.waivers[0]"]


def test_what_is_wrong_in_a_mapping_is_reported_with_the_path_to_it_and_in_the_words_for_files(tmp_path: Path) -> None:
    wrong = {**PACK, "rules": [{**RULE, "severity": "loud"}, 3, {**RULE, "id": "b", "subject": "Mxx.1"}]}
    told = [line.split(": ", 1) for line in _refusal(also=[PACK, wrong]).split("\n")]
    assert [place for place, _ in told] == [
        "also[1].rules[0].severity",
        "also[1].rules[1]",
        "also[1].rules[2].subject",
    ]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(wrong, sort_keys=False))
    with pytest.raises(weakcode.RuleFileError) as caught:
        load_pack(tmp_path / "own.yaml")
    assert [message for _, message in told] == [problem.message for problem in caught.value.problems]


def test_a_key_that_is_not_a_word_of_a_program_is_quoted_in_the_path() -> None:
    said = _refusal(profile={"name": "ours", "rules": {"weakness/nope": "off"}})
    assert said.startswith('profile.rules["weakness/nope"]: there is no rule "weakness/nope"')


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"also": {"name": "ours"}}, "also: this is a profile, not a rule file"),
        ({"profile": PACK}, "profile: this is a rule file, not a profile"),
        ({"also": {"pack": "own", "title": object()}}, "also.title: expected text, a number, a date, a list"),
        ({"profile": {"name": "ours", True: 1}}, "profile: a key is a word, or a position such as 1; found bool"),
        ({"profile": {"name": "a\u202eb"}}, "profile.name: the character U+202E steers terminals"),
        ({"profile": {"name": "a\0b"}}, "profile.name: the character U+0000 cannot stand in a YAML file"),
        ({"profile": {"name": None}}, 'profile.name: "name" has no value'),
        ({"also": [PACK, PACK]}, 'also[1]: the rule "own/frailty" is already in also[0]'),
        ({"profile": {"name": "a", "packs": "../a.yaml"}}, 'profile.packs[0]: "../a.yaml" leads out of'),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_in_one_line(given: Any, said: str) -> None:
    refusal = _refusal(**given)
    assert refusal.startswith(said)
    assert "\n" not in refusal


def test_a_mapping_that_holds_itself_is_refused() -> None:
    endless: dict[str, Any] = {"pack": "own", "title": "Own"}
    endless["rules"] = [endless]
    assert "nested deeper than" in _refusal(also=endless)


def test_what_a_profile_given_as_a_mapping_names_is_read_from_its_root(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(PACK))
    (tmp_path / "group.yaml").write_text("name: group\nextra_rules: [own.yaml]\n")
    profile = load_profile({"name": "ours", "extends": "group"}, tmp_path)
    assert profile.rule_files == (tmp_path / "own.yaml",)
    assert _severities(weakcode.Validator(profile={"name": "a", "extra_rules": "own.yaml"}, root=tmp_path)) == ["info"]


def test_a_validator_made_of_mappings_travels_and_is_reloaded_as_it_was_given() -> None:
    pack: dict[str, Any] = {**PACK, "rules": [dict(RULE)]}
    validator = weakcode.Validator(profile=PROFILE, also=pack)
    pack["rules"][0]["subject"] = "I10"
    validator.reload()
    assert _severities(validator) == ["error"], "a change of the mapping afterwards is not seen"
    assert _severities(pickle.loads(pickle.dumps(validator))) == ["error"]
