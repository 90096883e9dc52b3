"""How notes of the Tabular List are read where their words alone do not tell it: clinical judgement, as data.

The file is `rules/tabular-readings.yaml`. A note is named by its place and kind; its text is never in the file.
"""

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs

from weakcode.errors import NotationError, Problem, RuleFileError
from weakcode.rules.library import readings_file, sources_file
from weakcode.rules.load import in_order, publications_of, read_content
from weakcode.rules.model import Citation, Examples, doc
from weakcode.rules.structure import structure
from weakcode.rules.yamlmarks import Marked, read

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
class Readings:
    """How notes of the Tabular List are read where their words alone do not tell it."""

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

    def conditional_at(self, place: str) -> str | None:
        """Return why the code-first notes at a place are conditional, None where no reading says so."""
        return next((one.reason for one in self.conditional if one.place == place), None)


@cache
def bundled_readings() -> Readings:
    """Return the readings that weakcode ships."""
    return load_readings(readings_file())


def load_readings(path: Path) -> Readings:
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
    from weakcode.codes.expressions import parse

    for field in attrs.fields(Readings)[1:]:
        for index, entry in enumerate(getattr(readings, field.name)):
            path = (field.name, index)
            for number, citation in enumerate(entry.sources):
                if citation.source not in known:
                    message = f'"{citation.source}" is not in _sources.yaml; there are {", ".join(known)}'
                    yield marked.problem((*path, "sources", number, "source"), message)
            if not entry.sources:
                yield marked.problem((*path, "sources"), "cite at least one source", key=True)
            if not entry.examples.passing:
                yield marked.problem((*path, "examples"), "give an example under pass", key=True)
            try:
                parse(getattr(entry, "codes", "any"))
            except NotationError as error:
                yield marked.problem((*path, "codes"), f'"codes": {str(error).rstrip(".")}', column=error.column)
