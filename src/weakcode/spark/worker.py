"""What runs on the executors: batches of claims in, batches of outcomes out.

The rules come as bytes and are opened once for each Python process, whatever the number of tasks it runs.
"""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pyarrow as pa

from weakcode.errors import InputError
from weakcode.scrub.judge.batch import FindingBatch
from weakcode.scrub.read.arrow.batch import ArrowBatch, LostRows
from weakcode.scrub.read.arrow.file import BATCH_ROWS, ArrowColumns
from weakcode.scrub.read.batch import RefusedRow
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.schema import conformed, findings_schema
from weakcode.scrub.summary import Counts, JudgedBy
from weakcode.scrub.write.pseudonyms import HashedIds
from weakcode.spark import FINDING, FROM, PLACES, REJECTED, TALLY
from weakcode.spark.counts import as_text

if TYPE_CHECKING:
    from weakcode.scrub.judge.columns import ColumnScrubber
    from weakcode.validator import Validator

Outcomes = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_MOST_FINDINGS = 65_536
"""Rows of outcomes that are handed to Spark at a time."""


@attrs.frozen(eq=False)
class Shipment:
    """A validator on its way: `content` is a broadcast variable, or the bytes where Spark has none (Spark Connect)."""

    digest: str
    judged_by: JudgedBy
    content: Any

    def unpacked(self) -> ColumnScrubber:
        """Return what evaluates batches, the same one for all tasks of this process."""
        return self.opened()[1]

    def opened(self) -> tuple[Validator, ColumnScrubber]:
        """Return the validator, and what evaluates batches: the same ones for all tasks of this process."""
        opened = _opened.get(self.digest)
        if opened is None:
            packed = self.content if isinstance(self.content, bytes) else self.content.value
            validator: Validator = pickle.loads(zlib.decompress(packed))  # noqa: S301 - from this run's own driver
            if len(_opened) >= _MOST_OPENED:
                _opened.clear()
            opened = _opened[self.digest] = (validator, validator.columns())
        return opened


_opened: dict[str, tuple[Validator, ColumnScrubber]] = {}
_MOST_OPENED = 3
"""A process that serves run after run must not keep the rules of all of them."""


def shipped(session: Any, validator: Validator | None) -> Shipment:
    """Return a validator with its rules, profile and editions by content, to be sent to each executor once."""
    from weakcode.validator import Validator

    validator = (validator or Validator()).in_bulk()
    plain = pickle.dumps(validator, 5)
    packed = zlib.compress(plain, 3)
    # Spark Connect has no contexts and no broadcasts; the bytes go with the plan.
    broadcast = None if "connect" in type(session).__module__ else session.sparkContext.broadcast
    digest = hashlib.blake2b(plain, digest_size=16).hexdigest()
    judged_by = JudgedBy.of(validator)
    return Shipment(digest, judged_by, broadcast(packed) if broadcast else packed)


def outcome_schema() -> pa.Schema:
    """Return the Arrow schema of outcomes: `kind`, then the columns of a findings table."""
    return findings_schema().insert(0, pa.field("kind", pa.string()))


