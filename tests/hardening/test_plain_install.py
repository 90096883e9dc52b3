"""weakcode without any extra: what it is on a machine that has no compiler and takes a wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import weakcode
from weakcode.cli import main
from weakcode.errors import MissingExtraError

PROJECT = Path(__file__).resolve().parents[2]
BLOCKED = """
import sys
sys.modules["durable_rules_engine"] = sys.modules["durable"] = None
from weakcode.cli import main
main()
"""


def without_durable_rules(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process in which durable-rules cannot be imported."""
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)  # noqa: PTH100
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )


def test_claims_are_checked_and_scrubbed_without_durable_rules(tmp_path: Path) -> None:
    checked = without_durable_rules(tmp_path, "check", "M62.84", "I10")
    assert (checked.returncode, checked.stderr) == (1, "")
    assert "weakness/sarcopenia-underlying-disease-first" in checked.stdout
    claims = PROJECT / "examples" / "claims.csv"
    scrubbed = without_durable_rules(tmp_path, "scrub", str(claims), "-o", "found.parquet", "--fail-on", "never")
    assert scrubbed.returncode == 0, scrubbed.stderr
    assert (tmp_path / "found.parquet").stat().st_size


def test_the_engine_durable_is_one_line_that_says_how_to_get_it(tmp_path: Path) -> None:
    for command in (["check", "I10"], ["scrub", str(PROJECT / "examples" / "claims.csv"), "-o", "f.csv"]):
        done = without_durable_rules(tmp_path, *command, "--engine", "durable")
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert "install it with the extra: weakcode[durable]" in done.stderr
        assert "C compiler" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_validator_that_asks_for_durable_is_refused_when_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    with pytest.raises(MissingExtraError) as refused:
        weakcode.Validator(engine="durable")
    assert refused.value.extra == "durable"
    assert CliRunner().invoke(main, ["check", "I10"]).exit_code == 0


def test_durable_rules_is_the_projects_rules_engine_by_an_extra_that_every_set_up_installs() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [one.partition("=")[0] for one in project["optional-dependencies"]["durable"]] == ["durable_rules"]
    assert "durable" in project["optional-dependencies"]["all"][0]
    assert not [one for one in project["dependencies"] if one.startswith("durable")]
