"""weakcode compare: what is new, gone and changed between the findings of two runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text
from weakcode.cli.common.logs import log_option
from weakcode.cli.common.options import fail_on_option, format_option
from weakcode.cli.common.output import say, say_json
from weakcode.cli.common.status import Status

if TYPE_CHECKING:
    from weakcode.report.compare import Comparison, FindingsDifference

_MOST = 10
"""Rules, payers and so on that the text tells; JSON has all."""


@click.command("compare", short_help="Compare the findings of two runs.")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the findings that are new, gone or changed: .csv, .jsonl or .parquet.",
)
@fail_on_option("never", "The lowest severity of a new finding that gives exit status 1.")
@click.option(
    "--db",
    metavar="URI",
    help="The database of A and B if they are tables: postgresql://user@host/name, or adbc:DRIVER:ADDRESS.",
)
@log_option
@format_option
def command(a: str, b: str, output: str | None, fail_on: str, db: str | None, as_format: str) -> int:
    """Compare the findings of two runs: which are new in B, gone or changed.

    A and B are files that `weakcode scrub -o` wrote, folders of Parquet files, or tables: duckdb:FILE:TABLE,
    sqlite:FILE:TABLE, or TABLE of --db. With @RUN after a folder or a table, only the findings of that run count.
    Findings with the same id are the same; one is changed if its severity, edition or message differs.

    \b
    weakcode compare monday.parquet tuesday.parquet
    weakcode compare monday.parquet tuesday.parquet -o differences.csv
    weakcode compare before-the-update.parquet after.parquet --format json
    weakcode compare duckdb:findings.db:findings@monday duckdb:findings.db:findings@tuesday
    """
    from weakcode.cli.common.running import expanded, working
    from weakcode.findings import Severity
    from weakcode.report.compare import compare

    with working("comparing the findings of both runs"):
        found = compare(expanded([a]), expanded([b]), db=db, output=output)
    if as_format == "json":
        say_json(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(comparison_text(found))
    if fail_on == "never":
        return Status.FINE
    fails = any(
        number and Severity.parse(name) >= Severity.parse(fail_on) for name, number in found.new_by_severity.items()
    )
    return Status.FINDINGS if fails else Status.FINE


def comparison_text(found: Comparison) -> str:
    """Return a comparison for people."""
    total = found.total
    lines = [
        f"{', '.join(found.a.files)}: {text.counted(found.a.findings, 'finding')}",
        f"{', '.join(found.b.files)}: {text.counted(found.b.findings, 'finding')}",
        f"{total.new:,} new, {total.gone:,} gone, {total.changed:,} changed, {total.same:,} the same",
    ]
    if total.new:
        lines.append(f"New: {text.counts_of(found.new_by_severity)}")
    if total.changed:
        changes = (f"{number:,} in their {name}" for name, number in found.changed_in.items() if number)
        lines.append(f"Changed: {', '.join(changes)}")
    for name in ("versions", "editions", "packs"):
        before, after = getattr(found.a, name), getattr(found.b, name)
        if before != after:
            lines.append(f"Other {name}: {', '.join(before) or 'none'}; then {', '.join(after) or 'none'}")
    parts = [text.bullets("Compared", [*lines, *found.remarks])]
    for title, differences in (
        ("By rule", found.by_rule),
        ("By payer", found.by_payer),
        ("By provider", found.by_provider),
        ("By month", found.by_month),
    ):
        parts += _table(title, differences)
    return "\n".join(parts)


def _table(title: str, differences: Sequence[FindingsDifference]) -> list[str]:
    differing = [one for one in differences if one.new or one.gone or one.changed]
    if not differing or [one.name for one in differing] == [""]:
        return []
    rows = [
        f"{f'+{one.new:,}':>8} {f'-{one.gone:,}':>8} {f'~{one.changed:,}':>8}  {one.name or 'not said'}"
        for one in differing[:_MOST]
    ]
    if len(differing) > _MOST:
        rows.append(f"{len(differing) - _MOST:,} more; --format json has them")
    return [text.bullets(f"{title} (+ new, - gone, ~ changed)", rows)]
