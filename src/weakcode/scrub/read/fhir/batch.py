"""Claims of FHIR as columns, with their places."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.base.lazy import lazy
from weakcode.claims import Claim, ServiceLine
from weakcode.scrub.columns.arrow import lists, numbers, texts, words
from weakcode.scrub.read.batch import ClaimBatch, Located, RefusedRow, first_positions
from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.semantics.verbs import ORDERS, Order

KINDS = ("Claim", "ExplanationOfBenefit")
_EPOCH = dt.date(1970, 1, 1)
_PARTS = re.compile(r"[\s,;:|]")

Line = tuple[bytes, int, int, str, str | None]
"""The text of an element, the number of the line and the offset at which it begins, its path and that of its resource.

The last is None for what is a line of its own.
"""


@attrs.frozen(eq=False)
class FhirBatch(ClaimBatch):
    """Some claims of a file, most of them read natively.

    `columns` are those of `_claims.Claims`; `lines` has the line of each of its rows, `records` the rows that
    the reader in Python read, `rejected` what is not a claim, each with the number of the row that it stands before.
    """

    name: str
    columns: Mapping[str, Any]
    lines: Sequence[Line]
    records: Mapping[int, Record]
    rejected: Sequence[tuple[int, Rejected]]
    again: Callable[[Line], Record]

    @lazy
    def batch(self) -> pa.RecordBatch:
        """The claims as a code list."""
        columns = {
            "claim_id": _text(*self.columns["ids"]),
            "codes": self._codes(),
            "service_date": self._days("service_date"),
            "birth_date": self._days("birth_date"),
            "payer_id": self._payer_ids(),
            **{name: _choice(*words) for name, words in self.columns["rows"].items()},
        }
        if len(self.columns["number"]):
            columns["lines"] = self._lines()
        return pa.RecordBatch.from_pydict(columns)

    @property
    def orders(self) -> NDArray[np.int32] | None:
        """Of which codes of each claim the order is known, as places in `ORDERS`; None where it is of all."""
        orders = self._ints("order")
        return orders if orders.any() else None

    @lazy
    def _cut(self) -> NDArray[np.bool_]:
        """Tells which rows are no lines, but were cut out of a text."""
        return np.array([line[4] is not None for line in self.lines], np.bool_)

    def _ints(self, name: str) -> NDArray[np.int32]:
        return np.frombuffer(self.columns[name], np.int32)

    def _days(self, name: str) -> pa.Array:
        days = self._ints(name)
        buffers = [_bits(days != _claims.NO_DAY), pa.py_buffer(self.columns[name])]
        return pa.Array.from_buffers(pa.date32(), len(days), buffers)

    def _amounts(self, name: str) -> pa.Array:
        amounts = np.frombuffer(self.columns[name], np.float64)
        return pa.Array.from_buffers(
            pa.float64(), len(amounts), [_bits(~np.isnan(amounts)), pa.py_buffer(self.columns[name])]
        )

    def _codes(self) -> pa.ListArray:
        codes = _choice(*self.columns["codes"])
        if len(self.columns["poa"][2]):
            codes = pa.StructArray.from_arrays([codes, _choice(*self.columns["poa"])], ["code", "poa"])
        return lists(self._ints("dx_ends"), codes)

    def _payer_ids(self) -> pa.Array:
        """Return the ids of payers: text where each claim has one or none, and none holds what parts several."""
        ends = self._ints("payer_ends")
        names = _choice(*self.columns["payer_id"])
        if (np.diff(ends) > 1).any() or any(_PARTS.search(one) for one in names.dictionary.to_pylist()):
            return lists(ends, names)
        rows = np.full(len(ends) - 1, -1, np.int32)
        rows[np.diff(ends) > 0] = np.frombuffer(self.columns["payer_id"][0], np.int32)
        return pa.DictionaryArray.from_arrays(_masked(rows), names.dictionary)

    def _lines(self) -> pa.ListArray:
        main_only = self._ints("main_only") > 0
        bits = pa.py_buffer(np.packbits(main_only, bitorder="little"))
        fields = {
            "number": numbers(np.frombuffer(self.columns["number"], np.int64)),
            "pointers": lists(self._ints("pointer_ends"), numbers(self._ints("pointers"))),
            "modifiers": lists(self._ints("modifier_ends"), _choice(*self.columns["modifiers"])),
            "units": self._amounts("units"),
            "charge": self._amounts("charge"),
            "start": self._days("start"),
            "end": self._days("end"),
            # Nothing is said of lines that have all their pointers.
            "main_only": pa.Array.from_buffers(pa.bool_(), len(main_only), [bits, bits]),
            **{name: _choice(*words) for name, words in self.columns["lines"].items()},
        }
        line = pa.StructArray.from_arrays(list(fields.values()), list(fields))
        ends = self._ints("line_ends")
        buffers = [_bits(np.diff(ends) > 0), pa.py_buffer(self.columns["line_ends"])]
        return pa.Array.from_buffers(pa.list_(line.type), len(ends) - 1, buffers, children=[line])

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return lines and places of the first of these positions."""
        first, ends, index = first_positions(positions), self._ints("dx_ends"), self._ints("dx_index")
        entry = np.where(first > 0, index[ends[rows] + np.maximum(first, 1) - 1], -1).astype(np.int64)
        lines = np.array([line[1] for line in self.lines], np.int64)[rows]
        keys, at = np.unique(entry * len(KINDS) + self._ints("resource")[rows], return_inverse=True)
        at = at.reshape(-1).astype(np.int32)
        place_texts = []
        for key in keys.tolist():
            place, kind = divmod(key, len(KINDS))
            place_texts.append(KINDS[kind] if place < 0 else f"{KINDS[kind]}.diagnosis[{place}]")
        for number in np.flatnonzero(self._cut[rows]).tolist():
            text, line, _, _, path = self.lines[int(rows[number])]
            if first[number]:
                lines[number] = line + text.count(
                    b"\n", 0, int(self._ints("dx_at")[ends[rows[number]] + first[number] - 1])
                )
            if path:
                at[number] = len(place_texts)
                place_texts.append(path if entry[number] < 0 else f"{path}.diagnosis[{entry[number]}]")
        if self.records:
            read = np.fromiter(self.records, np.int32, len(self.records))
            for number in np.flatnonzero(np.isin(rows, read)).tolist():
                record, position = self.records[int(rows[number])], [int(first[number])] if first[number] else []
                lines[number] = record.line_of(position)
                at[number] = len(place_texts)
                place_texts.append(record.place_of(position))
        return lines, words(at, texts(place_texts))

    def record(self, row: int) -> Record:
        """Return a claim as the reader in Python reads it."""
        return self.records[row] if row in self.records else self.again(self.lines[row])

    def reread(self, refused: RefusedRow) -> Sequence[Record | Rejected]:
        """Return a claim as the reader in Python reads it."""
        return [self.record(refused.row)]

    def rows(self) -> list[Record | Rejected]:
        """Return everything in the order of the file, each claim as the reader in Python reads it."""
        rows: list[tuple[int, Record | Rejected]] = [(row, self.record(row)) for row in range(len(self.lines))]
        # What was rejected before a row has the number of that row.
        return [row for _, row in sorted([*self.rejected, *rows], key=lambda one: one[0])]


