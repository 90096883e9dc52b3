"""What rule files say about the rules that a report names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from weakcode.codes.catalog import edition_for
from weakcode.compile.compiler import sources_of
from weakcode.findings import CONFIDENCES
from weakcode.pages import facts as pages
from weakcode.pages.wording import known_of, sections
from weakcode.rules.examples import ExampleCase, cases_of
from weakcode.rules.library import resolve_packs
from weakcode.rules.load import load_pack
from weakcode.rules.model import Pack, Rule


@attrs.frozen
class ReportedRule:
    """A rule's page: texts in one line each, examples as the codes of a claim with a note.

    `checks` says what the rule checks, in parts of plain text and of code by turns.
    """

    rule: str
    title: str
    severity: str
    confidence: str
    checks: tuple[tuple[str, ...], ...]
    why: str
    known_problems: str
    sources: tuple[str, ...]
    failing: tuple[tuple[str, str], ...]
    passing: tuple[tuple[str, str], ...]
    pack: str
    """Name and version, as findings files name packs."""


def rule_facts(wanted: Iterable[str], rules: Sequence[str] = ()) -> dict[str, ReportedRule]:
    """Return the facts of those of the wanted rules that the bundled packs and the rule files `rules` hold.

    A rule of a file given is taken before a bundled one. Raises UnknownNameError for a file that is not there.
    """
    names = set(wanted)
    found: dict[str, ReportedRule] = {}
    chosen = [*resolve_packs(), *(resolve_packs(list(rules)) if rules else [])]
    for path in dict.fromkeys(selected.path for selected in chosen):
        pack = load_pack(path).pack
        for rule in pack.rules:
            full = f"{pack.pack}/{rule.id}"
            if full in names:
                found[full] = _facts(full, pack, rule)
    return found


def _facts(full: str, pack: Pack, rule: Rule) -> ReportedRule:
    return ReportedRule(
        rule=full,
        title=rule.title,
        severity=rule.severity,
        confidence=f"{rule.confidence}: {CONFIDENCES[rule.confidence]}",
        checks=_checks(full, pack, rule),
        why=_flat(rule.why),
        known_problems=_flat(rule.known_problems),
        sources=tuple(map(str, sources_of(pack, rule, edition_for(None)))),
        failing=tuple(_example(case) for case in cases_of(full, rule) if case.fails),
        passing=tuple(_example(case) for case in cases_of(full, rule) if not case.fails),
        pack=f"{pack.pack} {pack.version}",
    )


def _checks(full: str, pack: Pack, rule: Rule) -> tuple[tuple[str, ...], ...]:
    # What only a run shows, the examples' findings above all, would take as long for each rule as the whole report.
    unrun = pages.RuleFacts(full, pack, rule, "", 0, (), (), 0, None, (), ())
    section = next(one for one in sections(unrun) if one.title == "What it checks")
    return tuple(tuple(text.split("`")) for line in section.lines for text in (line.text, *line.under))


def _example(case: ExampleCase) -> tuple[str, str]:
    facts = ", ".join(known_of(case)).replace("`", "")
    return case.example.codes, "; ".join(part for part in (case.example.note.rstrip("."), facts) if part)


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())
