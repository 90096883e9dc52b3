"""The package that the tests are run against is the one that was meant."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import pytest

import weakcode

PROJECT = Path(__file__).resolve().parents[1]


def test_the_version_stands_in_one_place() -> None:
    assert importlib.metadata.version("weakcode") == weakcode.__version__


@pytest.mark.skipif(
    os.environ.get("WEAKCODE_TEST_INSTALLED") != "1", reason="is about the installed wheel: make installed runs it"
)
def test_the_tests_run_against_the_installed_wheel_and_not_the_tree() -> None:
    assert weakcode.__file__ is not None
    assert PROJECT / "src" not in Path(weakcode.__file__).parents
    assert importlib.metadata.distribution("weakcode").read_text("direct_url.json") is not None
