"""weakcode code: what there is to know about one code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text
from weakcode.cli.common.output import say
from weakcode.codes.normalise import canonical
from weakcode.errors import InputError
from weakcode.fields import parse_date

if TYPE_CHECKING:
    from datetime import date

    from weakcode.codes.edition import Edition
    from weakcode.validator import NoteEdit

_KINDS = {
    "includes": "Includes",
    "inclusion_term": "Also called",
    "excludes1": "Excludes1: not coded together with",
    "excludes2": "Excludes2: not part of it, may be coded as well",
    "code_first": "Code first",
    "use_additional": "Use additional code",
    "code_also": "Code also",
}

_MOST = 25


@click.command("code", short_help="Show a code, its notes and the rules that touch it.")
@click.argument("code", metavar="CODE")
@click.option("--date", metavar="YYYY-MM-DD", help="Show the edition in force on this day.")
def command(code: str, date: str | None) -> int:
    """Show the title of a code, its place, the notes that reach it and the rules that touch it."""
    from weakcode.codes.catalog import edition_for

    day = parse_date(date)
    edition = edition_for(day)
    name = canonical(code)
    node = edition.node(name)
    if node is None:
        raise InputError(
            f'"{name}" is not in ICD-10-CM {edition.name}; look for it by its words with: weakcode find "…"'
        )
    kind = "billable code" if node.billable else f"{node.kind}, not billable"
    parts = [f"{click.style(node.name, bold=True)}  {node.title}\n{kind}, ICD-10-CM {edition.name}"]
    above = [f"{'  ' * depth}{at.name}  {at.title}" for depth, at in enumerate(reversed(edition.ancestors(name)))]
    parts.append(text.bullets("Place", above))
    if not node.billable:
        below = [f"{child.name}  {child.title}" for child in edition.children_of(name)]
        parts.append(text.bullets("Below it", below))
    made = _edits(name, day) if node.billable else ()
    parts += _notes(edition, name, made)
    if node.billable:
        parts += _named_elsewhere(edition, name, made)
        parts.append(_rules(name))
    say("\n\n".join(parts))
    return 0


def _edits(name: str, day: date | None) -> tuple[NoteEdit, ...]:
    from weakcode.validator import Validator

    return Validator(packs=["icd10cm"]).notes_touching(name, day)


def _notes(edition: Edition, name: str, made: tuple[NoteEdit, ...]) -> list[str]:
    """Every note that reaches the code, its own and inherited ones, each with the rules that it became."""
    from weakcode.compile.tabular.notes import LABELS

    found: dict[tuple[str, str], list[str]] = {}
    for note in edition.notes_reaching(name):
        found.setdefault((note.kind, note.place), []).extend(note.lines)
    own = edition.node(name)
    parts = []
    for (kind, place), lines in found.items():
        if kind == "inclusion_term" and (own is None or place != own.name):
            continue
        heading = _KINDS.get(kind, kind.replace("_", " ").capitalize())
        rules = {edit.rule: None for edit in made if (edit.place, edit.kind) == (place, LABELS.get(kind))}
        becomes = [f"-> {rule}" for rule in sorted(rules)]
        if kind in LABELS and not becomes and own is not None and own.billable:
            becomes = ["-> no rule: it names no code"]
        parts.append(text.bullets(f"{heading} (note at {place})", [*lines, *becomes]))
    return parts


def _named_elsewhere(edition: Edition, name: str, made: tuple[NoteEdit, ...]) -> list[str]:
    """The notes at other codes that name this one."""
    from weakcode.compile.tabular.notes import LABELS

    own = {(note.place, LABELS.get(note.kind)) for note in edition.notes_reaching(name)}
    lines = [
        f"{edit.place}  {edit.kind}  {edit.quote} -> {edit.rule}"
        for edit in sorted(made, key=lambda edit: (edit.kind == LABELS["excludes2"], edit.place, edit.rule))
        # Any code can satisfy an open code-first note; those that it names have an order as well.
        if (edit.place, edit.kind) not in own and edit.rule != "icd10cm/code-first-missing"
    ]
    if not lines:
        return []
    more = [f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else []
    return [text.bullets("Named by notes elsewhere", [*lines[:_MOST], *more])]


def _rules(name: str) -> str:
    from weakcode.validator import Validator

    validator = Validator()
    titles = {rule.id: rule for rule in validator.rules}
    lines = []
    for rule, role in validator.rules_touching(name):
        off = "" if titles[rule].enabled else ", off"
        lines.append(f"{rule} ({role}; {titles[rule].severity}{off})  {titles[rule].title}")
    told = [f"Note: {notice}." for notice in validator.notices]
    return text.bullets("Rules", [*(lines or ["none"]), f"Of packs {', '.join(validator.packs)}.", *told])
