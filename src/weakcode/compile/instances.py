"""Rules whose instances come from the Tabular List: each note becomes edits that quote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Note
from weakcode.compile.edits import Edit, Verb, Where
from weakcode.compile.notes import (
    LABELS,
    classify,
    holders,
    manifestation_codes,
    read_note,
    union,
)
from weakcode.findings import Source


@attrs.frozen
class Instance:
    """What one note asks, before it is joined with the rule that declares severity and message."""

    verb: Verb
    subject: CodeSet
    object: CodeSet
    where: Where
    place: str
    quote: str


def _quoted(note: Note, text: str | None = None) -> tuple[str, str]:
    if text is None:
        head, rest = note.lines[0].strip(), [line.strip() for line in note.lines[1:]]
        text = (
            " ".join([head, "; ".join(rest)]).strip() if head.endswith((":", "such as")) else "; ".join([head, *rest])
        )
    return f"{note.place}, {LABELS[note.kind]}", text.strip(" ,")


def _excludes(kind: str) -> Callable[[Edition], Iterator[Instance]]:
    def instances(edition: Edition) -> Iterator[Instance]:
        for note in edition.all_notes(kind):
            subject = holders(note, edition)
            for line in read_note(note, edition):
                if line.codes and subject:
                    place, quote = _quoted(note, line.text)
                    yield Instance(Verb.FORBID, subject, line.codes, Where.ANYWHERE, place, quote)

    return instances


def _code_first_missing(edition: Edition) -> Iterator[Instance]:
    others = CodeSet([(0, edition.universe)]) - manifestation_codes(edition)
    for note in edition.all_notes("code_first"):
        lines = read_note(note, edition)
        reading = classify(note, lines, edition)
        subject = holders(note, edition)
        if reading.mandatory and subject:
            place, quote = _quoted(note)
            wanted = others | reading.listed if reading.open else reading.listed
            yield Instance(Verb.REQUIRE, subject, wanted, Where.BEFORE, place, quote)


def _code_first_order(edition: Edition) -> Iterator[Instance]:
    for note in edition.all_notes("code_first"):
        listed = union(read_note(note, edition))
        subject = holders(note, edition)
        if listed and subject:
            place, quote = _quoted(note)
            yield Instance(Verb.ORDER, subject, listed, Where.BEFORE, place, quote)


def _use_additional_order(edition: Edition) -> Iterator[Instance]:
    """The code with the note goes first, so each code listed there is ordered behind it (Guidelines I.B.7)."""
    for note in edition.all_notes("use_additional"):
        listed = union(read_note(note, edition))
        bearers = holders(note, edition)
        if listed and bearers:
            place, quote = _quoted(note)
            yield Instance(Verb.ORDER, listed - bearers, bearers, Where.BEFORE, place, quote)


def _wanted(kind: str) -> Callable[[Edition], Iterator[Instance]]:
    def instances(edition: Edition) -> Iterator[Instance]:
        for note in edition.all_notes(kind):
            listed = union(read_note(note, edition))
            subject = holders(note, edition)
            if listed and subject:
                place, quote = _quoted(note)
                yield Instance(Verb.REQUIRE, subject, listed, Where.ANYWHERE, place, quote)

    return instances


def _manifestations(edition: Edition) -> Iterator[Instance]:
    place = 'convention of titles in "diseases classified elsewhere"'
    yield Instance(Verb.SECONDARY, manifestation_codes(edition), CodeSet(), Where.ANYWHERE, place, "")


KINDS: dict[str, Callable[[Edition], Iterator[Instance]]] = {
    "excludes1": _excludes("excludes1"),
    "excludes2": _excludes("excludes2"),
    "manifestation": _manifestations,
    "code_first_missing": _code_first_missing,
    "code_first_order": _code_first_order,
    "use_additional_missing": _wanted("use_additional"),
    "use_additional_order": _use_additional_order,
    "code_also": _wanted("code_also"),
}


def note_edits(kind: str, model: Edit, edition: Edition) -> Iterator[Edit]:
    """Yield an edit for each instance of a kind. `model` carries rule, condition, message, fix and sources."""
    title = f"ICD-10-CM Tabular List ({edition.name})"
    for instance in KINDS[kind](edition):
        quoted = Source(title, instance.place, instance.quote or None)
        yield attrs.evolve(
            model,
            verb=instance.verb,
            subject=instance.subject,
            object=instance.object,
            where=instance.where,
            sources=(quoted, *model.sources),
        )
