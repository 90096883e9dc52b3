"""A PostgreSQL database to write into, through ADBC (extra `sql`).

Addresses of databases are not repeated in messages: they may hold what must not be in a log.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from weakcode.errors import InputError
from weakcode.scrub.read.queries import connected, input_errors
from weakcode.scrub.write.databases.connection import AdbcTransaction
from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.runs.records import under_way

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
    WHERE a.attrelid = to_regclass('{}') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_PLACE = """
    SELECT coalesce(n.nspname::text, {1}), coalesce(c.relkind::text IN ('v', 'm'), false)
    FROM (SELECT to_regclass('{0}') AS oid) AS given LEFT JOIN pg_class AS c ON c.oid = given.oid
    LEFT JOIN pg_namespace AS n ON n.oid = c.relnamespace
"""
_USUAL = "public"
_LONGEST = 63
"""Bytes of a name that PostgreSQL regards; it cuts off the rest."""

WAITS = 60.0
"""Seconds to wait for a run of the same id to be dead."""


class PostgresDatabase(AdbcTransaction):
    """The database at an address; `shown` is what messages call the table."""

    def __init__(self, db: str, shown: str) -> None:
        super().__init__(connected(db), shown)

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.adbc_ingest(temporary, rows, mode="create_append", temporary=True)

    def columns(self, table: TableName) -> dict[str, str]:
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(_COLUMNS.format(table.quoted))
            return dict(cursor.fetchall())

    def found(self, table: TableName) -> tuple[TableName, bool]:
        # Of all schemas, texts leave out `public`.
        if max(map(len, (table.table, table.schema or ""))) > _LONGEST:
            raise InputError(f"{table} is too long for the name of a table, which has up to {_LONGEST} letters")
        schema = f"'{table.schema}'" if table.schema else "current_schema()::text"
        ((place, is_view),) = self.rows(_PLACE.format(table.quoted, schema))
        return (TableName(table.table, place, place == _USUAL) if place else table), is_view

    def lock(self, table: TableName) -> None:
        self.execute(f"LOCK TABLE {table.quoted} IN SHARE ROW EXCLUSIVE MODE")

    def index(self, table: TableName, column: str) -> None:
        self.execute(f"CREATE INDEX ON {table.quoted} ({column})")  # which PostgreSQL gives a name that is free

    def hold(self, table: TableName, run_id: str) -> None:
        """Let others tell that a run is alive that writes into a table, by a lock that ends with the connection.

        Raises InputError where a run of its id still holds it after a while: the server may take one for alive that
        was killed a moment ago.
        """
        until = time.monotonic() + WAITS
        key = _key(f"'{table} {run_id}'")
        while self.rows(f"SELECT pg_try_advisory_lock({key})") != [(True,)]:
            if time.monotonic() > until:
                raise under_way(run_id)
            time.sleep(0.2)

    @property
    def dead(self) -> str:
        """A run is dead where its lock can be had."""
        key = _key("findings_table || ' ' || id")
        return f"pg_try_advisory_xact_lock({key})"

    def alone(self, table: TableName) -> None:
        key = _key(f"'table {table}'")
        self.rows(f"SELECT pg_advisory_xact_lock({key}) IS NULL")


def _key(text: str) -> str:
    """Return the number of a lock, by a text in SQL."""
    return f"hashtextextended('weakcode ' || {text}, 0)"
