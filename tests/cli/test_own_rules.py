"""Rules of one's own: begun, tested, watched, and tested by pytest."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from weakcode.cli import main
from weakcode.cli.packs.starting import watch

WITHOUT = """\
pack: own
title: Ours
rules:
  - {id: one, title: One, severity: info, subject: M62.81, forbid: R54, message: "{subject}."}
"""
WRONG = (
    WITHOUT
    + """\
  - id: two
    title: Two
    severity: info
    subject: M62.81
    forbid: R54
    message: "{subject}."
    examples: {pass: [M62.81 R54], fail: [M62.81 R54]}
"""
)


def rules(*words: str) -> Result:
    return CliRunner().invoke(main, ["rules", *words])


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(WITHOUT, "utf-8")
    return path


def test_a_new_rule_file_can_be_tested_at_once_and_overwrites_nothing(tmp_path: Path) -> None:
    path = tmp_path / "our-practice.yaml"
    assert rules("new", str(path)).exit_code == 0
    tested = rules("test", str(path), "--strict")
    assert (tested.exit_code, tested.stdout) == (0, "2 examples of 1 rule: 2 right, 0 wrong.\n")
    assert json.loads((tmp_path / "rulefile.schema.json").read_text("utf-8"))["title"]
    before = path.read_bytes()
    assert rules("new", str(path)).exit_code == 2
    assert path.read_bytes() == before
    for wrong in ("Ä.yaml", "rules.txt", "-.yaml", str(tmp_path / "no-folder" / "x.yaml")):
        assert rules("new", wrong).exit_code == 2, wrong


def test_a_file_without_examples_says_that_nothing_was_tested(own: Path) -> None:
    result = rules("test", str(own))
    assert result.exit_code == 0
    assert "Nothing was tested: no rule has an example." in result.stdout
    assert rules("test", str(own), "--strict").exit_code == 1
    own.write_text(WRONG.replace("pass: [M62.81 R54]", "pass: [I10]"), "utf-8")
    result = rules("test", str(own))
    assert (result.exit_code, "2 right, 0 wrong. 1 rule without an example." in result.stdout) == (0, True)
    assert rules("test", str(own), "--strict").exit_code == 1


def test_outcomes_are_reported_to_programs_and_build_servers(own: Path) -> None:
    own.write_text(WRONG, "utf-8")
    result = rules("test", str(own), "--format", "json")
    values = json.loads(result.stdout)
    assert (result.exit_code, values["right"], values["wrong"], values["without_examples"]) == (1, 1, 1, ["own/one"])
    assert [example["ok"] for example in values["examples"]] == [False, True]
    suite = ET.fromstring(rules("test", str(own), "--format", "junit").stdout).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    failed = suite.find("testcase/failure")
    assert failed is not None
    assert "M62.81" in str(failed.text)
    strict = ET.fromstring(rules("test", str(own), "--format", "junit", "--strict").stdout).find("testsuite")
    assert strict is not None
    assert (strict.get("failures"), strict.get("skipped")) == ("2", "0")


def test_a_rule_is_shown_as_json() -> None:
    values = json.loads(rules("show", "weakness/excludes1-frailty", "--format", "json").stdout)
    assert values["version"] == 1
    assert {one["version"] for one in json.loads(rules("list", "--format", "json").stdout)} == {1}
    assert values["id"] == "weakness/excludes1-frailty"
    assert values["why"]
    assert values["sources"]
    assert {example["shows"] for example in values["examples"]} == {"pass", "fail"}
    missing = rules("show", "weakness/excludes1-fraility", "--format", "json")
    assert (missing.exit_code, "did you mean" in missing.stderr) == (2, True)


def test_a_watched_file_is_tested_again_when_it_is_saved(own: Path) -> None:
    tested: list[str] = []
    turns = iter([False, False, True])

    def until() -> bool:
        if len(tested) == 1:
            own.write_text(WRONG, "utf-8")
        return next(turns)

    watch([str(own)], lambda: tested.append(own.read_text("utf-8")), until)
    assert tested == [WITHOUT, WRONG]


pytest_plugins = ["pytester"]


def test_pytest_runs_each_example_as_a_test(pytester: pytest.Pytester) -> None:
    pytester.makefile(".yaml", own=WRONG, _shared="sources: {}", other="a: 1")
    outcome = pytester.runpytest("-p", "weakcode.testing", "-p", "no:cacheprovider")
    outcome.assert_outcomes(passed=1, failed=1, skipped=1)
    outcome.stdout.fnmatch_lines(["*own/two pass 1: M62.81 R54*", "*a finding at position*"])
    pytester.makefile(".yaml", own="pack: own\nrules: 7\n")
    outcome = pytester.runpytest("-p", "weakcode.testing", "-p", "no:cacheprovider")
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines(["*own.yaml:2*"])
