"""Turns a Tabular List into the flat arrays that an Edition reads, and names them.

All nodes are numbered in document order, each before its children, so that the nodes below a node are the
numbers up to its `node_end`. Billable codes are numbered alphabetically, those of all days together.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any

from weakcode.codes.keys import pack_key, pack_keys
from weakcode.codes.normalise import compact
from weakcode.codes.sources.tabular import NOTE_KINDS, Tabular, TabularNode
from weakcode.codes.storage.shape import NOBODY as NOBODY

VERSION = 4
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


def node_key(name: str) -> int:
    """Return the key of a node by its name: ``Chapter 13``, ``M60-M63``, ``M62.81``."""
    if name.startswith("Chapter "):
        return pack_key(f"@{name[8:]}")
    return pack_key(name if "-" in name else compact(name))


def _node_keys(nodes: Iterable[TabularNode]) -> array[int]:
    """Return the keys of the nodes of a list, whose names are written as they ought to be."""
    names = [f"@{node.name[8:]}" if node.kind == "chapter" else node.name.replace(".", "") for node in nodes]
    return pack_keys(names)


def _in_order(tabular: Tabular) -> tuple[list[TabularNode], list[int]]:
    """Return all nodes in document order, each before its children, and the number of the parent of each."""
    nodes: list[TabularNode] = []
    parents: list[int] = []
    waiting = [(chapter, NOBODY) for chapter in reversed(tabular.chapters)]
    while waiting:
        node, parent = waiting.pop()
        if node.children:
            index = len(nodes)
            waiting += [(child, index) for child in reversed(node.children)]
        nodes.append(node)
        parents.append(parent)
    return nodes, parents


def _ends(parents: list[int]) -> list[int]:
    """Return for each node the number after that of the last one below it."""
    ends = list(range(1, len(parents) + 1))
    for index in range(len(parents) - 1, -1, -1):
        parent = parents[index]
        if parent != NOBODY and ends[index] > ends[parent]:
            ends[parent] = ends[index]
    return ends


class _Notes:
    """The columns of all notes, node by node."""

    def __init__(self, nodes: list[TabularNode]) -> None:
        names = ("note_first", "note_kind", "note_block", "note_line", "line_at")
        self.columns = {name: array(ITEM_TYPES[name]) for name in names}
        self.lines = bytearray()
        first = self.columns["note_first"]
        for node in nodes:
            first.append(len(self.columns["note_kind"]))
            if node.blocks:
                self._add(node)
        first.append(len(self.columns["note_kind"]))
        self.columns["note_line"].append(len(self.columns["line_at"]))
        self.columns["line_at"].append(len(self.lines))

    def _add(self, node: TabularNode) -> None:
        column = self.columns
        seen: dict[str, int] = {}
        for block in node.blocks:
            column["note_kind"].append(NOTES.index(block.kind))
            column["note_block"].append(seen.setdefault(block.kind, 0))
            seen[block.kind] += 1
            column["note_line"].append(len(column["line_at"]))
            for line in block.lines:
                column["line_at"].append(len(self.lines))
                self.lines += line.encode()


def compile_tabular(tabular: Tabular, terms: bytes = b"") -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the `meta` and `sections` of a stored edition; `terms` are those of the Alphabetic Index, as text."""
    nodes, parents = _in_order(tabular)
    notes = _Notes(nodes)
    titles = [node.title.encode() for node in nodes]
    keys = _node_keys(nodes)
    sevenths: dict[tuple[tuple[str, str], ...], int] = {(): 0}
    choices = [tuple(node.seventh.items()) if node.seventh else () for node in nodes]
    codes = [(code, index) for index, node in enumerate(nodes) for code in node.codes()]
    billable = sorted(zip(pack_keys([code for code, _ in codes]), [index for _, index in codes], strict=True))
    by_key = sorted(zip(keys, range(len(keys)), strict=True))
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    made: dict[str, Iterable[int]] = {
        "codes": [key for key, _ in billable],
        "code_node": [node for _, node in billable],
        "node_key": keys,
        "node_kind": [kinds[node.kind] for node in nodes],
        "node_flags": [PLACEHOLDER * node.placeholder | BILLABLE * node.is_code for node in nodes],
        "node_parent": parents,
        "node_end": _ends(parents),
        "node_seventh": [sevenths.setdefault(one, len(sevenths)) for one in choices],
        "key_sorted": [key for key, _ in by_key],
        "key_node": [node for _, node in by_key],
        "title_at": accumulate(map(len, titles), initial=0),
    }
    sections = {name: array(ITEM_TYPES[name], numbers).tobytes() for name, numbers in made.items()}
    sections |= {name: column.tobytes() for name, column in notes.columns.items()}
    sections |= {"titles": b"".join(titles), "lines": bytes(notes.lines), "terms": terms}
    return {"sevenths": [dict(one) for one in sevenths], "version": tabular.version}, sections


def columns(sections: Mapping[str, memoryview]) -> dict[str, memoryview]:
    """Return the arrays of a stored edition, ready to be read by index.

    What `compile_tabular` makes is without `code_window`, the window of each billable code.
    """
    return {name: sections[name].cast(item) for name, item in ITEM_TYPES.items()}  # type: ignore[call-overload]
