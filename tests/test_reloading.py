"""A validator can be made ready before its first claim, and takes changed files over or keeps what it has."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import weakcode

RULE = """\
pack: own
title: Own
rules:
  - {{id: frailty, title: Frailty, severity: {severity}, subject: M62.81, forbid: {code}, why: ours}}
"""
PROFILE = "name: ours\npacks: [weakness]\nextra_rules: [own.yaml]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    (tmp_path / "own.yaml").write_text(RULE.format(severity="warning", code="R54"))
    return tmp_path


def _found(validator: weakcode.Validator, code: str) -> list[str]:
    claim = weakcode.Claim(["M62.81", code], service_date="2026-05-02")
    return [finding.severity for finding in validator.check(claim) if finding.rule == "own/frailty"]


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_a_reloaded_validator_judges_by_the_files_as_they_are_now(folder: Path, engine: str) -> None:
    validator = weakcode.Validator(profile=folder / "profile.yaml", engine=engine)
    assert _found(validator, "R54") == ["warning"]
    (folder / "own.yaml").write_text(RULE.format(severity="error", code="R05.9"))
    assert _found(validator, "R54") == ["warning"], "until it is told"
    validator.reload()
    assert (_found(validator, "R54"), _found(validator, "R05.9")) == ([], ["error"])
    assert validator.engine == engine


@pytest.mark.parametrize("broken", ["own.yaml", "profile.yaml"])
def test_files_that_are_refused_leave_a_validator_as_it_was(folder: Path, broken: str) -> None:
    validator = weakcode.Validator(profile=folder / "profile.yaml")
    before = validator.rules
    (folder / broken).write_text("rules: [")
    with pytest.raises(weakcode.RuleFileError):
        validator.reload()
    assert validator.rules == before
    assert _found(validator, "R54") == ["warning"]


def test_packs_given_as_what_can_be_gone_through_once_are_there_when_it_is_reloaded() -> None:
    validator = weakcode.Validator(packs=iter(["weakness", "covid"]), only=iter(["covid/post-covid-secondary-only"]))
    before = validator.rules
    validator.reload()
    assert validator.rules == before


def test_a_validator_that_was_sent_says_that_it_has_no_files_to_read_again() -> None:
    sent = pickle.loads(pickle.dumps(weakcode.Validator("weakness")))
    with pytest.raises(weakcode.InputError, match="has no files to read again"):
        sent.reload()


def test_a_warmed_validator_opens_no_file_for_its_first_claim(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    validator = weakcode.Validator(profile=folder / "profile.yaml")
    validator.warm()

    def refuse(*_: object, **__: object) -> bytes:
        raise AssertionError("a file was read")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert _found(validator, "R54") == ["warning"]
