"""A claim: its diagnoses in order, what is known about the patient and the encounter, and what is waived on it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from weakcode.base.lazy import lazy
from weakcode.base.objects import VERSION
from weakcode.claims.diagnoses import Diagnosis, parse_diagnoses, plain_diagnosis
from weakcode.claims.keys import no_field, parse_claim_id, without_none
from weakcode.claims.servicelines import ServiceLine, check_line_keys, parse_lines, plain_line
from weakcode.claims.waivers import Waiver, parse_waivers, plain_waiver
from weakcode.errors import CodeTypeError, InputError
from weakcode.fields import ABOUT_THE_CLAIM, LINES, parsers
from weakcode.fields.parsers import Setting, Sex, plain_value

__all__ = ["Claim", "ClaimLike", "Diagnosis", "ServiceLine", "Waiver", "claim_id_of", "parse_lines"]


@attrs.frozen(slots=False)
class Claim:
    """Ordered diagnoses and what is known about the encounter. Position 1 is the first-listed (principal) diagnosis.

    `codes` takes codes in any spelling, `Diagnosis` objects, or mappings with `code`, `text` and `poa`. Unknown codes
    are kept: they are findings, not errors. What is not known stays None, and no rule that needs it is evaluated.
    `payer_id` are ids of the payer, `plan` is the type of plan (a claim filing indicator, SBR09 of an 837), `bill_type`
    the type of bill without its leading zero, `frequency` the claim frequency code, `original_reference`
    the payer's number of the claim that it replaces (`MISSING` where the source has a place for one and leaves it
    blank), `principals` how many diagnoses the source names as principal, `place` the place of service,
    `provider` and `rendering_provider` are NPIs, with taxonomy codes beside them, `state` is where the service was
    given. `pcs` are the ICD-10-PCS procedures of an inpatient stay and `discharge_status` how it ended; a DRG rests on
    them.
    `waivers` are for findings on this claim, as `Waiver` objects or mappings. The repr of a claim has its id and codes
    and nothing else that it says about a person.

    Raises CodeTypeError for a code that is not text, InputError for a value that cannot be.
    """

    diagnoses: tuple[Diagnosis, ...] = attrs.field(converter=parse_diagnoses, alias="codes")
    id: str | None = attrs.field(default=None, converter=parse_claim_id)
    age: int | None = attrs.field(default=None, converter=parsers.parse_age, kw_only=True, repr=False)
    sex: Sex | None = attrs.field(default=None, converter=parsers.parse_sex, kw_only=True, repr=False)
    birth_date: dt.date | None = attrs.field(default=None, converter=parsers.parse_birth_date, kw_only=True, repr=False)
    service_date: dt.date | None = attrs.field(
        default=None, converter=parsers.parse_service_date, kw_only=True, repr=False
    )
    setting: Setting | None = attrs.field(default=None, converter=parsers.parse_setting, kw_only=True)
    payer: str | None = attrs.field(default=None, converter=parsers.parse_payer, kw_only=True, repr=False)
    documented: frozenset[str] = attrs.field(default=(), converter=parsers.parse_facts, kw_only=True, repr=False)
    payer_id: tuple[str, ...] = attrs.field(default=(), converter=parsers.parse_payer_ids, kw_only=True, repr=False)
    plan: str | None = attrs.field(default=None, converter=parsers.parse_plan, kw_only=True, repr=False)
    bill_type: str | None = attrs.field(default=None, converter=parsers.parse_bill_type, kw_only=True, repr=False)
    frequency: str | None = attrs.field(default=None, converter=parsers.parse_frequency, kw_only=True, repr=False)
    original_reference: str | None = attrs.field(
        default=None, converter=parsers.parse_original_reference, kw_only=True, repr=False
    )
    principals: int | None = attrs.field(default=None, converter=parsers.parse_principals, kw_only=True, repr=False)
    place: str | None = attrs.field(default=None, converter=parsers.parse_place, kw_only=True, repr=False)
    provider: str | None = attrs.field(default=None, converter=parsers.parse_provider, kw_only=True, repr=False)
    provider_taxonomy: str | None = attrs.field(
        default=None, converter=parsers.parse_taxonomy, kw_only=True, repr=False
    )
    rendering_provider: str | None = attrs.field(
        default=None, converter=parsers.parse_rendering_provider, kw_only=True, repr=False
    )
    rendering_taxonomy: str | None = attrs.field(
        default=None, converter=parsers.parse_rendering_taxonomy, kw_only=True, repr=False
    )
    state: str | None = attrs.field(default=None, converter=parsers.parse_state, kw_only=True, repr=False)
    pcs: tuple[str, ...] = attrs.field(default=(), converter=parsers.parse_pcs, kw_only=True, repr=False)
    discharge_status: str | None = attrs.field(
        default=None, converter=parsers.parse_discharge, kw_only=True, repr=False
    )
    lines: tuple[ServiceLine, ...] = attrs.field(default=(), converter=parse_lines, kw_only=True)
    waivers: tuple[Waiver, ...] = attrs.field(default=(), converter=parse_waivers, kw_only=True, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.birth_date and self.service_date and self.birth_date > self.service_date:
            raise InputError.about("the birth date is after the service date {value}", str(self.service_date))

    @lazy
    def codes(self) -> tuple[str, ...]:
        """The codes in order, canonical."""
        return tuple(diagnosis.code for diagnosis in self.diagnoses)

    @lazy
    def age_in_years(self) -> int | None:
        """The age given, or the age in completed years on the service date; None when neither is known."""
        if self.age is not None or self.birth_date is None or self.service_date is None:
            return self.age
        birth, service = self.birth_date, self.service_date
        return service.year - birth.year - ((service.month, service.day) < (birth.month, birth.day))

    @classmethod
    def of(cls, value: ClaimLike) -> Claim:
        """Return the claim that a claim, a list of codes or an object of fields stands for; raises CodeTypeError."""
        if isinstance(value, Claim):
            return value
        if isinstance(value, Mapping):
            return cls.from_dict(value)
        if not isinstance(value, Iterable):
            kind = type(value).__name__
            raise CodeTypeError(f"a claim is a weakcode.Claim, a list of codes or an object, found {kind}")
        return cls(value)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Claim:
        """Return the claim that an object is: the keys of JSON Lines, `id` and `claim_id` being one.

        Raises InputError for a key that a claim has not and for two ids that differ, and what the class raises.
        """
        if not isinstance(values, Mapping):
            raise InputError.about("a claim as an object is a mapping of its fields, found {value}", values)
        optional = (*ABOUT_THE_CLAIM, LINES, "waivers")
        known = ("claim_id", "id", "codes", *optional, "version")
        _check_version(values)
        for key in values:
            if key not in known:
                raise no_field("a claim", key, known)
        check_line_keys(values.get(LINES))
        codes = values.get("codes")
        fields = {key: values[key] for key in optional if values.get(key) is not None}
        return cls(() if codes is None else codes, claim_id_of(values), **fields)

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as an object with what is known of it, as JSON Lines have it; dates are ISO text.

        A diagnosis is its code, or an object where more is said of it. `from_dict` returns the claim again.
        """
        values = {
            "version": VERSION,
            "claim_id": self.id,
            "codes": [plain_diagnosis(one) for one in self.diagnoses],
            **{name: plain_value(getattr(self, name)) for name in ABOUT_THE_CLAIM},
            "lines": [plain_line(line) for line in self.lines] or None,
            "waivers": [plain_waiver(waiver) for waiver in self.waivers] or None,
        }
        return without_none(values)


ClaimLike = Claim | Sequence[str | Diagnosis | Mapping[str, Any]] | Mapping[str, Any] | str
"""What a claim can be given as: a `Claim`, a list of codes, or a mapping with the fields of a claim."""


def _check_version(values: Mapping[str, Any]) -> None:
    version = values.get("version", VERSION)
    if version is not None and (type(version) is not int or not 1 <= version <= VERSION):
        raise InputError(f"the claim has a version that this weakcode does not read; it reads version {VERSION}")


def claim_id_of(values: Mapping[str, Any]) -> Any:
    """Return the id that an object gives a claim, as `claim_id` or as `id`; raises InputError where they differ."""
    first, second = values.get("claim_id"), values.get("id")
    if first is not None and second is not None and first != second:
        raise InputError("the claim has two ids, id and claim_id, which differ; give one of them")
    found = second if first is None else first
    # JSON knows one kind of number: 7.0 is 7.
    return int(found) if isinstance(found, float) and found.is_integer() else found
