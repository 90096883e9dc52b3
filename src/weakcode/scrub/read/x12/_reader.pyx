# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""The native reader of 837 files: bytes in, columns of claims out (_claims.h over _segments.h and _columns.h).

It reads what is plain and stops before what is not, which the reader in Python then reads: see native.py. Columns are
contiguous memory; nothing here needs numpy or pyarrow.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset
from cpython.buffer cimport PyBuffer_FillInfo


cdef extern from "_claims.h" nogil:
    enum:
        X12_COLUMNS
        X12_MORE
        X12_NO_MEMORY
        X12_PARTIES
        X12_ROW_WORDS
        X12_TABLES
        X12_PROCEDURE
        X12_MODIFIER
        X12_LINE_WORDS
        X12_WORDS
        X12_TABLE_TEXT
        X12_ENVELOPE_TEXT
        X12_ENVELOPE_ENDS
        X12_ENVELOPE_KIND
    ctypedef struct x12_text:
        const uint8_t *at
        int64_t size
    ctypedef struct x12_column:
        uint8_t *at
        int64_t size
        int64_t room
    ctypedef struct x12_signs:
        uint8_t element
        uint8_t component
        uint8_t segment
        uint8_t repetition
    ctypedef struct x12_segment:
        x12_signs signs
    ctypedef struct x12_names:
        int32_t *slots
    ctypedef struct x12_state:
        int64_t offset
        int64_t line
        int64_t column
        int64_t number
        int64_t claims
        int64_t sets
        int64_t undiagnosed
        int64_t last_level
        int64_t last_line
        int levels_counted
        int in_837
        int in_other
        int kind
        int guide
        int32_t envelope
        int32_t *parties
        int billing
        int32_t birth
        int sex
        int patient_is_plain
    ctypedef struct x12_reader:
        x12_column *columns
        x12_names *names
        x12_state now
        x12_segment segment
    ctypedef struct x12_spots:
        const int32_t *prefix_ends
        const uint8_t *prefixes
        const int32_t *envelope
        const int32_t *segment
        const int32_t *dx_ends
        const int32_t *dx_segment
        const int32_t *dx_element
        const int64_t *line
        const int64_t *column
        const int64_t *dx_line
        const int64_t *dx_column
    int x12_begin(x12_reader *r)
    int x12_put_envelope(x12_reader *r, x12_text number)
    int64_t x12_rows(const x12_reader *r)
    int x12_read(x12_reader *r, const uint8_t *text, int64_t size)
    int32_t x12_name_in(x12_reader *r, int table, const uint8_t *at, int64_t size)
    int x12_put_text(x12_column *text, x12_column *ends, const uint8_t *at, int64_t size)
    int x12_put32(x12_column *column, int32_t value)
    int x12_put64(x12_column *column, int64_t value)
    int x12_put_double(x12_column *column, double value)
    int x12_place(const x12_spots *p, int32_t row, int32_t position, x12_column *text, x12_column *ends, int64_t *line)


cdef class Block:
    """Memory that the reader filled, as bytes for numpy or pyarrow to view; freed with the last view."""

    cdef x12_column column

    def __dealloc__(self):
        free(self.column.at)

    def __len__(self):
        return self.column.size

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        cdef void *at = self.column.at if self.column.at != NULL else <void *>&nothing
        PyBuffer_FillInfo(buffer, self, at, self.column.size, 0, flags)


cdef int nothing = 0


cdef Block _taken(x12_column *column):
    cdef Block block = Block.__new__(Block)
    block.column = column[0]
    memset(column, 0, sizeof(x12_column))
    return block


