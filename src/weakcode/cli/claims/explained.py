"""An explanation as text: each diagnosis, and below it what every edit about it came to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import click

from weakcode.cli.common import text
from weakcode.explain import Explanation, Step
from weakcode.semantics.reference import Outcome

_COLOURS = {
    Outcome.VIOLATED: "red",
    Outcome.WAIVED: "yellow",
    Outcome.SUPERSEDED: "yellow",
    Outcome.SATISFIED: "green",
    Outcome.NO_OBJECT: "green",
}
_NOTE = " " * 6


def explanation_text(explained: Explanation, codes: Iterable[str]) -> str:
    """Return the steps by diagnosis, and how many edits have nothing to do with the claim."""
    spellings = list(codes)
    by_position = {position: list(steps) for position, steps in groupby(explained.steps, lambda step: step.position)}
    parts = []
    for position, code in enumerate(spellings, start=1):
        steps = by_position.get(position, [])
        lines = [line for step in steps for line in _step(step)]
        if not steps:
            first = spellings.index(code) + 1
            lines = [f"  stands again, judged at {first}" if first < position else "  no edit is about it"]
        parts.append("\n".join([click.style(f"{code} at {position}", bold=True), *lines]))
    if 0 in by_position:
        lines = [line for step in by_position[0] for line in _step(step)]
        parts.append("\n".join([click.style("The claim as a whole", bold=True), *lines]))
    parts.append(
        f"{text.counted(explained.edits_elsewhere, 'edit')} of {explained.edits:,} have no subject on the claim, "
        f"all those of {text.counted(explained.rules_elsewhere, 'rule')} among them."
    )
    return "\n\n".join(parts)


def _step(step: Step) -> list[str]:
    outcome = click.style(f"{step.outcome.value:<23}", fg=_COLOURS.get(step.outcome))
    severity = f" ({step.severity})" if step.severity else ""
    edits = f", {text.counted(step.edits, 'edit')}" if step.edits > 1 else ""
    lines = [f"  {outcome} {step.rule}{severity}{edits}: {step.reason}"]
    # What a rule that is off would have looked at is for --format json.
    if step.outcome is not Outcome.OFF:
        notes = [f'{source.place}: "{source.quote}"' for source in step.sources if source.quote]
        lines += [click.style(text.wrapped(note, indent=_NOTE), dim=True) for note in notes]
    return lines
