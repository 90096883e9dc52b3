"""The service lines of a claim of an 837 as their segments come in: LX, SV1, SV2, SV3, DTP, NM1 and PRV."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import attrs

from weakcode.claims import ServiceLine
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.x12.elements import components, decoded, value_at
from weakcode.scrub.read.x12.parties import RENDERING, npi

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_MOST_DIGITS = 15
_MINUTES = "MJ"


@attrs.frozen
class _Layout:
    """Which element of a segment has what; 0 where it has none."""

    procedure: int
    charge: int
    basis: int
    units: int
    place: int
    revenue: int
    pointers: int


LAYOUTS: Mapping[str, _Layout] = {
    "SV1": _Layout(procedure=1, charge=2, basis=3, units=4, place=5, revenue=0, pointers=7),
    "SV2": _Layout(procedure=2, charge=3, basis=4, units=5, place=0, revenue=1, pointers=0),
    "SV3": _Layout(procedure=1, charge=2, basis=0, units=6, place=3, revenue=0, pointers=11),
}
"""By segment: professional, institutional, dental."""


class Services:
    """The lines of one claim. `kinds` are the segments that they stand in."""

    def __init__(self, component: str) -> None:
        self._component = component
        self.kinds: set[str] = set()
        self.lines: list[ServiceLine] = []
        self._number: int | None = None
        self._is_open = False
        self._entity = ""

    def begin(self, elements: list[str]) -> None:
        """Take an LX segment."""
        number = value_at(elements, 1)
        self._number = int(number) if number.isdecimal() and len(number) < 10 else None
        self._is_open = False
        self._entity = ""

    def take(self, tag: str, elements: list[str]) -> None:
        """Take a segment that says what was done; raises BadRow for a pointer that is none."""
        self.kinds.add(tag)
        layout = LAYOUTS[tag]

        def element(number: int) -> str:
            return value_at(elements, number) if number else ""

        procedure, *modifiers = [
            decoded(part) for part in components(elements, layout.procedure, self._component)[1:6]
        ] or [""]
        number = self._number or len(self.lines) + 1
        self._number, self._is_open, self._entity = None, False, ""
        listed = components(elements, layout.pointers, self._component) if layout.pointers else []
        pointers = [part for part in listed if part]
        for pointer in pointers:
            if not pointer.isdecimal() or len(pointer) > 3 or int(pointer) == 0:
                raise BadRow("pointers", f"service line {number} has the pointer {decoded(pointer)[:20]!r}, no number")
        self.lines.append(
            ServiceLine(
                number,
                tuple(map(int, pointers)),
                procedure,
                modifiers=modifiers,
                units=None if element(layout.basis) == _MINUTES else amount(element(layout.units)),
                charge=amount(element(layout.charge)),
                place=decoded(element(layout.place)),
                revenue=decoded(element(layout.revenue)),
            )
        )
        self._is_open = True

    def party(self, tag: str, elements: list[str]) -> None:
        """Take an NM1 or PRV segment: who rendered the line that is being read, where it tells."""
        if tag == "NM1":
            self._entity = value_at(elements, 1)
        if self._entity == RENDERING and self._is_open:
            found_values = (
                {"rendering_provider": npi(elements)}
                if tag == "NM1"
                else {"rendering_taxonomy": decoded(value_at(elements, 3))}
            )
            self.lines[-1] = attrs.evolve(self.lines[-1], **found_values)

    def date(self, days: tuple[dt.date, dt.date]) -> None:
        """Take the days of the line that is being read."""
        if self._is_open and self.lines[-1].start is None:
            self.lines[-1] = attrs.evolve(self.lines[-1], start=days[0], end=days[1])


def amount(text: str) -> float | None:
    """Return a number of X12, None where there is none: what a line costs does not decide what becomes of its claim."""
    if not _NUMBER.fullmatch(text) or sum(sign.isdecimal() for sign in text) > _MOST_DIGITS or not text.isascii():
        return None
    return float(text)
