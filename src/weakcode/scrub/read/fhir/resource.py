"""From a Claim or ExplanationOfBenefit resource to a claim. What is not needed for that is not looked at.

The elements are those of https://hl7.org/fhir/R4/claim.html and https://hl7.org/fhir/R4/explanationofbenefit.html; the
codes that tell the setting and types of diagnoses also those of CARIN's profiles and of CMS's BlueButton.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.codes.normalise import canonical
from weakcode.errors import WeakcodeError
from weakcode.fields.parsers import Setting, Sex, parse_date
from weakcode.scrub.read.fhir.details import claim_fields, codings, line_fields, objects
from weakcode.scrub.read.rows import BadRow, reason_of
from weakcode.scrub.read.x12.codes import icd9, is_only_icd10
from weakcode.semantics.verbs import Order
from weakcode.visible import visible

CLAIMS = ("Claim", "ExplanationOfBenefit")

ICD10CM = (
    "http://hl7.org/fhir/sid/icd-10-cm",
    "urn:oid:2.16.840.1.113883.6.90",
    # Strictly the WHO's list, but in American data the same code again, or ICD-10-CM under a wrong name.
    "http://hl7.org/fhir/sid/icd-10",
    "urn:oid:2.16.840.1.113883.6.3",
)
ICD9CM = (
    "http://hl7.org/fhir/sid/icd-9-cm",
    "http://terminology.hl7.org/CodeSystem/icd9cm",
    "http://terminology.hl7.org/CodeSystem/icd9",
    "urn:oid:2.16.840.1.113883.6.103",
    "urn:oid:2.16.840.1.113883.6.2",
)

# Claims of these kinds need no diagnosis.
_UNDIAGNOSED = {"pharmacy": "pharmacy", "pde": "pharmacy", "oral": "dental", "dental": "dental", "vision": "vision"}
# A diagnosis-related group stands among the diagnoses of some payers; it is none.
_GROUPS = re.compile(r"drg|diagnosis-?related-?group", re.IGNORECASE)
_CARIN = "/carin-bb/"
APART = {"admitting": "admitting", "patientreasonforvisit": "reason-for-visit"}
_SETTINGS: dict[str, Setting] = {
    "inpatient": "inpatient", "snf": "inpatient", "outpatient": "outpatient", "professional": "professional",
    "carrier": "professional", "dme": "professional", "oral": "professional",
}  # fmt: skip
_SEXES: dict[str, Sex] = {"male": "M", "female": "F", "248153007": "M", "248152002": "F", "M": "M", "F": "F"}
_SAID_KINDS = frozenset({"admitting", "patientreasonforvisit", "external-cause", "externalcauseofinjury"})
_OTHERS = frozenset({"other", "secondary"})
_POA = re.compile(r"clm(?:_e)?_poa_ind_sw\d+$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d(?:T.*)?", re.DOTALL)
_MOST_NUMBER = 1 << 63
_FARTHEST = (1 << 31) - 1  # the last position that a pointer can lead to, in columns


@attrs.frozen
class Person:
    """What a claim needs of a Patient."""

    birth_date: str | None = None
    sex: Sex | None = None


@attrs.frozen
class KnownResources:
    """Resources of the file that claims refer to, by reference: patients, and the codings of conditions."""

    people: Callable[[str], Person | None] = attrs.field(default=lambda reference: None)
    conditions: Callable[[str], Any] = attrs.field(default=lambda reference: None)
    missed: Callable[[str, int], None] = attrs.field(default=lambda what, times: None)
    """Gets what was not found or passed over, and how often: "patients not found", "groups among diagnoses"."""

    nobody: bool = False
    """Whether there are no patients at all."""

    def person_of(self, reference: str) -> tuple[str | None, Sex | None] | None:
        """Return birth date and sex of the patient that a reference leads to."""
        person = self.people(_key(reference))
        return None if person is None else (person.birth_date, person.sex)


@attrs.frozen
class ClaimResource:
    """A claim, the index in `diagnosis` of each diagnosis, codes outside the list, and of which the order is known."""

    claim: Claim
    indexes: tuple[int, ...]
    other_codes: tuple[tuple[str, str], ...]
    order: Order = "all"


@attrs.frozen
class _Listed:
    index: int
    sequence: int
    kinds: frozenset[str]
    diagnosis: Diagnosis


def claim_id(resource: Mapping[str, Any]) -> str | None:
    """Return the resource's id, or its first identifier."""
    found = resource.get("id")
    if isinstance(found, str) and found:
        return found
    for identifier in objects(resource.get("identifier")):
        value = identifier.get("value")
        if isinstance(value, str) and value:
            return value
    return None


