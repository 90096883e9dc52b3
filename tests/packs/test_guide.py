"""The guide to the rule language shows only files that load and examples that hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from weakcode.rules.examples import run_examples
from weakcode.rules.load import load_pack

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "rules-language.md"
FILES = re.findall(r"^```yaml\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("content", FILES, ids=range(len(FILES)))
def test_a_rule_file_in_the_guide_loads_and_its_examples_hold(content: str, tmp_path: Path) -> None:
    path = tmp_path / "guide.yaml"
    path.write_text(content, encoding="utf-8")
    assert load_pack(path).pack.rules
    assert [result for result in run_examples([str(path)]) if not result.ok] == []
