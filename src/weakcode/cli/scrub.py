"""weakcode scrub: every claim of some files."""

from __future__ import annotations

import glob
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from weakcode.cli import text
from weakcode.cli.options import Choice, choosing, findings_format_option
from weakcode.cli.outcome import operation_outcome
from weakcode.errors import InputError

if TYPE_CHECKING:
    from weakcode.batch.scrub import Judged
    from weakcode.batch.summary import Summary


@click.command("scrub", short_help="Check every claim of some files.")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the findings: .parquet, .csv or .jsonl. Without it they are printed.",
)
@click.option("--rejects", metavar="FILE", help="Write the rows that are no claims: .csv or .jsonl.")
@click.option("--summary", metavar="FILE", help="Write the summary: .json.")
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar="NAME=COLUMN,...",
    help="Which columns of a table hold what, as in id=CLM_ID,codes=ICD_DGNS_CD*,date=CLM_FROM_DT.",
)
@click.option("--sql", metavar="QUERY", help="Check the rows of a SELECT over files, or over --db.")
@click.option("--db", metavar="URI", help="A PostgreSQL database for --sql: postgresql://user@host/name (extra sql).")
@click.option("--into", metavar="TABLE", help="Add the findings to a table of --db, in one transaction.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="Threads for Parquet, Arrow and IPC files.",
)
@findings_format_option
@choosing
def command(
    inputs: tuple[str, ...],
    output: str | None,
    rejects: str | None,
    summary: str | None,
    mapping: tuple[str, ...],
    sql: str | None,
    db: str | None,
    into: str | None,
    jobs: int,
    as_format: str,
    **options: Any,
) -> int:
    """Check every claim of files: CSV and other tables, JSON Lines, Parquet, Arrow, X12 837, FHIR.

    A CSV file has a header with claim_id and codes (parted by blanks or ;), or dx1, dx2, …; and, if known,
    service_date, age, birth_date, sex, setting, payer and documented. JSON Lines has one object a line with
    the same names. Rows that are no claims are set aside, and the rest goes on.

    \b
    weakcode scrub claims.csv
    weakcode scrub claims.csv -o findings.parquet --rejects rejects.csv
    weakcode scrub --sql "SELECT id AS claim_id, codes FROM 'claims/*.parquet'"
    weakcode scrub --db postgresql://localhost/billing --sql "SELECT * FROM claims" --into findings
    """
    from weakcode.batch.layouts import parse_mapping
    from weakcode.batch.scrub import scrub

    if (db is not None and sql is None) or (into is not None and db is None):
        raise InputError("--db needs --sql QUERY to read by, and --into TABLE needs --db")
    if not inputs and sql is None:
        raise InputError("there is no input; give files of claims, or --sql QUERY")
    choice = Choice.from_options(options)
    validator = choice.validator()
    if choice.engine is None:
        validator = validator.in_bulk()
    query, sink, columns = None, None, parse_mapping(mapping)
    if sql is not None:
        from weakcode.batch.sql import QuerySource, TableSink

        query = QuerySource(sql, db, columns)
        sink = TableSink(db, into) if db is not None and into is not None else None
    kept = output is not None or sink is not None
    printer = None if kept else _PRINTERS[as_format]
    with _terminable(), _progress(inputs, shown=kept) as progress:
        result = scrub(
            expanded(inputs),
            validator,
            output=output,
            rejects=rejects,
            summary=summary,
            on_judged=printer,
            progress=progress,
            mapping=columns,
            columns=validator.columns() if kept and validator.engine == "columnar" else None,
            judged_by=(validator.engine, validator.packs),
            jobs=jobs,
            query=query,
            sink=sink,
        )
    if as_format == "json" and kept:
        click.echo(result.to_json())
    else:
        # Printed findings in JSON are for a program; what is for people must not stand between them.
        click.echo(_summary_text(result, rejects), err=as_format != "text")
    if result.rejected and not result.evaluated:
        click.echo("weakcode: no row could be read as a claim", err=True)
        return 2
    return 1 if choice.fails([name for name, number in result.by_severity.items() if number]) else 0


def expanded(inputs: Sequence[str]) -> list[str]:
    """Return the inputs with patterns such as `claims-*.parquet` replaced by the files they match, in order."""
    paths: list[str] = []
    for given in inputs:
        found = sorted(glob.glob(given, recursive=True)) if glob.has_magic(given) and not os.path.exists(given) else []  # noqa: PTH110, PTH207
        paths += found or [given]
    return paths