def undiagnosed_kind(resource: Mapping[str, Any]) -> str | None:
    """Return the kind of a claim that lists no diagnosis and needs none ("pharmacy"), None for any other."""
    if resource.get("diagnosis"):
        return None
    return next((_UNDIAGNOSED[kind] for kind in _kinds(resource) if kind in _UNDIAGNOSED), None)


def read_resource(resource: Mapping[str, Any], known: KnownResources) -> ClaimResource:
    """Return the claim of a resource; raises BadRow where a diagnosis or date cannot be read."""
    name = claim_id(resource)
    listed = sorted(_diagnoses(resource, known, name), key=lambda one: one.sequence)
    twice = {one.sequence for one in listed if sum(other.sequence == one.sequence for other in listed) > 1}
    if twice:
        raise BadRow("diagnosis sequence", f"two diagnoses have the sequence {min(twice)}", name)
    unlisted = [(APART[kind], one) for one in listed if (kind := _other_kind(one))]
    among = [one for one in listed if not _other_kind(one)]
    if not among:
        kinds = " and ".join(dict.fromkeys(kind for one in listed if (kind := _other_kind(one))))
        only = f"the claim lists no diagnosis, only one of type {kinds}" if kinds else ""
        raise BadRow("codes", only or "the claim has no diagnosis codes", name)
    first = next((one for one in among if "principal" in one.kinds), None)
    principals = _principals(among)
    again: dict[int, int] = {}
    if first is not None:
        among = [first, *(one for one in among if one is not first)]
        # The list begins with the principal diagnosis once more: it is one diagnosis, as in tables.
        if len(among) > 1 and among[1].diagnosis.code == first.diagnosis.code and not among[1].kinds & _SAID_KINDS:
            again[among.pop(1).sequence] = 1
    person = _person(resource, known)
    setting, carin_order = kind_of(resource)
    try:
        claim = Claim(
            [one.diagnosis for one in among],
            name,
            birth_date=person.birth_date,
            sex=person.sex,
            service_date=_service_date(resource, setting),
            setting=setting,
            payer=_payer(resource),
            principals=principals,
            lines=tuple(_lines(resource, among, [one for _, one in unlisted], again, name)),
            **claim_fields(resource),
        )
    except WeakcodeError as error:
        raise BadRow("dates", reason_of(error), name) from None
    order: Order = "none" if carin_order == "first" and first is None else carin_order
    other_codes = tuple((kind, one.diagnosis.code) for kind, one in unlisted)
    return ClaimResource(claim, tuple(one.index for one in among), other_codes, order)


def person_of(patient: Mapping[str, Any]) -> Person:
    """Return what is needed of a Patient. A birth date without month or day tells no age and is left out."""
    born, gender = patient.get("birthDate"), patient.get("gender")
    sex = _SEXES.get(gender) if isinstance(gender, str) else None
    for extension in objects(patient.get("extension")):
        value = extension.get("valueCode")
        if sex is None and isinstance(value, str) and str(extension.get("url", "")).endswith(("sex", "birthsex")):
            sex = _SEXES.get(value)
    return Person(born if isinstance(born, str) and len(born) >= 10 else None, sex)


def _diagnoses(resource: Mapping[str, Any], known: KnownResources, name: str | None) -> Iterator[_Listed]:
    entries = resource.get("diagnosis")
    if not isinstance(entries, list) or not entries:
        raise BadRow("codes", "the claim has no diagnosis codes", name)
    for index, entry in enumerate(entries):
        at = f"diagnosis[{index}]"
        if not isinstance(entry, dict):
            raise BadRow("diagnosis", f"{at} is no object", name)
        sequence = entry.get("sequence")
        if not isinstance(sequence, int) or isinstance(sequence, bool) or sequence < 1:
            raise BadRow("diagnosis sequence", f"{at} has the sequence {sequence!r}, no number from 1", name)
        code, concept, lost = _code(entry, resource, known)
        if code is None:
            if _is_group(entry, concept):
                known.missed("groups among diagnoses", 1)
                continue
            raise BadRow("codes", _why_no_code(at, concept, lost), name)
        if (bare_code := code.removeprefix("ICD9:")) != code and is_only_icd10(bare_code):
            raise BadRow("codes", f"{at} says ICD-9-CM, but {bare_code} is an ICD-10-CM code", name)
        types = (coding.get("code") for one in objects(entry.get("type")) for coding in codings(one))
        kinds = frozenset(str(kind).lower() for kind in types)
        yield _Listed(index, sequence, kinds, Diagnosis(code, poa=poa_of(entry)))


