"""From the named values of one row to a claim, the same for every file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from weakcode.claims import (
    Claim,
    ServiceLine,
    parse_age,
    parse_date,
    parse_setting,
    parse_sex,
)
from weakcode.errors import WeakcodeError
from weakcode.scrub.read.rows import BadRow, reason_of

ABOUT_THE_CLAIM = ("service_date", "age", "birth_date", "sex", "setting", "payer", "documented")
"""The optional columns of a code list, beside `claim_id` and `codes`."""
LINES = "lines"
"""The optional column of service lines, where the format has lists."""
MOST_CODES = 1_000
"""A claim with more codes than this is rejected: it is no claim but a column gone wrong."""


def too_many(codes: int) -> str:
    """Say why a claim with so many codes is rejected."""
    return f"the claim has {codes} codes; at most {MOST_CODES} are read"


_PARSERS = {
    "service_date": lambda value: parse_date(value, "service date"),
    "birth_date": lambda value: parse_date(value, "birth date"),
    "age": parse_age,
    "sex": parse_sex,
    "setting": parse_setting,
}


def claim_from(values: Mapping[str, Any], codes: Sequence[Any] | str, claim_id: str | None) -> Claim:
    """Return the claim that these values describe.

    `values` holds columns of `ABOUT_THE_CLAIM` and, where the format has lists, `lines`; other keys are not looked at.
    Raises BadRow, which names the column.
    """
    if isinstance(codes, str):
        codes = codes.replace(";", " ").replace(",", " ").split()
    if not codes:
        raise BadRow("codes", "the claim has no diagnosis codes", claim_id)
    known: dict[str, Any] = {}
    for name in ABOUT_THE_CLAIM:
        value = values.get(name)
        if value is None or value == "":
            continue
        known[name] = _parsed(name, value, claim_id)
    try:
        claim = Claim(list(codes), claim_id)
    except (WeakcodeError, TypeError) as error:
        raise BadRow("codes", reason_of(error), claim_id) from None
    try:
        return Claim(claim.diagnoses, claim_id, lines=service_lines(values.get("lines"), claim_id), **known)
    except WeakcodeError as error:
        raise BadRow("dates or documented facts", reason_of(error), claim_id) from None


def _parsed(name: str, value: Any, claim_id: str | None) -> Any:
    if name in _PARSERS:
        try:
            return _PARSERS[name](value)
        except WeakcodeError as error:
            raise BadRow(name.replace("_", " "), reason_of(error), claim_id) from None
    if name == "documented" and isinstance(value, list) and all(isinstance(fact, str) for fact in value):
        return value
    if not isinstance(value, str):
        raise BadRow(name, f"{name} is text, found {value!r}", claim_id)
    return value


def service_lines(value: Any, claim_id: str | None) -> tuple[ServiceLine, ...]:
    """Return service lines from a list: of lists of pointers, or of objects with the fields of `ServiceLine`.

    A pointer may lead to a diagnosis that is not on the claim; that is for rules to say. Raises BadRow.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise BadRow("lines", f"lines is a list of service lines, found {value!r}", claim_id)
    return tuple(_line(item, place, claim_id) for place, item in enumerate(value, start=1))


def _line(item: Any, place: int, claim_id: str | None) -> ServiceLine:
    if isinstance(item, list):
        item = {"pointers": item}
    if not isinstance(item, dict):
        raise BadRow("lines", f"service line {place} is an object with pointers, found {item!r}", claim_id)
    pointers = [] if item.get("pointers") is None else item["pointers"]
    if not isinstance(pointers, list) or not all(type(pointer) is int and pointer > 0 for pointer in pointers):
        raise BadRow(
            "lines",
            f"service line {place} has the pointers {pointers!r}; a pointer is the position of a diagnosis, from 1",
            claim_id,
        )
    number = place if item.get("number") is None else item["number"]
    procedure = item.get("procedure")
    if type(number) is not int or not isinstance(procedure, str | None):
        raise BadRow("lines", f"service line {place} has a number or procedure that cannot be used", claim_id)
    main_only = item.get("main_only")
    if not isinstance(main_only, bool | None):
        raise BadRow("lines", f"main_only of service line {place} is true or false, found {main_only!r}", claim_id)
    return ServiceLine(number, tuple(pointers), procedure, main_only=bool(main_only))
