"""Claims of an 837 as columns, with their places."""

from __future__ import annotations

import io
from collections.abc import Sequence

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.base.lazy import lazy
from weakcode.fields.parsers import SETTINGS
from weakcode.scrub.columns.arrow import lists, numbers, texts, words
from weakcode.scrub.columns.native import amounts, choices, days, filled_lists, stored_texts
from weakcode.scrub.read.batch import Located, NativeBatch, first_positions
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12 import _reader
from weakcode.scrub.read.x12.draft import KINDS, Draft, Envelope, Patient
from weakcode.scrub.read.x12.parties import Parties
from weakcode.scrub.read.x12.segments import Delimiters, Segments, Spot

_SEXES = texts(["F", "M"])
_SETTINGS = texts(SETTINGS)


@attrs.frozen
class Transaction:
    """What claims of a transaction have in common beside its control number, which the columns have."""

    interchange: str
    delimiters: Delimiters


@attrs.frozen(eq=False)
class ClaimBlock(NativeBatch):
    """Some claims of a file. `columns` are those of `_reader.Reader.take`, over `text`, whose place is its `offset`."""

    text: bytes
    offset: int
    columns: list[_reader.Block]
    transactions: Sequence[Transaction]

    @lazy
    def batch(self) -> pa.RecordBatch:
        """The claims as a code list."""
        columns: dict[str, pa.Array] = {
            "claim_id": self._text(_reader.ID_TEXT),
            "codes": self._codes(),
            "service_date": days(self.columns[_reader.SERVICE]),
            "birth_date": days(self.columns[_reader.BIRTH]),
            "sex": choices(self.columns[_reader.SEX], _SEXES),
            "setting": choices(self.columns[_reader.SETTING], _SETTINGS),
            **{name: self._word(_reader.WORDS + n, n) for n, name in enumerate(_reader.ROW_FIELDS)},
        }
        lines = self._lines()
        if lines is not None:
            columns["lines"] = lines
        return pa.RecordBatch.from_pydict(columns)

    def _numbers(self, column: int) -> NDArray[np.int32]:
        return np.frombuffer(memoryview(self.columns[column]), np.int32)

    def _long(self, column: int) -> NDArray[np.int64]:
        return np.frombuffer(memoryview(self.columns[column]), np.int64)

    def _text(self, column: int) -> pa.StringArray:
        # The ends of a text stand behind it.
        return stored_texts(self.columns[column + 1], self.columns[column])

    def _word(self, column: int, table: int) -> pa.DictionaryArray:
        return choices(self.columns[column], self._text(_reader.TABLES + 2 * table))

    def _codes(self) -> pa.ListArray:
        codes = self._text(_reader.CODE_TEXT)
        if len(self.columns[_reader.POA_TEXT]):
            codes = pa.StructArray.from_arrays([codes, self._text(_reader.POA_TEXT)], ["code", "poa"])
        return lists(self._numbers(_reader.DX_ENDS), codes)

    def _lines(self) -> pa.ListArray | None:
        """Return the service lines; None where no claim has any."""
        if not self._numbers(_reader.LINE_ENDS)[-1]:
            return None
        fields = {
            "number": numbers(self._long(_reader.LINE_NUMBER)),
            "pointers": lists(self._numbers(_reader.POINTER_ENDS), numbers(self._numbers(_reader.POINTERS))),
            "units": amounts(self.columns[_reader.UNITS]),
            "charge": amounts(self.columns[_reader.CHARGES]),
            "start": days(self.columns[_reader.LINE_START]),
            "end": days(self.columns[_reader.LINE_END]),
        }
        for n, name in enumerate(_reader.LINE_FIELDS):
            table = len(_reader.ROW_FIELDS) + n
            if name == "modifiers":
                modifiers = self._word(_reader.MODIFIERS, table)
                fields[name] = lists(self._numbers(_reader.MODIFIER_ENDS), modifiers)
            else:
                fields[name] = self._word(_reader.LINE_WORDS + n, table)
        line = pa.StructArray.from_arrays(list(fields.values()), list(fields))
        return filled_lists(self.columns[_reader.LINE_ENDS], line)

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return lines and places of the first of these positions."""
        first = first_positions(positions)
        lines, index = np.empty(len(rows), np.int64), np.empty(len(rows), np.int32)
        data, ends = _reader.places(self.columns, rows, first, *self._prefixes, lines, index)
        known = pa.StringArray.from_buffers(len(ends) // 4 - 1, pa.py_buffer(ends), pa.py_buffer(data))
        if self.records:
            place_texts = known.to_pylist()
            self.place_records(rows, first, lines, index, place_texts)
            known = texts(place_texts)
        return lines, words(index, known)

    @lazy
    def _prefixes(self) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """The beginning of a place for each transaction, one after the other, and where each ends."""
        prefixes = [envelope.place(0)[:-1].encode() for envelope in self._envelopes]
        ends = np.zeros(len(prefixes) + 1, np.int32)
        np.cumsum([len(one) for one in prefixes], out=ends[1:])
        return np.frombuffer(b"".join(prefixes) or b"-", np.uint8), ends

    @lazy
    def _envelopes(self) -> list[Envelope]:
        kinds = self._numbers(_reader.ENVELOPE_KIND).tolist()
        controls = self._text(_reader.ENVELOPE_TEXT).to_pylist()
        return [
            Envelope(transaction.interchange, control, KINDS[kind])
            for transaction, control, kind in zip(self.transactions, controls, kinds, strict=True)
        ]

    def read_again(self, row: int) -> Record:
        """Return a claim as the reader in Python reads it."""
        which = int(self._numbers(_reader.ENVELOPE)[row])
        signs = self.transactions[which].delimiters
        number = int(self._numbers(_reader.SEGMENT)[row])
        start, stop, line, column = (
            int(self._long(at)[row]) for at in (_reader.START, _reader.STOP, _reader.AT_LINE, _reader.AT_COLUMN)
        )
        birth, sex = (self.batch[name][row].as_py() for name in ("birth_date", "sex"))
        words = [(self.batch[name][row].as_py() or "").encode() for name in _reader.ROW_FIELDS[: _reader.PARTIES]]
        patient, parties = Patient(birth, sex), Parties.of(words)
        draft = Draft(
            self._envelopes[which], number, line, column, patient, parties, self.name, signs, self.offset + start
        )
        draft.stop = self.offset + stop
        claim = io.BytesIO(self.text[start:stop])
        for at, segment in enumerate(Segments(claim, self.name, Spot(start, line, column, signs)), start=number):
            draft.add(segment.text, segment.text.split(signs.element), at, segment.line, segment.column)
        outcome = draft.finish()
        assert isinstance(outcome, Record), "the native reader reads what the one in Python reads"
        return outcome
