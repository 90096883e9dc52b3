"""weakcode evaluate: how often the findings on claims are right, by a file of verdicts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import Choice, choosing, formats_option
from weakcode.cli.common.output import say, say_json

if TYPE_CHECKING:
    from weakcode.report.evaluate import Evaluation, RuleMeasure

_MOST_SHOWN = 20
_HEAD = ("rule", "right", "wrong", "precision", "95% interval", "missed", "no verdict")


@click.command("evaluate", short_help="Measure findings against a file of verdicts.")
@click.argument("claims", metavar="CLAIMS")
@click.option(
    "--truth",
    required=True,
    metavar="FILE",
    help="Verdicts, as CSV or JSON Lines: claim_id, rule, codes (rule, codes or both) and verdict, right or wrong.",
)
@formats_option("json", "markdown", about="Text for people, one JSON object, or a table for documentation.")
@choosing
def command(claims: str, truth: str, as_format: str, **options: Any) -> int:
    """Measure findings against coders' verdicts: precision by rule, and missed findings.

    A verdict right without a finding is a miss; wrong without a finding is correct silence.

    \b
    weakcode evaluate claims.csv --truth verdicts.csv
    weakcode evaluate claims.csv --truth verdicts.csv --format markdown > correctness.md
    """
    from weakcode.cli.common.running import working
    from weakcode.report.evaluate import evaluate, read_truth
    from weakcode.scrub.read.files import read_claims

    validator = Choice.from_options(options).validator()
    truths = read_truth(truth, [rule.id for rule in validator.rules])
    with working("judging the claims"):
        measured = evaluate(read_claims(claims), truths, validator)
    if as_format == "json":
        say_json(json.dumps(measured.to_dict(), indent=2, ensure_ascii=False))
    elif as_format == "markdown":
        say("\n".join(_table(measured)))
    else:
        say(_as_text(measured))
    return 0


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _cells(one: RuleMeasure, name: str) -> tuple[str, ...]:
    interval = "-" if one.interval is None else f"{_percent(one.interval[0])} to {_percent(one.interval[1])}"
    counts = (f"{one.right:,}", f"{one.wrong:,}", _percent(one.precision), interval, f"{one.missed:,}", f"{one.open:,}")
    return (name, *counts)


def _rows(measured: Evaluation, code: str = "") -> list[tuple[str, ...]]:
    rows = [_cells(one, f"{code}{one.rule}{code}" if one.rule else "no rule named") for one in measured.rules]
    return [*rows, _cells(measured.total, "all")]


def _table(measured: Evaluation) -> list[str]:
    lines = [_HEAD, ("---", *["---:"] * (len(_HEAD) - 1)), *_rows(measured, "`")]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _as_text(measured: Evaluation) -> str:
    rows = [_HEAD, *_rows(measured)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows]
    parts = [text.bullets(f"{text.counted(measured.claims, 'claim')}, by rule", lines)]
    alarms = [f"{claim}: {one.rule} on {' '.join(one.codes) or 'the claim'}" for claim, one in measured.alarms]
    misses = [f"{one.claim_id}: {one}" for one in measured.misses]
    for title, found in (("False alarms", alarms), ("Missed", misses)):
        if found:
            more = [f"and {len(found) - _MOST_SHOWN:,} more"] if len(found) > _MOST_SHOWN else []
            parts.append(text.bullets(title, [*found[:_MOST_SHOWN], *more]))
    if measured.silent:
        parts.append(f"Rightly silent on {text.counted(measured.silent, 'verdict')} of wrong.")
    return "\n".join(parts)
