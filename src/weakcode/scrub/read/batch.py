"""What goes from reading to judging: claims of a file as columns, their places, and what among them was rejected."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.base.lazy import lazy
from weakcode.claims import Claim
from weakcode.scrub.columns.arrow import filled, id_text, texts, words
from weakcode.scrub.columns.claims import columns_of, tidied
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.values import claim_from
from weakcode.semantics.verbs import ORDERS

ROWS = 4_096
"""Rows in a batch of claims that were read one by one."""

Located = tuple[NDArray[np.int64], pa.Array | None]
"""The line and the place of each finding; no places where a line says it all."""


@attrs.frozen
class RefusedRow:
    """A row of a batch that cannot be judged. `part` names what is wrong without repeating any value."""

    row: int
    claim_id: str | None
    part: str
    reason: str = attrs.field(repr=False)


class ClaimBatch(ABC):
    """Some claims of one file, in their order. A reader gives them as columns, claim by claim, or both.

    Slots would keep subclasses from `lazy`; without any here, theirs stand beside a dictionary.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The file."""

    @property
    @abstractmethod
    def batch(self) -> pa.RecordBatch | None:
        """The claims with the columns of a code list; None where columns cannot say what `rows` says."""

    @property
    @abstractmethod
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """What the reader rejected, each with the number of the row of `batch` that it stands before."""

    @property
    def orders(self) -> NDArray[np.int32] | None:
        """Of which codes of each row the order is known, as places in `semantics.verbs.ORDERS`; None: of all."""
        return None

    @property
    def decoded(self) -> bool:
        """Whether all text of `batch` is known to be UTF-8."""
        return False

    @property
    def count(self) -> int:
        """How many rows `batch` has."""
        return 0 if self.batch is None else self.batch.num_rows

    @abstractmethod
    def rows(self) -> Iterable[Record | Rejected]:
        """Everything in the order of the file, read claim by claim."""

    @abstractmethod
    def reread(self, refused: RefusedRow) -> Sequence[Record | Rejected]:
        """Return what the reader of single claims says of a row of `batch`; nothing where that is no row at all."""

    @abstractmethod
    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return line and place of findings by row of `batch` and positions of diagnoses."""

    def claims(self, rows: NDArray[np.int64]) -> list[Claim]:
        """Return the claims in these rows of `batch`, which are known to be claims."""
        assert self.batch is not None
        picked = self.batch.take(pa.array(rows))
        records = (row_of(values, "", number) for number, values in enumerate(picked.to_pylist()))
        return [record.claim for record in records if isinstance(record, Record)]

    def tidied(self, good: NDArray[np.bool_] | None) -> pa.RecordBatch:
        """Return the claims of `batch`, or those in these rows, with their values as single claims have them."""
        assert self.batch is not None
        return tidied(self.batch if good is None else self.batch.filter(pa.array(good)))


