"""Databases in a file to write into: DuckDB and SQLite."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError, UnavailableError, first_line
from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.databases.tables import Database

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("duckdb", "sqlite")
_PATIENCE, _BETWEEN = 60.0, 0.2
"""Seconds to wait for another process that has the file, and between two attempts."""
_USUAL = "main"
"""The schema of tables that name none."""
_NO_FILE = ":memory:"
_IN_USE = "{} is in use by another process; run again when that has ended"
_ROWS = 8_192
"""Rows that are values of Python at once."""


def opened(kind: str, path: str) -> Database:
    """Open the database in a file, which is made where it is not there. Raises InputError where it cannot be."""
    if path.startswith(_NO_FILE):
        raise InputError(f"--into {kind}:{path} is no file; what is in memory is gone when the run has ended")
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"the folder of {path} does not exist; make it first")
    check_kind(kind, path, "the findings cannot be written to")
    return DuckdbDatabase(path) if kind == "duckdb" else SqliteDatabase(path)


def check_kind(kind: str, path: str, what: str) -> None:
    """Raise InputError, which begins with `what`, where a file is no database of this kind.

    DuckDB would open a file of CSV, JSON or Parquet, and keep in memory what is written into it.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(16)
    except OSError:  # what it is, opening it will tell
        return
    for other, name, is_of in (
        ("sqlite", "SQLite", start.startswith(b"SQLite format 3\0")),
        ("duckdb", "DuckDB", start[8:12] == b"DUCK"),
    ):
        if is_of and kind != other:
            raise InputError(f"{path} is a database of {name}; write {other}: instead of {kind}:")
    if kind == "duckdb" and start and start[8:12] != b"DUCK":
        raise InputError(f"{what} {path}: it is not a database of DuckDB")


class _Embedded(Database):
    """A file of a database with a transaction open; errors name the path. The process that writes has it for itself."""

    _begin = "BEGIN"

    def __init__(self, path: str, errors: tuple[type[Exception], ...]) -> None:
        self._path, self._errors = path, errors
        self._connection: Any = None

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise UnavailableError(_IN_USE.format(self._path)) from None
            why = first_line(error)
            if why.endswith("disk is full"):
                why += "; SQLite also needs room for temporary files, where TMPDIR says"
            raise InputError(f"the findings cannot be written to {self._path}: {why}") from None

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._clear_errors():
            return list(self._connection.execute(query, values).fetchall())

    def execute(self, statement: str) -> None:
        with self._clear_errors():
            self._connection.execute(statement)

    @property
    def dead(self) -> str:
        """Whoever else wrote has let go of the file."""
        return "1 = 1"

    def begin(self) -> None:
        self.execute(self._begin)

    def commit(self) -> None:
        self.execute("COMMIT")

    def rollback(self) -> None:
        with suppress(*self._errors):  # where none is open any more
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(*self._errors):
            self._connection.close()


class DuckdbDatabase(_Embedded):
    """A file of DuckDB with a transaction open. It searches by zone maps; an index would be held in memory."""

    def __init__(self, path: str) -> None:
        import duckdb

        super().__init__(path, (duckdb.Error, OSError))
        is_new = not Path(path).exists()
        with self._clear_errors():
            try:
                self._connection = self._opened()
            except duckdb.Error:
                if is_new:
                    _remove_empty(path)
                raise
            self._connection.execute(self._begin)

    def _opened(self) -> Any:
        """Open the file; where another process has it, wait for that, as SQLite does."""
        import duckdb

        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return duckdb.connect(self._path, config={"autoinstall_known_extensions": False})
            except duckdb.IOException as error:
                if "set lock" not in str(error):
                    raise
            if time.monotonic() > until:
                raise UnavailableError(_IN_USE.format(self._path))
            time.sleep(_BETWEEN)

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        import pyarrow as pa

        with self._clear_errors():
            self._connection.register("weakcode_rows", pa.Table.from_batches([rows]))
            try:
                self._connection.execute(
                    f"CREATE TEMP TABLE IF NOT EXISTS {temporary} AS FROM weakcode_rows WHERE false"
                )
                self._connection.execute(f"INSERT INTO {temporary} FROM weakcode_rows")
            finally:
                self._connection.unregister("weakcode_rows")

    def columns(self, table: TableName) -> dict[str, str]:
        where = "table_name = ?" + (" AND schema_name = ?" if table.schema else "")
        query = f"SELECT column_name, data_type FROM duckdb_columns() WHERE {where} ORDER BY column_index"  # noqa: S608
        return dict(self.rows(query, [table.table, *([table.schema] if table.schema else [])]))

    def found(self, table: TableName) -> tuple[TableName, bool]:
        query = """
            SELECT table_name, is_view FROM (
                SELECT schema_name, table_name, false AS is_view FROM duckdb_tables()
                UNION ALL SELECT schema_name, view_name, true FROM duckdb_views() WHERE NOT internal
            ) WHERE lower(schema_name) = lower(?) AND lower(table_name) = lower(?)
        """
        schema = table.schema or _USUAL
        name, is_view = next(iter(self.rows(query, [schema, table.table])), (table.table, False))
        return TableName(name, None if schema.lower() == _USUAL else schema), is_view


class SqliteDatabase(_Embedded):
    """A file of SQLite with a transaction open. Lists are JSON, dates text."""

    _begin = "BEGIN IMMEDIATE"

    def __init__(self, path: str) -> None:
        super().__init__(path, (sqlite3.Error,))
        with self._clear_errors():
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
            self._connection.execute("PRAGMA temp_store = FILE")
            self._connection.execute(self._begin)

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        import pyarrow as pa

        kinds = [f'"{one.name}" {"INTEGER" if pa.types.is_integer(one.type) else "TEXT"}' for one in rows.schema]
        with self._clear_errors():
            self._connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS {temporary} ({', '.join(kinds)})")
            marks = ", ".join("?" * len(kinds))
            for start in range(0, rows.num_rows, _ROWS):
                columns = rows.slice(start, _ROWS).columns
                values = zip(*(map(_plain, column.to_pylist()) for column in columns), strict=True)
                self._connection.executemany(f"INSERT INTO temp.{temporary} VALUES ({marks})", values)  # noqa: S608

    def found(self, table: TableName) -> tuple[TableName, bool]:
        if table.schema not in (None, _USUAL):
            raise InputError(f"--into {table}: SQLite has no schema {table.schema}; give the table alone")
        query = "SELECT name, type = 'view' FROM sqlite_master WHERE type IN ('table', 'view') AND lower(name) = ?"
        name, is_view = next(iter(self.rows(query, [table.table.lower()])), (table.table, False))
        return TableName(name), bool(is_view)

    def columns(self, table: TableName) -> dict[str, str]:
        return dict(self.rows("SELECT name, type FROM pragma_table_info(?)", [table.table]))

    def index(self, table: TableName, column: str) -> None:
        self.execute(f'CREATE INDEX "{table.table}_{column}" ON "{table.table}" ({column})')


def _remove_empty(path: str) -> None:
    """Remove a file that DuckDB made and had no room for: it would not open it again."""
    with suppress(OSError):
        if not Path(path).stat().st_size:
            Path(path).unlink()


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, dt.date) else value
