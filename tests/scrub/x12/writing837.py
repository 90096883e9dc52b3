"""Writes 837 files for tests and benchmarks, by the guides' loops and with nothing of the reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from weakcode.claims import Claim

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
        values = ["ABK" if at == 0 else "ABF", code]
        if diagnosis.poa:
            values += [""] * 6 + [diagnosis.poa]
        parts.append(signs.component.join(values))
    if kind == "I":
        yield ["HI", parts.pop(0)]
    for at in range(0, len(parts), 12):
        yield ["HI", *parts[at : at + 12]]


def _claim(claim: Claim, kind: str, signs: Signs, level: int) -> Iterator[list[str]]:
    """The loops 2000B to 2400 of one claim. The patient is the subscriber."""
    yield ["HL", str(level), "1", "22", "0"]
    yield ["SBR", "P", "18", "", "", "", "", "", "", "CI"]
    yield ["NM1", "IL", "1", "DOE", "JO", "", "", "", "MI", "123456"]
    born = f"{claim.birth_date:%Y%m%d}" if claim.birth_date else ""
    if born or claim.sex:
        yield ["DMG", "D8", born, claim.sex or "U"]
    if claim.payer:
        yield ["NM1", "PR", "2", claim.payer, "", "", "", "", "PI", "00435"]
    facility = TYPES_OF_BILL[str(claim.setting)] if kind == "I" else "11"
    place = signs.component.join([facility, "A" if kind == "I" else "B", "1"])
    yield ["CLM", claim.id or "", "100", "", "", place, "Y", "A", "Y", "Y"]
    date = f"{claim.service_date:%Y%m%d}" if claim.service_date else ""
    if kind == "I" and date:
        yield ["DTP", "434", "RD8", f"{date}-{date}"]
    yield ["REF", "D9", "123"]
    yield from _hi(claim, kind, signs)
    yield ["NM1", "82", "1", "WELBY", "MARCUS", "", "", "", "XX", "1234567893"]
    yield ["SBR", "S", "01", "", "", "", "", "", "", "CI"]
    yield ["OI", "", "", "Y", "", "", "Y"]
    yield ["NM1", "IL", "1", "ROE", "JANE"]
    yield ["NM1", "PR", "2", "OTHER PAYER", "", "", "", "", "PI", "1"]
    for line in claim.lines:
        yield ["LX", str(line.number)]
        service = signs.component.join(["AD" if kind == "D" else "HC", line.procedure or ""])
        pointers = signs.component.join(map(str, line.pointers))
        if kind == "P":
            yield ["SV1", service, "10", "UN", "1", "", "", pointers]
        elif kind == "I":
            yield ["SV2", "0300", service, "10", "UN", "1"]
        else:
            yield ["SV3", service, "10", "", "", "", "1", "", "", "", "", pointers]
        if date and kind != "I":
            yield ["DTP", "472", "D8", date]


def transaction(claims: Iterable[Claim], kind: str, number: int = 1, signs: Signs = USUAL) -> Iterator[list[str]]:
    """The segments of one transaction, ST to SE, as lists of elements."""
    written = 2
    yield ["ST", "837", f"{number:04}", VERSIONS[kind]]
    for segment in (
        ["BHT", "0019", "00", "1", "20260401", "1200", "CH"],
        ["HL", "1", "", "20", "1"],
        ["NM1", "85", "2", "CLINIC", "", "", "", "", "XX", "1234567893"],
    ):
        written += 1
        yield segment
    for level, claim in enumerate(claims, start=2):
        for segment in _claim(claim, kind, signs, level):
            written += 1
            yield segment
    yield ["SE", str(written), f"{number:04}"]


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
