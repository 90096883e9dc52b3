"""From the segments of an X12 file to its claims: interchanges, groups, transactions, levels, claims."""

from __future__ import annotations

import re

from weakcode.errors import InputError
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.codes import CLAIM_ONLY, kind_of
from weakcode.scrub.read.x12.draft import Draft, Envelope, Patient, control_number
from weakcode.scrub.read.x12.elements import value_at
from weakcode.scrub.read.x12.parties import Parties
from weakcode.scrub.read.x12.segments import Delimiters, Segment

_ENDS = frozenset({"CLM", "HL", "ST", "SE", "GS", "GE", "ISA", "IEA"})
_CLEAN_ENDS = frozenset({"CLM", "HL", "SE"})
_PATIENT_ONLY = frozenset({"SBR", "DMG", "PAT"})
_QUALIFIERS = "ABK|ABF|ABJ|APR|ABN|BK|BF|BJ|BN"
_OPENED_BY = {"SE": "ST", "GE": "GS", "IEA": "ISA"}
_MOST_NOTES = 20

Outcomes = tuple[Record | Rejected, ...]


class Loops:
    """Takes the segments of one file in their order and gives the claims that they make.

    The public attributes are all that a claim's outcome depends on, apart from its own segments: the native reader
    takes them over and gives them back. `claim` is the one that is being read. `undiagnosed` counts dental claims
    without a diagnosis, which need none; `others` are the transaction sets that are not 837, `notes` what is odd about
    the file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.delimiters: Delimiters | None = None
        self._stray = re.compile("$^")
        self.others: dict[str, None] = {}
        self.notes: list[str] = []
        self.envelope = Envelope()
        self.undiagnosed = 0
        self.group_kind = ""
        self.guide, self._group_guide = "", ""
        self._unknown_guides: set[str] = set()
        self.open: dict[str, str] = {}
        self.number = 0
        self.claims, self.sets, self._groups = 0, 0, 0
        self.last_level, self.levels_count = 0, False
        self.patient = Patient()
        self.parties = Parties()
        self.entity = ""
        self.claim: Draft | None = None
        self.seen_837, self.other_set = False, False
        self.last_line = 0

    def delimit(self, delimiters: Delimiters) -> None:
        """Take over the delimiters of the segments that follow."""
        self.delimiters = delimiters
        element, component = re.escape(delimiters.element), re.escape(delimiters.component)
        self._stray = re.compile(f"{element}(?:{_QUALIFIERS}){component}")

    def close(self, segment: Segment) -> Outcomes:
        """Give the claim that is being read, if this segment, which is not taken, ends it."""
        return self._close_claim(segment, self._elements(segment))

    def take(self, segment: Segment) -> Outcomes:
        """Take a segment; give the claim that it ends, and what else it shows to be lost."""
        elements = self._elements(segment)
        tag, text = elements[0], segment.text
        self.last_line = segment.line
        if tag in _ENDS:
            outcomes = self._close_claim(segment, elements)
            self.number += 1
            if tag not in _CLEAN_ENDS or tag == "SE":
                outcomes = (*outcomes, *self._without_claims(segment))
            if tag == "CLM":
                self._begin(segment, elements)
            else:
                self._level(tag, elements)
            return outcomes
        self.number += 1
        claim = self.claim
        if claim is not None:
            if not text:
                claim.fail("length", "a segment of the claim is longer than any segment is")
            elif tag != "HI" and self._stray.search(text):
                claim.fail("segments", f"segment {self.number} holds diagnoses of another one: its end is lost")
            claim.add(text, elements, self.number, segment.line, segment.column)
            if claim.in_lines and (tag in _PATIENT_ONLY or (tag == "NM1" and elements[1:2] in (["IL"], ["QC"]))):
                # A level (HL) is missing: what follows is about someone else, and so is not taken from here.
                self.patient, self.parties = Patient(), self.parties.without_payer()
        elif (tag in CLAIM_ONLY and not self.other_set) or self._stray.search(text) or not text:
            self._begin(segment, elements)
        else:
            self._about_patient(tag, elements)
        return ()

    def end(self) -> Outcomes:
        """Give what the end of the file ends. Raises InputError where no 837 was in it."""
        outcomes: Outcomes = ()
        if self.claim is not None:
            self.claim.fail("end of file", "the file ends within the claim or before its transaction's end (SE)")
            outcomes = self._finished(self.claim)
            self.claim = None
        elif self.open and self.last_line:
            missing = {"ST": "SE", "GS": "GE", "ISA": "IEA"}
            lacking = ", ".join(missing[tag] for tag in ("ST", "GS", "ISA") if tag in self.open)
            reason = f"the file ends without {lacking}; it was cut off, and claims may be missing"
            place = self.envelope.place(self.number)
            outcomes = (Rejected(self._name, self.last_line, None, reason, "end of file", "", place),)
        return outcomes

    def check_kind(self) -> None:
        """Raise InputError where the whole file held no 837."""
        if not self.seen_837:
            others = ", ".join(self.ignored)
            found = f"its transactions are {others}" if others else "it has no transaction (ST)"
            raise InputError(f"{self._name} holds no 837, the X12 transaction set of claims; {found}")

    @property
    def ignored(self) -> tuple[str, ...]:
        """Transaction sets that are not 837, in the order in which they were first seen."""
        return tuple(f"transaction set {name}" for name in self.others)

    def _elements(self, segment: Segment) -> list[str]:
        assert self.delimiters is not None
        elements = segment.text.split(self.delimiters.element)
        elements[0] = elements[0].strip()
        return elements

    def _close_claim(self, segment: Segment, elements: list[str]) -> Outcomes:
        claim, tag = self.claim, elements[0]
        if claim is None or tag not in _ENDS:
            return ()
        if tag == "HL" and self._levels_are_missing(elements):
            claim.fail("levels", f"levels (HL) are missing before segment {self.number + 1}: text was lost")
        if tag not in _CLEAN_ENDS:
            claim.fail("end of transaction", f"the claim's transaction has no end (SE) before {tag}")
        self.claim = None
        claim.stop = segment.offset
        return self._finished(claim)

    def _finished(self, claim: Draft) -> Outcomes:
        if claim.needs_no_diagnosis:
            self.undiagnosed += 1
            return ()
        outcome = claim.finish()
        if not claim.kind and isinstance(outcome, Record):
            self._note_guide()
        return (outcome,)

    def _note(self, sentence: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(sentence)

    def _note_guide(self) -> None:
        """Say once of each guide that is not known what that means for its claims."""
        if self.guide not in self._unknown_guides and len(self._unknown_guides) < _MOST_NOTES:
            self._unknown_guides.add(self.guide)
            named = f"the implementation guide {self.guide} is not known" if self.guide else "no guide is named (ST03)"
            self._note(
                f"{named}, and what its claims hold does not tell professional from institutional ones; they have no "
                "setting, and rules that ask for one are not evaluated"
            )

    def _begin(self, at: Segment, elements: list[str]) -> None:
        assert self.delimiters is not None
        claim = Draft(
            Envelope(self.envelope.interchange, self.envelope.transaction, self.envelope.kind),
            self.number, at.line, at.column, self.patient, self.parties, self._name, self.delimiters, at.offset,
        )  # fmt: skip
        self.claim = claim
        self.claims += 1
        if not at.text:
            claim.fail("length", "a segment is longer than any segment is: its end is lost")
        elif elements[0] != "CLM":
            claim.fail("segments", f"segment {self.number} ({elements[0][:20]}) stands in no claim: no CLM before it")
        elif "ST" not in self.open:
            claim.fail("transaction", "the claim stands in no transaction of the set 837")
        claim.add(at.text, elements, self.number, at.line, at.column)

    def _without_claims(self, end: Segment) -> Outcomes:
        """Give a reject for a transaction that ends here without a claim: there is none without one."""
        if "ST" not in self.open or self.claims:
            return ()
        reason = "the transaction has no claim; it was lost"
        place = self.envelope.place(self.number)
        self.claims = 1
        return (Rejected(self._name, end.line, None, reason, "transaction", "", place),)

    def _levels_are_missing(self, elements: list[str]) -> bool:
        """Tell whether a level's number leaves some out, in a transaction that has counted them one by one so far."""
        return bool(self.last_level) and self.levels_count and _level_number(elements) > self.last_level + 1

    def _level(self, tag: str, elements: list[str]) -> None:
        value = [element.strip() for element in elements] + [""] * 17
        if tag == "HL":
            number = _level_number(elements)
            if self.last_level and number != self.last_level + 1:
                self.levels_count = False
            self.last_level = number
            self.parties, self.entity = self.parties.below(value[3]), ""
            self.patient = Patient()
            return
        self.patient, self.parties, self.entity = Patient(), Parties(), ""
        self.other_set = False
        if tag in ("ISA", "GS", "ST"):
            self.open[tag] = value[{"ISA": 13, "GS": 6, "ST": 2}[tag]]
        if tag == "ISA":
            self.open = {"ISA": value[13]}
            self.envelope = Envelope(control_number(value[13]))
            self.number = self._groups = 0
        elif tag == "GS":
            self.group_kind, self._group_guide = kind_of(value[8]), control_number(value[8])
            self._groups += 1
            self.sets = 0
        elif tag == "ST":
            self._begin_transaction(value)
        else:
            self._close(tag, value)

    def _begin_transaction(self, value: list[str]) -> None:
        self.number, self.claims = 1, 0
        self.sets += 1
        self.last_level, self.levels_count = 0, True
        self.guide = control_number(value[3]) or self._group_guide
        self.envelope = Envelope(
            self.envelope.interchange, control_number(value[2]), kind_of(value[3]) or self.group_kind
        )
        if value[1] == "837":
            self.seen_837 = True
        else:
            del self.open["ST"]
            self.other_set = True
            if len(self.others) < 100:
                self.others[control_number(value[1])] = None

    def _close(self, tag: str, value: list[str]) -> None:
        known = self.open.pop(_OPENED_BY[tag], None)
        if tag == "SE":
            if known is not None:
                self._check_end(tag, known, value, f"transaction {self.envelope.transaction}", self.number, "segment")
            self.envelope = Envelope(self.envelope.interchange)
        elif known is not None:
            what, counted, number = (
                ("group", "transaction", self.sets) if tag == "GE" else ("interchange", "group", self._groups)
            )
            self._check_end(tag, known, value, f"{what} {control_number(known)}", number, counted)

    def _check_end(self, tag: str, known: str, value: list[str], named: str, number: int, counted: str) -> None:
        """Note where a trailer counts something else than there is, or names another envelope than the one it ends."""
        if not (value[1].isdecimal() and len(value[1]) < 10 and int(value[1]) == number):
            self._note(
                f"{named} has {number} {counted}{'s' * (number != 1)} where its {tag} segment says "
                f"{control_number(value[1]) or 'nothing'}; either the count is wrong or {counted}s were lost"
            )
        if value[2] != known and not (value[2].isdecimal() and value[2].lstrip("0") == known.lstrip("0")):
            self._note(
                f"{named} ends with the control number {control_number(value[2]) or 'of none'} in its {tag} segment; "
                "either the number is wrong or an end and a beginning were lost between them"
            )

    def _about_patient(self, tag: str, elements: list[str]) -> None:
        if tag == "NM1":
            self.entity = value_at(elements, 1)
            if self.entity in ("IL", "QC"):
                self.patient = Patient()
        elif tag == "DMG":
            self.patient.describe(elements)
        elif tag == "REF" and elements[1:2] == ["87"] and not self.envelope.kind:
            # 4010 names the implementation guide here.
            self.envelope.kind = kind_of(elements[2] if len(elements) > 2 else "")
        self.parties = self.parties.after(tag, elements, self.entity)


def _level_number(elements: list[str]) -> int:
    text = elements[1].strip() if len(elements) > 1 else ""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
