"""Claims that are read row by row, judged a block at a time: the same outcomes as claim by claim, for a fraction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.claims import Claim
from weakcode.errors import EngineError
from weakcode.scrub.columns.arrow import filled, numbers, texts, words
from weakcode.scrub.columns.claims import columns_of
from weakcode.scrub.judge import parallel
from weakcode.scrub.judge.rows import Judge, Judged, evaluate
from weakcode.scrub.read.arrow.file import Rows
from weakcode.scrub.read.rows import Record, Rejected

if TYPE_CHECKING:
    from weakcode.scrub.judge.columns import ColumnScrubber

BLOCK = 4_096
"""Rows that are in memory at a time."""


@attrs.frozen(eq=False)
class OneByOne:
    """What became of the rows of a block, claim by claim."""

    outcomes: tuple[Judged | Rejected, ...]


@attrs.frozen(eq=False)
class _Claims:
    """The claims of a block, and the same as columns."""

    of: Sequence[Claim]
    batch: pa.RecordBatch

    def claims(self, places: NDArray[np.int64]) -> list[Claim]:
        return [self.of[place] for place in places.tolist()]

    def tidied(self, good: NDArray[np.bool_] | None) -> pa.RecordBatch:
        return self.batch if good is None else self.batch.filter(pa.array(good))


@attrs.frozen(eq=False)
class RowBlock:
    """Some rows of a file."""

    rows: Sequence[Record | Rejected]

    def judged(self, scrubber: ColumnScrubber, judge: Judge, *, keep_rows: bool = False) -> parallel.Judged | OneByOne:
        """Evaluate the claims together. Where columns cannot say it all, `judge` does it claim by claim."""
        records = [row for row in self.rows if isinstance(row, Record)]
        claims = [record.claim for record in records]
        if not records or any(claim.waivers for claim in claims):
            return self._one_by_one(judge)
        columns = columns_of(claims)
        try:
            scrubbed = scrubber.scrub(columns, lines=pa.array(np.arange(len(records))))
        except EngineError:
            # So that the error names its claim.
            return self._one_by_one(judge)
        refused: dict[int, Rejected] = {}
        for one in scrubbed.rejected:
            (outcome,) = evaluate([records[one.row]], judge)
            if isinstance(outcome, Judged):
                return self._one_by_one(judge)
            refused[id(records[one.row])] = outcome
        set_aside = (row if isinstance(row, Rejected) else refused.get(id(row)) for row in self.rows)
        return parallel.Judged(
            attrs.evolve(scrubbed, findings=_placed(scrubbed.findings, records), rows=len(self.rows)),
            tuple(row for row in set_aside if row is not None),
            _Claims(claims, columns) if keep_rows else None,
            np.unique(np.asarray(scrubbed.findings["line"])) if keep_rows else None,
        )

    def _one_by_one(self, judge: Judge) -> OneByOne:
        return OneByOne(tuple(evaluate(self.rows, judge)))


@attrs.frozen(eq=False)
class LinedColumns:
    """Claims of a code list as columns, the line of each, and the other lines, which the row reader must look at."""

    batch: pa.RecordBatch
    lines: NDArray[np.int64]
    odd: list[int]


def judged_columns(
    table: LinedColumns,
    file: str,
    read_line: Callable[[int], list[Record | Rejected]],
    scrubber: ColumnScrubber,
    judge: Judge,
    *,
    keep_rows: bool,
) -> parallel.Judged | None:
    """Evaluate claims that were read as columns. None where a line is a claim that columns do not show as one.

    `read_line` reads a line by the row reader, which says what is wrong with it. A line of blanks is no row.
    """
    try:
        scrubbed = scrubber.scrub(table.batch, file=file, lines=pa.array(table.lines))
    except EngineError:
        # So that the error names its claim.
        return None
    again = sorted([*table.odd, *(int(table.lines[one.row]) for one in scrubbed.rejected)])
    outcomes = [outcome for number in again for outcome in evaluate(read_line(number), judge)]
    refused = tuple(outcome for outcome in outcomes if isinstance(outcome, Rejected))
    if len(refused) < len(outcomes):
        return None
    findings = with_columns(scrubbed.findings, {"place": said_once("", scrubbed.findings.num_rows)})
    return parallel.Judged(
        attrs.evolve(scrubbed, findings=findings, rows=scrubbed.rows - len(scrubbed.rejected) + len(refused)),
        refused,
        Rows(0, table.batch) if keep_rows else None,
        np.searchsorted(table.lines, np.unique(np.asarray(findings["line"]))) if keep_rows else None,
    )


class PlacedClaims(Protocol):
    """Claims that were read into columns, with the place of each diagnosis; see `read.x12.claimblock.ClaimBlock`."""

    @property
    def name(self) -> str: ...
    @property
    def batch(self) -> pa.RecordBatch: ...
    @property
    def rejected(self) -> Sequence[tuple[int, Rejected]]: ...
    def record(self, row: int) -> Record: ...
    def places(
        self, rows: NDArray[np.int32], positions: NDArray[np.int32]
    ) -> tuple[NDArray[np.int64], pa.DictionaryArray]: ...
    def rows(self) -> list[Record | Rejected]: ...


@attrs.frozen(eq=False)
class ColumnBlock:
    """Claims that were read into columns, and what among them was rejected."""

    claims: PlacedClaims

    def judged(self, scrubber: ColumnScrubber, judge: Judge, *, keep_rows: bool = False) -> parallel.Judged | OneByOne:
        """Evaluate the claims together. Where columns cannot say it all, `judge` does it claim by claim."""
        batch, set_aside = self.claims.batch, list(self.claims.rejected)
        if not batch.num_rows:
            return parallel.Judged(None, tuple(one for _, one in set_aside))
        try:
            scrubbed = scrubber.scrub(batch, lines=numbers(np.arange(batch.num_rows, dtype=np.int64)))
        except EngineError:
            # So that the error names its claim.
            return self._one_by_one(judge)
        for one in scrubbed.rejected:
            (outcome,) = evaluate([self.claims.record(one.row)], judge)
            if isinstance(outcome, Judged):
                return self._one_by_one(judge)
            set_aside.append((one.row, outcome))
        rows = filled(scrubbed.findings["line"], 0)
        findings = self._placed(scrubbed.findings, rows.astype(np.int32))
        return parallel.Judged(
            attrs.evolve(scrubbed, findings=findings, rows=batch.num_rows + len(self.claims.rejected)),
            # What was rejected by the reader before a row has the number of that row.
            tuple(one for _, one in sorted(set_aside, key=lambda one: one[0])),
            Rows(0, batch) if keep_rows else None,
            np.unique(rows) if keep_rows else None,
        )

    def _placed(self, findings: pa.RecordBatch, rows: NDArray[np.int32]) -> pa.RecordBatch:
        """Return findings, which have the numbers of their rows, with file, lines and places."""
        positions = findings["positions"]
        bounds, flat = filled(positions.offsets, 0), filled(positions.values, 0)
        first = np.zeros(len(rows), np.int32)
        some = np.flatnonzero(np.diff(bounds))
        first[some] = flat[bounds[some]]
        lines, places = self.claims.places(rows, first)
        file = said_once(self.claims.name, len(rows))
        return with_columns(findings, {"file": file, "line": numbers(lines), "place": places})

    def _one_by_one(self, judge: Judge) -> OneByOne:
        return OneByOne(tuple(evaluate(self.claims.rows(), judge)))


def blocks_of(rows: Iterable[Record | Rejected]) -> Iterator[RowBlock]:
    """Give the rows of a file block by block."""
    rest = iter(rows)
    while block := tuple(islice(rest, BLOCK)):
        yield RowBlock(block)


def said_once(text: str, rows: int) -> pa.DictionaryArray:
    """Return a column that says the same for each row."""
    return words(np.zeros(rows, np.int32), texts([text]))


def with_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch with these columns, new or in the place of old ones."""
    there = {name: batch.column(name) for name in batch.schema.names}
    return pa.RecordBatch.from_pydict({**there, **columns})


def _placed(findings: pa.RecordBatch, records: Sequence[Record]) -> pa.RecordBatch:
    """Return findings whose line is the number of their record with the record's file, lines and places."""
    rows = np.asarray(findings["line"])
    files = pa.array([record.file for record in records]).dictionary_encode()
    lines: Sequence[int] | NDArray[np.int64]
    if any(record.places or record.lines or record.place for record in records):
        of_row = [records[row] for row in rows.tolist()]
        positions = findings["positions"].to_pylist()
        lines = [record.line_of(at) for record, at in zip(of_row, positions, strict=True)]
        places = pa.array([record.place_of(at) for record, at in zip(of_row, positions, strict=True)], pa.string())
        places = places.dictionary_encode()
    else:
        lines = np.array([record.line for record in records], np.int64)[rows]
        places = said_once("", len(rows))
    return with_columns(
        findings, {"file": files.take(pa.array(rows)), "line": pa.array(lines, pa.int64()), "place": places}
    )
