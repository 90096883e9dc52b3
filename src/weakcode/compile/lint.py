"""Warnings about rules that load but look wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.rules.load import LoadedPack
from weakcode.rules.model import Pack, Rule
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import FORMS, Verb, Where


@attrs.frozen
class LintWarning:
    """A rule of a file, and what is odd about it."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.message}"


def lint(packs: Iterable[str] | None = None, edition: Edition | None = None) -> list[LintWarning]:
    """Return warnings on the packs: rules that can never fire, name no billable code or contradict another rule.

    A rule without a reason, a source or examples of both kinds is warned of too, and one whose safe fix no example has.
    """
    from weakcode.codes.catalog import edition_for
    from weakcode.compile.compiler import compile_packs
    from weakcode.rules.library import resolve_packs
    from weakcode.rules.load import load_pack

    edition = edition or edition_for(None)
    codes_of_day = edition.billable | CodeSet(((edition.size, edition.universe),))
    loaded = [load_pack(chosen.path) for chosen in resolve_packs(None if packs is None else list(packs))]
    places = {f"{one.pack.pack}/{rule}": (one.path, line) for one in loaded for rule, line in one.lines.items()}
    rules, edits = compile_packs([one.pack for one in loaded], edition)
    # What is odd is odd of all groups together: a group may have codes of other days alone.
    _, ungrouped = compile_packs([_ungrouped(one.pack) for one in loaded], edition)
    from_notes = {f"{one.pack.pack}/{rule.id}" for one in loaded for rule in one.pack.rules if rule.notes}
    edits_of, ungrouped_of = _by_rule(edits), _by_rule(ungrouped)
    written = [edit for edit in edits if rules[edit.rule].id not in from_notes]
    warnings = []
    for number, rule in enumerate(rules):
        file, line = places[rule.id]
        # One note or title may name codes of other days alone.
        reported = [] if rule.id in from_notes else ungrouped_of[number]
        for message in dict.fromkeys(_odd(reported, codes_of_day, edition.name)):
            warnings.append(LintWarning(file, line, rule.id, message))
        # A rule made of notes says what the notes say; whether two notes contradict each other is not the file's doing.
        others = [] if rule.id in from_notes else written
        for message in _contradictions(number, edits_of[number], others, [r.id for r in rules]):
            warnings.append(LintWarning(file, line, rule.id, message))
    for one in loaded:
        warnings += _unproven(one)
        warnings += _empty_groups(one, edition)
    return warnings


def _by_rule(edits: Iterable[Edit]) -> defaultdict[int, list[Edit]]:
    found = defaultdict[int, list[Edit]](list)
    for edit in edits:
        found[edit.rule].append(edit)
    return found


def _ungrouped(pack: Pack) -> Pack:
    def without(rule: Rule) -> Rule:
        return attrs.evolve(rule, by=None, cases=tuple(attrs.evolve(case, by=None) for case in rule.cases))

    return attrs.evolve(pack, rules=tuple(map(without, pack.rules)))


def _empty_groups(loaded: LoadedPack, edition: Edition) -> Iterator[LintWarning]:
    from weakcode.compile.compiler import Scope, compile_rule

    scope = Scope(loaded.pack, edition)
    for rule in loaded.pack.rules:
        alone = [attrs.evolve(rule, cases=(case,)) for case in rule.cases] or [rule]
        if any(one.all_cases[0].by and not compile_rule(loaded.pack, one, 0, scope) for one in alone):
            message = "no group of its by holds two codes that it compares, so it can never fire"
            yield LintWarning(loaded.path, loaded.lines[rule.id], f"{loaded.pack.pack}/{rule.id}", message)


def _unproven(loaded: LoadedPack) -> Iterator[LintWarning]:
    for rule in loaded.pack.rules:
        full_id = f"{loaded.pack.pack}/{rule.id}"
        line = loaded.lines[rule.id]
        if not rule.why.strip():
            yield LintWarning(loaded.path, line, full_id, 'does not say why it matters ("why")')
        if not rule.sources:
            yield LintWarning(loaded.path, line, full_id, "names no source")
        if rule.policies is not None:
            continue
        if not (rule.examples.passing and rule.examples.fail):
            yield LintWarning(loaded.path, line, full_id, "needs an example that passes and one that fails")
        elif rule.has_safe_fix and not any(example.fixed for example in rule.examples.fail):
            message = "has a safe fix; give an example under fail with the mended claim as fixed"
            yield LintWarning(loaded.path, line, full_id, message)


def _odd(edits: Iterable[Edit], codes_of_day: CodeSet, edition: str) -> Iterator[str]:
    for edit in edits:
        form = FORMS[edit.verb]
        if form.has_subject and not edit.subject & codes_of_day:
            yield f"its subject names no billable code of {edition}, so it can never fire"
        if form.needs_object and not form.asks_object and not edit.object & codes_of_day:
            yield f"its object names no billable code of {edition}, so it can never fire"
        about_pointers = edit.condition is not None and bool(edit.condition.faults)
        if form.asks_object and not edit.object & codes_of_day and not about_pointers:
            yield f"what it requires names no billable code of {edition}, so it always fires"
        if edit.verb is Verb.FORBID and edit.subject and not edit.subject - edit.object:
            yield "every subject is also an object, so it can never fire"
        if form.counts_subjects and len(edit.subject) == 1:
            yield "its subject is a single code, so it can never fire"
        condition = edit.condition
        if condition is None:
            continue
        if condition.starts and condition.ends and condition.starts > condition.ends:
            yield "no service date meets both its condition and its effective dates, so it can never fire"
        if condition.age_min is not None and condition.age_max is not None and condition.age_min > condition.age_max:
            yield "no age meets its condition, so it can never fire"
        wanted = {*condition.documented_all}
        if wanted & {*condition.documented_none}:
            yield "it asks for a documented fact and for its absence, so it can never fire"
        if condition.absent and edit.subject and not edit.subject - condition.absent:
            yield "its condition excludes its own subject, so it can never fire"


def _contradictions(number: int, own: Iterable[Edit], edits: Iterable[Edit], ids: list[str]) -> Iterator[str]:
    warned = set()
    for own_edit in own:
        if own_edit.verb is not Verb.REQUIRE or own_edit.condition is not None:
            continue
        for other in edits:
            if other.condition is not None or not own_edit.subject & other.subject or other.rule in warned:
                continue
            shared = own_edit.subject & other.subject
            if other.verb is Verb.FORBID and other.where in (Where.ANYWHERE, own_edit.where):
                if own_edit.object and not own_edit.object - other.object and not shared & other.object:
                    warned.add(other.rule)
                    yield f"contradicts {ids[other.rule]}, which forbids every code that this rule requires"
            elif other.verb is Verb.FIRST and own_edit.where is Where.BEFORE:
                warned.add(other.rule)
                yield f"contradicts {ids[other.rule]}: nothing can stand before a first-listed code"
