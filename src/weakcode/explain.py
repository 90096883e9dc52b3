"""Why a claim got the verdict it got: every edit with a subject on the claim, its outcome and the reason.

The edits are read here one by one, apart from the engines. Where this reading and the engine that judged the claim do
not find the same violations, no explanation is given: an explanation of another verdict would mislead.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.spelling import stems
from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler
from weakcode.errors import EngineError
from weakcode.findings import Finding, Source
from weakcode.semantics.conditions import Condition, holds, unmet
from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.judged import JudgedClaim, at_positions
from weakcode.semantics.pointers import FIRST
from weakcode.semantics.terms import found_term
from weakcode.semantics.verbs import Verb, Where

if TYPE_CHECKING:
    from weakcode.validator import Verdict


class Outcome(enum.StrEnum):
    """What became of an edit on a claim."""

    VIOLATED = "violated"
    WAIVED = "waived"
    SUPERSEDED = "superseded"
    SATISFIED = "satisfied"
    NO_OBJECT = "object not on the claim"
    NOT_APPLICABLE = "not applicable"
    OFF = "off"


_FEW = 6
_ORDER = {outcome: number for number, outcome in enumerate(Outcome)}


@attrs.frozen
class Step:
    """One rule at one diagnosis: what came of it, and why.

    `position` is the subject's, 0 for the claim as a whole, and `code` stands there. `positions` are those of the
    finding, or of the diagnoses that the reason speaks of. `edits` counts the edits that came out alike, for rules that
    are made from notes one for each line of a note; `sources` are what they cite. `severity` is None where the rule is
    off, `by` the full id of the rule that supersedes this one.
    """

    rule: str
    severity: str | None
    outcome: Outcome
    reason: str
    position: int = 0
    code: str = ""
    positions: tuple[int, ...] = ()
    edits: int = 1
    sources: tuple[Source, ...] = ()
    by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON."""
        plain: dict[str, Any] = attrs.asdict(
            self, value_serializer=lambda _, __, v: list(v) if isinstance(v, tuple) else v
        )
        return plain | {"outcome": self.outcome.value}


@attrs.frozen
class Explanation:
    """A verdict with the steps that led to it, by subject position, then outcome, then rule id.

    `edits` counts all that the packs have for this edition; `edits_elsewhere` those of them without a subject on the
    claim, and `rules_elsewhere` the rules that have no other edits. Nothing is said of these.
    """

    verdict: Verdict
    steps: tuple[Step, ...]
    edits: int
    edits_elsewhere: int
    rules_elsewhere: int

    def of(self, rule: str) -> tuple[Step, ...]:
        """Return the steps of a rule by its full id."""
        return tuple(step for step in self.steps if step.rule == rule)

    def to_dict(self) -> dict[str, Any]:
        """Return the steps and counts, without the verdict, ready for JSON."""
        return {
            "steps": [step.to_dict() for step in self.steps],
            "edits": self.edits,
            "edits_elsewhere": self.edits_elsewhere,
            "rules_elsewhere": self.rules_elsewhere,
        }


@attrs.frozen
class _Read:
    """What an edit says of one subject. A violation has a hit, anything else a reason."""

    subject: int
    outcome: Outcome
    reason: str = ""
    positions: tuple[int, ...] = ()
    hit: Hit | None = None


