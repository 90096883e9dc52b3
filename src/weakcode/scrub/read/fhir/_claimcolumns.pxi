# Columns of claims, one claim after the other.

cdef class ClaimColumns(Resource):
    """Columns of claims, of which one is added at a time or taken back."""

    cdef list _rows, _lines
    cdef Column _ids, _id_ends, _resource, _service, _birth, _dx_ends, _dx_index, _dx_at, _line_ends, _number
    cdef Column _pointer_ends, _pointers, _units, _charge, _start, _end, _modifier_ends, _main_only
    cdef Words _codes, _poa, _modifiers, _payer_ids
    cdef Column _payer_ends, _order
    cdef readonly Py_ssize_t count
    """How many claims there are."""
    cdef readonly int64_t unknown_patients
    """How many of them refer to a patient that is not known."""

    def __init__(self, systems, kind_of, person_of):
        super().__init__(systems, kind_of, person_of)
        self._clear()

    cdef _clear(self):
        self.count, self.unknown_patients = 0, 0
        self._rows = [Words() for _ in ROW_WORDS]
        self._lines = [Words() for _ in LINE_WORDS]
        self._ids, self._resource, self._service, self._birth = Column(), Column(), Column(), Column()
        self._dx_index, self._dx_at = Column(), Column()
        self._number, self._pointers, self._units = Column(), Column(), Column()
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
            "dx_ends": self._dx_ends.take(), "dx_index": self._dx_index.take(),
            "dx_at": self._dx_at.take(), "codes": self._codes.take(),
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

    def put(self, identity, int order, int32_t service, int32_t birth, payers, fields, codes, lines, bint main_only):
        """Add a claim that the reader in Python read: `fields` by `ROW_WORDS`, codes with their indicators, and for each
        line number, pointers, modifiers, units, charge, start, end and what it says by `LINE_WORDS`. Text is UTF-8.
        """
        cdef Part[ROW_SIZE] words
        for at in range(ROW_SIZE):
            words[at] = part_of(fields[at])
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
            self._dx_at.add(0)
        self._dx_ends.add(<int32_t> (self._dx_index.size // 4))

    cdef int _add_row(self, Part identity, int kind, int32_t service, int32_t birth, Part *fields) except -1:
        self.count += 1
        self._ids.add_text(identity)
        self._id_ends.add(<int32_t> self._ids.size)
        self._resource.add(kind)
        self._service.add(service)
        self._birth.add(birth)
        for at in range(ROW_SIZE):
            (<Words> self._rows[at]).add(fields[at])
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
