"""weakcode find: codes by words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from weakcode.base import objects
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json
from weakcode.codes.normalise import UNTITLED
from weakcode.fields.parsers import parse_date

if TYPE_CHECKING:
    from weakcode.codes.search.find import SearchHit


@click.command("find", short_help="Find codes by words.")
@click.argument("words", nargs=-1, required=True, metavar="TEXT")
@click.option("--date", metavar="YYYY-MM-DD", help="Search the edition in force on this day.")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="The most codes to show.")
@format_option
def command(words: tuple[str, ...], date: str | None, limit: int, as_format: str) -> int:
    """Find codes by words, or by the beginning of a code, the best first.

    Titles, inclusion terms, Includes notes, abbreviations and lay words are searched, and the Alphabetic Index of
    editions that weakcode edition fetch installed. Misspelled words find the nearest.

    \b
    weakcode find "senile debility"
    weakcode find heart attack
    weakcode find M62.8
    """
    from weakcode.codes.catalog import edition_for
    from weakcode.codes.search.find import is_icd9
    from weakcode.pages.codeinfo import search

    text = " ".join(words)
    edition = edition_for(parse_date(date))
    hits = search(text, limit, date)
    if as_format == "json":
        found = [hit.to_dict() for hit in hits]
        say_json(
            json.dumps(
                {"version": objects.VERSION, "edition": edition.name, "hits": found}, indent=2, ensure_ascii=False
            )
        )
        return 0
    if not hits:
        if is_icd9(text):
            say(f"{text} has the form of an ICD-9-CM code; those are none since October 2015. Find it by its words.")
        else:
            say(f'Nothing in ICD-10-CM {edition.name} has the words "{text}".')
        return 0
    width = max(len(hit.code) for hit in hits)
    for hit in hits:
        say(f"{click.style(hit.code.ljust(width), bold=True)}  {hit.title or UNTITLED}{_details(hit)}")
    return 0


def _details(hit: SearchHit) -> str:
    """Return what else there is to say of a hit, in brackets."""
    notes = []
    if hit.matched not in ("", hit.title) and not hit.title.startswith(hit.matched):
        notes.append(f"also called: {hit.matched}")
    if hit.is_retired:
        notes.append("not valid on this day" + (f"; now {', '.join(hit.successors[:4])}" if hit.successors else ""))
    elif not hit.is_billable:
        notes.append("category, not billable")
    if len(hit.sevenths) > 1:
        notes.append(f"7th character one of {', '.join(hit.sevenths)}")
    return f"  ({'; '.join(notes)})" if notes else ""