class _Reader:
    """Reads the edits of one program on one claim."""

    def __init__(self, program: Program, edition: Edition, judged: JudgedClaim) -> None:
        self._program, self._edition, self._judged = program, edition, judged
        self.subjects: dict[int, list[int]] = {}
        self._objects: dict[int, list[int]] = {}
        for position, code_id in judged.distinct:
            as_subject, as_object = program.roles(code_id)
            for number in as_subject:
                # Without pointers a rule about them has no more to say than one without a subject.
                if judged.pointers is None and program.edit(number).asks_lines:
                    continue
                self.subjects.setdefault(number, []).append(position)
            for number in as_object:
                self._objects.setdefault(number, []).append(position)
        for number in program.claim_edits:
            if self._speaks(program.edit(number).condition):
                self.subjects[number] = []

    def _speaks(self, condition: Condition | None) -> bool:
        """Tell whether a claim-level edit is about this claim: what it names as its occasion is there."""
        if condition is None:
            return True
        if condition.pointer_off_claim and self._judged.pointers is None:
            return False
        occasions = attrs.evolve(Condition(), present=condition.present, first_listed=condition.first_listed)
        return holds(occasions, self._judged)

    def read(self, number: int) -> list[_Read]:
        """Return what an edit says of each of its subjects."""
        edit, judged = self._program.edit(number), self._judged
        at = self.subjects[number]
        if not holds(edit.condition, judged):
            reason = "; ".join(unmet(edit.condition or Condition(), judged, self._edition))
            return [_Read(i, Outcome.NOT_APPLICABLE, reason) for i in at or [0]]
        others = self._objects.get(number, [])
        if edit.verb is Verb.CLAIM_REQUIRE:
            if others:
                return [_Read(0, Outcome.SATISFIED, f"{at_positions(judged, others)} satisfies it", tuple(others))]
            return [_Read(0, Outcome.VIOLATED, hit=Hit(number, 0, 0))]
        unspoken = {**self._unspoken(edit, at), **self._not_pointed(edit, at)}
        said = [_Read(i, Outcome.NOT_APPLICABLE, reason) for i, reason in unspoken.items()]
        at = [i for i in at if i not in unspoken]
        if edit.verb is Verb.AT_MOST_ONE:
            return said + self._at_most_one(number, at)
        for i in at:
            said += self._one(number, edit, i, others)
        return said

    def _unspoken(self, edit: Edit, at: Sequence[int]) -> dict[int, str]:
        """Return why the documented texts are none of the edit's, by the position of their diagnosis."""
        reasons: dict[int, str] = {}
        if not edit.terms:
            return reasons
        rule = self._program.rules[edit.rule]
        for i in at:
            text = self._judged.claim.diagnoses[i - 1].text
            if not found_term(edit, rule, text, self._judged.ids[i - 1], self._edition):
                words = f"the documented text does not say {', '.join(edit.terms)} alone"
                reasons[i] = words if text else "no text is documented for it"
        return reasons

    def _not_pointed(self, edit: Edit, at: Sequence[int]) -> dict[int, str]:
        """Return why the service lines do not point as the edit wants, by the position of the diagnosis."""
        pointers = self._judged.pointers
        if edit.pointed is None or pointers is None:
            return {}
        reason = (
            "no service line points to it first"
            if edit.pointed == FIRST
            else "a service line points to it, or may have"
        )
        return {i: reason for i in at if not pointers.meets(edit.pointed, i)}

    def _at_most_one(self, number: int, at: Sequence[int]) -> list[_Read]:
        if len(at) < 2:
            return [_Read(i, Outcome.SATISFIED, "no other code of its kind is on the claim") for i in at]
        hits = [Hit(number, at[0], later) for later in at[1:]]
        first = [_Read(at[0], Outcome.VIOLATED, hit=hit) for hit in hits]
        return first + [_Read(hit.object, Outcome.VIOLATED, hit=hit) for hit in hits]

    def _one(self, number: int, edit: Edit, i: int, others: Sequence[int]) -> list[_Read]:
        verb = edit.verb
        if verb in (Verb.FORBID, Verb.REQUIRE, Verb.ORDER):
            apart = [j for j in others if j != i]
            read = {Verb.FORBID: self._forbid, Verb.REQUIRE: self._require, Verb.ORDER: self._order}[verb]
            return read(number, edit, i, others if verb is Verb.FORBID else apart)
        if verb is Verb.ONCE:
            again = [later for first, later in self._judged.repeats if first == i]
            said = [_Read(i, Outcome.VIOLATED, hit=Hit(number, i, later)) for later in again]
            return said or [_Read(i, Outcome.SATISFIED, "it stands once")]
        if verb is Verb.FIRST and i == 1:
            return [_Read(i, Outcome.SATISFIED, "it is first-listed")]
        if verb is Verb.SECONDARY and i != 1:
            return [_Read(i, Outcome.SATISFIED, "it is not first-listed")]
        return [_Read(i, Outcome.VIOLATED, hit=Hit(number, i, 0))]

    def _forbid(self, number: int, edit: Edit, i: int, others: Sequence[int]) -> list[_Read]:
        if i in others:
            return [_Read(i, Outcome.NOT_APPLICABLE, "it is one of the codes that may not stand with it itself")]
        related = [j for j in others if _related(edit.where, i, j)]
        if related:
            return [_Read(i, Outcome.VIOLATED, hit=Hit(number, i, j)) for j in related]
        if others:
            side = edit.where.name.lower()
            reason = f"only {side} it is forbidden, not where it stands: {at_positions(self._judged, others)}"
            return [_Read(i, Outcome.SATISFIED, reason, (i, *others))]
        return [_absent(edit, i, self._edition)]

    def _require(self, number: int, edit: Edit, i: int, others: Sequence[int]) -> list[_Read]:
        there = [j for j in others if _related(edit.where, i, j)]
        if not there:
            return [_Read(i, Outcome.VIOLATED, hit=Hit(number, i, 0))]
        side = "" if edit.where is Where.ANYWHERE else f", {edit.where.name.lower()} it,"
        return [_Read(i, Outcome.SATISFIED, f"{at_positions(self._judged, there)}{side} satisfies it", (i, *there))]

    def _order(self, number: int, edit: Edit, i: int, others: Sequence[int]) -> list[_Read]:
        if not others:
            return [_absent(edit, i, self._edition)]
        right = [j for j in others if _related(edit.where, i, j)]
        if right:
            reason = f"{at_positions(self._judged, right)} stands {edit.where.name.lower()} it"
            return [_Read(i, Outcome.SATISFIED, reason, (i, *right))]
        nearest = max(others) if edit.where is Where.AFTER else min(others)
        return [_Read(i, Outcome.VIOLATED, hit=Hit(number, i, nearest))]