@attrs.frozen(eq=False)
class RowBatch(ClaimBatch):
    """Rows that were read one by one. They are no columns where a claim has waivers of its own."""

    outcomes: Sequence[Record | Rejected]

    @property
    def name(self) -> str:
        return self.outcomes[0].file

    @lazy
    def _records(self) -> list[Record]:
        return [row for row in self.outcomes if isinstance(row, Record)]

    @lazy
    def batch(self) -> pa.RecordBatch | None:
        """The claims as columns."""
        claims = [record.claim for record in self._records]
        return None if any(claim.waivers for claim in claims) else columns_of(claims)

    @property
    def orders(self) -> NDArray[np.int32] | None:
        """What the records say."""
        if all(one.order == "all" for one in self._records):
            return None
        return np.array([ORDERS.index(one.order) for one in self._records], np.int32)

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """The rejected rows."""
        found, claims = [], 0
        for row in self.outcomes:
            if isinstance(row, Rejected):
                found.append((claims, row))
            else:
                claims += 1
        return found

    def rows(self) -> Sequence[Record | Rejected]:
        """The rows as they were read."""
        return self.outcomes

    def reread(self, refused: RefusedRow) -> Sequence[Record]:
        """Return the record of a row."""
        return [self._records[refused.row]]

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return what the records say."""
        records = self._records
        if not any(record.places or record.lines or record.place for record in records):
            return np.array([record.line for record in records], np.int64)[rows], no_place(len(rows))
        of_row = [records[row] for row in rows.tolist()]
        at = positions.to_pylist()
        lines = [record.line_of(one) for record, one in zip(of_row, at, strict=True)]
        places = pa.array([record.place_of(one) for record, one in zip(of_row, at, strict=True)], pa.string())
        return np.array(lines, np.int64), places.dictionary_encode()

    def claims(self, rows: NDArray[np.int64]) -> list[Claim]:
        return [self._records[row].claim for row in rows.tolist()]

    def tidied(self, good: NDArray[np.bool_] | None) -> pa.RecordBatch:
        """Return the claims, or those in these rows."""
        return self.batch if good is None or self.batch is None else self.batch.filter(pa.array(good))


@attrs.frozen(eq=False)
class LineColumns:
    """Claims of a code list as columns, the line of each, and the other lines, which the row reader must look at."""

    batch: pa.RecordBatch
    lines: NDArray[np.int64]
    invalid: list[int]


@attrs.frozen(eq=False)
class NativeBatch(ClaimBatch):
    """Some claims of a file, most of them read natively.

    `records` has the rows that the reader in Python read, `rejected` what is not a claim, each with the number of the
    row that it stands before.
    """

    name: str
    records: Mapping[int, Record]
    rejected: Sequence[tuple[int, Rejected]]

    @abstractmethod
    def read_again(self, row: int) -> Record:
        """Return a claim that was read natively as the reader in Python reads it."""

    def record(self, row: int) -> Record:
        """Return a claim as the reader in Python reads it."""
        return self.records[row] if row in self.records else self.read_again(row)

    def reread(self, refused: RefusedRow) -> Sequence[Record]:
        """Return a claim as the reader in Python reads it."""
        return [self.record(refused.row)]

    def rows(self) -> list[Record | Rejected]:
        """Return everything in the order of the file, each claim as the reader in Python reads it."""
        rows: list[tuple[int, Record | Rejected]] = [(row, self.record(row)) for row in range(self.count)]
        # What was rejected before a row has the number of that row.
        return [row for _, row in sorted([*self.rejected, *rows], key=itemgetter(0))]

    def place_records(
        self,
        rows: NDArray[np.int32],
        first: NDArray[np.int32],
        lines: NDArray[np.int64],
        index: NDArray[np.int32],
        place_texts: list[str],
    ) -> None:
        """Set line and place of the findings on `records`, by row and first 1-based position, 0 where there is none.

        A place is added to `place_texts`; `index` gets its number.
        """
        read = np.fromiter(self.records, np.int32, len(self.records))
        for number in np.flatnonzero(np.isin(rows, read)).tolist():
            record, position = self.records[int(rows[number])], [int(first[number])] if first[number] else []
            lines[number] = record.line_of(position)
            index[number] = len(place_texts)
            place_texts.append(record.place_of(position))


class LineBatch(ClaimBatch):
    """Lines of text that were read into columns; the row reader has those that columns refuse."""

    @property
    @abstractmethod
    def table(self) -> LineColumns | None:
        """The claims; None where columns cannot say what the lines say."""

    @abstractmethod
    def read_line(self, number: int) -> Sequence[Record | Rejected]:
        """Read a line by the row reader. A line of blanks is no row."""

    @lazy
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """What the row reader says of the lines that are in no column."""
        return [] if self._invalid_rows is None else self._invalid_rows

    @property
    def batch(self) -> pa.RecordBatch | None:
        """The claims as columns; None where a line is a claim that columns do not show as one."""
        return None if self.table is None or self._invalid_rows is None else self.table.batch

    @lazy
    def _invalid_rows(self) -> list[tuple[int, Rejected]] | None:
        assert self.table is not None
        found = []
        for number in self.table.invalid:
            for outcome in self.read_line(number):
                if not isinstance(outcome, Rejected):
                    return None
                found.append((int(np.searchsorted(self.table.lines, number)), outcome))
        return found

    def reread(self, refused: RefusedRow) -> Sequence[Record | Rejected]:
        """Read the line of a row by the row reader."""
        assert self.table is not None
        return self.read_line(int(self.table.lines[refused.row]))

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return the lines; there are no places in them."""
        assert self.table is not None
        return self.table.lines[rows], no_place(len(rows))


def batches_of(rows: Iterable[Record | Rejected]) -> Iterator[RowBatch]:
    """Give the rows of a file in batches."""
    rest = iter(rows)
    while batch := tuple(islice(rest, ROWS)):
        yield RowBatch(batch)


def row_of(values: dict[str, Any], name: str, number: int) -> Record | Rejected:
    """Return what a row of a code list is, from its values by column."""
    own_id = values.get("claim_id")
    claim_id = None if own_id is None else id_text(own_id)
    codes = values.get("codes")
    try:
        if codes is not None and not isinstance(codes, str | list):
            raise BadRow("codes", f"codes is text or a list of text, found {codes!r}", claim_id)
        return Record(claim_from(values, codes or [], claim_id), name, number)
    except BadRow as bad:
        return Rejected(name, number, bad.claim_id, bad.reason, bad.part)


def first_positions(positions: pa.ListArray) -> NDArray[np.int32]:
    """Return the first of the positions of each finding, 0 where it has none."""
    bounds, flat = filled(positions.offsets, 0), filled(positions.values, 0)
    first = np.zeros(len(positions), np.int32)
    some = np.flatnonzero(np.diff(bounds))
    first[some] = flat[bounds[some]]
    return first


def no_place(rows: int) -> pa.DictionaryArray:
    """Return places for findings of which a line says it all."""
    return said_once("", rows)


def said_once(text: str, rows: int) -> pa.DictionaryArray:
    """Return a column that says the same for each row."""
    return words(np.zeros(rows, np.int32), texts([text]))
