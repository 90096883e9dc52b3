"""Spark: claims of a DataFrame to findings, by the same columns and rules as on one machine (extra `spark`).

`scrub` is for findings alone. `outcomes` gives everything that became of the claims, each row of one `kind`; written
once, `findings`, `rejects` and `summary` read their part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from weakcode.errors import EngineError, InputError, MissingExtraError
from weakcode.fields import BY_NAME

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType, StructType

    from weakcode.scrub.summary import Summary
    from weakcode.validator import Validator

__all__ = ["FINDING", "REJECTED", "TALLY", "findings", "outcomes", "rejects", "scrub", "stream", "summary"]

FINDING, REJECTED, TALLY = "finding", "rejected", "tally"
"""What a row of `outcomes` can be: a finding, a rejected row, or the counts of one partition."""

PLACES = {"file": "string", "line": "bigint", "place": "string"}
"""Columns that say where a claim is from, with their Spark types; findings and rejects repeat them.

`place` alone is the place of service, as everywhere; beside `file` and `line` it says where in the file.
"""
FROM = "weakcode_from_"
"""Stands before their names on the way to the executors, where `place` is a field of claims."""


def scrub(
    dataframe: DataFrame, validator: Validator | None = None, *, mapping: Mapping[str, str] | None = None
) -> DataFrame:
    """Return the findings on the claims of a DataFrame, with the columns of a findings table.

    The DataFrame has the columns of a code list: `codes` (an array of text or of structs with `code` and `text`, or one
    text), or `dx1`, `dx2`, …; and, where known, `claim_id`, `service_date`, `age`, `birth_date`, `sex`, `setting`,
    `payer` and `documented`. Columns `file`, `line` and `place` say where a claim is from, and findings repeat them.
    `validator` is by default one with all bundled packs; it goes to the executors with its rules, profile and editions,
    so that these need neither files nor a cache. Nothing is evaluated before the result is asked for. Rows that are no
    claims are not in it: where they matter, use `outcomes`. `mapping` says which columns hold what, by the names of
    --map.

    Raises InputError when no column holds codes, MissingExtraError without pyspark.
    """
    return findings(outcomes(dataframe, validator, mapping=mapping))


def outcomes(
    dataframe: DataFrame,
    validator: Validator | None = None,
    hash_key: bytes | None = None,
    *,
    mapping: Mapping[str, str] | None = None,
) -> DataFrame:
    """Return everything that became of the claims, in one pass: findings, rejected rows, and the counts.

    The columns are `kind` and those of a findings table. Of a row that was `rejected`, `message` is the reason and
    `rule` the part that is wrong; of a `tally`, one for each partition, `message` holds its counts as JSON. Write it
    once, say with `.write.partitionBy("kind")`, or persist it, before taking it apart: each action on it evaluates all
    claims anew. With `hash_key`, claim ids are hashed under it, and of a rejected row nothing else is written.
    `mapping` is that of `scrub`.
    """
    _needs_pyspark()
    from weakcode.spark.worker import outcomes_of, shipped

    rows, ignored = _claims(dataframe, mapping)
    judge = outcomes_of(shipped(dataframe.sparkSession, validator), ignored, hash_key, mapping)
    return rows.mapInArrow(judge, _outcome_schema())


def stream(dataframe: DataFrame, validator: Validator | None = None, hash_key: bytes | None = None) -> DataFrame:
    """Return what becomes of the claims of a stream (Structured Streaming), as `outcomes` does of a table's.

    Each micro-batch has its findings, rejected rows and counts; write them with `.writeStream`, or take them apart in
    `foreachBatch`. A finding that a batch gives again, after a failure, has the same `finding_id`. Raises InputError
    for a DataFrame that is no stream, and what `outcomes` raises.
    """
    if not dataframe.isStreaming:
        raise InputError("the DataFrame is no stream; weakcode.spark.scrub and outcomes take tables")
    return outcomes(dataframe, validator, hash_key)


def findings(outcomes: DataFrame) -> DataFrame:
    """Return the findings among `outcomes`, as `scrub` gives them."""
    from pyspark.sql import functions as f

    return outcomes.where(f.col("kind") == FINDING).select(*_finding_columns())


def rejects(outcomes: DataFrame) -> DataFrame:
    """Return the rejected rows among `outcomes`: `claim_id`, `reason`, `part`, `file`, `line`, `place`."""
    from pyspark.sql import functions as f

    return outcomes.where(f.col("kind") == REJECTED).select(
        "claim_id", f.col("message").alias("reason"), f.col("rule").alias("part"), *PLACES
    )


def summary(outcomes: DataFrame, seconds: float = 0.0) -> Summary:
    """Return the counts of all partitions of `outcomes` as one; this is an action.

    Raises EngineError when there are none, or they do not add up: `claims_in == evaluated + rejected`, always.
    """
    from pyspark.sql import functions as f

    from weakcode.spark.counts import from_text, together

    counts = outcomes.where(f.col("kind") == TALLY).select("message").collect()
    if not counts and not outcomes.isEmpty():
        raise EngineError("the outcomes hold no counts, so that it is not known whether claims were lost")
    return together([from_text(row["message"]) for row in counts], seconds)


def _needs_pyspark() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise MissingExtraError("Spark's DataFrames", extra="spark", needs="pyspark") from None


def _claims(dataframe: DataFrame, mapping: Mapping[str, str] | None) -> tuple[DataFrame, Sequence[str]]:
    """Return the columns that are read, in types that Arrow can hold on to, and the names of the others."""
    import pyarrow as pa
    from pyspark.sql import functions as f

    from weakcode.scrub.read.arrow.file import ArrowColumns
    from weakcode.scrub.read.options import ReadOptions

    twice = sorted({name for name in dataframe.columns if dataframe.columns.count(name) > 1})
    if twice:
        raise InputError(f"the DataFrame has the column {twice[0]} more than once; drop or rename one")
    empty = pa.schema([(name, pa.null()) for name in dataframe.columns]).empty_table()
    columns = ArrowColumns(empty, options=ReadOptions(mapping))
    columns.name = "the DataFrame"
    for _ in columns:
        pass
    places = [name for name in dataframe.columns if name in ("file", "line")]
    places += ["place"] if len(places) == 2 and "place" in dataframe.columns else []
    read = [name for name in dataframe.columns if name not in columns.ignored and name not in places]
    header = columns.header
    if header is None or not header.is_plain:
        raise InputError("a DataFrame has one row for each claim; make one of the rows of a claim first")
    dates = {dataframe.columns[at] for name, at in header.about if BY_NAME[name].arrow == "date32"}
    types = {field.name: field.dataType for field in dataframe.schema.fields}
    rows = dataframe.select(
        *(_readable(f.col(f"`{name}`"), types[name], name in dates).alias(name) for name in read),
        *(f.expr(f"try_cast(`{name}` AS {PLACES[name]})").alias(FROM + name) for name in places),
    )
    return rows, [name for name in columns.ignored if name not in places]


def _readable(column: Column, kind: DataType, is_date: bool) -> Column:
    """Return a column in a type that means the same in Arrow."""
    from pyspark.sql import types as t

    if is_date and isinstance(kind, t.TimestampType | t.TimestampNTZType):
        # The day in the time zone of the session, which the executors' clocks know nothing of.
        return column.cast("date")
    return column


def _outcome_schema() -> StructType:
    from pyspark.sql.pandas.types import from_arrow_schema

    from weakcode.spark.worker import outcome_schema

    return from_arrow_schema(outcome_schema())


def _finding_columns() -> list[str]:
    from weakcode.scrub.schema import findings_schema

    return list(findings_schema().names)