def _is_group(entry: Mapping[str, Any], concept: Any) -> bool:
    """Tell whether an entry is a diagnosis-related group and no diagnosis."""
    if any(str(coding.get("code")).lower() == "drg" for kind in objects(entry.get("type")) for coding in codings(kind)):
        return True
    systems = [str(coding.get("system")) for coding in codings(concept)]
    if systems:
        return all(_GROUPS.search(system) for system in systems)
    return bool(entry.get("packageCode")) and not entry.get("diagnosisReference")


def _why_no_code(at: str, concept: Any, lost: str | None) -> str:
    named = [coding.get("system") for coding in codings(concept)]
    systems = ", ".join(dict.fromkeys(visible(str(system))[:128] for system in named if system))
    if lost is not None:
        return f"{at} refers to {visible(lost)[:128]}, which is not in the file or in those given with it"
    found = f"; its system is {systems}" if systems else "; its coding names no system" if named else ""
    return f"{at} has no code of ICD-10-CM{found}; its coding must name the system {ICD10CM[0]}"


def _principals(among: list[_Listed]) -> int | None:
    """Return how many codes are named as principal; None where no type of a diagnosis tells one from the others."""
    named = len({one.diagnosis.code for one in among if "principal" in one.kinds})
    return named if named or any(one.kinds & _OTHERS for one in among) else None


def _other_kind(one: _Listed) -> str:
    return "" if "principal" in one.kinds else next((kind for kind in APART if kind in one.kinds), "")


def _code(
    entry: Mapping[str, Any], resource: Mapping[str, Any], known: KnownResources
) -> tuple[str | None, Any, str | None]:
    """Return the code of an entry, what it is coded as, and the reference that leads to nothing, if any."""
    concept = entry.get("diagnosisCodeableConcept")
    reference = _reference(entry.get("diagnosisReference"))
    lost = None
    if not isinstance(concept, dict) and reference:
        contained = {f"#{one.get('id')}": one.get("code") for one in objects(resource.get("contained"))}
        concept = contained.get(reference) or known.conditions(_key(reference))
        if concept is None:
            known.missed("conditions not found", 1)
            lost = reference
    by_system = {
        coding.get("system"): coding["code"].strip()
        for coding in reversed(codings(concept))
        if isinstance(coding.get("code"), str) and isinstance(coding.get("system"), str | None)
    }
    code = next((canonical(by_system[system]) for system in ICD10CM if by_system.get(system)), None)
    old = next((canonical(icd9(by_system[system])) for system in ICD9CM if by_system.get(system)), None)
    return code or old, concept, lost


def poa_of(entry: Mapping[str, Any]) -> str | None:
    """Return the present-on-admission indicator of an entry of `diagnosis`."""
    indicators = [coding.get("code") for coding in codings(entry.get("onAdmission"))]
    for extension in objects(entry.get("extension")):
        value = extension.get("valueCoding")
        if isinstance(value, dict) and _POA.search(str(extension.get("url", ""))):
            indicators.append(value.get("code"))
    found = (code.upper() for code in indicators if isinstance(code, str))
    return next((code for code in found if code in ("Y", "N", "U", "W", "1")), None)


def _person(resource: Mapping[str, Any], known: KnownResources) -> Person:
    reference = _reference(resource.get("patient"))
    if reference is None:
        return Person()
    if reference.startswith("#"):
        for one in objects(resource.get("contained")):
            if one.get("resourceType") == "Patient" and f"#{one.get('id')}" == reference:
                return person_of(one)
    person = known.people(_key(reference))
    if person is None:
        known.missed("patients not found", 1)
    return person or Person()


def kind_of(resource: Mapping[str, Any]) -> tuple[Setting | None, Order]:
    """Return the setting of a resource, and of which diagnoses the order is known, the principal one being given."""
    # A profile of CARIN says that `sequence` is no order.
    is_carin = any(_CARIN in profile for profile in _profiles(resource))
    return _setting(resource), "first" if is_carin else "all"


def _profiles(resource: Mapping[str, Any]) -> list[str]:
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    return [str(profile).lower() for profile in profiles] if isinstance(profiles, list) else []


