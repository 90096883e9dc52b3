"""Diagnoses of a claim: a code at a position, with documented text and present-on-admission indicator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import attrs

from weakcode.claims.keys import without_none
from weakcode.codes.normalise import canonical, shown
from weakcode.errors import CodeTypeError, InputError
from weakcode.fields import parsers

_POA = ("Y", "N", "U", "W", "1", "")


def _parse_poa(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and value.strip().upper() in _POA:
        return value.strip().upper() or None
    raise InputError.about("the present-on-admission indicator {value} is not one of Y, N, U, W, 1", value)


@attrs.frozen
class Diagnosis:
    """An ICD-10-CM code on a claim, in canonical dotted form.

    `text` is what the record says, where the caller supplies it; `poa` the present-on-admission indicator. `position`
    is its 1-based place on the claim, given by the claim; 0 as long as it stands on none.
    """

    code: str = attrs.field(repr=shown)
    text: str | None = attrs.field(default=None, converter=parsers.parse_text, repr=False)
    poa: str | None = attrs.field(default=None, converter=_parse_poa)
    position: int = attrs.field(default=0, kw_only=True, eq=False)


def parse_diagnoses(value: Sequence[str | Diagnosis | Mapping[str, Any]] | str) -> tuple[Diagnosis, ...]:
    """Return diagnoses in their order, from codes as a list or as text. Raises InputError and CodeTypeError."""
    if isinstance(value, str):
        value = value.replace(";", " ").replace(",", " ").split()
    if not isinstance(value, Iterable) or isinstance(value, bytes | Mapping | Set):
        kind = type(value).__name__
        raise CodeTypeError(f"codes are a list in the order of the claim, such as ['M62.84', 'I10'], found {kind}")
    diagnoses = []
    code: Any
    for position, item in enumerate(value, start=1):
        if isinstance(item, str):
            code, rest = item, {}
        elif isinstance(item, Mapping):
            unknown = item.keys() - {"code", "text", "poa"}
            if unknown:
                raise InputError.about(
                    f"diagnosis {position} has a field {{value}}; it can have code, text and poa", min(unknown)
                )
            code, rest = item.get("code"), {k: v for k, v in item.items() if k != "code"}
        elif isinstance(item, Diagnosis):
            code, rest = item.code, {"text": item.text, "poa": item.poa}
        else:
            code, rest = item, {}
        if not isinstance(code, str):
            raise CodeTypeError(
                f"diagnosis {position} is of the type {type(code).__name__}; a code is text such as 'M62.81'"
            )
        spelling = canonical(code)
        if not spelling:
            raise InputError(f"diagnosis {position} is empty; a code is text such as 'M62.81'")
        diagnoses.append(Diagnosis(code=spelling, position=position, **rest))
    if not diagnoses:
        raise InputError("the claim has no diagnosis codes; give at least one")
    return tuple(diagnoses)


def plain_diagnosis(one: Diagnosis) -> str | dict[str, Any]:
    """Return a diagnosis as JSON has it: its code, or an object where more is said of it."""
    return without_none({"code": one.code, "text": one.text, "poa": one.poa}) if one.text or one.poa else one.code
