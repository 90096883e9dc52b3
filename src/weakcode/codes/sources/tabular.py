"""Reads CDC's ICD-10-CM Tabular List, as its XML gives it, into plain nodes.

The XML is untrusted input: document type definitions and entities are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO

import attrs

from weakcode.codes._tabular import Reader
from weakcode.codes.places import NOTE_KINDS
from weakcode.codes.sources.xmltree import DoctypeError
from weakcode.errors import EditionError

# Category S06 is the one place where a prose note takes 7th characters away from some of its codes.
_NOT_APPLICABLE = re.compile(
    r"7th characters (?P<seventh>[0-9A-Z](?:(?:, | and |, and )[0-9A-Z])*) do not apply to codes in category"
    r" (?P<category>[A-Z][0-9A-Z]{2}) with 6th character (?P<sixth>.*)"
)
_SECTION = re.compile(r"[A-Z][0-9A-Z]{2}(-[A-Z][0-9A-Z]{2})?")
# What chapters and sections have at the end of their titles.
_RANGE = re.compile(r"\s*\([^()]*\)$")


@attrs.frozen
class NoteBlock:
    """One note element of the XML: all its lines belong together."""

    kind: str
    lines: tuple[str, ...]


@attrs.define
class TabularNode:
    """A chapter, section or code of the Tabular List. `children` and all nodes stand in document order.

    `name` is that of a chapter (``Chapter 13``), that of a section (``M60-M63``), or a compact code.
    """

    kind: str
    name: str
    title: str
    blocks: list[NoteBlock] = attrs.Factory(list)
    children: list[TabularNode] = attrs.Factory(list)
    placeholder: bool = False
    seventh: Mapping[str, str] | None = None
    """The 7th characters of a leaf that needs one, with the text of each."""
    billable: bool | None = None
    """Whether the place itself is a code on some day; None where the place as the list has it tells."""

    def walk(self) -> Iterator[TabularNode]:
        """Yield this node and all below it, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            if node.children:
                waiting += reversed(node.children)

    def codes(self) -> tuple[str, ...]:
        """Return the billable codes, compact, that this node stands for: one, one for each 7th character, or none."""
        own = (self.name,) if self.is_code else ()
        if not self.seventh:
            return own
        stem = self.name.ljust(6, "X")
        return (*own, *[stem + seventh for seventh in self.seventh])

    @property
    def is_code(self) -> bool:
        """Whether the node itself is a billable code on some day."""
        if self.billable is not None:
            return self.billable
        return not self.children and self.seventh is None and self.kind in ("category", "subcategory")


@attrs.frozen
class Tabular:
    """A whole Tabular List: the year it says it is for, its chapters, and categories and what is below, by name."""

    version: str
    chapters: tuple[TabularNode, ...]
    places: dict[str, TabularNode]

    def walk(self) -> Iterator[TabularNode]:
        """Yield every node, in document order."""
        return chain.from_iterable(chapter.walk() for chapter in self.chapters)

    def billable(self) -> Iterator[str]:
        """Yield every billable code, compact, in document order."""
        for node in self.walk():
            yield from node.codes()


def read_tabular(source: bytes | BinaryIO, where: str = "the file") -> Tabular:
    """Read a Tabular List. `where` names the source in errors.

    Raises EditionError for anything that is not a whole, well-formed Tabular List.
    """
    content = source if isinstance(source, bytes) else source.read()
    reader = Reader(where, TabularNode, NoteBlock, NOTE_KINDS)
    try:
        reader.read(content)
    except DoctypeError:
        raise EditionError(
            f"{where} declares a document type or entities, which a Tabular List never does; it was not read."
        ) from None
    except (ValueError, LookupError) as error:
        raise EditionError(
            f"{where} is not well-formed XML ({error}); give a complete ICD-10-CM Tabular List in XML."
        ) from None
    chapters = tuple(reader.chapters)
    named: set[str] = set()
    for chapter in chapters:
        for node in _finish(chapter, where):
            if node.name in named:
                raise EditionError(f"{where} defines {node.name} twice; give an unaltered Tabular List.")
            named.add(node.name)
    if not reader.places:
        raise EditionError(f"{where} is a Tabular List without any category; give the complete file.")
    _name_sevenths(reader.seventh)
    return Tabular(reader.version or "", chapters, reader.places)


def _finish(chapter: TabularNode, where: str) -> tuple[TabularNode, ...]:
    """Name a chapter and its sections as elsewhere, put each section where it belongs, and return all of them."""
    if not chapter.name.isdecimal():
        raise EditionError(f"{where} has a chapter without a number; give an unaltered Tabular List.")
    chapter.name = f"Chapter {int(chapter.name)}"
    for section in chapter.children:
        name = section.name.strip().upper()
        if not _SECTION.fullmatch(name):
            raise EditionError(f'{where} has a section named "{name}"; a section is named like M60-M63.')
        # A section of one category would otherwise share the category's name.
        section.name = name if "-" in name else f"{name}-{name}"
    found = (chapter, *chapter.children)
    for node in found:
        node.title = _RANGE.sub("", node.title)
    chapter.children = _nested(chapter.children)
    return found


def _nested(sections: list[TabularNode]) -> list[TabularNode]:
    """Put sections below the section that embraces them: T20-T32, Burns, has no codes but sections.

    The XML lists both as equals, yet a note at T20-T32 holds for all of it.
    """
    top: list[TabularNode] = []
    open_above: list[TabularNode] = []
    for section in sections:
        first, last = section.name.split("-")
        while open_above and not _embraces(open_above[-1].name, first, last):
            open_above.pop()
        (open_above[-1].children if open_above else top).append(section)
        if not section.children:
            open_above.append(section)
    return top


def _embraces(name: str, first: str, last: str) -> bool:
    low, high = name.split("-")
    return low <= first and last <= high


def _name_sevenths(defined: list[tuple[TabularNode, dict[str, str]]]) -> None:
    """Give the 7th characters that are defined at a place to the leaves below it; the nearest definition wins."""
    own = {node.name for node, _ in defined}
    for place, sevenths in defined:
        removed = _removed(place)
        waiting = [place]
        while waiting:
            node = waiting.pop()
            if node.children:
                waiting += [child for child in node.children if child.name not in own]
            elif sevenths and len(node.name) < 7:
                taken_away = removed.get(node.name.ljust(6, "X")[5], "")
                node.seventh = (
                    {one: text for one, text in sevenths.items() if one not in taken_away} if taken_away else sevenths
                )


def _removed(node: TabularNode) -> dict[str, str]:
    """Return, by 6th character, the 7th characters that the notes of this node take away."""
    for block in node.blocks:
        for line in block.lines if block.kind == "note" else ():
            found = _NOT_APPLICABLE.match(line)
            if found and found["category"] == node.name[:3]:
                taken_away = "".join(re.findall(r"\b[0-9A-Z]\b", found["seventh"]))
                sixth = re.findall(r"(?:^|\bor )([0-9A-Z])\b", found["sixth"])
                return dict.fromkeys(sixth, taken_away)
    return {}
