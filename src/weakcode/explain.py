"""Why a claim got the verdict it got: every edit with a subject on the claim, its outcome and the reason.

The edits are read one by one by the reference (`weakcode.semantics.reference`). Where it and the engine that judged the
claim do not find the same violations, no explanation is given: an explanation of another verdict would mislead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.coverage.judging import ADVICE, LineReading
from weakcode.engines.findings import Assembler
from weakcode.errors import EngineError
from weakcode.findings import Finding, Source
from weakcode.semantics.conditions import Condition, holds
from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.reference import Outcome, Reading, read
from weakcode.semantics.supersede import findings
from weakcode.semantics.verbs import Verb, Where

if TYPE_CHECKING:
    from weakcode.validator import Verdict


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

    def _repr_html_(self) -> str:
        """Return verdict and steps as tables, for notebooks."""
        from weakcode.base.notebook import explanation_html

        return explanation_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the steps and counts, without the verdict, ready for JSON."""
        return {
            "steps": [step.to_dict() for step in self.steps],
            "edits": self.edits,
            "edits_elsewhere": self.edits_elsewhere,
            "rules_elsewhere": self.rules_elsewhere,
        }


def _edits_about(judged: JudgedClaim, program: Program) -> list[int]:
    """Return the edits that have a subject on the claim, and those about the claim whose occasion is there."""
    about: set[int] = set()
    for _, code_id in judged.distinct:
        # Without pointers a rule about them has no more to say than one without a subject; the same of indicators.
        as_subject = program.roles(code_id)[0]
        about.update(n for n in as_subject if _may_speak(judged, program.edit(n)))
    about.update(number for number in program.claim_edits if _applies(program.edit(number).condition, judged))
    return sorted(about)


def _may_speak(judged: JudgedClaim, edit: Edit) -> bool:
    return (judged.pointers is not None or not edit.asks_lines) and (judged.has_poa or not edit.asks_poa)


def _applies(condition: Condition | None, judged: JudgedClaim) -> bool:
    """Tell whether a claim-level edit is about this claim: what it names as its occasion is there."""
    if condition is None:
        return True
    if bool(condition.faults) and judged.pointers is None:
        return False
    return holds(attrs.evolve(Condition(), present=condition.present, first_listed=condition.first_listed), judged)


class _Sorter:
    """Tells what became of each hit: a finding, a waived one, or none because another rule says it better."""

    def __init__(
        self,
        program: Program,
        assembler: Assembler,
        judged: JudgedClaim,
        verdict: Verdict,
        superseded: Mapping[Hit, int],
    ) -> None:
        self._program, self._assembler, self._judged = program, assembler, judged
        self._superseded = superseded
        self._findings = _by_hit(verdict.findings)
        self._waived = _by_hit(verdict.waived)

    def sort(self, reading: Reading, hit: Hit) -> tuple[Reading, str | None]:
        """Return the reading with its outcome and reason, and the full id of the rule that supersedes it."""
        edit = self._program.edit(hit.edit)
        rule = self._program.rules[edit.rule].id
        for outcome, known in ((Outcome.VIOLATED, self._findings), (Outcome.WAIVED, self._waived)):
            there = known.get((rule, _pair(hit, edit)), ())
            if there:
                # Several edits of a rule can find the same diagnoses; each is explained in its own words.
                own = {finding.message for finding in self._assembler.findings(self._judged, [hit])}
                found = next((finding for finding in there if finding.message in own), there[0])
                reason = found.message
                if found.waiver is not None:
                    reason = f"{reason} Waived by {found.waiver.who}: {found.waiver.reason}"
                return attrs.evolve(reading, outcome=outcome, reason=reason, positions=found.positions), None
        if hit not in self._superseded:
            raise EngineError(f"a violation of {rule} became no finding, and no rule that supersedes it was found")
        by = self._program.rules[self._superseded[hit]].id
        positions = tuple(at for at in hit[1:] if at)
        return attrs.evolve(reading, outcome=Outcome.SUPERSEDED, reason=f"{by} says it", positions=positions), by


