"""Excludes1 notes by their words: the pairs of codes that the words fit, and the pairs that only the reference holds.

A note keeps every code that it holds for from every code that it names. The readings in `rules/tabular-readings.yaml`
say where its words mean fewer. Every pair that a note keeps apart has one sort here, so that nothing is lost:

- `FITS`: the words fit both codes, or no reading says that they mean fewer;
- `WIDE`: the reference holds the pair, the words do not;
- `BOTH`: an Excludes2 note that is as near to the pair speaks of it too, so the two may be coded together;
- `EVENTS`: two external causes, which two events may have.

Pairs at two sites that have names of their own (`at_two_sites`) are found beside that.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

import attrs

from weakcode.base.remembered import remembered
from weakcode.codes._codeset import Touching
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition, Note
from weakcode.compile.tabular.notes import ResolvedLine, holders, read_note
from weakcode.compile.tabular.sites import sites
from weakcode.findings import Source
from weakcode.rules.readings import Apart, ExcludesReading, bundled_publications, bundled_readings, note_key


class Sort(enum.Enum):
    """How the words of an Excludes1 note take a pair of codes."""

    FITS = "fits"
    WIDE = "wide"
    BOTH = "both"
    EVENTS = "events"


# Not frozen, though nobody changes one: tens of thousands are made, in a quarter of the time.
@attrs.define(unsafe_hash=True)
class PairBlock:
    """Every code of `held` with every code of `named`."""

    held: CodeSet
    named: CodeSet

    def __bool__(self) -> bool:
        return bool(self.held) and bool(self.named)

    def __and__(self, other: PairBlock) -> PairBlock:
        held = self.held & other.held
        return PairBlock(held, self.named & other.named) if held else NOTHING

    def without(self, other: PairBlock) -> tuple[PairBlock, ...]:
        """Return the pairs of this block that are not in the other, as blocks that share no pair."""
        common = self.held & other.held
        parts = (PairBlock(self.held - common, self.named), PairBlock(common, self.named - other.named))
        return tuple(part for part in parts if part)

    def within(self, other: PairBlock) -> bool:
        """Whether every pair is one of the other block, and the other has more."""
        return not self.held - other.held and not self.named - other.named and self != other

    def turned(self) -> PairBlock:
        """Return the same pairs with the two sides exchanged."""
        return PairBlock(self.named, self.held)


NOTHING = PairBlock(CodeSet(), CodeSet())


# Not frozen, though nobody changes one: thousands are made, in a quarter of the time.
@attrs.define(unsafe_hash=True)
class SortedBlock:
    """A block of pairs of one note, with its sort.

    `why` is the reading's reason, `second` the Excludes2 note that speaks of the pairs too, `cited` what a reading
    cites; `picked` tells that a reading picked these pairs out of the note's as those that the words fit.
    """

    note: Note
    text: str
    sort: Sort
    block: PairBlock
    why: str = ""
    second: tuple[Note, str] | None = None
    cited: tuple[Source, ...] = ()
    picked: bool = False

    def of_block(self, block: PairBlock) -> SortedBlock:
        """Return some of its pairs, taken the same."""
        return SortedBlock(self.note, self.text, self.sort, block, self.why, self.second, self.cited, self.picked)

    def of_both(self, block: PairBlock, second: tuple[Note, str]) -> SortedBlock:
        """Return some of its pairs, of which an Excludes2 note speaks too."""
        return SortedBlock(self.note, self.text, Sort.BOTH, block, self.why, second, self.cited, self.picked)


def _without(blocks: Iterable[PairBlock], other: PairBlock) -> list[PairBlock]:
    return [part for block in blocks for part in block.without(other)]


@remembered
def lines_of(kind: str, edition: Edition) -> tuple[tuple[Note, ResolvedLine, PairBlock], ...]:
    """Return every line of the notes of a kind that names codes, with its pairs.

    A code that the line names as well as holds for is not kept from the others that it names.
    """
    found = []
    for note in edition.all_notes(kind):
        held = holders(note, edition)
        for line in read_note(note, edition):
            block = PairBlock(held - line.codes, line.codes)
            if block:
                found.append((note, line, block))
    return tuple(found)


_SIDES = ("held", "named")


class _Excludes2:
    """The lines of all Excludes2 notes, to be asked for those that speak of the pairs of a block."""

    def __init__(self, edition: Edition) -> None:
        # A chapter's note tells which conditions have chapters of their own, not which pairs may stand.
        lines = lines_of("excludes2", edition)
        self._lines = [one for one in lines if not one[0].place.startswith("Chapter")]
        self._held, self._named = (Touching(getattr(block, side) for _, _, block in self._lines) for side in _SIDES)

    def about(self, block: PairBlock, whole: PairBlock) -> Iterator[tuple[Note, str, PairBlock]]:
        """Yield the lines about pairs of the block, but those wider than the whole note: the nearer note counts."""
        for of_note, of_reference, is_reversed in ((block.held, block.named, False), (block.named, block.held, True)):
            for number in self._held.both(of_note, self._named, of_reference):
                note, line, pairs = self._lines[number]
                pairs = pairs.turned() if is_reversed else pairs
                if not whole.within(pairs) and block & pairs:
                    yield note, line.text, pairs


def _fitting(reading: ExcludesReading, block: PairBlock, edition: Edition) -> list[PairBlock]:
    """Return the pairs of a block that the words of its note fit."""
    if reading.fits is None:
        return [block]
    fits = []
    for one in reading.fits:
        held = block.held & edition.codeset(one.held) if one.held else block.held
        named = block.named & edition.codeset(one.named) if one.named else block.named
        fits.append(PairBlock(held, named))
    return [one for one in fits if one]


@remembered
def _apart(edition: Edition) -> tuple[tuple[Apart, PairBlock], ...]:
    """Return the readings of codes of which two are two things, each with their pairs."""
    found: list[tuple[Apart, PairBlock]] = []
    for one in bundled_readings().apart:
        codes = edition.codeset(one.codes)
        pairs = PairBlock(codes, edition.codeset(one.beside) if one.beside else codes)
        found.extend((one, block) for block in dict.fromkeys((pairs, pairs.turned())))
    return tuple(found)


@remembered
def _apart_of(held: CodeSet, edition: Edition) -> tuple[tuple[Apart, PairBlock], ...]:
    """Return those readings that speak of some codes, which many lines of a note hold for."""
    return tuple((one, pairs) for one, pairs in _apart(edition) if held & pairs.held)


def _read(note: Note, line: ResolvedLine, block: PairBlock, edition: Edition) -> Iterator[SortedBlock]:
    """Yield the pairs of a line as the readings take them, before Excludes2 notes are looked at."""
    readings = bundled_readings()
    rest = [block]
    for apart, pairs in _apart_of(block.held, edition):
        for both in [both for part in rest if (both := part & pairs)]:
            rest = _without(rest, both)
            sort = Sort.EVENTS if apart.events else Sort.WIDE
            yield SortedBlock(note, line.text, sort, both, apart.reason)
    reading = next(filter(None, (readings.excludes1_at(note_key(note.place, one)) for one in line.references)), None)
    if reading is None:
        yield from (SortedBlock(note, line.text, Sort.FITS, one) for one in rest)
        return
    for fitting in (one & part for one in _fitting(reading, block, edition) for part in list(rest)):
        if fitting:
            rest = _without(rest, fitting)
            yield SortedBlock(note, line.text, Sort.FITS, fitting, reading.reason, picked=reading.fits is not None)
    if not reading.silent:
        cited = tuple(Source(bundled_publications()[one.source].title, one.at) for one in reading.sources)
        yield from (SortedBlock(note, line.text, Sort.WIDE, one, reading.reason, cited=cited) for one in rest)


@remembered
def sorted_blocks(edition: Edition) -> tuple[SortedBlock, ...]:
    """Return every pair that an Excludes1 note keeps apart, in blocks of one sort, in the order of the list."""
    others = _Excludes2(edition)
    found: list[SortedBlock] = []
    lines = [(block, list(_read(note, line, block, edition))) for note, line, block in lines_of("excludes1", edition)]
    for block, read in lines:
        for one in read:
            # What a reading picked by the words is not put in doubt by another note.
            if one.picked or one.sort is Sort.EVENTS:
                found.append(one)
                continue
            rest = [one.block]
            for second, text, pairs in others.about(one.block, block):
                parts = [both for part in rest if (both := part & pairs)]
                found.extend(one.of_both(both, (second, text)) for both in parts)
                rest = _without(rest, pairs)
            found.extend(one.of_block(part) for part in rest)
    return tuple(found)


def at_two_sites(edition: Edition) -> Iterator[SortedBlock]:
    """Yield the pairs of Excludes1 notes of which each code is of another site, by the sites of the readings."""
    groups = sites(edition)
    for note, line, block in lines_of("excludes1", edition):
        for group in groups:
            if not (block.held & group.codes and block.named & group.codes):
                continue
            for held, elsewhere in group.pairs:
                pairs = block & PairBlock(held, elsewhere)
                if pairs:
                    yield SortedBlock(note, line.text, Sort.WIDE, pairs)
