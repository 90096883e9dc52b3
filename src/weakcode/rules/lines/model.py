"""What the rule language says of service lines: what one must have, and which diagnoses it points to."""

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

from weakcode.base.documented import doc

PointedName = Literal["first", "never", "off-claim", "no-pointer"]
ABOUT_POINTERS: tuple[PointedName, ...] = ("off-claim", "no-pointer")
LINE_KEYS = (
    "procedure",
    "modifiers",
    "revenue",
    "place",
    "rendering_provider",
    "rendering_taxonomy",
    "units",
    "charge",
    "date",
)
"""The keys that say what a service line must have."""
SET_KEYS = ("every", "any", "none")
"""The keys of `pointed` that say of the diagnoses of a line what they must be."""


@attrs.frozen
class DateRange:
    """Service dates, both ends included."""

    from_: dt.date | None = doc("First service date.", default=None, key="from")
    to: dt.date | None = doc("Last service date.", default=None)


@attrs.frozen
class NumberRange:
    """Numbers, both ends included."""

    min: int | None = doc("The lowest, a whole number.", default=None)
    max: int | None = doc("The highest, a whole number.", default=None)


PROCEDURE = "Procedures: CPT or HCPCS codes, ranges of them (97110-97150) or patterns (97*)."
MODIFIERS = "Modifiers of which it has one."
REVENUE = "Revenue codes, with four digits."
PLACE = "Places of service that the line has of its own."
RENDERING_PROVIDER = "NPIs of who rendered the line, where that is said of the line itself."
RENDERING_TAXONOMY = "Taxonomy codes of who rendered the line, where that is said of the line itself."
UNITS = "Units of service."
CHARGE = "The charge in dollars."
DATE = "The line's first day."


@attrs.frozen
class LineTest:
    """What one service line must have; every key given must hold. Values, ranges (97110-97150) or patterns (97*)."""

    procedure: tuple[str, ...] = doc(PROCEDURE, default=(), single=True)
    modifiers: tuple[str, ...] = doc(MODIFIERS, default=(), single=True)
    revenue: tuple[str, ...] = doc(REVENUE, default=(), single=True)
    place: tuple[str, ...] = doc(PLACE, default=(), single=True)
    rendering_provider: tuple[str, ...] = doc(RENDERING_PROVIDER, default=(), single=True)
    rendering_taxonomy: tuple[str, ...] = doc(RENDERING_TAXONOMY, default=(), single=True)
    units: NumberRange | None = doc(UNITS, default=None)
    charge: NumberRange | None = doc(CHARGE, default=None)
    date: DateRange | None = doc(DATE, default=None)


@attrs.frozen
class Pointed:
    """What service lines do with diagnoses. A word alone stands for `how`.

    With keys of a service line, lines that have all of them are meant; with a subject, the diagnoses among it that
    such a line points to. `every`, `any` and `none` stand in place of a subject.
    """

    how: PointedName | None = doc(
        "first: some line points to the subject first; never: none ever points to it. Without a subject, off-claim: a"
        " pointer leads to a diagnosis that is not there; no-pointer: a line has none where another has one.",
        default=None,
    )
    procedure: tuple[str, ...] = doc(PROCEDURE, default=(), single=True)
    modifiers: tuple[str, ...] = doc(MODIFIERS, default=(), single=True)
    revenue: tuple[str, ...] = doc(REVENUE, default=(), single=True)
    place: tuple[str, ...] = doc(PLACE, default=(), single=True)
    rendering_provider: tuple[str, ...] = doc(RENDERING_PROVIDER, default=(), single=True)
    rendering_taxonomy: tuple[str, ...] = doc(RENDERING_TAXONOMY, default=(), single=True)
    units: NumberRange | None = doc(UNITS, default=None)
    charge: NumberRange | None = doc(CHARGE, default=None)
    date: DateRange | None = doc(DATE, default=None)
    every: str | None = doc("Every diagnosis that such a line points to must be one of these codes.", default=None)
    any: str | None = doc("At least one diagnosis that such a line points to must be one of these codes.", default=None)
    none: str | None = doc("No diagnosis that such a line points to may be one of these codes.", default=None)

    @property
    def asks_line(self) -> bool:
        """Whether it says what a service line must have."""
        return any(getattr(self, key) for key in LINE_KEYS)

    @property
    def codes(self) -> str | None:
        """The code expression that stands in place of a subject."""
        return self.every or self.any or self.none
