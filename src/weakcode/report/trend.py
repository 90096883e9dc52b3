"""How several runs follow each other: their counts, and what is new and gone in the latest."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from weakcode.report.compare import compare
from weakcode.report.data import database, input_errors
from weakcode.report.model import ReportData, RunCount, Severities, Trend
from weakcode.report.runs import GivenRun
from weakcode.report.source import open_findings

_NAMES = [field.name for field in attrs.fields(Severities)]
_RULES = 12
_RUNS = 8


def trend_of(runs: Sequence[GivenRun], shown: GivenRun, data: ReportData) -> Trend | None:
    """Return how the runs follow each other, None for a single one; `data` are the counts of the one that is `shown`.

    Raises InputError for files that are no findings.
    """
    if len(runs) == 1:
        return None
    counts = tuple(_shown(run, data) if run is shown and run.summary is None else _counted(run) for run in runs)
    names = [count.name for count in counts]
    # Runs of one folder or table are told apart as they are asked for.
    counts = tuple(
        attrs.evolve(count, name=f"{count.name}@{run.id}") if run.id and names.count(count.name) > 1 else count
        for count, run in zip(counts, runs, strict=True)
    )
    before = [run for run in runs[: runs.index(shown)] if run.files]
    if not before:
        return Trend(counts)
    total = compare(*([str(path) for path in run.files] for run in (before[-1], shown))).total
    # Where ids were hashed under another key, all findings would be new.
    return Trend(counts, total.new, total.gone) if total.same or total.changed else Trend(counts)


def rule_trend(trend: Trend) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the rules with the most findings in the last runs, with their findings in each of these."""
    runs = last_runs(trend)
    sums: dict[str, int] = {}
    for run in runs:
        for rule, number in run.by_rule.items():
            sums[rule] = sums.get(rule, 0) + number
    most = sorted(sums, key=lambda rule: (-sums[rule], rule))[:_RULES]
    return tuple((rule, tuple(run.by_rule.get(rule, 0) for run in runs)) for rule in most)


def last_runs(trend: Trend) -> tuple[RunCount, ...]:
    """Return the runs that a table has room for."""
    return trend.runs[-_RUNS:]


def _shown(run: GivenRun, data: ReportData) -> RunCount:
    by_rule = {one.rule: one.by_severity.total for one in data.rules}
    return RunCount(_name(run), run.started, data.by_severity, data.claims, data.clean, data.run.rejected, by_rule)


def _counted(run: GivenRun) -> RunCount:
    if run.summary is not None:
        values = run.summary
        return RunCount(
            _name(run),
            run.started,
            Severities(**{name: int(values["by_severity"].get(name, 0)) for name in _NAMES}),
            int(values["evaluated"]),
            int(values["clean"]),
            int(values["rejected"]),
            {str(rule): int(number) for rule, number in values["by_rule"].items()},
        )
    with database() as connection, input_errors(run.files):
        metadata = open_findings(connection, run.files)
        by_severity, by_rule = (
            dict(connection.execute(f"SELECT {column}, count(*) FROM findings GROUP BY 1").fetchall())  # noqa: S608
            for column in ("severity", "rule")
        )
    severities = Severities(**{name: by_severity.get(name, 0) for name in _NAMES})
    return RunCount(_name(run), run.started, severities, metadata.evaluated, metadata.clean, metadata.rejected, by_rule)


def _name(run: GivenRun) -> str:
    return run.names[0] if len(run.names) == 1 else f"{len(run.names):,} files"
