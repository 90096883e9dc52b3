"""Findings into a table of a PostgreSQL database, through ADBC (extra `sql`).

Addresses of databases are not repeated in messages: they may hold what must not be in a log.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

from weakcode.errors import InputError
from weakcode.scrub.read.queries import connected, told
from weakcode.scrub.schema import conformed, findings_schema
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)")


class TableSink:
    """Writes findings into a table of a PostgreSQL database, in one transaction.

    The table is made where it is not there, else added to. Each row says `judged_by`, in columns of these names, for
    runs may differ. Raises InputError where that cannot be done.
    """

    def __init__(self, db: str, table: str, judged_by: Mapping[str, str | list[str]] | None = None) -> None:
        match = _TABLE.fullmatch(table)
        if not match:
            raise InputError(f"--into {table!r} is not the name of a table, such as findings or billing.findings")
        self._schema, self._table = match[1], match[2]
        self._shown = table
        self._closing = ExitStack()
        self._connection = self._closing.enter_context(closing(connected(db)))
        self._rows = 0
        self._judged_by = judged_by or {}

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the findings of one batch; nobody sees them before `finish`."""
        self._rows += batch.num_rows
        self._ingest(batch)

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Make everything that was written visible at once."""
        if not self._rows:
            self._ingest(_empty())
        with told(f"the findings were not written to {self._shown}"):
            self._connection.commit()
        WRITTEN.append(f"the table {self._shown}")
        self._closing.close()

    def abandon(self) -> None:
        """Leave the table as it was; after `finish` this does nothing."""
        with suppress(Exception):
            self._closing.close()

    def _ingest(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        rows = _plain(batch)
        for name, value in self._judged_by.items():
            kind = pa.string() if isinstance(value, str) else pa.list_(pa.string())
            rows = rows.append_column(name, pa.array([value] * len(rows), kind))
        with told(f"the findings cannot be written to {self._shown}"), self._connection.cursor() as cursor:
            cursor.adbc_ingest(self._table, rows, mode="create_append", db_schema_name=self._schema)


def _empty() -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=findings_schema())


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with all columns of findings and without dictionaries, which databases do not know."""
    import pyarrow as pa

    batch = conformed(batch)

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        return pa.list_(plain(kind.value_type)) if pa.types.is_list(kind) else kind

    schema = pa.schema([(field.name, plain(field.type)) for field in batch.schema])
    return batch if schema == batch.schema else batch.cast(schema)