def _related(where: Where, i: int, j: int) -> bool:
    return j != i if where is Where.ANYWHERE else (j < i) == (where is Where.BEFORE) and j != i


def _absent(edit: Edit, i: int, edition: Edition) -> _Read:
    words = edit.listed or "the codes that it names"
    if any(source.quote for source in edit.sources):
        words = "the codes that it names"
    elif not edit.object - CodeSet([(0, edition.size)]):
        # What a rule lists need not be its object: of right and left it lists the code for both.
        few = list(islice(stems(edit.object, edition), _FEW + 1))
        words = ", ".join(few) if 0 < len(few) <= _FEW else words
    return _Read(i, Outcome.NO_OBJECT, f"none of {words} is on the claim")


class _Sorter:
    """Tells what became of each hit: a finding, a waived one, or none because another rule says it better."""

    def __init__(self, program: Program, assembler: Assembler, judged: JudgedClaim, verdict: Verdict) -> None:
        self._program, self._assembler, self._judged = program, assembler, judged
        self._findings = _by_hit(verdict.findings)
        self._waived = _by_hit(verdict.waived)
        self.hits: set[Hit] = set()

    def sort(self, read: _Read, hit: Hit) -> tuple[_Read, str | None]:
        """Return the reading with its outcome and reason, and the full id of the rule that supersedes it."""
        edit = self._program.edit(hit.edit)
        rule = self._program.rules[edit.rule].id
        for outcome, known in ((Outcome.VIOLATED, self._findings), (Outcome.WAIVED, self._waived)):
            there = known.get((rule, _pair(hit, edit)), ())
            if there:
                # Several edits of a rule can find the same diagnoses; each is told in its own words.
                own = {finding.message for finding in self._assembler.findings(self._judged, [hit])}
                found = next((finding for finding in there if finding.message in own), there[0])
                reason = found.message
                if found.waiver is not None:
                    reason = f"{reason} Waived by {found.waiver.who}: {found.waiver.reason}"
                return attrs.evolve(read, outcome=outcome, reason=reason, positions=found.positions), None
        by = self._superseded_by(hit, edit, rule)
        positions = tuple(at for at in hit[1:] if at)
        return attrs.evolve(read, outcome=Outcome.SUPERSEDED, reason=f"{by} says it", positions=positions), by

    def _superseded_by(self, hit: Hit, edit: Edit, rule: str) -> str:
        rule_of = self._program.rule_of_edit
        for number, other in enumerate(self._program.rules):
            if rule in other.supersedes:
                both = [one for one in self.hits if rule_of[one.edit] in (edit.rule, number)]
                # The assembler knows what superseding means; with these two rules alone it tells which one it was.
                left = _by_hit(self._assembler.findings(self._judged, both))
                if (rule, _pair(hit, edit)) not in left:
                    return other.id
        raise EngineError(f"a violation of {rule} became no finding, and no rule that supersedes it was found")