cdef class Reader:
    """Claims of one interchange's stretches, and where in the file and its envelopes the reading is.

    The attributes are the state between two segments that are in no claim; whoever reads on elsewhere sets them.
    """

    cdef x12_reader reader

    def __cinit__(self):
        memset(&self.reader, 0, sizeof(x12_reader))
        if not x12_begin(&self.reader):
            raise MemoryError

    def __dealloc__(self):
        cdef int i
        for i in range(X12_COLUMNS):
            free(self.reader.columns[i].at)
        for i in range(X12_TABLES):
            free(self.reader.names[i].slots)

    def __len__(self):
        return x12_rows(&self.reader)

    def delimiters(self, bytes signs):
        """Set element, component, segment and repetition signs, one byte each; NUL where there is no repetition."""
        cdef x12_signs *to = &self.reader.segment.signs
        to.element, to.component, to.segment, to.repetition = signs

    def place(self, int64_t offset, int64_t line, int64_t column, int64_t last_line):
        """Set where the reading goes on: an offset into the text that `read` gets, 1-based line and column.

        `last_line` is that on which the segment before begins, 0 where there is none.
        """
        cdef x12_state *now = &self.reader.now
        now.offset, now.line, now.column, now.last_line = offset, line, column, last_line

    def placed(self):
        """Return where the reading goes on as `place` takes it."""
        cdef x12_state *now = &self.reader.now
        return now.offset, now.line, now.column, now.last_line

    def envelopes(self):
        """Return how many transactions there are in the columns."""
        return self.reader.columns[X12_ENVELOPE_KIND].size // sizeof(int32_t)

    def transaction(self, int64_t number, int64_t claims, int64_t sets, int64_t last_level, bint levels_counted,
                    bint in_837, bint in_other, int kind, int guide, bytes control):
        """Set the state of the envelopes. `control` is empty where no claim may begin here."""
        cdef x12_state *now = &self.reader.now
        cdef x12_text number_text
        now.number, now.claims, now.sets = number, claims, sets
        now.last_level, now.levels_counted = last_level, levels_counted
        now.in_837, now.in_other, now.kind, now.guide = in_837, in_other, kind, guide
        now.envelope = -1
        now.undiagnosed = 0
        if control:
            number_text.at, number_text.size = control, len(control)
            if not x12_put_envelope(&self.reader, number_text):
                raise MemoryError

    def transacted(self):
        """Return the state of the envelopes as `transaction` takes it, and dental claims without a diagnosis since."""
        cdef x12_state *now = &self.reader.now
        control = self._name(now.envelope, X12_ENVELOPE_TEXT, X12_ENVELOPE_ENDS)
        return (
            now.number, now.claims, now.sets, now.last_level, bool(now.levels_counted), bool(now.in_837),
            bool(now.in_other), now.kind, now.guide, control,
        ), now.undiagnosed

    def patient(self, int32_t birth, int sex, bint is_plain, bint billing, parties):
        """Set what is known of the patient (days from 1970-01-01, 0 for F and 1 for M; see NO_DAY) and of the parties.

        `parties` has a word for each table before PARTIES; `billing` tells whether the last NM1 was the provider's.
        """
        cdef x12_state *now = &self.reader.now
        now.birth, now.sex, now.patient_is_plain, now.billing = birth, sex, is_plain, billing
        for table, word in enumerate(parties):
            now.parties[<int>table] = self._number(table, word)

    def known_patient(self):
        """Return what is known of the patient and the parties as `patient` takes it."""
        cdef x12_state *now = &self.reader.now
        cdef int table
        parties = tuple(
            [self._name(now.parties[table], TABLES + 2 * table, TABLES + 2 * table + 1) for table in range(X12_PARTIES)]
        )
        return now.birth, now.sex, bool(now.patient_is_plain), bool(now.billing), parties

    cdef int32_t _number(self, int table, bytes word) except -2:
        cdef int32_t number
        if not word:
            return -1
        number = x12_name_in(&self.reader, table, word, len(word))
        if number < 0:
            raise MemoryError
        return number

    cdef bytes _name(self, int32_t number, int text, int ends):
        cdef const int32_t *bounds = <const int32_t *>self.reader.columns[ends].at
        if number < 0:
            return b""
        return self.reader.columns[text].at[bounds[number]:bounds[number + 1]]

    def read(self, const uint8_t[::1] text):
        """Read claims; True where only more text can tell how it goes on, False where a closer look is due."""
        cdef int why
        cdef int64_t size = text.shape[0]
        if size == 0:
            return True
        with nogil:
            why = x12_read(&self.reader, &text[0], size)
        if why == X12_NO_MEMORY:
            raise MemoryError
        return why == X12_MORE

    def put(self, claim_id, int32_t service, int32_t birth, int sex, int setting, words, diagnoses, lines):
        """Add a claim that was read elsewhere: `words` by table, diagnoses as (code, POA).

        Lines are (number, pointers, words by table from PROCEDURE on, modifiers, units, charge, start, end).
        """
        cdef x12_column *to = self.reader.columns
        cdef int fits = 1
        cdef int64_t number
        cdef double units, charge
        fits &= _put(to, ID_TEXT, claim_id)
        for at, value in ((SERVICE, service), (BIRTH, birth), (SEX, sex), (SETTING, setting)):
            fits &= x12_put32(&to[<int>at], value)
        for table, word in enumerate(words):
            fits &= x12_put32(&to[<int>(WORDS + table)], self._number(table, word))
        # Where it stands is not known here: a row without an envelope.
        for at in (ENVELOPE, SEGMENT):
            fits &= x12_put32(&to[<int>at], -1)
        for at in (AT_LINE, AT_COLUMN, START, STOP):
            fits &= x12_put64(&to[<int>at], 0)
        for code, poa in diagnoses:
            fits &= _put(to, CODE_TEXT, code) & _put(to, POA_TEXT, poa)
            fits &= x12_put32(&to[DX_SEGMENT], 0) & x12_put32(&to[DX_ELEMENT], 0)
            fits &= x12_put64(&to[DX_LINE], 0) & x12_put64(&to[DX_COLUMN], 0)
        fits &= x12_put32(&to[DX_ENDS], <int32_t>(to[CODE_ENDS].size // sizeof(int32_t)) - 1)
        for number, pointers, words, modifiers, units, charge, start, end in lines:
            for pointer in pointers:
                fits &= x12_put32(&to[POINTERS], pointer)
            for modifier in modifiers:
                fits &= x12_put32(&to[MODIFIERS], self._number(X12_MODIFIER, modifier))
            fits &= x12_put32(&to[POINTER_ENDS], <int32_t>(to[POINTERS].size // sizeof(int32_t)))
            fits &= x12_put32(&to[MODIFIER_ENDS], <int32_t>(to[MODIFIERS].size // sizeof(int32_t)))
            for table, word in enumerate(words):
                if X12_PROCEDURE + table != X12_MODIFIER:
                    fits &= x12_put32(&to[<int>(LINE_WORDS + table)], self._number(X12_PROCEDURE + table, word))
            fits &= x12_put64(&to[LINE_NUMBER], number)
            fits &= x12_put_double(&to[UNITS], units) & x12_put_double(&to[CHARGES], charge)
            fits &= x12_put32(&to[LINE_START], start) & x12_put32(&to[LINE_END], end)
        fits &= x12_put32(&to[LINE_ENDS], <int32_t>(to[POINTER_ENDS].size // sizeof(int32_t)) - 1)
        if not fits:
            raise MemoryError

    def take(self):
        """Return the columns, in the order of the names below, and begin new ones.

        Envelopes and words begin anew too: set the state again before reading on.
        """
        blocks = [_taken(&self.reader.columns[i]) for i in range(X12_COLUMNS)]
        if not x12_begin(&self.reader):
            raise MemoryError
        return blocks


cdef int _put(x12_column *columns, int text, bytes value) except -1:
    # The ends of a text stand behind it.
    return x12_put_text(&columns[text], &columns[text + 1], value, len(value))


NO_DAY = -(2**31)

(ID_TEXT, ID_ENDS, SERVICE, BIRTH, SEX, SETTING, ENVELOPE, SEGMENT, AT_LINE, AT_COLUMN, START, STOP,
 DX_ENDS, CODE_TEXT, CODE_ENDS, POA_TEXT, POA_ENDS, DX_SEGMENT, DX_ELEMENT, DX_LINE, DX_COLUMN,
 LINE_ENDS, LINE_NUMBER, POINTER_ENDS, POINTERS, MODIFIER_ENDS, MODIFIERS, UNITS, CHARGES, LINE_START, LINE_END,
 ) = range(X12_LINE_WORDS)
LINE_WORDS, WORDS, TABLES = X12_LINE_WORDS, X12_WORDS, X12_TABLE_TEXT
PARTIES = X12_PARTIES
ENVELOPE_TEXT, ENVELOPE_ENDS, ENVELOPE_KIND = X12_ENVELOPE_TEXT, X12_ENVELOPE_ENDS, X12_ENVELOPE_KIND
ROW_FIELDS = ("payer", "payer_id", "plan", "provider", "provider_taxonomy", "state", "rendering_provider",
              "rendering_taxonomy", "pcs", "discharge_status", "bill_type", "place", "frequency", "original_reference", "principals")
"""By table, the field of the claim that its column (WORDS and the table's number) holds."""
LINE_FIELDS = ("procedure", "modifiers", "place", "revenue", "rendering_provider", "rendering_taxonomy")
"""The same for lines, by the number of the table behind those of claims and the column behind LINE_WORDS."""
assert len(ROW_FIELDS) == X12_ROW_WORDS and len(ROW_FIELDS) + len(LINE_FIELDS) == X12_TABLES


cdef uint8_t *_memory(list columns, int column):
    return (<Block>columns[column]).column.at


def places(
    list columns, const int32_t[::1] rows, const int32_t[::1] positions, const uint8_t[::1] prefixes,
    const int32_t[::1] prefix_ends, int64_t[::1] lines_out, int32_t[::1] index_out,
):
    """Return the distinct places (texts, and their ends from zero on) of diagnoses, by row and 1-based position.

    `columns` are those of `take`. `lines_out` gets the line of each, `index_out` the number of its place. A position of
    0 is the claim's own place; a row without an envelope gets the first place, which is empty. Prefixes are the words
    before the segment's number.
    """
    cdef x12_column text, ends
    cdef x12_spots spots
    cdef Py_ssize_t i, size = rows.shape[0]
    cdef int32_t last = 0
    cdef bint fits = True
    memset(&text, 0, sizeof(text))
    memset(&ends, 0, sizeof(ends))
    fits = x12_put32(&ends, 0) and x12_put32(&ends, 0)
    if size and fits:
        spots.prefix_ends, spots.prefixes = &prefix_ends[0], &prefixes[0]
        spots.envelope, spots.segment = <int32_t *>_memory(columns, ENVELOPE), <int32_t *>_memory(columns, SEGMENT)
        spots.line, spots.column = <int64_t *>_memory(columns, AT_LINE), <int64_t *>_memory(columns, AT_COLUMN)
        spots.dx_ends = <int32_t *>_memory(columns, DX_ENDS)
        spots.dx_segment, spots.dx_element = <int32_t *>_memory(columns, DX_SEGMENT), <int32_t *>_memory(columns, DX_ELEMENT)
        spots.dx_line, spots.dx_column = <int64_t *>_memory(columns, DX_LINE), <int64_t *>_memory(columns, DX_COLUMN)
        with nogil:
            for i in range(size):
                if spots.envelope[rows[i]] < 0:
                    lines_out[i] = 0
                    index_out[i] = 0
                elif i and rows[i] == rows[i - 1] and positions[i] == positions[i - 1]:
                    lines_out[i] = lines_out[i - 1]
                    index_out[i] = last
                else:
                    last += 1
                    index_out[i] = last
                    if not x12_place(&spots, rows[i], positions[i], &text, &ends, &lines_out[i]):
                        fits = False
                        break
    texts, bounds = _taken(&text), _taken(&ends)
    if not fits:
        raise MemoryError
    return texts, bounds
