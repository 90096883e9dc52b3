"""Claims of FHIR as columns, with their places."""

from __future__ import annotations

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
from weakcode.scrub.columns.arrow import lists, nullable, numbers, texts, words
from weakcode.scrub.columns.native import amounts, choices, day_number, days, filled_lists, stored_texts, word
from weakcode.scrub.read.batch import Located, NativeBatch, first_positions
from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.rows import Record
from weakcode.semantics.verbs import ORDERS, Order

KINDS = ("Claim", "ExplanationOfBenefit")
_PARTS = re.compile(r"[\s,;:|]")

Line = tuple[bytes, int, int, str, str | None]
"""The text of an element, the number of the line and the offset at which it begins, its path and that of its resource.

The last is None for what is a line of its own.
"""


@attrs.frozen(eq=False)
class FhirBatch(NativeBatch):
    """Some claims of a file. `columns` are those of `_claims.Claims`, `lines` has the line of each of its rows."""

    columns: Mapping[str, Any]
    lines: Sequence[Line]
    again: Callable[[Line], Record]

    @lazy
    def batch(self) -> pa.RecordBatch:
        """The claims as a code list."""
        columns = {
            "claim_id": stored_texts(*self.columns["ids"]),
            "codes": self._codes(),
            "service_date": days(self.columns["service_date"]),
            "birth_date": days(self.columns["birth_date"]),
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
        return choices(rows, names.dictionary)

    def _lines(self) -> pa.ListArray:
        main_only = self._ints("main_only") > 0
        fields = {
            "number": numbers(np.frombuffer(self.columns["number"], np.int64)),
            "pointers": lists(self._ints("pointer_ends"), numbers(self._ints("pointers"))),
            "modifiers": lists(self._ints("modifier_ends"), _choice(*self.columns["modifiers"])),
            "units": amounts(self.columns["units"]),
            "charge": amounts(self.columns["charge"]),
            "start": days(self.columns["start"]),
            "end": days(self.columns["end"]),
            # Nothing is said of lines that have all their pointers.
            "main_only": nullable(pa.bool_(), np.packbits(main_only, bitorder="little"), main_only),
            **{name: _choice(*words) for name, words in self.columns["lines"].items()},
        }
        line = pa.StructArray.from_arrays(list(fields.values()), list(fields))
        return filled_lists(self.columns["line_ends"], line)

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
        self.place_records(rows, first, lines, at, place_texts)
        return lines, words(at, texts(place_texts))

    def read_again(self, row: int) -> Record:
        """Return a claim as the reader in Python reads it."""
        return self.again(self.lines[row])


def put(claims: _claims.Claims, claim: Claim, order: Order) -> None:
    """Add a claim to the columns that the native reader fills."""
    claims.put(
        _word(claim.id),
        ORDERS.index(order),
        day_number(claim.service_date),
        day_number(claim.birth_date),
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
        day_number(line.start),
        day_number(line.end),
        _word(line.procedure),
        _word(line.place),
        _word(line.revenue),
    )


def _word(value: str | tuple[str, ...] | int | None) -> bytes | None:
    return word(value) or None


def _choice(index: bytes, ends: bytes, text: bytes) -> pa.DictionaryArray:
    return choices(index, stored_texts(ends, text))
