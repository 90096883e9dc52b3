"""The claims of an X12 file: interchanges, groups, transactions, levels, claims."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from weakcode.errors import InputError
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.codes import CLAIM_ONLY, kind_of
from weakcode.scrub.read.x12.draft import Draft, Envelope, Patient, control_number, kept
from weakcode.scrub.read.x12.segments import Segment, Segments

_START = re.compile(rb"\s*(?:ISA[^A-Za-z0-9]|(?:GS|ST)([^A-Za-z0-9\s])(?:HC|837)\1)")
_ENDS = frozenset({"CLM", "HL", "ST", "SE", "GS", "GE", "ISA", "IEA"})
_CLEAN_ENDS = frozenset({"CLM", "HL", "SE"})
_PATIENT_ONLY = frozenset({"SBR", "DMG", "PAT"})
_QUALIFIERS = "ABK|ABF|ABJ|APR|ABN|BK|BF|BJ|BN"


def looks_like_x12(start: bytes) -> bool:
    """Tell whether the start of a file is that of an X12 interchange, or of a piece of one."""
    return _START.match(start.removeprefix(b"\xef\xbb\xbf")) is not None


class X12Source:
    """The claims of one file. `ignored` are the transaction sets that are no 837, `notes` what a reader should know.

    Raises InputError where the file does not begin with an ISA segment, or holds no 837 at all.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._segments = Segments(file, name)
        self._name = name
        self._others: dict[str, None] = {}
        self._notes: list[str] = []
        self._envelope = Envelope()
        self._version = ""
        self._open: dict[str, str] = {}
        self._number = 0
        self._last_level, self._levels_count = 0, False
        self._patient = Patient()
        self._payer: str | None = None
        self._claim: Draft | None = None
        self._seen_837, self._other_set = False, False
        self._claims = 0

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._segments.bytes_read

    @property
    def ignored(self) -> tuple[str, ...]:
        """Transaction sets that are no 837, in the order in which they were first seen."""
        return tuple(f"transaction set {name}" for name in self._others)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file although no claim was lost by it, up to twenty times."""
        return tuple(self._notes)

    def __iter__(self) -> Iterator[Record | Rejected]:
        delimiters = None
        element = component = end = ""
        stray = re.compile("$^")
        last = None
        for last in self._segments:
            text = last.text
            if self._segments.delimiters is not delimiters:
                delimiters = self._segments.delimiters
                element, component, end = delimiters.element, delimiters.component, delimiters.segment
                stray = re.compile(f"{re.escape(element)}(?:{_QUALIFIERS}){re.escape(component)}")
            elements = text.split(element)
            tag = elements[0] = elements[0].strip()
            self._number += 1
            claim = self._claim
            if tag in _ENDS:
                missing = tag == "HL" and self._levels_are_missing(elements)
                if claim is not None:
                    if missing:
                        claim.fail("levels", f"levels (HL) are missing before segment {self._number}: text was lost")
                    if tag not in _CLEAN_ENDS:
                        claim.fail("end of transaction", f"the claim's transaction has no end (SE) before {tag}")
                    yield claim.finish(end)
                    self._claim = None
                if tag not in _CLEAN_ENDS or tag == "SE":
                    yield from self._without_claims(last)
                if tag == "CLM":
                    self._begin(last, elements, component)
                else:
                    self._level(tag, elements)
            elif claim is not None:
                if not text:
                    claim.fail("length", "a segment of the claim is longer than any segment is")
                elif tag != "HI" and stray.search(text):
                    claim.fail("segments", f"segment {self._number} holds diagnoses of another one: its end is lost")
                claim.add(text, elements, component, self._number, last.line, last.column)
                if claim.in_lines and (tag in _PATIENT_ONLY or (tag == "NM1" and elements[1:2] in (["IL"], ["QC"]))):
                    # A level (HL) is missing: what follows is about someone else, and so is not taken from here.
                    self._patient, self._payer = Patient(), None
            elif (tag in CLAIM_ONLY and not self._other_set) or stray.search(text) or not text:
                self._begin(last, elements, component)
            else:
                self._about_patient(tag, elements)
        yield from self._end(last, end)

    def _begin(self, at: Segment, elements: list[str], component: str) -> None:
        claim = Draft(
            Envelope(self._envelope.interchange, self._envelope.transaction, self._envelope.kind),
            self._number, at.line, at.column, self._patient, self._payer, self._name,
        )  # fmt: skip
        self._claim = claim
        self._claims += 1
        if not at.text:
            claim.fail("length", "a segment is longer than any segment is: its end is lost")
        elif elements[0] != "CLM":
            claim.fail("segments", f"segment {self._number} ({elements[0][:20]}) stands in no claim: no CLM before it")
        elif "ST" not in self._open:
            claim.fail("transaction", "the claim stands in no transaction of the set 837")
        claim.add(at.text, elements, component, self._number, at.line, at.column)

    def _without_claims(self, end: Segment) -> Iterator[Rejected]:
        """Give a reject for a transaction that ends here without a claim: there is none without one."""
        if "ST" in self._open and not self._claims:
            reason = "the transaction has no claim; it was lost"
            place = self._envelope.place(self._number)
            yield Rejected(self._name, end.line, None, reason, "transaction", "", place)
            self._claims = 1

    def _levels_are_missing(self, elements: list[str]) -> bool:
        """Tell whether a level's number leaves some out, in a transaction that has counted them one by one so far."""
        text = elements[1].strip() if len(elements) > 1 else ""
        number = int(text) if text.isdecimal() and len(text) < 10 else 0
        last, self._last_level = self._last_level, number
        if last and number != last + 1:
            counted, self._levels_count = self._levels_count, False
            return counted and number > last + 1
        return False

    def _level(self, tag: str, elements: list[str]) -> None:
        value = [element.strip() for element in elements] + [""] * 17
        if tag == "HL":
            if value[3] != "23":
                self._payer = None
            self._patient = Patient()
            return
        self._patient, self._payer = Patient(), None
        self._other_set = False
        if tag in ("ISA", "GS", "ST"):
            self._open[tag] = value[{"ISA": 13, "GS": 6, "ST": 2}[tag]]
        if tag == "ISA":
            self._open = {"ISA": value[13]}
            self._envelope = Envelope(control_number(value[13]))
            self._number = 0
        elif tag == "GS":
            self._version = value[8]
        elif tag == "ST":
            self._number, self._claims = 1, 0
            self._last_level, self._levels_count = 0, True
            self._envelope = Envelope(
                self._envelope.interchange, control_number(value[2]), kind_of(value[3]) or kind_of(self._version)
            )
            if value[1] == "837":
                self._seen_837 = True
            else:
                del self._open["ST"]
                self._other_set = True
                if len(self._others) < 100:
                    self._others[control_number(value[1])] = None
        else:
            self._close(tag, value)

    def _close(self, tag: str, value: list[str]) -> None:
        opened = {"SE": "ST", "GE": "GS", "IEA": "ISA"}[tag]
        known = self._open.pop(opened, None)
        if tag == "SE" and known is not None and value[1] != str(self._number) and len(self._notes) < 20:
            self._notes.append(
                f"transaction {self._envelope.transaction} has {self._number} segments where its SE segment says "
                f"{control_number(value[1]) or 'nothing'}; either the count is wrong or segments were lost"
            )
        if tag == "SE":
            self._envelope = Envelope(self._envelope.interchange)

    def _about_patient(self, tag: str, elements: list[str]) -> None:
        if tag == "NM1":
            who = elements[1].strip() if len(elements) > 1 else ""
            if who in ("IL", "QC"):
                self._patient = Patient()
            elif who == "PR" and self._payer is None:
                name, number = [*elements, *[""] * 10][3:10:6]
                self._payer = kept(name) or kept(number) or None
        elif tag == "DMG":
            self._patient.describe(elements)
        elif tag == "REF" and elements[1:2] == ["87"] and not self._envelope.kind:
            # 4010 names the implementation guide here.
            self._envelope.kind = kind_of(elements[2] if len(elements) > 2 else "")

    def _end(self, last: Segment | None, end: str) -> Iterator[Rejected | Record]:
        if self._claim is not None:
            self._claim.fail("end of file", "the file ends within the claim or before its transaction's end (SE)")
            yield self._claim.finish(end)
        elif self._open and last is not None:
            missing = {"ST": "SE", "GS": "GE", "ISA": "IEA"}
            lacking = ", ".join(missing[tag] for tag in ("ST", "GS", "ISA") if tag in self._open)
            reason = f"the file ends without {lacking}; it was cut off, and claims may be missing"
            yield Rejected(self._name, last.line, None, reason, "end of file", "", self._envelope.place(self._number))
        if not self._seen_837:
            others = ", ".join(self.ignored)
            found = f"its transactions are {others}" if others else "it has no transaction (ST)"
            raise InputError(f"{self._name} holds no 837, the X12 transaction set of claims; {found}")