def _pair(hit: Hit, edit: Edit) -> frozenset[int] | tuple[int, ...]:
    """Return what tells the finding of a hit from others of its rule."""
    positions = tuple(at for at in hit[1:] if at)
    return frozenset(positions) if edit.verb is Verb.FORBID and edit.where is Where.ANYWHERE else positions


def _by_hit(findings: Sequence[Finding]) -> dict[tuple[str, frozenset[int] | tuple[int, ...]], list[Finding]]:
    found: dict[tuple[str, frozenset[int] | tuple[int, ...]], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.rule, finding.positions), []).append(finding)
        found.setdefault((finding.rule, frozenset(finding.positions)), []).append(finding)
    return found


def explain(
    judged: JudgedClaim,
    verdict: Verdict,
    program: Program,
    edition: Edition,
    assembler: Assembler,
    hits: Sequence[Hit],
    why_off: Callable[[CompiledRule], str],
) -> Explanation:
    """Return why a claim got its verdict. `hits` are what the engine found, `why_off` words why a rule is off.

    Raises EngineError where the engine and the reading of the edits one by one disagree.
    """
    payer = judged.claim.payer
    severities = {number: assembler.severity_of(number, payer) for number in range(len(program.rules))}
    rule_of = program.rule_of_edit
    reader = _Reader(program, edition, judged)
    sorter = _Sorter(program, assembler, judged, verdict)
    chosen = len(program.chosen_edits)
    reads: list[tuple[int, _Read]] = []
    for number, at in reader.subjects.items():
        if severities[rule_of[number]] is None:
            reason = why_off(program.rules[rule_of[number]])
            reads += [(number, _Read(i, Outcome.OFF, reason)) for i in at or [0]]
        else:
            reads += [(number, read) for read in reader.read(number)]
    sorter.hits = {read.hit for _, read in reads if read.hit is not None}
    found = {hit for hit in hits if severities[rule_of[hit.edit]] is not None}
    if found != sorter.hits:
        odd = min(program.rules[rule_of[hit.edit]].id for hit in found ^ sorter.hits)
        raise EngineError(f"the engine and the reading of its edits disagree about {odd} on this claim; report it")
    return Explanation(
        verdict=verdict,
        steps=_steps(reads, sorter, assembler, program, severities, judged),
        edits=chosen,
        edits_elsewhere=chosen - len(reader.subjects),
        rules_elsewhere=len(program.present) - len({rule_of[number] for number in reader.subjects}),
    )


def _steps(
    reads: Sequence[tuple[int, _Read]],
    sorter: _Sorter,
    assembler: Assembler,
    program: Program,
    severities: Mapping[int, str | None],
    judged: JudgedClaim,
) -> tuple[Step, ...]:
    grouped: dict[tuple[int, _Read, str | None], list[Edit]] = {}
    for number, read in reads:
        by = None
        if read.hit is not None:
            read, by = sorter.sort(read, read.hit)
            read = attrs.evolve(read, hit=None)
        edit = program.edit(number)
        grouped.setdefault((edit.rule, read, by), []).append(edit)
    steps = [
        Step(
            rule=program.rules[rule].id,
            severity=severities[rule],
            outcome=read.outcome,
            reason=read.reason,
            position=read.subject,
            code=judged.claim.codes[read.subject - 1] if read.subject else "",
            positions=read.positions or ((read.subject,) if read.subject else ()),
            edits=len(edits),
            sources=assembler.sources(edits, judged.claim.codes[read.positions[1] - 1] if read.positions[1:] else ""),
            by=by,
        )
        for (rule, read, by), edits in grouped.items()
    ]
    return tuple(sorted(steps, key=lambda s: (s.position, _ORDER[s.outcome], s.rule, s.positions, s.reason)))
