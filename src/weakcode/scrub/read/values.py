"""From the named values of one row to a claim, the same for every file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from weakcode.claims import Claim, ServiceLine, claim_id_of, parse_lines
from weakcode.errors import WeakcodeError
from weakcode.fields import FIELDS, LINES, Field
from weakcode.scrub.read.rows import BadRow, reason_of

NO_CODES = "the claim has no diagnosis codes"
MOST_CODES = 1_000
"""A claim with more codes than this is rejected: it is no claim but a column gone wrong."""


def too_many(codes: int) -> str:
    """Say why a claim with so many codes is rejected."""
    return f"the claim has {codes} codes; at most {MOST_CODES} are read"


def claim_from(values: Mapping[str, Any], codes: Sequence[Any] | str, claim_id: str | None) -> Claim:
    """Return the claim that these values describe.

    `values` holds claim fields and, where the format has lists, `lines`; other keys are not looked at.
    Raises BadRow, which names the column.
    """
    if isinstance(codes, str):
        codes = codes.replace(";", " ").replace(",", " ").split()
    if not codes:
        raise BadRow("codes", NO_CODES, claim_id)
    known: dict[str, Any] = {}
    for field in FIELDS:
        value = values.get(field.name)
        if value is None or value == "":
            continue
        known[field.name] = _parsed(field, value, claim_id)
    try:
        claim = Claim(list(codes), claim_id)
    except (WeakcodeError, TypeError) as error:
        raise BadRow("codes", reason_of(error), claim_id) from None
    try:
        return Claim(claim.diagnoses, claim_id, lines=_lines(values.get(LINES), claim_id), **known)
    except WeakcodeError as error:
        raise BadRow("dates or documented facts", reason_of(error), claim_id) from None


def object_id(values: Mapping[str, Any]) -> str | None:
    """Return the id of a claim that is an object of JSON. Raises BadRow where it is neither text nor a whole number."""
    try:
        claim_id = claim_id_of(values)
    except WeakcodeError as error:
        raise BadRow("claim_id", reason_of(error)) from None
    if isinstance(claim_id, bool | float | list | dict):
        raise BadRow("claim_id", f"claim_id is text or a whole number, found {claim_id!r}")
    return None if claim_id is None or claim_id == "" else str(claim_id)


def claim_of_object(values: Mapping[str, Any], claim_id: str | None) -> Claim:
    """Return the claim that an object of JSON describes, with its waivers. Raises BadRow, which names the key."""
    codes = values.get("codes")
    if codes is not None and not isinstance(codes, str | list):
        raise BadRow("codes", f"codes is a list or text, found {codes!r}", claim_id)
    claim, waivers = claim_from(values, codes or [], claim_id), values.get("waivers")
    if waivers is None:
        return claim
    if not isinstance(waivers, list):
        raise BadRow("waivers", f"waivers is a list of waivers, found {waivers!r}", claim_id)
    try:
        return attrs.evolve(claim, waivers=waivers)
    except WeakcodeError as error:
        raise BadRow("waivers", reason_of(error), claim_id) from None


def _parsed(field: Field, value: Any, claim_id: str | None) -> Any:
    try:
        return field.parse(value)
    except WeakcodeError as error:
        raise BadRow(field.name.replace("_", " "), reason_of(error), claim_id) from None


def _lines(value: Any, claim_id: str | None) -> tuple[ServiceLine, ...]:
    try:
        return parse_lines(value)
    except WeakcodeError as error:
        raise BadRow("lines", reason_of(error), claim_id) from None
