"""A row of a text table with its diagnoses in another order: cells of codes, what stands beside them, and pointers.

Text is bytes as Latin-1 has them, a sign each, so that what is not looked at stays as it was whatever its encoding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.codes.normalise import canonical
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.tables.cells import BETWEEN
from weakcode.scrub.read.tables.header import Header
from weakcode.scrub.read.tables.rows import claim_of_rows
from weakcode.scrub.read.tables.tidy import Tidy

_WORD = re.compile(r"[^\s;,|~\[\](){}'\"`]+")
_POINTER = re.compile(r"0*(\d+)|([A-La-l])(?![^\s,;:|/&+A-La-l])")
OneCode = Callable[[str], str]
"""Returns the code that a word stands for, empty where it is none."""

Span = tuple[int, int]


@attrs.frozen
class Change:
    """A claim to be mended, with the numbers of its rows, or of its diagnoses where each has a row of its own."""

    claim: Claim
    mended: Claim
    rows: tuple[int, ...] = ()


@attrs.frozen
class Slot:
    """Where a diagnosis stands in a row: its code, its present-on-admission indicator, and what its code is of."""

    code: Span
    poa: Span | None = None
    version: Span | None = None
    cell: Span | None = None
    """The cell of the code, where it may hold several."""


@attrs.define
class Edits:
    """Stretches of a text, and what is to stand there instead."""

    text: str
    made: dict[Span, str] = attrs.field(factory=dict)

    def at(self, span: Span) -> str:
        """Return what stands there."""
        return self.text[slice(*span)]

    def result(self) -> str:
        """Return the text with the changes."""
        text = self.text
        for (start, stop), new in sorted(self.made.items(), reverse=True):
            text = text[:start] + new + text[stop:]
        return text


def cells_of(row: str, delimiter: str) -> list[Span]:
    """Return where each cell of a row stands, with its quotes."""
    cell = re.compile(rf'"(?:[^"]|"")*"|[^{re.escape(delimiter)}]*')
    found, at = [], 0
    while True:
        match = cell.match(row, at)
        assert match is not None, "a cell may be empty"
        found.append(match.span())
        at = match.end() + 1
        if at > len(row) or row[at - 1] != delimiter:
            return found


def origins(claim: Claim, mended: Claim) -> list[tuple[int, str | None]] | None:
    """Return for each diagnosis of the mended claim which one it was, with its code where that is another now.

    None where the claim has more than it had.
    """
    left = list(enumerate(claim.diagnoses))
    found: list[tuple[int, str | None] | None] = []
    for diagnosis in mended.diagnoses:
        same = next((one for one in left if one[1] == diagnosis), None)
        if same is not None:
            left.remove(same)
        found.append(None if same is None else (same[0], None))
    whole: list[tuple[int, str | None]] = []
    for place, diagnosis in zip(found, mended.diagnoses, strict=True):
        if place is None:
            other = next((one for one in left if one[1].poa == diagnosis.poa), None)
            if other is None:
                return None
            left.remove(other)
            place = (other[0], diagnosis.code)
        whole.append(place)
    return whole


def rewritten(row: str, header: Header, claim: Claim, mended: Claim, line: int, one_code: OneCode) -> str | None:
    """Return a row of a claim with the mended diagnoses, and the pointers of its service line, which is number `line`.

    None where the row cannot say so.
    """
    cells = cells_of(row, header.delimiter)
    moves = origins(claim, mended)
    if moves is None or len(cells) != header.width:
        return None
    edits = Edits(row)
    slots, mirrored = _slots(edits, header, cells, one_code)
    if header.line is not None and header.codes is None and any(slot.cell is not None for slot in slots):
        # A pointer may be one to a cell, and then leads to all of its codes.
        return None
    if [canonical(one_code(edits.at(slot.code))) for slot in slots] != [_bare(one) for one in claim.diagnoses]:
        return None
    _move(edits, slots, moves, is_list=header.codes is not None)
    if mirrored is not None:
        edits.made[mirrored.code] = edits.made.get(slots[0].code, edits.at(slots[0].code))
        for place, first in ((mirrored.version, slots[0].version), (mirrored.poa, slots[0].poa)):
            if place is not None and first is not None:
                edits.made[place] = edits.made.get(first, edits.at(first))
    if header.line is not None:
        _point(edits, [cells[at] for at in header.pointers], claim.lines[line], mended.lines[line])
    return edits.result()


def _bare(diagnosis: Diagnosis) -> str:
    return diagnosis.code.removeprefix("ICD9:")


def _slots(edits: Edits, header: Header, cells: Sequence[Span], one_code: OneCode) -> tuple[list[Slot], Slot | None]:
    """Return where the diagnoses stand in their order, and the cell that repeats the first of them, if one does."""
    if header.codes is not None:
        cell = cells[header.codes]
        slots = [Slot(span, cell=cell) for span in _words(edits, cell) if one_code(edits.at(span))]
    else:
        nothing = (None,) * len(header.wide)
        slots = [
            slot
            for at, poa, version in zip(header.wide, header.poa or nothing, header.versions or nothing, strict=True)
            if (code := one_code(edits.at(cells[at])))
            for slot in _in_cell(
                edits, cells[at], code, None if poa is None else cells[poa], None if version is None else cells[version]
            )
        ]
    if header.principal is None or not (code := one_code(edits.at(cells[header.principal]))):
        return slots, None
    version = None if header.principal_version is None else cells[header.principal_version]
    poa = None if header.principal_poa is None else cells[header.principal_poa]
    principal = Slot(cells[header.principal], poa, version)
    if slots and canonical(one_code(edits.at(slots[0].code))) == canonical(code):
        return slots, principal
    return [principal, *slots], None


def _in_cell(edits: Edits, cell: Span, code: str, poa: Span | None, version: Span | None) -> list[Slot]:
    """Return the slots of a cell for one code: of each of its codes, where it holds several and nothing else."""
    if BETWEEN not in code:
        return [Slot(cell, poa, version)]
    if poa is not None or version is not None:
        # What stands beside the cell goes for all of its codes: as one they are no code of the claim.
        return [Slot(cell)]
    return [Slot(span, cell=cell) for span in _words(edits, cell)]


def _words(edits: Edits, cell: Span) -> Iterator[Span]:
    for match in _WORD.finditer(edits.text, *cell):
        yield match.span()


def _move(edits: Edits, slots: Sequence[Slot], moves: Sequence[tuple[int, str | None]], *, is_list: bool) -> None:
    """Put what stood in one slot into another."""
    dotted = any("." in edits.at(slot.code) for slot in slots)
    for slot, (source, code) in zip(slots, moves, strict=False):
        was = slots[source]
        moved = edits.at(was.code) if code is None else code if dotted else code.replace(".", "")
        # A code that has a cell alone may stand in quotes, which have another meaning inside a cell of several.
        edits.made[slot.code] = moved if slot.cell == was.cell else moved.strip('"')
        for place, other in ((slot.poa, was.poa), (slot.version, was.version)):
            if place is not None:
                edits.made[place] = "" if other is None else edits.at(other)
    for at in range(len(moves), len(slots)):
        slot = slots[at]
        if is_list and slots[at - 1].code[1] <= slot.code[0] and at:
            edits.made[(slots[at - 1].code[1], slot.code[1])] = ""
            continue
        for place in (slot.code, slot.poa, slot.version):
            if place is not None:
                edits.made[place] = ""


def _point(edits: Edits, cells: Sequence[Span], was: ServiceLine, now: ServiceLine) -> None:
    """Let the pointers go where their diagnoses went, as numbers or letters, as they were; codes stay as they are."""
    target = dict(zip(was.pointers, now.pointers, strict=False))
    columns: set[int] = set()
    for cell in cells:
        for match in _POINTER.finditer(edits.text, *cell):
            position = int(match[1]) if match[1] else ord(match[2].upper()) - 64
            to = target.get(position)
            if to is None and len(now.pointers) < len(was.pointers) and position in was.pointers:
                to = now.pointers[-1]
            if to is not None and to != position:
                letter = chr(to + 64) if to < 13 else str(to)
                edits.made[match.span()] = str(to) if match[1] else letter if match[2].isupper() else letter.lower()
            columns.add(position)


def ordered_rows(
    rows: Sequence[str], header: Header, claim: Claim, mended: Claim, rank: Callable[[str], float | None]
) -> list[str | None] | None:
    """Return the rows of a claim, each of which is one diagnosis, as mended: None for a row that goes.

    The numbers of the sequence change where each row has its own, else rows change places. None where they cannot.
    """
    moves = origins(claim, mended)
    if moves is None or len(rows) != len(claim.diagnoses):
        return None
    cells = [cells_of(row, header.delimiter) for row in rows]
    if any(len(of_row) != header.width for of_row in cells):
        return None
    assert header.code is not None
    changed = list(rows)
    for source, code in moves:
        if code is not None:
            start, stop = cells[source][header.code]
            spelling = code if "." in rows[source][start:stop] else code.replace(".", "")
            changed[source] = rows[source][:start] + spelling + rows[source][stop:]
    cells = [cells_of(row, header.delimiter) for row in changed]
    kept: list[str | None] = [None] * len(rows)
    signs: list[str] = []
    if header.sequence is not None:
        signs = [row[slice(*of_row[header.sequence])] for row, of_row in zip(changed, cells, strict=True)]
        ranks = [rank(text.strip('" ')) for text in signs]
        if None not in ranks and len(set(ranks)) == len(ranks):
            for place, (source, _) in enumerate(moves):
                kept[source] = _with_cell(changed[source], cells[source][header.sequence], signs[place])
            return kept
    about = [[row[slice(*of_row[at])] for _, at in header.about] for row, of_row in zip(changed, cells, strict=True)]
    if any(one != about[0] for one in about):
        return None
    for place, (source, _) in enumerate(moves):
        row = changed[source]
        kept[place] = row if header.sequence is None else _with_cell(row, cells[source][header.sequence], signs[place])
    return kept


def _with_cell(row: str, cell: Span, text: str) -> str:
    return row[: cell[0]] + text + row[cell[1] :]


def reads_as(rows: Sequence[list[str]], header: Header, tidy: Tidy, mended: Claim) -> bool:
    """Tell whether the cells of rows are read as the mended claim."""
    try:
        claim, _ = claim_of_rows(header, [tidy.row(cells) for cells in rows], tidy.forms.constants)
    except BadRow:
        return False
    return claim == attrs.evolve(mended, waivers=())
