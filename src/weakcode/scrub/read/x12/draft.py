"""A claim of an 837 as its segments come in, and the claim that they make."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import attrs

from weakcode.claims import Claim, Diagnosis, ServiceLine
from weakcode.codes.normalise import canonical
from weakcode.errors import WeakcodeError
from weakcode.fields.parsers import Sex, parse_date, parse_sex, reference_of
from weakcode.scrub.read.rows import BadRow, Record, Rejected, reason_of
from weakcode.scrub.read.x12.codes import (
    DIAGNOSES,
    EXTERNAL,
    NO_DIAGNOSES,
    PRINCIPAL,
    PROCEDURES,
    SEGMENTS,
    DiagnosisKind,
    codes_in,
    icd9,
    is_only_icd10,
    kind_by_services,
    setting_of,
)
from weakcode.scrub.read.x12.elements import components, decoded, value_at
from weakcode.scrub.read.x12.parties import FACILITIES, RENDERING, Parties, npi
from weakcode.scrub.read.x12.segments import Delimiters
from weakcode.scrub.read.x12.services import LAYOUTS, Services

KINDS = ("", "professional", "institutional", "dental")
"""What a transaction may be, as far as its guide tells; in the order of the native reader's numbers."""
_ORIGINAL = "F8"
"""What REF01 says of the payer's number of the claim that is replaced or voided."""
_MOST_SEGMENTS = 20_000
_LONGEST_CODE = 30
_DATE_FORMS = ("D8", "RD8", "DT", "TM")
_DIGITS = re.compile(r"\d+(?:-\d+)?")


@attrs.define
class Patient:
    """What the subscriber or patient loop says of the patient. `problem` is the first thing that cannot be read."""

    birth_date: dt.date | None = None
    sex: Sex | None = None
    problem: BadRow | None = None

    def describe(self, elements: list[str]) -> None:
        """Take a DMG segment."""
        try:
            if value_at(elements, 2):
                self.birth_date = _day(value_at(elements, 1), value_at(elements, 2), "birth date")[0]
            self.sex = parse_sex(value_at(elements, 3))
        except BadRow as error:
            self.problem = error
        except WeakcodeError as error:
            self.problem = BadRow("sex", reason_of(error))


@attrs.define
class Envelope:
    """Control numbers and kind of the transaction that a claim stands in."""

    interchange: str = ""
    transaction: str = ""
    kind: str = ""

    def place(self, segment: int, more: str = "") -> str:
        """Return the place of a segment, counted from the transaction's ST as 1, as acknowledgements do."""
        if not self.transaction:
            # Between transactions nothing is counted that anyone else would count from.
            return f"interchange {self.interchange}, outside any transaction{more}"
        return f"interchange {self.interchange}, transaction {self.transaction}, segment {segment}{more}"


@attrs.frozen
class Origin:
    """The bytes of a claim in its file, from CLM to the next claim, level or trailer, and their delimiters."""

    start: int
    stop: int
    delimiters: Delimiters


@attrs.frozen
class _Found:
    role: int
    diagnosis: Diagnosis
    place: str
    line: int
    column: int
    order: int


