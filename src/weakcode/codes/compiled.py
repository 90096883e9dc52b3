"""Turns a Tabular List into the flat arrays that an Edition reads, and names them.

All nodes are numbered in document order, each before its children, so that the nodes below a node are the
numbers up to its `node_end`. Billable codes are numbered alphabetically, those of all days together.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from weakcode.codes.keys import pack_key
from weakcode.codes.normalise import compact
from weakcode.codes.sources.tabular import NOTE_KINDS, Tabular, TabularNode
from weakcode.codes.storage.shape import NOBODY as NOBODY

if TYPE_CHECKING:
    from weakcode.codes.sources.alphabetic import IndexTerm

VERSION = 3
"""Changes whenever the arrays below change meaning, so that compiled files of before are not used."""

KINDS = ("chapter", "section", "category", "subcategory", "code")
NOTES = tuple(NOTE_KINDS.values())
PLACEHOLDER, BILLABLE = 1, 2

ITEM_TYPES = {
    "codes": "Q",
    "code_node": "I",
    "code_window": "H",
    "node_key": "Q",
    "node_kind": "B",
    "node_flags": "B",
    "node_parent": "I",
    "node_end": "I",
    "node_seventh": "H",
    "key_sorted": "Q",
    "key_node": "I",
    "title_at": "I",
    "note_first": "I",
    "note_kind": "B",
    "note_block": "H",
    "note_line": "I",
    "line_at": "I",
}


def unpack_all(keys: memoryview) -> list[str]:
    """Return the texts that `pack_key` was given, of a column of its numbers."""
    numbers = array("Q", keys)
    if sys.byteorder == "little":
        numbers.byteswap()
    text = numbers.tobytes().decode("ascii")
    return [text[at : at + 8].rstrip("\0") for at in range(0, len(text), 8)]


def node_key(name: str) -> int:
    """Return the key of a node by its name: ``Chapter 13``, ``M60-M63``, ``M62.81``."""
    if name.startswith("Chapter "):
        return pack_key(f"@{name[8:]}")
    return pack_key(name if "-" in name else compact(name))


class _Compiler:
    def __init__(self) -> None:
        self.columns = {name: array(item) for name, item in ITEM_TYPES.items()}
        self.titles = bytearray()
        self.lines = bytearray()
        self.sevenths: dict[tuple[tuple[str, str], ...], int] = {(): 0}
        self.billable: list[tuple[int, int]] = []

    def add(self, node: TabularNode, parent: int) -> None:
        column = self.columns
        index = len(column["node_key"])
        key = node_key(node.name)
        flags = (PLACEHOLDER if node.placeholder else 0) | (BILLABLE if node.is_code else 0)
        self.billable += [(pack_key(code), index) for code in node.codes()]
        column["node_key"].append(key)
        column["node_kind"].append(KINDS.index(node.kind))
        column["node_flags"].append(flags)
        column["node_parent"].append(parent)
        column["node_end"].append(0)
        choices = tuple((node.seventh or {}).items())
        column["node_seventh"].append(self.sevenths.setdefault(choices, len(self.sevenths)))
        column["title_at"].append(len(self.titles))
        self.titles += node.title.encode()
        self._add_notes(node)
        for child in node.children:
            self.add(child, index)
        column["node_end"][index] = len(column["node_key"])

    def _add_notes(self, node: TabularNode) -> None:
        column = self.columns
        column["note_first"].append(len(column["note_kind"]))
        seen: dict[str, int] = {}
        for block in node.blocks:
            column["note_kind"].append(NOTES.index(block.kind))
            column["note_block"].append(seen.setdefault(block.kind, 0))
            seen[block.kind] += 1
            column["note_line"].append(len(column["line_at"]))
            for line in block.lines:
                column["line_at"].append(len(self.lines))
                self.lines += line.encode()

    def finish(self) -> None:
        column = self.columns
        column["title_at"].append(len(self.titles))
        column["note_first"].append(len(column["note_kind"]))
        column["note_line"].append(len(column["line_at"]))
        column["line_at"].append(len(self.lines))
        for key, node in sorted(self.billable):
            column["codes"].append(key)
            column["code_node"].append(node)
        for key, node in sorted((key, node) for node, key in enumerate(column["node_key"])):
            column["key_sorted"].append(key)
            column["key_node"].append(node)


def compile_tabular(tabular: Tabular, listed: Iterable[IndexTerm] = ()) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the `meta` and `sections` of a compiled file; `listed` are the terms of the Alphabetic Index."""
    from weakcode.codes.search import index_texts

    compiler = _Compiler()
    for chapter in tabular.chapters:
        compiler.add(chapter, NOBODY)
    compiler.finish()
    sections = {name: column.tobytes() for name, column in compiler.columns.items()}
    sections["titles"] = bytes(compiler.titles)
    sections["lines"] = bytes(compiler.lines)
    sections |= index_texts(tabular, listed)
    meta = {"sevenths": [dict(choices) for choices in compiler.sevenths], "version": tabular.version}
    return meta, sections


def columns(sections: Mapping[str, memoryview]) -> dict[str, memoryview]:
    """Return the arrays of a stored edition, ready to be read by index.

    What `compile_tabular` makes is without `code_window`, the window of each billable code.
    """
    return {name: sections[name].cast(item) for name, item in ITEM_TYPES.items()}  # type: ignore[call-overload]
