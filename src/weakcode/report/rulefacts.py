"""What rule files say about the rules that a report names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from weakcode.rules.library import resolve_packs
from weakcode.rules.load import load_pack
from weakcode.rules.model import Example, Pack, Rule


@attrs.frozen
class RuleFacts:
    """A rule's page: texts in one line each, examples as the codes of a claim with a note."""

    rule: str
    title: str
    severity: str
    why: str
    known_problems: str
    sources: tuple[str, ...]
    failing: tuple[tuple[str, str], ...]
    passing: tuple[tuple[str, str], ...]
    pack: str
    """Name and version, as findings files name packs."""


def rule_facts(wanted: Iterable[str], rules: Sequence[str] = ()) -> dict[str, RuleFacts]:
    """Return the facts of those of the wanted rules that the bundled packs and the rule files `rules` hold.

    A rule of a file given is taken before a bundled one. Raises UnknownNameError for a file that is not there.
    """
    names = set(wanted)
    found: dict[str, RuleFacts] = {}
    chosen = [*resolve_packs(), *(resolve_packs(list(rules)) if rules else [])]
    for path in dict.fromkeys(selected.path for selected in chosen):
        pack = load_pack(path).pack
        for rule in pack.rules:
            full = f"{pack.pack}/{rule.id}"
            if full in names:
                found[full] = _facts(full, pack, rule)
    return found


def _facts(full: str, pack: Pack, rule: Rule) -> RuleFacts:
    return RuleFacts(
        rule=full,
        title=rule.title,
        severity=rule.severity,
        why=_flat(rule.why),
        known_problems=_flat(rule.known_problems),
        sources=tuple(f"{pack.sources[cited.source].title}, {cited.at}".rstrip(", ") for cited in rule.sources),
        failing=tuple(map(_example, rule.examples.fail)),
        passing=tuple(map(_example, rule.examples.passing)),
        pack=f"{pack.pack} {pack.version}",
    )


def _example(example: Example) -> tuple[str, str]:
    about = {
        "age": example.age,
        "sex": example.sex,
        "date": example.service_date,
        "setting": example.setting,
        "payer": example.payer,
        "documented": ", ".join(example.documented),
        "text": "; ".join(example.text.values()),
    }
    given = ", ".join(f"{name} {value}" for name, value in about.items() if value not in (None, ""))
    return example.codes, ". ".join(part for part in (example.note.rstrip("."), given) if part)


def _flat(paragraph: str) -> str:
    return " ".join(paragraph.split())
