"""Writes 837 files for tests and benchmarks, by the guides' loops and with nothing of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from weakcode.claims import Claim, ServiceLine

VERSIONS = {"P": "005010X222A1", "I": "005010X223A2", "D": "005010X224A2"}
TYPES_OF_BILL = {"inpatient": "11", "outpatient": "13"}


class Signs(NamedTuple):
    """Delimiters, and what is written after each segment."""

    element: str = "*"
    component: str = ":"
    segment: str = "~"
    after: str = ""


USUAL = Signs()


def isa(signs: Signs, number: int) -> list[str]:
    """Return the elements of an ISA segment."""
    return [
        "ISA", "00", " " * 10, "00", " " * 10, "ZZ", "SENDER".ljust(15), "ZZ", "RECEIVER".ljust(15), "260401", "1200",
        "^", "00501", f"{number:09}", "0", "T", signs.component,
    ]  # fmt: skip


def _hi(claim: Claim, kind: str, signs: Signs) -> Iterator[list[str]]:
    """The principal diagnosis in a segment of its own for institutions; twelve to a segment."""
    parts = []
    for at, diagnosis in enumerate(claim.diagnoses):
        code = diagnosis.code.replace(".", "")
        values = ["ABK" if at < (1 if claim.principals is None else claim.principals) else "ABF", code]
        if diagnosis.poa:
            values += [""] * 6 + [diagnosis.poa]
        parts.append(signs.component.join(values))
    if kind == "I":
        yield ["HI", parts.pop(0)]
    for at in range(0, len(parts), 12):
        yield ["HI", *parts[at : at + 12]]
    if claim.pcs:
        yield ["HI", signs.component.join(["BBR", claim.pcs[0], "D8", "20260501"])]
    if claim.pcs[1:]:
        yield ["HI", *(signs.component.join(["BBQ", code]) for code in claim.pcs[1:])]


def _claim(claim: Claim, kind: str, signs: Signs, level: int) -> Iterator[list[str]]:
    """The loops 2000B to 2400 of one claim. The patient is the subscriber."""
    yield ["HL", str(level), "1", "22", "0"]
    yield ["SBR", "P", "18", *[""] * 6, claim.plan or ""]
    yield ["NM1", "IL", "1", "DOE", "JO", "", "", "", "MI", "123456"]
    yield ["N4", "HOMETOWN", "NV", "89001"]
    born = f"{claim.birth_date:%Y%m%d}" if claim.birth_date else ""
    if born or claim.sex:
        yield ["DMG", "D8", born, claim.sex or "U"]
    if claim.payer:
        yield ["NM1", "PR", "2", claim.payer, "", "", "", "", "PI", *claim.payer_id[:1]]
        yield ["N4", "FAR OFF", "NV", "89001"]
    yield ["CLM", claim.id or "", "100", "", "", signs.component.join(_where(claim, kind)), "Y", "A", "Y", "Y"]
    date = f"{claim.service_date:%Y%m%d}" if claim.service_date else ""
    if kind == "I" and date:
        yield ["DTP", "434", "RD8", f"{date}-{date}"]
    if claim.discharge_status:
        yield ["CL1", "1", "7", claim.discharge_status]
    yield ["REF", "D9", "123"]
    if claim.original_reference not in (None, "MISSING"):
        yield ["REF", "F8", claim.original_reference or ""]
    yield from _hi(claim, kind, signs)
    if claim.rendering_provider:
        yield ["NM1", "82", "1", "WELBY", "MARCUS", "", "", "", "XX", claim.rendering_provider]
        if claim.rendering_taxonomy:
            yield ["PRV", "PE", "PXC", claim.rendering_taxonomy]
    yield ["SBR", "S", "01", "", "", "", "", "", "", "ZZ"]
    yield ["OI", "", "", "Y", "", "", "Y"]
    yield ["NM1", "IL", "1", "ROE", "JANE"]
    yield ["NM1", "PR", "2", "OTHER PAYER", "", "", "", "", "PI", "1"]
    for line in claim.lines:
        yield from _line(line, kind, signs)


def _where(claim: Claim, kind: str) -> list[str]:
    """CLM05: place or type of bill, which of them it is, and the frequency."""
    if kind == "I":
        return [(claim.bill_type or TYPES_OF_BILL[str(claim.setting)])[:2], "A", claim.frequency or ""]
    return [claim.place or "", "B", claim.frequency or ""]


def _line(line: ServiceLine, kind: str, signs: Signs) -> Iterator[list[str]]:
    yield ["LX", str(line.number)]
    service = signs.component.join(["AD" if kind == "D" else "HC", line.procedure or "", *line.modifiers])
    pointers = signs.component.join(map(str, line.pointers))
    charge, units, place = _number(line.charge), _number(line.units), line.place or ""
    if kind == "P":
        yield ["SV1", service, charge, "UN", units, place, "", pointers]
    elif kind == "I":
        yield ["SV2", line.revenue or "", service, charge, "UN", units]
    else:
        yield ["SV3", service, charge, place, "", "", units, "", "", "", "", pointers]
    if line.start and line.end:
        days = [f"{day:%Y%m%d}" for day in (line.start, line.end)]
        yield ["DTP", "472", "D8", days[0]] if line.start == line.end else ["DTP", "472", "RD8", "-".join(days)]
    if line.rendering_provider or line.rendering_taxonomy:
        yield ["NM1", "82", "1", "KILDARE", "J", "", "", "", *(["XX", line.rendering_provider or ""])]
    if line.rendering_taxonomy:
        yield ["PRV", "PE", "PXC", line.rendering_taxonomy]
    yield ["NM1", "DQ", "1", "SUPERVISOR", "A", "", "", "", "XX", "1234567893"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.15g}"


def _billing(claim: Claim, level: int) -> Iterator[list[str]]:
    """The loops 2000A and 2010A: who bills."""
    yield ["HL", str(level), "", "20", "1"]
    if claim.provider_taxonomy:
        yield ["PRV", "BI", "PXC", claim.provider_taxonomy]
    yield ["NM1", "85", "2", "CLINIC", "", "", "", "", *(["XX", claim.provider] if claim.provider else [])]
    if claim.state:
        yield ["N4", "TOWN", claim.state, "94000"]
    yield ["NM1", "87", "2"]
    yield ["N4", "POST OFFICE", "NV", "89001"]


def transaction(claims: Iterable[Claim], kind: str, number: int = 1, signs: Signs = USUAL) -> Iterator[list[str]]:
    """The segments of one transaction, ST to SE, as lists of elements."""
    written = 2
    yield ["ST", "837", f"{number:04}", VERSIONS[kind]]
    yield ["BHT", "0019", "00", "1", "20260401", "1200", "CH"]
    level, billing = 0, None
    for claim in claims:
        segments: list[list[str]] = []
        bills = (claim.provider, claim.provider_taxonomy, claim.state)
        if bills != billing:
            level, billing = level + 1, bills
            segments += _billing(claim, level)
        level += 1
        segments += _claim(claim, kind, signs, level)
        written += len(segments)
        yield from segments
    yield ["SE", str(written + 1), f"{number:04}"]


def interchange(claims: Iterable[Claim], kind: str, number: int = 1, signs: Signs = USUAL) -> Iterator[str]:
    """The text of one interchange with one transaction, segment by segment."""
    segments = [
        isa(signs, number),
        ["GS", "HC", "SENDER", "RECEIVER", "20260401", "1200", "1", "X", VERSIONS[kind]],
    ]
    end = signs.segment + signs.after
    for segment in segments:
        yield signs.element.join(segment) + end
    for segment in transaction(claims, kind, number, signs):
        yield signs.element.join(segment).rstrip(signs.element) + end
    for segment in (["GE", "1", "1"], ["IEA", "1", f"{number:09}"]):
        yield signs.element.join(segment) + end
