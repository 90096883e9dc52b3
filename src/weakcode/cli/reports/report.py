"""weakcode report: findings as a page for the browser."""

from __future__ import annotations

import click

from weakcode.cli.common import text
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
    help="Findings that the table holds at most, of every rule some.",
)
@hash_ids_option("Show hashed claim ids.")
def command(
    findings: tuple[str, ...],
    output: str | None,
    claims: tuple[str, ...],
    rules: tuple[str, ...],
    rows: int,
    hash_ids: bool,
) -> int:
    """Show findings as one page that works offline: by severity, rule, code pair, payer and month.

    FINDINGS are files that `weakcode scrub -o` wrote (.parquet, .csv, .jsonl), or a folder of Parquet files.
    Needs the extra report.

    \b
    weakcode report findings.parquet -o report.html
    weakcode report findings.parquet --claims claims.parquet -o report.html
    """
    from weakcode.cli.common.running import expanded
    from weakcode.report.render import write_report
    from weakcode.scrub.write.pseudonyms import hash_key

    if not findings:
        raise InputError("there is no input; give the findings that weakcode scrub -o wrote")
    if output is None:
        raise InputError("-o FILE is missing; say where the page goes, as in -o report.html")
    data = write_report(
        expanded(findings),
        output,
        claims=expanded(claims),
        rules=rules,
        rows=rows,
        hash_key=hash_key() if hash_ids else None,
    )
    found = f"{text.counted(data.findings, 'finding')} by {text.counted(len(data.rules), 'rule')}"
    clean = f"; {data.clean:,} of {data.claims:,} claims clean" if data.claims is not None else ""
    say(f"{output}: {found}{clean}.")
    for remark in data.remarks:
        say(text.wrapped(remark, indent="  "))
    return 0
