"""Findings of two runs compared in DuckDB: what is new, gone and changed.

Findings are the same where they have the same id. Of files that were written before findings had ids, those of the
same claim, rule, codes and positions are. Memory is bounded: what does not fit goes to a temporary folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import attrs

from weakcode.base import objects
from weakcode.report.data import database, input_errors
from weakcode.report.source import files_of, open_findings
from weakcode.report.tables import findings_files

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
    provider or month with the empty text.
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

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON."""
        values = objects.to_dict(self)
        total = values.pop("total")
        return {**values, **{name: total[name] for name in ("new", "gone", "changed", "same")}}


def compare(a: Sequence[str], b: Sequence[str], *, db: str | None = None) -> Comparison:
    """Compare the findings of two runs: files, folders of them, tables, or runs of either (`report.tables`).

    `db` is the database of tables that name none. Raises InputError for what holds no findings.
    """
    with ExitStack() as opened:
        given = [opened.enter_context(findings_files(one, db)) for one in (a, b)]
        sides = [files_of(one.paths) for one in given]
        connection = opened.enter_context(database())
        opened.enter_context(input_errors([*sides[0], *sides[1]]))
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
            for side, schema, run in zip(given, ("a", "b"), runs, strict=True)
        )
        by = [_by(connection, column) for column in ("rule", "payer", "provider", "month")]
        return Comparison(
            before,
            after,
            _difference(_row(connection, f"SELECT {_SUMS} FROM compared")),  # noqa: S608
            _named(connection, ("severity", "edition", "words"), "sum(changed) FILTER (other_{0})"),
            _named(connection, ("error", "warning", "info"), "sum(new) FILTER (severity = '{0}')"),
            *by,
        )


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
