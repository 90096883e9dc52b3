"""What a reader must know of a judgement itself: packs that were not evaluated, a date outside all editions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weakcode.claims import Claim
from weakcode.codes.edition import Edition
from weakcode.errors import MissingExtraError, UnknownNameError, did_you_mean
from weakcode.rules.library import EXTRAS, Selected, missing_extra, pack_name, read_bytes


def without_missing_extras(selected: list[Selected], *, chosen: bool) -> tuple[list[Selected], tuple[str, ...]]:
    """Return the files that can be evaluated, and a notice for each that cannot because its extra is missing.

    Raises MissingExtraError for a pack that was asked for by name.
    """
    kept, notices = [], []
    for one in selected:
        content = read_bytes(one.path)
        extra = missing_extra(content)
        if extra is None:
            kept.append(one)
            continue
        name = pack_name(content) or one.path.stem
        if chosen:
            raise MissingExtraError(f'the rules of the pack "{name}"', extra=extra, needs=EXTRAS[extra])
        notices.append(f'the pack "{name}" was not evaluated: it needs the extra weakcode[{extra}] ({EXTRAS[extra]})')
    return kept, tuple(notices)


def about_edition(claim: Claim, edition: Edition) -> tuple[str, ...]:
    """Return a notice where the edition that judges a claim was not in force on its service date."""
    date = claim.service_date
    if date is None or edition.starts <= date <= edition.ends:
        return ()
    return (
        (
            f"no installed edition was in force on {date}; judged by {edition.name}, "
            f"in force from {edition.starts} to {edition.ends}"
        ),
    )


def check_facts(documented: Iterable[str], known: Sequence[str]) -> None:
    """Raise UnknownNameError for a documented fact that the packs do not know."""
    for fact in sorted(documented):
        if fact not in known:
            there = f"the packs know {', '.join(known)}" if known else "the chosen packs ask for none"
            raise UnknownNameError(f'the fact "{fact}" is unknown{did_you_mean(fact, known)}; {there}')
