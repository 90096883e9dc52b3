"""Names of tables."""

from __future__ import annotations

import re

import attrs

from weakcode.errors import InputError

_TABLE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)")


@attrs.frozen
class TableName:
    """The name of a table, with its schema where one is given."""

    table: str
    schema: str | None = None

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
        return ".".join(part for part in (self.schema, self.table) if part)
