"""How notes of the Tabular List are read where their words are not enough: clinical judgement, as data.

The file is `rules/tabular-readings.yaml`. A note is named by its place and kind; its text is never in the file.
"""

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from weakcode.base.documented import doc
from weakcode.errors import NotationError, Problem, RuleFileError
from weakcode.rules.library import readings_file, sources_file
from weakcode.rules.load import in_order, publications_of, read_content
from weakcode.rules.model import Citation, Examples, Publication
from weakcode.rules.structure import file_fields, structure
from weakcode.rules.yamlmarks import Marked, Path, read

PLACE = "Where the note stands: a chapter, section, category or code, as the list writes it."
REASON = "Why it is read so, as half a sentence."
CITED = "Where that stands."
EXAMPLES = "Claims that the rule passes, and that it finds something on."


@attrs.frozen
class NoteReading:
    """A note that is read in another way than its words alone suggest."""

    place: str = doc(PLACE)
    reason: str = doc(REASON)
    sources: tuple[Citation, ...] = doc(CITED)
    examples: Examples = doc(EXAMPLES)
    also: str | None = doc("Codes that go before as those that the note lists do, as an expression.", default=None)


@attrs.frozen
class ListedCodes:
    """Codes inside a range that a note names, which the note does not mean."""

    place: str = doc(PLACE)
    codes: str = doc("A code expression.")
    reason: str = doc(REASON)
    sources: tuple[Citation, ...] = doc(CITED)
    examples: Examples = doc(EXAMPLES)


@attrs.frozen
class CodesReading:
    """Codes of which something holds, whatever note names them."""

    codes: str = doc("A code expression.")
    reason: str = doc(REASON)
    sources: tuple[Citation, ...] = doc(CITED)
    examples: Examples = doc(EXAMPLES)


@attrs.frozen
class Fit:
    """Pairs of codes that the words of a note fit; a key that is not there means all that the note has there."""

    held: str | None = doc("Of the codes that the note holds for.", default=None)
    named: str | None = doc("Of the codes that the note names.", default=None)


@attrs.frozen
class ExcludesReading:
    """Excludes1 notes whose words mean less than their reference, or may, as a coder reads them."""

    notes: tuple[str, ...] = doc("Place and reference of each, as the list writes them: K81 K80.-.")
    reason: str = doc(REASON)
    fits: tuple[Fit, ...] | None = doc(
        "The pairs that the words fit; without this key all, with an empty list none.", default=None
    )
    silent: bool = doc("Pairs that the words do not fit are not reported.", default=False)
    sources: tuple[Citation, ...] = doc("Where it is published that such a pair may stand.", default=())
    examples: Examples = doc(EXAMPLES, factory=Examples)

    @property
    def keys(self) -> tuple[str, ...]:
        """What distinguishes its notes from others."""
        return tuple(note_key(*_spelled(note).split(" ", 1)) for note in self.notes)


@attrs.frozen
class Apart:
    """Codes of which two are two things, whatever Excludes1 note keeps them apart."""

    codes: str = doc("A code expression; both codes of a pair are of it, or with `beside` one of them.")
    reason: str = doc(REASON)
    sources: tuple[Citation, ...] = doc(CITED)
    examples: Examples = doc(EXAMPLES)
    beside: str | None = doc("A code expression that the other code of a pair is of.", default=None)
    events: bool = doc("True: external causes, of which two may belong to two events.", default=False)


@attrs.frozen
class Site:
    """A site of the body, by codes, by the words of titles, or by both."""

    name: str = doc("The site.")
    codes: str | None = doc("A code expression.", default=None)
    titles: tuple[str, ...] = doc("Beginnings of words in the titles of its codes.", default=())


@attrs.frozen
class SiteGroup:
    """Sites that differ: two codes are apart where each has a site of the group and they share none."""

    group: str = doc("What the sites are parts of.")
    of: tuple[Site, ...] = doc("The sites.")
    reason: str = doc(REASON)
    sources: tuple[Citation, ...] = doc(CITED)
    examples: Examples = doc(EXAMPLES)
    within: str | None = doc("The codes whose titles are read.", default=None)


