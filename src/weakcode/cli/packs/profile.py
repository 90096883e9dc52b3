"""weakcode profile: profiles to begin with, and what remittances teach them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json
from weakcode.cli.packs.newprofile import DENIES

if TYPE_CHECKING:
    from weakcode.report.learning.measure import LearntRisk, Lesson

_HEAD = ("rule", "payer", "answered", "denied", "share", "95% interval", "risk", "without")


@click.group("profile", short_help="Write a new profile, or learn denial risks from remittances.")
def command() -> None:
    """Write a new profile, or learn denial risks from remittances."""


@command.command("new")
@click.argument("file", metavar="FILE")
@click.option("--payer", default="", metavar="NAME", help="The payer it is for; by default all payers.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="An id by which claims name the payer.")
@click.option("--extends", default="", metavar="PROFILE", help="The profile to extend.")
@click.option("--pack", "packs", multiple=True, metavar="PACK", help="A pack; by default all bundled packs.")
@click.option("--denies", multiple=True, type=click.Choice(list(DENIES)), help="What the payer denies by its policy.")
@click.option("--off", multiple=True, metavar="RULE", help="A rule to switch off, by its full id.")
@click.option("--contractor", default="", metavar="N", help="The Medicare contractor whose coverage policies apply.")
@click.option("--state", "states", multiple=True, metavar="XX", help="A state in which they apply.")
@click.option("--source", "title", default="", metavar="TITLE", help="The title of the policy to cite.")
@click.option("--publisher", default="", metavar="NAME", help="The publisher of the policy.")
@click.option("--edition", default="", metavar="TEXT", help="The date of the policy, or the service dates it covers.")
def new(file: str, **options: Any) -> int:
    """Write a valid profile: from options, or without any from your answers to questions.

    \b
    weakcode profile new acme.yaml
    weakcode profile new acme.yaml --payer "Acme Health" --id 00123 --denies unspecified --source "Coding policy 2026"
    """
    from weakcode.cli.packs.newprofile import NewProfile, ask, write_profile
    from weakcode.errors import InputError
    from weakcode.rules.profile import profile_text

    path = Path(file)
    if path.exists():
        raise InputError(f"{file} is there already; it was left as it is")
    if any(options.values()):
        made = NewProfile(path.stem, **options)
    elif sys.stdin is None or sys.stdin.closed:
        raise InputError("there is nobody to ask; say what the profile is for with options, such as --payer")
    else:
        made = ask(path.stem, _question)
    write_profile(path, profile_text(made.data()))
    say(f"Wrote {file}; weakcode check CODE... --profile {file} judges by it.")
    return 0


def _question(question: str, default: str) -> str:
    answer: str = click.prompt(question, default=default, show_default=bool(default))
    return answer


@command.command("learn")
@click.argument("remits", nargs=-1, required=True, metavar="REMITS...")
@click.option(
    "--findings",
    multiple=True,
    required=True,
    metavar="FILE",
    help="Findings on the adjudicated claims, as scrub wrote them; may be given several times.",
)
@click.option("-o", "--output", metavar="FILE", help="Write a profile with the learned denial risks.")
@click.option("--extends", metavar="PROFILE", help="The profile to extend; its own rules are included.")
@click.option(
    "--carc",
    "reasons",
    multiple=True,
    metavar="CODE",
    help="An adjustment reason that counts as a denial; by default those about diagnoses.",
)
@format_option
def learn(
    remits: tuple[str, ...],
    findings: tuple[str, ...],
    output: str | None,
    extends: str | None,
    reasons: tuple[str, ...],
    as_format: str,
) -> int:
    """Learn how often findings were followed by a denial: REMITS are 835 files, or tables with claim_id, carc, rarc.

    Claims are matched by id (CLP01 of an 835). For each rule and payer it shows the share of adjudicated claims that
    were denied for their diagnoses, with its 95% interval (Wilson). --output writes them as denial_risk.

    \b
    weakcode scrub claims.837 -o findings.parquet
    weakcode profile learn remits/*.835 --findings findings.parquet
    weakcode profile learn denials.csv --findings findings.parquet -o learnt.yaml
    """
    from weakcode.base import clock
    from weakcode.cli.common.running import working
    from weakcode.cli.packs.newprofile import write_profile
    from weakcode.report.learning.measure import learn as measured
    from weakcode.report.learning.profile import learnt_profile
    from weakcode.report.learning.remits import read_remits
    from weakcode.validator import Validator

    wanted_reasons = frozenset(reason.strip().upper() for reason in reasons) or None
    with working("reading the remittances"):
        lesson = measured(read_remits(remits), findings, wanted_reasons)
    say_json(json.dumps(lesson.to_dict(), indent=2)) if as_format == "json" else say(_as_text(lesson))
    if output is not None:
        path = Path(output)
        base = None if extends is None else path.parent / extends
        known = {rule.id for rule in Validator(profile=base).rules}
        write_profile(path, learnt_profile(lesson, path.stem, clock.today(), known, extends))
        unknown = sorted({one.rule for one in lesson.risks if one.level and one.rule not in known})
        if unknown:
            say(f"Note: not in the profile, which has no such rule: {', '.join(unknown)}.", err=True)
        say(f"Wrote {output}.", err=True)
    return 0


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _cells(one: LearntRisk) -> tuple[str, ...]:
    low, high = one.interval
    without = _percent(one.others_denied / one.others) if one.others else "-"
    share = _percent(one.denied / one.answered)
    counts = (f"{one.answered:,}", f"{one.denied:,}", share, f"{_percent(low)} to {_percent(high)}")
    return (one.rule, one.payer or "-", *counts, one.level or "too few", without)


def _as_text(lesson: Lesson) -> str:
    rows = [_HEAD, *map(_cells, lesson.risks)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), row[1].ljust(widths[1]), *map(str.rjust, row[2:], widths[2:])])
        for row in rows
    ]
    title = f"{text.counted(lesson.answers, 'answered claim')}, {lesson.denied:,} denied for diagnoses"
    parts = [text.bullets(title, lines)]
    if lesson.unanswered:
        parts.append(f"{text.counted(lesson.unanswered, 'claim')} with findings had no answer.")
    if not lesson.risks:
        parts.append("No answered claim has a finding: the ids of claims and answers do not meet.")
    return "\n".join(parts)
