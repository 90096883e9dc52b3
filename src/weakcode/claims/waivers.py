"""Waivers on a claim: findings that do not apply to it, with who says so and why."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from weakcode.claims.keys import no_field, parse_claim_id, without_none
from weakcode.codes.normalise import canonical
from weakcode.errors import InputError
from weakcode.fields import parsers

_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")
_UNRELATED = re.compile(r"\b(?:unrelated|not\s+related)\b", re.IGNORECASE)


def _parse_words(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _parse_until(value: object) -> dt.date | None:
    return parsers.parse_date(value, "last day of the waiver")


def _parse_waived_codes(value: Iterable[str] | str | None) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.replace(";", " ").replace(",", " ").split()
    codes = tuple(value)
    for code in codes:
        if not isinstance(code, str) or not canonical(code):
            raise InputError.about("a waiver names codes such as 'M54.2', found {value}", code)
    return tuple(canonical(code) for code in codes)


@attrs.frozen
class Waiver:
    """Someone's word that a finding does not apply, with the reason.

    It covers the findings of `rule` (a full id) on exactly the `codes`, in any order; on whatever codes when there are
    none. `claim_id` limits it to the claim with this id; one that stands on a claim holds for that claim alone. `until`
    is the last day on which it waives. `place` says where it was written.

    Raises InputError where rule, reason or who is missing, and for a waiver of an Excludes1 rule without its codes or
    with a reason that does not say that the conditions are unrelated, the one exception (Guidelines, section I.A.12.a).
    """

    rule: str = attrs.field(converter=_parse_words)
    reason: str = attrs.field(converter=_parse_words, repr=False)
    who: str = attrs.field(converter=_parse_words, repr=False)
    codes: tuple[str, ...] = attrs.field(default=(), converter=_parse_waived_codes)
    claim_id: str | None = attrs.field(default=None, converter=parse_claim_id)
    until: dt.date | None = attrs.field(default=None, converter=_parse_until)
    place: str = attrs.field(default="", kw_only=True, eq=False)

    def __attrs_post_init__(self) -> None:
        if not _RULE_ID.fullmatch(self.rule):
            raise InputError(
                f'a waiver is for one rule by its full id, such as icd10cm/excludes1, found "{self.rule}"; '
                "a whole pack is left out by a profile"
            )
        if not self.reason:
            raise InputError(f"the waiver of {self.rule} gives no reason; say why the finding does not apply")
        if not self.who:
            raise InputError(f"the waiver of {self.rule} does not say who answers for it")
        if self.rule.partition("/")[2].startswith("excludes1"):
            self._check_unrelated()

    def _check_unrelated(self) -> None:
        if len(set(self.codes)) != 2:
            raise InputError(f"a waiver of {self.rule} names the two codes that may stand together after all")
        if not _UNRELATED.search(self.reason):
            raise InputError(
                f"two codes with an Excludes1 note may stand together only where the conditions are unrelated: the "
                f'reason of a waiver of {self.rule} says "unrelated" and why'
            )

    @property
    def what(self) -> str:
        """The rule and the codes: `icd10cm/excludes1 (M54.2, M50.20)`."""
        return f"{self.rule} ({', '.join(self.codes)})" if self.codes else self.rule


def parse_waivers(value: Iterable[Waiver | Mapping[str, Any]]) -> tuple[Waiver, ...]:
    """Return waivers from a list of them, or of mappings with their fields. Raises InputError."""
    if isinstance(value, str | Mapping):
        raise InputError.about("waivers is a list of waivers, found {value}", value)
    return tuple(waiver if isinstance(waiver, Waiver) else _waiver(waiver) for waiver in value)


def _waiver(value: object) -> Waiver:
    if not isinstance(value, Mapping):
        raise InputError.about("a waiver has rule, codes, reason, who and until, found {value}", value)
    allowed = ("rule", "codes", "reason", "who", "until")
    for key in value:
        if key not in allowed:
            raise no_field("a waiver on a claim", key, allowed)
    return Waiver(**{"rule": "", "reason": "", "who": "", **value})


def plain_waiver(waiver: Waiver) -> dict[str, Any]:
    """Return a waiver as an object of JSON."""
    until = waiver.until and waiver.until.isoformat()
    codes = list(waiver.codes) or None
    return without_none(
        {"rule": waiver.rule, "codes": codes, "reason": waiver.reason, "who": waiver.who, "until": until}
    )
