"""weakcode rules: what rules there are, what one says, and whether they keep their word."""

from __future__ import annotations

import json

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option
from weakcode.cli.common.output import say, say_json


@click.group("rules", short_help="List, show and test rules.")
def command() -> None:
    """List, show and test rules."""


@command.command("list")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Only this pack, rule file or folder.")
@click.option("--profile", metavar="FILE", help="As this profile has them.")
@click.option(
    "--profiles-root", metavar="FOLDER", help="The folder below which everything stands that --profile names."
)
@format_option
def list_rules(rules: tuple[str, ...], profile: str | None, profiles_root: str | None, as_format: str) -> int:
    """List the rules with their severity, confidence and title."""
    from weakcode.validator import Validator

    validator = Validator(packs=rules or None, profile=profile, root=profiles_root)
    found = validator.rules
    if as_format == "json":
        names = ("id", "title", "severity", "confidence", "enabled", "pack")
        values = [{name: getattr(rule, name) for name in names} for rule in found]
        say_json(json.dumps(values, indent=2, ensure_ascii=False))
        for notice in validator.notices:
            say(f"Note: {notice}.", err=True)
        return 0
    width = max((len(rule.id) for rule in found), default=0)
    for rule in found:
        state = rule.severity if rule.enabled else "off"
        say(f"{rule.id.ljust(width)}  {state:<7}  {rule.confidence:<7}  {rule.title}")
    for notice in validator.notices:
        say(f"Note: {notice}.")
    packs = f"packs {', '.join(validator.packs)}"
    say(f"{text.counted(len(found), 'rule')} of {packs}; weakcode rules show ID says more.")
    return 0


@command.command("show")
@click.argument("rule_id", metavar="ID")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Look in this pack, rule file or folder.")
@click.option("--profile", "profiles", multiple=True, metavar="FILE", help="Say what this profile makes of the rule.")
def show_rule(rule_id: str, rules: tuple[str, ...], profiles: tuple[str, ...]) -> int:
    """Show what a rule says, why, on whose word, what it finds on its examples, and what mends it."""
    from weakcode.pages.facts import RuleBook
    from weakcode.pages.wording import headline, sections

    facts = RuleBook.of(rules or None, profiles).facts(rule_id)
    parts = [f"{click.style(rule_id, bold=True)}  {facts.rule.title}\n{headline(facts)}"]
    for section in sections(facts):
        lines = [click.style(section.title, bold=True)]
        for line in section.lines:
            lines.append(text.wrapped(_plain(line.text), indent="  "))
            lines += [text.wrapped(_plain(under), indent="      ") for under in line.under]
        parts.append("\n".join(lines))
    say("\n\n".join(parts))
    return 0


@command.command("pages")
@click.option("--output", "-o", required=True, metavar="DIR", help="A new folder, or one with pages to replace.")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Only this pack, rule file or folder.")
@click.option("--profile", "profiles", multiple=True, metavar="FILE", help="Say what this profile makes of each rule.")
def write_rule_pages(output: str, rules: tuple[str, ...], profiles: tuple[str, ...]) -> int:
    """Write a Markdown page for every rule, with an index by pack and an index by code."""
    from weakcode.pages.facts import RuleBook
    from weakcode.pages.folder import write_pages
    from weakcode.pages.markdown import pages

    book = RuleBook.of(rules or None, profiles)
    count = write_pages(pages(book), output)
    say(
        f"{text.counted(count, 'page')} about {text.counted(len(book.ids), 'rule')} in {output}. "
        f"ICD-10-CM {book.edition.name}, packs {', '.join(book.packs)}."
    )
    return 0


@command.command("test")
@click.argument("packs", nargs=-1, metavar="[PACK|PATH]...")
@click.option("--engine", metavar="durable|columnar", help="The engine that evaluates.")
def test_rules(packs: tuple[str, ...], engine: str | None) -> int:
    """Run the examples of every rule, and warn of rules that look wrong.

    Exit status 1 where an example does not give the findings that its rule file says.
    """
    from weakcode.checking import run_examples
    from weakcode.compile.lint import lint

    chosen = packs or None
    results = run_examples(chosen, engine=engine)
    wrong = [result for result in results if not result.ok]
    for result in wrong:
        say(f"{click.style('wrong', fg='red', bold=True)}  {result.rule}  {result.label}")
        for line in result.diff.splitlines():
            colour = {"-": "red", "+": "green"}.get(line[:1])
            say(click.style(f"    {line}", fg=colour))
    for warning in lint(chosen):
        say(f"{click.style('warning', fg='yellow', bold=True)}  {warning}")
    rules = {result.rule for result in results}
    say(
        f"{text.counted(len(results), 'example')} of {text.counted(len(rules), 'rule')}: "
        f"{len(results) - len(wrong):,} right, {len(wrong):,} wrong."
    )
    return 1 if wrong else 0


def _plain(words: str) -> str:
    return words.replace("`", "")
