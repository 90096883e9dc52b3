"""What the grouper says of a claim, as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.drg.grouping import GroupedClaim

_HOME = 1


def grouping_text(grouped: GroupedClaim, claim: Claim, procedures: Sequence[str], discharge: int) -> str:
    """Return the DRG before and after safe fixes, and what would change it."""
    if grouped.is_outside:
        return f"No DRG: {grouped.why}."
    before = str(grouped.before) if grouped.before else f"No DRG: {grouped.why}"
    lines = [click.style(before, bold=True)]
    if grouped.is_changed:
        lines.append(f"After safe fixes: {grouped.after or 'none'}.")
    for position, condition in grouped.acquired:
        what = f"{_named(claim, position)} is hospital-acquired and does not count for the DRG: {condition}."
        lines.append(text.wrapped(what, indent="  "))
    for one in grouped.consequences:
        would = str(one.drg) if one.drg else "no DRG"
        lines.append(text.wrapped(f"{_named(claim, one.position)}: {one.what}, {would}.", indent="  "))
    assumed = ["no procedures"] * (not procedures) + ["discharged home"] * (discharge == _HOME)
    assumed += ["age 65"] * (claim.age_in_years is None) + ["no sex"] * (claim.sex is None)
    if assumed:
        lines.append(text.wrapped(f"Note: grouped with {', '.join(assumed)}, as nothing else was said.", indent=""))
    return "\n".join(lines)


def _named(claim: Claim, position: int) -> str:
    return f"{claim.codes[position - 1]} at {position}"
