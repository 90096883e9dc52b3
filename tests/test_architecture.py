"""ARCHITECTURE.md is true: its rooms are the tree's rooms, and imports go its way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "weakcode"
TEXT = (PROJECT / "ARCHITECTURE.md").read_text("utf-8")
# What packaging and version control need is no room of the architecture.
NO_ROOMS = {"__init__.py", "__main__.py", "py.typed", "__pycache__"}


def _rows() -> list[tuple[list[str], str]]:
    """The rows of the table of rooms: the paths in its first cell, and the rest."""
    rows = []
    for line in TEXT.splitlines():
        cells = line.strip("| ").split(" | ", 1)
        if line.startswith("| `"):
            rows.append((re.findall(r"`([^`]+)`", cells[0]), cells[1]))
    return rows


def _rooms() -> list[list[Path]]:
    """The rooms of the package from top to bottom; a bare name stands in the folder of the path before it."""
    rooms = []
    for names, _ in _rows():
        paths: list[Path] = []
        for name in names:
            paths.append(PROJECT / name if "/" in name else paths[-1].parent / name)
        rooms.append(paths)
    return rooms


def test_every_room_of_the_table_is_there() -> None:
    rooms = _rooms()
    assert len(rooms) > 8
    for paths in rooms:
        for path in paths:
            assert path.exists(), f"{path.relative_to(PROJECT)} is in ARCHITECTURE.md and not in the tree"


def test_every_file_that_the_table_names_in_a_room_is_there() -> None:
    for names, about in _rows():
        folder = PROJECT / names[0]
        for name in re.findall(r"`([a-z_0-9]+(?:\.[a-z]+|/))`", about):
            found = folder / name if folder.is_dir() else folder.parent / name
            assert found.exists(), f"{found.relative_to(PROJECT)} is in ARCHITECTURE.md and not in the tree"


def test_every_part_of_the_package_has_a_room_in_the_table() -> None:
    named = {path for paths in _rooms() for path in paths}
    there = {path for path in PACKAGE.iterdir() if path.name not in NO_ROOMS and not path.name.endswith(".so")}
    missing = sorted(str(path.relative_to(PROJECT)) for path in there - named)
    assert not missing, f"ARCHITECTURE.md does not say what {', '.join(missing)} is for"


def test_every_folder_of_the_project_has_a_room_in_the_table() -> None:
    named = {path.relative_to(PROJECT).parts[0] for paths in _rooms() for path in paths}
    tracked = {"src", "rules", "docs", "examples", "tests", "benchmarks", "fuzz"}
    assert tracked <= {path.name for path in PROJECT.iterdir()}
    assert not tracked - named, f"ARCHITECTURE.md does not say what {sorted(tracked - named)} is for"


def _imported(path: Path) -> Iterator[str]:
    """The modules of weakcode that a module imports when it is imported itself."""

    def walk(body: list[ast.stmt]) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module
                yield from (f"{node.module}.{name.name}" for name in node.names)
            elif isinstance(node, ast.Import):
                yield from (name.name for name in node.names)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from walk(node.body + node.orelse)
            elif isinstance(node, ast.Try):
                yield from walk(node.body)

    yield from (name for name in walk(ast.parse(path.read_text("utf-8")).body) if name.startswith("weakcode."))


def test_imports_go_up_the_table_never_down() -> None:
    floor: dict[str, int] = {}
    for number, paths in enumerate(_rooms()):
        for path in paths:
            if path.is_relative_to(PACKAGE):
                floor[path.relative_to(PACKAGE).parts[0].removesuffix(".py")] = number
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if here not in floor:
            continue
        for name in _imported(path):
            there = name.split(".")[1]
            if floor.get(there, -1) > floor[here]:
                wrong.append(f"{path.relative_to(PROJECT)} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_no_module_is_so_long_that_it_needs_a_guide() -> None:
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in PACKAGE.rglob("*.py")
        if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long
