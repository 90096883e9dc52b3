"""Findings of two runs compared in DuckDB: what is new, gone and changed.

Findings are the same where they have the same id. Of files that were written before findings had ids, those of the
same claim, rule, codes and positions are. Memory is bounded: what does not fit goes to a temporary folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import attrs

from weakcode.base import objects
from weakcode.report.data import database, input_errors
from weakcode.report.runs import check_db
from weakcode.report.source import files_of, open_findings
from weakcode.report.tables import findings_files
from weakcode.scrub.schema import findings_schema
from weakcode.scrub.write.csvout.rows import CsvRows
from weakcode.scrub.write.files import Outputs, checked_output, writing
from weakcode.scrub.write.findings import cell_text, json_line

if TYPE_CHECKING:
    import pyarrow as pa

_MOST = 1_000
"""Payers, providers and so on that a comparison tells, those with the most differences first."""
_OLD_KEY = "concat_ws(chr(31), coalesce(claim_id, ''), rule, codes::VARCHAR, positions::VARCHAR)"
_SIDE = """
    SELECT {key} AS key, {side} AS side, rule, title, severity, edition,
        hash(message) AS words, payer, provider, strftime(service_date, '%Y-%m') AS month
    FROM {schema}.findings
"""
_TOGETHER = """
    CREATE TABLE compared AS
    SELECT *, least(before, after) - changed AS same, greatest(after - before, 0) AS new,
        greatest(before - after, 0) AS gone
    FROM (
        SELECT *, CASE WHEN other_severity OR other_edition OR other_words THEN least(before, after) ELSE 0 END
            AS changed
        FROM (
            SELECT key, count(*) FILTER (side = 0) AS before, count(*) FILTER (side = 1) AS after,
                arg_max(rule, side) AS rule, arg_max(title, side) AS title, arg_max(severity, side) AS severity,
                arg_max(payer, side) AS payer, arg_max(provider, side) AS provider, arg_max(month, side) AS month,
                coalesce(min(severity) FILTER (side = 0) <> min(severity) FILTER (side = 1), false) AS other_severity,
                coalesce(min(edition) FILTER (side = 0) <> min(edition) FILTER (side = 1), false) AS other_edition,
                coalesce(min(words) FILTER (side = 0) <> min(words) FILTER (side = 1), false) AS other_words
            FROM ({sides}) GROUP BY key
        )
    )
"""
_OTHER_IDS = (
    "No claim has findings on both sides. Claim ids that were hashed on one side only, or with two keys, are other ids."
)
_DIFFERENCES_EXTENSIONS = (".csv", ".jsonl", ".ndjson", ".parquet")
_ROWS = 16_384
_DIFFERING = """
    CREATE TABLE differing AS
    WITH numbered AS (
        SELECT c.*, s.side, s.row, row_number() OVER (PARTITION BY s.side, c.key ORDER BY s.row) AS nth
        FROM ({sides}) AS s JOIN compared AS c ON s.key = c.key WHERE c.new > 0 OR c.gone > 0 OR c.changed > 0
    )
    SELECT 1 AS side, row, NULL::BIGINT AS row_before, 'new' AS change FROM numbered WHERE side = 1 AND nth > before
    UNION ALL SELECT 0, row, NULL, 'gone' FROM numbered WHERE side = 0 AND nth > after
    UNION ALL SELECT 1, b.row, a.row, 'changed' FROM numbered AS a JOIN numbered AS b
        ON a.key = b.key AND a.nth = b.nth AND a.side = 0 AND b.side = 1 WHERE b.changed > 0
"""
_ON_SIDE = """
    SELECT d.change, {columns}, {befores} FROM {schema}.findings AS f JOIN (FROM differing WHERE side = {side}) AS d
        ON f.row = d.row LEFT JOIN a.findings AS p ON d.row_before = p.row
"""
_BEFORE = ("severity", "edition", "message")
"""Columns in which a finding can change, each told as it was before as well."""
_SUMS = "sum(new)::BIGINT, sum(gone)::BIGINT, sum(changed)::BIGINT, sum(same)::BIGINT"


@attrs.frozen
class ComparedFindings:
    """One of the two sides: its files, its findings without the waived ones, and what judged."""

    files: tuple[str, ...]
    findings: int
    versions: tuple[str, ...]
    editions: tuple[str, ...]
    packs: tuple[str, ...]


@attrs.frozen
class FindingsDifference:
    """What is new, gone, changed and the same, of one `name` or in all."""

    new: int
    gone: int
    changed: int
    same: int
    name: str = ""
    title: str | None = None


@attrs.frozen
class Comparison:
    """The findings of `b` against those of `a`.

    `changed` findings have the same id and another severity, edition or message; `changed_in` counts each of the
    three. `new_by_severity` counts new findings. The lists begin with what differs most, and name what has no payer,
    provider or month with the empty text. `remarks` are sentences.
    """

    form: ClassVar[str] = "comparison"

    a: ComparedFindings
    b: ComparedFindings
    total: FindingsDifference
    changed_in: dict[str, int]
    new_by_severity: dict[str, int]
    by_rule: tuple[FindingsDifference, ...]
    by_payer: tuple[FindingsDifference, ...]
    by_provider: tuple[FindingsDifference, ...]
    by_month: tuple[FindingsDifference, ...]
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON."""
        values = objects.to_dict(self)
        total = values.pop("total")
        return {**values, **{name: total[name] for name in ("new", "gone", "changed", "same")}}


