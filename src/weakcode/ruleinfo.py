"""What a validator tells of its rules."""

from __future__ import annotations

import attrs

from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler


@attrs.frozen
class RuleInfo:
    """A rule as it applies under this validator's packs and profile."""

    id: str
    title: str
    severity: str
    confidence: str
    enabled: bool
    pack: str
    line: int


@attrs.frozen
class NoteEdit:
    """A rule made from a note: the part that a code plays in it, where the note stands, its kind and its words."""

    rule: str
    role: str
    place: str
    kind: str
    quote: str


def rules_touching(program: Program, code_id: int) -> tuple[tuple[str, str], ...]:
    """Return (rule id, "subject" or "object") for every rule that a code plays a part in."""
    touching = {(program.rules[program.rule_of_edit[number]].id, role) for number, role in _roles(program, code_id)}
    return tuple(sorted(touching, key=lambda pair: (pair[0], pair[1] != "subject")))


def notes_touching(program: Program, assembler: Assembler, code_id: int, code: str) -> tuple[NoteEdit, ...]:
    """Return what the notes of the Tabular List became for a billable code: its own, and those that name it."""
    found: dict[NoteEdit, None] = {}
    for number, role in _roles(program, code_id):
        edit = program.edit(number)
        for source in assembler.sources([edit], code) if role == "object" else edit.sources:
            if source.quote:
                place, _, kind = source.place.rpartition(", ")
                found[NoteEdit(program.rules[edit.rule].id, role, place, kind, source.quote)] = None
    return tuple(found)


def _roles(program: Program, code_id: int) -> list[tuple[int, str]]:
    subject, other = program.roles(code_id)
    return [*((number, "subject") for number in subject), *((number, "object") for number in other)]
