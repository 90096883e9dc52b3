# Lines of JSON, and what the resource of one says of the claim as a whole.

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
        return self._checked(json_read(&self._json, <const uint8_t *> PyBytes_AsString(line), len(line))) == SOUND

    cdef int _checked(self, int read) except -1:
        """Return what becomes of a value that was read: text that is not UTF-8 is refused."""
        if read == JSON_NO_MEMORY:
            raise MemoryError
        if read == JSON_PLAIN and self._json.high:
            try:
                PyBytes_FromStringAndSize(<const char *> self._json.text, self._json.end).decode()
            except UnicodeDecodeError:
                return REFUSED
        return SOUND if read == JSON_PLAIN else MORE if read == JSON_MORE else REFUSED

    cdef int _read_at(self, bytes text, Py_ssize_t at, bint any) except -1:
        if not 0 <= at <= len(text):
            raise ValueError(f"{at} is no place in {len(text)} bytes")
        return self._checked(
            json_read_at(&self._json, <const uint8_t *> PyBytes_AsString(text) + at, len(text) - at, any)
        )

    def add(self, bytes line):
        """Return SOUND or REFUSED."""
        return SOUND if self._read(line) else REFUSED

    def add_at(self, bytes text, Py_ssize_t at):
        """Read the object that begins at a place of a text.

        Return SOUND, REFUSED or MORE, where it ends, and whether it holds the resource that was added as an entry does.
        """
        outcome = self._read_at(text, at, False)
        return outcome, at + self._json.end, False

    def value_at(self, bytes text, Py_ssize_t at):
        """Return SOUND, REFUSED or MORE of the value, whatever it is, that begins at a place of a text, and its end."""
        outcome = self._read_at(text, at, True)
        return outcome, at + self._json.end