class Draft:
    """A claim whose segments are being read, from CLM to the segment before the next claim, level or trailer.

    The first thing that is wrong with it is kept; the claim is then rejected when it ends.
    """

    def __init__(
        self,
        envelope: Envelope,
        number: int,
        line: int,
        column: int,
        patient: Patient,
        parties: Parties,
        file: str,
        delimiters: Delimiters,
        start: int = 0,
    ) -> None:
        self._envelope = envelope
        self._signs = delimiters
        self._file = file
        self._line, self._column = line, column
        self._patient = patient
        self._parties = parties
        self._place = envelope.place(number, _column(column))
        self._start = self.stop = start
        self._raw: list[str] = []
        self._size = 0
        self._id: str | None = None
        self._facility = self._facility_form = self._frequency = ""
        self._services = Services(delimiters.component)
        self._entity = self._state = self._original = ""
        self._rendering = self._rendering_taxonomy = self._discharge = ""
        self._procedures: list[str] = []
        self._found: list[_Found] = []
        self._other_codes: list[tuple[str, str]] = []
        self._dates: dict[str, tuple[dt.date, dt.date]] = {}
        self._line_date: dt.date | None = None
        self.problem: BadRow | None = patient.problem
        self.in_lines = False
        self.other_payers = False

    def fail(self, part: str, reason: str) -> None:
        """Reject the claim for this, unless it is rejected already."""
        if self.problem is None:
            self.problem = BadRow(part, reason)

    def add(self, text: str, elements: list[str], number: int, line: int, column: int) -> None:
        """Take a segment of the claim."""
        if len(self._raw) < _MOST_SEGMENTS:
            self._raw.append(text)
        else:
            self.fail("length", f"the claim has more than {_MOST_SEGMENTS:,} segments")
            return
        tag = elements[0]
        try:
            if tag == "HI":
                self._diagnoses(elements, number, line, column)
            elif tag == "DTP":
                self._date(elements)
            elif tag == "LX":
                self.in_lines = True
                self._services.begin(elements)
            elif tag in LAYOUTS:
                self.in_lines = True
                self._services.take(tag, elements)
            elif tag in ("NM1", "PRV") and self.in_lines:
                self._services.party(tag, elements)
            elif tag in ("NM1", "N4", "PRV") and not self.other_payers and not self.in_lines:
                self._party(tag, elements)
            elif tag == "CL1" and not (self.in_lines or self.other_payers):
                self._discharge = decoded(value_at(elements, 3))
            elif tag == "REF" and not (self.in_lines or self.other_payers):
                if value_at(elements, 1) == _ORIGINAL:
                    self._original = self._original or decoded(value_at(elements, 2))
            elif tag == "CLM":
                self._header(elements)
            elif tag == "SBR":
                self.other_payers = True
            elif tag not in SEGMENTS:
                self.fail("segments", f"segment {number} is {tag[:20]!r}, which an 837 does not have")
        except BadRow as error:
            self.problem = self.problem or error

    def _header(self, elements: list[str]) -> None:
        self._id = decoded(value_at(elements, 1)) or None
        facility = [part.strip() for part in components(elements, 5, self._signs.component)]
        self._facility, self._facility_form, self._frequency = [*facility, "", ""][:3]

    def _party(self, tag: str, elements: list[str]) -> None:
        if tag == "N4":
            if self._entity in FACILITIES:
                self._state = decoded(value_at(elements, 2))
            return
        if tag == "PRV":
            if self._entity == RENDERING:
                self._rendering_taxonomy = decoded(value_at(elements, 3))
            return
        self._entity = value_at(elements, 1)
        if self._entity == RENDERING:
            self._rendering = npi(elements)

    def _diagnoses(self, elements: list[str], number: int, line: int, column: int) -> None:
        if self.in_lines or self.other_payers:
            raise BadRow("segments", f"segment {number} has diagnoses after the service lines or other payers")
        for at, element in enumerate(elements[1:], start=1):
            if not element:
                continue
            where = f"segment {number}, HI{at:02}"
            if self._signs.repetition and self._signs.repetition in element:
                raise BadRow("codes", f"{where} holds the repetition separator of ISA11; HI elements do not repeat")
            parts = element.split(self._signs.component)
            kind = DIAGNOSES.get(parts[0])
            if kind is None:
                if parts[0] not in NO_DIAGNOSES:
                    reason = f"{where}: {decoded(element)[:40]!r} has no known qualifier"
                    raise BadRow("qualifiers", reason + _other_sign(element, self._signs.component))
                if parts[0] in PROCEDURES and len(parts) > 1 and parts[1].strip():
                    self._procedures.append(decoded(parts[1].strip()))
                continue
            diagnosis = self._diagnosis(where, element, parts, kind)
            if kind.other_kind:
                self._other_codes.append((kind.other_kind, diagnosis.code))
                continue
            place = self._envelope.place(number, f", HI{at:02}{_column(column)}")
            self._found.append(_Found(kind.role, diagnosis, place, line, column, len(self._found)))

    def _diagnosis(self, where: str, element: str, parts: list[str], kind: DiagnosisKind) -> Diagnosis:
        """Return the diagnosis of an element that has a qualifier of diagnoses."""
        code = parts[1].strip() if len(parts) > 1 else ""
        if not code or len(code) > _LONGEST_CODE:
            reason = f"{decoded(element)[:40]!r} is not a qualifier and a code separated by {self._signs.component!r}"
            raise BadRow("codes", f"{where}: {reason}")
        more = sum(1 for part in (*parts[2:8], *parts[9:]) if part.strip())
        if more == 2 and len(parts) > 3 and parts[2] in _DATE_FORMS and _DIGITS.fullmatch(parts[3]):
            more = 0
        if more:
            raise BadRow("codes", f"{where} holds more than a code: {more} more component{'s' * (more > 1)}")
        if len(codes := codes_in(code)) > 1:
            shown_codes = " and ".join(map(canonical, codes))
            raise BadRow("codes", f"{where} holds {len(codes)} codes ({shown_codes}); an element holds one")
        if kind.icd9 and not kind.other_kind and is_only_icd10(code):
            reason = f"says ICD-9-CM ({parts[0]}), but {canonical(code)} is an ICD-10-CM code; use ABK/ABF"
            raise BadRow("qualifiers", f"{where} {reason}")
        code = canonical(icd9(code) if kind.icd9 else code)
        try:
            return Diagnosis(code, poa=parts[8] if len(parts) > 8 and not kind.other_kind else None)
        except WeakcodeError as error:
            raise BadRow("present-on-admission indicator", f"{where}: {error}") from None

    def _date(self, elements: list[str]) -> None:
        name = value_at(elements, 1)
        if name not in ("472", "434"):
            return
        days = _day(value_at(elements, 2), value_at(elements, 3), "service date")
        if self.in_lines:
            self._line_date = days[0] if self._line_date is None else min(self._line_date, days[0])
            if name == "472":
                self._services.date(days)
        else:
            self._dates.setdefault(name, days)

    @property
    def kind(self) -> str:
        """Professional, institutional or dental: by the guide, else by what the claim holds; empty if neither tells."""
        return self._envelope.kind or kind_by_services(self._services.kinds, self._facility_form)

    @property
    def needs_no_diagnosis(self) -> bool:
        """Whether it is a dental claim that lists no diagnosis and points to none: its guide asks for none."""
        return (
            self.problem is None
            and self.kind == "dental"
            and not (self._found or self._other_codes)
            and not any(line.pointers for line in self._services.lines)
        )

    def finish(self) -> Record | Rejected:
        """Return the claim, or why it is none."""
        raw = decoded(self._signs.segment.join([*self._raw, ""]))
        try:
            if self.problem is not None:
                raise self.problem
            return self._record(raw)
        except BadRow as error:
            return Rejected(self._file, self._line, self._id, error.reason, error.part, raw, self._place)

    def _record(self, raw: str) -> Record:
        if not self._found:
            if kinds := " and ".join(dict.fromkeys(kind.replace("-", " ") for kind, _ in self._other_codes)):
                raise BadRow("codes", f"the claim lists no diagnosis, only one of type {kinds}")
            raise BadRow("codes", "the claim has no diagnosis codes: no HI segment lists one")
        # Principal, others, external causes; within each as they stand in the file.
        found = sorted(self._found, key=lambda one: one.role)
        try:
            claim = Claim(
                [one.diagnosis for one in found],
                self._id,
                birth_date=self._patient.birth_date,
                sex=self._patient.sex,
                service_date=self._service_date(),
                setting=setting_of(self.kind, self._facility),
                payer=self._parties.payer,
                payer_id=self._parties.payer_id,
                plan=self._parties.plan,
                provider=self._parties.provider,
                provider_taxonomy=self._parties.taxonomy,
                rendering_provider=self._rendering,
                rendering_taxonomy=self._rendering_taxonomy,
                pcs=" ".join(self._procedures),
                discharge_status=self._discharge,
                state=self._state or self._parties.state,
                frequency=decoded(self._frequency),
                original_reference=reference_of(decoded(self._frequency), self._original),
                principals=sum(one.role == PRINCIPAL for one in found),
                lines=self._pointed(found),
                **self._where(),
            )
        except WeakcodeError as error:
            raise BadRow("dates", reason_of(error)) from None
        return Record(
            claim,
            self._file,
            self._line,
            raw,
            self._place,
            tuple(one.place for one in found),
            tuple(one.line for one in found),
            tuple(self._other_codes),
            self._column,
            tuple(one.column for one in found),
            Origin(self._start, self.stop, self._signs),
        )

    def _where(self) -> dict[str, Any]:
        """Return CLM05-1 as what it is: of institutions, with the frequency, the type of bill, else the place."""
        facility = decoded(self._facility)
        if self.kind == "institutional" or (not self.kind and self._facility_form == "A"):
            return {"bill_type": facility and facility + decoded(self._frequency)}
        return {"place": facility} if self.kind or self._facility_form == "B" else {}

    def _service_date(self) -> dt.date | None:
        statement, service = self._dates.get("434"), self._dates.get("472")
        if self.kind == "institutional" and statement is not None:
            # The day of discharge decides which codes a stay is coded by.
            return statement[setting_of(self.kind, self._facility) == "inpatient"]
        if service is not None:
            return service[0]
        return self._line_date or (statement[0] if statement else None)

    def _pointed(self, found: list[_Found]) -> tuple[ServiceLine, ...]:
        """Return the lines with pointers as positions on the claim; one to no diagnosis still points to none."""
        if not any(line.pointers for line in self._services.lines):
            return tuple(self._services.lines)
        pointable = [one.order for one in found if one.role != EXTERNAL]
        in_file = sorted(pointable)
        if in_file == pointable and len(pointable) == len(found):
            return tuple(self._services.lines)
        position = {n: pointable.index(order) + 1 for n, order in enumerate(in_file, start=1)}
        beyond = len(found) - len(pointable)
        return tuple(
            attrs.evolve(line, pointers=tuple(position.get(n, n + beyond) for n in line.pointers))
            for line in self._services.lines
        )