def outcomes_of(
    rules: Shipment,
    ignored: Sequence[str],
    hash_key: bytes | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Outcomes:
    """Return the function for `mapInArrow`; with `hash_key`, claims have hashed ids."""
    options = ReadOptions(None if mapping is None else dict(mapping))

    def outcomes(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        hide = None if hash_key is None else HashedIds(hash_key)
        yield from judged(batches, rules, ignored, hide, options)

    return outcomes


def judged(
    batches: Iterator[pa.RecordBatch],
    rules: Shipment,
    ignored: Sequence[str],
    hide: HashedIds | None = None,
    options: ReadOptions = PLAIN,
) -> Iterator[pa.RecordBatch]:
    """Give the outcomes of one partition; the last row has its counts."""
    counted = Counts()
    name = _partition()
    for batch in _gathered(batches):
        for part in ArrowColumns(batch, kept=[FROM + place for place in PLACES], options=options):
            if not isinstance(part, ArrowBatch):
                reason = part.reason if isinstance(part, LostRows) else "they are no claims each"
                raise InputError(f"Spark gave rows that cannot be read: {reason}")
            if part.wrong:
                yield from _unreadable(part, batch, counted, name, hide)
            yield from _outcomes(part.batch, rules.unpacked(), counted, name, hide)
    counted.judged_by(rules.judged_by)
    counts = counted.summary(0.0, {"the DataFrame": tuple(ignored)} if ignored else {})
    yield _rows(TALLY, {"message": [as_text(counts)]})


def _outcomes(
    batch: pa.RecordBatch, scrubber: ColumnScrubber, counted: Counts, name: str, hide: HashedIds | None
) -> Iterator[pa.RecordBatch]:
    scrubbed = scrubber.scrub(batch, lines=pa.array(np.arange(batch.num_rows)), hide=hide.ids if hide else None)
    counted.add_batch(
        FindingBatch(
            scrubbed,
            tuple(Rejected(*_place_of(batch, one.row, name), one.claim_id, "", one.part) for one in scrubbed.rejected),
        )
    )
    for start in range(0, scrubbed.findings.num_rows, _MOST_FINDINGS):
        found = scrubbed.findings.slice(start, _MOST_FINDINGS)
        placed = _placed(conformed(found), batch, found["line"])
        yield _of_kind(FINDING, placed.cast(findings_schema()))
    if scrubbed.rejected:
        yield _rejects(scrubbed.rejected, batch, hide)


def _unreadable(
    part: ArrowBatch, table: pa.Table, counted: Counts, name: str, hide: HashedIds | None
) -> Iterator[pa.RecordBatch]:
    """Give the rows of a part of a table that are not in its batch, because they hold what cannot be read."""
    # Not even the claim's id is repeated: it may be what cannot be read.
    wrong = [RefusedRow(part.first - 1 + row, None, what, reason) for row, (what, reason) in part.wrong.items()]
    counted.add_batch(
        FindingBatch(None, tuple(Rejected(*_place_of(table, one.row, name), None, "", one.part) for one in wrong))
    )
    yield _rejects(wrong, table, hide)


def _rejects(rejected: Sequence[RefusedRow], claims: pa.RecordBatch | pa.Table, hide: HashedIds | None) -> Any:
    set_aside = _rows(
        REJECTED,
        {
            "claim_id": [one.claim_id if hide is None else hide.text(one.claim_id) for one in rejected],
            "rule": [one.part for one in rejected],
            "message": [one.reason if hide is None else one.part for one in rejected],
        },
    )
    return _placed(set_aside, claims, pa.array([one.row for one in rejected], pa.int64()))


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Give the claims in larger batches than Spark's 10,000 rows, because each costs something in itself."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if waiting and rows + batch.num_rows > BATCH_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
        waiting.append(batch)
        rows += batch.num_rows
    if rows:
        yield pa.Table.from_batches(waiting)


def _placed(outcomes: pa.RecordBatch, claims: pa.RecordBatch, rows: pa.Array) -> pa.RecordBatch:
    """Return the outcomes with the places that their claims say they are from."""
    for name in PLACES:
        at, field = outcomes.schema.get_field_index(name), findings_schema().field(name)
        there = FROM + name in claims.schema.names
        column = claims[FROM + name].take(rows).cast(field.type) if there else pa.nulls(len(rows), field.type)
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        outcomes = outcomes.set_column(at, field, column)
    return outcomes


def _place_of(batch: pa.RecordBatch, row: int, name: str) -> tuple[str, int]:
    if not {FROM + "file", FROM + "line"} <= set(batch.schema.names):
        return name, row + 1
    try:
        file, line = batch[FROM + "file"][row].as_py(), batch[FROM + "line"][row].as_py()
    except UnicodeDecodeError:
        return name, row + 1
    return (name, row + 1) if file is None or line is None else (file, line)


def _partition() -> str:
    from pyspark import TaskContext

    task = TaskContext.get()
    return "the DataFrame" if task is None else f"partition {task.partitionId()}"


def _rows(kind: str, columns: dict[str, list[Any]]) -> pa.RecordBatch:
    schema, rows = findings_schema(), len(next(iter(columns.values())))
    arrays = [pa.array(columns.get(field.name, [None] * rows), field.type) for field in schema]
    return _of_kind(kind, pa.RecordBatch.from_arrays(arrays, schema=schema))


def _of_kind(kind: str, batch: pa.RecordBatch) -> pa.RecordBatch:
    kinds = pa.array([kind], pa.string()).take(pa.nulls(batch.num_rows, pa.int32()).fill_null(0))
    return pa.RecordBatch.from_arrays([kinds, *batch.columns], schema=outcome_schema())
