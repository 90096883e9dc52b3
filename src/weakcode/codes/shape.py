"""What the sections of a compiled file must look like: one declaration a column, and the check of a file against them.

A file is opened only when every column is there, holds whole numbers of its width, and is as long as what it goes with;
columns of bounds must end where their data ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

_WIDTH = {"B": 1, "H": 2, "I": 4, "Q": 8}


@attrs.frozen
class Column:
    """A section of numbers. `item` is their type, as `array` names it.

    It has one number for each of the column `per`, and `more` besides; the last one is the length of section `ends`.
    """

    name: str
    item: str
    per: str = ""
    more: int = 0
    ends: str = ""


EDITION = (
    Column("codes", "Q"),
    Column("code_node", "I", "codes"),
    Column("code_window", "H", "codes"),
    Column("node_key", "Q"),
    *(Column(name, item, "node_key") for name, item in (("node_kind", "B"), ("node_flags", "B"), ("node_parent", "I"))),
    *(Column(name, item, "node_key") for name, item in (("node_end", "I"), ("node_seventh", "H"))),
    Column("key_sorted", "Q", "node_key"),
    Column("key_node", "I", "node_key"),
    Column("title_at", "I", "node_key", 1, "titles"),
    Column("note_kind", "B"),
    Column("note_block", "H", "note_kind"),
    Column("note_first", "I", "node_key", 1, "note_kind"),
    Column("note_line", "I", "note_kind", 1),
    Column("line_at", "I", ends="lines"),
)
PROGRAM = (
    Column("starts", "I"),
    Column("members", "I", "starts"),
    Column("rules", "I"),
    *(Column(name, "I", "rules") for name in ("verbs", "wheres", "condition", "subjects", "objects", "special")),
    Column("offsets", "I", "rules", 1, "records"),
    Column("set_spans", "I"),
    Column("set_bounds", "I", ends="set_spans"),
    Column("subject_edits", "I"),
    Column("subject_pointers", "I", ends="subject_edits"),
    Column("object_edits", "I"),
    Column("object_pointers", "I", ends="object_edits"),
    Column("condition_sets", "I"),
)


def fits(sections: Mapping[str, Any], columns: Iterable[Column]) -> bool:
    """Tell whether sections have the columns declared, each of the right width and length."""
    widths = {column.name: _WIDTH[column.item] for column in columns}
    try:
        sizes = {name: len(memoryview(part).cast("B")) for name, part in sections.items()}
        lengths = {name: size // widths.get(name, 1) for name, size in sizes.items()}
        return all(_has(sections, sizes, lengths, column) for column in columns)
    except (KeyError, TypeError, ValueError):
        return False


def _has(sections: Mapping[str, Any], sizes: Mapping[str, int], lengths: Mapping[str, int], column: Column) -> bool:
    if sizes[column.name] % _WIDTH[column.item]:
        return False
    if column.per and lengths[column.name] != lengths[column.per] + column.more:
        return False
    if not column.ends:
        return True
    numbers = memoryview(sections[column.name]).cast("B").cast(column.item)  # type: ignore[call-overload]
    return len(numbers) > 0 and int(numbers[-1]) == lengths[column.ends]
