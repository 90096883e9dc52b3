"""weakcode edition: which editions of ICD-10-CM there are, what one holds, and what changed between two."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weakcode.base.objects import VERSION
from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json
from weakcode.fields.parsers import parse_date

if TYPE_CHECKING:
    from weakcode.compile.diff import Difference, NoteLine

_SHOWN = 15
_LABELS = {
    "excludes1": "Excludes1",
    "excludes2": "Excludes2",
    "code_first": "Code first",
    "use_additional": "Use additional code",
    "code_also": "Code also",
}


@click.group("edition", short_help="List, fetch, add, show and compare editions.")
def command() -> None:
    """List, fetch, add, show and compare editions of ICD-10-CM.

    A claim is judged by the edition in force on its service date, else by the nearest.
    """


@command.command("list")
@format_option
def list_editions(as_format: str) -> int:
    """List the installed editions with the days on which they are in force, and what is missing for today."""
    from weakcode.base.clock import today
    from weakcode.codes.catalog import all_sources

    known = all_sources()
    if as_format == "json":
        values = [
            {
                "version": VERSION,
                "name": one.name,
                "from": one.starts.isoformat(),
                "to": one.ends.isoformat(),
                "bundled": one.bundled,
                "notes": one.notes,
            }
            for one in known
        ]
        say_json(json.dumps(values, indent=2))
    else:
        for one in known:
            origin = "bundled" if one.bundled else "installed"
            say(f"{one.name}  {one.starts} to {one.ends}  {origin}{'' if one.notes else ', codes alone'}")
    if not any(one.notes and one.starts <= today() <= one.ends for one in known):
        say(_missing(today()), err=as_format == "json")
    return 0


def _missing(day: date) -> str:
    """Say which release is missing for a day, and how to get it."""
    from weakcode.codes import catalog
    from weakcode.codes.web import releases

    release = releases.in_force(day)
    return (
        f"Missing for today, {day}: the Tabular List of {release.starts:%B %Y}. Until it is added, the notes of "
        f"{catalog.source_for(day).name} judge the codes of today.\n"
        f"Get it:  weakcode edition fetch {release.word}\n"
        f"or its table and index zip from {releases.CDC}{release.folder}\n"
        "and then:  weakcode edition add FILE"
    )


@command.command("add")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--from", "starts", metavar="YYYY-MM-DD", help="The first day on which it is in force.")
@click.option("--to", "ends", metavar="YYYY-MM-DD", help="The last day; by default the one before the next release.")
def add_edition(file: Path, starts: str | None, ends: str | None) -> int:
    """Install a Tabular List, an order file or order addenda: plain, packed with xz or gzip, or the zip as published.

    Order files and addenda have codes only; their notes are those of the nearest Tabular List. Addenda change the codes
    of the day before. Dates are read from the name of the file and the version inside, or given.
    """
    from weakcode.cli.common.running import working
    from weakcode.codes import catalog, installed

    with working("reading the release"):
        source = installed.add(file, parse_date(starts), parse_date(ends))
    edition = catalog.edition_named(source.name)
    notes = "" if source.notes else f", with the notes of {edition.notes_name}"
    say(f"Installed {source.label}: {text.counted(len(edition.billable), 'billable code')}{notes}.")
    return 0


@command.command("fetch")
@click.argument("release", metavar="[YEAR|latest]", required=False)
@click.option(
    "--mirror",
    metavar="ADDRESS",
    help="A folder laid out like CDC's, or one zip, instead of CDC's and CMS's servers (WEAKCODE_EDITION_MIRROR).",
)
def fetch_edition(release: str | None, mirror: str | None) -> int:
    """Download a release from CDC, or from CMS where CDC does not answer, check it and install it.

    YEAR is a fiscal year, which begins on 1 October before it; 2026-04 is the update of April 2026. This is the only
    command that opens a connection without being given an address; proxies are those of the environment.
    """
    from weakcode.base.clock import today
    from weakcode.codes import catalog, installed
    from weakcode.codes.sources.kept import EditionSource
    from weakcode.codes.web import releases

    found = releases.fetch(release, mirror=mirror, today=today(), tell=lambda line: say(line, err=True))
    if isinstance(found, EditionSource):
        say(f"Edition {found.label} is at hand already; nothing was fetched.")
        return 0
    for one in found.files:
        say(f"{one.address}\n  {len(one.content):,} bytes, SHA-256 {one.sha256}")
    say("Installing it", err=True)
    before = [source for source in catalog.sources() if source.starts < found.starts]
    source = installed.install(found.tabular, found.xml, found.starts, found.ends, found.terms)
    edition = catalog.edition_named(source.name)
    also = ", the same as in its order file" if found.in_order_file else ""
    index = text.counted(len(found.terms), "term") if found.terms else "none of the terms"
    say(f"Installed {source.label}: {text.counted(len(edition.billable), 'billable code')}{also}.")
    say(f"It brought {index} of the Alphabetic Index, for weakcode find.")
    if before:
        say(_changed(before[-1].name, source.name))
    return 0


def _changed(before: str, after: str) -> str:
    """Say in two lines how much changed from one edition to another."""
    from weakcode.codes import catalog
    from weakcode.compile.diff import difference

    found = difference(catalog.edition_named(before), catalog.edition_named(after))
    return (
        f"Since {before}: {text.counted(len(found.added), 'code')} added, {len(found.retired):,} retired, "
        f"{len(found.reworded):,} reworded; {text.counted(len(found.notes_added), 'note line')} added, "
        f"{len(found.notes_removed):,} removed.\nweakcode edition diff {before} {after} shows them."
    )


@command.command("remove")
@click.argument("name", metavar="NAME")
def remove_edition(name: str) -> int:
    """Uninstall an edition that was added."""
    from weakcode.codes import installed

    say(f"Removed {installed.remove(name).label}.")
    return 0


@command.command("show")
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--unresolved", is_flag=True, help="List every reference that could not be read, with its place.")
@format_option
def show_edition(name: str | None, unresolved: bool, as_format: str) -> int:
    """Show the contents of an edition and how its notes were read; by default the newest."""
    from weakcode.codes import catalog
    from weakcode.compile.tabular import notes

    edition = catalog.edition_named(name) if name else catalog.edition_for(None)
    open_references = list(notes.unresolved(edition)) if unresolved or as_format == "json" else []
    if as_format == "json":
        values = {
            "version": VERSION,
            "name": edition.name,
            "from": edition.starts.isoformat(),
            "to": edition.ends.isoformat(),
            "notes_edition": edition.notes_name,
            "billable_codes": len(edition.billable),
            "notes": {
                one.kind: {
                    "lines": one.lines,
                    "compiled": one.compiled,
                    "prose": one.prose,
                    "unresolved": one.unresolved,
                }
                for one in notes.count(edition)
            },
            "unresolved": [
                {"place": place, "kind": kind, "reference": reference} for place, kind, reference in open_references
            ],
        }
        say_json(json.dumps(values, indent=2, ensure_ascii=False))
        return 0
    if unresolved:
        for place, kind, reference in open_references:
            say(f"{place}  {_LABELS[kind]}  ({reference})")
        say(f"{text.counted(len(open_references), 'unresolved reference')} in {edition.name}.")
        return 0
    say(
        f"{click.style(edition.label, bold=True)}, in force from {edition.starts} to {edition.ends}\n"
        f"{text.counted(len(edition.billable), 'billable code')}\n\n"
        f"{'Note lines':<20} {'read':>7} {'compiled':>9} {'prose only':>11} {'unresolved':>11}"
    )
    for one in notes.count(edition):
        say(f"{_LABELS[one.kind]:<20} {one.lines:>7,} {one.compiled:>9,} {one.prose:>11,} {one.unresolved:>11,}")
    return 0


@command.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="The rules to look at; by default all bundled ones.")
@format_option
def diff_editions(before: str, after: str, rules: tuple[str, ...], as_format: str) -> int:
    """Show what changed from edition A to edition B: codes, titles, notes and the rules affected."""
    from weakcode.codes import catalog
    from weakcode.compile.diff import difference
    from weakcode.rules.library import resolve_packs

    packs = list(dict.fromkeys(one.path for one in resolve_packs(list(rules) or None)))
    found = difference(catalog.edition_named(before), catalog.edition_named(after), packs)
    if as_format == "json":
        say_json(_diff_json(found))
    else:
        say(_diff_text(found))
    return 0


def _diff_json(found: Difference) -> str:
    def notes(lines: Iterable[NoteLine]) -> list[dict[str, str]]:
        return [{"place": line.place, "kind": line.kind, "text": line.text} for line in lines]

    values = {
        "version": VERSION,
        "from": found.before,
        "to": found.after,
        "codes": {
            "added": [{"code": code, "title": title} for code, title in found.added],
            "retired": [{"code": code, "title": title} for code, title in found.retired],
            "reworded": [{"code": one.code, "from": one.before, "to": one.after} for one in found.reworded],
        },
        "notes": {"added": notes(found.notes_added), "removed": notes(found.notes_removed)},
        "rules": [
            {"rule": one.rule, "gained": one.gained, "lost": one.lost, "reworded": one.reworded} for one in found.rules
        ],
    }
    return json.dumps(values, indent=2, ensure_ascii=False)


def _diff_text(found: Difference) -> str:
    def first_lines(title: str, lines: Sequence[str]) -> str:
        shown_lines = list(lines[:_SHOWN])
        if len(lines) > _SHOWN:
            shown_lines.append(f"and {len(lines) - _SHOWN:,} more; --format json has all")
        return text.bullets(f"{title}: {len(lines):,}", shown_lines)

    def notes(lines: Iterable[NoteLine]) -> list[str]:
        return [f"{line.place}  {_LABELS[line.kind]}  {line.text}" for line in lines]

    def few(word: str, codes: Sequence[str]) -> str:
        more = f" and {len(codes) - 5:,} more" if len(codes) > 5 else ""
        return f"; {word} {', '.join(codes[:5])}{more}" if codes else ""

    rules = [
        one.rule + few("gained", one.gained) + few("lost", one.lost) + few("reworded", one.reworded)
        for one in found.rules
    ]
    parts = [
        f"From {found.before} to {found.after}",
        first_lines("Codes added", [f"{code}  {title}" for code, title in found.added]),
        first_lines("Codes retired", [f"{code}  {title}" for code, title in found.retired]),
        first_lines("Codes reworded", [f"{one.code}  {one.before} -> {one.after}" for one in found.reworded]),
        first_lines("Note lines added", notes(found.notes_added)),
        first_lines("Note lines removed", notes(found.notes_removed)),
        first_lines("Rules touched", rules),
    ]
    return "\n\n".join(parts)
