"""Claims files opened beside findings: who pays, and when the service was."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 65_536
_COLUMNS = ["claim_id", "payer", "day"]


def open_claims_tables(connection: Any, paths: Sequence[str]) -> tuple[int, int]:
    """Make the table `claims` (claim_id, payer, month: each id once) out of claims files of any format that is read.

    Returns the number of claims and of rejected rows.
    Raises InputError for a file that cannot be opened or has no claims in it.
    """
    connection.execute("CREATE TABLE claim_rows (claim_id VARCHAR, payer VARCHAR, month DATE)")
    lost = 0
    for path in paths:
        if not Path(path).exists():
            raise InputError(f"there is no claims file {path}")
        for batch, rejected in _batches(path):
            lost += rejected
            connection.register("batch", batch)
            connection.execute("INSERT INTO claim_rows SELECT claim_id, payer, date_trunc('month', day) FROM batch")
            connection.unregister("batch")
    (claims,) = connection.execute("SELECT count(*) FROM claim_rows").fetchone()
    connection.execute(
        "CREATE TABLE claims AS SELECT claim_id, min(payer) AS payer, min(month) AS month, count(*) AS times "
        "FROM claim_rows GROUP BY claim_id"
    )
    connection.execute("DROP TABLE claim_rows")
    return int(claims), lost


def _batches(path: str) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Give the columns claim_id, payer and day, and how many rows were none that could be read."""
    from weakcode.scrub.read.files import is_arrow_file
    from weakcode.scrub.read.inputs import opened_input

    with opened_input(path) as opened:
        yield from _arrow_batches(opened) if is_arrow_file(opened) else _claim_batches(opened)


def _arrow_batches(path: str | os.PathLike[str]) -> Iterator[tuple[pa.RecordBatch, int]]:
    import pyarrow as pa

    from weakcode.scrub.read.arrow.batch import LostRows
    from weakcode.scrub.read.arrow.file import ArrowColumns

    for part in ArrowColumns(path):
        if isinstance(part, LostRows):
            yield _batch([], [], []), part.count
            continue
        batch = part.batch
        assert batch is not None, "rows of a table have no waivers, so that columns can say them"
        names = batch.schema.names

        def text(name: str, batch: Any = batch, names: list[str] = names) -> pa.Array:
            return batch.column(name).cast(pa.string()) if name in names else pa.nulls(batch.num_rows, pa.string())

        days = batch.column("service_date") if "service_date" in names else pa.nulls(batch.num_rows, pa.date32())
        yield (
            pa.RecordBatch.from_arrays([text("claim_id"), text("payer"), _days(days)], _COLUMNS),
            len(part.rejected),
        )


def _days(column: pa.Array) -> pa.Array:
    """Return service dates as days; a text that is not a date becomes null, as on a claim that was rejected for it."""
    import pyarrow as pa

    from weakcode.fields.parsers import parse_date

    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return column.cast(pa.date32(), safe=False)
    if pa.types.is_null(column.type):
        return column.cast(pa.date32())
    words = column.cast(pa.string()).dictionary_encode()
    days = []
    for word in words.dictionary.to_pylist():
        try:
            days.append(parse_date(word) if word else None)
        except ValueError:
            days.append(None)
    return pa.array(days, pa.date32()).take(words.indices)


def _claim_batches(path: str | os.PathLike[str]) -> Iterator[tuple[pa.RecordBatch, int]]:
    from weakcode.scrub.read.files import open_claims
    from weakcode.scrub.read.rows import Rejected

    ids: list[str | None] = []
    payers: list[str | None] = []
    days: list[Any] = []
    lost = 0
    with open_claims(path) as source:
        for row in source:
            if isinstance(row, Rejected):
                lost += 1
                continue
            ids.append(row.claim.id)
            payers.append(row.claim.payer)
            days.append(row.claim.service_date)
            if len(ids) == _ROWS:
                yield _batch(ids, payers, days), 0
                ids, payers, days = [], [], []
    yield _batch(ids, payers, days), lost


def _batch(ids: list[str | None], payers: list[str | None], days: list[Any]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [pa.array(ids, pa.string()), pa.array(payers, pa.string()), pa.array(days, pa.date32())],
        _COLUMNS,
    )
