"""ARCHITECTURE.md is true: its rooms are the tree's rooms, and imports go its way."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "weakcode"
TEXT = (PROJECT / "ARCHITECTURE.md").read_text("utf-8")
# What packaging and version control need is no room of the architecture.
# What is generated is named in a decision.
NO_ROOMS = {"__init__.py", "__main__.py", "compiled", "py.typed", "__pycache__"}


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


def _imports() -> Iterator[tuple[str, str, str]]:
    """Give (place, room, imported room) of every import of the package that runs, at the top of a module or later."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        only_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if id(node) in only_types:
                continue
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module == "weakcode":
                names = [f"weakcode.{name.name}" for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                if name.startswith("weakcode."):
                    yield f"{path.relative_to(PROJECT)}:{node.lineno}", _room(path), name.split(".")[1]


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_every_import_names_the_package() -> None:
    for path in PACKAGE.rglob("*.py"):
        dotted = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if getattr(node, "level", 0)]
        assert not dotted, f"{path.relative_to(PROJECT)}:{dotted[0].lineno} is an import that _imports does not see"


def test_imports_go_up_the_table_never_down() -> None:
    floor = {
        _room(path): number for number, paths in enumerate(_rooms()) for path in paths if path.is_relative_to(PACKAGE)
    }
    known = [(place, room, other) for place, room, other in _imports() if room in floor and other in floor]
    assert len(known) > 300
    down = [(place, room, other) for place, room, other in known if floor[other] > floor[room]]
    assert not down, "\n".join(f"{place} imports {other}" for place, _, other in down)


def test_no_module_is_so_long_that_it_needs_a_guide() -> None:
    long = {
        str(path.relative_to(PROJECT)): lines
        for path in PACKAGE.rglob("*")
        if path.suffix in (".py", ".pyx", ".pxi", ".h")
        if (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert not long


def test_no_folder_has_so_many_modules_that_it_needs_a_map() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    modules = {folder: [path for path in folder.glob("*.py") if path.name != "__init__.py"] for folder in folders}
    many = {str(folder.relative_to(PACKAGE.parent)) for folder, there in modules.items() if len(there) > 14}
    assert not many, f"over 14 modules; make folders by subject: {many}"


def test_no_class_name_stands_for_two_things() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert len(places) > 100
    assert not {name: where for name, where in places.items() if len(where) > 1}


def test_every_change_that_is_known_to_mean_the_same_is_one_of_a_line_that_is_there() -> None:
    settings = tomllib.loads((PROJECT / "tests" / "engines" / "mutants.toml").read_text("utf-8"))
    sources = {name: _in_one_line((PACKAGE / f"{name}.py").read_text("utf-8")) for name in settings["modules"]}
    changes = [(one["module"], before) for one in settings["equivalent"] for before, _ in one["changes"]]
    assert len(changes) > 50
    assert [(name, before) for name, before in changes if _in_one_line(before) not in sources[name]] == []


def _in_one_line(text: str) -> str:
    return " ".join(text.split())
