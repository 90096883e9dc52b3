"""From the named values of one row to a claim, the same for every file format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from weakcode.claims import Claim, ServiceLine, parse_lines
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
