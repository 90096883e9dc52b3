"""Lines of JSON, each an object."""

from __future__ import annotations

import json
from typing import Any

from weakcode.fields import ABOUT_THE_CLAIM
from weakcode.scrub.read.keys import may_repeat, read_again, told
from weakcode.scrub.read.rows import BadRow

Line = tuple[int, bytes | None]
"""A 1-based number and the bytes of the line, None where there are too many."""
KNOWN = {"claim_id", "id", "codes", "lines", "waivers", *ABOUT_THE_CLAIM}
"""The keys that are read."""


def object_in(text: str) -> dict[str, Any]:
    """Return the object that a line of JSON is; raises BadRow for anything else."""
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise BadRow("JSON", f"the line is not JSON: {error.msg} at character {error.colno}") from None
    except (ValueError, RecursionError):
        raise BadRow("JSON", "the line holds a number or a nesting that is too large to read") from None
    if not isinstance(values, dict):
        raise BadRow("JSON", 'the line is JSON but no object; expected {"claim_id": …, "codes": […]}')
    if may_repeat(text, values) and (key := read_again(text)) is not None:
        raise BadRow("JSON", told(key, KNOWN))
    if "\\ud" in text.lower():
        try:
            json.dumps(values, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise BadRow("encoding", "the line escapes half of a surrogate pair, which is no character") from None
    return values
