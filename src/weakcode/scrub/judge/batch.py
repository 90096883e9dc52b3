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
from weakcode.scrub.columns.views import as_one_array
from weakcode.scrub.judge.columns import BatchOutcome
from weakcode.scrub.judge.rows import EvaluatedRecord, Judge, evaluate
from weakcode.scrub.read.batch import ClaimBatch, RowBatch
from weakcode.scrub.read.rows import Rejected

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.scrub.columns.digests import Digests
    from weakcode.scrub.judge.columns import ColumnScrubber
    from weakcode.scrub.judge.findings import Pseudonyms
    from weakcode.scrub.unchanged import KnownDigests, UnchangedClaims


@attrs.frozen(eq=False)
class KnownClaims:
    """What is known of claims beside their verdicts: their digests, and which claim of the earlier run each is, or -1.

    `nth` says which claim of its id each was in that run, 0 where it is not of it.
    """

    digests: Digests
    earlier: NDArray[np.int64]
    nth: NDArray[np.int64]


@attrs.frozen(eq=False)
class FindingBatch:
    """What goes from judging to writing: findings and counts of a batch of claims, and the rows that were rejected.

    `scrubbed` is None where all were rejected. `claims` and `found`, the rows in them of the claims that have findings,
    are there where they were asked for. `claim_ids` are the ids of the claims that were evaluated, as text, and `rows`
    says for each finding which of them it is on. `known` is what is known of these claims, where that is asked for.
    """

    scrubbed: BatchOutcome | None
    rejected: tuple[Rejected, ...]
    claims: ClaimBatch | None = None
    found: NDArray[np.int64] | None = None
    claim_ids: pa.Array | None = None
    rows: NDArray[np.int32] | None = None
    known: KnownClaims | None = None

    def new_ids(self) -> pa.Array:
        """Return the ids of the claims that are not of the earlier run."""
        assert self.claim_ids is not None
        assert self.known is not None
        return self.claim_ids.take(numbers(np.flatnonzero(self.known.earlier < 0)))

    def evaluated(self) -> Iterator[Claim]:
        """Give the claims that were evaluated, where they are kept."""
        refused = {(one.file, one.line) for one in self.rejected}
        for row in self.claims.rows() if self.claims is not None else ():
            if not isinstance(row, Rejected) and (row.file, row.line) not in refused:
                yield row.claim


@attrs.frozen(eq=False)
class EvaluatedRows:
    """What became of a batch, claim by claim."""

    outcomes: tuple[EvaluatedRecord | Rejected, ...]


def evaluate_batch(
    claims: ClaimBatch,
    scrubber: ColumnScrubber,
    judge: Judge,
    *,
    keep_claims: bool = False,
    since: UnchangedClaims | None = None,
    hide: Pseudonyms | None = None,
) -> FindingBatch | EvaluatedRows:
    """Evaluate the claims of a batch together. Where columns cannot say it all, `judge` does it claim by claim.

    With `hide`, findings in columns have what it returns for claim ids.
    """
    for batch in _ways(claims):
        found = _in_columns(batch, scrubber, judge, keep_claims, since, hide)
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
    since: UnchangedClaims | None,
    hide: Pseudonyms | None,
) -> FindingBatch | None:
    batch = claims.batch
    if batch is None:
        return None
    set_aside = list(claims.rejected)
    if not batch.num_rows:
        return FindingBatch(None, tuple(one for _, one in set_aside))
    looked = None if since is None else since.look(batch, decoded=claims.decoded, ordered=claims.orders is None)
    changed = np.arange(batch.num_rows, dtype=np.int64) if looked is None else looked.changed
    try:
        judged = batch if len(changed) == batch.num_rows else batch.take(numbers(changed))
        scrubbed = scrubber.scrub(
            judged,
            file=claims.name,
            lines=numbers(changed),
            decoded=claims.decoded,
            hide=hide,
            orders=claims.orders if judged is batch else None,
        )
    except EngineError:
        # So that the error names its claim.
        return None
    if since is not None and looked is not None and judged is not batch:
        scrubbed = since.together(scrubbed, looked, changed, claims.name)
    for refused in scrubbed.rejected:
        for outcome in evaluate(claims.reread(refused), judge):
            if not isinstance(outcome, Rejected):
                return None
            set_aside.append((refused.row, outcome))
    rows = filled(scrubbed.findings["line"], 0).astype(np.int32)
    lines, places = claims.located(rows, scrubbed.findings["positions"])
    columns = {"line": numbers(lines)} if places is None else {"line": numbers(lines), "place": places}
    claim_ids, which = _evaluated(batch, scrubbed)
    return FindingBatch(
        attrs.evolve(
            scrubbed,
            findings=_with_columns(scrubbed.findings, columns),
            rows=scrubbed.rows - len(scrubbed.rejected) + len(set_aside),
        ),
        # What was rejected by the reader before a row has the number of that row, and comes before it.
        tuple(one for _, one in sorted(set_aside, key=lambda one: one[0])),
        claims if keep_claims else None,
        np.unique(rows).astype(np.int64) if keep_claims else None,
        claim_ids,
        rows if which is None else which[rows],
        _known(looked, since, scrubbed),
    )


def _known(looked: KnownDigests | None, since: UnchangedClaims | None, scrubbed: BatchOutcome) -> KnownClaims | None:
    if looked is None or since is None:
        return None
    good = np.ones(len(looked.digests), np.bool_)
    good[[one.row for one in scrubbed.rejected]] = False
    return KnownClaims(looked.digests[good], looked.earlier[good], since.nth_of(looked)[good])


def _evaluated(batch: pa.RecordBatch | pa.Table, scrubbed: BatchOutcome) -> tuple[pa.Array, NDArray[np.int32] | None]:
    """Return the ids of the claims that were evaluated, and which of them each row is; None where each is its own."""
    named = "claim_id" in batch.schema.names
    ids = as_one_array(batch.column("claim_id")) if named else pa.nulls(batch.num_rows, pa.string())
    if not scrubbed.rejected:
        return as_text(ids), None
    good = np.ones(batch.num_rows, np.bool_)
    good[[one.row for one in scrubbed.rejected]] = False
    return as_text(ids.take(numbers(np.flatnonzero(good)))), np.cumsum(good, dtype=np.int32) - np.int32(1)


def _with_columns(batch: pa.RecordBatch, columns: dict[str, pa.Array]) -> pa.RecordBatch:
    """Return the batch with these columns, new or in the place of old ones."""
    by_name = {name: batch.column(name) for name in batch.schema.names}
    return pa.RecordBatch.from_pydict({**by_name, **columns})
