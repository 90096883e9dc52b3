"""What is installed is what the lock says, and the lock is what pyproject.toml asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).resolve().parents[2]
FILES = ("build", "dev", "run", "tools", "wheels")


def pins(name: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock; there are several where Pythons differ."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", lock(name), re.MULTILINE):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def lock(name: str) -> str:
    return (PROJECT / "requirements" / f"{name}.txt").read_text()


def asked_for(*extras: str) -> list[Requirement]:
    """Return what the project and these extras of it ask for, with the extras that they name in turn."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    lines = list(project["dependencies"]) if not extras else []
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    found = []
    for requirement in map(Requirement, lines):
        if canonicalize_name(requirement.name) == project["name"]:
            found += [inner for extra in sorted(requirement.extras) for inner in asked_for(extra)]
        else:
            found.append(requirement)
    return found


@pytest.mark.parametrize("extra", ["", "dev", "all"])
def test_every_requirement_is_pinned_to_a_version_that_it_allows(extra: str) -> None:
    pinned = pins("dev")
    requirements = asked_for(*[extra] if extra else [])
    assert requirements
    for requirement in requirements:
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in requirements/dev.txt; run make lock"
        assert all(map(requirement.specifier.contains, versions)), f"{requirement} is not {versions}; run make lock"


def test_make_run_installs_what_the_project_needs_in_the_versions_of_the_rest_and_no_extra() -> None:
    pinned = pins("run")
    assert {canonicalize_name(one.name) for one in asked_for()} <= pinned.keys()
    for package, versions in pinned.items():
        assert versions == pins("dev")[package]
    assert {"durable-rules", "mkdocs", "mypy", "pyspark", "pytest"} <= pins("dev").keys() - pinned.keys()


@pytest.mark.parametrize("name", FILES)
def test_every_pin_has_hashes_and_no_place_of_its_own(name: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock(name))
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert len(packages) == sum(map(len, pins(name).values())) > 0
    for entry in packages:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    assert not re.search(r"://|--index|--find-links|(?:^|\s)/", lock(name)), "a lock names no host and no folder"


def test_what_builds_is_what_pyproject_asks_for_and_the_same_everywhere() -> None:
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text())["build-system"]["requires"]
    for requirement in map(Requirement, build):
        name = canonicalize_name(requirement.name)
        # What compiles the packs is installed to run them.
        versions = pins("build").get(name) or pins("run")[name]
        assert all(map(requirement.specifier.contains, versions))
    for package, versions in pins("build").items():
        assert versions == pins("dev")[package]


def test_a_lock_holds_releases_only() -> None:
    for name in FILES:
        assert not [one for versions in pins(name).values() for one in versions if Version(one).is_devrelease]
