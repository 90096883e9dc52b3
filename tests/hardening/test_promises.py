"""SECURITY.md names a test for each promise, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "SECURITY.md").read_text()
_NAMED = re.compile(r"`(tests/[\w/.]+\.py)::(\w+)`")


def named_in(path: str) -> set[str]:
    tree = ast.parse((PROJECT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def promises() -> list[str]:
    """Return the promises: the entries of the lists under "What is promised"."""
    section = PAGE.split("## What is promised", 1)[1].split("\n## ", 1)[0]
    return re.split(r"^- ", section, flags=re.MULTILINE)[1:]


def test_every_test_that_is_named_exists() -> None:
    named = _NAMED.findall(PAGE)
    assert named
    assert PAGE.count("::") == len(named), "each is written as `tests/…/test_….py::test_…`"
    for path, name in named:
        assert (PROJECT / path).is_file(), path
        assert name.startswith("test_"), name
        assert name in named_in(path), f"{path} has no {name}"


def test_every_promise_names_a_test() -> None:
    assert len(promises()) > 10
    for promise in promises():
        assert _NAMED.search(promise), promise
