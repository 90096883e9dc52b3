"""What a database holds that findings were written into, asked in SQL."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import duckdb


def asked_of(kind: str, folder: Path, db: str, query: str) -> list[Any]:
    """Return the rows of `f.db` in a folder, a file of `duckdb` or `sqlite`, or of the server at `db`."""
    if kind == "postgresql":
        return asked(db, query)
    path = str(folder / "f.db")
    connection: Any = duckdb.connect(path) if kind == "duckdb" else sqlite3.connect(path)
    try:
        return list(connection.execute(query).fetchall())
    finally:
        connection.close()


def asked(db: str, query: str) -> list[Any]:
    """Return the rows of a server of PostgreSQL; none for what is no query."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(db, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall()) if cursor.description else []
