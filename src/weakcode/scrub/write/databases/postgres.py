"""A PostgreSQL database to write into, through ADBC (extra `sql`).

Addresses of databases are not repeated in messages: they may hold what must not be in a log.
"""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from typing import TYPE_CHECKING

from weakcode.scrub.read.queries import connected, input_errors
from weakcode.scrub.write.databases.tables import TableName

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
    WHERE a.attrelid = to_regclass('{}') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


class PostgresDatabase:
    """A connection with a transaction open; `shown` is what messages call the table."""

    def __init__(self, db: str, shown: str) -> None:
        self._closing = ExitStack()
        self._connection = self._closing.enter_context(closing(connected(db)))
        self._what = f"the findings cannot be written to {shown}"

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        """Add rows to a temporary table, which is made where it is not there."""
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.adbc_ingest(temporary, rows, mode="create_append", temporary=True)

    def columns(self, table: TableName) -> dict[str, str]:
        """Return the columns of a table with their types; none where there is no such table."""
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(_COLUMNS.format(table.quoted))
            return dict(cursor.fetchall())

    def execute(self, statement: str) -> None:
        """Run a statement."""
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def lock(self, table: TableName) -> None:
        """Keep other runs from writing into the table before this one has ended."""
        self.execute(f"LOCK TABLE {table.quoted} IN SHARE ROW EXCLUSIVE MODE")

    def index(self, table: TableName, column: str) -> None:
        """Make a new table quick to search by a column."""
        self.execute(f'CREATE INDEX "{table.table}_{column}" ON {table.quoted} ({column})')

    def commit(self) -> None:
        """Make everything visible at once, and let go of the database."""
        with input_errors(self._what):
            self._connection.commit()
        self._closing.close()

    def close(self) -> None:
        """Leave everything as it was, and let go of the database; after `commit` this does nothing."""
        with suppress(Exception):
            self._closing.close()
