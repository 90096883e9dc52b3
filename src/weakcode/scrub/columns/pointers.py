"""The service lines of a batch: where they point, as columns, and the hits that they decide."""

from __future__ import annotations

from itertools import groupby

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.claims import ServiceLine, parse_lines
from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.judging import CodedRows, only_one
from weakcode.scrub.columns.arrow import filled, numbers, valid
from weakcode.scrub.columns.lines import refuse_values
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.pointers import (
    FIRST,
    NEVER,
    OF_LINES,
    OFF_CLAIM,
    WITHOUT_POINTER,
    PointedLine,
    Pointers,
    lines_about,
    pointed_positions,
)
from weakcode.semantics.verbs import FORMS

PART = "\x1f"
"""Between the documented term of a finding and the lines that it names."""

Bools = NDArray[np.bool_]
Hits = NDArray[np.int32]


@attrs.frozen(eq=False)
class LineColumn:
    """The pointers of all lines, one by one: its row, where it goes, and whether it `leads`, being its line's first.

    `partial` are the rows of which some line has only its main pointer, `bare` those of which one has none.
    """

    column: pa.Array
    row: NDArray[np.int64]
    pointers: NDArray[np.int64]
    leads: Bools
    partial: NDArray[np.int64]
    bare: NDArray[np.int64]

    @classmethod
    def of(cls, column: pa.Array | None, bad: Bools) -> LineColumn | None:
        """Read a column of lists of lines: each a list of pointers, or a struct that has one.

        Rows with something else become bad. None where no line of the batch has a pointer.
        """
        if column is None or pa.types.is_null(column.type):
            return None
        lines = _flat(column, np.arange(len(column)), bad)
        if lines is None:
            return None
        lists, row_of_line = lines
        partial = np.empty(0, np.int64)
        if pa.types.is_struct(lists.type):
            bad[row_of_line[~valid(lists)]] = True
            refuse_values(lists, row_of_line, bad)
            partial = _partial(lists, row_of_line, bad)
            if lists.type.get_field_index("pointers") < 0:
                return None
            lists = pc.struct_field(lists, "pointers")
        elif lists.null_count:
            bad[row_of_line[~valid(lists)]] = True
        if pa.types.is_null(lists.type):
            return None
        values = _flat(lists, row_of_line, bad)
        if values is None or not len(values[0]):
            return None
        flat, row = values
        if not pa.types.is_integer(flat.type):
            bad[row] = True
            return None
        known = valid(flat)
        pointers = filled(flat, 0).astype(np.int64)
        bad[row[~known | (pointers < 1)]] = True
        lengths = filled(pc.list_value_length(lists), 0).astype(np.int64)
        leads = np.zeros(len(pointers), np.bool_)
        leads[(np.cumsum(lengths) - lengths)[lengths > 0]] = True
        return cls(column, row, pointers, leads, partial, _distinct(row_of_line[lengths == 0], len(column)))

    def of_rows(self, rows: NDArray[np.int64]) -> dict[int, list[PointedLine]]:
        """Return number and pointers of the lines of some rows, by row; nothing else of them is read.

        Rows whose lines are the same have one list of them.
        """
        lengths = filled(pc.list_value_length(self.column), 0).astype(np.int64)
        ends, flat = np.cumsum(lengths)[rows], self.column.flatten()
        counts = lengths[rows]
        behind = np.cumsum(counts)
        wanted = numbers(np.arange(counts.sum()) + np.repeat(ends - behind, counts))
        is_struct = pa.types.is_struct(flat.type)
        pointers = (pc.struct_field(flat, "pointers") if is_struct else flat).take(wanted).to_pylist()
        named: list[int | None] = [None] * len(pointers)
        if is_struct and flat.type.get_field_index("number") >= 0:
            named = pc.struct_field(flat, "number").take(wanted).to_pylist()
        lines = list(zip(named, map(tuple, (to or () for to in pointers)), strict=True))
        found: dict[int, list[PointedLine]] = {}
        known: dict[tuple[tuple[int | None, tuple[int, ...]], ...], list[PointedLine]] = {}
        for row, end, count in zip(rows.tolist(), behind.tolist(), counts.tolist(), strict=True):
            row_lines = tuple(lines[end - count : end])
            of_row = known.get(row_lines)
            if of_row is None:
                of_row = known[row_lines] = [
                    PointedLine(place if number is None else number, to)
                    for place, (number, to) in enumerate(row_lines, start=1)
                ]
            found[row] = of_row
        return found

    def whole(self, row: int) -> tuple[ServiceLine, ...]:
        """Return the lines of a row with all that they say."""
        return parse_lines(self.column[row].as_py())

    def with_pointers(self, rows: int) -> Bools:
        """Tell of each of so many rows whether it has a pointer."""
        with_pointers = np.zeros(rows, np.bool_)
        with_pointers[self.row] = True
        return with_pointers

    def seen(self, coded: CodedRows, edition: Edition) -> LinesSeen:
        """Return what the lines say of the codes, which are those of an edition."""
        rows, size = len(coded.bounds) - 1, len(coded.tokens)
        with_pointers, faults = self.with_pointers(rows), np.zeros(rows, np.uint8)
        in_claim = (self.pointers <= np.diff(coded.bounds)[self.row]) & (self.pointers > 0)
        faults[self.row[~in_claim]] = OFF_CLAIM
        faults[self.bare] |= WITHOUT_POINTER
        places = np.arange(size)
        row_of = np.repeat(np.arange(rows), np.diff(coded.bounds))
        some = np.flatnonzero(with_pointers[row_of])
        # A pointer to a code that stands again is one to its first place.
        low = int(coded.tokens.min(initial=0))
        factor = int(coded.tokens.max(initial=0)) - low + 1
        spelled = row_of[some] * factor + coded.tokens[some] - low
        ordered = np.sort(spelled)
        twice = np.zeros(rows, np.bool_)
        twice[ordered[1:][ordered[1:] == ordered[:-1]] // factor] = True
        if twice.any():
            of_twice = twice[row_of[some]]
            some, spelled = some[of_twice], spelled[of_twice]
            _, first_of, again = np.unique(spelled, return_index=True, return_inverse=True)
            places[some] = some[first_of[again.reshape(-1)]]
        target = places[coded.bounds[self.row[in_claim]] + self.pointers[in_claim] - 1]
        first, pointed = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
        pointed[target] = True
        first[target[self.leads[in_claim]]] = True
        if len(self.partial):
            pointed |= np.isin(row_of, self.partial)
        unlisted = np.fromiter(map(edition.code_id, coded.unlisted), np.int64, len(coded.unlisted))
        size = edition.size
        ids = coded.tokens.astype(np.int64)
        ids[ids >= size] = unlisted[ids[ids >= size] - size]
        return LinesSeen(self, coded, with_pointers, faults, first, ~pointed, ids)


@attrs.frozen(eq=False)
class LinesSeen:
    """What the lines say. By row: some line has a pointer (`with_pointers`), what is wrong with them (`faults`).

    By code, at its first place on the claim: some line points to it `first`, or none `never`, as far as is known. `ids`
    are the numbers of the codes.
    """

    lines: LineColumn
    coded: CodedRows
    with_pointers: Bools
    faults: NDArray[np.uint8]
    first: Bools
    never: Bools
    ids: NDArray[np.int64]

    def filtered(self, hits: Hits, program: Program) -> Hits:
        """Return those hits of edits that look at lines whose subjects are pointed to as the edits want."""
        kept: list[Hits] = []
        for number, of_edit in by_edit(hits):
            edit = program.edit(number)
            if edit.pointed in OF_LINES:
                of_edit = self._filtered_by_line(edit, of_edit)
            elif edit.pointed is not None:
                flags = self.first if edit.pointed == FIRST else self.never
                of_edit = of_edit[flags[self.coded.bounds[of_edit[:, 0]] + of_edit[:, 2] - 1]]
            if FORMS[edit.verb].counts_subjects and not edit.terms:
                of_edit = pairs(edit, of_edit)
            kept.append(of_edit)
        return np.concatenate(kept) if kept else hits

    def _filtered_by_line(self, edit: Edit, hits: Hits) -> Hits:
        """Return the hits whose subjects are pointed to by lines that have what the edit asks of one."""
        kept = np.zeros(len(hits), np.bool_)
        for row, places in groupby(range(len(hits)), key=lambda at: hits[at, 0]):
            at = list(places)
            low, high = self.coded.bounds[row : row + 2]
            codes = self.coded.tokens[low:high].tolist()
            pointers = Pointers(frozenset(), frozenset(), off_claim=False, bare=False)
            found = pointed_positions(edit, pointers, self.lines.whole(int(row)), codes, self.ids[low:high].tolist())
            kept[at] = [subject in found for subject in hits[at, 2].tolist()]
        return hits[kept]

    def named(self, hits: Hits, engine: ColumnarEngine, program: Program, numbers: dict[str, int]) -> Hits:
        """Return the hits, those whose message may name lines with the number of term and lines as their term."""
        naming = engine.line_edits().copy()
        for number in _distinct(hits[naming[hits[:, 1]], 1], len(naming)).tolist():
            naming[number] = _names_lines(program.edit(number))
        asks = naming[hits[:, 1]]
        texts = list(numbers)
        lines = self.lines.of_rows(_distinct(hits[asks, 0], len(self.with_pointers)))
        asked = hits[asks]
        low, high = (self.coded.bounds[asked[:, 0] + more].tolist() for more in (0, 1))
        tokens = self.coded.tokens.tolist() if len(asked) else []
        known: dict[tuple[int, int, tuple[int, ...], int], str] = {}
        terms = []
        for (row, number, subject, *_, term), start, stop in zip(asked.tolist(), low, high, strict=True):
            codes = tokens[start:stop]
            edit = program.edit(number)
            if edit.pointed in OF_LINES:
                ids = self.ids[start:stop].tolist()
                named = lines_about(edit, self.lines.whole(row), codes, subject, ids)
            else:
                # The same is said of claims whose lines are the same, of as many codes and the same places of this one.
                places = tuple([at for at, code in enumerate(codes) if code == codes[subject - 1]]) if subject else ()
                key = number, id(lines[row]), places, stop - start
                line_numbers = known.get(key)
                if line_numbers is None:
                    line_numbers = known[key] = lines_about(edit, lines[row], codes, subject)
                named = line_numbers
            text = texts[term].partition(PART)[0] + PART + named
            if text not in numbers:
                numbers[text] = len(numbers)
                texts.append(text)
            terms.append(numbers[text])
        hits[asks, 5] = terms
        return hits


def _names_lines(edit: Edit) -> bool:
    """Tell whether findings of an edit name the lines that they are about: no line is what points to nothing."""
    return edit.pointed != NEVER or bool(edit.condition and edit.condition.faults)


def _partial(lines: pa.Array, row_of_line: NDArray[np.int64], bad: Bools) -> NDArray[np.int64]:
    """Return the rows with a line that says it has only its main pointer; where that is neither true nor false, bad."""
    if lines.type.get_field_index("main_only") < 0:
        return np.empty(0, np.int64)
    main_only = pc.struct_field(lines, "main_only")
    if not pa.types.is_boolean(main_only.type):
        bad[row_of_line[valid(main_only)]] = True
        return np.empty(0, np.int64)
    return _distinct(row_of_line[valid(pc.if_else(main_only, True, None))], len(bad))


def _distinct(numbers_: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Return each of these numbers once, of so many, in order. `numpy.unique` imports `numpy.ma`, which takes 20 ms."""
    occurs = np.zeros(count, np.bool_)
    occurs[numbers_] = True
    return np.flatnonzero(occurs)


def _flat(column: pa.Array, row: NDArray[np.int64], bad: Bools) -> tuple[pa.Array, NDArray[np.int64]] | None:
    """Return the items of a column of lists with the row of each; where it is none, its rows are bad."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        bad[row[valid(column)]] = True
        return None
    lengths = filled(pc.list_value_length(column), 0).astype(np.int64)
    return column.flatten(), np.repeat(row, lengths)


def by_edit(hits: Hits) -> list[tuple[int, Hits]]:
    """Return each edit that has hits, with them."""
    if not len(hits):
        return []
    edits = hits[:, 1]
    # Numbers of 16 bits are sorted in a quarter of the time.
    order = np.argsort(edits.astype(np.uint16) if edits.max() < 1 << 16 else edits, kind="stable")
    ordered = hits[order]
    starts = np.flatnonzero(np.diff(ordered[:, 1], prepend=-1))
    return list(zip(ordered[starts, 1].tolist(), np.split(ordered, starts[1:]), strict=True))


def pairs(edit: Edit, hits: Hits) -> Hits:
    """Do for the hits of an edit in every row what `only_one` does for those of one claim."""
    pairs: list[list[int]] = []
    for row, of_row in groupby(hits.tolist(), key=lambda hit: hit[0]):
        pairs += [[row, *hit, 0, 0] for hit in only_one(edit, [Hit(*hit[1:4]) for hit in of_row])]
    return np.array(pairs, np.int32).reshape(-1, 6)
