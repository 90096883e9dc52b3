"""Violations become findings: merged, superseded, worded and put in order. The same for every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from weakcode.codes.edition import Edition
from weakcode.codes.normalise import shown
from weakcode.compile.conditions import JudgedClaim, found_term, lines_meant
from weakcode.compile.edits import Edit, Hit, Verb, Where
from weakcode.compile.program import Program
from weakcode.engines.wording import Wording
from weakcode.findings import Finding, Fix, Source

_MOST_WORDED = 20_000
SAFE_ACTIONS = frozenset({"resequence", "drop-repeat"})


@attrs.define
class _Merged:
    """The hits that make up one finding: the first names it, the others add their sources."""

    hit: Hit
    rule: int
    edits: list[Edit]
    numbers: list[int]


class Assembler:
    """Words the hits on a claim as findings.

    `severity_of` gives the severity of a rule for a payer, or None where the payer's profile switches it off.
    """

    def __init__(
        self, program: Program, edition: Edition, severity_of: Callable[[int, str | None], str | None]
    ) -> None:
        self._program = program
        self._edition = edition
        self.wording = Wording(program, edition)
        self._worded: dict[tuple[object, ...], tuple[str, tuple[Source, ...]]] = {}
        self.severity_of = severity_of
        numbers = program.rule_numbers
        self._replaces = {
            number: frozenset(numbers[name] for name in rule.supersedes if name in numbers)
            for number, rule in enumerate(program.rules)
        }

    def findings(self, judged: JudgedClaim, hits: Iterable[Hit]) -> tuple[Finding, ...]:
        """Return the findings by subject position, then rule id, then object position."""
        payer = judged.claim.payer
        severities: dict[int, str | None] = {}
        merged: dict[tuple[int, ...], _Merged] = {}
        for hit in sorted(hits, key=lambda hit: (hit.subject, hit.object, hit.edit)):
            edit = self._program.edit(hit.edit)
            if edit.rule not in severities:
                severities[edit.rule] = self.severity_of(edit.rule, payer)
            if severities[edit.rule] is None:
                continue
            if edit.verb is Verb.FORBID and edit.where is Where.ANYWHERE:
                # One finding for two codes, even where each forbids the other: the earlier one is its subject.
                key = (edit.rule, -1, min(hit[1:]), max(hit[1:]))
            else:
                key = (edit.rule, hit.edit, hit.subject, hit.object)
            if key in merged:
                merged[key].edits.append(edit)
                merged[key].numbers.append(hit.edit)
            else:
                merged[key] = _Merged(hit, edit.rule, [edit], [hit.edit])
        kept = self._without_superseded(list(merged.values()))
        rules = self._program.rules
        kept.sort(key=lambda m: (m.hit.subject, rules[m.rule].id, m.hit.object, m.hit.edit))
        return tuple(self._finding(judged, m, severities[m.rule] or "") for m in kept)

    def _without_superseded(self, merged: list[_Merged]) -> list[_Merged]:
        if len(merged) < 2:
            return merged
        return [
            generic
            for generic in merged
            if not any(
                generic.rule in self._replaces[specific.rule] and _same_problem(specific.hit, generic.hit)
                for specific in merged
            )
        ]

    def sources(self, edits: Iterable[Edit], other: str) -> tuple[Source, ...]:
        """Return what the edits of one finding cite for `other`, its object, each once."""
        return self.wording.sources(edits, other)

    def _finding(self, judged: JudgedClaim, merged: _Merged, severity: str) -> Finding:
        hit, edit = merged.hit, merged.edits[0]
        rule = self._program.rules[merged.rule]
        positions = tuple(position for position in hit[1:] if position)
        codes = judged.claim.codes
        stray = self._misplaced(judged, edit, hit.subject)
        message, sources = self._words(judged, merged, stray)
        return Finding(
            rule=rule.id,
            severity=severity,
            message=message,
            codes=tuple(shown(codes[position - 1]) for position in positions),
            positions=positions,
            sources=sources,
            fix=self._fix(judged, edit, hit, stray),
        )

    def _misplaced(self, judged: JudgedClaim, edit: Edit, subject: int) -> int:
        """Return the position of the first required code that stands on the wrong side, or 0."""
        if edit.verb is not Verb.REQUIRE or edit.where is Where.ANYWHERE:
            return 0
        return next((j for j, code in judged.distinct if j != subject and code in edit.object), 0)

    @staticmethod
    def _candidates(judged: JudgedClaim, edit: Edit, subject: int) -> int:
        return sum(j != subject and code in edit.object for j, code in judged.distinct)

    def _words(self, judged: JudgedClaim, merged: _Merged, stray: int) -> tuple[str, tuple[Source, ...]]:
        """Return message and sources, from memory where they depend on nothing but edits and codes."""
        hit, edit, codes = merged.hit, merged.edits[0], judged.claim.codes
        subject, other, found = (codes[at - 1] if at else "" for at in (hit.subject, hit.object, stray))
        key = (*merged.numbers, subject, other, found)
        said = self._worded.get(key)
        if said is None:
            term, lines = self._term(judged, edit, hit.subject), ""
            if edit.asks_lines:
                lines = lines_meant(edit, judged.claim.lines, codes, hit.subject)
            first, second, third = map(self.wording.named, (subject, other, found))
            message, cited = self.wording.words(tuple(merged.numbers), first, second, third, term, lines)
            said = message, cited.sources
            if not edit.terms and not edit.asks_lines and len(self._worded) < _MOST_WORDED:
                self._worded[key] = said
        return said

    def _term(self, judged: JudgedClaim, edit: Edit, subject: int) -> str:
        if not edit.terms or not subject:
            return ""
        text = judged.claim.diagnoses[subject - 1].text
        return found_term(edit, self._program.rules[edit.rule], text, judged.ids[subject - 1], self._edition) or ""

    def _fix(self, judged: JudgedClaim, edit: Edit, hit: Hit, stray: int) -> Fix | None:
        fix = edit.fix
        if fix is None:
            return None
        codes = tuple(map(shown, judged.claim.codes))
        subject = codes[hit.subject - 1] if hit.subject else ""
        other = codes[hit.object - 1] if hit.object else ""
        safe = fix.action in SAFE_ACTIONS
        if fix.action == "resequence":
            moved = stray or hit.object
            if moved:
                # With a choice of codes to move, only the record tells which one belongs there.
                safe = edit.verb is not Verb.REQUIRE or self._candidates(judged, edit, hit.subject) == 1
                ahead = edit.where is not Where.AFTER
                first, second = (codes[moved - 1], subject) if ahead else (subject, codes[moved - 1])
                return Fix("resequence", f"Put {first} before {second}.", safe, (hit.subject, moved))
            if edit.verb in (Verb.FIRST, Verb.SECONDARY) and len(judged.distinct) > 1:
                text = fix.text or (
                    f"List {subject} first." if edit.verb is Verb.FIRST else f"List {subject} after another diagnosis."
                )
                others = [position for position, _ in judged.distinct if position != hit.subject]
                # Which of several other diagnoses comes first is for the record to say.
                return Fix("resequence", text, len(others) == 1, (hit.subject, *others[: len(others) == 1]))
            return None
        if fix.action == "drop-repeat":
            return Fix("drop-repeat", fix.text or f"Report {subject} once.", safe, (hit.object,))
        if fix.action == "remove-subject":
            return Fix("remove", fix.text or f"Remove {subject}.", safe, (hit.subject,))
        if fix.action == "remove-object":
            return Fix("remove", fix.text or f"Remove {other}.", safe, (hit.object,))
        if fix.action == "replace-subject":
            text = fix.text or f"Report {self.wording.named(fix.code or '').described} instead of {subject}."
            return Fix("replace", text, safe, (hit.subject,), fix.code)
        return Fix("add", fix.text or f"Add {self.wording.named(fix.code or '').described}.", safe, (), fix.code)


def _same_problem(specific: Hit, generic: Hit) -> bool:
    """Two pairs are one problem when they are the same two diagnoses, otherwise when the subject is the same."""
    if specific.object and generic.object:
        return {*specific[1:]} == {*generic[1:]}
    return specific.subject == generic.subject
