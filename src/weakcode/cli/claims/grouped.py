"""What the grouper says of a claim, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.drg.grouping import GroupedClaim


def grouping_text(grouped: GroupedClaim, claim: Claim) -> str:
    """Return the DRG before and after safe fixes, and what would change it."""
    if grouped.is_outside:
        return f"No DRG: {grouped.why}."
    before = str(grouped.before) if grouped.before else f"No DRG: {grouped.why}"
    lines = [click.style(before, bold=True)]
    if grouped.is_changed:
        lines.append(f"After safe fixes: {grouped.after or 'none'}.")
    for position, condition in grouped.acquired:
        what = f"{_diagnosis_text(claim, position)} is hospital-acquired and does not count for the DRG: {condition}."
        lines.append(text.wrapped(what, indent="  "))
    for one in grouped.consequences:
        would = str(one.drg) if one.drg else "no DRG"
        lines.append(text.wrapped(f"{_diagnosis_text(claim, one.position)}: {one.what}, {would}.", indent="  "))
    if grouped.assumed:
        note = f"Note: grouped with {', '.join(grouped.assumed)}, as nothing else was said."
        lines.append(text.wrapped(note, indent=""))
    return "\n".join(lines)


def _diagnosis_text(claim: Claim, position: int) -> str:
    return f"{claim.codes[position - 1]} at {position}"
