"""Keys of a claim as an object: those that are not known, ids, and values that are not given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from weakcode.errors import InputError, did_you_mean


def no_field(what: str, key: object, known: Iterable[str]) -> InputError:
    """Return the error that a claim or a part of it has no such field, with the nearest one."""
    known = tuple(known)
    # "date" is nearer to the service date than to the state, whatever its letters say.
    whole = [one for one in known if str(key).lower() in one.split("_")]
    hint = f' (did you mean "{whole[0]}"?)' if whole else did_you_mean(str(key), known)
    return InputError.about(
        f"{what} has a field {{value}} that is not known{hint}; it can have {', '.join(known)}", key
    )


def without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are given."""
    return {name: value for name, value in values.items() if value is not None}


def parse_claim_id(value: object) -> str | None:
    """Return an id as text, None where there is none."""
    return None if value is None else str(value)
