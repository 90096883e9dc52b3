"""What conditions ask of service lines: some line must have all that is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from weakcode.base.patterns import matches

if TYPE_CHECKING:
    from weakcode.claims import ServiceLine
    from weakcode.rules.model import Case, When
    from weakcode.semantics.conditions import Condition


class LineFacts(NamedTuple):
    """What conditions look at of a service line, each as the claim has it; empty or None where it does not say."""

    procedure: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    revenue: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    rendering_provider: tuple[str, ...] = ()
    rendering_taxonomy: tuple[str, ...] = ()
    units: float | None = None
    charge: float | None = None
    start: dt.date | None = None


WORDS = {
    "procedure": "line_procedures",
    "modifiers": "line_modifiers",
    "revenue": "line_revenues",
    "place": "line_places",
    "rendering_provider": "line_rendering_providers",
    "rendering_taxonomy": "line_rendering_taxonomies",
}
"""The fields of `Condition` that name words of a line, by the field of `LineFacts`."""
LIMITS = {
    "units": ("line_units_min", "line_units_max"),
    "charge": ("line_charge_min", "line_charge_max"),
    "start": ("line_starts", "line_ends"),
}
"""The fields of `Condition` that limit what a line has, both ends included, by the field of `LineFacts`."""
LINE_CONDITIONS = (*WORDS.values(), *(name for pair in LIMITS.values() for name in pair))
"""The fields of `Condition` that ask for a service line."""
_NAMES = {
    "start": "first day",
    "rendering_provider": "rendering provider",
    "rendering_taxonomy": "taxonomy of the rendering provider",
}


def facts_of(line: ServiceLine) -> LineFacts:
    """Return what conditions look at of a service line."""
    words = {name: (word,) if (word := getattr(line, name)) else () for name in WORDS if name != "modifiers"}
    return LineFacts(modifiers=line.modifiers, units=line.units, charge=line.charge, start=line.start, **words)


def with_procedure(lines: Sequence[ServiceLine]) -> Sequence[ServiceLine] | None:
    """Return the service lines of a claim, None where none of them names a procedure."""
    return lines if any(line.procedure for line in lines) else None


def asked_lines(when: When, case: Case) -> dict[str, Any]:
    """Return what a rule's case asks of a service line, under `when` or `pointed`, as fields of `Condition`."""
    line = when.line or case.pointed
    if line is None:
        return {}
    asked: dict[str, Any] = {field: getattr(line, name) for name, field in WORDS.items()}
    for name in ("units", "charge"):
        limits = getattr(line, name)
        if limits is not None:
            lowest, highest = LIMITS[name]
            asked |= {lowest: limits.min, highest: limits.max}
    if line.date is not None:
        asked |= {"line_starts": line.date.from_, "line_ends": line.date.to}
    return asked


def line_met(condition: Condition, line: LineFacts) -> bool:
    """Tell whether a line has all that a condition asks of one."""
    return all(
        not (wanted := getattr(condition, field)) or any(matches(wanted, word) for word in getattr(line, name))
        for name, field in WORDS.items()
    ) and limits_met(condition, line)


def limits_met(condition: Condition, line: LineFacts) -> bool:
    """Tell whether units, charge and first day of a line are within what a condition asks."""
    for name, (lowest, highest) in LIMITS.items():
        low, high, value = getattr(condition, lowest), getattr(condition, highest), getattr(line, name)
        if (low is not None or high is not None) and value is None:
            return False
        if (low is not None and value < low) or (high is not None and value > high):
            return False
    return True


def lines_met(condition: Condition, lines: frozenset[LineFacts] | None) -> bool:
    """Tell whether some line has all that a condition asks of one."""
    return any(line_met(condition, line) for line in lines or ())


def lines_unmet(condition: Condition, lines: Sequence[ServiceLine]) -> Iterator[str]:
    """Give what none of a claim's service lines has, as a sentence without its full stop."""
    if not lines:
        yield "the claim has no service lines"
        return
    asked = [f"{_NAMES.get(name, name)} {', '.join(getattr(condition, field))}" for name, field in WORDS.items()
             if getattr(condition, field)]  # fmt: skip
    for name, (lowest, highest) in LIMITS.items():
        low, high = getattr(condition, lowest), getattr(condition, highest)
        bounds = [f"{word} {value}" for word, value in (("from", low), ("to", high)) if value is not None]
        if bounds:
            asked.append(f"{_NAMES.get(name, name)} {' '.join(bounds)}")
    yield f"no service line has {' and '.join(asked)}"
