"""The columns of a findings table, each declared once: what is written, in Arrow and in text, and how it is stored."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.findings import DenialRisk, Finding, Verdict
    from weakcode.scrub.read.rows import Record


class Encoding(enum.Enum):
    """How the values of a column follow each other, which tells how Parquet keeps them."""

    PLAIN = enum.auto()
    REPEATS = enum.auto()
    """A few values again and again: a dictionary."""
    RISES = enum.auto()
    """Whole numbers near to the one before: their differences."""
    PLACES = enum.auto()
    """Texts that begin alike and hardly repeat: a dictionary in batches, none in Parquet."""
    HASHES = enum.auto()
    """Texts of which none is like another: their lengths apart."""


@attrs.frozen
class ClaimFinding:
    """A finding with the claim's record and verdict, for a row of the table."""

    record: Record
    verdict: Verdict
    finding: Finding

    @property
    def risk(self) -> DenialRisk | None:
        """How likely the finding is denied, where a profile says so."""
        return self.finding.denial_risk


@attrs.frozen
class TableColumn:
    """A column. `about` says what it holds, `of` returns it for one finding.

    `kind` is the name of an Arrow type, of the items where it `is_list`. `separator` parts the items where a format has
    only text. `is_personal` says that it tells something about a person beside the id of the claim; where ids are
    hashed, it is empty.
    """

    name: str
    about: str
    of: Callable[[ClaimFinding], Any]
    kind: str = "string"
    is_list: bool = False
    encoding: Encoding = Encoding.REPEATS
    separator: str = " "
    is_personal: bool = False

    def type(self) -> pa.DataType:
        """Return the Arrow type."""
        import pyarrow as pa

        item = pa.type_for_alias(self.kind)
        return pa.list_(item) if self.is_list else item


COLUMNS = (
    TableColumn("claim_id", "the claim, as given", lambda one: one.record.claim.id, encoding=Encoding.PLAIN),
    TableColumn(
        "finding_id", "the finding, the same in every run", lambda one: one.finding.id, encoding=Encoding.HASHES
    ),
    TableColumn("rule", "pack and id of the rule", lambda one: one.finding.rule),
    TableColumn("severity", "error, warning or info", lambda one: one.finding.severity),
    TableColumn("confidence", "how sure the rule is: certain, likely or record", lambda one: one.finding.confidence),
    TableColumn("message", "the finding in a sentence", lambda one: one.finding.message),
    TableColumn("codes", "its codes", lambda one: one.finding.codes, is_list=True),
    TableColumn(
        "positions",
        "their positions on the claim, from 1",
        lambda one: one.finding.positions,
        "int32",
        is_list=True,
        encoding=Encoding.RISES,
    ),
    TableColumn(
        "fix",
        "the fix, in a sentence",
        lambda one: one.finding.fix and (one.finding.fix.description or None),
    ),
    TableColumn("payer", "the payer, as named on the claim", lambda one: one.record.claim.payer),
    TableColumn(
        "service_date",
        "the service date; empty with hashed ids",
        lambda one: one.record.claim.service_date,
        "date32",
        is_personal=True,
    ),
    TableColumn("edition", "the code set by which the claim was judged", lambda one: one.verdict.edition),
    TableColumn("denial_risk", "the denial risk, from the profile", lambda one: one.risk and one.risk.level),
    TableColumn("denial_risk_source", "the source of that", lambda one: one.risk and str(one.risk.source)),
    TableColumn("title", "the title of the rule", lambda one: one.finding.title or None),
    TableColumn("provider", "the billing provider, as named on the claim", lambda one: one.record.claim.provider),
    TableColumn(
        "sources",
        "the publications cited",
        lambda one: list(map(str, one.finding.sources)),
        is_list=True,
        # A source is a phrase with blanks of its own.
        separator="; ",
    ),
    TableColumn("file", "the file of the claim", lambda one: one.record.file),
    TableColumn(
        "line",
        "line or row in it",
        lambda one: one.record.line_of(one.finding.positions),
        "int64",
        encoding=Encoding.RISES,
    ),
    TableColumn(
        "place",
        "segment or path in it",
        lambda one: one.record.place_of(one.finding.positions),
        encoding=Encoding.PLACES,
    ),
    TableColumn("waived_by", "who waives the finding", lambda one: one.finding.waiver and one.finding.waiver.who),
    TableColumn("waiver", "why", lambda one: one.finding.waiver and one.finding.waiver.reason),
)
"""In the order in which they are written; a new one comes last. Batches fill them in `judge/findings.py`."""
LATER = ("denial_risk", "denial_risk_source", "file", "line", "place", "waived_by", "waiver")
"""Those that a batch of findings is given after it was made, or that only claims by themselves have."""
NAMES = tuple(column.name for column in COLUMNS)
PERSONAL = tuple(column.name for column in COLUMNS if column.is_personal)
"""Columns that are empty where claim ids are hashed."""
_SEPARATORS = {"packs": "; ", **{column.name: column.separator for column in COLUMNS}}


def findings_schema() -> pa.Schema:
    """Return the Arrow schema of a findings table: one row a finding."""
    import pyarrow as pa

    return pa.schema([(column.name, column.type()) for column in COLUMNS])


def row_of_table(found: ClaimFinding) -> dict[str, Any]:
    """Return a finding as a row of the table."""
    return {column.name: column.of(found) for column in COLUMNS}


def batch_schema() -> pa.Schema:
    """Return the Arrow schema of batches of findings: that of the table, with dictionaries where texts repeat."""
    import pyarrow as pa

    def packed(column: TableColumn) -> pa.DataType:
        if column.kind != "string" or column.encoding not in (Encoding.REPEATS, Encoding.PLACES):
            return column.type()
        words = pa.dictionary(pa.int32(), pa.string())
        return pa.list_(words) if column.is_list else words

    return pa.schema([(column.name, packed(column)) for column in COLUMNS])


def conformed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with exactly the columns of `batch_schema`; a column that is not there is null."""
    import pyarrow as pa

    schema = batch_schema()
    if batch.schema == schema:
        return batch
    names = batch.schema.names
    columns = [
        _packed(batch.column(field.name), field.type) if field.name in names else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _packed(column: pa.Array, kind: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if column.type == kind:
        return column
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(column.offsets, _packed(column.values, kind.value_type), type=kind)
    return column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)


def parquet_leaves(encoding: Encoding) -> list[str]:
    """Return what Parquet calls the columns with this encoding."""
    return [f"{one.name}.list.element" if one.is_list else one.name for one in COLUMNS if one.encoding is encoding]


def separator(name: str) -> str:
    """Return what parts the items of a list where a format has only text."""
    return _SEPARATORS.get(name, " ")
