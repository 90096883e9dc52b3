"""What weakcode scrub prints: findings claim by claim, and the closing summary."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text
from weakcode.cli.common.output import say, say_json
from weakcode.codes.normalise import shown
from weakcode.findings import Finding, in_order
from weakcode.scrub.write.outcome import operation_outcome
from weakcode.visible import visible

if TYPE_CHECKING:
    from weakcode.scrub.groups import DrgCounts
    from weakcode.scrub.judge.rows import EvaluatedRecord
    from weakcode.scrub.summary import JudgedBy, Summary

_MOST_RULES = 20
_MOST_REMARKS = 5
"""On a file, that the printed summary repeats."""


def _print_text(judged: EvaluatedRecord) -> None:
    findings = _all(judged)
    if not findings:
        return
    record = judged.record
    named = visible(f"Claim {record.claim.id}") if record.claim.id else "A claim without id"
    codes = visible(" ".join(map(shown, record.claim.codes)))
    # `file:line:column` is what editors and terminals know how to jump to.
    where = record.spot_of()
    say(f"{click.style(named, bold=True, underline=True)}  {codes}  {visible(where + _in(record.place))}")
    for finding in findings:
        say(text.finding_text(finding))
        at, place = record.spot_of(finding.positions), record.place_of(finding.positions)
        if at != where or place != record.place:
            say(click.style(text.wrapped(f"{at}{_in(place)}", label="where:  "), dim=True))
    say()


def _print_json(judged: EvaluatedRecord, judged_by: JudgedBy) -> None:
    record = judged.record
    for finding in _all(judged):
        values = {
            "claim_id": record.claim.id,
            **finding.to_dict(),
            "edition": judged.verdict.edition,
            "file": record.file,
            "line": record.line_of(finding.positions),
            "place": record.place_of(finding.positions),
            **judged_by.columns(),
        }
        say_json(json.dumps(values, ensure_ascii=False))


def _print_fhir(judged: EvaluatedRecord, judged_by: JudgedBy) -> None:
    record = judged.record
    in_fhir = bool(record.places) and ".diagnosis[" in record.places[0]

    def expression(position: int) -> str:
        return record.place_of((position,) if position else ())

    about = [f"claim {record.claim.id}"] if record.claim.id else []
    about.append(f"{record.file}:{record.line}{'' if in_fhir else _in(record.place)}")
    findings = _all(judged)
    if findings:
        judgement = text.judgement(judged.verdict.edition, judged_by.engine, judged_by.packs, judged_by.notices)
        say_json(operation_outcome(findings, expression if in_fhir else None, about, judgement))


def _all(judged: EvaluatedRecord) -> list[Finding]:
    """Return the findings with those that were waived, in their order."""
    return in_order((*judged.verdict.findings, *judged.verdict.waived))


def _in(place: str) -> str:
    return f" {place}" if place else ""


def printer_for(as_format: str, judged_by: JudgedBy) -> Callable[[EvaluatedRecord], None]:
    """Return what prints the findings on one claim, by --format. In text the summary says what judged."""
    if as_format == "text":
        return _print_text
    return partial(_print_json if as_format == "json" else _print_fhir, judged_by=judged_by)


def summary_text(summary: Summary, rejects: str | None, *, all_rules: bool = False) -> str:
    """Return the closing summary; `rejects` is where the rejected rows were written.

    Without `all_rules` it has the most frequent ones.
    """
    unchanged = f"; {summary.unchanged:,} of them unchanged, not judged again" if summary.unchanged else ""
    claims = (
        f"{text.counted(summary.claims_in, 'claim')} in = {summary.evaluated:,} evaluated + "
        f"{summary.rejected:,} rejected; {summary.clean:,} clean{unchanged}; {summary.seconds:.1f} s"
    )
    waived = f"; {summary.waived:,} waived" if summary.waived else ""
    fixed = f"; {text.counted(summary.fixed, 'claim')} mended" if summary.fixed else ""
    findings = f"Findings: {text.counts_of(summary.by_severity)}{waived}{fixed}"
    parts = [text.bullets("Summary", [claims, findings])]
    if summary.by_rule:
        width = max(len(f"{number:,}") for number in summary.by_rule.values())
        rules = [f"{number:>{width},}  {rule}" for rule, number in summary.by_rule.items()]
        if not all_rules and len(rules) > _MOST_RULES:
            rules[_MOST_RULES:] = [f"{text.counted(len(rules) - _MOST_RULES, 'more rule')}; --all-rules shows them"]
        parts.append(text.bullets("By rule", rules))
    if summary.drg is not None:
        parts.append(text.bullets("DRG", _drgs(summary.drg)))
    notes = _notes(summary, rejects)
    if notes:
        parts.append(text.bullets("Note", notes))
    if summary.not_judged:
        parts.append(text.not_judged(map(str, summary.not_judged)))
    if summary.evaluated:
        parts.append(text.judged_by(", ".join(summary.editions), summary.engine, summary.packs))
    return "\n".join(parts)


def _drgs(counts: DrgCounts) -> list[str]:
    ungroupable = f", {counts.ungroupable:,} cannot be" if counts.ungroupable else ""
    claims = text.counted(counts.grouped, "inpatient claim")
    lines = [f"{claims} grouped{ungroupable}; safe fixes change {counts.changed:,}"]
    for one in counts.changes[:_MOST_RULES]:
        before, after = (f"{number} ({title})" if number else "none" for number, title in
                         ((one.before, one.before_title), (one.after, one.after_title)))  # fmt: skip
        lines.append(visible(f"{one.claim_id or 'a claim without id'}: {before} to {after}"))
    more = counts.changed - min(len(counts.changes), _MOST_RULES)
    lines += [f"{more:,} more"] * (more > 0)
    for number, what in (
        (counts.without_procedures, "grouped with no procedures: the claim says none"),
        (counts.without_discharge, "grouped as discharged home: the claim does not say how it ended"),
        (counts.unread, "with a procedure or discharge status that is none, which was left out"),
    ):
        lines += [f"{number:,} {what}"] * (number > 0)
    return lines


def _notes(summary: Summary, rejects: str | None) -> list[str]:
    notes = []
    if summary.rejected:
        where = "; ".join(f"{place} ({part})" for place, part in summary.first_rejected)
        more = summary.rejected - len(summary.first_rejected)
        where += f"; and {more:,} more" if more else ""
        reasons = f"{rejects} says why" if rejects else "--rejects FILE says why"
        notes.append(f"{text.counted(summary.rejected, 'row')} rejected, {reasons}: {where}")
    for kind, number in summary.without_diagnoses.items():
        claims = text.counted(number, f"{kind} claim")
        notes.append(f"{claims} without diagnoses, which such claims need not have: counted apart, and not evaluated")
    for file in summary.unread:
        notes.append(f"{file}: cannot be read, or not to its end; what was read of it is counted")
    for file, remarks in summary.remarks.items():
        notes += [f"{file}: {remark}" for remark in remarks[:_MOST_REMARKS]]
        if len(remarks) > _MOST_REMARKS:
            notes.append(f"{file}: {len(remarks) - _MOST_REMARKS} more remarks; --summary FILE has them")
    for file, columns in summary.ignored_columns.items():
        notes.append(f"{file}: not read, because not known: {', '.join(columns)}")
    for edition, number in summary.outside_editions.items():
        claims = text.counted(number, "claim")
        notes.append(f"{claims} of days before or after all known codes, judged by those of {edition}")
    return [*notes, *summary.idle_waivers, *summary.notices]
