"""Claims of an 837 as columns, with their places."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.base.lazy import lazy
from weakcode.fields.parsers import SETTINGS
from weakcode.scrub.columns.arrow import numbers, texts, words
from weakcode.scrub.read.batch import ClaimBatch, Located, RefusedRow, first_positions
from weakcode.scrub.read.rows import Record, Rejected
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
class ClaimBlock(ClaimBatch):
    """Some claims of a file, most of them read natively.

    `columns` are those of `_reader.Reader.take`, over `text`; `records` has the rows that the reader in Python read,
    `rejected` what is not a claim, each with the number of the row that it stands before. `offset` is that of
    the text in the file.
    """

    name: str
    text: bytes
    columns: Sequence[_reader.Block]
    transactions: Sequence[Transaction]
    records: Mapping[int, Record]
    rejected: Sequence[tuple[int, Rejected]]
    offset: int = 0

    @lazy
    def batch(self) -> pa.RecordBatch:
        """The claims as a code list."""
        columns: dict[str, pa.Array] = {
            "claim_id": self._text(_reader.ID_TEXT),
            "codes": self._codes(),
            "service_date": self._days(_reader.SERVICE),
            "birth_date": self._days(_reader.BIRTH),
            "sex": self._choice(_reader.SEX, _SEXES),
            "setting": self._choice(_reader.SETTING, _SETTINGS),
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
        """Return a column of text; empty text is none. Its ends stand behind it."""
        data, ends = self.columns[column], self._numbers(column + 1)
        is_given = np.diff(ends) > 0
        return pa.StringArray.from_buffers(
            len(is_given), pa.py_buffer(self.columns[column + 1]), pa.py_buffer(data), _bits(is_given)
        )

    def _days(self, column: int) -> pa.Array:
        days = self._numbers(column)
        buffers = [_bits(days != _reader.NO_DAY), pa.py_buffer(self.columns[column])]
        return pa.Array.from_buffers(pa.date32(), len(days), buffers)

    def _choice(self, column: int, values: pa.Array) -> pa.DictionaryArray:
        index = self._numbers(column)
        buffers = [_bits(index >= 0), pa.py_buffer(self.columns[column])]
        return pa.DictionaryArray.from_arrays(pa.Array.from_buffers(pa.int32(), len(index), buffers), values)

    def _word(self, column: int, table: int) -> pa.DictionaryArray:
        return self._choice(column, self._text(_reader.TABLES + 2 * table))

    def _amounts(self, column: int) -> pa.Array:
        amounts = np.frombuffer(memoryview(self.columns[column]), np.float64)
        return pa.Array.from_buffers(
            pa.float64(), len(amounts), [_bits(~np.isnan(amounts)), pa.py_buffer(self.columns[column])]
        )

    def _codes(self) -> pa.ListArray:
        codes = self._text(_reader.CODE_TEXT)
        if len(self.columns[_reader.POA_TEXT]):
            codes = pa.StructArray.from_arrays([codes, self._text(_reader.POA_TEXT)], ["code", "poa"])
        return pa.ListArray.from_arrays(numbers(self._numbers(_reader.DX_ENDS)), codes)

    def _lines(self) -> pa.ListArray | None:
        """Return the service lines; None where no claim has any."""
        ends = self._numbers(_reader.LINE_ENDS)
        if not ends[-1]:
            return None
        fields = {
            "number": numbers(self._long(_reader.LINE_NUMBER)),
            "pointers": pa.ListArray.from_arrays(
                numbers(self._numbers(_reader.POINTER_ENDS)), numbers(self._numbers(_reader.POINTERS))
            ),
            "units": self._amounts(_reader.UNITS),
            "charge": self._amounts(_reader.CHARGES),
            "start": self._days(_reader.LINE_START),
            "end": self._days(_reader.LINE_END),
        }
        for n, name in enumerate(_reader.LINE_FIELDS):
            table = len(_reader.ROW_FIELDS) + n
            if name == "modifiers":
                modifiers = self._word(_reader.MODIFIERS, table)
                fields[name] = pa.ListArray.from_arrays(numbers(self._numbers(_reader.MODIFIER_ENDS)), modifiers)
            else:
                fields[name] = self._word(_reader.LINE_WORDS + n, table)
        line = pa.StructArray.from_arrays(list(fields.values()), list(fields))
        buffers = [_bits(np.diff(ends) > 0), pa.py_buffer(self.columns[_reader.LINE_ENDS])]
        return pa.Array.from_buffers(pa.list_(line.type), len(ends) - 1, buffers, children=[line])

    def places(
        self, rows: NDArray[np.int32], positions: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], pa.DictionaryArray]:
        """Return lines and places of diagnoses by row and 1-based position; 0 is the claim itself."""
        lines, index = np.empty(len(rows), np.int64), np.empty(len(rows), np.int32)
        data, ends = _reader.places(
            rows,
            positions,
            *self._prefixes,
            self._numbers(_reader.ENVELOPE),
            self._numbers(_reader.SEGMENT),
            self._long(_reader.AT_LINE),
            self._long(_reader.AT_COLUMN),
            self._numbers(_reader.DX_ENDS),
            self._numbers(_reader.DX_SEGMENT),
            self._numbers(_reader.DX_ELEMENT),
            self._long(_reader.DX_LINE),
            self._long(_reader.DX_COLUMN),
            lines,
            index,
        )
        known = pa.StringArray.from_buffers(len(ends) // 4 - 1, pa.py_buffer(ends), pa.py_buffer(data))
        if self.records:
            place_texts = known.to_pylist()
            for at in np.flatnonzero(np.isin(rows, np.fromiter(self.records, np.int32, len(self.records)))).tolist():
                record, position = self.records[int(rows[at])], [int(positions[at])] if positions[at] else []
                lines[at] = record.line_of(position)
                index[at] = len(place_texts)
                place_texts.append(record.place_of(position))
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

    def record(self, row: int) -> Record:
        """Return a claim as the reader in Python reads it."""
        if row in self.records:
            return self.records[row]
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

    def reread(self, refused: RefusedRow) -> Sequence[Record]:
        """Return a claim as the reader in Python reads it."""
        return [self.record(refused.row)]

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return lines and places of the first of these positions."""
        return self.places(rows, first_positions(positions))

    def rows(self) -> list[Record | Rejected]:
        """Return everything in the order of the file, each claim as the reader in Python reads it."""
        rows: list[tuple[int, Record | Rejected]] = [(row, self.record(row)) for row in range(self.batch.num_rows)]
        # What was rejected before a row has the number of that row.
        return [row for _, row in sorted([*self.rejected, *rows], key=lambda one: one[0])]


def _bits(is_given: NDArray[np.bool_]) -> pa.Buffer | None:
    """Return which values are not null as Arrow has it; None where none is."""
    return None if is_given.all() else pa.py_buffer(np.packbits(is_given, bitorder="little"))
