"""A validator's rules as users see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.base import objects
from weakcode.findings import Source

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.compile.program import Program
    from weakcode.engines.findings import Assembler
    from weakcode.rules.examples import ExampleCase
    from weakcode.rules.model import Pack, Rule


@attrs.frozen
class RuleText:
    """What a rule's file says for people: why, what it cannot see, on whose word, and its examples."""

    why: str
    known_problems: str
    sources: tuple[Source, ...]
    pages: Mapping[str, str]
    examples: tuple[ExampleCase, ...]


@attrs.frozen
class RuleInfo:
    """A rule as it applies under this validator's packs and profile.

    What its file says for people (`why`, `known_problems`, `sources`, `examples`) is read when it is first asked for.
    """

    id: str
    title: str
    severity: str
    confidence: str
    enabled: bool
    pack: str
    line: int
    _texts: Callable[[str], RuleText] = attrs.field(eq=False, repr=False)

    @property
    def why(self) -> str:
        """Why it matters, as the rule file says it."""
        return self._texts(self.id).why

    @property
    def known_problems(self) -> str:
        """What the rule cannot see."""
        return self._texts(self.id).known_problems

    @property
    def sources(self) -> tuple[Source, ...]:
        """On whose word the rule stands."""
        return self._texts(self.id).sources

    @property
    def examples(self) -> tuple[ExampleCase, ...]:
        """Claims on which the rule finds nothing, and claims on which it finds something (`fails`)."""
        return self._texts(self.id).examples

    def summary(self) -> dict[str, Any]:
        """Return what a list of rules says of each, ready for JSON."""
        names = ("id", "title", "severity", "confidence", "enabled", "pack")
        return {"version": objects.VERSION, **{name: getattr(self, name) for name in names}}

    def to_dict(self) -> dict[str, Any]:
        """Return the rule ready for JSON, examples as claims with what they show (`pass`, `fail`)."""
        return {
            **self.summary(),
            "why": self.why,
            "known_problems": self.known_problems,
            "sources": [
                {**objects.to_dict(source), "url": self._texts(self.id).pages.get(source.title) or None}
                for source in self.sources
            ],
            "examples": [
                {"shows": "fail" if case.fails else "pass", "claim": case.claim.to_dict(), "note": case.example.note}
                for case in self.examples
            ],
        }


def texts_of(paths: Iterable[Path], edition: Edition) -> Mapping[str, RuleText]:
    """Return by full id what the rules of some files say for people, sources as cited on the day of an edition."""
    from weakcode.compile.compiler import sources_of
    from weakcode.rules.examples import cases_of
    from weakcode.rules.load import load_pack

    def text_of(full_id: str, pack: Pack, rule: Rule) -> RuleText:
        return RuleText(
            why=" ".join(rule.why.split()),
            known_problems=" ".join(rule.known_problems.split()),
            sources=sources_of(pack, rule, edition),
            examples=tuple(cases_of(full_id, rule)),
            pages={source.title: pack.page_of(source.title) for source in sources_of(pack, rule, edition)},
        )

    packs = [load_pack(path).pack for path in paths]
    return {
        f"{pack.pack}/{one.id}": text_of(f"{pack.pack}/{one.id}", pack, one) for pack in packs for one in pack.rules
    }


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