def put(claims: _claims.Claims, claim: Claim, order: Order) -> None:
    """Add a claim to the columns that the native reader fills."""
    claims.put(
        _word(claim.id),
        ORDERS.index(order),
        _day(claim.service_date),
        _day(claim.birth_date),
        [one.encode() for one in claim.payer_id],
        [_word(getattr(claim, name)) for name in _claims.ROW_WORDS],
        [(one.code.encode(), _word(one.poa)) for one in claim.diagnoses],
        map(_line, claim.lines),
        any(line.main_only for line in claim.lines),
    )


def _line(line: ServiceLine) -> _claims.Line:
    return (
        line.number,
        line.pointers,
        [one.encode() for one in line.modifiers],
        math.nan if line.units is None else line.units,
        math.nan if line.charge is None else line.charge,
        _day(line.start),
        _day(line.end),
        _word(line.procedure),
        _word(line.place),
        _word(line.revenue),
    )


def _word(value: str | tuple[str, ...] | int | None) -> bytes | None:
    if isinstance(value, tuple):
        return " ".join(value).encode() or None
    return None if value is None else str(value).encode()


def _day(date: dt.date | None) -> int:
    return _claims.NO_DAY if date is None else (date - _EPOCH).days


def _choice(index: bytes, ends: bytes, text: bytes) -> pa.DictionaryArray:
    """Return a column of few words."""
    return pa.DictionaryArray.from_arrays(_masked(np.frombuffer(index, np.int32)), _text(ends, text))


def _masked(index: NDArray[np.int32]) -> pa.Array:
    """Return numbers of words; -1 is none."""
    return pa.Array.from_buffers(pa.int32(), len(index), [_bits(index >= 0), pa.py_buffer(index)])


def _text(ends: bytes, text: bytes) -> pa.StringArray:
    """Return a column of text; empty text is none."""
    is_given = np.diff(np.frombuffer(ends, np.int32)) > 0
    return pa.StringArray.from_buffers(len(is_given), pa.py_buffer(ends), pa.py_buffer(text), _bits(is_given))


def _bits(is_given: NDArray[np.bool_]) -> pa.Buffer | None:
    """Return which values are not null as Arrow has it; None where all are."""
    return None if is_given.all() else pa.py_buffer(np.packbits(is_given, bitorder="little"))
