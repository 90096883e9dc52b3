"""Findings and counts as text for people. Colours go away by themselves where the output is no terminal."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping

import click

from weakcode.cli.common.output import on_terminal
from weakcode.errors import counted as counted
from weakcode.findings import Finding, Severity, Verdict
from weakcode.notices import judged_by as judged_by
from weakcode.notices import judgement as judgement
from weakcode.visible import visible

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}
_INDENT = " " * 9


def wrapped(text: str, indent: str = _INDENT, label: str = "") -> str:
    """Return the text with an indent: folded to the terminal's width, on one line where it is piped."""
    text = visible(text)
    first = indent + label
    if not on_terminal(sys.stdout):
        return first + text
    width = min(shutil.get_terminal_size().columns, 110)
    return textwrap.fill(
        text,
        width=max(width, 40),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
        break_long_words=False,
    )


def finding_text(finding: Finding) -> str:
    """Return a finding in lines: severity, rule and place; message; on whose word; denial risk; what mends it.

    A waived finding says so in place of its severity, and by whom and why in place of what mends it.
    """
    if finding.waiver:
        severity = click.style("waived  ", dim=True, bold=True)
    else:
        severity = click.style(f"{finding.severity:<8}", fg=_COLOURS.get(finding.severity), bold=True)
    lines = [
        f"{severity} {click.style(finding.rule, bold=True)}  {_place(finding)}{_depends(finding)}",
        wrapped(finding.message),
    ]
    if finding.sources:
        sources = "; ".join(finding.cited)
        lines.append(click.style(wrapped(sources, label="source: "), dim=True))
    if finding.denial_risk:
        lines.append(click.style(wrapped(str(finding.denial_risk)), fg="magenta"))
    if finding.fix and not finding.waiver:
        lines.append(click.style(wrapped(finding.fix.description, label="fix:    "), fg="green"))
    if finding.waiver:
        until = f" until {finding.waiver.until}" if finding.waiver.until else ""
        lines.append(wrapped(f"{finding.waiver.who}{until}: {finding.waiver.reason}", label="waived by "))
    return "\n".join(lines)


def _depends(finding: Finding) -> str:
    return click.style("  depends on the record", dim=True) if finding.confidence == "record" else ""


def _place(finding: Finding) -> str:
    if not finding.positions:
        return "whole claim"
    pairs = [f"{code} at {position}" for code, position in zip(finding.codes, finding.positions, strict=False)]
    return visible(", ".join(pairs))


def counts_of(severities: Mapping[str, int]) -> str:
    """Return `2 errors, 1 warning`, or `no findings`."""
    parts = []
    for severity in sorted(Severity, reverse=True):
        number = severities.get(severity.label, 0)
        if number:
            name = severity.label if severity is Severity.INFO else None
            parts.append(counted(number, severity.label, name))
    return ", ".join(parts) or "no findings"


def notices_of(verdict: Verdict) -> list[str]:
    """Return the notices of a verdict, and whose notes judged where no Tabular List of its day is at hand."""
    return [*verdict.all_notices]


def not_judged(sentences: Iterable[str]) -> str:
    """Return the sentence on what could not be judged, from what is missing with the packs that need it."""
    return f"Not judged, for lack of: {', '.join(sentences)}."


def bullets(title: str, lines: Iterable[str]) -> str:
    """Return a title and indented lines."""
    return "\n".join([click.style(title, bold=True), *(wrapped(line, indent="  ") for line in lines)])
