"""What a Claim or ExplanationOfBenefit says of payer, provider and bill, and of each item beside its pointers.

Nothing here rejects a claim: what is not of the type that FHIR gives it is not known.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from weakcode.errors import WeakcodeError
from weakcode.fields.parsers import parse_date, reference_of

_REPLACED = ("prior", "replaces")
"""Relationships to the claim that is replaced: FHIR's own code, and that of CARIN's profiles."""
_RENDERING = ("rendering", "performing")
_TAXONOMY = "provider-taxonomy"
"""What stands in the name of NUCC's system of taxonomy codes."""
_PCS = ("/medicare/coding/icd10", "/sid/icd-10-pcs", "/sid/icd-10", "2.16.840.1.113883.6.4")
"""What names of systems of ICD-10-PCS end with, the most usual first."""


def claim_fields(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a claim by name; those that are not known are left out or empty."""
    bill = next(_information_codes(resource, "typeofbill"), "")
    frequency = bill[-1:] if len(bill) != 2 else None
    rendering, taxonomy = _rendering(resource)
    return {
        "payer_id": [value for value in _identifiers(_resolved(resource.get("insurer"), resource)) if value],
        # CMS gives the third digit of the type of bill alone.
        "bill_type": bill if len(bill) > 1 else None,
        "frequency": frequency,
        "original_reference": reference_of(frequency, _original(resource)),
        "provider": _npi(_resolved(resource.get("provider"), resource)),
        "rendering_provider": rendering,
        "rendering_taxonomy": taxonomy,
        "pcs": list(_procedures(resource)),
        "discharge_status": next(_information_codes(resource, "discharge-status"), None),
        "state": state_of(resource),
    }


def _original(resource: Mapping[str, Any]) -> str | None:
    """Return the number of the claim that this one replaces, by which the payer or the provider knows it."""
    for related in objects(resource.get("related")):
        if not any(code in _REPLACED for code in _codes(related.get("relationship"))):
            continue
        reference, claim = related.get("reference"), _resolved(related.get("claim"), resource)
        named = [reference.get("value") if isinstance(reference, dict) else None, *_identifiers(claim)]
        for value in (*named, claim.get("id"), claim.get("reference")):
            if isinstance(value, str) and value.strip():
                return value
    return None


def line_fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a service line by name, from an item."""
    net, quantity = item.get("net"), item.get("quantity")
    charge = _number(net.get("value") if isinstance(net, dict) else None)
    period = item.get("servicedPeriod")
    start, end = (_day(period.get(name)) if isinstance(period, dict) else None for name in ("start", "end"))
    day = _day(item.get("servicedDate"))
    return {
        "modifiers": [code for concept in objects(item.get("modifier")) for code in list(_codes(concept))[:1]],
        "units": _number(quantity.get("value") if isinstance(quantity, dict) else None),
        "charge": _submitted(item) if charge is None else charge,
        "place": next(_codes(item.get("locationCodeableConcept")), None),
        "revenue": next(_codes(item.get("revenue")), None),
        "start": day or start,
        "end": day or end,
    }


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def codings(concept: Any) -> list[dict[str, Any]]:
    """Return the codings of a CodeableConcept."""
    return objects(concept.get("coding")) if isinstance(concept, dict) else []


def _codes(concept: Any) -> Iterator[str]:
    for coding in codings(concept):
        code = coding.get("code")
        if isinstance(code, str) and code.strip():
            yield code.strip()


def _information_codes(resource: Mapping[str, Any], category: str) -> Iterator[str]:
    """Give the codes of the supporting information of a category."""
    for info in objects(resource.get("supportingInfo")):
        if category in _codes(info.get("category")):
            yield from _codes(info.get("code"))


def _procedures(resource: Mapping[str, Any]) -> Iterator[str]:
    """Give the ICD-10-PCS procedures in the order of their sequence."""
    entries = objects(resource.get("procedure"))
    for entry in sorted(entries, key=lambda one: sequence if type(sequence := one.get("sequence")) is int else 0):
        for ending in _PCS:
            of_system = [
                code.strip()
                for coding in codings(entry.get("procedureCodeableConcept"))
                if str(coding.get("system", "")).rstrip("/").lower().endswith(ending)
                and isinstance(code := coding.get("code"), str)
                and code.strip()
            ]
            if of_system:
                yield of_system[0]
                break


def _resolved(holder: Any, resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a reference, or the contained resource that it leads to."""
    reference = holder.get("reference") if isinstance(holder, dict) else None
    if isinstance(reference, str) and reference.startswith("#"):
        return next((one for one in objects(resource.get("contained")) if f"#{one.get('id')}" == reference), {})
    return holder if isinstance(holder, dict) else {}


def _identifiers(holder: Mapping[str, Any], system: str = "") -> Iterator[str]:
    """Give the values of the identifiers whose system has this in its name."""
    identifiers = holder.get("identifier")
    for one in [identifiers] if isinstance(identifiers, dict) else objects(identifiers):
        value = one.get("value")
        if isinstance(value, str) and system in str(one.get("system", "")).lower():
            yield value.strip()


def _npi(holder: Mapping[str, Any]) -> str | None:
    return next(_identifiers(holder, "npi"), None)


def _rendering(resource: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return NPI and taxonomy of who renders: of the first of the team that has an NPI, else the first taxonomy."""
    known = None
    for member in objects(resource.get("careTeam")):
        if any(role in _RENDERING for role in _codes(member.get("role"))):
            npi, taxonomy = _npi(_resolved(member.get("provider"), resource)), _taxonomy(member.get("qualification"))
            if npi:
                return npi, taxonomy
            known = known or taxonomy
    return None, known


def _taxonomy(qualification: Any) -> str | None:
    """Return the code of NUCC's taxonomy; codes of other systems say a specialty in other ways."""
    for coding in codings(qualification):
        system, code = coding.get("system"), coding.get("code")
        if isinstance(system, str) and _TAXONOMY in system and isinstance(code, str) and code.strip():
            return code.strip()
    return None


def state_of(resource: Mapping[str, Any]) -> str | None:
    """Return the state of the facility, else the one state that all items name."""
    facility = _resolved(resource.get("facility"), resource).get("address")
    addresses = [facility] if isinstance(facility, dict) else []
    named = {state for one in addresses if (state := _text(one.get("state")))}
    if not named:
        items = (item.get("locationAddress") for item in objects(resource.get("item")))
        named = {state for one in items if isinstance(one, dict) and (state := _text(one.get("state")))}
    return named.pop() if len(named) == 1 else None


def _submitted(item: Mapping[str, Any]) -> float | None:
    amounts: Iterable[Any] = (
        one.get("amount")
        for one in objects(item.get("adjudication"))
        if any(code.lower() == "submitted" for code in _codes(one.get("category")))
    )
    return next((_number(amount.get("value")) for amount in amounts if isinstance(amount, dict)), None)


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    return (
        float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )


def _day(value: Any) -> dt.date | None:
    try:
        return parse_date(value[:10]) if isinstance(value, str) and len(value) >= 10 else None
    except WeakcodeError:
        return None
