"""What the sections of a compiled file must look like: one declaration a column, and the check of a file against them.

A file is opened only when every column is there, holds whole numbers of its width, and is as long as what it goes with;
columns of bounds must end where their data ends. What the numbers of a file in the cache may be is declared beside it,
and checked by `weakcode.codes.storage.sound`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

NOBODY = 0xFFFFFFFF
"""The number of no node."""

_WIDTH = {"B": 1, "H": 2, "I": 4, "Q": 8}


@attrs.frozen
class Column:
    """A section of numbers. `item` is their type, as `array` names it.

    It has one number for each of the column `per`, and `more` besides; the last one is the length of section `ends`,
    which is `text` where bounds part it into texts. Numbers are below the number, the count of the column or the limit
    `below`, or `none`. `order` says that they climb, or rise, without repeats; or names the column of the bounds of
    lists within which they rise. Those in `ascii` are names of eight characters.
    """

    name: str
    item: str
    per: str = ""
    more: int = 0
    ends: str = ""
    below: str | int = ""
    none: int = 0
    order: str = ""
    ascii: bool = False
    text: bool = False


def _bounds(name: str, per: str, ends: str, *, text: bool = False) -> Column:
    """Return the column of where the parts of a section begin, and where the last one ends."""
    return Column(name, "I", per, 1 if per else 0, ends, order="climbs", text=text)


EDITION = (
    Column("codes", "Q", order="rises", ascii=True),
    Column("code_node", "I", "codes", below="node_key"),
    Column("code_window", "H", "codes", below="windows"),
    Column("node_key", "Q", ascii=True),
    Column("node_kind", "B", "node_key", below="kinds"),
    Column("node_flags", "B", "node_key", below=4),
    Column("node_parent", "I", "node_key", below="node_key", none=NOBODY),
    Column("node_end", "I", "node_key"),
    Column("node_seventh", "H", "node_key", below="sevenths"),
    Column("key_sorted", "Q", "node_key", order="climbs"),
    Column("key_node", "I", "node_key", below="node_key"),
    _bounds("title_at", "node_key", "titles", text=True),
    Column("note_kind", "B", below="notes"),
    Column("note_block", "H", "note_kind"),
    _bounds("note_first", "node_key", "note_kind"),
    Column("note_line", "I", "note_kind", 1, below="line_at", order="climbs"),
    _bounds("line_at", "", "lines", text=True),
)
SEARCH = (
    Column("search_node", "Q", ascii=True),
    Column("search_size", "H", "search_node"),
    _bounds("search_at", "search_node", "search_texts", text=True),
    _bounds("search_starts", "", "search_entries"),
    Column("search_entries", "I", below="search_node"),
)
PROGRAM = (
    Column("starts", "I", order="rises"),
    Column("members", "I", "starts", below="classes"),
    Column("rules", "I", below="rules of the header", order="climbs"),
    Column("verbs", "I", "rules", below="verbs of edits"),
    Column("wheres", "I", "rules", below="wheres of edits"),
    Column("condition", "I", "rules", below="conditions"),
    Column("subjects", "I", "rules", below="sets"),
    Column("objects", "I", "rules", below="sets"),
    Column("special", "I", "rules", below=32),
    Column("record", "I", "rules", below="records of edits"),
    _bounds("offsets", "", "records"),
    Column("set_spans", "I"),
    _bounds("set_bounds", "", "set_spans"),
    Column("subject_edits", "I", below="rules", order="subject_pointers"),
    _bounds("subject_pointers", "", "subject_edits"),
    Column("object_edits", "I", below="rules", order="object_pointers"),
    _bounds("object_pointers", "", "object_edits"),
    Column("condition_sets", "I", below="sets"),
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


def numbers_of(section: Any, item: str) -> memoryview:
    """Return the numbers in a section, of the type that an item of `memoryview` has."""
    # The stubs know casts to types that are spelled out, and not one that a declaration names.
    return memoryview(section).cast("B").cast(item)  # type: ignore[call-overload,no-any-return]


def _has(sections: Mapping[str, Any], sizes: Mapping[str, int], lengths: Mapping[str, int], column: Column) -> bool:
    if sizes[column.name] % _WIDTH[column.item]:
        return False
    if column.per and lengths[column.name] != lengths[column.per] + column.more:
        return False
    if not column.ends:
        return True
    numbers = numbers_of(sections[column.name], column.item)
    return len(numbers) > 0 and int(numbers[-1]) == lengths[column.ends]
