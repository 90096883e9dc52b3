"""The shipped table of codes is what the program that makes it makes of the published files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from weakcode.codes.table import table, table_text

TOOL = Path(__file__).parents[2] / "tools" / "code_table.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("code_table", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_shipped_table_is_what_its_sources_make(tool: ModuleType, shared: Path) -> None:
    made = tool.table_of(tool.sources_in([shared / "icd10cm", shared / "mce"]))
    assert table_text(made) == table_text(table())


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["order-2026.txt"], "there are 0 and 1"),
        (["flags.csv"], "there are 1 and 0"),
        (["flags.csv", "more.csv", "order-2026.txt"], "there are 2 and 1"),
        (["flags.csv", "order.txt"], "order.txt is of no year that its name tells"),
        (["notes.pdf", "missing.csv"], "No such file"),
    ],
)
def test_what_makes_no_table_is_one_line_and_writes_nothing(
    tool: ModuleType, names: list[str], says: str, tmp_path: Path, capsys, monkeypatch
) -> None:
    content = {".csv": tool.FLAGS.encode(), ".txt": b"00001 A000    1 Cholera", ".pdf": b"%PDF\0"}
    places = [tmp_path / name for name in names]
    for place in places:
        if not place.name.startswith("missing"):
            place.write_bytes(content[place.suffix])
    monkeypatch.setattr(sys, "argv", ["code_table.py", *map(str, places), "--output", str(tmp_path / "made.xz")])
    with pytest.raises(SystemExit):
        tool.main()
    assert says in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "made.xz").exists()
