"""weakcode rules: what rules there are, what one says, and whether they keep their word."""

from __future__ import annotations

import json

import click

from weakcode.cli.common import text
from weakcode.cli.common.options import format_option, formats_option
from weakcode.cli.common.output import say, say_json


@click.group("rules", short_help="List, show and test rules.")
def command() -> None:
    """List, show, test and write rules."""


@command.command("list")
@click.option("--rules", multiple=True, metavar="PACK|PATH", help="Only this pack, rule file or folder.")
@click.option("--profile", metavar="FILE", help="With the settings of this profile.")
@click.option("--profiles-root", metavar="FOLDER", help="The folder that contains all files that --profile names.")
@format_option
def list_rules(rules: tuple[str, ...], profile: str | None, profiles_root: str | None, as_format: str) -> int:
    """List the rules with their severity, confidence and title."""
    from weakcode.validator import Validator

    validator = Validator(packs=rules or None, profile=profile, root=profiles_root)
    found = validator.rules
    if as_format == "json":
        say_json(json.dumps([rule.summary() for rule in found], indent=2, ensure_ascii=False))
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
@click.option(
    "--profile", "profiles", multiple=True, metavar="FILE", help="Show the settings of this profile for the rule."
)
@format_option
def show_rule(rule_id: str, rules: tuple[str, ...], profiles: tuple[str, ...], as_format: str) -> int:
    """Show a rule: what it checks, why, its sources, its findings on its examples, and its fixes."""
    if as_format == "json":
        return _show_as_json(rule_id, rules, profiles)
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
@click.option(
    "--profile", "profiles", multiple=True, metavar="FILE", help="Show the settings of this profile for each rule."
)
def write_rule_pages(output: str, rules: tuple[str, ...], profiles: tuple[str, ...]) -> int:
    """Write a Markdown page for every rule, with an index by pack and an index by code."""
    from weakcode.cli.common.running import working
    from weakcode.pages.facts import RuleBook
    from weakcode.pages.folder import write_pages
    from weakcode.pages.markdown import pages

    with working("writing the pages"):
        book = RuleBook.of(rules or None, profiles)
        count = write_pages(pages(book), output)
    say(
        f"{text.counted(count, 'page')} about {text.counted(len(book.ids), 'rule')} in {output}. "
        f"ICD-10-CM {book.edition.name}, packs {', '.join(book.packs)}."
    )
    return 0


@command.command("test")
@click.argument("packs", nargs=-1, metavar="[PACK|PATH]...")
@click.option("--engine", metavar="durable|columnar", help="The engine that judges.")
@click.option("--strict", is_flag=True, help="Also fail if a rule has no example.")
@formats_option("json", "junit", about="Text for people, JSON for programs, or JUnit XML for build servers.")
def test_rules(packs: tuple[str, ...], engine: str | None, strict: bool, as_format: str) -> int:
    """Run the examples of every rule, and warn of rules that look wrong.

    The exit status is 1 if an example does not give the findings that its rule file states.
    """
    from weakcode.cli.common.running import working
    from weakcode.cli.packs.examples import Tests, say_as_json, say_junit, say_text

    with working("running the examples of the rules"):
        tests = Tests.of(packs or None, engine)
    if as_format == "json":
        say_as_json(tests)
    elif as_format == "junit":
        say_junit(tests, strict=strict)
    else:
        say_text(tests)
    return 1 if tests.fails(strict=strict) else 0


@command.command("new")
@click.argument("file", metavar="FILE")
def new_rules(file: str) -> int:
    """Write a starter rule file, and beside it the schema that editors use for completion."""
    from weakcode.cli.packs.starting import start

    path = start(file)
    say(f"{path} has a rule to change. weakcode rules watch {path} tests it whenever it is saved.")
    return 0


@command.command("watch")
@click.argument("packs", nargs=-1, required=True, metavar="PATH...")
def watch_rules(packs: tuple[str, ...]) -> int:
    """Test rule files or folders now, and again whenever one is saved, until Ctrl-C is pressed."""
    from weakcode.cli.packs.examples import Tests, say_text
    from weakcode.cli.packs.starting import watch
    from weakcode.errors import WeakcodeError

    def test() -> None:
        try:
            say_text(Tests.of(packs, None))
        except WeakcodeError as error:
            # The next save may mend it.
            say(str(error), err=True)

    try:
        watch(packs, test)
    except KeyboardInterrupt:
        return 0
    return 0


def _show_as_json(rule_id: str, rules: tuple[str, ...], profiles: tuple[str, ...]) -> int:
    """Print the rule as Python and the server tell it, under one profile at most."""
    from weakcode.errors import UnknownNameError, did_you_mean
    from weakcode.validator import Validator

    if len(profiles) > 1:
        raise click.UsageError("--format json tells what one --profile makes of the rule")
    found = {rule.id: rule for rule in Validator(packs=rules or None, profile=profiles[0] if profiles else None).rules}
    if rule_id not in found:
        hint = did_you_mean(rule_id, found)
        raise UnknownNameError(f'the rule "{rule_id}" does not exist{hint}; weakcode rules list names all')
    say_json(json.dumps(found[rule_id].to_dict(), indent=2, ensure_ascii=False))
    return 0


def _plain(words: str) -> str:
    return words.replace("`", "")