cdef class Resource(Lines):
    """What the claim that was read says beside its diagnoses and lines.

    `systems` are those of ICD-10-CM, the best first. `kind_of` gives, of the text of a resource, the setting and of
    which codes the order is known; `person_of` birth date and sex behind a reference, None where they are not known,
    and it is None itself where nobody is.
    """

    cdef dict _systems, _settings
    cdef object _kind_of, _person_of

    def __init__(self, systems, kind_of, person_of):
        self._systems = {system.encode(): rank for rank, system in enumerate(systems)}
        self._kind_of, self._person_of = kind_of, person_of
        self._settings = {}

    cdef long _rank(self, Part system) except -2:
        if is_word(system, b"http://hl7.org/fhir/sid/icd-10-cm"):
            return 0
        found = self._systems.get(PyBytes_FromStringAndSize(<const char *> system.at, system.size))
        return 1000 if found is None else found

    cdef tuple _kind(self):
        """Return setting and order: what types and profiles say is asked once."""
        cdef json_text *j = &self._json
        cdef int32_t meta = member(j, j.root, b"meta")
        key = (text_as_written(j, member(j, j.root, b"type")), text_as_written(j, member(j, j.root, b"subType")),
               text_as_written(j, member(j, meta, b"profile")))
        found = self._settings.get(key)
        if found is None:
            if len(self._settings) > 1000:
                self._settings.clear()
            found = self._settings[key] = self._kind_of(text_as_written(j, j.root))
        return <tuple> found

    cdef int32_t _service_day(self, int32_t items, bint last) except? -1:
        """Return the service date, ODD_DAY where it is in doubt."""
        cdef json_text *j = &self._json
        cdef int32_t start = _NO_DAY, end = _NO_DAY, day, item
        cdef int32_t period = member(j, j.root, b"billablePeriod")
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
        """Return birth date and sex, if there is a person, and whether the patient is unknown."""
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
        cdef int32_t one = first_object(j, member(j, j.root, b"contained"))
        cdef Part born, gender
        while one >= 0:
            if is_word(text_of(j, member(j, one, b"resourceType")), b"Patient") and leads_to(j, reference, one):
                born, gender = text_of(j, member(j, one, b"birthDate")), text_of(j, member(j, one, b"gender"))
                sex = b"M" if is_word(gender, b"male") else b"F" if is_word(gender, b"female") else None
                if sex is None and (gender.at != NULL or member(j, one, b"extension") >= 0):
                    raise Unusual
                return None if born.size < 10 else PyBytes_FromStringAndSize(<const char *> born.at, born.size), sex
            one = next_object(j, one)
        return None

    cdef Part _payer(self, int32_t insurer) except *:
        cdef json_text *j = &self._json
        cdef int32_t insurances = member(j, j.root, b"insurance"), one
        cdef Part name = name_of(j, insurer)
        cdef bint focal_only = False
        one = first_object(j, insurances)
        while one >= 0:
            focal_only = focal_only or is_true(j, member(j, one, b"focal"))
            one = next_object(j, one)
        one = first_item(j, insurances)
        while one >= 0 and name.at == NULL:
            if not focal_only or is_true(j, member(j, one, b"focal")):
                name = name_of(j, member(j, one, b"coverage"))
            one = next_object(j, one)
        return name

    cdef Part _bill(self, Part *frequency) except *:
        """Return type of bill and frequency."""
        cdef json_text *j = &self._json
        cdef int32_t info = first_object(j, member(j, j.root, b"supportingInfo"))
        cdef Part bill
        frequency[0] = NOTHING
        while info >= 0:
            if has_code(j, member(j, info, b"category"), b"typeofbill", NULL, False):
                bill = first_code(j, member(j, info, b"code"))
                if bill.at != NULL:
                    if bill.size != 2:
                        frequency.at, frequency.size = bill.at + bill.size - 1, 1
                    return bill if bill.size > 1 else NOTHING
            info = next_object(j, info)
        return NOTHING

    cdef Part _information_code(self, const char *category) except *:
        """Return the first code of the supporting information of a category."""
        cdef json_text *j = &self._json
        cdef int32_t info = first_item(j, member(j, j.root, b"supportingInfo"))
        cdef Part code
        while info >= 0:
            if has_code(j, member(j, info, b"category"), category, NULL, False):
                code = first_code(j, member(j, info, b"code"))
                if code.at != NULL:
                    return code
            info = next_object(j, info)
        return NOTHING

    cdef Part _rendering(self, Part *taxonomy) except *:
        """Return the NPI of the rendering provider; `taxonomy` gets the taxonomy of the same, else the first that is given."""
        cdef json_text *j = &self._json
        cdef int32_t one = first_object(j, member(j, j.root, b"careTeam"))
        cdef Part npi, of_member
        taxonomy[0] = NOTHING
        while one >= 0:
            if has_code(j, member(j, one, b"role"), b"rendering", b"performing", False):
                npi = npi_of(j, resolved(j, member(j, one, b"provider")))
                of_member = taxonomy_of(j, member(j, one, b"qualification"))
                if npi.at != NULL and npi.size:
                    taxonomy[0] = of_member
                    return npi
                if taxonomy.at == NULL:
                    taxonomy[0] = of_member
            one = next_object(j, one)
        return NOTHING

    cdef Part _state(self, int32_t items) except *:
        """Return the state of the facility, else the one state that all items name."""
        cdef json_text *j = &self._json
        cdef int32_t facility = member(j, j.root, b"facility"), item = first_item(j, items)
        cdef Part state, named = NOTHING
        state = filled(text_of(j, member(j, member(j, resolved(j, facility), b"address"), b"state")))
        if state.at != NULL:
            return state
        while item >= 0:
            state = filled(text_of(j, member(j, member(j, item, b"locationAddress"), b"state")))
            if state.at != NULL:
                if named.at != NULL and (named.size != state.size or memcmp(named.at, state.at, state.size)):
                    return NOTHING
                named = state
            item = next_object(j, item)
        return named
