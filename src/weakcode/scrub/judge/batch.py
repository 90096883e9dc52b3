"""Batches of claims judged: together in columns, or claim by claim where columns cannot say it all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.errors import EngineError
from weakcode.scrub.columns.arrow import as_text, filled, numbers
from weakcode.scrub.columns.views import without_views
from weakcode.scrub.judge.columns import Scrubbed
from weakcode.scrub.judge.rows import Evaluated, Judge, evaluate
from weakcode.scrub.read.batch import ClaimBatch, RowBatch
from weakcode.scrub.read.rows import Rejected

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.scrub.judge.columns import ColumnScrubber
    from weakcode.scrub.judge.findings import Pseudonyms


@attrs.frozen(eq=False)
class FindingBatch:
    """What goes from judging to writing: findings and counts of a batch of claims, and the rows that were rejected.

    `scrubbed` is None where all were rejected. `claims` and `found`, the rows in them of the claims that have findings,
    are there where they were asked for, and so are `judged`, the ids of the claims that were evaluated.
    """

    scrubbed: Scrubbed | None
    rejected: tuple[Rejected, ...]
    claims: ClaimBatch | None = None
    found: NDArray[np.int64] | None = None
    judged: pa.Array | None = None

    def evaluated(self) -> Iterator[Claim]:
        """Give the claims that were evaluated, where they are kept."""
        refused = {(one.file, one.line) for one in self.rejected}
        for row in self.claims.rows() if self.claims is not None else ():
            if not isinstance(row, Rejected) and (row.file, row.line) not in refused:
                yield row.claim


@attrs.frozen(eq=False)
class EvaluatedRows:
    """What became of a batch, claim by claim."""

    outcomes: tuple[Evaluated | Rejected, ...]


def evaluate_batch(
    claims: ClaimBatch,
    scrubber: ColumnScrubber,
    judge: Judge,
    *,
    keep_claims: bool = False,
    keep_ids: bool = False,
    hide: Pseudonyms | None = None,
) -> FindingBatch | EvaluatedRows:
    """Evaluate the claims of a batch together. Where columns cannot say it all, `judge` does it claim by claim.

    With `hide`, findings in columns have what it returns for claim ids.
    """
    for batch in _ways(claims):
        found = _in_columns(batch, scrubber, judge, keep_claims, keep_ids, hide)
        if found is not None:
            return found
    return EvaluatedRows(tuple(evaluate(batch.rows(), judge)))


def _ways(claims: ClaimBatch) -> Iterator[ClaimBatch]:
    """Give the claims as the reader's columns have them, then as columns of what the reader of single claims says."""
    yield claims
    if not isinstance(claims, RowBatch):
        yield RowBatch(tuple(claims.rows()))


def _in_columns(
    claims: ClaimBatch,
    scrubber: ColumnScrubber,
    judge: Judge,
    keep_claims: bool,
    keep_ids: bool,
    hide: Pseudonyms | None,
) -> FindingBatch | None:
    batch = claims.batch
    if batch is None:
        return None
    set_aside = list(claims.rejected)
    if not batch.num_rows:
        return FindingBatch(None, tuple(one for _, one in set_aside))
    try:
        lines = numbers(np.arange(batch.num_rows, dtype=np.int64))
        scrubbed = scrubber.scrub(batch, file=claims.name, lines=lines, decoded=claims.decoded, hide=hide)
    except EngineError:
        # So that the error names its claim.
        return None
    for refused in scrubbed.rejected:
        for outcome in evaluate(claims.reread(refused), judge):
            if not isinstance(outcome, Rejected):
                return None
            set_aside.append((refused.row, outcome))
    rows = filled(scrubbed.findings["line"], 0)
    lines, places = claims.located(rows.astype(np.int32), scrubbed.findings["positions"])
    columns = {"line": numbers(lines)} if places is None else {"line": numbers(lines), "place": places}
    return FindingBatch(
        attrs.evolve(
            scrubbed,
            findings=_with_columns(scrubbed.findings, columns),
            rows=scrubbed.rows - len(scrubbed.rejected) + len(set_aside),
        ),
        # What was rejected by the reader before a row has the number of that row, and comes before it.
        tuple(one for _, one in sorted(set_aside, key=lambda one: one[0])),
        claims if keep_claims else None,
        np.unique(rows) if keep_claims else None,
        _judged(batch, scrubbed, hide) if keep_ids else None,
    )


def _judged(batch: pa.RecordBatch | pa.Table, scrubbed: Scrubbed, hide: Pseudonyms | None) -> pa.Array:
    """Return the ids of the claims of a batch that were evaluated."""
    if "claim_id" not in batch.schema.names:
        return pa.nulls(0, pa.string())
    column = batch.column("claim_id")
    left = np.setdiff1d(np.arange(batch.num_rows), [one.row for one in scrubbed.rejected])
    ids = column.take(numbers(left.astype(np.int64)))
    ids = without_views(ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids)
    return as_text(ids) if hide is None else hide(as_text(ids))


def _with_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch with these columns, new or in the place of old ones."""
    there = {name: batch.column(name) for name in batch.schema.names}
    return pa.RecordBatch.from_pydict({**there, **columns})
