"""Queries that may only read: one SELECT, checked by a parser and held by what runs it.

In DuckDB a query reaches only the files that were allowed, and memory and temporary files have a limit. In PostgreSQL
it runs as a cursor in a read-only transaction: the server takes nothing but a query there, and one alone.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 8_192
"""Rows that are in memory at a time."""
MEMORY = "2GB"
"""What a query over files may take of memory."""
TEMPORARY = "10GB"
"""What a query over files may write into temporary files, which are gone when it ends."""
_POSTGRESQL = ("postgresql://", "postgres://")
_ONE_SELECT = "--sql takes one SELECT, such as SELECT id AS claim_id, codes FROM {}"
_ROW_FAILED = "the query failed on one of its rows ({}); leave such rows out with WHERE"
_ABOUT_VALUES = ("22", "23")
"""Classes of SQLSTATE whose messages repeat the value they are about."""
_PASSING, _LOCKED = ("08", "40", "53", "57"), "55P03"
"""Classes of SQLSTATE for connections, other transactions, load and shutdowns; and a lock that another one has."""
_PASSING_WORDS = re.compile(
    "timed? ?out|closed the connection|terminating connection|starting up"
    "|shutting down|no connection to the server|too many clients|connection slots|[Cc]onnection reset"
    "|could not (?:receive|send) data"
)
_NO_ACCESS = re.compile(r'Cannot access (?:file|directory) "(.*?)"')
_CURSOR = "weakcode_claims"


@contextmanager
def duckdb_reader(query: str, allow: Sequence[str] = ()) -> Iterator[pa.RecordBatchReader]:
    """Run one SELECT in DuckDB, which may read the files of `allow`, and those in its folders, symbolic links resolved.

    Raises InputError where the query is anything else, and where it cannot be run.
    """
    import duckdb

    paths = _allowed(allow)
    with tempfile.TemporaryDirectory(prefix="weakcode-") as folder, closing(_duckdb(folder, paths)) as connection:
        try:
            statements = connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InputError(_ONE_SELECT.format("'claims.parquet'"))
            relation: Any = connection.sql(query)
            # DuckDB renamed it.
            batches = relation.to_arrow_reader if hasattr(relation, "to_arrow_reader") else relation.fetch_arrow_reader
            reader = batches(ROWS)
        except duckdb.Error as error:
            raise InputError(_duckdb_said(error)) from None
        yield _rows_or_error(reader, (duckdb.Error, OSError))


def _allowed(allow: Sequence[str]) -> list[str]:
    for path in allow:
        if not os.path.exists(path):  # noqa: PTH110 - what is given may be any text
            raise InputError(f"--allow {path} is neither a file nor a folder of this machine")
    return list(dict.fromkeys(os.path.realpath(path) for path in allow))


def _duckdb(folder: str, paths: Sequence[str]) -> Any:
    """Return a connection that reaches these files and folders alone, for good."""
    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        # It would fetch extensions from its makers' host when a query seems to need one.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        # A table that is not there would be looked for among the variables of this process.
        "python_enable_replacements": False,
        "memory_limit": MEMORY,
        "temp_directory": folder,
        "max_temp_directory_size": TEMPORARY,
    }
    connection = duckdb.connect(":memory:", config=settings)
    connection.execute("SET allowed_paths = ?", [[path for path in paths if not os.path.isdir(path)]])  # noqa: PTH112
    connection.execute("SET allowed_directories = ?", [[path for path in paths if os.path.isdir(path)]])  # noqa: PTH112
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _duckdb_said(error: Exception) -> str:
    """Return what went wrong as one sentence, without values of rows."""
    import duckdb

    refused = _NO_ACCESS.search(str(error))
    if refused and "://" in refused[1]:
        return f"the query may not read {refused[1]}: nothing is fetched from a network; give files of this machine"
    if refused:
        return f"the query may not read {refused[1]}; --allow PATH lets it read a file or what is in a folder"
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"the query needs more than {MEMORY} of memory or {TEMPORARY} of temporary files; ask for less at a time"
    lacking = re.search(r'^Extension "(\w+)"', str(error), re.MULTILINE)
    if lacking:
        return f"the query needs DuckDB's extension {lacking[1]}, which is not installed, and nothing is fetched"
    if isinstance(
        error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException | duckdb.IOException
    ):
        return f"the query cannot be run: {_database_message(error)}"
    return _ROW_FAILED.format(_kind(error))


@contextmanager
def postgresql_reader(query: str, db: str) -> Iterator[pa.RecordBatchReader]:
    """Run one query in PostgreSQL; raises InputError where it is anything else, and where it cannot be run."""
    check_one_query(query)
    with closing(connected(db)) as connection, connection.cursor() as cursor:
        # COPY, in which the driver would wrap the query, cannot fetch from a cursor.
        cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": "false"})
        with input_errors("the query cannot be run"):
            cursor.execute("SET TRANSACTION READ ONLY")
            # The server's own grammar has only a query here. The driver sends it by the extended protocol, in which
            # one text is one command.
            cursor.execute(f"DECLARE {_CURSOR} NO SCROLL CURSOR FOR {query}")
        yield _fetched(cursor)


def check_one_query(query: str) -> None:
    """Raise InputError unless the text is one SELECT, VALUES or TABLE of PostgreSQL that changes nothing."""
    try:
        import sqlglot
        from sqlglot import exp
    except ImportError:
        raise InputError("--db needs the extra sql: pip install 'weakcode[sql]'") from None
    # It warns of statements that it does not know in detail; none of them is a query.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    try:
        statements = [one for one in sqlglot.parse(query, read="postgres") if one is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        at = error.errors[0] if isinstance(error, sqlglot.errors.ParseError) and error.errors else {}
        where = f" near line {at['line']}, column {at['col']}" if at.get("line") else ""
        raise InputError(f"the query cannot be read as PostgreSQL{where}; {_ONE_SELECT.format('claims')}") from None
    queries = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
    if (
        len(statements) != 1
        or not isinstance(statements[0], queries)
        or statements[0].find(exp.DML, exp.DDL, exp.Command, exp.Into)
    ):
        raise InputError(_ONE_SELECT.format("claims"))


def _fetched(cursor: Any) -> pa.RecordBatchReader:
    """Return the rows of the cursor, some at a time."""
    import pyarrow as pa
    from adbc_driver_manager import Error

    def fetch() -> pa.Table:
        try:
            cursor.execute(f"FETCH FORWARD {ROWS} FROM {_CURSOR}")
            return cursor.fetch_record_batch().read_all()
        except (Error, OSError) as error:
            if _is_passing(error):
                raise UnavailableError(f"the database cannot be read to the end: {_database_message(error)}") from None
            raise InputError(_ROW_FAILED.format(_kind(error))) from None

    first = fetch()

    def batches() -> Iterator[pa.RecordBatch]:
        table = first
        while table.num_rows:
            yield from table.to_batches()
            table = fetch()

    return pa.RecordBatchReader.from_batches(first.schema, batches())


def connected(db: str) -> Any:
    """Return a connection to PostgreSQL; raises InputError where there is none to be had."""
    if not db.startswith(_POSTGRESQL):
        kind = db.split(":", 1)[0] if ":" in db else "no scheme"
        raise InputError(f"--db takes PostgreSQL, as postgresql://user@host/name, not {kind}; files need no --db")
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise InputError("--db needs the extra sql: pip install 'weakcode[sql]'") from None
    with input_errors("the database cannot be reached"):
        return dbapi.connect(db)


def _rows_or_error(reader: pa.RecordBatchReader, errors: tuple[type[Exception], ...]) -> pa.RecordBatchReader:
    """Return the reader with failures turned into one sentence, without the value that it stumbled over."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except errors as error:
            raise InputError(_later_said(error)) from None

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def _later_said(error: Exception) -> str:
    import duckdb

    # Arrow wraps what DuckDB says while rows are read.
    if isinstance(error, duckdb.Error) or "Out of Memory" not in str(error):
        return _duckdb_said(error) if isinstance(error, duckdb.Error) else _ROW_FAILED.format(_kind(error))
    return _duckdb_said(duckdb.OutOfMemoryException(str(error)))


@contextmanager
def input_errors(what: str) -> Iterator[None]:
    """Turn what the driver says into one sentence."""
    from adbc_driver_manager import Error

    try:
        yield
    except (Error, OSError) as error:
        if str(getattr(error, "sqlstate", None) or "")[:2] in _ABOUT_VALUES:
            raise InputError(f"{what}: a value of a row does not fit ({_kind(error)})") from None
        kind = UnavailableError if _is_passing(error) else InputError
        raise kind(f"{what}: {_database_message(error)}") from None


def _is_passing(error: Exception) -> bool:
    """Tell whether what a database says is about its connection, its load or other transactions, and may pass."""
    state = str(getattr(error, "sqlstate", None) or "")
    return state == _LOCKED or state[:2] in _PASSING or _PASSING_WORDS.search(str(error)) is not None


def _database_message(error: Exception) -> str:
    """Return the first line that says something, without an address of a database."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    first = next((line for line in lines if "ERROR:" in line or "FATAL:" in line), lines[0] if lines else _kind(error))
    # What stands before it is the query.
    first = first[max(first.find("ERROR:"), 0) :]
    return re.sub(r"postgres(?:ql)?://\S+", "the database", first)


def _kind(error: BaseException) -> str:
    return type(error).__name__
