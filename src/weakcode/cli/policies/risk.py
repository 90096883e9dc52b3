"""weakcode risk: which installed policies cover a diagnosis for a procedure, and which do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json

if TYPE_CHECKING:
    from weakcode.coverage.asking import Answer

_MARKS = {"covered": "covers", "not covered": "does not cover", "excluded": "excludes", "unknown": "does not tell"}


@click.command("risk", short_help="Show which policies cover a diagnosis for a procedure.")
@click.argument("code", metavar="CODE")
@click.option("--procedure", required=True, metavar="P", help="The procedure: a CPT or HCPCS code.")
@click.option("--payer", metavar="PAYER", help="Only the policies of this payer of --profile.")
@click.option("--profile", metavar="FILE", help="The profile that assigns policies to payers.")
@click.option("--date", "service_date", metavar="YYYY-MM-DD", help="The service date; by default the day of the run.")
@click.option("--state", metavar="CA", help="The state, if a payer has several contractors.")
@format_option
def command(
    code: str,
    procedure: str,
    payer: str | None,
    profile: str | None,
    service_date: str | None,
    state: str | None,
    as_format: str,
) -> int:
    """Show which installed coverage policies cover a diagnosis for a procedure, which do not, and the denial risks.

    The exit status is 1 if policies judge the procedure and none of them covers the diagnosis.

    \b
    weakcode risk M62.81 --procedure 97110
    weakcode risk M62.81 --procedure 97110 --payer Medicare --profile practice.yaml
    """
    from weakcode.coverage.asking import ask
    from weakcode.errors import InputError

    if payer is not None and profile is None:
        raise InputError(
            "--payer names a payer of a profile, which says by which policies it goes; give it with --profile"
        )
    answer = ask(code, procedure, profile=profile, payer=payer, state=state, service_date=service_date)
    if as_format == "json":
        say_json(json.dumps(answer.to_dict(), indent=2, ensure_ascii=False))
    else:
        say(_as_text(answer))
    return 1 if answer.is_denied else 0


def _as_text(answer: Answer) -> str:
    title = f"{answer.code} {answer.title}".strip()
    of_payer = f" for {answer.payer}" if answer.payer else ""
    lines = [click.style(f"{title}, procedure {answer.procedure}, {answer.day}{of_payer}", bold=True)]
    if not answer.policies:
        lines.append(f"No installed policy{of_payer} names the procedure, so whether it is covered is unknown.")
    for one in answer.policies:
        policy = one.policy
        lines.append(
            text.wrapped(f"{policy.id} {_MARKS[one.outcome]} it: {policy.title} (version {policy.version})", indent="")
        )
        lines += [text.wrapped(reason, indent="  ") for reason in one.reasons]
    lines += [text.wrapped(str(risk), indent="") for risk in answer.risks]
    return "\n".join(lines)
