"""A claim: its diagnoses in order, what is known about the patient and the encounter, and what is waived on it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import attrs

from weakcode import fields
from weakcode.base.lazy import lazy
from weakcode.base.objects import VERSION
from weakcode.codes.normalise import canonical, shown
from weakcode.errors import CodeTypeError, InputError, did_you_mean
from weakcode.fields import ABOUT_THE_CLAIM, LINE_FIELDS, LINES, Setting, Sex, plain_value

_POA = ("Y", "N", "U", "W", "1", "")
_RULE_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")
_UNRELATED = re.compile(r"\b(?:unrelated|not\s+related)\b", re.IGNORECASE)


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
    text: str | None = attrs.field(default=None, converter=fields.parse_text, repr=False)
    poa: str | None = attrs.field(default=None, converter=_parse_poa)
    position: int = attrs.field(default=0, kw_only=True, eq=False)


@attrs.frozen
class ServiceLine:
    """A service line. `pointers` are 1-based positions in the claim's diagnoses, the line's main one first.

    A position that the claim does not have is kept: it is a finding, not an error. `procedure` and `modifiers` are
    CPT or HCPCS codes, `units` and `charge` (in dollars) numbers, `place` is the place of service where the line has
    one of its own, `revenue` a revenue code, `start` and `end` are days. `main_only` says that the source
    keeps nothing but each line's main pointer, so that a diagnosis without one may have been pointed to.
    Raises InputError for a value that cannot be.
    """

    number: int = attrs.field(converter=fields.parse_line_number)
    pointers: tuple[int, ...] = attrs.field(default=(), converter=fields.parse_pointers)
    procedure: str | None = attrs.field(default=None, converter=fields.parse_procedure, repr=False)
    modifiers: tuple[str, ...] = attrs.field(default=(), converter=fields.parse_modifiers, kw_only=True, repr=False)
    units: float | None = attrs.field(default=None, converter=fields.parse_units, kw_only=True, repr=False)
    charge: float | None = attrs.field(default=None, converter=fields.parse_charge, kw_only=True, repr=False)
    place: str | None = attrs.field(default=None, converter=fields.parse_place, kw_only=True, repr=False)
    revenue: str | None = attrs.field(default=None, converter=fields.parse_revenue, kw_only=True, repr=False)
    start: dt.date | None = attrs.field(default=None, converter=fields.parse_start, kw_only=True, repr=False)
    end: dt.date | None = attrs.field(default=None, converter=fields.parse_end, kw_only=True, repr=False)
    main_only: bool = attrs.field(default=False, converter=fields.parse_main_only, kw_only=True)


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
    said = {field.name: item[field.name] for field in LINE_FIELDS if item.get(field.name) is not None}
    pointers = said.get("pointers", [])
    if not isinstance(pointers, list) or not all(type(pointer) is int and pointer > 0 for pointer in pointers):
        raise InputError.about(
            f"service line {place} has the pointers {{value}}; a pointer is the position of a diagnosis, from 1",
            pointers,
        )
    try:
        return ServiceLine(**{"number": place, **said})
    except InputError as error:
        raise error.within(f"service line {place}") from None


def _no_field(what: str, key: object, known: Iterable[str]) -> InputError:
    """Return the error that a claim or a part of it has no such field, with the nearest one."""
    hint = did_you_mean(str(key), known := tuple(known))
    return InputError.about(f"{what} has no field {{value}}{hint}; it can have {', '.join(known)}", key)


def _check_line_keys(lines: object) -> None:
    """Raise InputError where a service line, as an object, has a key that no line has; other forms pass."""
    known = tuple(field.name for field in LINE_FIELDS)
    for place, line in enumerate(lines if isinstance(lines, list | tuple) else (), start=1):
        for key in line if isinstance(line, dict) else ():
            if key not in known:
                raise _no_field(f"service line {place}", key, known)


def _plain_line(line: ServiceLine) -> dict[str, Any]:
    """Return a line as an object of JSON, with what is known of it."""
    values = {field.name: plain_value(getattr(line, field.name)) for field in LINE_FIELDS}
    values["main_only"] = line.main_only or None
    return {"number": line.number, "pointers": list(line.pointers), **_said(values)}


def _parse_words(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _parse_claim_id(value: object) -> str | None:
    return None if value is None else str(value)


def _parse_until(value: object) -> dt.date | None:
    return fields.parse_date(value, "last day of the waiver")


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
    claim_id: str | None = attrs.field(default=None, converter=_parse_claim_id)
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


def _parse_waivers(value: Iterable[Waiver | Mapping[str, Any]]) -> tuple[Waiver, ...]:
    if isinstance(value, str | Mapping):
        raise InputError.about("waivers is a list of waivers, found {value}", value)
    return tuple(waiver if isinstance(waiver, Waiver) else _waiver(waiver) for waiver in value)


def _waiver(value: object) -> Waiver:
    if not isinstance(value, Mapping):
        raise InputError.about("a waiver has rule, codes, reason, who and until, found {value}", value)
    allowed = ("rule", "codes", "reason", "who", "until")
    for key in value:
        if key not in allowed:
            raise _no_field("a waiver on a claim", key, allowed)
    return Waiver(**{"rule": "", "reason": "", "who": "", **value})


def _parse_diagnoses(value: Sequence[str | Diagnosis | Mapping[str, Any]] | str) -> tuple[Diagnosis, ...]:
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
        spelled = canonical(code)
        if not spelled:
            raise InputError(f"diagnosis {position} is empty; a code is text such as 'M62.81'")
        diagnoses.append(Diagnosis(code=spelled, position=position, **rest))
    if not diagnoses:
        raise InputError("the claim has no diagnosis codes; give at least one")
    return tuple(diagnoses)


@attrs.frozen(slots=False)
class Claim:
    """Ordered diagnoses and what is known about the encounter. Position 1 is the first-listed (principal) diagnosis.

    `codes` takes codes in any spelling, `Diagnosis` objects, or mappings with `code`, `text` and `poa`. Unknown codes
    are kept: they are findings, not errors. What is not known stays None, and no rule that needs it is evaluated.
    `payer_id` are ids of the payer, `plan` is the type of plan (a claim filing indicator, SBR09 of an 837), `bill_type`
    the type of bill without its leading zero, `frequency` the claim frequency code, `original_reference`
    the payer's number of the claim that it replaces (`MISSING` where the source has a place for one and leaves it
    blank), `principals` how many diagnoses the source names as principal, `place` the place of service,
    `provider` and `rendering_provider` are NPIs, `state` is where the service was given.
    `waivers` are for findings on this claim, as `Waiver` objects or mappings. The repr of a claim has its id and codes
    and nothing else that it says about a person.

    Raises CodeTypeError for a code that is not text, InputError for a value that cannot be.
    """

    diagnoses: tuple[Diagnosis, ...] = attrs.field(converter=_parse_diagnoses, alias="codes")
    id: str | None = attrs.field(default=None, converter=_parse_claim_id)
    age: int | None = attrs.field(default=None, converter=fields.parse_age, kw_only=True, repr=False)
    sex: Sex | None = attrs.field(default=None, converter=fields.parse_sex, kw_only=True, repr=False)
    birth_date: dt.date | None = attrs.field(default=None, converter=fields.parse_birth_date, kw_only=True, repr=False)
    service_date: dt.date | None = attrs.field(
        default=None, converter=fields.parse_service_date, kw_only=True, repr=False
    )
    setting: Setting | None = attrs.field(default=None, converter=fields.parse_setting, kw_only=True)
    payer: str | None = attrs.field(default=None, converter=fields.parse_payer, kw_only=True, repr=False)
    documented: frozenset[str] = attrs.field(default=(), converter=fields.parse_facts, kw_only=True, repr=False)
    payer_id: tuple[str, ...] = attrs.field(default=(), converter=fields.parse_payer_ids, kw_only=True, repr=False)
    plan: str | None = attrs.field(default=None, converter=fields.parse_plan, kw_only=True, repr=False)
    bill_type: str | None = attrs.field(default=None, converter=fields.parse_bill_type, kw_only=True, repr=False)
    frequency: str | None = attrs.field(default=None, converter=fields.parse_frequency, kw_only=True, repr=False)
    original_reference: str | None = attrs.field(
        default=None, converter=fields.parse_original_reference, kw_only=True, repr=False
    )
    principals: int | None = attrs.field(default=None, converter=fields.parse_principals, kw_only=True, repr=False)
    place: str | None = attrs.field(default=None, converter=fields.parse_place, kw_only=True, repr=False)
    provider: str | None = attrs.field(default=None, converter=fields.parse_provider, kw_only=True, repr=False)
    provider_taxonomy: str | None = attrs.field(default=None, converter=fields.parse_taxonomy, kw_only=True, repr=False)
    rendering_provider: str | None = attrs.field(
        default=None, converter=fields.parse_rendering_provider, kw_only=True, repr=False
    )
    state: str | None = attrs.field(default=None, converter=fields.parse_state, kw_only=True, repr=False)
    lines: tuple[ServiceLine, ...] = attrs.field(default=(), converter=parse_lines, kw_only=True)
    waivers: tuple[Waiver, ...] = attrs.field(default=(), converter=_parse_waivers, kw_only=True, repr=False)

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
        born, seen = self.birth_date, self.service_date
        return seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))

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
                raise _no_field("a claim", key, known)
        _check_line_keys(values.get(LINES))
        codes = values.get("codes")
        said = {key: values[key] for key in optional if values.get(key) is not None}
        return cls(() if codes is None else codes, claim_id_of(values), **said)

    def to_dict(self) -> dict[str, Any]:
        """Return the claim as an object with what is known of it, as JSON Lines have it; dates are ISO text.

        A diagnosis is its code, or an object where more is said of it. `from_dict` returns the claim again.
        """
        values = {
            "version": VERSION,
            "claim_id": self.id,
            "codes": [_plain_diagnosis(one) for one in self.diagnoses],
            **{name: plain_value(getattr(self, name)) for name in ABOUT_THE_CLAIM},
            "lines": [_plain_line(line) for line in self.lines] or None,
            "waivers": [_plain_waiver(waiver) for waiver in self.waivers] or None,
        }
        return _said(values)


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
    return second if first is None else first


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _plain_diagnosis(one: Diagnosis) -> str | dict[str, Any]:
    return _said({"code": one.code, "text": one.text, "poa": one.poa}) if one.text or one.poa else one.code


def _plain_waiver(waiver: Waiver) -> dict[str, Any]:
    until = waiver.until and waiver.until.isoformat()
    codes = list(waiver.codes) or None
    return _said({"rule": waiver.rule, "codes": codes, "reason": waiver.reason, "who": waiver.who, "until": until})
