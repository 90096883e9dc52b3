"""The message of a rule is filled in with words, and reaches no further."""

from __future__ import annotations

from pathlib import Path

import pytest

import weakcode

RULES = """pack: demo
title: Rules
rules:
  - id: one
    title: One
    severity: error
    forbid: I10
    message: "%s"
"""


@pytest.mark.parametrize(
    "placeholder",
    [
        "{subject.__class__.__mro__}",
        "{subject[0]}",
        "{0}",
        "{}",
        "{subject!r}",
        "{subject:>999999999}",
        "{__import__('os')}",
    ],
)
def test_a_placeholder_is_a_name_and_nothing_else(placeholder: str, tmp_path: Path) -> None:
    path = tmp_path / "demo.yaml"
    path.write_text(RULES % placeholder)
    with pytest.raises(weakcode.RuleFileError, match=r"demo\.yaml:8:"):
        weakcode.check(["I10"], packs=[str(path)])
