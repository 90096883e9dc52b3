"""Service lines of a claim: what was done, with pointers to the diagnoses that it was done for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from weakcode.claims.keys import no_field, without_none
from weakcode.errors import InputError
from weakcode.fields import LINE_FIELDS, parsers
from weakcode.fields.parsers import plain_value


@attrs.frozen
class ServiceLine:
    """A service line. `pointers` are 1-based positions in the claim's diagnoses, the line's main one first.

    A position that the claim does not have is kept: it is a finding, not an error. `procedure` and `modifiers` are
    CPT or HCPCS codes, `units` and `charge` (in dollars) numbers, `place` is the place of service where the line has
    one of its own, `revenue` a revenue code, `rendering_provider` and `rendering_taxonomy` NPI and taxonomy code of who
    rendered it where that is said of the line itself, `start` and `end` are days. `main_only` says that the source
    keeps nothing but each line's main pointer, so that a diagnosis without one may have been pointed to.
    Raises InputError for a value that cannot be.
    """

    number: int = attrs.field(converter=parsers.parse_line_number)
    pointers: tuple[int, ...] = attrs.field(default=(), converter=parsers.parse_pointers)
    procedure: str | None = attrs.field(default=None, converter=parsers.parse_procedure, repr=False)
    modifiers: tuple[str, ...] = attrs.field(default=(), converter=parsers.parse_modifiers, kw_only=True, repr=False)
    units: float | None = attrs.field(default=None, converter=parsers.parse_units, kw_only=True, repr=False)
    charge: float | None = attrs.field(default=None, converter=parsers.parse_charge, kw_only=True, repr=False)
    place: str | None = attrs.field(default=None, converter=parsers.parse_place, kw_only=True, repr=False)
    revenue: str | None = attrs.field(default=None, converter=parsers.parse_revenue, kw_only=True, repr=False)
    rendering_provider: str | None = attrs.field(
        default=None, converter=parsers.parse_rendering_provider, kw_only=True, repr=False
    )
    rendering_taxonomy: str | None = attrs.field(
        default=None, converter=parsers.parse_rendering_taxonomy, kw_only=True, repr=False
    )
    start: dt.date | None = attrs.field(default=None, converter=parsers.parse_start, kw_only=True, repr=False)
    end: dt.date | None = attrs.field(default=None, converter=parsers.parse_end, kw_only=True, repr=False)
    main_only: bool = attrs.field(default=False, converter=parsers.parse_main_only, kw_only=True)


def parse_lines(value: object) -> tuple[ServiceLine, ...]:
    """Return service lines from a list: of lists of pointers, or of objects with the fields of `ServiceLine`.

    A pointer may lead to a diagnosis that is not on the claim; that is for rules to say. Raises InputError.
    """
    if value is None:
        return ()
    if not isinstance(value, Iterable) or isinstance(value, str | Mapping):
        raise InputError.about("lines is a list of service lines, found {value}", value)
    return tuple(
        item if isinstance(item, ServiceLine) else _parse_line(item, place) for place, item in enumerate(value, start=1)
    )


def _parse_line(item: Any, place: int) -> ServiceLine:
    if isinstance(item, list):
        item = {"pointers": item}
    if not isinstance(item, dict):
        raise InputError.about(f"service line {place} is an object with pointers, found {{value}}", item)
    fields = {field.name: item[field.name] for field in LINE_FIELDS if item.get(field.name) is not None}
    pointers = fields.get("pointers", [])
    if not isinstance(pointers, list) or not all(type(pointer) is int and pointer > 0 for pointer in pointers):
        raise InputError.about(
            f"service line {place} has the pointers {{value}}; a pointer is the position of a diagnosis, from 1",
            pointers,
        )
    try:
        return ServiceLine(**{"number": place, **fields})
    except InputError as error:
        raise error.within(f"service line {place}") from None


def check_line_keys(lines: object) -> None:
    """Raise InputError where a service line, as an object, has a key that no line has; other forms pass."""
    known = tuple(field.name for field in LINE_FIELDS)
    for place, line in enumerate(lines if isinstance(lines, list | tuple) else (), start=1):
        for key in line if isinstance(line, dict) else ():
            if key not in known:
                raise no_field(f"service line {place}", key, known)


def plain_line(line: ServiceLine) -> dict[str, Any]:
    """Return a line as an object of JSON, with what is known of it."""
    values = {field.name: plain_value(getattr(line, field.name)) for field in LINE_FIELDS}
    values["main_only"] = line.main_only or None
    return {"number": line.number, "pointers": list(line.pointers), **without_none(values)}
