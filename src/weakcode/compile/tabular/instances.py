"""Rules whose instances come from the Tabular List: notes become edits that quote them, titles become edits by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Note
from weakcode.compile.dated import narrowed
from weakcode.compile.tabular.excludes import PairBlock, Sort, SortedBlock, at_two_sites, lines_of, sorted_blocks
from weakcode.compile.tabular.laterality import below, same_ending, sided
from weakcode.compile.tabular.notes import (
    LABELS,
    CodeFirst,
    code_first,
    holders,
    manifestation_codes,
    read_note,
    union,
)
from weakcode.findings import Source
from weakcode.rules.readings import CodesReading, bundled_readings
from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import Verb, Where


# Not frozen, though nobody changes one: tens of thousands are made, in a quarter of the time.
@attrs.define(unsafe_hash=True)
class Instance:
    """What one note asks, before it is joined with the rule that declares severity and message.

    `others` are place and quote of further notes that ask the same; a finding about an order cites those that reach
    its object. `cited` is what else is cited. With `first_listed`, it holds only where one of these codes is.
    """

    verb: Verb
    subject: CodeSet
    object: CodeSet = attrs.field(factory=CodeSet)
    where: Where = Where.ANYWHERE
    place: str = ""
    quote: str = ""
    listed: str = ""
    starts: date | None = None
    ends: date | None = None
    first_listed: CodeSet | None = None
    others: tuple[tuple[str, str], ...] = ()
    cited: tuple[Source, ...] = ()


def _quoted(note: Note, text: str | None = None) -> tuple[str, str]:
    if text is None:
        head, rest = note.lines[0].strip(), [line.strip() for line in note.lines[1:]]
        text = (
            " ".join([head, "; ".join(rest)]).strip() if head.endswith((":", "such as")) else "; ".join([head, *rest])
        )
    return f"{note.place}, {LABELS[note.kind]}", text.strip(" ,")


def _codes(readings: Iterable[CodesReading], edition: Edition) -> CodeSet:
    return CodeSet.joined(edition.codeset(one.codes) for one in readings)


def _excludes2(edition: Edition) -> Iterator[Instance]:
    for note, line, block in lines_of("excludes2", edition):
        place, quote = _quoted(note, line.text)
        yield Instance(Verb.FORBID, block.held, block.named, Where.ANYWHERE, place, quote)


def _forbidden(found: Iterable[SortedBlock]) -> Iterator[Instance]:
    """Yield an instance for each block of pairs; `listed` is the reason of its reading, or the second note."""
    for one in found:
        place, quote = _quoted(one.note, one.text)
        others: tuple[tuple[str, str], ...] = ()
        listed = one.why
        if one.second is not None:
            others = (_quoted(*one.second),)
            listed = f'the {LABELS["excludes2"]} note at {one.second[0].place} reads "{others[0][1]}"'
        yield Instance(
            Verb.FORBID,
            one.block.held,
            one.block.named,
            place=place,
            quote=quote,
            listed=listed,
            others=others,
            cited=one.cited,
        )


def _excludes1(sort: Sort) -> Callable[[Edition], Iterator[Instance]]:
    return lambda edition: _forbidden(one for one in sorted_blocks(edition) if one.sort is sort)


def _excludes1_other_site(edition: Edition) -> Iterator[Instance]:
    return _forbidden(at_two_sites(edition))


def _code_first_missing(edition: Edition) -> Iterator[Instance]:
    others = CodeSet([(0, edition.universe)]) - manifestation_codes(edition)
    alone = _codes(bundled_readings().stands_alone, edition)
    for note in edition.all_notes("code_first"):
        reading = code_first(note, edition)
        subject = holders(note, edition) - alone
        if reading.mandatory and subject:
            place, quote = _quoted(note)
            wanted = others | reading.listed if reading.open else reading.listed
            yield Instance(Verb.REQUIRE, subject, wanted, Where.BEFORE, place, quote)


def _code_first_orders(edition: Edition) -> Iterator[tuple[Note, CodeFirst, CodeSet, CodeSet]]:
    """Yield each code-first note that names codes, with its reading, the codes that it holds for and those named."""
    for note in edition.all_notes("code_first"):
        listed = union(read_note(note, edition))
        for also in (one.also for one in bundled_readings().conditional if one.place == note.place and one.also):
            listed |= edition.codeset(also)
        for reading in bundled_readings().not_listed:
            if reading.place == note.place:
                listed -= edition.codeset(reading.codes)
        subject = holders(note, edition)
        if listed and subject:
            yield note, code_first(note, edition), subject, listed


def _code_first_order(edition: Edition) -> Iterator[Instance]:
    """What a code-first note lists goes first, unless some of it stands there already.

    Where the list gives examples, a cause that is not among them may stand there; only a code at the head of the claim
    has none before it. A manifestation (Guidelines I.A.13) has no such freedom.
    """
    manifestations = manifestation_codes(edition)
    for note, reading, subject, listed in _code_first_orders(edition):
        free = subject - manifestations if reading.open else CodeSet()
        if subject - free:
            place, quote = _quoted(note)
            yield Instance(Verb.ORDER, subject - free, listed, Where.BEFORE, place, quote)
    for instance in _code_first_example(edition):
        yield attrs.evolve(instance, first_listed=instance.subject)


def _code_first_example(edition: Edition) -> Iterator[Instance]:
    """An example of a code-first note after the code, whatever stands before it.

    A code with a use-additional note that names the subject is as good as an example: a constipation by drugs before
    the code of the drug leaves nothing to put right.
    """
    by_use = _by_use(edition)
    for note, reading, subject, listed in _code_first_orders(edition):
        place, quote = _quoted(note)
        free = subject - manifestation_codes(edition) if reading.open else CodeSet()
        for named, bearers in by_use:
            if named & free:
                yield Instance(Verb.ORDER, named & free, listed | (bearers - free), Where.BEFORE, place, quote)
                free -= named
        if free:
            yield Instance(Verb.ORDER, free, listed, Where.BEFORE, place, quote)


def _open_ended(edition: Edition) -> CodeSet:
    """Return the codes with a code-first note that names codes and is open to others."""
    readings = ((note, code_first(note, edition)) for note in edition.all_notes("code_first"))
    return CodeSet.joined(holders(note, edition) for note, reading in readings if reading.listed and reading.open)


def _added(edition: Edition) -> CodeSet:
    """Return the codes that are never what the patient came for.

    Those that add to another, manifestations, and codes that a mandatory code-first note puts second.
    """
    noted = [note for note in edition.all_notes("code_first") if code_first(note, edition).mandatory]
    held = (holders(note, edition) for note in noted)
    return CodeSet.joined((_codes(bundled_readings().only_added, edition), manifestation_codes(edition), *held))


def _grouped(pairs: list[tuple[Note, CodeSet, CodeSet]]) -> Iterator[tuple[CodeSet, CodeSet, list[Note]]]:
    """Yield the codes that the same notes list, the codes with these notes, and the notes, nearest to a code first.

    The groups come in the order of the first notes that list them, and of their first codes.
    """
    bounds = sorted({bound for _, listed, _ in pairs for span in listed.spans for bound in span})
    place_of = {bound: place for place, bound in enumerate(bounds)}
    # Segments between bounds, in whose codes no note tells one from another: first seen, first yielded.
    members: dict[int, list[int]] = {}
    for number, (_, listed, _) in enumerate(pairs):
        for low, high in listed.spans:
            for place in range(place_of[low], place_of[high]):
                members.setdefault(place, []).append(number)
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for place, numbers in members.items():
        groups.setdefault(tuple(numbers), []).append((bounds[place], bounds[place + 1]))
    for noted, spans in groups.items():
        bearers = CodeSet.joined(pairs[number][2] for number in noted)
        yield CodeSet(spans), bearers, [pairs[number][0] for number in reversed(noted)]


@remembered
def _by_use(edition: Edition) -> list[tuple[CodeSet, CodeSet]]:
    """Return the added codes that the same use-additional notes list, and the codes with these notes."""
    added = _added(edition)
    notes = [(note, holders(note, edition)) for note in edition.all_notes("use_additional")]
    pairs = [(note, (union(read_note(note, edition)) & added) - bearers, bearers) for note, bearers in notes]
    return [(listed, bearers) for listed, bearers, _ in _grouped(pairs)]


def _use_additional_order(edition: Edition) -> Iterator[Instance]:
    """The code with the note goes first, so each code listed there is ordered behind it (Guidelines I.B.7).

    Only codes that are never what the patient came for. The codes of pregnancy go before everything that their notes
    list. A code that several notes list is in its place once it stands behind one code with such a note: the organism
    behind the first of two infections. What a code-first note with examples puts in order already is left to that note.
    """
    added, leading = _added(edition) - _open_ended(edition), _codes(bundled_readings().leading, edition)
    behind: list[tuple[Note, CodeSet, CodeSet]] = []
    in_pregnancy: list[tuple[Note, CodeSet, CodeSet]] = []
    for note in edition.all_notes("use_additional"):
        listed = union(read_note(note, edition))
        bearers = holders(note, edition)
        behind.append((note, (listed & added) - bearers, bearers))
        if bearers & leading:
            in_pregnancy.append((note, (listed - added) - bearers, bearers & leading))
    for pairs in (behind, in_pregnancy):
        for subject, bearers, notes in _grouped(pairs):
            (place, quote), *others = map(_quoted, notes)
            yield Instance(Verb.ORDER, subject, bearers - subject, Where.BEFORE, place, quote, others=tuple(others))


def _notes_of_kind(kind: str) -> Callable[[Edition], Iterator[Instance]]:
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
    """Categories and codes without their 7th character, also those that are codes on other days."""
    yield Instance(Verb.PRESENT, CodeSet.of([edition.header_id]))
    for number in range(len(edition.windows)):
        yield Instance(Verb.PRESENT, CodeSet.of([edition.retired_header_id(number)]))


def _not_valid_on_date(edition: Edition) -> Iterator[Instance]:
    """Codes that are billable on other days than that of the claim."""
    for number in range(len(edition.windows)):
        yield Instance(Verb.PRESENT, CodeSet.of([edition.retired_id(number)]))


def _excludes1_other_side(edition: Edition) -> Iterator[Instance]:
    """Excludes1 pairs of which one code is for the right and the other for the left."""
    pairs = sided(edition)
    right = below(tuple(one.right for one in pairs), edition)
    left = below(tuple(one.left for one in pairs), edition)
    for note, line, block in lines_of("excludes1", edition):
        place, quote = _quoted(note, line.text)
        for opposite in (PairBlock(right, left), PairBlock(left, right)):
            both = block & opposite
            if both:
                yield Instance(Verb.FORBID, both.held, both.named, Where.ANYWHERE, place, quote)


def _single(code_id: int) -> CodeSet:
    return CodeSet.between(code_id, code_id + 1)


def _right_and_left(edition: Edition) -> Iterator[Instance]:
    """Right and left of one condition that has a code for both; `listed` is that code."""
    for one in sided(edition):
        if one.both:
            both = dict(same_ending(one.right, one.both, edition))
            for right, left in same_ending(one.right, one.left, edition):
                if right in both:
                    listed = edition.code(both[right])
                    # On days on which there is no code for both, none can be asked for.
                    for starts, ends in edition.window(both[right]).intervals:
                        yield Instance(
                            Verb.FORBID,
                            _single(right),
                            _single(left),
                            Where.ANYWHERE,
                            listed=listed,
                            starts=starts,
                            ends=ends,
                        )


def _both_and_one_side(edition: Edition) -> Iterator[Instance]:
    for one in sided(edition):
        if one.both:
            for side in (one.right, one.left):
                for both, code in same_ending(one.both, side, edition):
                    yield Instance(Verb.FORBID, _single(both), _single(code))


def _open_and_known_side(edition: Edition) -> Iterator[Instance]:
    """An open side beside a code of the same condition that tells the side, whatever their 7th characters."""
    for one in sided(edition):
        if one.open:
            known = tuple(filter(None, (one.right, one.left, one.both)))
            yield Instance(Verb.FORBID, below(one.open, edition), below(known, edition))


KINDS: dict[str, Callable[[Edition], Iterator[Instance]]] = {
    "excludes1": _excludes1(Sort.FITS),
    "excludes1_wide": _excludes1(Sort.WIDE),
    "excludes1_and_2": _excludes1(Sort.BOTH),
    "excludes1_events": _excludes1(Sort.EVENTS),
    "excludes1_other_site": _excludes1_other_site,
    "excludes2": _excludes2,
    "manifestation": _manifestations,
    "code_first_missing": _code_first_missing,
    "code_first_order": _code_first_order,
    "code_first_example": _code_first_example,
    "use_additional_missing": _notes_of_kind("use_additional"),
    "use_additional_order": _use_additional_order,
    "code_also": _notes_of_kind("code_also"),
    "not_billable": _not_billable,
    "not_valid_on_date": _not_valid_on_date,
    "excludes1_other_side": _excludes1_other_side,
    "right_and_left": _right_and_left,
    "both_and_one_side": _both_and_one_side,
    "open_and_known_side": _open_and_known_side,
}


def note_edits(kind: str, model: Edit, edition: Edition) -> Iterator[Edit]:
    """Yield an edit for each instance of a kind. `model` carries rule, condition, message, fix and sources."""
    title = f"ICD-10-CM Tabular List ({edition.notes_name})"
    known: dict[tuple[str, str], Source] = {}
    shared: dict[Any, tuple[Source, ...]] = {}

    def cited(instance: Instance) -> tuple[Source, ...]:
        # Edits share what they cite: one note has many.
        quoted = []
        for at in ((instance.place, instance.quote), *instance.others) if instance.place else ():
            source = known.get(at)
            if source is None:
                source = known[at] = Source(title, at[0], at[1] or None)
            quoted.append(source)
        return (*quoted, *instance.cited, *model.sources)

    for instance in KINDS[kind](edition):
        condition = narrowed(model.condition, instance.starts, instance.ends)
        if instance.first_listed is not None:
            condition = attrs.evolve(condition or Condition(), first_listed=instance.first_listed)
        asked = (instance.place, instance.quote, instance.others, instance.cited)
        sources = shared.get(asked)
        if sources is None:
            sources = shared[asked] = cited(instance)
        yield Edit(
            model.rule,
            instance.verb,
            instance.subject,
            instance.object,
            instance.where,
            condition,
            model.terms,
            model.pointed,
            model.poa,
            model.message,
            instance.listed,
            model.fix,
            sources,
        )
