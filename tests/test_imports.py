"""Imports between the rooms go one way, as ARCHITECTURE.md says."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import weakcode

ROOT = Path(weakcode.__file__).parent
ROOMS = (
    {"errors", "_version"},
    {"claims", "findings"},
    {"codes"},
    {"rules"},
    {"compile"},
    {"engines"},
    {"waivers", "notices", "ruleinfo", "fixing", "explaining"},
    {"api"},
    {"pages"},
    {"batch"},
    {"spark", "report"},
    {"cli"},
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
ALLOWED = {
    # The library's own front door to files, opened when it is asked for.
    ("api", "batch"),
    # The spelling of a code is part of what a claim is.
    ("claims", "codes"),
    # Profiles hold waivers; examples are judged as users' claims are.
    ("rules", "waivers"),
    ("rules", "api"),
}


def imports() -> Iterator[tuple[str, str, str]]:
    """Give (place, room, imported room) of every import that runs."""
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).with_suffix("").parts[0]
        tree = ast.parse(path.read_text(encoding="utf-8"))
        only_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or id(node) in only_types:
                continue
            if node.module == "weakcode":
                rooms = [name.name for name in node.names]
            elif node.module and node.module.startswith("weakcode."):
                rooms = [node.module.split(".")[1]]
            else:
                continue
            for other in rooms:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", room, other


def test_no_room_imports_one_above_it() -> None:
    known = [(place, room, other) for place, room, other in imports() if room in LEVEL and other in LEVEL]
    assert len(known) > 300
    assert [
        f"{place} imports {other}"
        for place, room, other in known
        if LEVEL[other] > LEVEL[room] and (room, other) not in ALLOWED
    ] == []
