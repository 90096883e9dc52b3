"""The table that findings are asked for in: of PostgreSQL, or in a file of DuckDB or SQLite."""

from __future__ import annotations

from collections.abc import Mapping

from weakcode.errors import InputError
from weakcode.scrub.write.embedded import KINDS, opened
from weakcode.scrub.write.postgres import PostgresDatabase
from weakcode.scrub.write.tables import TableName, TableSink


def table_sink(
    into: str, db: str | None, judged_by: Mapping[str, str | list[str]] | None = None, mode: str = "upsert"
) -> TableSink:
    """Return what writes into `TABLE` of the database at `db`, into `duckdb:FILE:TABLE` or `sqlite:FILE:TABLE`.

    Raises InputError for a name that cannot be, and where the database cannot be opened.
    """
    kind, _, rest = into.partition(":")
    if kind not in KINDS:
        if db is None:
            raise InputError(f"--into {into} names a table of a database; --db says which")
        table = TableName.of(into)
        return TableSink(PostgresDatabase(db, str(table)), table, judged_by, mode)
    path, _, name = rest.rpartition(":")
    if not path:
        raise InputError(f"--into {into} has no file or no table; write it as {kind}:FILE:TABLE")
    table = TableName.of(name)
    return TableSink(opened(kind, path), table, judged_by, mode)
