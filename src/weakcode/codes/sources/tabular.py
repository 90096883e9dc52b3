"""Reads CDC's ICD-10-CM Tabular List, as its XML gives it, into plain nodes.

The XML is untrusted input: document type definitions and entities are refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import attrs

from weakcode.errors import EditionError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NOTE_KINDS = {
    "excludes1": "excludes1",
    "excludes2": "excludes2",
    "codeFirst": "code_first",
    "useAdditionalCode": "use_additional",
    "codeAlso": "code_also",
    "includes": "includes",
    "inclusionTerm": "inclusion_term",
    "notes": "note",
    "sevenChrNote": "seventh_character_note",
}

# Category S06 is the one place where a prose note takes 7th characters away from some of its codes.
_NOT_APPLICABLE = re.compile(
    r"7th characters (?P<seventh>[0-9A-Z](?:(?:, | and |, and )[0-9A-Z])*) do not apply to codes in category"
    r" (?P<category>[A-Z][0-9A-Z]{2}) with 6th character (?P<sixth>.*)"
)
_WITHOUT_NOTES = frozenset(("name", "desc", "diag"))
_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?")


@attrs.frozen
class NoteBlock:
    """One note element of the XML: all its lines belong together."""

    kind: str
    lines: tuple[str, ...]


@attrs.define
class TabularNode:
    """A chapter, section or code of the Tabular List. `children` and all nodes stand in document order."""

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
        name = self.name.replace(".", "")
        own = (name,) if self.is_code else ()
        return own if not self.seventh else (*own, *(name.ljust(6, "X") + seventh for seventh in self.seventh))

    @property
    def is_code(self) -> bool:
        """Whether the node itself is a billable code on some day."""
        if self.billable is not None:
            return self.billable
        return not self.children and self.seventh is None and self.kind in ("category", "subcategory")


@attrs.frozen
class Tabular:
    """A whole Tabular List: the year it says it is for, and its chapters."""

    version: str
    chapters: tuple[TabularNode, ...]

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
    from weakcode.codes.sources.xmltree import DoctypeError, parsed

    content = source if isinstance(source, bytes) else source.read()
    try:
        root = parsed(content)
    except DoctypeError:
        raise EditionError(
            f"{where} declares a document type or entities, which a Tabular List never does; it was not read."
        ) from None
    except (SyntaxError, ValueError, LookupError) as error:
        raise EditionError(
            f"{where} is not well-formed XML ({error}); give a complete ICD-10-CM Tabular List in XML."
        ) from None
    if root.tag != "ICD10CM.tabular":
        raise EditionError(
            f"{where} holds <{root.tag}>, not <ICD10CM.tabular>; give CDC's ICD-10-CM Tabular List in XML."
        )
    try:
        chapters = tuple(_chapter(element, where) for element in root.iterfind("chapter"))
    except RecursionError:
        raise EditionError(f"{where} nests codes without end; give an unaltered Tabular List.") from None
    tabular = Tabular((root.findtext("version") or "").strip(), chapters)
    if not any(node.kind == "category" for node in tabular.walk()):
        raise EditionError(f"{where} is a Tabular List without any category; give the complete file.")
    names = [node.name for node in tabular.walk()]
    if len(set(names)) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise EditionError(f"{where} defines {twice} twice; give an unaltered Tabular List.")
    return tabular


def _text(element: Element | None) -> str:
    if element is None:
        return ""
    return " ".join(("".join(element.itertext()) if len(element) else element.text or "").split())


def _blocks(element: Element) -> list[NoteBlock]:
    blocks: list[NoteBlock] = []
    for child in element:
        kind = NOTE_KINDS.get(child.tag)
        if kind is not None:
            lines = tuple(filter(None, map(_text, child)))
        elif child.tag == "sevenChrDef":
            # A line between two 7th characters is another wording of the one above it.
            kind, lines = "seventh_character_note", tuple(map(_text, child.iterfind("note")))
        if kind is not None and lines:
            blocks.append(NoteBlock(kind, lines))
    return blocks


def _chapter(element: Element, where: str) -> TabularNode:
    number = (element.findtext("name") or "").strip()
    if not number.isdecimal():
        raise EditionError(f"{where} has a chapter without a number; give an unaltered Tabular List.")
    title = re.sub(r"\s*\([^()]*\)$", "", _text(element.find("desc")))
    chapter = TabularNode("chapter", f"Chapter {int(number)}", title, _blocks(element))
    chapter.children = _nested([_section(child, where) for child in element.iterfind("section")])
    return chapter


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


def _section(element: Element, where: str) -> TabularNode:
    name = (element.get("id") or "").strip().upper()
    if not re.fullmatch(r"[A-Z][0-9A-Z]{2}(-[A-Z][0-9A-Z]{2})?", name):
        raise EditionError(f'{where} has a section named "{name}"; a section is named like M60-M63.')
    # A section of one category would otherwise share the category's name.
    name = name if "-" in name else f"{name}-{name}"
    title = re.sub(r"\s*\([^()]*\)$", "", _text(element.find("desc")))
    section = TabularNode("section", name, title, _blocks(element))
    section.children = [_diagnosis(child, {}, {}, where) for child in element.iterfind("diag")]
    return section


def _diagnosis(element: Element, seventh: Mapping[str, str], removed: Mapping[str, str], where: str) -> TabularNode:
    """`seventh` are the 7th characters that reach this code, `removed` those that 6th characters rule out."""
    # Of each kind of child the first one counts, but for codes and notes. Looking for each by its name is slow.
    parts = list(element)
    first = {part.tag: part for part in reversed(parts)}
    named = first.get("name")
    name = ("" if named is None else named.text or "").strip().upper()
    if not _CODE.fullmatch(name):
        raise EditionError(f'{where} has a code "{name}"; a code is written like M62.81.')
    kind = "category" if len(name) == 3 else "subcategory"
    blocks = [] if first.keys() <= _WITHOUT_NOTES else _blocks(element)
    node = TabularNode(kind, name, _text(first.get("desc")), blocks)
    node.placeholder = element.get("placeholder") == "true"
    definition = first.get("sevenChrDef")
    if definition is not None:
        seventh = {
            one.strip(): _text(extension)
            for extension in definition.iterfind("extension")
            for one in (extension.get("char") or "").split(",")
            if len(one.strip()) == 1
        }
        removed = _removed(node)
    if "diag" in first:
        node.children = [_diagnosis(part, seventh, removed, where) for part in parts if part.tag == "diag"]
        for child in node.children:
            # Not more than the category: the list of 2021 has H54.512A below H54.511.
            if child.name[:3] != name[:3]:
                raise EditionError(f"{where} lists {child.name} below {name}; give an unaltered Tabular List.")
    elif seventh and len(name) < 8:
        gone = removed.get(name.replace(".", "").ljust(6, "X")[5], "")
        node.seventh = {one: text for one, text in seventh.items() if one not in gone}
    return node


def _removed(node: TabularNode) -> dict[str, str]:
    """Return, by 6th character, the 7th characters that the notes of this node take away."""
    for block in node.blocks:
        for line in block.lines if block.kind == "note" else ():
            found = _NOT_APPLICABLE.match(line)
            if found and found["category"] == node.name[:3]:
                gone = "".join(re.findall(r"\b[0-9A-Z]\b", found["seventh"]))
                sixth = re.findall(r"(?:^|\bor )([0-9A-Z])\b", found["sixth"])
                return dict.fromkeys(sixth, gone)
    return {}
