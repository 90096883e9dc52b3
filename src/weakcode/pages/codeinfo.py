"""`lookup` and `search`: what there is to know of one code, and codes by words, for commands and the server."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from weakcode.base import objects
from weakcode.codes.catalog import edition_for
from weakcode.codes.normalise import canonical
from weakcode.codes.search.find import SearchHit
from weakcode.errors import InputError
from weakcode.fields.parsers import parse_date
from weakcode.ruleinfo import NoteEdit

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.codes.validity import Window
    from weakcode.validator import Validator


@attrs.frozen
class NamedCode:
    """A code, category, section or chapter with its title."""

    name: str
    title: str


@attrs.frozen
class NoteInfo:
    """A note that reaches a code: its kind (`excludes1`), the place where it stands, its lines, and what came of it.

    `rules` are the full ids of the rules that it became for this code; `is_rule` tells that notes of this kind become
    rules where they name codes.
    """

    kind: str
    place: str
    lines: tuple[str, ...]
    rules: tuple[str, ...] = ()
    is_rule: bool = False


@attrs.frozen
class RuleRole:
    """A rule that touches a code, and the part that the code plays in it: `subject` or `object`."""

    rule: str
    role: str
    severity: str
    enabled: bool
    title: str


@attrs.frozen
class CodeInfo:
    """What there is to know of a code on a day.

    `kind` is `code`, `category`, `subcategory`, `section` or `chapter`. `valid` says on which days a billable code is
    one, `place` are those above it, the chapter first, `below` those right below it. `seventh_characters` are those
    that it may take, with their texts. `notes` reach the code from its place or from above, `named_elsewhere` are notes
    at other places that name it. `notices` say what a reader must know of the edition.
    """

    code: str
    title: str
    kind: str
    billable: bool
    edition: str
    notes_edition: str
    valid: str
    place: tuple[NamedCode, ...]
    below: tuple[NamedCode, ...]
    seventh_characters: dict[str, str]
    notes: tuple[NoteInfo, ...]
    named_elsewhere: tuple[NoteEdit, ...]
    rules: tuple[RuleRole, ...]
    packs: tuple[str, ...]
    notices: tuple[str, ...] = ()

    form: ClassVar[str] = "code"

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain lists, dicts and text, ready for JSON."""
        return objects.to_dict(self)


def lookup(code: str, service_date: date | str | None = None) -> CodeInfo:
    """Return what there is to know of a code, category, section or chapter, in any spelling.

    `service_date` chooses the edition; without it the day of the run does. Raises InputError for a code that the
    edition of that day does not have.
    """
    day = parse_date(service_date)
    edition = edition_for(day)
    name = canonical(code)
    node = edition.node(name)
    if node is None:
        raise InputError(
            f'"{name}" is not in ICD-10-CM {edition.name}; look for it by its words with: weakcode find "…"'
        )
    made = _of_notes().notes_touching(name, day) if node.billable else ()
    every = _of_rules()
    return CodeInfo(
        code=node.name,
        title=node.title,
        kind=node.kind,
        billable=node.billable,
        edition=edition.name,
        notes_edition=edition.notes_name,
        valid=_in_words(edition.window(edition.code_id(name))) if node.billable else "",
        place=tuple(NamedCode(at.name, at.title) for at in reversed(edition.ancestors(name))),
        below=tuple(NamedCode(child.name, child.title) for child in edition.children_of(name)),
        seventh_characters=dict(edition.seventh_characters(name)),
        notes=_notes(edition, name, made),
        named_elsewhere=_named_elsewhere(edition, name, made) if node.billable else (),
        rules=_roles(every, name) if node.billable else (),
        packs=every.packs if node.billable else (),
        notices=every.notices if node.billable else (),
    )


def _in_words(window: Window) -> str:
    """Return the days of a window: "until 2021-09-30", "from 2016-10-01 to 2017-09-30"."""
    parts = []
    for first, last in window.intervals:
        words = [f"from {first}"] if first else []
        words += [f"{'to' if first else 'until'} {last}"] if last else []
        parts.append(" ".join(words) or "on any day")
    return " and ".join(parts)


def search(text: str, limit: int = 10, service_date: date | str | None = None) -> tuple[SearchHit, ...]:
    """Return codes whose title, inclusion term or index term has the words of a text, the best first.

    Raises InputError for a text without words and for a limit below 1.
    """
    if not isinstance(text, str) or not text.strip():
        raise InputError('there is no text to find; give words such as "senile debility"')
    if limit < 1:
        raise InputError(f"the limit is a number of codes from 1, found {limit}")
    return tuple(edition_for(parse_date(service_date)).search(text.strip(), limit=limit))


@lru_cache(maxsize=1)
def _of_notes() -> Validator:
    from weakcode.validator import Validator

    return Validator(packs=["icd10cm"])


@lru_cache(maxsize=1)
def _of_rules() -> Validator:
    from weakcode.validator import Validator

    return Validator()


def _roles(every: Validator, name: str) -> tuple[RuleRole, ...]:
    known = {rule.id: rule for rule in every.rules}
    return tuple(
        RuleRole(rule, role, known[rule].severity, known[rule].enabled, known[rule].title)
        for rule, role in every.rules_touching(name)
    )


def _notes(edition: Edition, name: str, made: tuple[NoteEdit, ...]) -> tuple[NoteInfo, ...]:
    """Return every note that reaches the code, its own and inherited ones, each with the rules that it became."""
    from weakcode.compile.tabular.notes import LABELS

    found: dict[tuple[str, str], list[str]] = {}
    for note in edition.notes_reaching(name):
        found.setdefault((note.kind, note.place), []).extend(note.lines)
    own = edition.node(name)
    notes = []
    for (kind, place), lines in found.items():
        if kind == "inclusion_term" and (own is None or place != own.name):
            continue
        rules = sorted({edit.rule for edit in made if (edit.place, edit.kind) == (place, LABELS.get(kind))})
        notes.append(NoteInfo(kind, place, tuple(lines), tuple(rules), kind in LABELS))
    return tuple(notes)


def _named_elsewhere(edition: Edition, name: str, made: tuple[NoteEdit, ...]) -> tuple[NoteEdit, ...]:
    """Return the notes at other codes that name this one."""
    from weakcode.compile.tabular.notes import LABELS

    own = {(note.place, LABELS.get(note.kind)) for note in edition.notes_reaching(name)}
    return tuple(
        edit
        for edit in sorted(made, key=lambda edit: (edit.kind == LABELS["excludes2"], edit.place, edit.rule))
        # Any code can satisfy an open code-first note; those that it names have an order as well.
        if (edit.place, edit.kind) not in own and edit.rule != "icd10cm/code-first-missing"
    )
