"""A connection of ADBC to write through, whatever the database."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from typing import Any

from weakcode.scrub.read.queries import input_errors
from weakcode.scrub.write.databases.tables import Database


class AdbcTransaction(Database):
    """A connection with a transaction always open; `shown` is what messages call the table."""

    def __init__(self, connection: Any, shown: str) -> None:
        self._closing = ExitStack()
        self._connection = self._closing.enter_context(closing(connection))
        self._what = f"the findings cannot be written to {shown}"

    def execute(self, statement: str) -> None:
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def commit(self) -> None:
        with input_errors(self._what):
            self._connection.commit()

    def rollback(self) -> None:
        with input_errors(self._what):
            self._connection.rollback()

    def close(self) -> None:
        with suppress(Exception):
            self._closing.close()
