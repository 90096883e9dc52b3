"""The columns of a findings table, each declared once: what is written, in Arrow and in text, and how it is stored."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import pyarrow as pa


class Encoding(enum.Enum):
    """How the values of a column follow each other, which tells how Parquet keeps them."""

    PLAIN = enum.auto()
    REPEATS = enum.auto()
    """A few values again and again: a dictionary."""
    RISES = enum.auto()
    """Whole numbers near to the one before: their differences."""


@attrs.frozen
class FindingColumn:
    """A column. `kind` is the name of an Arrow type, of the items where it `is_list`.

    `separator` parts the items where a format has only text.
    """

    name: str
    kind: str = "string"
    is_list: bool = False
    encoding: Encoding = Encoding.REPEATS
    separator: str = " "

    def type(self) -> pa.DataType:
        """Return the Arrow type."""
        import pyarrow as pa

        item = pa.type_for_alias(self.kind)
        return pa.list_(item) if self.is_list else item


COLUMNS = (
    FindingColumn("claim_id", encoding=Encoding.PLAIN),
    FindingColumn("rule"),
    FindingColumn("severity"),
    FindingColumn("message"),
    FindingColumn("codes", is_list=True),
    FindingColumn("positions", "int32", is_list=True, encoding=Encoding.RISES),
    # A source is a phrase with blanks of its own.
    FindingColumn("sources", is_list=True, separator="; "),
    FindingColumn("edition"),
    FindingColumn("file"),
    FindingColumn("line", "int64", encoding=Encoding.RISES),
    FindingColumn("place"),
    FindingColumn("denial_risk"),
    FindingColumn("denial_risk_source"),
    FindingColumn("waived_by"),
    FindingColumn("waiver"),
)
"""In the order in which they are written. A new one goes to the end of its kind, and is filled by `judge`."""
NAMES = tuple(column.name for column in COLUMNS)
_SEPARATORS = {"packs": "; ", **{column.name: column.separator for column in COLUMNS}}


def findings_schema() -> pa.Schema:
    """Return the Arrow schema of a findings table: one row a finding."""
    import pyarrow as pa

    return pa.schema([(column.name, column.type()) for column in COLUMNS])


def conformed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with exactly the columns of a findings table; a column that is not there is null."""
    import pyarrow as pa

    schema = findings_schema()
    names = batch.schema.names
    if names == schema.names:
        return batch
    columns = [
        batch.column(field.name) if field.name in names else pa.nulls(batch.num_rows, field.type) for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def parquet_leaves(encoding: Encoding) -> list[str]:
    """Return what Parquet calls the columns with this encoding."""
    return [f"{one.name}.list.element" if one.is_list else one.name for one in COLUMNS if one.encoding is encoding]


def separator(name: str) -> str:
    """Return what parts the items of a list where a format has only text."""
    return _SEPARATORS.get(name, " ")
