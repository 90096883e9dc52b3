"""Batches of claims as Arrow's formats give them, and the rows of them that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.scrub.columns.arrow import numbers
from weakcode.scrub.columns.invalid import unreadable
from weakcode.scrub.read.batch import ClaimBatch, Located, RefusedRow, no_place, row_of
from weakcode.scrub.read.rows import Record, Rejected


@attrs.frozen(eq=False)
class ArrowBatch(ClaimBatch):
    """A batch of claims. `first` is the 1-based row of its first claim; all its text is UTF-8 where it is `decoded`.

    `kept` are the rows of it, counted from 0, where some could not be read; those are `wrong`, each with what and why.
    """

    name: str
    first: int
    batch: pa.RecordBatch
    decoded: bool = False
    kept: NDArray[np.int64] | None = None
    wrong: dict[int, tuple[str, str]] = attrs.field(factory=dict)

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """The rows that could not be read. What is wrong with others shows where their columns are looked at."""
        if self.kept is None:
            return ()
        return [
            (int(np.searchsorted(self.kept, row)), Rejected(self.name, self.first + row, None, reason, what))
            for row, (what, reason) in self.wrong.items()
        ]

    def rows(self) -> Iterator[Record | Rejected]:
        """Give the rows one by one."""
        found = unreadable({name: self.batch.column(name) for name in self.batch.schema.names}, decoded=self.decoded)
        wrong = {**self.wrong, **{self._row(row): sentence for row, sentence in found.items()}}
        left = np.setdiff1d(np.arange(self.batch.num_rows), np.fromiter(found, np.int64, len(found)))
        values = (self.batch.take(numbers(left)) if found else self.batch).to_pylist()
        good = {self._row(row): one for row, one in zip(left.tolist(), values, strict=True)}
        for row in sorted([*good, *wrong]):
            if row in wrong:
                what, reason = wrong[row]
                yield Rejected(self.name, self.first + row, None, reason, what)
            else:
                yield row_of(good[row], self.name, self.first + row)

    def _row(self, place: int) -> int:
        return place if self.kept is None else int(self.kept[place])

    def reread(self, refused: RefusedRow) -> Sequence[Rejected]:
        """Return the row with what its columns were refused for."""
        row = self.first + self._row(refused.row)
        return [Rejected(self.name, row, refused.claim_id, refused.reason, refused.part)]

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """Return the 1-based rows."""
        places = rows.astype(np.int64)
        return (places if self.kept is None else self.kept[places]) + self.first, no_place(len(rows))


@attrs.frozen
class LostRows(ClaimBatch):
    """Rows that a file says it has and that cannot be read. `part` is what holds them: a row group, a record batch."""

    name: str
    first: int
    count: int
    reason: str
    part: str

    @property
    def batch(self) -> pa.RecordBatch:
        """No claim."""
        return pa.RecordBatch.from_pydict({})

    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]:
        """A reject for each row."""
        return [(0, row) for row in self.rows()]

    def rows(self) -> Iterator[Rejected]:
        """Give a reject for each row."""
        for number in range(self.first, self.first + self.count):
            yield Rejected(self.name, number, None, self.reason, self.part)

    def reread(self, refused: RefusedRow) -> Sequence[Rejected]:
        """No row of these is ever refused: none is there."""
        return ()

    def located(self, rows: NDArray[np.int32], positions: pa.ListArray) -> Located:
        """No row of these has a finding."""
        return rows.astype(np.int64), None
