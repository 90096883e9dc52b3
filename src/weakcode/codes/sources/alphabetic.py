"""Reads the Alphabetic Index of a release: the words under which it lists a code.

The XML is untrusted input: document type definitions and entities are refused. Tables of the Index (neoplasms, drugs)
have their codes in columns and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.normalise import compact
from weakcode.errors import EditionError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CODE = re.compile(r"[A-Z][0-9A-Z]{2}(?:\.[0-9A-Z]{1,4})?")
_LONGEST = 300
_DEEPEST = 50


@attrs.frozen
class IndexTerm:
    """A term with those above it, such as "Weakness, muscle", and the compact code that the Index gives for it."""

    code: str
    words: str


def read_index(content: bytes, where: str) -> tuple[str, tuple[IndexTerm, ...]]:
    """Return the year that an index says it is for, and its terms in order. `where` names the source in errors.

    Raises EditionError for anything that is not a well-formed index of ICD-10-CM.
    """
    from weakcode.codes.sources.xmltree import DoctypeError, parsed

    try:
        root = parsed(content)
    except DoctypeError:
        raise EditionError(
            f"{where} declares a document type or entities, which an index never does; it was not read."
        ) from None
    except (SyntaxError, ValueError, LookupError) as error:
        raise EditionError(f"{where} is not well-formed XML ({error}); fetch it again.") from None
    if root.tag != "ICD10CM.index":
        raise EditionError(f"{where} holds <{root.tag}>, not <ICD10CM.index>; give CDC's Alphabetic Index in XML.")
    found = dict.fromkeys(
        term
        for letter in root.iterfind("letter")
        for main in letter.iterfind("mainTerm")
        for term in _terms(main, where)
    )
    return (root.findtext("version") or "").strip(), tuple(found)


def _terms(main: Element, where: str) -> Iterator[IndexTerm]:
    waiting: list[tuple[Element, tuple[str, ...]]] = [(main, ())]
    while waiting:
        element, above = waiting.pop()
        if len(above) > _DEEPEST:
            raise EditionError(f"{where} nests terms without end; give an unaltered Alphabetic Index.")
        path = (*above, _title(element))
        words = ", ".join(filter(None, path))[:_LONGEST]
        for code in element.iterfind("code"):
            # A dash at the end says that characters follow: the code is a category.
            name = "".join((code.text or "").split()).upper().rstrip("-").rstrip(".")
            if words and _CODE.fullmatch(name):
                yield IndexTerm(compact(name), words)
        waiting += [(child, path) for child in reversed(element.findall("term"))]


def _title(element: Element) -> str:
    """Return a term with its nonessential modifiers, which stand in parentheses."""
    title = element.find("title")
    return "" if title is None else " ".join(" ".join(title.itertext()).split())


def write_terms(terms: Iterable[IndexTerm]) -> bytes:
    """Return the terms as text, a line each: the code, a tab, the words."""
    return "".join(f"{term.code}\t{term.words}\n" for term in terms).encode()


def read_terms(content: bytes) -> tuple[IndexTerm, ...]:
    """Return the terms that `write_terms` wrote. Raises ValueError for anything else."""
    return tuple(IndexTerm(*line.split("\t")) for line in content.decode().splitlines())
