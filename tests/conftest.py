"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.forked import Forks

PROJECT = Path(__file__).resolve().parents[1]

# Claims without a date are judged by the codes of the day of the run, which must be the same for every run.
os.environ["WEAKCODE_TODAY"] = "2026-04-01"
# Editions that whoever runs the tests has installed are none of the tests' business.
os.environ["WEAKCODE_DATA_DIR"] = str(PROJECT / "tests" / "no-editions-here")

# What tests write need not survive a power failure. Tests of a disk that fails when it is synced put their own there.
os.fsync = lambda file: None

# "ci" is the same on every run, so that a red build is about the change; "nightly" looks for what nobody thought of.
settings.register_profile("default", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("nightly", deadline=None, max_examples=5_000, print_blob=True)
# "sanitized" is for a build of the kernel that is many times slower.
settings.register_profile("sanitized", settings.get_profile("ci"), max_examples=20)
# "mutants" is for tests that should fail: what they fail with need not be the shortest case there is.
settings.register_profile(
    "mutants", settings.get_profile("ci"), database=None, phases=[Phase.explicit, Phase.generate], print_blob=False
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files beside the project; a test that needs it is skipped where it is absent."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data files in {folder.relative_to(PROJECT.parent)} beside the project")
    return folder


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """A process that has imported weakcode, whose children run programs."""
    with Forks.started() as started:
        yield started


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests of Spark, which take longest and stay together: side by side, all others end with them."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/spark/"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together, and all that share the one Spark: a cluster takes long to start."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/spark" if nodeid.startswith("tests/spark/") else super()._split_scope(nodeid)

    return Together(config, log) if config.getoption("dist") == "loadfile" else None
