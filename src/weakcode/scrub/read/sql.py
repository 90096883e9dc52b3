"""Claims from a query: DuckDB over files, PostgreSQL through ADBC (extra `sql`).

A query gives the columns of any table that is read: a code list, a wide table, CMS's layout, or a mapped one.
Neither queries nor addresses of databases are repeated in messages: both may hold what must not be in a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import attrs

from weakcode.scrub.read.log import ReadCounts, ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.queries import duckdb_reader, postgresql_reader
from weakcode.scrub.read.rows import Record, Rejected

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.read.batch import ClaimBatch


class QuerySource:
    """The claims that a query gives, in its order; the line is the 1-based row.

    `ignored` are columns that are not known, `counts` says how they were read.
    `db` is the address of a PostgreSQL database; without it the query runs in DuckDB and may read the files and folders
    of `allow`, and nothing else.
    """

    def __init__(
        self,
        query: str,
        db: str | None = None,
        mapping: Mapping[str, Any] | None = None,
        allow: Sequence[str] = (),
        *,
        options: ReadOptions = PLAIN,
    ) -> None:
        self.name = "query"
        self._query = query
        self._db = db
        self._options = options if mapping is None else attrs.evolve(options, mapping=mapping)
        self._allow = allow
        self._closing = ExitStack()
        self._reader: Any = None
        self.ignored: tuple[str, ...] = ()
        self._log = ReadLog()

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
        for batch in self.batches():
            yield from batch.rows()

    @property
    def counts(self) -> ReadCounts:
        """How the rows were read, when all batches were looked at."""
        return self._log.result()

    @property
    def reader(self) -> pa.RecordBatchReader:
        """The rows, to be read once; raises InputError when the query fails on one."""
        return self._reader

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows in batches, to be judged together."""
        from weakcode.scrub.read.arrow.file import ArrowColumns

        columns = ArrowColumns(self.reader, options=self._options)
        self._log = columns.log
        columns.name = self.name
        yield from columns
        self.ignored = columns.ignored