def _print_text(judged: Judged) -> None:
    if not judged.verdict.findings:
        return
    record = judged.record
    named = f"Claim {record.claim.id}" if record.claim.id else "A claim without id"
    codes = " ".join(record.claim.codes)
    # `file:line:column` is what editors and terminals know how to jump to.
    where = record.spot_of()
    click.echo(f"{click.style(named, bold=True, underline=True)}  {codes}  {where}{_in(record.place)}")
    for finding in judged.verdict.findings:
        click.echo(text.finding_text(finding))
        at, place = record.spot_of(finding.positions), record.place_of(finding.positions)
        if at != where or place != record.place:
            click.echo(click.style(text.wrapped(f"{at}{_in(place)}", label="where:  "), dim=True))
    click.echo()


def _print_json(judged: Judged) -> None:
    record = judged.record
    for finding in judged.verdict.findings:
        values = {
            "claim_id": record.claim.id,
            **finding.to_dict(),
            "edition": judged.verdict.edition,
            "file": record.file,
            "line": record.line_of(finding.positions),
            "place": record.place_of(finding.positions),
        }
        click.echo(json.dumps(values, ensure_ascii=False))


def _print_fhir(judged: Judged) -> None:
    record = judged.record
    in_fhir = bool(record.places) and ".diagnosis[" in record.places[0]

    def expression(position: int) -> str:
        return record.place_of((position,) if position else ())

    about = [f"claim {record.claim.id}"] if record.claim.id else []
    about.append(f"{record.file}:{record.line}{'' if in_fhir else _in(record.place)}")
    if judged.verdict.findings:
        click.echo(operation_outcome(judged.verdict.findings, expression if in_fhir else None, about))


def _in(place: str) -> str:
    return f" {place}" if place else ""


_PRINTERS: dict[str, Callable[[Judged], None]] = {"text": _print_text, "json": _print_json, "fhir": _print_fhir}


def _summary_text(summary: Summary, rejects: str | None) -> str:
    claims = (
        f"{text.counted(summary.claims_in, 'claim')} in = {summary.evaluated:,} evaluated + "
        f"{summary.rejected:,} rejected; {summary.clean:,} clean; {summary.seconds:.1f} s"
    )
    waived = f"; {summary.waived:,} waived" if summary.waived else ""
    findings = f"Findings: {text.tally_text(summary.by_severity)}{waived}"
    parts = [text.bullets("Summary", [claims, findings])]
    if summary.by_rule:
        width = max(len(f"{number:,}") for number in summary.by_rule.values())
        parts.append(
            text.bullets("By rule", [f"{number:>{width},}  {rule}" for rule, number in summary.by_rule.items()])
        )
    notes = _notes(summary, rejects)
    if notes:
        parts.append(text.bullets("Note", notes))
    if summary.evaluated:
        parts.append(text.judged_by(", ".join(summary.editions), summary.engine, summary.packs))
    return "\n".join(parts)


def _notes(summary: Summary, rejects: str | None) -> list[str]:
    notes = []
    if summary.rejected:
        where = "; ".join(f"{place} ({part})" for place, part in summary.first_rejected)
        more = summary.rejected - len(summary.first_rejected)
        where += f"; and {more:,} more" if more else ""
        why = f"{rejects} says why" if rejects else "--rejects FILE says why"
        notes.append(f"{text.counted(summary.rejected, 'row')} rejected, {why}: {where}")
    for file, remarks in summary.remarks.items():
        notes.append(f"{file}: {remarks[0]}" + (f"; and {len(remarks) - 1} more such" if len(remarks) > 1 else ""))
    for file, columns in summary.ignored_columns.items():
        notes.append(f"{file}: not read, because not known: {', '.join(columns)}")
    for edition, number in summary.outside_editions.items():
        claims = text.counted(number, "claim")
        notes.append(f"{claims} dated when no installed edition was in force, judged by {edition}")
    return notes


@contextmanager
def _progress(inputs: tuple[str, ...], *, shown: bool) -> Iterator[Callable[[int], None] | None]:
    """Show a progress bar on a terminal, unless the findings are printed there."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    total = sum(os.path.getsize(path) for path in inputs if os.path.isfile(path))  # noqa: PTH113, PTH202
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Scrubbing", total=total or None)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def _terminable() -> Iterator[None]:
    """Make a polite kill end the command as Ctrl-C does, so that no half-written file stays."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where signals cannot be handled
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
