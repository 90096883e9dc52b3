"""The workflow that builds wheels: it is held to what it should build, and what it names is there."""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    path = PROJECT / ".github" / "workflows" / "wheels.yml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return loaded


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    loaded: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["tool"]["cibuildwheel"]
    return loaded


def test_wheels_are_built_for_linux_macos_and_windows_on_both_processors(workflow: dict[str, Any]) -> None:
    matrix = workflow["jobs"]["wheels"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["runner"]} == {"ubuntu", "macos", "windows"}
    assert [name for name in matrix["runner"] if name.endswith("-arm")]
    assert matrix["package"] == ["weakcode", "durable-rules"]


def test_every_python_from_3_11_is_tested_with_forks_and_threads(config: dict[str, Any]) -> None:
    assert config["build"] == [f"cp3{minor}-*" for minor in range(11, 15)]
    assert config["environment"] == {"WEAKCODE_LIMITED_API": "1"}
    words = shlex.split(config["test-command"])
    tests = [word for word in words if word.startswith("tests/")]
    assert "tests/hardening/test_forks.py" in tests
    for path in (*tests, *config["test-sources"]):
        assert (PROJECT / path).exists(), path


def test_what_builds_wheels_is_pinned_and_the_workflow_may_write_nothing(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    commands = "\n".join(step.get("run", "") for step in workflow["jobs"]["wheels"]["steps"])
    installs = [line for line in commands.splitlines() if "pip install" in line or "pip download" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert (PROJECT / "requirements" / "wheels.txt").exists()


def test_the_source_of_durable_rules_is_the_one_of_the_lock(workflow: dict[str, Any]) -> None:
    lock = (PROJECT / "requirements" / "dev.txt").read_text()
    taken = "durable-rules" + lock.split("\ndurable-rules", 1)[1].split("\n    #", 1)[0]
    (script,) = [step["run"] for step in workflow["jobs"]["wheels"]["steps"] if "source.txt" in step.get("run", "")]
    assert """lock.split("\\ndurable-rules", 1)[1].split("\\n    #", 1)[0]""" in script
    assert taken.splitlines()[0] == "durable-rules==2.0.28 \\"
    assert all(line.strip().startswith("--hash=sha256:") for line in taken.splitlines()[1:])
