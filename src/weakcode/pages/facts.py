"""All facts about a rule: from its file, its edits and a run of its examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs

from weakcode.codes.catalog import edition_for
from weakcode.codes.edition import Edition
from weakcode.compile.build import build_program
from weakcode.compile.compiler import sources_of
from weakcode.compile.program import Program
from weakcode.errors import UnknownNameError, did_you_mean
from weakcode.findings import DenialRisk, Source
from weakcode.rules.examples import ExampleCase, cases_of
from weakcode.rules.library import Selected, resolve_packs
from weakcode.rules.load import load_pack, refuse_clashes
from weakcode.rules.model import Pack, Rule
from weakcode.rules.profile import Profile
from weakcode.rules.profileload import load_profile
from weakcode.validator import Validator

_QUOTED = 3


@attrs.frozen
class ExampleRun:
    """An example and what the rule alone finds on it: (positions, message) of each finding.

    `findings` is None where the example was not run, since the pack's extra is missing.
    """

    case: ExampleCase
    findings: tuple[tuple[tuple[int, ...], str], ...] | None


@attrs.frozen
class Instances:
    """What a rule that is made from the Tabular List became: its edits, the places they come from, and a few notes."""

    edition: str
    edits: int
    places: int
    quoted: tuple[Source, ...]


@attrs.frozen
class Handling:
    """What a profile makes of a rule: for each payer (None: all) the severity, None where it is off.

    `included` is False where the rule's pack is not among the profile's; `risks` are the denial risks it names.
    """

    profile: str
    included: bool
    severities: tuple[tuple[str | None, str | None], ...] = ()
    risks: tuple[DenialRisk, ...] = ()


@attrs.frozen
class RuleFacts:
    """A rule with its pack, and what only a run shows."""

    id: str
    pack: Pack
    rule: Rule
    file: str
    line: int
    sources: tuple[Source, ...]
    superseded_by: tuple[str, ...]
    edits: int
    instances: Instances | None
    tried: tuple[ExampleRun, ...]
    handling: tuple[Handling, ...]


@attrs.frozen(eq=False)
class RuleBook:
    """The rules of some packs against the edition of today."""

    edition: Edition
    program: Program
    packs: tuple[str, ...]
    _rules: Mapping[str, tuple[Pack, Rule, Path, int]]
    _profiles: tuple[tuple[Profile, frozenset[str]], ...]

    @classmethod
    def of(cls, packs: Iterable[str] | None = None, profiles: Sequence[str | Path] = ()) -> RuleBook:
        """Gather the rules of packs, rule files or folders; None means all that weakcode ships.

        Raises RuleFileError and UnknownNameError.
        """
        selected = [Selected(path) for path in dict.fromkeys(one.path for one in resolve_packs(packs))]
        rules: dict[str, tuple[Pack, Rule, Path, int]] = {}
        loaded = [load_pack(one.path) for one in selected]
        refuse_clashes(loaded)
        for one, found in zip(selected, loaded, strict=True):
            for rule in found.pack.rules:
                rules[f"{found.pack.pack}/{rule.id}"] = (found.pack, rule, one.path, found.lines[rule.id])
        edition = edition_for(None)
        program = build_program([one.path for one in selected], edition)
        chosen = [load_profile(path) if isinstance(path, str | Path) else path for path in profiles]
        known = [frozenset(rule.id for rule in Validator(profile=profile).rules) for profile in chosen]
        return cls(edition, program, program.packs, rules, tuple(zip(chosen, known, strict=True)))

    @property
    def ids(self) -> tuple[str, ...]:
        """The full ids of the rules, in the order of the files."""
        return tuple(self._rules)

    def title(self, rule_id: str) -> str:
        """Return the title of a rule."""
        return self._rules[rule_id][1].title

    def severity(self, rule_id: str) -> str:
        """Return the severity of a rule, `off` where it is off unless asked for."""
        rule = self._rules[rule_id][1]
        return rule.severity if rule.enabled else "off"

    def facts(self, rule_id: str) -> RuleFacts:
        """Return the facts about a rule. Raises UnknownNameError where there is none of this id."""
        if rule_id not in self._rules:
            hint = did_you_mean(rule_id, self._rules)
            raise UnknownNameError(f'the rule "{rule_id}" does not exist{hint}; weakcode rules list names all')
        pack, rule, path, line = self._rules[rule_id]
        numbers = self._edits_of(rule_id)
        return RuleFacts(
            id=rule_id,
            pack=pack,
            rule=rule,
            file=path.name,
            line=line,
            sources=sources_of(pack, rule, self.edition),
            superseded_by=tuple(other for other, found in self._rules.items() if rule_id in found[1].supersedes),
            edits=len(numbers),
            instances=self._instances(numbers) if rule.notes else None,
            tried=_tried(rule_id, rule, path),
            handling=tuple(_handling(profile, known, rule_id, rule) for profile, known in self._profiles),
        )

    def _edits_of(self, rule_id: str) -> list[int]:
        number = self.program.rule_numbers.get(rule_id)
        return [] if number is None else list(self.program.edits_of(number))

    def _instances(self, numbers: Sequence[int]) -> Instances:
        cited = (source for number in numbers for source in self.program.edit(number).sources)
        notes = list(dict.fromkeys(source for source in cited if source.quote))
        # One from the beginning of the list, one from its middle and one from its end.
        spread = [notes[len(notes) * part // _QUOTED] for part in range(min(_QUOTED, len(notes)))]
        return Instances(self.edition.notes_name, len(numbers), len({note.place for note in notes}), tuple(spread))


def _tried(rule_id: str, rule: Rule, path: Path) -> tuple[ExampleRun, ...]:
    cases = list(cases_of(rule_id, rule))
    if not cases:
        return ()
    # Alone, so that no example depends on what supersedes the rule; this also switches it on.
    validator = Validator(packs=[path], only=[rule_id])
    tried = []
    for case in cases:
        found = [finding for finding in validator.check(case.claim) if finding.rule == rule_id]
        tried.append(ExampleRun(case, tuple((finding.positions, finding.message) for finding in found)))
    return tuple(tried)


def _handling(profile: Profile, known: frozenset[str], rule_id: str, rule: Rule) -> Handling:
    if rule_id not in known:
        return Handling(profile.name, False)
    severities = {
        payer: profile.severity_for(rule_id, payer, rule.severity, rule.enabled, rule.confidence)
        for payer in (None, *profile.payers)
    }
    differing = [(payer, found) for payer, found in severities.items() if payer is None or found != severities[None]]
    risks = [by_key[rule_id] for by_key in profile.risks.values() if rule_id in by_key]
    return Handling(profile.name, True, tuple(differing), tuple(risks))
