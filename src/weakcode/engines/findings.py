"""Violations become findings: merged, superseded, worded and put in order. The same for every engine."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import NamedTuple

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.ids import key_of, unique
from weakcode.engines.kernel._kernel import Maker, Merger, finding_id
from weakcode.engines.wording import NamedInFinding, Wording
from weakcode.findings import SAFE_ACTIONS, Finding, Fix, Severity, Source
from weakcode.semantics.edits import CompiledRule, Edit, EditFix, Hit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.pointers import lines_about
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import FORMS, Verb, Where

_MOST_WORDED = 20_000
_MOST_PAYERS = 65_536
_LABELS = ("", *(severity.label for severity in sorted(Severity)))
_finding = Maker(Finding)
_fix = Maker(Fix)
_ACTIONS = {
    "drop-repeat": ("drop-repeat", "object"),
    "remove-subject": ("remove", "subject"),
    "remove-object": ("remove", "object"),
    "replace-subject": ("replace", "subject"),
    "add": ("add", ""),
}
"""The action of a fix, and whose position it touches, by the action of a rule file."""


class _Words(NamedTuple):
    """What a finding says wherever its codes stand; `mend` is the sentence of its fix, should there be one."""

    message: str
    codes: tuple[str, ...]
    sources: tuple[Source, ...]
    mend: str
    key: bytes


class Assembler:
    """Words the hits on a claim as findings.

    `severity_of` gives the severity of a rule for a payer, or None where the payer's profile switches it off. `merger`
    is what merges hits, drops superseded ones and puts the rest in order, for single claims and batches.
    """

    def __init__(
        self, program: Program, edition: Edition, severity_of: Callable[[int, str | None], str | None]
    ) -> None:
        self._program = program
        self._edition = edition
        self.wording = Wording(program, edition)
        self.merger = Merger(*_rule_columns(program))
        self.severity_of = severity_of
        self._severities: dict[str | None, bytes] = {}
        self._worded: dict[tuple[object, ...], _Words] = {}
        self._naming: dict[int, tuple[Edit, CompiledRule]] = {}

    def severities(self, payer: str | None) -> bytes:
        """Return a byte for each rule: its `Severity` for a payer, 0 where it is off."""
        found = self._severities.get(payer)
        if found is None:
            labels = (self.severity_of(number, payer) for number in range(len(self._program.rules)))
            found = bytes(Severity.parse(label).rank if label else 0 for label in labels)
            if len(self._severities) >= _MOST_PAYERS:
                self._severities.clear()
            self._severities[payer] = found
        return found

    def findings(self, judged: JudgedClaim, hits: Iterable[Hit]) -> tuple[Finding, ...]:
        """Return the findings by subject position, then rule id, then object position."""
        severities = self.severities(judged.payer)
        merged = self.merger.merged(hits, severities)
        claim_id = (judged.claim.id or "").encode("utf-8", "surrogatepass")
        findings = tuple([self._finding(judged, severities, claim_id, *one) for one in merged])
        has_distinct_ids = len(findings) < 2 or len({one.id for one in findings}) == len(findings)
        return findings if has_distinct_ids else unique(findings)

    def sources(self, edits: Iterable[Edit], other: str) -> tuple[Source, ...]:
        """Return what the edits of one finding cite for `other`, its object, each once."""
        return self.wording.sources(edits, other)

    def _finding(
        self,
        judged: JudgedClaim,
        severities: bytes,
        claim_id: bytes,
        numbers: tuple[int, ...],
        subject: int,
        other: int,
    ) -> Finding:
        """Return the finding of these edits, of which the first names it, on the positions of subject and object."""
        edit, rule = self._naming.get(numbers[0]) or self._named_by(numbers[0])
        misplaced = 0 if other else self._misplaced(judged, edit, subject)
        codes = judged.claim.codes
        first, second = codes[subject - 1] if subject else "", codes[other - 1] if other else ""
        key = (numbers, first, second, codes[misplaced - 1] if misplaced else "")
        words = self._worded.get(key) or self._word(judged, subject, *key)
        fix = edit.fix
        return _finding(
            rule.id,
            _LABELS[severities[edit.rule]],
            words.message,
            words.codes,
            (subject, other) if other else (subject,) if subject else (),
            words.sources,
            None if fix is None else self._fix(judged, edit, fix, subject, other, misplaced, words.mend),
            None,
            None,
            rule.confidence,
            rule.title,
            finding_id(words.key, subject, other, claim_id),
        )

    def _named_by(self, number: int) -> tuple[Edit, CompiledRule]:
        edit = self._program.edit(number)
        known = self._naming[number] = (edit, self._program.rules[edit.rule])
        return known

    def _misplaced(self, judged: JudgedClaim, edit: Edit, subject: int) -> int:
        """Return the position of the first required code that stands on the wrong side, or 0."""
        if edit.where is Where.ANYWHERE:
            return 0
        return next((j for j, code in judged.distinct if j != subject and code in edit.object), 0)

    @staticmethod
    def _candidates(judged: JudgedClaim, edit: Edit, subject: int) -> int:
        return sum(j != subject and code in edit.object for j, code in judged.distinct)

    def _word(
        self, judged: JudgedClaim, subject: int, numbers: tuple[int, ...], first: str, second: str, third: str
    ) -> _Words:
        """Word a finding on these codes, and remember it where it depends on nothing but edits and codes."""
        edit = self._program.edit(numbers[0])
        named, other, stray = map(self.wording.named, (first, second, third))
        term, lines = self._term(judged, edit, subject), ""
        if edit.asks_lines:
            lines = lines_about(edit, judged.claim.lines, judged.claim.codes, subject, judged.ids)
        message, text = self.wording.words(numbers, named, other, stray, term, lines)
        codes = tuple(one.shown for one in (named, other) if one.shown)
        key = key_of(self._program.rules[edit.rule].id, codes)
        words = _Words(message, codes, text.sources, self.mend(edit, named, other, stray), key)
        if not edit.terms and not edit.asks_lines and len(self._worded) < _MOST_WORDED:
            self._worded[numbers, first, second, third] = words
        return words

    def _term(self, judged: JudgedClaim, edit: Edit, subject: int) -> str:
        if not edit.terms or not subject:
            return ""
        text = judged.claim.diagnoses[subject - 1].text
        return found_term(edit, self._program.rules[edit.rule], text, judged.ids[subject - 1], self._edition) or ""

    def mend(self, edit: Edit, subject: NamedInFinding, other: NamedInFinding, stray: NamedInFinding) -> str:
        """Return the sentence of the fix that an edit may allow; empty where there is none."""
        fix = edit.fix
        if fix is None:
            return ""
        moved = stray.shown or other.shown
        if fix.action == "resequence" and moved:
            ahead = edit.where is not Where.AFTER
            return f"Put {moved} before {subject.shown}." if ahead else f"Put {subject.shown} before {moved}."
        if fix.text:
            return fix.text
        if fix.action == "resequence":
            place = "first" if edit.verb is Verb.FIRST else "after another diagnosis"
            return f"List {subject.shown} {place}."
        if fix.action == "drop-repeat":
            return f"Report {subject.shown} once."
        if fix.action == "remove-subject":
            return f"Remove {subject.shown}."
        if fix.action == "remove-object":
            return f"Remove {other.shown}."
        code = self.wording.named(fix.code or "").described
        return f"Report {code} instead of {subject.shown}." if fix.action == "replace-subject" else f"Add {code}."

    def _fix(
        self, judged: JudgedClaim, edit: Edit, fix: EditFix, subject: int, other: int, stray: int, mend: str
    ) -> Fix | None:
        """Return the fix that an edit allows on this claim, with its sentence; None where nothing can be moved."""
        if fix.action == "resequence":
            return self._resequencing(judged, edit, subject, stray or other, mend)
        action, at = _ACTIONS[fix.action]
        positions = (subject,) if at == "subject" else (other,) if at == "object" else ()
        return _fix(action, mend, fix.action in SAFE_ACTIONS, positions, fix.code)

    def _resequencing(self, judged: JudgedClaim, edit: Edit, subject: int, moved: int, mend: str) -> Fix | None:
        if moved:
            # With a choice of codes to move, only the record tells which one belongs there.
            safe = not FORMS[edit.verb].asks_object or self._candidates(judged, edit, subject) == 1
            return _fix("resequence", mend, safe, (subject, moved), None)
        if edit.verb in (Verb.FIRST, Verb.SECONDARY) and len(judged.distinct) > 1:
            others = [position for position, _ in judged.distinct if position != subject]
            # Which of several other diagnoses comes first is for the record to say.
            return _fix("resequence", mend, len(others) == 1, (subject, *others[: len(others) == 1]), None)
        return None


def _rule_columns(program: Program) -> tuple[array[int], bytes, array[int], array[int], array[int]]:
    """Return the rules of a program in the form in which the kernel merges and orders findings."""
    rules, numbers = program.rules, program.rule_numbers
    rule_of, either_way = program.merging
    rank = array("i", [0]) * len(rules)
    for place, number in enumerate(sorted(range(len(rules)), key=lambda number: rules[number].id)):
        rank[number] = place
    bounds, replaced = array("i", [0]), array("i")
    for rule in rules:
        replaced.extend(numbers[name] for name in rule.supersedes if name in numbers)
        bounds.append(len(replaced))
    return rule_of, either_way, rank, bounds, replaced
