"""What a reader must know of a judgement itself: days whose codes or notes are not at hand, unknown facts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from weakcode._version import __version__
from weakcode.codes.edition import Edition
from weakcode.errors import UnknownNameError, did_you_mean
from weakcode.findings import OTHER_NOTES, notes_are_of
from weakcode.rules.library import bundled_facts


def about_edition(day: dt.date, edition: Edition) -> tuple[str, ...]:
    """Return a notice where the codes that judge a claim are not known to be in force on its day."""
    if edition.starts <= day <= edition.ends:
        return ()
    if day > edition.ends:
        return (
            f"codes are known until {edition.last_day}; {day} was judged by those of {edition.name}, the last known",
        )
    return (f"no codes are known for {day}; judged by those of {edition.name}, in force from {edition.starts}",)


def about_notes(day: dt.date, edition: Edition) -> tuple[str, ...]:
    """Return a notice where the notes that judge a claim are of a Tabular List that is not in force on its day."""
    if edition.notes_from <= day <= edition.notes_to:
        return ()
    return (notes_are_of(edition.notes_name, edition.name),)


def notes_were_of(notes: str) -> str:
    """Return the sentence for a run whose claims are of days on which a Tabular List was not in force."""
    return f"claims of days without an installed Tabular List were judged by the notes of {notes}; {OTHER_NOTES}"


def check_facts(documented: Iterable[str], known: Sequence[str]) -> None:
    """Raise UnknownNameError for a documented fact that neither these packs nor those that come with weakcode know."""
    for fact in sorted(documented):
        if fact not in known and fact not in bundled_facts():
            there = f"the packs know {', '.join(known)}" if known else "the chosen packs ask for none"
            hint = did_you_mean(fact, known)
            # What is nearly a fact is a typo; anything else may be about a person.
            if hint:
                raise UnknownNameError(f'the fact "{fact}" is unknown{hint}; {there}')
            raise UnknownNameError.about(f"the fact {{value}} is unknown; {there}", fact)


def judged_by(edition: str, engine: str, packs: Sequence[str]) -> str:
    """Return the sentence on what judged, from which a finding can be made again."""
    return f"Judged by ICD-10-CM {edition}, packs {', '.join(packs)}, {engine} engine, weakcode {__version__}."


def judgement(edition: str, engine: str, packs: Sequence[str], notices: Iterable[str]) -> list[str]:
    """Return what judged, and each notice about it, as sentences."""
    return [judged_by(edition, engine, packs), *(f"Note: {notice}." for notice in notices)]
