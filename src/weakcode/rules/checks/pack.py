"""What is wrong in a rule file whose values all have the right shape: names, verbs, ranges, expressions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import attrs

from weakcode.errors import Problem, did_you_mean
from weakcode.rules.checks.lines import wrong_dates, wrong_line, wrong_pointed
from weakcode.rules.checks.parts import NAME, PartChecker, known_names
from weakcode.rules.examples import problems_of
from weakcode.rules.lines.model import SET_KEYS
from weakcode.rules.model import (
    Case,
    Citation,
    Grouping,
    Pack,
    Relation,
    Rule,
)
from weakcode.rules.yamlmarks import Marked, Path

VERBS = tuple(field.name for field in attrs.fields(Case) if field.metadata["verb"])
MADE = ("notes", "policies")
"""What instances of a rule are made from, in place of a verb."""
ABOUT_A_SUBJECT = tuple(field.name for field in attrs.fields(Case) if field.metadata["verb"] in ("subject", "subjects"))
COMPARING = tuple(
    field.name
    for field in attrs.fields(Case)
    if field.metadata["verb"] and ("Relation" in str(field.type) or field.metadata["verb"] == "subjects")
)
"""Verbs that compare two codes."""
_SET_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_SLIP = 0.85


def check_pack(
    marked: Marked, rules: dict[int, Rule], *, bundled: bool, shared: Pack, given_sets: Collection[str] = ()
) -> list[Problem]:
    """Return what is wrong in a rule file; `rules` are the rules with the right shape, by index.

    `shared` is what the file has from others of its folder and pack, `given_sets` are code sets that a profile gives.
    """
    checker = _Checker(
        marked=marked,
        sets=shared.code_sets | _strings(marked.data.get("code_sets")),
        facts=(*shared.facts, *_strings(marked.data.get("facts"))),
        ages=(*shared.ages, *_strings(marked.data.get("ages"), kind=list)),
        sources=(*shared.sources, *_strings(marked.data.get("sources"), kind=dict)),
        pack=marked.data.get("pack"),
        ids=tuple(rule.id for rule in rules.values()),
        given_sets=given_sets,
    )
    problems = [*checker.code_sets(), *checker.dated_ages(), *(_declared_twice(marked, shared) if bundled else ())]
    seen: dict[str, int] = {}
    for index, rule in rules.items():
        path: Path = ("rules", index)
        if rule.id in seen:
            message = f'the id "{rule.id}" is taken by the rule in line {seen[rule.id]}; every rule has its own'
            problems.append(marked.problem((*path, "id"), message))
        seen.setdefault(rule.id, marked.position(path)[0])
        problems += checker.rule(rule, path)
        if rule.policies is not None and marked.data.get("pack") != "coverage":
            message = '"policies" is for the pack coverage, which comes with weakcode; a profile says whose they are'
            problems.append(marked.problem((*path, "policies"), message, key=True))
        if bundled:
            problems += checker.completeness(rule, path)
    return problems


def _declared_twice(marked: Marked, shared: Pack) -> Iterator[Problem]:
    """Refuse what the file with the pack's name says already; a user's file goes by its own words."""
    if not shared.pack:
        return
    where = f"{shared.pack}.yaml"
    if "version" in marked.data:
        yield marked.problem(("version",), f'"version" belongs to the pack and stands in {where}; remove it', key=True)
    for key, named in (("code_sets", shared.code_sets), ("facts", shared.facts), ("ages", shared.ages)):
        for name in marked.data[key] if isinstance(marked.data.get(key), dict) else ():
            if name in named:
                message = f'"{name}" is already in {key} of {where}, for the whole pack; keep one'
                yield marked.problem((key, name), message, key=True)


def _strings(value: Any, kind: type[Any] = str) -> dict[str, Any]:
    """Return the entries of a mapping that have the right shape, an empty one where it is not a mapping."""
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(key, str) and isinstance(item, kind)}


@attrs.frozen(kw_only=True)
class _Checker(PartChecker):
    sources: tuple[str, ...]
    pack: Any
    ids: tuple[str, ...]

    def code_sets(self) -> Iterator[Problem]:
        """Check the named expressions, and that none leads back to itself."""
        for name, expression in _strings(self.marked.data.get("code_sets")).items():
            path: Path = ("code_sets", name)
            if not _SET_NAME.fullmatch(name):
                message = f'the code set "{name}" needs a name of letters, digits and hyphens'
                yield self.marked.problem(path, message, key=True)
            yield from self.expression(expression, path)
            if name in self._reachable(name):
                message = f'the code set "{name}" leads back to itself; name its codes instead'
                yield self.marked.problem(path, message)

    def _reachable(self, name: str) -> set[str]:
        found: set[str] = set()
        ahead = [name]
        while ahead:
            names = set(NAME.findall(self.sets.get(ahead.pop(), ""))) - found
            found |= names
            ahead += names
        return found

    def dated_ages(self) -> Iterator[Problem]:
        """Check that named ages are ages, and that each entry begins after the one before it."""
        named = self.marked.data.get("ages")
        for name, entries in named.items() if isinstance(named, dict) else ():
            before = None
            for index, entry in enumerate(entries if isinstance(entries, list) else ()):
                path: Path = ("ages", name, index)
                if not isinstance(entry, dict):
                    continue
                yield from self.age_limits(entry.get("min"), entry.get("max"), path)
                if entry.get("min") is None and entry.get("max") is None:
                    yield self.marked.problem(path, 'give "min", "max" or both')
                if index and not (isinstance(entry.get("from"), str) and entry["from"] > (before or "")):
                    message = '"from": every entry but the first says the date it holds from, later than the one before'
                    yield self.marked.problem((*path, "from"), message)
                before = entry.get("from")

    def rule(self, rule: Rule, path: Path) -> Iterator[Problem]:
        """Check one rule with its cases and examples."""
        inline = rule.all_cases[0] if not rule.cases else None
        if rule.cases:
            yield from self._no_verb_beside_cases(rule, path)
            if rule.subject is not None:
                yield from self.expression(rule.subject, (*path, "subject"))
            yield from self.parts(rule.when, rule.message, rule.fix, path)
        for index, case in enumerate(rule.cases):
            inherited = case.subject or rule.subject
            grouped = attrs.evolve(case, by=case.by or rule.by)
            yield from self.case(grouped, (*path, "cases", index), inherited, None)
            if case.by is not None:
                yield from self._places(case.by, (*path, "cases", index, "by"))
        if inline is not None:
            yield from self.case(inline, path, inline.subject, rule)
        if rule.by is not None:
            yield from self._places(rule.by, (*path, "by"))
        if any(case.pointed and case.pointed.asks_line and case.when and case.when.line for case in rule.all_cases):
            message = '"pointed" and "when" both say what a line must have; say it under "pointed" alone'
            yield self.marked.problem(path, message)
        yield from wrong_dates(self.marked, rule.effective, (*path, "effective"))
        if rule.confidence == "record" and rule.severity == "error":
            message = 'a rule that depends on what the record says ("record") is never an error; make it a warning'
            yield self.marked.problem((*path, "confidence"), message)
        for index, citation in enumerate(rule.sources):
            yield from self._citation(citation, (*path, "sources", index))
        for index, full in enumerate(rule.supersedes):
            pack, _, name = full.partition("/")
            place = (*path, "supersedes", index)
            if pack == self.pack and name == rule.id:
                yield self.marked.problem(place, "a rule cannot supersede itself")
            elif pack == self.pack and name not in self.ids and difflib.get_close_matches(name, self.ids, 1, _SLIP):
                # A pack may be several files, so a rule that is not here may be in another; a typo is reported.
                message = f'"{full}" is not a rule of this file{did_you_mean(name, self.ids)}'
                yield self.marked.problem(place, message)
        for kind, examples in (("pass", rule.examples.passing), ("fail", rule.examples.fail)):
            for index, example in enumerate(examples):
                place = (*path, "examples", kind, index)
                yield from problems_of(self.marked, rule, example, kind, place)
                yield from self.documented(example.documented, (*place, "documented"))

    def case(self, case: Case, path: Path, subject: str | None, whole: Rule | None) -> Iterator[Problem]:
        """Check one case: a single verb, a subject where the verb needs one, and everything it names.

        `whole` is the rule where it is written as one.
        """
        verbs = [verb for verb in VERBS if getattr(case, verb)]
        verbs += [made for made in MADE if whole is not None and getattr(whole, made) is not None]
        where = "this rule" if len(path) == 2 else "this case"
        choice = f"{', '.join(VERBS)}, pointed, poa{' or notes' * (len(path) == 2)}"
        misfits = list(wrong_pointed(self.marked, case.pointed, verbs, subject, (*path, "pointed")))
        if misfits:
            yield from misfits
        elif case.poa and (case.pointed is not None or subject is None):
            message = '"poa" needs a subject, and no "pointed": indicators are on inpatient claims, pointers on others'
            yield self.marked.problem((*path, "poa"), message, key=True)
        elif not verbs and (case.pointed is not None or case.poa):
            pass
        elif not verbs:
            yield self.marked.problem(path, f"{where} checks nothing; give one of {choice}")
        elif len(verbs) > 1:
            message = f"{where} has {' and '.join(verbs)}; give one of them, or write them as cases"
            yield self.marked.problem((*path, verbs[1]), message, key=True)
        elif subject is None and verbs[0] in ABOUT_A_SUBJECT:
            message = f'"{verbs[0]}" needs a subject: the codes that it is about'
            yield self.marked.problem((*path, verbs[0]), message, key=True)
        if case.subject is not None:
            yield from self.expression(case.subject, (*path, "subject"))
        if case.by is not None:
            yield from self._grouping(verbs, subject, (*path, "by"))
        for verb in VERBS:
            relation = getattr(case, verb)
            if isinstance(relation, Relation):
                yield from self._relation(relation, verb, subject, (*path, verb))
        yield from wrong_line(self.marked, case.pointed, (*path, "pointed"))
        for key in SET_KEYS if case.pointed else ():
            if getattr(case.pointed, key):
                yield from self.expression(getattr(case.pointed, key), (*path, "pointed", key))
        yield from self.parts(case.when, case.message, case.fix, path)

    def _grouping(self, verbs: Sequence[str], subject: str | None, path: Path) -> Iterator[Problem]:
        if subject is None or not {*verbs[:1]} & {*COMPARING}:
            names = f"{', '.join(COMPARING[:-1])} or {COMPARING[-1]}"
            message = f'"by" compares two codes: give a subject with {names}'
            yield self.marked.problem(path, message, key=True)

    def _places(self, by: Grouping, path: Path) -> Iterator[Problem]:
        if not by.characters and not by.side:
            yield self.marked.problem(path, '"by" says nothing; give characters, side: true, or both', key=True)
        for index, place in enumerate(by.characters):
            if not 1 <= place <= 7:
                message = f'"characters": a code has the characters 1 to 7, found {place}'
                yield self.marked.problem((*path, "characters", index), message)
            elif place in by.characters[:index]:
                message = f'"characters": {place} stands twice; remove one'
                yield self.marked.problem((*path, "characters", index), message)

    def _no_verb_beside_cases(self, rule: Rule, path: Path) -> Iterator[Problem]:
        for verb in (*VERBS, "pointed", "poa", *MADE):
            if getattr(rule, verb):
                message = f'"{verb}" stands beside "cases"; move it into a case of its own'
                yield self.marked.problem((*path, verb), message, key=True)

    def _relation(self, relation: Relation, verb: str, subject: str | None, path: Path) -> Iterator[Problem]:
        if verb == "order" and relation.where == "anywhere":
            message = '"order" says where the codes stand: write before: or after: ahead of them'
            yield self.marked.problem(path, message)
        elif verb != "order" and subject is None and relation.where != "anywhere":
            message = f'"{relation.where}" needs a subject to stand {relation.where}; give the rule a subject'
            yield self.marked.problem((*path, relation.where), message, key=True)
        yield from self.expression(relation.codes, (*path, relation.where))

    def _citation(self, citation: Citation, path: Path) -> Iterator[Problem]:
        if citation.source not in self.sources:
            message = f'"{citation.source}" is not among sources{known_names(citation.source, self.sources)}'
            yield self.marked.problem((*path, "source"), message)

    def completeness(self, rule: Rule, path: Path) -> Iterator[Problem]:
        """Check what a shipped rule must have and a user's own rule should have."""
        wanted = (
            ("why", rule.why.strip(), "say why it matters"),
            ("sources", rule.sources, "cite at least one source"),
            ("examples", rule.examples.passing, "give an example under pass"),
            ("examples", rule.examples.fail, "give an example under fail"),
            (
                "examples",
                not rule.has_safe_fix or any(example.fixed for example in rule.examples.fail),
                "its fix is safe; give an example under fail with the mended claim as fixed",
            ),
        )
        if "confidence" not in self.marked.data["rules"][path[1]]:
            yield self.marked.problem(path, f'the rule "{rule.id}" is not complete: say its confidence', key=True)
        for key, is_given, advice in wanted:
            # What policies say, only those that were installed tell.
            if not is_given and not (key == "examples" and rule.policies is not None):
                yield self.marked.problem((*path, key), f'the rule "{rule.id}" is not complete: {advice}', key=True)
