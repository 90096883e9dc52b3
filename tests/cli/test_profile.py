"""`weakcode profile new`: from options or from answers, a profile that loads, and nothing that is there is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import weakcode
from weakcode.cli import main
from weakcode.rules.profileload import load_profile


def run(*arguments: str, answers: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(main, ["profile", "new", *arguments], input=answers)
    return result.exit_code, result.output


def test_options_make_a_profile_that_judges(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    policy = ("--source", "Coding policy", "--denies", "unspecified")
    options = (
        "--payer",
        "Acme",
        "--id",
        "00123",
        "--denies",
        "unspecified",
        "--off",
        "icd10cm/unspecified-side",
        *policy,
    )
    assert run(str(path), *options)[0] == 0
    validator = weakcode.Validator(profile=path)
    found = validator.check({"codes": ["I50.9"], "payer_id": ["00123"]})
    risks = {one.rule: one.denial_risk for one in found}
    assert risks["icd10cm/unspecified-code"].level == "high"
    assert "Coding policy" in risks["icd10cm/unspecified-code"].source.title
    assert (tmp_path / "profile.schema.json").exists()


def test_questions_are_asked_where_there_are_no_options(tmp_path: Path) -> None:
    path = tmp_path / "beta.yaml"
    answers = "Beta\n77 B*\n\nicd10cm weakness\nn\nn\ny\nn\nManual\n\nMay 2026\n\n"
    status, output = run(str(path), answers=answers)
    assert status == 0, output
    profile = load_profile(path)
    assert profile.packs == ("icd10cm", "weakness")
    assert profile.payers["Beta"].ids == ("77", "B*")
    assert profile.payers["Beta"].denial_risk["icd10cm/excludes1"].risk == "high"
    assert profile.sources["policy"].publisher == "Beta"


def test_a_profile_for_all_payers_says_it_for_all(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    options = ("--denies", "side", "--denies", "order", "--off", "icd10cm/excludes1", "--source", "Manual")
    assert run(str(path), *options)[0] == 0
    profile = load_profile(path)
    assert profile.rules["icd10cm/excludes1"] == "off"
    assert profile.rules["icd10cm/unspecified-side"] == "on"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--denies", "side"), "give the title of its policy with --source"),
        (("--id", "7"), "give its name with --payer"),
        (("--payer", "A", "--state", "CA"), "give --contractor too"),
        (("--off", "nope/rule"), 'there is no rule "nope/rule"'),
        (("--extends", "nowhere"), 'there is no profile "nowhere"'),
        (("--pack", "weaknes"), "weaknes"),
    ],
    ids=str,
)
def test_what_would_not_load_is_not_written(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    path = tmp_path / "p.yaml"
    status, output = run(str(path), *options)
    assert (status, path.exists()) == (2, False)
    assert said in output


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("name: mine\n")
    assert run(str(path), "--payer", "A")[0] == 2
    assert path.read_text() == "name: mine\n"
    assert run(str(tmp_path / "p.txt"), "--payer", "A")[0] == 2
