"""weakcode find: codes by words."""

from __future__ import annotations

import json

import click

from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json
from weakcode.fields import parse_date


@click.command("find", short_help="Find codes by words.")
@click.argument("words", nargs=-1, required=True, metavar="TEXT")
@click.option("--date", metavar="YYYY-MM-DD", help="Search the edition in force on this day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many at most.")
@format_option
def command(words: tuple[str, ...], date: str | None, limit: int, as_format: str) -> int:
    """Find codes whose title, inclusion term or term of the Alphabetic Index has these words, the best first.

    The Alphabetic Index comes with editions that weakcode edition fetch installed.

    \b
    weakcode find "senile debility"
    """
    from weakcode.codes.catalog import edition_for
    from weakcode.pages.codeinfo import search

    text = " ".join(words)
    edition = edition_for(parse_date(date))
    hits = search(text, limit, date)
    if as_format == "json":
        found = [{"code": hit.code, "title": hit.title, "matched": hit.matched} for hit in hits]
        say_json(json.dumps({"edition": edition.name, "hits": found}, indent=2, ensure_ascii=False))
        return 0
    if not hits:
        say(f'Nothing in ICD-10-CM {edition.name} has the words "{text}".')
        return 0
    width = max(len(hit.code) for hit in hits)
    for hit in hits:
        also = "" if hit.matched == hit.title else f"  (also called: {hit.matched})"
        say(f"{click.style(hit.code.ljust(width), bold=True)}  {hit.title}{also}")
    return 0