def control_number(text: str) -> str:
    """Return a control number for a message: where the file is garbled, anything may stand in its place."""
    return re.sub(r"[^A-Za-z0-9 ._-]", "?", text.strip())[:20]


def _column(column: int) -> str:
    return f", column {column}" if column > 1 else ""


def _day(form: str, text: str, what: str) -> tuple[dt.date, dt.date]:
    """Return the first and last day of a date (D8), a range (RD8) or a time (DT)."""
    parts = text.split("-") if form == "RD8" else [text[:8] if form == "DT" else text]
    if form not in ("D8", "RD8", "DT") or len(parts) > 2 or any(len(part) != 8 for part in parts):
        sentence = f"the {what} {decoded(form)[:10]!r} {decoded(text)[:40]!r} is no date of the form D8 or RD8"
        raise BadRow(what, f"{sentence}; write D8 and CCYYMMDD, or RD8 and CCYYMMDD-CCYYMMDD")
    days = []
    for part in parts:
        try:
            days.append(parse_date(part, what))
        except WeakcodeError:
            reason = f"the {what} {decoded(part)[:40]!r} is not a date; write it as CCYYMMDD"
            raise BadRow(what, reason) from None
    first, last = days[0], days[-1]
    if first is None or last is None:
        raise BadRow(what, f"the {what} is blank")
    return first, last


def _other_sign(element: str, component: str) -> str:
    """Return what to say of a diagnosis whose parts are parted by another sign than the ISA segment names."""
    match = re.match(r"([A-Z]{2,3})([^A-Za-z0-9])", element)
    if match is None or match[1] not in DIAGNOSES or match[2] == component:
        return ""
    return f"; the ISA segment says that {component!r} parts components, and here {match[2]!r} does"
