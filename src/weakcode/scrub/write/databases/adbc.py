"""Any database to write into for which there is an ADBC driver, as `adbc:DRIVER:ADDRESS`.

DRIVER is what a package `adbc_driver_DRIVER` is called by, or else a driver that ADBC's manager finds. Lists are JSON.
Addresses are not repeated in messages: they may hold what must not be in a log.
"""

from __future__ import annotations

import importlib
import json
import re
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError
from weakcode.scrub.read.queries import input_errors
from weakcode.scrub.write.databases.connection import AdbcTransaction
from weakcode.scrub.write.databases.names import TableName

if TYPE_CHECKING:
    import pyarrow as pa

SCHEME = "adbc:"
_DRIVER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class AdbcDatabase(AdbcTransaction):
    """The database at an address; `shown` is what messages call the table.

    What keeps two transactions apart is the database's own choice; no lock is known that every database has.
    """

    def __init__(self, db: str, shown: str) -> None:
        super().__init__(adbc_connection(db), shown)
        self._temporary: dict[str, pa.Schema] = {}

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        rows = _without_lists(rows)
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.adbc_ingest(temporary, rows, mode="create_append", temporary=True)
        self._temporary[temporary] = rows.schema

    def columns(self, table: TableName) -> dict[str, str]:
        from adbc_driver_manager import AdbcStatusCode, ProgrammingError

        schema = self._temporary.get(table.table)
        if schema is None:
            try:
                with input_errors(self._what):
                    schema = self._connection.adbc_get_table_schema(table.table, db_schema_filter=table.schema)
            except InputError as error:
                cause = error.__context__
                if isinstance(cause, ProgrammingError) and cause.status_code == AdbcStatusCode.NOT_FOUND:
                    return {}
                raise
        return {field.name: _kind(field.type) for field in schema}

    @property
    def dead(self) -> str:
        """What is not known of a database is not claimed: the row of a run that was killed stays as it is."""
        return "1 = 0"


def adbc_connection(db: str) -> Any:
    """Return a connection to `adbc:DRIVER:ADDRESS`. Raises InputError where there is none to be had."""
    _, driver, address = (*db.split(":", 2), "", "")[:3]
    if not _DRIVER.fullmatch(driver) or not address:
        raise InputError("--db adbc:DRIVER:ADDRESS names a driver and a database, such as adbc:sqlite:findings.db")
    try:
        from adbc_driver_manager import dbapi
    except ImportError:
        raise InputError("--db needs the extra sql: pip install 'weakcode[sql]'") from None
    with input_errors(f"the database cannot be reached by the driver {driver}"):
        try:
            module = importlib.import_module(f"adbc_driver_{driver}.dbapi")
        except ImportError:
            return dbapi.connect(driver=driver, db_kwargs={"uri": address})
        return module.connect(address)


def _without_lists(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Return rows with lists as JSON, which every database can keep."""
    import pyarrow as pa

    columns = []
    for column in rows.columns:
        if pa.types.is_list(column.type):
            values = [None if one is None else json.dumps(one, ensure_ascii=False) for one in column.to_pylist()]
            column = pa.array(values, pa.string())
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=rows.schema.names)


def _kind(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_integer(kind):
        return "BIGINT"
    return "DATE" if pa.types.is_date(kind) else "VARCHAR"
