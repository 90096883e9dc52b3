"""Claims from a query: DuckDB over files, PostgreSQL through ADBC (extra `sql`).

A query gives the columns of any table that is read: a code list, a wide table, CMS's layout, or a mapped one.
Neither queries nor addresses of databases are repeated in messages: both may hold what must not be in a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from weakcode.scrub.read.csv.file import claims_of
from weakcode.scrub.read.layouts import resolve
from weakcode.scrub.read.queries import duckdb_reader, postgresql_reader
from weakcode.scrub.read.rows import Record, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.read.batch import ClaimBatch


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

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows in batches, to be judged together: as they come, where they are a code list."""
        from weakcode.scrub.read.batch import batches_of

        if self._mapping or not {"claim_id", "codes"} <= set(self.reader.schema.names):
            yield from batches_of(self)
            return
        from weakcode.scrub.read.arrow.file import ArrowColumns

        columns = ArrowColumns(self.reader)
        columns.name = self.name
        for batch in columns:
            self.ignored = columns.ignored
            yield batch
        self.ignored = columns.ignored
