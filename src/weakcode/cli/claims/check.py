"""weakcode check: the codes of one claim."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from weakcode.claims import Claim, Diagnosis, Waiver
from weakcode.cli.common import text
from weakcode.cli.common.options import (
    Choice,
    about_the_claim,
    choosing,
    claim_from,
    findings_format_option,
    severities,
    texts_by_position,
)
from weakcode.cli.common.output import say, say_json
from weakcode.findings import in_order
from weakcode.rules.waivers import fits_nothing
from weakcode.scrub.write.outcome import operation_outcome

if TYPE_CHECKING:
    from weakcode.drg.grouping import GroupedClaim
    from weakcode.explain import Explanation
    from weakcode.validator import Validator, Verdict


@click.command("check", short_help="Check the codes of one claim.")
@click.argument("codes", nargs=-1, metavar="CODE...")
@about_the_claim
@click.option(
    "--text",
    "texts",
    multiple=True,
    metavar="POSITION=TEXT",
    help='What the record says for a diagnosis, as in 1="senile debility".',
)
@click.option(
    "--poa",
    "indicators",
    multiple=True,
    metavar="POSITION=Y",
    help="The present-on-admission indicator of a diagnosis: Y, N, U, W or 1, as in 2=N.",
)
@click.option(
    "--drg", is_flag=True, help="Also show the DRG of an inpatient claim, before and after safe fixes (extra mce)."
)
@click.option(
    "--explain",
    is_flag=True,
    help="Also show the outcome of every edit about these codes, and why; for a clean claim too.",
)
@click.option(
    "--jsonl",
    is_flag=True,
    help="Instead of CODE..., read claims from standard input, one JSON object a line, and print one verdict a line.",
)
@findings_format_option
@choosing
def command(
    codes: tuple[str, ...],
    texts: tuple[str, ...],
    indicators: tuple[str, ...],
    drg: bool,
    explain: bool,
    jsonl: bool,
    as_format: str,
    **options: Any,
) -> int:
    """Check the ICD-10-CM codes of one claim, in their order, the first-listed diagnosis first.

    \b
    weakcode check M62.84 I10
    weakcode check U09.9 J96.10 --documented covid-prior-symptoms --age 61
    weakcode check G72.9 M62.84 --explain
    weakcode check I50.20 L89.153 --poa 1=Y --poa 2=N --setting inpatient --drg --explain
    weakcode check --jsonl < claims.jsonl
    """
    if jsonl:
        return _check_lines(codes, (*texts, *indicators), explain or drg, as_format, options)
    if not codes:
        context = click.get_current_context()
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    if explain and as_format == "fhir":
        raise click.UsageError("--explain has no place in FHIR; use it with --format text or json")
    choice = Choice.from_options(options)
    claim = claim_from(codes, options)
    if texts or indicators:
        documented = texts_by_position(texts, len(claim.diagnoses))
        reported = texts_by_position(indicators, len(claim.diagnoses), "--poa", "the indicator, as in 2=N")
        diagnoses = [
            Diagnosis(diagnosis.code, text=documented.get(position), poa=reported.get(position))
            for position, diagnosis in enumerate(claim.diagnoses, start=1)
        ]
        claim = Claim(diagnoses, **options)
    if (claim.pcs or claim.discharge_status) and not drg:
        option = "--pcs" if claim.pcs else "--discharge"
        raise click.UsageError(f"{option} is for the DRG; give --drg with it")
    if drg and as_format == "fhir":
        raise click.UsageError("--drg has no place in FHIR; use it with --format text or json")
    validator = choice.validator()
    grouped = _grouped(claim, validator, explain) if drg else None
    explained = validator.explain(claim) if explain else None
    verdict = explained.verdict if explained else validator.judge(claim)
    if choice.waivers:
        verdict = _with_idle(verdict, validator.waivers, choice.waivers)
    if as_format == "fhir":
        judged_by = text.judgement(verdict.edition, verdict.engine, verdict.packs, text.notices_of(verdict))
        say_json(operation_outcome(in_order((*verdict.findings, *verdict.waived)), judged_by=judged_by))
    else:
        if as_format == "json":
            say_json(_as_json(verdict, explained, grouped))
        else:
            say(_as_text(verdict, explained, claim))
            if grouped is not None:
                from weakcode.cli.claims.grouped import grouping_text

                say(f"\n{grouping_text(grouped, claim)}")
    return 1 if choice.fails(severities(verdict.findings)) else 0


def _grouped(claim: Claim, validator: Validator, explain: bool) -> GroupedClaim:
    from weakcode.drg.grouping import Grouper

    grouped = Grouper().group(claim, lambda one: validator.fix(one).claim, explain=explain)
    if grouped.unread:
        forms = (
            "an ICD-10-PCS code has seven letters and digits, without I and O; a discharge status is a number, as 01"
        )
        raise click.UsageError(f"{' and '.join(grouped.unread)} cannot be read: {forms}")
    return grouped


def _check_lines(
    codes: Sequence[str], texts: Sequence[str], explain: bool, as_format: str, options: dict[str, Any]
) -> int:
    """Judge the claims on standard input one by one; a line that is not a claim gets an object with `error`."""
    from weakcode.cli.claims.lines import judge_lines

    choice = Choice.from_options(options)
    has_options = codes or texts or explain or as_format == "fhir" or any(value for value in options.values())
    if has_options:
        raise click.UsageError(
            "--jsonl reads whole claims from standard input, one a line; give no codes or claim options with it"
        )
    return judge_lines(choice)


def _with_idle(verdict: Verdict, waivers: Sequence[Waiver], file: str) -> Verdict:
    """Return the verdict with a notice of the waivers of a file that fit nothing on this claim."""
    used = {finding.waiver for finding in verdict.waived}.union(verdict.expired)
    of_file = [waiver for waiver in waivers if waiver.place.startswith(f"{file}:")]
    idle = [waiver for waiver in of_file if waiver not in used]
    if not idle:
        return verdict
    many = f"{len(idle)} of {text.counted(len(of_file), 'waiver')} of {file} fit no finding on this claim"
    sentence = fits_nothing(idle[0], verdict.findings) if len(idle) == 1 else many
    return attrs.evolve(verdict, notices=(*verdict.notices, sentence))


def _as_json(verdict: Verdict, explained: Explanation | None, grouped: GroupedClaim | None) -> str:
    values = verdict.to_dict()
    if grouped is not None:
        values["drg"] = grouped.to_dict()
    if explained is not None:
        values["explanation"] = explained.to_dict()
    return json.dumps(values, indent=2, ensure_ascii=False)


def _as_text(verdict: Verdict, explained: Explanation | None, claim: Claim) -> str:
    parts = [text.finding_text(finding) for finding in verdict.findings]
    parts += [text.finding_text(finding) for finding in verdict.waived]
    if explained is not None:
        from weakcode.cli.claims.explained import explanation_text

        parts.append(explanation_text(explained, claim.codes))
    parts += [text.wrapped(f"Note: {notice}.", indent="") for notice in text.notices_of(verdict)]
    if verdict.not_judged:
        parts.append(text.wrapped(text.not_judged(map(str, verdict.not_judged)), indent=""))
    counts = text.counts_of(Counter(severities(verdict.findings)))
    counts += f"; {len(verdict.waived)} waived" if verdict.waived else ""
    parts.append(f"{counts[0].upper()}{counts[1:]}. {text.judged_by(verdict.edition, verdict.engine, verdict.packs)}")
    return "\n\n".join(parts)
