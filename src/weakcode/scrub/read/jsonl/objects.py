"""Lines of JSON, each an object."""

from __future__ import annotations

import json
from typing import Any

from weakcode.claims import Claim, claim_id_of
from weakcode.errors import WeakcodeError
from weakcode.fields import ABOUT_THE_CLAIM
from weakcode.scrub.read.keys import may_repeat, read_again, repeated_key
from weakcode.scrub.read.rows import BadRow
from weakcode.scrub.read.values import MOST_CODES, too_many

Line = tuple[int, bytes | None]
"""A 1-based number and the bytes of the line, None where there are too many."""
KNOWN = {"claim_id", "id", "codes", "lines", "waivers", "version", *ABOUT_THE_CLAIM}
"""The keys that are read."""


def object_in(text: str, *, strict: bool = False) -> dict[str, Any]:
    """Return the object that a line of JSON is; raises BadRow for anything else.

    NaN and Infinity, which some programs write and JSON does not have, are refused where it is `strict`.
    """
    try:
        values = json.loads(text, parse_constant=_refuse if strict else None)
    except json.JSONDecodeError as error:
        raise BadRow("JSON", f"the line is not JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError):
        raise BadRow("JSON", "the line holds a number or a nesting that is too large to read") from None
    if not isinstance(values, dict):
        raise BadRow("JSON", 'the line is JSON but no object; expected {"claim_id": …, "codes": […]}')
    if may_repeat(text, values) and (key := read_again(text)) is not None:
        raise BadRow("JSON", repeated_key(key, KNOWN))
    if "\\ud" in text.lower():
        try:
            json.dumps(values, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise BadRow("encoding", "the line escapes half of a surrogate pair, which is no character") from None
    return values


def _refuse(constant: str) -> Any:
    raise BadRow("JSON", f"the line is not JSON: {constant} is no number of JSON")


def claim_in(text: str) -> Claim:
    """Return the claim that an object of JSON is, for programs: keys that no claim has are refused.

    Raises BadRow, whose reason repeats no value.
    """
    return claim_of(object_in(text))


def claim_of(values: dict[str, Any]) -> Claim:
    """Return the claim that an object is, as `claim_in` does."""
    codes = values.get("codes")
    if isinstance(codes, list) and len(codes) > MOST_CODES:
        raise BadRow("codes", too_many(len(codes)))
    try:
        claim_id = claim_id_of(values)
        if isinstance(claim_id, bool | float | list | dict):
            raise BadRow("claim_id", f"claim_id is text or a whole number, found {type(claim_id).__name__}")
        claim = Claim.from_dict(values)
    except WeakcodeError as error:
        raise BadRow("claim", str(error)) from None
    if len(claim.diagnoses) > MOST_CODES:
        raise BadRow("codes", too_many(len(claim.diagnoses)))
    return claim
