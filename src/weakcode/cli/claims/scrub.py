"""weakcode scrub: every claim of some files."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli.claims.ending import Reporting, ended, run_options
from weakcode.cli.claims.into import Into, into_options
from weakcode.cli.claims.scrubtext import printer_for
from weakcode.cli.common.options import Choice, choosing, findings_format_option, hash_ids_option
from weakcode.cli.common.reading import keep_columns, read_options, reading_options
from weakcode.cli.common.running import few_pools, shown_progress, terminable, without_pandas
from weakcode.errors import InputError
from weakcode.scrub.formats import TITLES

if TYPE_CHECKING:
    from weakcode.scrub.groups import DrgTally
    from weakcode.scrub.summary import JudgedBy
    from weakcode.validator import Validator


@click.command("scrub", short_help="Check every claim of some files.")
@click.argument("inputs", nargs=-1, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="Write the findings: .parquet, .arrow, .arrows, .csv or .jsonl. Without it or --fix they are printed.",
)
@click.option("--rejects", metavar="FILE", help="Write the rejected rows: .csv, .jsonl or .parquet.")
@click.option("--summary", metavar="FILE", help="Write the summary: .json.")
@click.option(
    "--fix",
    "fixed",
    metavar="FILE",
    help="Write every claim, with safe fixes: .csv, .jsonl, .parquet, .arrow or .arrows, without columns that "
    "weakcode does not know. With .837, .x12, .edi or .json (FHIR), a copy of the input with the fixes made in it.",
)
@click.option(
    "--raw-csv",
    is_flag=True,
    help="Write CSV cells unchanged, for programs; otherwise cells that a spreadsheet would run as a formula get an "
    "apostrophe.",
)
@click.option("--unsafe", is_flag=True, help="With --fix, also apply proposals that change the meaning of a claim.")
@reading_options
@click.option("--sql", metavar="QUERY", help="Check the rows of a SELECT over files, or over --db.")
@click.option(
    "--allow",
    multiple=True,
    metavar="PATH",
    help="A file, or a folder with all in it, that --sql may read; may be given several times.",
)
@into_options
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="The number of threads, when findings are written to a file.",
)
@click.option(
    "--spark",
    metavar="MASTER",
    help="Check Parquet files on a Spark cluster, such as local[*] or yarn; -o becomes a folder (extra spark).",
)
@click.option(
    "--drg", is_flag=True, help="Group inpatient claims before and after safe fixes; see the summary (extra mce)."
)
@run_options
@click.option(
    "--keep-going",
    is_flag=True,
    help="If one of several files cannot be read, read the others; the summary names it, and the exit status is 2.",
)
@hash_ids_option(
    "Write hashed claim ids, and leave out the content of rejected rows.", but="The claims of --fix keep their ids."
)
@findings_format_option
@choosing
def command(
    inputs: tuple[str, ...],
    output: str | None,
    rejects: str | None,
    summary: str | None,
    fixed: str | None,
    raw_csv: bool,
    unsafe: bool,
    sql: str | None,
    allow: tuple[str, ...],
    into: Into,
    jobs: int,
    spark: str | None,
    hash_ids: bool,
    as_format: str,
    keep_going: bool,
    drg: bool,
    reporting: Reporting,
    **options: Any,
) -> int:
    """Check every claim of files.

    weakcode reads FORMATS.

    A CSV file has a header with claim_id and codes (separated by blanks or ;), or dx1, dx2, …; and, if known,
    service_date, age, birth_date, sex, setting, payer and documented. JSON Lines has one object a line with the same
    names. Rejected rows do not stop the run. The input - is standard input.

    \b
    weakcode scrub claims.csv
    weakcode scrub claims.csv -o findings.parquet --rejects rejects.csv
    weakcode scrub claims.csv --fix mended.csv
    zstd -dc claims.csv.zst | weakcode scrub - -o findings.csv
    weakcode scrub --sql "SELECT id AS claim_id, codes FROM 'claims/*.parquet'" --allow claims
    weakcode scrub --db postgresql://localhost/billing --sql "SELECT * FROM claims" --into findings
    weakcode scrub claims.csv --into parquet:findings --partition-by payer,month
    weakcode scrub s3a://bucket/claims --spark yarn -o s3a://bucket/findings.parquet
    """
    few_pools(jobs)
    from weakcode.scrub.read.inputs import PIPE
    from weakcode.scrub.run import Plan
    from weakcode.scrub.summary import JudgedBy
    from weakcode.scrub.write.pseudonyms import hash_key

    into.check(sql, hash_ids=hash_ids)
    db = into.db
    if allow and (sql is None or db is not None):
        raise InputError("--allow PATH says what --sql QUERY may read over files; it goes with --sql and without --db")
    if not inputs and sql is None:
        raise InputError("there is no input; give files of claims, - for standard input, or --sql QUERY")
    if unsafe and fixed is None:
        raise InputError("--unsafe says what --fix FILE does; give it a file for the mended claims")
    reporting.check()
    choice = Choice.from_options(options)
    reading, keep_map = read_options(options)
    validator = choice.validator()
    if choice.engine is None:
        validator = validator.in_bulk()
    key = hash_key(into.joining) if hash_ids else None
    watchers = reporting.watchers(inputs, {output: True, fixed: False, rejects: False}, into)
    if spark is not None:
        from weakcode.spark.run import refuse, scrub_files

        refuse(
            {
                PIPE: PIPE in inputs,
                "--sql": sql,
                "--fix": fixed,
                "--raw-csv": raw_csv,
                "--jobs": jobs > 1,
                "--into": into.into,
                "--drg": drg,
                "--digests": reporting.digests,
                "--since": reporting.since,
            },
            {"--engine durable": validator.engine == "durable", "--format fhir": as_format == "fhir"},
        )
        with terminable():
            result = scrub_files(
                inputs,
                validator,
                master=spark,
                output=output,
                rejects=rejects,
                summary=summary,
                hash_key=key,
                run_id=reporting.run_id,
                gates=reporting.gates,
                watchers=watchers,
                metrics=reporting.metrics,
                mapping=reading.mapping,
            )
        return ended(result, choice, rejects, as_format, reporting, kept=True)
    # What was imported stays until the end: to go through all of it for cycles once more takes 3 % of a short run.
    # Before DuckDB is imported: what it has left at the end, it would tell as leaked, a page of it on standard error.
    gc.freeze()
    query = None
    judged_by = JudgedBy.of(validator)
    if sql is not None:
        from weakcode.scrub.read.sql import QuerySource

        query = QuerySource(sql, db, allow=allow, options=reading)
    sink = into.sink(judged_by)
    kept = output is not None or sink is not None or fixed is not None
    printer = None if kept else printer_for(as_format, judged_by)
    names = list(inputs)
    if kept:
        without_pandas()
    with terminable(), shown_progress(names, shown=kept and not reporting.quiet) as progress:
        result = Plan(
            names,
            validator,
            piped=None if sys.stdin is None else sys.stdin.buffer,
            output=output,
            rejects=rejects,
            summary=summary,
            metrics=reporting.metrics,
            fixed=fixed,
            mend=None if fixed is None else lambda claim: validator.fix(claim, unsafe=unsafe).claim,
            on_judged=printer,
            progress=progress,
            watchers=watchers,
            options=reading,
            keep_going=keep_going,
            columns=validator.columns() if kept and validator.engine == "columnar" else None,
            judged_by=judged_by,
            waivers=validator.waivers,
            jobs=jobs,
            query=query,
            sink=sink,
            hash_key=key,
            raw_csv=raw_csv,
            run_id=reporting.run_id,
            digests=reporting.digests,
            since=reporting.since,
            of_run=_of_run(validator, judged_by, key) if reporting.digests or reporting.since else None,
            most_rejects=reporting.most_rejects,
            most_errors=reporting.most_errors,
            drgs=_drgs(validator) if drg else None,
        ).run()
    if keep_map is not None:
        keep_columns(keep_map, reading, result)
    return ended(result, choice, rejects, as_format, reporting, kept=kept)


command.help = (command.help or "").replace("FORMATS", TITLES)


def _drgs(validator: Validator) -> DrgTally:
    from weakcode.drg.grouping import Grouper
    from weakcode.scrub.groups import DrgTally

    return DrgTally(Grouper(), lambda claim: validator.fix(claim).claim)


def _of_run(validator: Validator, judged_by: JudgedBy, key: bytes | None) -> str | None:
    from weakcode.scrub.write.digests import what_judges

    return what_judges(validator, judged_by.rules, key)