def compare(a: Sequence[str], b: Sequence[str], *, db: str | None = None, output: str | None = None) -> Comparison:
    """Compare the findings of two runs: files, folders of them, tables, or runs of either (`report.tables`).

    `db` is the database of tables that name none. `output` is a file for the findings that are new, gone or changed:
    CSV, JSON Lines or Parquet. Raises InputError for what holds no findings, and for an output that cannot be.
    """
    check_db((*a, *b), db)
    target = None if output is None else checked_output(output, _DIFFERENCES_EXTENSIONS, (*a, *b))
    with ExitStack() as opened:
        findings = [opened.enter_context(findings_files(one, db)) for one in (a, b)]
        sides = [files_of(one.paths) for one in findings]
        opened.enter_context(input_errors([*sides[0], *sides[1]]))
        connection = opened.enter_context(database())
        runs = []
        for schema, files in zip(("a", "b"), sides, strict=True):
            connection.execute(f"CREATE SCHEMA {schema}")
            connection.execute(f"USE {schema}")
            runs.append(open_findings(connection, files))
        connection.execute("USE main")
        old = any(_row(connection, f"SELECT count(*) - count(finding_id) FROM {one}.findings")[0] for one in "ab")  # noqa: S608
        key = _OLD_KEY if old else "finding_id"
        both = " UNION ALL ".join(_SIDE.format(key=key, side=n, schema=name) for n, name in enumerate(("a", "b")))
        connection.execute(_TOGETHER.format(sides=both))
        before, after = (
            ComparedFindings(
                side.names,
                _row(connection, f"SELECT count(*) FROM {schema}.findings")[0],  # noqa: S608
                run.versions,
                run.editions,
                run.packs,
            )
            for side, schema, run in zip(findings, ("a", "b"), runs, strict=True)
        )
        if target is not None:
            outputs = opened.enter_context(Outputs())
            _write(connection, key, target, outputs.open(target))
            outputs.commit()
        total = _difference(_row(connection, f"SELECT {_SUMS} FROM compared"))  # noqa: S608
        rule, payer, provider, month = (_by(connection, one) for one in ("rule", "payer", "provider", "month"))
        return Comparison(
            before,
            after,
            total,
            _named(connection, ("severity", "edition", "words"), "sum(changed) FILTER (other_{0})"),
            _named(connection, ("error", "warning", "info"), "sum(new) FILTER (severity = '{0}')"),
            rule,
            payer,
            provider,
            month,
            _remarks(connection, before, after, total),
        )


def _remarks(
    connection: Any, before: ComparedFindings, after: ComparedFindings, total: FindingsDifference
) -> tuple[str, ...]:
    """Return what may be the reason that nothing is the same."""
    if total.same or total.changed or not before.findings or not after.findings:
        return ()
    both = "(SELECT claim_id FROM a.findings INTERSECT SELECT claim_id FROM b.findings)"
    (common,) = _row(connection, f"SELECT count(claim_id) FROM {both}")  # noqa: S608
    return () if common else (_OTHER_IDS,)


def _write(connection: Any, key: str, target: Path, file: BinaryIO) -> None:
    """Write the findings that are not the same on both sides."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    of_findings = [field for field in findings_schema() if field.name not in ("waived_by", "waiver")]
    texts = [pa.field(f"{name}_before", pa.string()) for name in _BEFORE]
    schema = pa.schema([pa.field("change", pa.string()), *of_findings, *texts])
    sides = (f"SELECT {n} AS side, row, {key} AS key FROM {name}.findings" for n, name in enumerate(("a", "b")))  # noqa: S608
    connection.execute(_DIFFERING.format(sides=" UNION ALL ".join(sides)))
    rows = (
        [dict(zip(schema.names, values, strict=True)) for values in part] for part in _differing(connection, schema)
    )
    with writing(target):
        if target.suffix.lower() == ".parquet":
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for part in rows:
                    writer.write_batch(pa.RecordBatch.from_pylist(part, schema))
        elif target.suffix.lower() == ".csv":
            lines = CsvRows(target, file, schema.names)
            for part in rows:
                lines.put([cell_text(name, value) for name, value in row.items()] for row in part)
            lines.finish({})
        else:
            file.writelines(json_line(row) for part in rows for row in part)


def _differing(connection: Any, schema: pa.Schema) -> Iterator[list[tuple[Any, ...]]]:
    """Give the findings that differ: those of the second side, then those that are gone."""
    columns = [f"f.{name}" for name in schema.names if name != "change" and not name.endswith("_before")]
    befores = [f"p.{name} AS {name}_before" for name in _BEFORE]
    for side, name in ((1, "b"), (0, "a")):
        query = _ON_SIDE.format(columns=", ".join(columns), befores=", ".join(befores), schema=name, side=side)
        found = connection.execute(query)
        while part := found.fetchmany(_ROWS):
            yield part


def _difference(numbers: Sequence[int], name: str = "", title: str | None = None) -> FindingsDifference:
    new, gone, changed, same = map(int, numbers)
    return FindingsDifference(new, gone, changed, same, name, title)


def _row(connection: Any, query: str) -> list[int]:
    return [int(number or 0) for number in connection.execute(query).fetchone()]


def _named(connection: Any, names: tuple[str, ...], number: str) -> dict[str, int]:
    counts = _row(connection, f"SELECT {', '.join(map(number.format, names))} FROM compared")  # noqa: S608
    field_of = {"words": "message"}
    return {field_of.get(name, name): count for name, count in zip(names, counts, strict=True)}


def _by(connection: Any, column: str) -> tuple[FindingsDifference, ...]:
    title = "any_value(title)" if column == "rule" else "NULL"
    rows = connection.execute(
        f"SELECT {_SUMS}, coalesce({column}, '') AS name, {title} FROM compared GROUP BY name "  # noqa: S608
        f"ORDER BY sum(new + gone + changed) DESC, name LIMIT {_MOST}"
    ).fetchall()
    return tuple(_difference(row[:4], *row[4:]) for row in rows)
