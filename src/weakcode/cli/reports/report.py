"""weakcode report: findings as a page for the browser."""

from __future__ import annotations

import click

from weakcode.cli.common import text
from weakcode.cli.common.logs import log_option
from weakcode.cli.common.options import hash_ids_option
from weakcode.cli.common.output import say
from weakcode.errors import InputError


@click.command("report", short_help="Show findings as a page for the browser.")
@click.argument("findings", nargs=-1, metavar="FINDINGS...")
@click.option("-o", "--output", metavar="FILE", help="Write the page: .html.")
@click.option(
    "--claims",
    multiple=True,
    metavar="FILE",
    help="The claims that were scrubbed, for payers, months and the share of clean claims; may be given several times.",
)
@click.option(
    "--rules",
    multiple=True,
    metavar="PATH",
    help="Rules that are not bundled: a file or folder; may be given several times.",
)
@click.option(
    "--rows",
    type=click.IntRange(0, 20_000),
    default=1_000,
    show_default=True,
    metavar="N",
    help="The most findings in the table, some of every rule.",
)
@click.option(
    "--work",
    type=click.IntRange(0, 5_000),
    default=100,
    show_default=True,
    metavar="N",
    help="The most claims in the work list on the page, those with the most errors first.",
)
@click.option("--work-list", metavar="FILE", help="Write all findings, claim by claim, for Excel: .xlsx or .csv.")
@click.option(
    "--db",
    metavar="URI",
    help="The database of FINDINGS if they are tables: postgresql://user@host/name, or adbc:DRIVER:ADDRESS.",
)
@click.option("--practice", default="", metavar="NAME", help="The practice, shown at the top of the report.")
@click.option("--together", is_flag=True, help="Count the findings files as parts of one run, instead of as runs.")
@log_option
@hash_ids_option("Show hashed claim ids.")
def command(
    findings: tuple[str, ...],
    output: str | None,
    claims: tuple[str, ...],
    rules: tuple[str, ...],
    rows: int,
    work: int,
    work_list: str | None,
    db: str | None,
    practice: str,
    together: bool,
    hash_ids: bool,
) -> int:
    """Show findings as one page that works offline: by severity, rule, code pair, payer and month.

    FINDINGS are files that `weakcode scrub -o` wrote (.parquet, .csv, .jsonl), or folders of Parquet files, each of
    them a run: the page shows the latest, and how several follow each other. Summaries (.json) of runs whose findings
    are not kept count there too, and duckdb:FILE:TABLE, sqlite:FILE:TABLE, TABLE of --db and folders (scrub --into)
    have all their runs; with @RUN behind them, one. Needs the extra report.

    \b
    weakcode report findings.parquet -o report.html --practice "Oak Street Clinic" --work-list work.xlsx
    weakcode report monday.parquet tuesday.parquet -o report.html
    weakcode report findings.parquet --claims claims.parquet -o report.html
    """
    from weakcode.cli.common.running import expanded, working
    from weakcode.report.render import write_report
    from weakcode.scrub.write.pseudonyms import hash_key

    if not findings:
        raise InputError("there is no input; give the findings that weakcode scrub -o wrote")
    if output is None:
        raise InputError("-o FILE is missing; say where the page goes, as in -o report.html")
    with working("counting the findings and writing the page"):
        data = write_report(
            expanded(findings),
            output,
            claims=expanded(claims),
            rules=rules,
            rows=rows,
            work=work,
            together=together,
            practice=practice,
            db=db,
            work_list=work_list,
            hash_key=hash_key() if hash_ids else None,
        )
    found = f"{text.counted(data.findings, 'finding')} by {text.counted(len(data.rules), 'rule')}"
    clean = f"; {data.clean:,} of {data.claims:,} claims clean" if data.claims is not None else ""
    say(f"{output}: {found}{clean}.")
    if data.trend:
        changed = (
            "" if data.trend.new is None else f"; {data.trend.new:,} new and {data.trend.gone:,} gone in the latest"
        )
        say(f"  {len(data.trend.runs):,} runs, of which {', '.join(data.files)} is the latest{changed}")
    if work_list is not None:
        say(f"{work_list}: {text.counted(data.findings, 'finding')} on {text.counted(data.flagged, 'claim')}.")
    for remark in data.remarks:
        say(text.wrapped(remark, indent="  "))
    return 0
