"""Every note is read: the counts that the list of April 2026 has, and nothing left over."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from weakcode.codes import catalog
from weakcode.compile.tabular import notes
from weakcode.compile.tabular.instances import KINDS

PROJECT = Path(__file__).resolve().parents[2]

LINES = {"excludes1": 5407, "excludes2": 2520, "use_additional": 1485, "code_first": 809, "code_also": 655}


def test_every_line_of_every_kind_is_counted_and_none_is_unresolved() -> None:
    counts = {one.kind: one for one in notes.count(catalog.bundled())}
    assert {kind: one.lines for kind, one in counts.items()} == LINES
    assert all(one.unresolved == 0 for one in counts.values())
    assert all(one.compiled + one.prose == one.lines for one in counts.values())
    assert list(notes.unresolved(catalog.bundled())) == []


def test_about_925_lines_name_no_code() -> None:
    assert 900 <= sum(one.prose for one in notes.count(catalog.bundled())) <= 950


@pytest.fixture(scope="module")
def tool() -> Any:
    """The program that writes the table."""
    spec = importlib.util.spec_from_file_location("code_first_table", PROJECT / "tools" / "code_first_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(tool: Any) -> str:
    """How the bundled list is read."""
    written: str = tool.table(catalog.bundled())
    return written


def test_the_table_of_code_first_blocks_is_the_one_in_the_docs(tool: Any, table: str) -> None:
    assert (PROJECT / "docs" / tool.NAME).read_text("utf-8") == table, (
        "the reading of code-first notes changed; review it, then: python tools/code_first_table.py"
    )


def test_the_table_has_a_row_for_each_of_the_363_blocks(table: str) -> None:
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert len(rows) == 363 + 2


def test_no_two_notes_demand_opposite_orders_of_two_codes() -> None:
    """As masks of bits: where "b before a" and "a before b" meet, both intersections are there."""
    edition = catalog.bundled()

    def mask(spans: tuple[tuple[int, int], ...]) -> int:
        return sum((1 << high) - (1 << low) for low, high in spans)

    orders = [
        (instance.place, mask(instance.subject.spans), mask(instance.object.spans))
        for kind in ("code_first_order", "use_additional_order")
        for instance in KINDS[kind](edition)
    ]
    against = Counter(
        (one[0], other[0])
        for number, one in enumerate(orders)
        for other in orders[number:]
        if one[1] & other[2] and one[2] & other[1]
    )
    assert against == Counter()
