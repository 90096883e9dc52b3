"""What the pointers of service lines say about the diagnoses of a claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import attrs

from weakcode.claims import ServiceLine
from weakcode.semantics.servicelines import facts_of, line_met

if TYPE_CHECKING:
    from weakcode.semantics.edits import Edit

PointedKind = Literal["first", "never", "line", "line-first", "line-only"]
FIRST: PointedKind = "first"
NEVER: PointedKind = "never"
BY_LINE: PointedKind = "line"
FIRST_BY_LINE: PointedKind = "line-first"
ONLY_BY_LINE: PointedKind = "line-only"
"""The line points to no diagnosis that is not a subject; meant is the first that it points to."""
OF_LINES = (BY_LINE, FIRST_BY_LINE, ONLY_BY_LINE)
"""The kinds that look at those lines only that have what the edit's condition asks of one."""
OFF_CLAIM, WITHOUT_POINTER = 1, 2
FAULTS = {
    OFF_CLAIM: "no pointer of a service line leads beyond the diagnoses",
    WITHOUT_POINTER: "no service line is without a pointer beside others that have some",
}
"""What can be wrong with pointers, as bits, and what is said where it is not."""
_MOST_NAMED = 4


@attrs.frozen
class Pointers:
    """Where the service lines of one claim point. There is none for a claim of which no line has a pointer.

    `first` are the positions that are the first pointer of some line, `never` those that no line points to, both
    counted where a code stands first: a pointer to its repeat is one to the code. Where only main pointers are kept,
    nothing is known to be `never` pointed to. `off_claim` tells whether a pointer goes to a position that the claim
    does not have, `bare` whether a line has no pointer.
    """

    first: frozenset[int]
    never: frozenset[int]
    off_claim: bool
    bare: bool

    @property
    def faults(self) -> int:
        """What is wrong, as bits of `FAULTS`."""
        return sum(bit for bit, is_so in ((OFF_CLAIM, self.off_claim), (WITHOUT_POINTER, self.bare)) if is_so)

    @classmethod
    def of(cls, lines: Iterable[ServiceLine], codes: Sequence[str]) -> Pointers | None:
        """Return what the lines say of these codes, or None where no line has a pointer."""
        lines = tuple(lines)
        pointing = [line.pointers for line in lines if line.pointers]
        if not pointing:
            return None
        place: dict[str, int] = {}
        first_place = [place.setdefault(code, position) for position, code in enumerate(codes, start=1)]
        pointed = {first_place[pointer - 1] for pointers in pointing for pointer in pointers if pointer <= len(codes)}
        return cls(
            frozenset(first_place[pointers[0] - 1] for pointers in pointing if pointers[0] <= len(codes)),
            frozenset() if any(line.main_only for line in lines) else frozenset(place.values()).difference(pointed),
            any(pointer > len(codes) for pointers in pointing for pointer in pointers),
            not all(line.pointers for line in lines),
        )


def pointed_positions(
    edit: Edit, pointers: Pointers, lines: Iterable[ServiceLine], codes: Sequence[object], ids: Sequence[int]
) -> frozenset[int]:
    """Return the first positions of the diagnoses that service lines point to as an edit with `pointed` asks.

    `codes` are those of the claim in order, `ids` their numbers.
    """
    if edit.pointed not in OF_LINES:
        return pointers.first if edit.pointed == FIRST else pointers.never
    return frozenset().union(*(positions for _, positions in _asked_lines(edit, lines, codes, ids)))


def _asked_lines(
    edit: Edit, lines: Iterable[ServiceLine | PointedLine], codes: Sequence[object], ids: Sequence[int]
) -> Iterator[tuple[int, frozenset[int]]]:
    """Give the number of each line that has what an edit asks of one, and the first positions that it points to so."""
    place: dict[object, int] = {}
    first_place = [place.setdefault(code, position) for position, code in enumerate(codes, start=1)]
    for line in lines:
        to = [pointer for pointer in line.pointers if pointer <= len(codes)]
        if not to or not isinstance(line, ServiceLine) or not _is_asked_for(edit, line):
            continue
        if edit.pointed == BY_LINE:
            yield line.number, frozenset(first_place[pointer - 1] for pointer in to)
        elif edit.pointed == FIRST_BY_LINE or (
            not line.main_only and all(ids[pointer - 1] in edit.subject for pointer in to)
        ):
            yield line.number, frozenset([first_place[to[0] - 1]])


def _is_asked_for(edit: Edit, line: ServiceLine) -> bool:
    return edit.condition is None or line_met(edit.condition, facts_of(line))


class PointedLine(NamedTuple):
    """What of a service line is asked here, where a batch has it in columns."""

    number: int
    pointers: Sequence[int]


def lines_that_point_first(lines: Iterable[ServiceLine | PointedLine], positions: Iterable[int]) -> str:
    """Name the lines whose first pointer is one of these positions: `service lines 1 and 3`."""
    position_set = frozenset(positions)
    return lines_named([str(line.number) for line in lines if line.pointers and line.pointers[0] in position_set])


def lines_that_point_beyond(lines: Iterable[ServiceLine | PointedLine], diagnoses: int) -> str:
    """Name the lines that point beyond a claim of so many diagnoses: `service line 2 (pointer 5)`."""
    named = []
    for line in lines:
        beyond = [str(pointer) for pointer in dict.fromkeys(line.pointers) if pointer > diagnoses]
        if beyond:
            named.append(f"{line.number} ({'pointers' if beyond[1:] else 'pointer'} {', '.join(beyond)})")
    return lines_named(named)


def lines_about(
    edit: Edit,
    lines: Sequence[ServiceLine | PointedLine],
    codes: Sequence[object],
    subject: int,
    ids: Sequence[int] = (),
) -> str:
    """Name the service lines that a violation of an edit is about; empty where it is about none.

    `codes` are those of the claim in order, `subject` the position of the violation's subject, 0 where there is none.
    Of an edit that looks at what lines have, `lines` are whole lines, and `ids` the numbers of the codes.
    """
    if edit.pointed in OF_LINES and subject:
        asked = _asked_lines(edit, lines, codes, ids)
        return lines_named([str(number) for number, positions in asked if subject in positions])
    if edit.pointed == FIRST and subject:
        same = [at for at, code in enumerate(codes, start=1) if code == codes[subject - 1]]
        return lines_that_point_first(lines, same)
    if edit.condition is not None and edit.condition.line_without_pointer:
        return lines_named([str(line.number) for line in lines if not line.pointers])
    if edit.condition is not None and edit.condition.pointer_off_claim:
        return lines_that_point_beyond(lines, len(codes))
    return ""


def lines_named(numbers: Sequence[str]) -> str:
    """Return numbers of service lines as words: `service lines 1, 2 and 3`, of many the first few."""
    numbers = list(dict.fromkeys(numbers))
    if len(numbers) < 2:
        return "".join(f"service line {number}" for number in numbers)
    if len(numbers) > _MOST_NAMED:
        numbers = [*numbers[: _MOST_NAMED - 1], f"{len(numbers) - _MOST_NAMED + 1} more"]
    return f"service lines {', '.join(numbers[:-1])} and {numbers[-1]}"
