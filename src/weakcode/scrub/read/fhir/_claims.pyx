# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Plain claims of FHIR as columns: what `resource.py` and `details.py` read, for resources that hold nothing unusual.

`Claims.add` takes a line or says that it is for the reader in Python; it never rejects one. A property test holds both
readers to one outcome.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy
from cython cimport final
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize


include "_json.pxi"

cdef extern from "Python.h":
    double PyOS_string_to_double(const char *text, char **end, void *overflow) except? -1.0

REFUSED = 0
"""What `Claims.add` returns for a line that only the reader of elements can read,"""
SOUND = 1
"""for one of which any reader of JSON has the same value,"""
ADDED = 2
"""for one that was added,"""
MORE = 3
"""and where only more text tells."""
NO_DAY = -(2**31)
cdef int32_t _NO_DAY = -(2**31)
cdef int32_t _ODD_DAY = -(2**31) + 1
cdef double _NAN = float("nan")
cdef int64_t MOST = 2**31 - 1

# What the types of a diagnosis say of it.
cdef int PRINCIPAL = 1
cdef int ADMITTING = 2
cdef int REASON = 4
cdef int SPECIAL_TYPE = 8, OTHER = 16

cdef enum: ROW_SIZE = 13
ROW_WORDS = (
    "setting", "sex", "payer", "bill_type", "frequency", "provider", "rendering_provider", "state", "original_reference",
    "principals", "rendering_taxonomy", "pcs", "discharge_status",
)
"""Fields of a claim that are columns of words, as `take` gives them."""
assert len(ROW_WORDS) == ROW_SIZE
cdef tuple NUMBERS = (b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9")
LINE_WORDS = ("procedure", "place", "revenue")
"""Those of a service line."""


class Unusual(Exception):
    """Raised where the reader in Python is to look at a resource."""


cdef struct Part:
    const uint8_t *at
    int32_t size


cdef struct Dx:
    int64_t sequence
    int32_t index
    int32_t at
    int32_t types
    int32_t code
    int32_t poa


include "_columns.pxi"
include "_text.pxi"
include "_days.pxi"
include "_elements.pxi"
include "_resource.pxi"
include "_claimcolumns.pxi"


cdef class Claims(ClaimColumns):
    """Claims of lines as columns.

    `poa_of` gives the present-on-admission indicator of an entry by its text; the rest are those of `Resource`.
    """

    cdef object _poa_of
    cdef Column _dx, _apart

    def __init__(self, systems, kind_of, person_of, poa_of):
        super().__init__(systems, kind_of, person_of)
        self._poa_of = poa_of
        self._dx, self._apart = Column(), Column()

    def add(self, bytes line):
        """Add a line to the columns: ADDED; or SOUND or REFUSED where the reader in Python is to look at it."""
        if not self._read(line):
            return REFUSED
        try:
            return ADDED if self._add() else SOUND
        except Unusual:
            return SOUND

    def add_at(self, bytes text, Py_ssize_t at):
        """Add the resource at a place of a text, or the resource of the entry there; see `Lines.add_at`."""
        cdef int outcome = self._read_at(text, at, False)
        cdef json_text *j = &self._json
        cdef int32_t inner
        if outcome != SOUND:
            return outcome, at + j.end, False
        try:
            inner = member(j, 0, b"resource")
            if inner >= 0 and json_key(j, 0, b"resourceType", 12) < 0:
                j.root = inner
            return ADDED if self._add() else SOUND, at + j.end, j.root > 0
        except Unusual:
            return SOUND, at + j.end, False

    cdef bint _add(self) except -1:
        cdef json_text *j = &self._json
        cdef Part kind = text_of(j, member(j, j.root, b"resourceType"))
        cdef Part identity = text_of(j, member(j, j.root, b"id"))
        cdef bint is_claim = is_word(kind, b"Claim")
        cdef int32_t service, birth
        cdef int32_t insurer = member(j, j.root, b"insurer"), items = member(j, j.root, b"item")
        cdef Py_ssize_t count, at
        cdef Part[ROW_SIZE] fields
        cdef Part frequency
        cdef int known
        if not (is_claim or is_word(kind, b"ExplanationOfBenefit")) or identity.at == NULL or not identity.size:
            return False
        self._diagnoses(member(j, j.root, b"diagnosis"))
        cdef Dx *dx = <Dx *> self._dx.data
        count = self._dx.size // sizeof(Dx)
        cdef Part principals
        cdef int64_t repeated_sequence = self._ordered(&count, &principals)
        if not count:
            return False
        setting, order = self._kind()
        if order == "all":
            known = 0
        else:
            known = 1 if dx[0].types & PRINCIPAL else 2
        list_of_objects(j, items)
        service = self._service_day(items, setting == b"inpatient")
        person, has_unknown_patient = self._person(member(j, j.root, b"patient"))
        birth = _NO_DAY
        cdef bytes sex = None
        if person is not None:
            birth_text, sex = person
            if birth_text is not None:
                birth = day_of(part_of(birth_text), False)
                if birth == _NO_DAY:
                    return False
        if service == _ODD_DAY or birth == _ODD_DAY:
            return False
        fields[0], fields[1], fields[2] = part_of(setting), part_of(sex), self._payer(insurer)
        fields[3] = self._bill(&frequency)
        fields[4], fields[5] = frequency, npi_of(j, resolved(j, member(j, j.root, b"provider")))
        fields[6], fields[7] = self._rendering(&fields[10]), self._state(items)
        # Procedures of inpatient stays are few, and their order is by sequence.
        if member(j, j.root, b"related") >= 0 or member(j, j.root, b"procedure") >= 0:
            raise Unusual
        fields[11], fields[12] = NOTHING, self._information_code(b"discharge-status")
        is_replacing = frequency.size == 1 and frequency.at[0] in (54, 55, 56)
        fields[8], fields[9] = part_of(b"MISSING" if is_replacing else None), principals
        # What follows may still find something unusual: sizes are kept, to which the columns are cut again.
        cdef Py_ssize_t[8] kept
        self._sizes(kept)
        try:
            self._add_payers(resolved(j, insurer))
            self._add_lines(items, repeated_sequence, count, dx)
        except Unusual:
            self._cut(kept)
            raise
        self._add_row(identity, not is_claim, service, birth, fields)
        self.unknown_patients += has_unknown_patient
        self._order.add(known)
        for at in range(count):
            self._codes.index.add(dx[at].code)
            self._poa.index.add(dx[at].poa)
            self._dx_index.add(dx[at].index)
            self._dx_at.add(dx[at].at)
        self._dx_ends.add(<int32_t> (self._dx_index.size // 4))
        return True

    cdef int _diagnoses(self, int32_t entries) except -1:
        """Read the entries in the order of the list."""
        cdef json_text *j = &self._json
        cdef int32_t entry, number = 0
        cdef Dx dx
        self._dx.size = 0
        if entries < 0 or j.nodes[entries].kind != JSON_LIST:
            raise Unusual
        entry = entries + 1
        while entry < j.nodes[entries].next:
            if j.nodes[entry].kind != JSON_OBJECT or number >= 1000:
                raise Unusual
            dx.index, dx.at, number = number, j.nodes[entry].at, number + 1
            dx.sequence = whole(j, member(j, entry, b"sequence"))
            if not 1 <= dx.sequence <= MOST:
                raise Unusual
            dx.code = self._code(member(j, entry, b"diagnosisCodeableConcept"))
            dx.types = kinds_of(j, member(j, entry, b"type"))
            dx.poa = self._indicator(entry)
            self._dx.make_room(sizeof(Dx))
            memcpy(self._dx.data + self._dx.size, &dx, sizeof(Dx))
            self._dx.size += sizeof(Dx)
            entry = j.nodes[entry].next
        return 0

    cdef int64_t _ordered(self, Py_ssize_t *count, Part *principals) except -1:
        """Put the diagnoses in the order of the claim, those that stand apart in `_apart`; return the sequence of the
        principal one where the list begins with it once more, 0 where it does not. `principals` gets how many are named
        so, nothing where no type tells them from others."""
        cdef Dx *dx = <Dx *> self._dx.data
        cdef Dx moved
        cdef Py_ssize_t at, to, left = 0, first = -1, many = count[0]
        cdef int64_t repeated_sequence = 0
        cdef int named = 0, others = 0
        for at in range(1, many):
            moved, to = dx[at], at
            while to and dx[to - 1].sequence > moved.sequence:
                dx[to] = dx[to - 1]
                to -= 1
            dx[to] = moved
        self._apart.size = 0
        for at in range(many):
            if at and dx[at].sequence == dx[at - 1].sequence:
                raise Unusual
        for at in range(many):
            moved = dx[at]
            if moved.types & (ADMITTING | REASON) and not moved.types & PRINCIPAL:
                self._apart.add_long(moved.sequence)
                continue
            others |= moved.types & OTHER
            if moved.types & PRINCIPAL:
                named += 1
                for to in range(left):
                    if dx[to].types & PRINCIPAL and dx[to].code == moved.code:
                        named -= 1
                        break
            if first < 0 and moved.types & PRINCIPAL:
                first = left
            dx[left] = moved
            left += 1
        if named >= len(NUMBERS):
            raise Unusual
        principals[0] = part_of(NUMBERS[named] if named or others else None)
        if first > 0:
            moved = dx[first]
            for at in range(first, 0, -1):
                dx[at] = dx[at - 1]
            dx[0] = moved
        if first >= 0 and left > 1 and dx[1].code == dx[0].code and not dx[1].types & SPECIAL_TYPE:
            repeated_sequence = dx[1].sequence
            for at in range(1, left - 1):
                dx[at] = dx[at + 1]
            left -= 1
        count[0] = left
        return repeated_sequence

    cdef int32_t _code(self, int32_t concept) except -2:
        """Return the number of the code in the best system of ICD-10-CM, spelled as weakcode does."""
        cdef json_text *j = &self._json
        cdef long best = 1000, rank
        cdef int32_t coding = first_coding(j, concept)
        cdef Part code, system, given
        code.at = NULL
        if concept < 0:
            raise Unusual
        while coding >= 0:
            given, system = text_of(j, member(j, coding, b"code")), text_of(j, member(j, coding, b"system"))
            if given.at != NULL and system.at != NULL:
                rank = self._rank(system)
                if rank < best:
                    best, code = rank, stripped(given)
                    if not code.size:
                        raise Unusual
            coding = next_object(j, coding)
        if code.at == NULL:
            raise Unusual
        cdef uint8_t[16] spelled
        return self._codes.number(canonical(code, spelled))

    cdef int32_t _indicator(self, int32_t entry) except -2:
        """Return the number of the present-on-admission indicator."""
        cdef json_text *j = &self._json
        cdef int32_t extension = first_object(j, member(j, entry, b"extension")), coding
        cdef Part code
        cdef uint8_t sign
        while extension >= 0:
            if member(j, extension, b"valueCoding") >= 0 and part_holds(text_of(j, member(j, extension, b"url")), b"_poa_"):
                found = self._poa_of(text_as_written(j, entry))
                return -1 if found is None else self._poa.number(part_of(found))
            extension = next_object(j, extension)
        coding = first_coding(j, member(j, entry, b"onAdmission"))
        while coding >= 0:
            code = text_of(j, member(j, coding, b"code"))
            if code.at != NULL and code.size == 1:
                sign = code.at[0] & ~32 if code.at[0] >= 97 else code.at[0]
                if sign in (89, 78, 85, 87, 49):
                    code.at, code.size = &sign, 1
                    return self._poa.number(code)
            coding = next_object(j, coding)
        return -1

    cdef int _add_payers(self, int32_t insurer) except -1:
        """Add the ids of the payer."""
        cdef json_text *j = &self._json
        cdef int32_t one = first_identifier(j, insurer)
        cdef Part value
        while one >= 0:
            value = text_of(j, member(j, one, b"value"))
            if value.at != NULL:
                value = stripped(value)
                if value.size:
                    self._payer_ids.add(value)
            one = next_object(j, one)
        return 0

    cdef int _add_lines(self, int32_t items, int64_t repeated_sequence, Py_ssize_t count, Dx *dx) except -1:
        cdef json_text *j = &self._json
        cdef int32_t item = first_item(j, items), place = 0, number
        cdef int64_t sequence
        cdef bint main_only = are_main(j, items) and is_word(
            text_of(j, member(j, j.root, b"resourceType")), b"ExplanationOfBenefit"
        )
        while item >= 0:
            place += 1
            number = member(j, item, b"sequence")
            sequence = whole(j, number) if number >= 0 and j.nodes[number].kind == JSON_WHOLE else place
            self._number.add_long(sequence)
            self._add_pointers(member(j, item, b"diagnosisSequence"), repeated_sequence, count, dx)
            self._add_rest(item, main_only)
            item = next_object(j, item)
        return 0

    cdef int _add_pointers(self, int32_t given, int64_t repeated_sequence, Py_ssize_t count, Dx *dx) except -1:
        cdef json_text *j = &self._json
        cdef int32_t pointer
        cdef int64_t sequence, position
        cdef Py_ssize_t at, before = self._pointers.size
        cdef bint is_known
        if given < 0:
            return 0
        if j.nodes[given].kind != JSON_LIST:
            raise Unusual
        pointer = given + 1
        while pointer < j.nodes[given].next:
            sequence = whole(j, pointer)
            if not 0 < sequence < MOST:
                raise Unusual
            pointer = j.nodes[pointer].next
            is_known = False
            for at in range(self._apart.size // 8):
                is_known = is_known or (<int64_t *> self._apart.data)[at] == sequence
            if is_known:
                continue
            # A pointer to nothing keeps pointing to nothing.
            position = max(sequence, <int64_t> count + 1)
            for at in range(count):
                if dx[at].sequence == sequence:
                    position = at + 1
            if repeated_sequence and sequence == repeated_sequence:
                position = 1
            for at in range(before // 4, self._pointers.size // 4):
                is_known = is_known or (<int32_t *> self._pointers.data)[at] == position
            if not is_known:
                self._pointers.add(<int32_t> position)
        return 0

    cdef int _add_rest(self, int32_t item, bint main_only) except -1:
        cdef json_text *j = &self._json
        cdef int32_t start, end, day, concept
        cdef double units, charge
        cdef Part procedure, code
        concept = first_object(j, member(j, item, b"modifier"))
        while concept >= 0:
            code = first_code(j, concept)
            if code.at != NULL:
                self._modifiers.add(code)
            concept = next_object(j, concept)
        charge = number_of(j, member(j, member(j, item, b"net"), b"value"))
        if charge != charge:
            charge = submitted(j, member(j, item, b"adjudication"))
        units = number_of(j, member(j, member(j, item, b"quantity"), b"value"))
        concept = member(j, item, b"servicedPeriod")
        start, end = day_of(text_of(j, member(j, concept, b"start")), True), day_of(text_of(j, member(j, concept, b"end")), True)
        day = day_of(text_of(j, member(j, item, b"servicedDate")), True)
        if start == _ODD_DAY or end == _ODD_DAY or day == _ODD_DAY:
            raise Unusual
        concept = first_coding(j, member(j, item, b"productOrService"))
        procedure = text_of(j, member(j, concept, b"code"))
        (<Words> self._lines[0]).add(procedure)
        (<Words> self._lines[1]).add(first_code(j, member(j, item, b"locationCodeableConcept")))
        (<Words> self._lines[2]).add(first_code(j, member(j, item, b"revenue")))
        return self._end_line(units, charge, start if day == _NO_DAY else day, end if day == _NO_DAY else day, main_only)
