"""Rule files become edits of one edition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from weakcode.base.clock import today
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.codes.expression.parsing import parse
from weakcode.compile.ages import dated_cases
from weakcode.compile.citations import of_day
from weakcode.compile.dated import by_time
from weakcode.compile.tabular.builtin import BUILTIN, DATED
from weakcode.compile.tabular.instances import note_edits
from weakcode.errors import NotationError
from weakcode.findings import Source
from weakcode.rules.lines.model import ABOUT_POINTERS, Pointed
from weakcode.rules.model import Case, Pack, Relation, Rule, When
from weakcode.rules.profilechecks import code_sets_for
from weakcode.semantics.conditions import condition_of
from weakcode.semantics.edits import CompiledRule, Edit, EditFix
from weakcode.semantics.groups import grouped
from weakcode.semantics.pointers import BY_LINE, FIRST, FIRST_BY_LINE, NEVER, ONLY_BY_LINE, PointedKind
from weakcode.semantics.verbs import FORMS, Verb, Where, verb_of

_NAMED_WHERE = {"anywhere": Where.ANYWHERE, "before": Where.BEFORE, "after": Where.AFTER}


class Scope:
    """The named code sets of a rule file, resolved against an edition when first asked for.

    `given` are those of a profile, which stand in place of the file's own. Sets that depend on the day are those of
    `day`; None is the day of the run.
    """

    def __init__(
        self, pack: Pack, edition: Edition, given: Mapping[str, str] | None = None, day: date | None = None
    ) -> None:
        self._texts = code_sets_for(pack, given) if given else pack.code_sets
        self._pack, self._given, self._day = pack, given, day
        self.edition = edition.whole
        self._on: dict[date, Scope] = {}
        self._sets: dict[str, CodeSet] = {}
        self._open: list[str] = []

    def codes(self, text: str) -> CodeSet:
        """Return the codes that an expression names. Raises NotationError for one that cannot be read."""
        expression = parse(text)
        if not expression.names:
            return self.edition.codeset(text)
        return expression.resolve(self.edition, {name: self._named(name, text) for name in expression.names})

    def _named(self, name: str, text: str) -> CodeSet:
        if name in self._open:
            circle = " -> ".join([*self._open, name])
            raise NotationError(f"the code sets refer to each other: {circle}", text=text, column=1, expected="")
        if name not in self._sets and name not in self._texts:
            if name in BUILTIN:
                self._sets[name] = BUILTIN[name](self.edition)
            elif name in DATED:
                self._sets[name] = DATED[name].on(self._day or today(), self.edition)
        if name not in self._sets:
            self._open.append(name)
            self._sets[name] = self.codes(self._texts[name])
            self._open.pop()
        return self._sets[name]

    def on(self, day: date) -> Scope:
        """Return the same code sets as they are on a day."""
        if day not in self._on:
            self._on[day] = Scope(self._pack, self.edition, self._given, day)
        return self._on[day]

    def changes(self, texts: Iterable[str]) -> tuple[date, ...]:
        """Return the days from which on code sets that expressions use are others, the first day known first."""
        waiting = [name for text in texts for name in parse(text).names]
        days: set[date] = set()
        met: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name in met:
                continue
            met.add(name)
            if name in self._texts:
                waiting += parse(self._texts[name]).names
            elif name in DATED:
                days.update(DATED[name].changes())
        return tuple(sorted(days))

    def spelled_out(self, text: str) -> str:
        """Return an expression with its code sets written out, for messages."""
        for name in sorted(parse(text).names, key=len, reverse=True):
            if name in self._texts:
                text = text.replace(f"${name}", self.spelled_out(self._texts[name]))
        return text


def _verb(case: Case, scope: Scope) -> tuple[Verb, Where, CodeSet, CodeSet, str]:
    """Return verb, relation, subject, object and the object as written."""
    subject = scope.codes(case.subject) if case.subject else None
    verb = verb_of(case)
    value = getattr(case, FORMS[verb].key, None)
    relation = value if isinstance(value, Relation) else None
    where = _NAMED_WHERE[relation.where] if relation else Where.ANYWHERE
    objects = scope.codes(relation.codes) if relation else CodeSet()
    listed = scope.spelled_out(relation.codes) if relation else ""
    if case.pointed is not None and case.pointed.codes:
        return _diagnoses_of_lines(case.pointed, scope)
    if subject is None:
        if case.forbid:
            return Verb.PRESENT, where, objects, CodeSet(), listed
        # A pointer beyond the claim is a condition, and such an edit requires a code that nothing is.
        return Verb.CLAIM_REQUIRE, where, CodeSet(), objects, listed
    return verb, where, subject, objects, listed


def _diagnoses_of_lines(pointed: Pointed, scope: Scope) -> tuple[Verb, Where, CodeSet, CodeSet, str]:
    """Return the edit's form where it is said what diagnoses of a line must be: those that may not be are subjects.

    A code that is not billable is reported as such, and nothing else of it.
    """
    named = scope.codes(pointed.codes or "")
    if pointed.none is not None:
        return Verb.PRESENT, Where.ANYWHERE, named, CodeSet(), ""
    others = CodeSet([(0, scope.edition.size)]) - named
    return Verb.PRESENT, Where.ANYWHERE, others, CodeSet(), scope.spelled_out(pointed.codes or "")


def _pointed(pointed: Pointed | None) -> PointedKind | None:
    """Return what service lines must do with a subject; None where that is no part of being one."""
    if pointed is None or pointed.how in ABOUT_POINTERS:
        return None
    if pointed.how == NEVER:
        return NEVER
    if pointed.any is not None:
        return ONLY_BY_LINE
    if pointed.how == FIRST:
        return FIRST_BY_LINE if pointed.asks_line else FIRST
    return BY_LINE


def sources_of(pack: Pack, rule: Rule, edition: Edition) -> tuple[Source, ...]:
    """Return what a rule cites when this edition judges, titles spelled out.

    What depends on the day of the claim is left open for an edition of all days; `citations.of_day` fills it in.
    """
    cited = []
    for citation in rule.sources:
        publication = pack.sources[citation.source]
        dated = publication.edition.replace("{edition}", edition.notes_name)
        title = f"{publication.title} ({dated})" if dated else publication.title
        source = Source(title=title, place=citation.at)
        cited.append(source if edition is edition.whole else of_day(source, edition))
    return tuple(cited)


def compile_rule(pack: Pack, rule: Rule, number: int, scope: Scope) -> list[Edit]:
    """Return the edits of one rule: one for each case, for each of its groups, or for each note that it is made from.

    A case whose codes depend on the day gives an edit for what holds on every day, and one for each time of the rest.
    """
    edits: list[Edit] = []
    if rule.policies is not None:
        # What installed policies say is no edit; `weakcode.coverage` judges by it.
        return edits
    for case in (dated for one in rule.all_cases for dated in dated_cases(one, pack)):
        changes = scope.changes(_texts(case))
        edit = _edit(pack, rule, number, case, scope.on(changes[0]) if changes else scope)
        if rule.notes:
            edits.extend(note_edits(rule.notes, edit, scope.edition))
            continue
        found = [edit]
        if len(changes) > 1:
            found = list(by_time([(day, _edit(pack, rule, number, case, scope.on(day))) for day in changes]))
        edits.extend(part for one in found for part in grouped(one, case.by, scope.edition))
    return edits


def _texts(case: Case) -> list[str]:
    """Return every code expression of a case."""
    when, relation = case.when or When(), case.forbid or case.require or case.order
    pointed = case.pointed and case.pointed.codes
    texts = (case.subject, relation and relation.codes, pointed, when.present, when.absent, when.first_listed)
    return [text for text in texts if text]


def _edit(pack: Pack, rule: Rule, number: int, case: Case, scope: Scope) -> Edit:
    verb, where, subject, objects, listed = _verb(case, scope)
    return Edit(
        rule=number,
        verb=verb,
        subject=subject,
        object=objects,
        where=where,
        condition=condition_of(case.when or When(), case, rule, scope.codes),
        terms=tuple(term.casefold() for term in case.terms),
        pointed=_pointed(case.pointed),
        poa=case.poa,
        message=case.message,
        listed=listed,
        fix=EditFix(case.fix.action, case.fix.code, case.fix.text) if case.fix else None,
        sources=sources_of(pack, rule, scope.edition),
    )


def compile_packs(
    packs: Iterable[Pack],
    edition: Edition,
    lines: Mapping[str, int] | None = None,
    code_sets: Mapping[str, str] | None = None,
) -> tuple[list[CompiledRule], list[Edit]]:
    """Return the rules of the packs and their edits against the Tabular List of an edition, for codes of any day.

    `lines` gives the line of each rule in its file by full id, `code_sets` those of a profile.
    """
    rules: list[CompiledRule] = []
    edits: list[Edit] = []
    edition = edition.whole
    for pack in packs:
        scope = Scope(pack, edition, code_sets)
        for rule in pack.rules:
            full_id = f"{pack.pack}/{rule.id}"
            terms = [
                (term.casefold(), (case.fix.code or "") if case.fix else "")
                for case in rule.all_cases
                for term in case.terms
            ]
            edits.extend(compile_rule(pack, rule, len(rules), scope))
            rules.append(
                CompiledRule(
                    id=full_id,
                    title=rule.title,
                    severity=rule.severity,
                    enabled=rule.enabled,
                    pack=pack.pack,
                    supersedes=rule.supersedes,
                    line=(lines or {}).get(full_id, 0),
                    terms=tuple(terms),
                    confidence=rule.confidence,
                )
            )
    return rules, edits
