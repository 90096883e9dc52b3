"""Rules whose instances come from the Tabular List: each note becomes edits that quote it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Note
from weakcode.compile.edits import Condition, Edit, Verb, Where
from weakcode.compile.notes import (
    ADDED_ONLY,
    LABELS,
    LEADING,
    NOT_MEANT,
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
    object: CodeSet = attrs.field(factory=CodeSet)
    where: Where = Where.ANYWHERE
    place: str = ""
    quote: str = ""
    listed: str = ""
    starts: date | None = None
    ends: date | None = None


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
    not_meant = CodeSet()
    for code in NOT_MEANT:
        not_meant |= edition.billable_below(code)
    for note in edition.all_notes("code_first"):
        lines = read_note(note, edition)
        reading = classify(note, lines, edition)
        subject = holders(note, edition) - not_meant
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
    """The code with the note goes first, so each code listed there is ordered behind it (Guidelines I.B.7).

    Only codes that are never what the patient came for: those that add to another, manifestations, and codes that a
    mandatory code-first note puts second. The codes of pregnancy go before everything that their notes list.
    """
    added = edition.codeset(ADDED_ONLY) | manifestation_codes(edition)
    for note in edition.all_notes("code_first"):
        if classify(note, read_note(note, edition), edition).mandatory:
            added |= holders(note, edition)
    leading = edition.codeset(LEADING)
    for note in edition.all_notes("use_additional"):
        listed = union(read_note(note, edition))
        bearers = holders(note, edition)
        place, quote = _quoted(note)
        if listed & added and bearers:
            yield Instance(Verb.ORDER, (listed & added) - bearers, bearers, Where.BEFORE, place, quote)
        if (listed - added) - bearers and bearers & leading:
            behind = (listed - added) - bearers
            yield Instance(Verb.ORDER, behind, bearers & leading, Where.BEFORE, place, quote)


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


def _not_billable(edition: Edition) -> Iterator[Instance]:
    """Categories and codes without their 7th character; what was billable once, on the days since it is not."""
    yield Instance(Verb.PRESENT, CodeSet.of([edition.header_id]))
    for number, window in enumerate(edition.windows):
        for starts, ends in window.gaps:
            subject = CodeSet.of([edition.retired_header_id(number)])
            yield Instance(Verb.PRESENT, subject, listed=str(window), starts=starts, ends=ends)


def _not_valid_on_date(edition: Edition) -> Iterator[Instance]:
    """Codes that other days have, on the days that do not have them.

    Also codes of this edition, since it judges claims of days on which no edition at hand was in force. The editions at
    hand alone do not tell that: a code that one of them lacks may have come on any day since.
    """
    present = edition.codes_by_window()
    for number, window in enumerate(edition.windows):
        subject = CodeSet.of([edition.retired_id(number)])
        if window.firm:
            subject |= present.get(number, CodeSet())
        for starts, ends in window.gaps:
            yield Instance(Verb.PRESENT, subject, listed=str(window), starts=starts, ends=ends)


KINDS: dict[str, Callable[[Edition], Iterator[Instance]]] = {
    "excludes1": _excludes("excludes1"),
    "excludes2": _excludes("excludes2"),
    "manifestation": _manifestations,
    "code_first_missing": _code_first_missing,
    "code_first_order": _code_first_order,
    "use_additional_missing": _wanted("use_additional"),
    "use_additional_order": _use_additional_order,
    "code_also": _wanted("code_also"),
    "not_billable": _not_billable,
    "not_valid_on_date": _not_valid_on_date,
}


def note_edits(kind: str, model: Edit, edition: Edition) -> Iterator[Edit]:
    """Yield an edit for each instance of a kind. `model` carries rule, condition, message, fix and sources."""
    title = f"ICD-10-CM Tabular List ({edition.name})"
    for instance in KINDS[kind](edition):
        quoted = (Source(title, instance.place, instance.quote or None),) if instance.place else ()
        yield attrs.evolve(
            model,
            verb=instance.verb,
            subject=instance.subject,
            object=instance.object,
            where=instance.where,
            listed=instance.listed,
            condition=_narrowed(model.condition, instance),
            sources=(*quoted, *model.sources),
        )


def _narrowed(condition: Condition | None, instance: Instance) -> Condition | None:
    if instance.starts is None and instance.ends is None:
        return condition
    condition = condition or Condition()
    starts = max((day for day in (condition.starts, instance.starts) if day), default=None)
    ends = min((day for day in (condition.ends, instance.ends) if day), default=None)
    return attrs.evolve(condition, starts=starts, ends=ends)
