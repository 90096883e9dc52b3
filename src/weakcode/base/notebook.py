"""Verdicts and explanations as HTML, as notebooks show them; all text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from weakcode.visible import visible

if TYPE_CHECKING:
    from weakcode.explain import Explanation
    from weakcode.findings import Finding, Verdict


def _text(words: str) -> str:
    return escape(visible(words))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{_text(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _finding(finding: Finding) -> list[str]:
    places = zip(finding.codes, finding.positions, strict=False)
    where = ", ".join(f"{code} at {position}" for code, position in places) or "whole claim"
    parts = [_text(finding.message)]
    parts += [f"<small>{_text(source)}</small>" for source in finding.cited]
    if finding.waiver:
        parts.append(f"<small>{_text(f'waived by {finding.waiver.who}: {finding.waiver.reason}')}</small>")
    elif finding.fix:
        parts.append(f"<small>{_text(f'fix: {finding.fix.description}')}</small>")
    severity = "waived" if finding.waiver else finding.severity
    return [_text(severity), f"<code>{_text(finding.rule)}</code>", _text(where), "<br>".join(parts)]


def verdict_html(verdict: Verdict) -> str:
    """Return the findings as a table, and below it what judged and what a reader must know of that."""
    findings = (*verdict.findings, *verdict.waived)
    heads = ("severity", "rule", "where", "what")
    table = _table(heads, map(_finding, findings)) if findings else "<p>No findings.</p>"
    judged = f"Judged by ICD-10-CM {verdict.edition}, packs {', '.join(verdict.packs)}, {verdict.engine} engine."
    notes = [judged, *(f"Note: {notice}." for notice in verdict.all_notices)]
    return table + "".join(f"<p><small>{_text(note)}</small></p>" for note in notes)


def explanation_html(explained: Explanation) -> str:
    """Return the verdict, and what became of every edit about the claim's codes as a table."""
    rows = [
        [
            _text(f"{step.code} at {step.position}" if step.position else "whole claim"),
            _text(step.outcome.value),
            f"<code>{_text(step.rule)}</code>",
            _text(step.reason),
        ]
        for step in explained.steps
    ]
    return verdict_html(explained.verdict) + _table(("where", "outcome", "rule", "why"), rows)
