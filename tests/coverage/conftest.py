"""Policies that are installed for the tests, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.coverage.made import therapy, zipped

PROFILE = {
    "name": "made",
    "payers": {
        "Medicare": {
            "ids": ["00435", "MCR*"],
            "names": ["Medicare *"],
            "coverage": {"articles": ["A90001", "A90002", "A90003", "A90004", "A90005", "A90006"]},
        },
        "Other": {"coverage": {"contractor": "01111", "states": ["CA"]}},
        "Acme": {},
    },
}


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for what is installed."""
    folder = tmp_path / "data"
    monkeypatch.setenv("WEAKCODE_DATA_DIR", str(folder))
    return folder


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Install the made articles for the tests of a module."""
    from weakcode.coverage import installed as shelf

    folder = tmp_path_factory.mktemp("policies")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEAKCODE_DATA_DIR", str(folder / "data"))
        shelf.add(zipped(folder / "made.zip", therapy(), inside="current_article_csv.zip"))
        yield folder
