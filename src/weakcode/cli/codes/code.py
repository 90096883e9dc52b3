"""weakcode code: what there is to know about one code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json

if TYPE_CHECKING:
    from weakcode.pages.codeinfo import CodeInfo, NoteInfo

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
@format_option
def command(code: str, date: str | None, as_format: str) -> int:
    """Show the title of a code, its place, the notes that apply to it and the rules about it."""
    from weakcode.pages.codeinfo import lookup

    info = lookup(code, date)
    if as_format == "json":
        say_json(json.dumps(info.to_dict(), indent=2, ensure_ascii=False))
        return 0
    kind = "billable code" if info.billable else f"{info.kind}, not billable"
    parts = [f"{click.style(info.code, bold=True)}  {info.title}\n{kind}, ICD-10-CM {info.edition}"]
    above = [f"{'  ' * depth}{at.name}  {at.title}" for depth, at in enumerate(info.place)]
    parts.append(text.bullets("Place", above))
    if not info.billable:
        parts.append(text.bullets("Below it", [f"{child.name}  {child.title}" for child in info.below]))
    parts += [_note(note, billable=info.billable) for note in info.notes]
    if info.billable:
        parts += _named_elsewhere(info)
        parts.append(_rules(info))
    say("\n\n".join(parts))
    return 0


def _note(note: NoteInfo, *, billable: bool) -> str:
    heading = _KINDS.get(note.kind, note.kind.replace("_", " ").capitalize())
    becomes = [f"-> {rule}" for rule in note.rules]
    if note.is_rule and not becomes and billable:
        becomes = ["-> no rule: it names no code"]
    return text.bullets(f"{heading} (note at {note.place})", [*note.lines, *becomes])


def _named_elsewhere(info: CodeInfo) -> list[str]:
    """The notes at other codes that name this one."""
    lines = [f"{edit.place}  {edit.kind}  {edit.quote} -> {edit.rule}" for edit in info.named_elsewhere]
    if not lines:
        return []
    more = [f"and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else []
    return [text.bullets("Named by notes elsewhere", [*lines[:_MOST], *more])]


def _rules(info: CodeInfo) -> str:
    lines = []
    for one in info.rules:
        off = "" if one.enabled else ", off"
        lines.append(f"{one.rule} ({one.role}; {one.severity}{off})  {one.title}")
    notice_lines = [f"Note: {notice}." for notice in info.notices]
    return text.bullets("Rules", [*(lines or ["none"]), f"Of packs {', '.join(info.packs)}.", *notice_lines])
