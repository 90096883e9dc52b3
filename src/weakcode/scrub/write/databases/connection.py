"""A connection of ADBC to write through, whatever the database."""

from __future__ import annotations

from contextlib import ExitStack, closing, suppress
from typing import Any

from weakcode.scrub.read.queries import input_errors


class AdbcTransaction:
    """A connection with a transaction open; `shown` is what messages call the table."""

    def __init__(self, connection: Any, shown: str) -> None:
        self._closing = ExitStack()
        self._connection = self._closing.enter_context(closing(connection))
        self._what = f"the findings cannot be written to {shown}"

    def execute(self, statement: str) -> None:
        """Run a statement."""
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with input_errors(self._what), self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    def begin(self) -> None:
        """A transaction is always open."""

    def commit(self) -> None:
        """Make everything visible at once."""
        with input_errors(self._what):
            self._connection.commit()

    def rollback(self) -> None:
        """Leave everything as it was before the transaction."""
        with input_errors(self._what):
            self._connection.rollback()

    def close(self) -> None:
        """Leave everything as it was, and let go of the database."""
        with suppress(Exception):
            self._closing.close()