def _kinds(resource: Mapping[str, Any]) -> list[str]:
    """Return the words of a resource's types and of its profiles' names."""
    kinds = [str(coding.get("code")).lower() for coding in codings(resource.get("type"))]
    kinds += [str(coding.get("code")).lower() for coding in codings(resource.get("subType"))]
    for profile in _profiles(resource):
        kinds += profile.rpartition("/")[2].split("|")[0].split("-")
    return kinds


def _setting(resource: Mapping[str, Any]) -> Setting | None:
    kinds = _kinds(resource)
    # A stay is billed by an institution too, and home health counts as professional at CMS: the narrower word wins.
    if "hha" in kinds or "hospice" in kinds:
        return None
    found = {_SETTINGS[kind] for kind in kinds if kind in _SETTINGS}
    return next((setting for setting in ("inpatient", "outpatient", "professional") if setting in found), None)


def _service_date(resource: Mapping[str, Any], setting: Setting | None) -> str | None:
    period = resource.get("billablePeriod")
    days = [day for name in ("start", "end") if (day := _day(period, name))]
    if days:
        # The day of discharge decides which codes a stay is coded by.
        return days[-1 if setting == "inpatient" else 0]
    served = [
        day
        for item in objects(resource.get("item"))
        if (day := _day(item, "servicedDate") or _day(item.get("servicedPeriod"), "start"))
    ]
    return min(served, default=None)


def _day(holder: Any, name: str) -> str | None:
    value = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    parse_date(value[:10], "service date")
    return value[:10]


def _payer(resource: Mapping[str, Any]) -> str | None:
    insurances = objects(resource.get("insurance"))
    focal = [one for one in insurances if one.get("focal") is True] or insurances
    for holder in (resource.get("insurer"), *(one.get("coverage") for one in focal)):
        if isinstance(holder, dict):
            identifier = holder.get("identifier")
            value = identifier.get("value") if isinstance(identifier, dict) else None
            for name in (holder.get("display"), value):
                if isinstance(name, str) and name.strip():
                    return name
    return None


def _lines(
    resource: Mapping[str, Any], among: list[_Listed], others: list[_Listed], again: dict[int, int], name: str | None
) -> Iterator[ServiceLine]:
    positions = {one.sequence: position for position, one in enumerate(among, start=1)} | again
    unlisted = {one.sequence for one in others}
    items = objects(resource.get("item"))
    # Payers that keep one diagnosis a line give back one: the others may have been pointed to on the claim.
    main_only = resource.get("resourceType") == "ExplanationOfBenefit" and not any(
        isinstance(item.get("diagnosisSequence"), list) and len(item["diagnosisSequence"]) > 1 for item in items
    )
    for place, item in enumerate(items, start=1):
        number, pointers = item.get("sequence"), item.get("diagnosisSequence") or []
        if not isinstance(pointers, list) or not all(type(pointer) is int and pointer > 0 for pointer in pointers):
            raise BadRow("lines", f"item[{place - 1}] has a diagnosisSequence that is no list of numbers from 1", name)
        procedure = next((coding.get("code") for coding in codings(item.get("productOrService"))), None)
        yield ServiceLine(
            number if type(number) is int and abs(number) < _MOST_NUMBER else place,
            # A pointer to nothing keeps pointing to nothing.
            tuple(
                dict.fromkeys(
                    positions.get(pointer, min(max(pointer, len(among) + 1), _FARTHEST))
                    for pointer in pointers
                    if pointer not in unlisted
                )
            ),
            procedure if isinstance(procedure, str) else None,
            main_only=main_only,
            **line_fields(item),
        )


def _reference(value: Any) -> str | None:
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference if isinstance(reference, str) else None


def _key(reference: str) -> str:
    """Return the part of a reference by which it is known: `Patient/1` of an address, an urn as it is."""
    return (
        reference if reference.startswith(("urn:", "#")) else "/".join(reference.split("/_history/")[0].split("/")[-2:])
    )


def keys_of(resource: Mapping[str, Any], full_url: Any) -> Iterator[str]:
    """Yield what a Patient or Condition can be referred to by."""
    identity = resource.get("id")
    if isinstance(identity, str):
        yield f"{resource.get('resourceType')}/{identity}"
    if isinstance(full_url, str) and full_url.startswith("urn:"):
        yield full_url
    elif isinstance(identity, str):
        # Bulk exports have resources by themselves, which urns can only name by their ids.
        yield f"urn:uuid:{identity}"
