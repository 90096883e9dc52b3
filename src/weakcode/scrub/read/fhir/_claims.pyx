# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Plain claims of FHIR as columns: what `resource.py` and `details.py` read, for resources that hold nothing unusual.

`Claims.add` takes a line or says that it is for the reader in Python; it never rejects one. A property test holds both
readers to one outcome.
"""

from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memchr, memcmp, memcpy
from cpython.bytes cimport PyBytes_AsString, PyBytes_FromStringAndSize


cdef extern from "_json.h" nogil:
    enum:
        JSON_OBJECT
        JSON_LIST
        JSON_TEXT
        JSON_ESCAPED
        JSON_WHOLE
        JSON_REAL
        JSON_TRUE
    ctypedef struct json_node:
        int32_t at
        int32_t size
        int32_t next
        int16_t kind
        int16_t more
    ctypedef struct json_text:
        const uint8_t *text
        int64_t size
        json_node *nodes
        int high
    int json_read(json_text *text, const uint8_t *at, int64_t size)
    int json_holds(const uint8_t *text, int64_t size, const uint8_t *word, int64_t length)
    int32_t json_member(const json_text *text, int32_t object, const char *name, int32_t size)

cdef extern from "Python.h":
    double PyOS_string_to_double(const char *text, char **end, void *overflow) except? -1.0

REFUSED = 0
"""What `Claims.add` returns for a line that only the reader of elements can read,"""
SOUND = 1
"""for one of which any reader of JSON has the same value,"""
TAKEN = 2
"""and for one that was added."""
NO_DAY = -(2**31)
cdef int32_t _NO_DAY = -(2**31)
cdef int32_t _ODD_DAY = -(2**31) + 1
cdef double _NAN = float("nan")
cdef int64_t MOST = 2**31 - 1

# What the types of a diagnosis say of it.
cdef int PRINCIPAL = 1
cdef int ADMITTING = 2
cdef int REASON = 4
cdef int SAID = 8

ROW_WORDS = ("setting", "sex", "payer", "bill_type", "frequency", "provider", "rendering_provider", "state")
"""Fields of a claim that are columns of words, as `take` gives them."""
LINE_WORDS = ("procedure", "place", "revenue")
"""Those of a service line."""


class Odd(Exception):
    """Raised where the reader in Python is to look at a resource."""


cdef struct Part:
    const uint8_t *at
    int32_t size


cdef struct Dx:
    int64_t sequence
    int32_t index
    int32_t said
    int32_t code
    int32_t poa


cdef class Column:
    """Values of one size, one after the other."""

    cdef char *data
    cdef Py_ssize_t size
    cdef Py_ssize_t room

    def __dealloc__(self):
        free(self.data)

    cdef int make_room(self, Py_ssize_t more) except -1:
        cdef Py_ssize_t room
        cdef void *data
        if self.size + more > self.room:
            room = max(max(4096, 2 * self.room), self.size + more)
            data = realloc(self.data, room)
            if data == NULL:
                raise MemoryError
            self.data, self.room = <char *> data, room
        return 0

    cdef int add(self, int32_t value) except -1:
        self.make_room(4)
        memcpy(self.data + self.size, &value, 4)
        self.size += 4
        return 0

    cdef int add_long(self, int64_t value) except -1:
        self.make_room(8)
        memcpy(self.data + self.size, &value, 8)
        self.size += 8
        return 0

    cdef int add_number(self, double value) except -1:
        self.make_room(8)
        memcpy(self.data + self.size, &value, 8)
        self.size += 8
        return 0

    cdef int add_text(self, Part text) except -1:
        self.make_room(text.size)
        if text.size:
            memcpy(self.data + self.size, text.at, text.size)
        self.size += text.size
        return 0

    cdef bytes take(self):
        cdef bytes found = PyBytes_FromStringAndSize(self.data, self.size)
        self.size = 0
        return found


cdef class Words:
    """A column of words, each of which has a number; -1 stands for none."""

    cdef Column index
    cdef dict numbers
    cdef list words
    cdef int32_t[64] recent
    cdef Column text
    cdef Column ends

    def __cinit__(self):
        self.clear()

    cdef clear(self):
        self.index, self.numbers, self.text, self.ends = Column(), {}, Column(), Column()
        self.ends.add(0)
        for at in range(64):
            self.recent[at] = -1

    cdef int32_t number(self, Part word) except -2:
        """Return the number of a word; those that came last in a place for their kind are found without asking twice."""
        cdef uint8_t slot
        cdef int32_t known
        cdef const int32_t *bounds
        if word.at == NULL:
            return -1
        slot = 0 if not word.size else <uint8_t> (
            word.size * 7 + word.at[0] * 3 + word.at[word.size // 2] * 5 + word.at[word.size - 1]
        ) & 63
        known = self.recent[slot]
        if known >= 0:
            bounds = <const int32_t *> self.ends.data + known
            if bounds[1] - bounds[0] == word.size and not memcmp(self.text.data + bounds[0], word.at, word.size):
                return known
        key = PyBytes_FromStringAndSize(<const char *> word.at, word.size)
        found = self.numbers.get(key)
        if found is None:
            found = len(self.numbers)
            self.numbers[key] = found
            self.text.add_text(word)
            self.ends.add(<int32_t> self.text.size)
        self.recent[slot] = found
        return found

    cdef int add(self, Part word) except -1:
        return self.index.add(self.number(word))

    cdef tuple take(self):
        found = (self.index.take(), self.ends.take(), self.text.take())
        self.clear()
        return found


def holds(bytes text, bytes word):
    """Tell whether a word of at least three signs stands in a text, in a fraction of the time that bytes need."""
    return json_holds(
        <const uint8_t *> PyBytes_AsString(text), len(text), <const uint8_t *> PyBytes_AsString(word), len(word)
    ) != 0


cdef class Lines:
    """Tells which lines are JSON of which every reader has the same value."""

    cdef json_text _json

    def __dealloc__(self):
        free(self._json.nodes)

    cdef bint _read(self, bytes line) except -1:
        cdef int read = json_read(&self._json, <const uint8_t *> PyBytes_AsString(line), len(line))
        if read < 0:
            raise MemoryError
        if read and self._json.high:
            try:
                line.decode()
            except UnicodeDecodeError:
                return False
        return read

    def add(self, bytes line):
        """Return SOUND or REFUSED."""
        return SOUND if self._read(line) else REFUSED


cdef class Claims(Lines):
    """Columns of claims.

    `systems` are those of ICD-10-CM, the best first. `kind_of` gives, of the text of a resource, the setting and of
    which codes the order is known; `poa_of` that of an entry's present-on-admission indicator; `person_of` birth date
    and sex behind a reference, None where they are not known, and it is None itself where nobody is.
    """

    cdef dict _systems, _settings
    cdef object _kind_of, _person_of, _poa_of
    cdef list _rows, _lines
    cdef Column _ids, _id_ends, _resource, _service, _birth, _dx_ends, _dx_index, _line_ends, _number
    cdef Column _pointer_ends, _pointers, _units, _charge, _start, _end, _modifier_ends, _main_only
    cdef Column _dx, _apart, _items
    cdef Words _codes, _poa, _modifiers, _payer_ids
    cdef Column _payer_ends, _order
    cdef readonly Py_ssize_t count
    """How many claims there are."""
    cdef readonly int64_t missed
    """How many of them refer to a patient that is not known."""

    def __init__(self, systems, kind_of, person_of, poa_of):
        self._systems = {system.encode(): rank for rank, system in enumerate(systems)}
        self._kind_of, self._person_of, self._poa_of = kind_of, person_of, poa_of
        self._settings = {}
        self._dx, self._apart, self._items = Column(), Column(), Column()
        self._clear()

    cdef _clear(self):
        self.count, self.missed = 0, 0
        self._rows = [Words() for _ in ROW_WORDS]
        self._lines = [Words() for _ in LINE_WORDS]
        self._ids, self._resource, self._service, self._birth = Column(), Column(), Column(), Column()
        self._dx_index, self._number, self._pointers, self._units = Column(), Column(), Column(), Column()
        self._charge, self._start, self._end, self._main_only = Column(), Column(), Column(), Column()
        self._dx_ends, self._line_ends, self._pointer_ends, self._modifier_ends = Column(), Column(), Column(), Column()
        self._id_ends, self._payer_ends, self._order = Column(), Column(), Column()
        for column in (self._dx_ends, self._line_ends, self._pointer_ends, self._modifier_ends, self._id_ends,
                       self._payer_ends):
            (<Column> column).add(0)
        self._codes, self._poa, self._modifiers, self._payer_ids = Words(), Words(), Words(), Words()

    def take(self):
        """Return the columns by name, and begin anew. Those of words are numbers, and ends and text of the words."""
        found = {
            "ids": (self._id_ends.take(), self._ids.take()),
            "order": self._order.take(), "resource": self._resource.take(), "service_date": self._service.take(), "birth_date": self._birth.take(),
            "dx_ends": self._dx_ends.take(), "dx_index": self._dx_index.take(), "codes": self._codes.take(),
            "poa": self._poa.take(), "payer_ends": self._payer_ends.take(), "payer_id": self._payer_ids.take(),
            "line_ends": self._line_ends.take(), "number": self._number.take(),
            "pointer_ends": self._pointer_ends.take(), "pointers": self._pointers.take(),
            "modifier_ends": self._modifier_ends.take(), "modifiers": self._modifiers.take(),
            "units": self._units.take(), "charge": self._charge.take(), "start": self._start.take(),
            "end": self._end.take(), "main_only": self._main_only.take(),
            "rows": {name: (<Words> words).take() for name, words in zip(ROW_WORDS, self._rows)},
            "lines": {name: (<Words> words).take() for name, words in zip(LINE_WORDS, self._lines)},
        }
        self._clear()
        return found

    def add(self, bytes line):
        """Add a line to the columns: TAKEN; or SOUND or REFUSED where the reader in Python is to look at it."""
        if not self._read(line):
            return REFUSED
        try:
            return TAKEN if self._add(line) else SOUND
        except Odd:
            return SOUND

    cdef bint _add(self, bytes line) except -1:
        cdef json_text *j = &self._json
        cdef Part kind = text_of(j, member(j, 0, b"resourceType"))
        cdef Part identity = text_of(j, member(j, 0, b"id"))
        cdef bint is_claim = is_word(kind, b"Claim")
        cdef int32_t service, birth
        cdef int32_t insurer = member(j, 0, b"insurer"), items = member(j, 0, b"item")
        cdef Py_ssize_t count, at
        cdef Part[8] said
        cdef Part frequency
        cdef int known
        if not (is_claim or is_word(kind, b"ExplanationOfBenefit")) or identity.at == NULL or not identity.size:
            return False
        self._diagnoses(member(j, 0, b"diagnosis"))
        cdef Dx *dx = <Dx *> self._dx.data
        count = self._dx.size // sizeof(Dx)
        cdef int64_t again = self._ordered(&count)
        if not count:
            return False
        setting, order = self._kind(line)
        if order == "all":
            known = 0
        else:
            known = 1 if dx[0].said & PRINCIPAL else 2
        list_of_objects(j, items)
        service = self._served(items, setting == b"inpatient")
        person, is_missed = self._person(member(j, 0, b"patient"))
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
        said[0], said[1], said[2] = part_of(setting), part_of(sex), self._payer(insurer)
        said[3] = self._bill(&frequency)
        said[4], said[5] = frequency, npi_of(j, resolved(j, member(j, 0, b"provider")))
        said[6], said[7] = self._rendering(), self._state(items)
        # What follows may still find something unusual: sizes are kept, to which the columns are cut again.
        cdef Py_ssize_t[8] kept
        self._sizes(kept)
        try:
            self._add_payers(resolved(j, insurer))
            self._add_lines(items, again, count, dx)
        except Odd:
            self._cut(kept)
            raise
        self._add_row(identity, not is_claim, service, birth, said)
        self.missed += is_missed
        self._order.add(known)
        for at in range(count):
            self._codes.index.add(dx[at].code)
            self._poa.index.add(dx[at].poa)
            self._dx_index.add(dx[at].index)
        self._dx_ends.add(<int32_t> (self._dx_index.size // 4))
        return True

    cdef int _sizes(self, Py_ssize_t *kept) noexcept:
        kept[0], kept[1], kept[2] = self._number.size, self._pointers.size, self._modifiers.index.size
        kept[3], kept[4] = self._payer_ids.index.size, (<Words> self._lines[0]).index.size
        kept[5] = kept[6] = kept[7] = 0
        return 0

    cdef int _cut(self, Py_ssize_t *kept) noexcept:
        """Take back what was added of a claim before anything unusual was found in it."""
        cdef Py_ssize_t lines = kept[0] // 8
        self._number.size = self._units.size = self._charge.size = kept[0]
        self._start.size = self._end.size = self._main_only.size = 4 * lines
        self._pointers.size, self._modifiers.index.size = kept[1], kept[2]
        self._pointer_ends.size = self._modifier_ends.size = 4 * lines + 4
        self._payer_ids.index.size = kept[3]
        for words in self._lines:
            (<Words> words).index.size = 4 * lines
        return 0

    def put(self, identity, int order, int32_t service, int32_t birth, payers, said, codes, lines, bint main_only):
        """Add a claim that the reader in Python read: `said` by `ROW_WORDS`, codes with their indicators, and for each
        line number, pointers, modifiers, units, charge, start, end and what it says by `LINE_WORDS`. Text is UTF-8.
        """
        cdef Part[8] words
        for at in range(8):
            words[at] = part_of(said[at])
        for one in payers:
            self._payer_ids.add(part_of(one))
        for number, pointers, modifiers, units, charge, start, end, *rest in lines:
            self._number.add_long(number)
            for one in pointers:
                self._pointers.add(one)
            for one in modifiers:
                self._modifiers.add(part_of(one))
            for at in range(3):
                (<Words> self._lines[at]).add(part_of(rest[at]))
            self._end_line(units, charge, start, end, main_only)
        self._add_row(part_of(identity), True, service, birth, words)
        self._order.add(order)
        for code, poa in codes:
            self._codes.add(part_of(code))
            self._poa.add(part_of(poa))
            self._dx_index.add(0)
        self._dx_ends.add(<int32_t> (self._dx_index.size // 4))

    cdef int _add_row(self, Part identity, int kind, int32_t service, int32_t birth, Part *said) except -1:
        self.count += 1
        self._ids.add_text(identity)
        self._id_ends.add(<int32_t> self._ids.size)
        self._resource.add(kind)
        self._service.add(service)
        self._birth.add(birth)
        for at in range(8):
            (<Words> self._rows[at]).add(said[at])
        self._payer_ends.add(<int32_t> (self._payer_ids.index.size // 4))
        self._line_ends.add(<int32_t> (self._start.size // 4))
        return 0

    cdef int _end_line(self, double units, double charge, int32_t start, int32_t end, bint main_only) except -1:
        self._pointer_ends.add(<int32_t> (self._pointers.size // 4))
        self._modifier_ends.add(<int32_t> (self._modifiers.index.size // 4))
        self._units.add_number(units)
        self._charge.add_number(charge)
        self._start.add(start)
        self._end.add(end)
        self._main_only.add(main_only)
        return 0

    cdef int _diagnoses(self, int32_t entries) except -1:
        """Read the entries in the order of the list."""
        cdef json_text *j = &self._json
        cdef int32_t entry, number = 0
        cdef Dx dx
        self._dx.size = 0
        if entries < 0 or j.nodes[entries].kind != JSON_LIST:
            raise Odd
        entry = entries + 1
        while entry < j.nodes[entries].next:
            if j.nodes[entry].kind != JSON_OBJECT or number >= 1000:
                raise Odd
            dx.index, number = number, number + 1
            dx.sequence = whole(j, member(j, entry, b"sequence"))
            if not 1 <= dx.sequence <= MOST:
                raise Odd
            dx.code = self._code(member(j, entry, b"diagnosisCodeableConcept"))
            dx.said = kinds_of(j, member(j, entry, b"type"))
            dx.poa = self._indicator(entry)
            self._dx.make_room(sizeof(Dx))
            memcpy(self._dx.data + self._dx.size, &dx, sizeof(Dx))
            self._dx.size += sizeof(Dx)
            entry = j.nodes[entry].next
        return 0

    cdef int64_t _ordered(self, Py_ssize_t *count) except -1:
        """Put the diagnoses in the order of the claim, those that stand apart in `_apart`; return the sequence of the
        principal one where the list begins with it once more, 0 where it does not."""
        cdef Dx *dx = <Dx *> self._dx.data
        cdef Dx moved
        cdef Py_ssize_t at, to, left = 0, first = -1, many = count[0]
        cdef int64_t again = 0
        for at in range(1, many):
            moved, to = dx[at], at
            while to and dx[to - 1].sequence > moved.sequence:
                dx[to] = dx[to - 1]
                to -= 1
            dx[to] = moved
        self._apart.size = 0
        for at in range(many):
            if at and dx[at].sequence == dx[at - 1].sequence:
                raise Odd
        for at in range(many):
            moved = dx[at]
            if moved.said & (ADMITTING | REASON) and not moved.said & PRINCIPAL:
                self._apart.add_long(moved.sequence)
                continue
            if first < 0 and moved.said & PRINCIPAL:
                first = left
            dx[left] = moved
            left += 1
        if first > 0:
            moved = dx[first]
            for at in range(first, 0, -1):
                dx[at] = dx[at - 1]
            dx[0] = moved
        if first >= 0 and left > 1 and dx[1].code == dx[0].code and not dx[1].said & SAID:
            again = dx[1].sequence
            for at in range(1, left - 1):
                dx[at] = dx[at + 1]
            left -= 1
        count[0] = left
        return again

    cdef int32_t _code(self, int32_t concept) except -2:
        """Return the number of the code in the best system of ICD-10-CM, spelled as weakcode does."""
        cdef json_text *j = &self._json
        cdef long best = 1000, rank
        cdef int32_t coding = first_coding(j, concept)
        cdef Part code, system, given
        code.at = NULL
        if concept < 0:
            raise Odd
        while coding >= 0:
            given, system = text_of(j, member(j, coding, b"code")), text_of(j, member(j, coding, b"system"))
            if given.at != NULL and system.at != NULL:
                rank = self._rank(system)
                if rank < best:
                    best, code = rank, stripped(given)
                    if not code.size:
                        raise Odd
            coding = next_object(j, coding)
        if code.at == NULL:
            raise Odd
        cdef uint8_t[16] spelled
        return self._codes.number(canonical(code, spelled))

    cdef long _rank(self, Part system) except -2:
        if is_word(system, b"http://hl7.org/fhir/sid/icd-10-cm"):
            return 0
        found = self._systems.get(PyBytes_FromStringAndSize(<const char *> system.at, system.size))
        return 1000 if found is None else found

    cdef int32_t _indicator(self, int32_t entry) except -2:
        """Return the number of the present-on-admission indicator."""
        cdef json_text *j = &self._json
        cdef int32_t extensions = member(j, entry, b"extension"), extension, coding
        cdef Part code
        cdef uint8_t sign
        list_of_objects(j, extensions)
        extension = first_item(j, extensions)
        while extension >= 0:
            if member(j, extension, b"valueCoding") >= 0 and part_holds(text_of(j, member(j, extension, b"url")), b"_poa_"):
                found = self._poa_of(spoken(j, entry))
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

    cdef tuple _kind(self, bytes line):
        """Return setting and order: what types and profiles say is asked once."""
        cdef json_text *j = &self._json
        cdef int32_t meta = member(j, 0, b"meta")
        key = (spoken(j, member(j, 0, b"type")), spoken(j, member(j, 0, b"subType")),
               spoken(j, member(j, meta, b"profile")))
        found = self._settings.get(key)
        if found is None:
            if len(self._settings) > 1000:
                self._settings.clear()
            found = self._settings[key] = self._kind_of(line)
        return <tuple> found

    cdef int32_t _served(self, int32_t items, bint last) except? -1:
        """Return the service date, ODD_DAY where it is in doubt."""
        cdef json_text *j = &self._json
        cdef int32_t start = _NO_DAY, end = _NO_DAY, day, item
        cdef int32_t period = member(j, 0, b"billablePeriod")
        start, end = day_of(text_of(j, member(j, period, b"start")), False), day_of(text_of(j, member(j, period, b"end")), False)
        if start == _ODD_DAY or end == _ODD_DAY:
            return _ODD_DAY
        if start != _NO_DAY or end != _NO_DAY:
            if last:
                return start if end == _NO_DAY else end
            return end if start == _NO_DAY else start
        item = first_item(j, items)
        while item >= 0:
            day = day_of(text_of(j, member(j, item, b"servicedDate")), False)
            if day == _NO_DAY:
                day = day_of(text_of(j, member(j, member(j, item, b"servicedPeriod"), b"start")), False)
            if day == _ODD_DAY:
                return _ODD_DAY
            if day != _NO_DAY and (start == _NO_DAY or day < start):
                start = day
            item = next_object(j, item)
        return start

    cdef tuple _person(self, int32_t patient):
        """Return birth date and sex, if there is a person, and whether one is missed."""
        cdef Part reference = text_of(&self._json, member(&self._json, patient, b"reference"))
        if reference.at == NULL:
            return None, False
        if reference.size and reference.at[0] == 35:
            inside = self._patient_inside(reference)
            if inside is not None:
                return inside, False
        if self._person_of is None:
            return None, True
        person = self._person_of(PyBytes_FromStringAndSize(<const char *> reference.at, reference.size).decode())
        return person, person is None

    cdef tuple _patient_inside(self, Part reference):
        """Return birth date and sex of the Patient in the resource that a reference leads to, None where it is none."""
        cdef json_text *j = &self._json
        cdef int32_t one = member(j, 0, b"contained")
        cdef Part born, gender
        list_of_objects(j, one)
        one = first_item(j, one)
        while one >= 0:
            if is_word(text_of(j, member(j, one, b"resourceType")), b"Patient") and leads_to(j, reference, one):
                born, gender = text_of(j, member(j, one, b"birthDate")), text_of(j, member(j, one, b"gender"))
                sex = b"M" if is_word(gender, b"male") else b"F" if is_word(gender, b"female") else None
                if sex is None and (gender.at != NULL or member(j, one, b"extension") >= 0):
                    raise Odd
                return None if born.size < 10 else PyBytes_FromStringAndSize(<const char *> born.at, born.size), sex
            one = next_object(j, one)
        return None

    cdef Part _payer(self, int32_t insurer) except *:
        cdef json_text *j = &self._json
        cdef int32_t insurances = member(j, 0, b"insurance"), one
        cdef Part name = name_of(j, insurer)
        cdef bint focal_only = False
        list_of_objects(j, insurances)
        one = first_item(j, insurances)
        while one >= 0:
            focal_only = focal_only or is_true(j, member(j, one, b"focal"))
            one = next_object(j, one)
        one = first_item(j, insurances)
        while one >= 0 and name.at == NULL:
            if not focal_only or is_true(j, member(j, one, b"focal")):
                name = name_of(j, member(j, one, b"coverage"))
            one = next_object(j, one)
        return name

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

    cdef Part _bill(self, Part *frequency) except *:
        """Return type of bill and frequency."""
        cdef json_text *j = &self._json
        cdef int32_t infos = member(j, 0, b"supportingInfo"), info
        cdef Part bill, none
        none.at, none.size = NULL, 0
        frequency[0] = none
        list_of_objects(j, infos)
        info = first_item(j, infos)
        while info >= 0:
            if has_code(j, member(j, info, b"category"), b"typeofbill", NULL, False):
                bill = first_code(j, member(j, info, b"code"))
                if bill.at != NULL:
                    if bill.size != 2:
                        frequency.at, frequency.size = bill.at + bill.size - 1, 1
                    return bill if bill.size > 1 else none
            info = next_object(j, info)
        return none

    cdef Part _rendering(self) except *:
        cdef json_text *j = &self._json
        cdef int32_t members = member(j, 0, b"careTeam"), one
        cdef Part npi
        list_of_objects(j, members)
        one = first_item(j, members)
        while one >= 0:
            if has_code(j, member(j, one, b"role"), b"rendering", b"performing", False):
                npi = npi_of(j, resolved(j, member(j, one, b"provider")))
                if npi.at != NULL and npi.size:
                    return npi
            one = next_object(j, one)
        npi.at, npi.size = NULL, 0
        return npi

    cdef Part _state(self, int32_t items) except *:
        """Return the state of the facility, else the one state that all items name."""
        cdef json_text *j = &self._json
        cdef int32_t facility = member(j, 0, b"facility"), item
        cdef Part state, named, none
        none.at, none.size = NULL, 0
        state = filled(text_of(j, member(j, member(j, resolved(j, facility), b"address"), b"state")))
        if state.at != NULL:
            return state
        named = none
        item = first_item(j, items)
        while item >= 0:
            state = filled(text_of(j, member(j, member(j, item, b"locationAddress"), b"state")))
            if state.at != NULL:
                if named.at != NULL and (named.size != state.size or memcmp(named.at, state.at, state.size)):
                    return none
                named = state
            item = next_object(j, item)
        return named

    cdef int _add_lines(self, int32_t items, int64_t again, Py_ssize_t count, Dx *dx) except -1:
        cdef json_text *j = &self._json
        cdef int32_t item = first_item(j, items), place = 0, number
        cdef int64_t sequence
        cdef bint main_only = are_main(j, items) and is_word(
            text_of(j, member(j, 0, b"resourceType")), b"ExplanationOfBenefit"
        )
        while item >= 0:
            place += 1
            number = member(j, item, b"sequence")
            sequence = whole(j, number) if number >= 0 and j.nodes[number].kind == JSON_WHOLE else place
            self._number.add_long(sequence)
            self._add_pointers(member(j, item, b"diagnosisSequence"), again, count, dx)
            self._add_rest(item, main_only)
            item = next_object(j, item)
        return 0

    cdef int _add_pointers(self, int32_t given, int64_t again, Py_ssize_t count, Dx *dx) except -1:
        cdef json_text *j = &self._json
        cdef int32_t pointer
        cdef int64_t sequence, position
        cdef Py_ssize_t at, before = self._pointers.size
        cdef bint is_known
        if given < 0:
            return 0
        if j.nodes[given].kind != JSON_LIST:
            raise Odd
        pointer = given + 1
        while pointer < j.nodes[given].next:
            sequence = whole(j, pointer)
            if not 0 < sequence < MOST:
                raise Odd
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
            if again and sequence == again:
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
        concept = member(j, item, b"modifier")
        list_of_objects(j, concept)
        concept = first_item(j, concept)
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
            raise Odd
        concept = first_coding(j, member(j, item, b"productOrService"))
        procedure = text_of(j, member(j, concept, b"code"))
        (<Words> self._lines[0]).add(procedure)
        (<Words> self._lines[1]).add(first_code(j, member(j, item, b"locationCodeableConcept")))
        (<Words> self._lines[2]).add(first_code(j, member(j, item, b"revenue")))
        return self._end_line(units, charge, start if day == _NO_DAY else day, end if day == _NO_DAY else day, main_only)


cdef inline int32_t member(json_text *j, int32_t node, const char *name) except -2:
    """Return the value of a key of an object; -1 where it is missing or null, or the node is -1."""
    cdef int32_t size = 0
    if node < 0:
        return -1
    if j.nodes[node].kind != JSON_OBJECT:
        raise Odd
    while name[size]:
        size += 1
    return json_member(j, node, name, size)


cdef inline Part text_of(json_text *j, int32_t node) except *:
    """Return a text as it stands; nothing where there is none, or another value."""
    cdef Part found
    found.at, found.size = NULL, 0
    if node >= 0:
        if j.nodes[node].kind == JSON_ESCAPED:
            raise Odd
        if j.nodes[node].kind == JSON_TEXT:
            found.at, found.size = j.text + j.nodes[node].at, j.nodes[node].size
    return found


cdef inline bytes spoken(json_text *j, int32_t node):
    """Return the text of a value."""
    return None if node < 0 else PyBytes_FromStringAndSize(<const char *> j.text + j.nodes[node].at, j.nodes[node].size)


cdef Part part_of(object text) except *:
    """Return bytes as a part, which is good as long as they are."""
    cdef Part found
    found.at, found.size = NULL, 0
    if text is not None:
        found.at, found.size = <const uint8_t *> PyBytes_AsString(text), <int32_t> len(<bytes> text)
    return found


cdef inline bint is_word(Part text, const char *word) noexcept:
    cdef int32_t at
    if text.at == NULL:
        return False
    for at in range(text.size):
        if word[at] == 0 or <uint8_t> word[at] != text.at[at]:
            return False
    return word[text.size] == 0


cdef inline bint is_lower_word(Part text, const char *word) noexcept:
    """Tell whether text of ASCII is a word of lower case, whatever its own case."""
    cdef int32_t at
    cdef uint8_t sign
    for at in range(text.size):
        sign = text.at[at]
        if 65 <= sign <= 90:
            sign += 32
        if word[at] == 0 or <uint8_t> word[at] != sign:
            return False
    return word[text.size] == 0


cdef bint part_holds(Part text, const char *word) except -1:
    cdef int32_t at, size = 0
    while word[size]:
        size += 1
    for at in range(text.size - size + 1):
        if not memcmp(text.at + at, word, size):
            return True
    return False


cdef inline Part stripped(Part text) except *:
    """Return text without blanks around it, which other scripts have too."""
    cdef int32_t at
    for at in range(text.size):
        if text.at[at] >= 128:
            raise Odd
    while text.size and text.at[0] == 32:
        text.at += 1
        text.size -= 1
    while text.size and text.at[text.size - 1] == 32:
        text.size -= 1
    return text


cdef Part filled(Part text) except *:
    """Return text without blanks around it, nothing where it is empty."""
    if text.at != NULL:
        text = stripped(text)
        if not text.size:
            text.at = NULL
    return text


cdef Part canonical(Part code, uint8_t *spelled) except *:
    """Spell a code: dotted and in upper case. What is no plain code is for the reader in Python."""
    cdef int32_t at, size = 0
    cdef uint8_t sign
    cdef Part found
    while code.size and code.at[code.size - 1] == 46:
        code.size -= 1
    if not 1 <= code.size <= 8:
        raise Odd
    for at in range(code.size):
        sign = code.at[at]
        if at == 3 and sign == 46:
            continue
        if 97 <= sign <= 122:
            sign -= 32
        if not (48 <= sign <= 57 or 65 <= sign <= 90):
            raise Odd
        if size == 3:
            spelled[3] = 46
            size = 4
        spelled[size] = sign
        size += 1
    if size > 8:
        raise Odd
    found.at, found.size = spelled, size
    return found


cdef int list_of_objects(json_text *j, int32_t node) except -1:
    """Raise Odd unless a node is a list of objects, or there is none."""
    cdef int32_t item
    if node < 0:
        return 0
    if j.nodes[node].kind != JSON_LIST:
        raise Odd
    item = node + 1
    while item < j.nodes[node].next:
        if j.nodes[item].kind != JSON_OBJECT:
            raise Odd
        item = j.nodes[item].next
    return 0


cdef inline int32_t first_item(json_text *j, int32_t items) noexcept:
    """Return the first item of a list of objects, -1 where there is none."""
    return items + 1 if items >= 0 and j.nodes[items].next > items + 1 else -1


cdef inline int32_t next_object(json_text *j, int32_t item) noexcept:
    """Return the item behind another one in their list, -1 at its end."""
    return j.nodes[item].next if j.nodes[item].more else -1


cdef int32_t first_coding(json_text *j, int32_t concept) except -2:
    """Return the first coding of a concept, -1 where there is none."""
    cdef int32_t codings = member(j, concept, b"coding")
    list_of_objects(j, codings)
    return first_item(j, codings)


cdef Part first_code(json_text *j, int32_t concept) except *:
    """Return the first code of a concept that is none of blanks."""
    cdef int32_t coding = first_coding(j, concept)
    cdef Part code
    code.at, code.size = NULL, 0
    while coding >= 0 and code.at == NULL:
        code = filled(text_of(j, member(j, coding, b"code")))
        coding = next_object(j, coding)
    return code


cdef bint has_code(json_text *j, int32_t concept, const char *one, const char *other, bint lower) except -1:
    """Tell whether a coding of a concept has one of two codes."""
    cdef int32_t coding = first_coding(j, concept)
    cdef Part code
    while coding >= 0:
        code = filled(text_of(j, member(j, coding, b"code")))
        if code.at != NULL:
            if is_lower_word(code, one) if lower else is_word(code, one):
                return True
            if other != NULL and is_word(code, other):
                return True
        coding = next_object(j, coding)
    return False


cdef int kinds_of(json_text *j, int32_t concepts) except -1:
    """Return what the types of a diagnosis say."""
    cdef int said = 0
    cdef int32_t concept, coding
    cdef Part code
    list_of_objects(j, concepts)
    concept = first_item(j, concepts)
    while concept >= 0:
        coding = first_coding(j, concept)
        while coding >= 0:
            code = text_of(j, member(j, coding, b"code"))
            if code.at != NULL:
                for at in range(code.size):
                    if code.at[at] >= 128:
                        raise Odd
                if is_lower_word(code, b"principal"):
                    said |= PRINCIPAL
                elif is_lower_word(code, b"admitting"):
                    said |= ADMITTING | SAID
                elif is_lower_word(code, b"patientreasonforvisit"):
                    said |= REASON | SAID
                elif is_lower_word(code, b"external-cause") or is_lower_word(code, b"externalcauseofinjury"):
                    said |= SAID
            coding = next_object(j, coding)
        concept = next_object(j, concept)
    return said


cdef bint is_true(json_text *j, int32_t node) noexcept:
    return node >= 0 and j.nodes[node].kind == JSON_TRUE


cdef int32_t resolved(json_text *j, int32_t holder) except -2:
    """Return a reference, or the contained resource that it leads to, -1 where that is none."""
    cdef Part reference = text_of(j, member(j, holder, b"reference"))
    cdef int32_t one
    if reference.at == NULL or not reference.size or reference.at[0] != 35:
        return holder
    one = member(j, 0, b"contained")
    list_of_objects(j, one)
    one = first_item(j, one)
    while one >= 0 and not leads_to(j, reference, one):
        one = next_object(j, one)
    return one


cdef bint leads_to(json_text *j, Part reference, int32_t one) except -1:
    """Tell whether a reference to something inside leads to this."""
    cdef int32_t node = member(j, one, b"id")
    cdef Part name = text_of(j, node)
    if name.at == NULL:
        # What has no id, or one that is no text, is called in a way of its own.
        raise Odd
    return name.size == reference.size - 1 and not memcmp(name.at, reference.at + 1, name.size)


cdef int64_t whole(json_text *j, int32_t node) except? -1:
    """Return a whole number; -1 for anything else."""
    cdef int64_t value = 0
    cdef int32_t at
    cdef const uint8_t *text
    if node < 0 or j.nodes[node].kind != JSON_WHOLE:
        return -1
    text = j.text + j.nodes[node].at
    for at in range(text[0] == 45, j.nodes[node].size):
        value = value * 10 + text[at] - 48
    return -value if text[0] == 45 else value


cdef double number_of(json_text *j, int32_t node) except? -1.0:
    """Return an amount, NaN where there is none."""
    cdef double number
    cdef char *end = NULL
    if node < 0 or not (j.nodes[node].kind == JSON_WHOLE or j.nodes[node].kind == JSON_REAL):
        return _NAN
    if j.nodes[node].kind == JSON_WHOLE:
        number = <double> whole(j, node)
    else:
        number = PyOS_string_to_double(<const char *> j.text + j.nodes[node].at, &end, NULL)
    return number if -1e15 < number < 1e15 else _NAN


cdef int32_t first_identifier(json_text *j, int32_t holder) except -2:
    """Return the identifier of a holder, or the first of a list of them; -1 where there is none."""
    cdef int32_t given = member(j, holder, b"identifier")
    if given < 0 or j.nodes[given].kind == JSON_OBJECT:
        return given
    list_of_objects(j, given)
    return first_item(j, given)


cdef Part npi_of(json_text *j, int32_t holder) except *:
    """Return the first identifier of a holder of which the system has npi in its name."""
    cdef int32_t one = first_identifier(j, holder)
    cdef Part value
    while one >= 0:
        value = text_of(j, member(j, one, b"value"))
        if value.at != NULL and names_npi(text_of(j, member(j, one, b"system"))):
            return stripped(value)
        one = next_object(j, one)
    value.at, value.size = NULL, 0
    return value


cdef bint names_npi(Part system) except -1:
    cdef int32_t at
    for at in range(system.size):
        if system.at[at] >= 128:
            raise Odd
    for at in range(system.size - 2):
        if system.at[at] | 32 == 110 and system.at[at + 1] | 32 == 112 and system.at[at + 2] | 32 == 105:
            return True
    return False


cdef Part name_of(json_text *j, int32_t holder) except *:
    """Return what a payer is called: what is displayed, or the value of its identifier."""
    cdef int32_t identifier
    cdef Part name = text_of(j, member(j, holder, b"display"))
    if is_said(name):
        return name
    identifier = member(j, holder, b"identifier")
    if identifier >= 0 and j.nodes[identifier].kind == JSON_OBJECT:
        name = text_of(j, member(j, identifier, b"value"))
        if is_said(name):
            return name
    name.at, name.size = NULL, 0
    return name


cdef bint is_said(Part text) except -1:
    """Tell whether a text is more than blanks."""
    cdef int32_t at
    for at in range(text.size):
        if text.at[at] >= 128:
            raise Odd
        if text.at[at] != 32:
            return True
    return False


cdef double submitted(json_text *j, int32_t adjudications) except? -1.0:
    """Return the first amount that is called submitted."""
    cdef int32_t one, amount
    list_of_objects(j, adjudications)
    one = first_item(j, adjudications)
    while one >= 0:
        amount = member(j, one, b"amount")
        if amount >= 0 and has_code(j, member(j, one, b"category"), b"submitted", NULL, True):
            return number_of(j, member(j, amount, b"value"))
        one = next_object(j, one)
    return _NAN


cdef bint are_main(json_text *j, int32_t items) except -1:
    """Tell whether no item has more than one pointer."""
    cdef int32_t item = first_item(j, items), pointers
    while item >= 0:
        pointers = member(j, item, b"diagnosisSequence")
        if pointers >= 0 and j.nodes[pointers].kind == JSON_LIST:
            # A number is one node.
            if j.nodes[pointers].next > pointers + 2:
                return False
        item = next_object(j, item)
    return True


cdef int32_t day_of(Part text, bint any_end) except? -1:
    """Return the day, as days since 1970, with which a text begins; NO_DAY for what is no date, ODD_DAY if in doubt.

    What stands behind it begins with T, unless `any_end`.
    """
    cdef int year, month, day, at, place, era, of_era, of_year
    cdef int[8] digits
    if text.at == NULL:
        return _NO_DAY
    for at in range(text.size):
        if text.at[at] >= 128:
            return _ODD_DAY
    if text.size < 10:
        return _NO_DAY
    for at in range(8):
        place = at + (at >= 4) + (at >= 6)
        digits[at] = <int> text.at[place] - 48
        if not 0 <= digits[at] <= 9:
            return _ODD_DAY if any_end else _NO_DAY
    if text.at[4] != 45 or text.at[7] != 45 or (text.size > 10 and not any_end and text.at[10] != 84):
        return _ODD_DAY if any_end else _NO_DAY
    year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]
    month, day = digits[4] * 10 + digits[5], digits[6] * 10 + digits[7]
    if year < 1 or not 1 <= month <= 12 or day < 1 or day > days_of(year, month):
        return _ODD_DAY
    # Days from 1970 of the proleptic Gregorian calendar, in which years begin in March here.
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


cdef int days_of(int year, int month) noexcept:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31
