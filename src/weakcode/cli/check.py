"""weakcode check: the codes of one claim."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from weakcode.claims import Claim, Diagnosis
from weakcode.cli import text
from weakcode.cli.options import (
    Choice,
    about_the_claim,
    choosing,
    claim_from,
    findings_format_option,
    severities,
    texts_by_position,
)
from weakcode.cli.outcome import operation_outcome

if TYPE_CHECKING:
    from weakcode.api import Verdict


@click.command("check", short_help="Check the codes of one claim.")
@click.argument("codes", nargs=-1, required=True, metavar="CODE...")
@about_the_claim
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="POSITION=TEXT",
    help='What the record says for a diagnosis, as in 1="senile debility".',
)
@findings_format_option
@choosing
def command(codes: tuple[str, ...], texts: tuple[str, ...], as_format: str, **options: Any) -> int:
    """Check the ICD-10-CM codes of one claim, in their order, the first-listed diagnosis first.

    \b
    weakcode check M62.84 I10
    weakcode check U09.9 J96.10 --documented covid-prior-symptoms --age 61
    """
    choice = Choice.from_options(options)
    claim = claim_from(codes, options)
    if texts:
        documented = texts_by_position(texts, len(claim.diagnoses))
        diagnoses = [
            Diagnosis(diagnosis.code, text=documented.get(position))
            for position, diagnosis in enumerate(claim.diagnoses, start=1)
        ]
        claim = Claim(diagnoses, **options)
    verdict = choice.validator().judge(claim)
    if as_format == "fhir":
        click.echo(operation_outcome(verdict.findings))
    else:
        click.echo(_as_json(verdict) if as_format == "json" else _as_text(verdict))
    return 1 if choice.fails(severities(verdict.findings)) else 0


def _as_json(verdict: Verdict) -> str:
    values = {
        "edition": verdict.edition,
        "engine": verdict.engine,
        "packs": list(verdict.packs),
        "findings": [finding.to_dict() for finding in verdict.findings],
        "waived": [finding.to_dict() for finding in verdict.waived],
        "notices": list(verdict.notices),
    }
    return json.dumps(values, indent=2, ensure_ascii=False)


def _as_text(verdict: Verdict) -> str:
    parts = [text.finding_text(finding) for finding in verdict.findings]
    parts += [f"waived   {finding.rule}: {finding.message}" for finding in verdict.waived]
    parts += [text.wrapped(f"Note: {notice}.", indent="") for notice in verdict.notices]
    tally = text.tally_text(Counter(severities(verdict.findings)))
    parts.append(f"{tally[0].upper()}{tally[1:]}. {text.judged_by(verdict.edition, verdict.engine, verdict.packs)}")
    return "\n\n".join(parts)