@attrs.frozen
class Readings:
    """How notes of the Tabular List are read where their words are not enough."""

    title: str = doc("What the file is about.")
    conditional: tuple[NoteReading, ...] = doc(
        "Code-first notes with mandatory words that hold for a part of their codes only.", default=()
    )
    stands_alone: tuple[CodesReading, ...] = doc(
        "Codes below a mandatory code-first note that can stand without what it asks for.", default=()
    )
    not_listed: tuple[ListedCodes, ...] = doc(
        "Codes inside the range of a code-first note that are not what it gives the range as an example of.", default=()
    )
    only_added: tuple[CodesReading, ...] = doc(
        "Codes that say more about another and are never what the patient came for.", default=()
    )
    leading: tuple[CodesReading, ...] = doc("Codes that go before any other of the claim.", default=())
    apart: tuple[Apart, ...] = doc("Codes of which two are two things, whatever note keeps them apart.", default=())
    sites: tuple[SiteGroup, ...] = doc("Sites that have names of their own.", default=())
    excludes1: tuple[ExcludesReading, ...] = doc("Excludes1 notes with a qualified reference.", default=())
    _excludes1: dict[str, ExcludesReading] = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        read = {key: one for one in self.excludes1 for key in one.keys}
        object.__setattr__(self, "_excludes1", read)

    def excludes1_at(self, key: str) -> ExcludesReading | None:
        """Return how the Excludes1 notes of a place and reference are read, None where no reading says."""
        return self._excludes1.get(key)

    def conditional_at(self, place: str) -> str | None:
        """Return why the code-first notes at a place are conditional, None where no reading says so."""
        return next((one.reason for one in self.conditional if one.place == place), None)


def _spelled(note: str) -> str:
    """Return place and reference with a single blank between them, whatever the place: `Chapter 4 P70-P74`."""
    chapter = re.match(r"Chapter \d+", note)
    return note.replace(chapter[0], chapter[0].replace(" ", "_"), 1) if chapter else note


def note_key(place: str, reference: str = "") -> str:
    """Return the key of a note line: its place and its reference, without what may end a reference."""
    return f"{place.replace(' ', '_')} {' '.join(reference.split()).rstrip('-., ')}"


@cache
def bundled_publications() -> dict[str, Publication]:
    """Return the publications that readings cite, by key."""
    return publications_of(sources_file(readings_file())).sources


@cache
def bundled_readings() -> Readings:
    """Return the readings that weakcode ships."""
    return load_readings(readings_file())


def load_readings(path: pathlib.Path) -> Readings:
    """Load a file of readings. Raises RuleFileError with all its problems."""
    marked = read(read_content(path, str(path)), str(path))
    readings, problems = structure(marked, Readings)
    if readings is not None:
        problems += _problems(readings, marked, tuple(publications_of(sources_file(path)).sources))
    if problems or readings is None:
        raise RuleFileError(in_order(problems))
    checked: Readings = readings
    return checked


def _problems(readings: Readings, marked: Marked, known: tuple[str, ...]) -> Iterator[Problem]:
    for field in file_fields(Readings)[1:]:
        for index, entry in enumerate(getattr(readings, field.name)):
            path = (field.name, index)
            for number, citation in enumerate(entry.sources):
                if citation.source not in known:
                    message = f'"{citation.source}" is not in _sources.yaml; there are {", ".join(known)}'
                    yield marked.problem((*path, "sources", number, "source"), message)
            # An Excludes1 note is its own source, and where the words fit the whole reference nothing passes.
            if not entry.sources and not isinstance(entry, ExcludesReading):
                yield marked.problem((*path, "sources"), "cite at least one source", key=True)
            if not entry.examples.passing and getattr(entry, "fits", ()) is not None:
                yield marked.problem((*path, "examples"), "give an example under pass", key=True)
            yield from _expressions(entry, path, marked)


def _expressions(entry: Any, path: Path, marked: Marked) -> Iterator[Problem]:
    from weakcode.codes.expression.parsing import parse

    places = [((*path, key), getattr(entry, key, None)) for key in ("codes", "beside", "within")]
    for key in ("fits", "of"):
        for number, part in enumerate(getattr(entry, key, None) or ()):
            places += [((*path, key, number, name), getattr(part, name, None)) for name in ("held", "named", "codes")]
    for place, text in places:
        try:
            parse(text or "any")
        except NotationError as error:
            yield marked.problem(place, f'"{place[-1]}": {str(error).rstrip(".")}', column=error.column)
