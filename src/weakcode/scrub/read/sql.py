"""Claims from a query, and findings into a table: DuckDB over files, PostgreSQL through ADBC (extra `sql`).

A query gives the columns of any table that is read: a code list, a wide table, CMS's layout, or a mapped one.
Neither queries nor addresses of databases are repeated in messages: both may hold what must not be in a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING, Any, Self

from weakcode.errors import InputError
from weakcode.scrub.read.csv.file import claims_of
from weakcode.scrub.read.layouts import resolve
from weakcode.scrub.read.queries import connected, duckdb_reader, postgresql_reader, told
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

_TABLE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)")


class QuerySource:
    """The claims that a query gives, in its order; the line is the 1-based row.

    `ignored` are columns that are not known.
    `db` is the address of a PostgreSQL database; without it the query runs in DuckDB and may read the files and folders
    of `allow`, and nothing else.
    """

    def __init__(
        self,
        query: str,
        db: str | None = None,
        mapping: Mapping[str, str] | None = None,
        allow: Sequence[str] = (),
    ) -> None:
        self.name = "query"
        self._query = query
        self._db = db
        self._mapping = mapping
        self._allow = allow
        self._closing = ExitStack()
        self._reader: Any = None
        self.ignored: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        """Run the query; raises InputError when it cannot be run."""
        if self._db is None:
            open_reader = duckdb_reader(self._query, self._allow)
        else:
            open_reader = postgresql_reader(self._query, self._db)
        self._reader = self._closing.enter_context(open_reader)
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.close()

    def __iter__(self) -> Iterator[Record | Rejected]:
        header = resolve(self.reader.schema.names, ",", "the query", self._mapping)
        self.ignored = header.ignored
        from weakcode.scrub.read.arrow.table import rows_of

        return claims_of(rows_of(self.reader, self.name), header, self.name)

    @property
    def reader(self) -> pa.RecordBatchReader:
        """The rows, to be read once; raises InputError when the query fails on one."""
        return self._reader

    @property
    def is_code_list(self) -> bool:
        """Tell whether the rows can be evaluated as they come."""
        return not self._mapping and {"claim_id", "codes"} <= set(self.reader.schema.names)


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

    from weakcode.scrub.write.findings import findings_schema

    return pa.RecordBatch.from_pylist([], schema=findings_schema())


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with all columns of findings and without dictionaries, which databases do not know."""
    import pyarrow as pa

    from weakcode.scrub.write.findings import conformed

    batch = conformed(batch)

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        return pa.list_(plain(kind.value_type)) if pa.types.is_list(kind) else kind

    schema = pa.schema([(field.name, plain(field.type)) for field in batch.schema])
    return batch if schema == batch.schema else batch.cast(schema)