def _pair(hit: Hit, edit: Edit) -> frozenset[int] | tuple[int, ...]:
    """Return what distinguishes the finding of a hit from others of its rule."""
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
    payer = judged.payer
    severities = {number: assembler.severity_of(number, payer) for number in range(len(program.rules))}
    rule_of = program.rule_of_edit
    about = _edits_about(judged, program)
    chosen = len(program.chosen_edits)
    reads: list[tuple[int, Reading]] = []
    for number in about:
        edit, rule = program.edit(number), program.rules[rule_of[number]]
        if severities[rule_of[number]] is None:
            at = [i for i, code in judged.distinct if code in edit.subject]
            reads += [(number, Reading(i, Outcome.OFF, why_off(rule))) for i in at or [0]]
        else:
            reads += [(number, reading) for reading in read(number, edit, rule, judged, edition)]
    read_hits = {reading.hit for _, reading in reads if reading.hit is not None}
    found = {hit for hit in hits if severities[rule_of[hit.edit]] is not None}
    if found != read_hits:
        differing = min(program.rules[rule_of[hit.edit]].id for hit in found ^ read_hits)
        raise EngineError(
            f"the engine and the reading of its edits disagree about {differing} on this claim; report it"
        )
    superseded = findings(found, program.edit, program.rules, lambda number: severities[number] is not None).superseded
    sorter = _Sorter(program, assembler, judged, verdict, superseded)
    return Explanation(
        verdict=verdict,
        steps=_steps(reads, sorter, assembler, program, severities, judged),
        edits=chosen,
        edits_elsewhere=chosen - len(about),
        rules_elsewhere=len(program.present) - len({rule_of[number] for number in about}),
    )


def _steps(
    reads: Sequence[tuple[int, Reading]],
    sorter: _Sorter,
    assembler: Assembler,
    program: Program,
    severities: Mapping[int, str | None],
    judged: JudgedClaim,
) -> tuple[Step, ...]:
    grouped: dict[tuple[int, Reading, str | None], list[Edit]] = {}
    for number, reading in reads:
        by = None
        if reading.hit is not None:
            reading, by = sorter.sort(reading, reading.hit)
            reading = attrs.evolve(reading, hit=None)
        edit = program.edit(number)
        grouped.setdefault((edit.rule, reading, by), []).append(edit)
    codes = judged.claim.codes
    steps = [
        Step(
            rule=program.rules[rule].id,
            severity=severities[rule],
            outcome=reading.outcome,
            reason=reading.reason,
            position=reading.subject,
            code=codes[reading.subject - 1] if reading.subject else "",
            positions=reading.positions or ((reading.subject,) if reading.subject else ()),
            edits=len(edits),
            sources=assembler.sources(edits, codes[reading.positions[1] - 1] if reading.positions[1:] else ""),
            by=by,
        )
        for (rule, reading, by), edits in grouped.items()
    ]
    return _in_order(steps)


def _in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda s: (s.position, _ORDER[s.outcome], s.rule, s.positions, s.reason)))


def with_coverage(
    explained: Explanation,
    readings: Iterable[LineReading],
    codes: Sequence[str],
    severity_of: Callable[[str], str | None],
) -> Explanation:
    """Return an explanation that also says what coverage policies made of the service lines."""
    waived = {(one.rule, one.message): one for one in explained.verdict.waived}
    steps = []
    for reading in readings:
        severity, outcome, reason = severity_of(reading.rule), reading.outcome, reading.reason
        waiver = waived.get((reading.rule, reason)) if outcome is Outcome.VIOLATED else None
        if severity is None:
            outcome = Outcome.OFF
        elif waiver is not None and waiver.waiver is not None:
            outcome = Outcome.WAIVED
            reason = f"{reason} Waived by {waiver.waiver.who}: {waiver.waiver.reason}"
        elif reading.is_advice:
            severity = ADVICE
        at = reading.positions[0] if reading.positions else 0
        code = codes[at - 1] if at else ""
        steps.append(Step(reading.rule, severity, outcome, reason, at, code, reading.positions, 1, reading.sources))
    return attrs.evolve(explained, steps=_in_order((*explained.steps, *steps)))
