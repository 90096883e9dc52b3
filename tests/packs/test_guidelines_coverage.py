"""The page on what of the guidelines is encoded names rules that exist, and every rule of its part."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from weakcode.rules.library import bundled_packs, read_bytes, rule_ids

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "guidelines-coverage.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:[a-z0-9]+/)?[a-z0-9]+(?:-[a-z0-9]+)+)`", PAGE))
KNOWN = {
    f"{pack}/{rule}" for pack, paths in bundled_packs().items() for path in paths for rule in rule_ids(read_bytes(path))
}
FILES = bundled_packs()["guidelines"]


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_rule_that_the_page_names_exists(name: str) -> None:
    assert (name if "/" in name else f"guidelines/{name}") in KNOWN


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_rule_of_the_guidelines_stands_on_the_page(path: Path) -> None:
    missing = {rule for rule in rule_ids(read_bytes(path)) if not {rule, f"guidelines/{rule}"} & NAMED}
    assert missing == set(), "name them in docs/guidelines-coverage.md, in the rows of their sections"
