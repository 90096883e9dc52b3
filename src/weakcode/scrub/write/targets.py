"""Where findings are asked for beside a file: a table of a database, or a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weakcode.errors import InputError
from weakcode.scrub.read.queries import connected
from weakcode.scrub.write.databases.adbc import SCHEME, AdbcDatabase, adbc_connection
from weakcode.scrub.write.databases.embedded import KINDS, opened
from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.databases.postgres import PostgresDatabase
from weakcode.scrub.write.databases.tables import TableSink
from weakcode.scrub.write.folders import FolderSink
from weakcode.scrub.write.sinks import Placing, Sink

FOLDER = "parquet:"
STANDS_ALONE = (FOLDER, *(f"{kind}:" for kind in KINDS))
"""How what needs no `--db` begins."""


def connection_to(db: str) -> Any:
    """Return a connection to a database by its address. Raises InputError where there is none to be had."""
    return adbc_connection(db) if db.startswith(SCHEME) else connected(db)


def sink_for(
    into: str,
    db: str | None,
    judged_by: Mapping[str, str | list[str]] | None = None,
    *,
    mode: str | None = None,
    partition_by: str | None = None,
    rejects: str | None = None,
) -> Sink:
    """Return what writes into `TABLE` of the database at `db`, `duckdb:FILE:TABLE`, `sqlite:FILE:TABLE` or
    `parquet:FOLDER`. `rejects` is the table of the rejected rows in the same database.

    Raises InputError for a name that cannot be, and where the database or the folder cannot be opened.
    """
    if into.startswith(FOLDER):
        placing = Placing.of(mode, partition_by, is_folder=True)
        if rejects is not None:
            raise InputError("--rejects-into names a table beside that of --into; for a folder, use --rejects FILE")
        if not into.removeprefix(FOLDER):
            raise InputError(f"--into {into} has no folder; write it as parquet:FOLDER")
        return FolderSink(into.removeprefix(FOLDER), placing)
    placing = Placing.of(mode, partition_by)
    aside = None if rejects is None else TableName.of(rejects)
    kind, _, rest = into.partition(":")
    if kind not in KINDS:
        if db is None:
            raise InputError(f"--into {into} names a table of a database; --db says which")
        table = TableName.of(into)
        database = AdbcDatabase(db, str(table)) if db.startswith(SCHEME) else PostgresDatabase(db, str(table))
        return TableSink(database, table, judged_by, placing, aside)
    path, _, name = rest.rpartition(":")
    if not path:
        raise InputError(f"--into {into} has no file or no table; write it as {kind}:FILE:TABLE")
    table = TableName.of(name)
    return TableSink(opened(kind, path), table, judged_by, placing, aside)
