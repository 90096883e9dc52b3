"""weakcode fix: the codes of one claim, mended where that is safe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from weakcode._version import __version__
from weakcode.base.objects import VERSION
from weakcode.cli.common import text
from weakcode.cli.common.options import Choice, about_the_claim, choosing, claim_from, format_option, severities
from weakcode.cli.common.output import say, say_json

if TYPE_CHECKING:
    from weakcode.findings import Verdict
    from weakcode.fix import Fixed


@click.command("fix", short_help="Apply safe fixes to the codes of one claim.")
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@about_the_claim
@click.option("--unsafe", is_flag=True, help="Also apply proposals that change the meaning of the claim.")
@format_option
@choosing
def command(codes: tuple[str, ...], unsafe: bool, as_format: str, **options: Any) -> int:
    """Write the codes in the order that the rules require, each once, and say what remains to be decided.

    \b
    weakcode fix K31.84 E11.43
    """
    choice = Choice.from_options(options)
    validator = choice.validator()
    fixed = validator.fix(claim_from(codes, options), unsafe=unsafe)
    verdict = validator.judge(fixed.claim)
    if as_format == "json":
        say_json(_as_json(fixed, verdict))
    else:
        say(_as_text(fixed, verdict))
    return 1 if choice.fails(severities(fixed.remaining)) else 0


def _as_json(fixed: Fixed, verdict: Verdict) -> str:
    values = {
        "version": VERSION,
        "weakcode": __version__,
        "edition": verdict.edition,
        "notes_edition": verdict.notes_edition,
        "engine": verdict.engine,
        "packs": list(verdict.packs),
        "codes": list(fixed.claim.codes),
        "applied": [{"action": one.action, "description": one.description, "safe": one.safe} for one in fixed.applied],
        "remaining": [finding.to_dict() for finding in fixed.remaining],
        "waived": [finding.to_dict() for finding in verdict.waived],
        "notices": [*fixed.notices, *text.notices_of(verdict)],
    }
    return json.dumps(values, indent=2, ensure_ascii=False)


def _as_text(fixed: Fixed, verdict: Verdict) -> str:
    parts = [" ".join(fixed.claim.codes)]
    parts += [f"done     {one.description}" for one in fixed.applied]
    parts += [text.wrapped(f"Note: {notice}.", indent="") for notice in fixed.notices]
    parts += [text.finding_text(finding) for finding in (*fixed.remaining, *verdict.waived)]
    if not fixed.applied and not fixed.remaining and not verdict.waived:
        parts.append("Nothing to mend.")
    parts += [text.wrapped(f"Note: {notice}.", indent="") for notice in text.notices_of(verdict)]
    parts.append(text.judged_by(verdict.edition, verdict.engine, verdict.packs))
    return "\n\n".join(parts)
