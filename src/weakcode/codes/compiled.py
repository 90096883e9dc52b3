"""Turns a Tabular List into the flat arrays that an Edition reads, and names them.

All nodes are numbered in document order, each before its children, so that the nodes below a node are the
numbers up to its `node_end`. Billable codes are numbered alphabetically, those of all days together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from weakcode.codes.keys import pack_key, pack_keys
from weakcode.codes.normalise import compact
from weakcode.codes.places import NOTE_KINDS
from weakcode.codes.storage.shape import NOBODY as NOBODY
from weakcode.codes.storage.shape import numbers_of

if TYPE_CHECKING:
    from weakcode.codes.sources.tabular import Tabular, TabularNode
    from weakcode.codes.validity import Calendar

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


def _in_order(tabular: Tabular) -> tuple[list[TabularNode], list[int], list[int]]:
    """Return all nodes in document order, each before its children; the number of the parent of each, and its end.

    The end is the number after that of the last node below.
    """
    nodes: list[TabularNode] = []
    parents: list[int] = []
    ends: list[int] = []
    for chapter in tabular.chapters:
        _add(chapter, NOBODY, nodes, parents, ends)
    return nodes, parents, ends


def _add(node: TabularNode, parent: int, nodes: list[TabularNode], parents: list[int], ends: list[int]) -> None:
    index = len(nodes)
    nodes.append(node)
    parents.append(parent)
    ends.append(index + 1)
    if node.children:
        for child in node.children:
            _add(child, index, nodes, parents, ends)
        ends[index] = len(nodes)


def _notes(nodes: Iterable[TabularNode]) -> tuple[dict[str, list[int]], bytes]:
    """Return the columns of all notes, node by node, and their lines."""
    first, kinds, numbers, starts = [0], [], [], [0]
    lines: list[bytes] = []
    for node in nodes:
        seen: dict[str, int] = {}
        for block in node.blocks:
            kinds.append(NOTES.index(block.kind))
            numbers.append(seen.get(block.kind, 0))
            seen[block.kind] = numbers[-1] + 1
            lines += [line.encode() for line in block.lines]
            starts.append(len(lines))
        first.append(len(kinds))
    made = {"note_first": first, "note_kind": kinds, "note_block": numbers, "note_line": starts}
    return {**made, "line_at": [*accumulate(map(len, lines), initial=0)]}, b"".join(lines)


def _sevenths(nodes: Iterable[TabularNode]) -> tuple[list[dict[str, str]], list[int]]:
    """Return the distinct choices of 7th characters with their texts, none first, and the number of that of each node.

    A node below a definition has its choice in common with others, as one object.
    """
    numbers: dict[tuple[tuple[str, str], ...], int] = {(): 0}
    known: dict[int, int] = {}
    found = []
    for node in nodes:
        number = 0
        if node.seventh:
            place = id(node.seventh)
            if place not in known:
                known[place] = numbers.setdefault(tuple(node.seventh.items()), len(numbers))
            number = known[place]
        found.append(number)
    return [dict(choice) for choice in numbers], found


def compile_tabular(
    tabular: Tabular, terms: bytes = b"", dates: Calendar | None = None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the `meta` and `sections` of a stored edition.

    `terms` are those of the Alphabetic Index, as text, `dates` the windows of all billable codes.
    """
    import numpy as np

    nodes, parents, ends = _in_order(tabular)
    titles = [node.title.encode() for node in nodes]
    keys = pack_keys([f"@{node.name[8:]}" if node.kind == "chapter" else node.name for node in nodes])
    sevenths, choices = _sevenths(nodes)
    billable = [node.is_code for node in nodes]
    codes: list[str] = []
    at: list[int] = []
    for index, node in enumerate(nodes):
        if node.seventh or billable[index]:
            codes += node.codes()
            at += [index] * (len(codes) - len(at))
    code_keys = np.array(pack_keys(codes))
    by_code, by_key = (np.argsort(column, kind="stable") for column in (code_keys, np.array(keys)))
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    noted, lines = _notes(nodes)
    made: dict[str, Any] = {
        "codes": code_keys[by_code],
        "code_node": np.array(at)[by_code],
        "node_key": keys,
        "node_kind": [kinds[node.kind] for node in nodes],
        "node_flags": [
            PLACEHOLDER * node.placeholder | BILLABLE * own for node, own in zip(nodes, billable, strict=True)
        ],
        "node_parent": parents,
        "node_end": ends,
        "node_seventh": choices,
        "key_sorted": np.array(keys)[by_key],
        "key_node": by_key,
        "title_at": [*accumulate(map(len, titles), initial=0)],
        **noted,
    }
    if dates is not None:
        made["code_window"] = dates.windows_of(made["codes"])
    sections = {name: np.asarray(numbers, ITEM_TYPES[name]).tobytes() for name, numbers in made.items()}
    sections |= {"titles": b"".join(titles), "lines": lines, "terms": terms}
    return {"sevenths": sevenths, "version": tabular.version}, sections


def columns(sections: Mapping[str, memoryview]) -> dict[str, memoryview]:
    """Return the arrays of a stored edition, ready to be read by index.

    What `compile_tabular` makes without a calendar has no `code_window`, the window of each billable code.
    """
    return {name: numbers_of(sections[name], item) for name, item in ITEM_TYPES.items()}
