"""weakcode rules: what rules there are, what one says, and whether they keep their word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from weakcode.cli import text
from weakcode.cli.options import format_option
from weakcode.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from weakcode.rules.model import Case, Pack, Relation, Rule


@click.group("rules", short_help="List, show and test rules.")
def command() -> None:
    """List, show and test rules."""


@command.command("list")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Only this pack, rule file or folder.")
@click.option("--profile", metavar="FILE", help="As this profile has them.")
@format_option
def list_rules(rules: tuple[str, ...], profile: str | None, as_format: str) -> int:
    """List the rules with their severity and title."""
    from weakcode.api import Validator

    found = Validator(packs=rules or None, profile=profile).rules
    if as_format == "json":
        names = ("id", "title", "severity", "enabled", "pack")
        values = [{name: getattr(rule, name) for name in names} for rule in found]
        click.echo(json.dumps(values, indent=2, ensure_ascii=False))
        return 0
    width = max((len(rule.id) for rule in found), default=0)
    for rule in found:
        state = rule.severity if rule.enabled else "off"
        click.echo(f"{rule.id.ljust(width)}  {state:<7}  {rule.title}")
    click.echo(f"{text.counted(len(found), 'rule')}; weakcode rules show ID says more.")
    return 0


@command.command("show")
@click.argument("rule_id", metavar="ID")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Look in this pack, rule file or folder.")
def show_rule(rule_id: str, rules: tuple[str, ...]) -> int:
    """Show what a rule says, why, on whose word, and its examples."""
    from weakcode.rules.library import resolve_packs
    from weakcode.rules.load import load_pack

    known: dict[str, tuple[Pack, Rule]] = {}
    for selected in resolve_packs(list(rules) or None):
        pack = load_pack(selected.path).pack
        known |= {f"{pack.pack}/{rule.id}": (pack, rule) for rule in pack.rules}
    if rule_id not in known:
        raise UnknownNameError(
            f'the rule "{rule_id}" does not exist{did_you_mean(rule_id, known)}; weakcode rules list names all'
        )
    pack, rule = known[rule_id]
    state = "" if rule.enabled else ", off unless asked for"
    parts = [f"{click.style(rule_id, bold=True)}  {rule.title}\n{rule.severity}{state}"]
    parts.append(text.bullets("What it checks", [_case_text(case) for case in rule.all_cases]))
    parts.append(text.bullets("Why", [_flat(rule.why)]))
    if rule.known_problems:
        parts.append(text.bullets("Known problems", [_flat(rule.known_problems)]))
    if rule.supersedes:
        parts.append(text.bullets("Replaces on its subject", rule.supersedes))
    parts.append(
        text.bullets(
            "Sources",
            [f"{pack.sources[cited.source].title}, {cited.at}".rstrip(", ") for cited in rule.sources],
        )
    )
    for title, examples in (("Passes", rule.examples.passing), ("Fails", rule.examples.fail)):
        lines = [one.codes + (f"  ({one.note.rstrip('.')})" if one.note else "") for one in examples]
        parts.append(text.bullets(title, lines))
    click.echo("\n\n".join(parts))
    return 0


@command.command("test")
@click.argument("packs", nargs=-1, metavar="[PACK|PATH]...")
@click.option("--engine", metavar="durable|columnar", help="The engine that evaluates.")
def test_rules(packs: tuple[str, ...], engine: str | None) -> int:
    """Run the examples of every rule, and warn of rules that look wrong.

    Exit status 1 where an example does not give the findings that its rule file says.
    """
    from weakcode.rules.examples import run_examples
    from weakcode.rules.lint import lint

    results = run_examples(packs or None, engine=engine)
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        click.echo(f"{click.style('wrong', fg='red', bold=True)}  {result.rule}  {result.label}")
        for line in result.diff.splitlines():
            colour = {"-": "red", "+": "green"}.get(line[:1])
            click.echo(click.style(f"    {line}", fg=colour))
    for warning in lint(packs or None):
        click.echo(f"{click.style('warning', fg='yellow', bold=True)}  {warning}")
    rules = {result.rule for result in results}
    click.echo(
        f"{text.counted(len(results), 'example')} of {text.counted(len(rules), 'rule')}: "
        f"{len(results) - len(wrong):,} right, {len(wrong):,} wrong."
    )
    return 1 if wrong else 0


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _case_text(case: Case) -> str:
    parts = []
    if case.subject:
        parts.append(f"for each {case.subject}:")
    if case.forbid:
        parts.append(f"forbid {_relation(case.forbid)}")
    if case.require:
        parts.append(f"require {_relation(case.require)}")
    if case.order:
        parts.append(f"if there, {_relation(case.order)}")
    if case.position:
        parts.append("must be first-listed" if case.position == "first" else "may not be first-listed")
    if case.at_most_one:
        parts.append("only one of them on a claim")
    if case.once:
        parts.append("each code only once")
    if case.terms:
        parts.append(f"not documented as {', '.join(case.terms)}")
    if case.when:
        parts.append(f"(when {_condition(case.when)})")
    return " ".join(parts)


def _relation(relation: Relation) -> str:
    return relation.codes if relation.where == "anywhere" else f"{relation.codes} {relation.where} it"


def _condition(when: Any) -> str:
    import attrs

    given = attrs.asdict(when, filter=lambda _, value: value not in (None, (), []))
    return "; ".join(f"{name.rstrip('_').replace('_', ' ')} {_value(value)}" for name, value in given.items())


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.rstrip('_')} {_value(item)}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
