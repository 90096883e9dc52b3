"""Outcomes of the examples of rules, as text for people, JSON for programs and JUnit XML for build servers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import attrs
import click

from weakcode.base.objects import VERSION
from weakcode.cli.common import text
from weakcode.cli.common.output import say, say_json
from weakcode.visible import visible

if TYPE_CHECKING:
    from weakcode.compile.lint import LintWarning
    from weakcode.rules.examples import ExampleResult


@attrs.frozen
class Tests:
    """The outcomes of examples, warnings of the rules, and the rules that have no example."""

    results: tuple[ExampleResult, ...]
    warnings: tuple[LintWarning, ...]
    untested: tuple[str, ...]

    @classmethod
    def of(cls, packs: Sequence[str] | None, engine: str | None) -> Tests:
        """Run the examples of packs, rule files or folders; None means every bundled pack."""
        from weakcode.checking import rules_in, run_examples
        from weakcode.compile.lint import lint

        results = run_examples(packs, engine=engine)
        tested = {result.rule for result in results}
        untested = [rule for rule in rules_in(packs) if rule not in tested]
        return cls(tuple(results), tuple(lint(packs)), tuple(untested))

    @property
    def wrong(self) -> list[ExampleResult]:
        """The examples that did not give what their rule file says."""
        return [result for result in self.results if not result.ok]

    def fails(self, *, strict: bool) -> bool:
        """Whether an example was wrong, or with `strict` a rule had none."""
        return bool(self.wrong) or (strict and bool(self.untested))


def say_text(tests: Tests) -> None:
    """Print what was wrong, warnings, and counts."""
    for result in tests.wrong:
        say(f"{click.style('wrong', fg='red', bold=True)}  {result.rule}  {result.label}")
        for line in result.diff.splitlines():
            colour = {"-": "red", "+": "green"}.get(line[:1])
            say(click.style(f"    {line}", fg=colour))
    for warning in tests.warnings:
        say(f"{click.style('warning', fg='yellow', bold=True)}  {warning}")
    rules = {result.rule for result in tests.results}
    wrong = len(tests.wrong)
    if not tests.results:
        say("Nothing was tested: no rule has an example.")
        return
    without = f" {text.counted(len(tests.untested), 'rule')} without an example." if tests.untested else ""
    say(
        f"{text.counted(len(tests.results), 'example')} of {text.counted(len(rules), 'rule')}: "
        f"{len(tests.results) - wrong:,} right, {wrong:,} wrong.{without}"
    )


def say_as_json(tests: Tests) -> None:
    """Print one object: every example, warnings, and rules without examples."""
    values = {
        "version": VERSION,
        "examples": [attrs.asdict(result) for result in tests.results],
        "warnings": [str(warning) for warning in tests.warnings],
        "without_examples": list(tests.untested),
        "right": len(tests.results) - len(tests.wrong),
        "wrong": len(tests.wrong),
    }
    say_json(json.dumps(values, indent=2, ensure_ascii=False))


def say_junit(tests: Tests, *, strict: bool) -> None:
    """Print JUnit XML: a test case for each example, and a skipped one, or with `strict` a failed one, without any."""
    failures = len(tests.wrong) + (len(tests.untested) if strict else 0)
    suite = ET.Element("testsuite", name="weakcode rules test", tests=str(len(tests.results) + len(tests.untested)))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", "0" if strict else str(len(tests.untested)))
    for result in tests.results:
        case = ET.SubElement(suite, "testcase", classname=result.rule, name=visible(result.label))
        if not result.ok:
            failure = ET.SubElement(case, "failure", message="other findings than the rule file says")
            failure.text = visible(result.diff, keep="\n")
    for rule in tests.untested:
        case = ET.SubElement(suite, "testcase", classname=rule, name="has an example")
        ET.SubElement(case, "failure" if strict else "skipped", message="the rule has no example")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    say(ET.tostring(suites, "unicode", xml_declaration=False))
