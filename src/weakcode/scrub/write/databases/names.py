"""Names of tables."""

from __future__ import annotations

import re

import attrs

from weakcode.errors import InputError

_TABLE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)")


@attrs.frozen
class TableName:
    """The name of a table, with its schema where one is given.

    A text leaves out a schema that `is_usual`, so that a table has one name in the records of runs.
    """

    table: str
    schema: str | None = None
    is_usual: bool = False

    @classmethod
    def of(cls, text: str) -> TableName:
        """Read `findings` or `billing.findings`; raises InputError for what is no name."""
        match = _TABLE.fullmatch(text)
        if not match:
            raise InputError(f"{text!r} is not the name of a table, such as findings or billing.findings")
        return cls(match[2], match[1])

    @property
    def quoted(self) -> str:
        """As SQL has it."""
        return ".".join(f'"{part}"' for part in (self.schema, self.table) if part)

    def __str__(self) -> str:
        return self.table if self.schema is None or self.is_usual else f"{self.schema}.{self.table}"
