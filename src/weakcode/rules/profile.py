"""A profile: a payer's or practice's choice of packs, rules and severities."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import attrs

from weakcode.errors import Problem, RuleFileError, UnknownNameError, did_you_mean
from weakcode.rules.model import FULL_ID, doc
from weakcode.rules.yamlmarks import Marked

# ruff: noqa: RUF009  (doc() declares a field; the linter knows only attrs.field by name)

Setting = Literal["off", "on", "error", "warning", "info"]


@attrs.frozen
class PayerProfile:
    """What a profile says for the claims of one payer; it goes before what the profile says for all."""

    rules: dict[str, Setting] = doc(
        "Full rule ids, each off, on, error, warning or info.", factory=dict, pattern=FULL_ID
    )


@attrs.frozen
class Profile:
    """A payer's or practice's choice. Payer names are compared without regard to case."""

    name: str = doc("The profile's name, told in every output.")
    packs: tuple[str, ...] | None = doc(
        "Packs by name, or rule files by path from the profile's folder; without it, all bundled packs.",
        default=None,
        single=True,
    )
    rules: dict[str, Setting] = doc(
        "Full rule ids, each off, on, error, warning or info.", factory=dict, pattern=FULL_ID
    )
    payers: dict[str, PayerProfile] = doc("What differs by payer.", factory=dict)
    # Where everything stood in the file, for the check against rules that are loaded later.
    marked: Marked | None = attrs.field(default=None, eq=False, repr=False)

    def severity_for(self, rule_id: str, payer: str | None, default: str, enabled: bool = True) -> str | None:
        """Return the severity of a rule for a payer, or None where the rule is off.

        `default` is the severity in the rule's file, `enabled` whether it is on without a profile. A severity
        switches a rule on; "on" keeps the severity that the profile gives it for all payers, or else its own.
        """
        general = self.rules.get(rule_id)
        setting = self._for_payer(payer).get(rule_id, general)
        if setting is None:
            return default if enabled else None
        if setting == "off":
            return None
        if setting == "on":
            return general if general not in (None, "on", "off") else default
        return setting

    def _for_payer(self, payer: str | None) -> dict[str, Setting]:
        if payer is not None:
            wanted = payer.strip().casefold()
            for name, chosen in self.payers.items():
                if name.strip().casefold() == wanted:
                    return chosen.rules
        return {}

    @property
    def folder(self) -> Path | None:
        """The folder of the profile's file, from which its paths are read."""
        return Path(self.marked.file).parent if self.marked is not None else None


def load_profile(path: Path | str) -> Profile:
    """Load a profile. Raises UnknownNameError where there is no file, RuleFileError with its problems."""
    from weakcode.rules.load import read_content

    if not Path(path).exists():
        raise UnknownNameError(f'there is no profile "{path}"; a profile is a YAML file')
    return parse_profile(read_content(Path(path), str(path)), str(path))


def parse_profile(content: str | bytes, file: str = "<profile>") -> Profile:
    """Read a profile from its content; `file` stands for it in messages. Raises RuleFileError."""
    from weakcode.rules.load import in_order
    from weakcode.rules.structure import structure
    from weakcode.rules.yamlmarks import read

    marked = read(content, file)
    profile, problems = structure(marked, Profile)
    if profile is not None:
        problems += _same_payers(profile, marked)
    if problems:
        raise RuleFileError(in_order(problems))
    loaded: Profile = attrs.evolve(profile, marked=marked)
    return loaded


def _same_payers(profile: Profile, marked: Marked) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for payer in profile.payers:
        first = seen.setdefault(payer.strip().casefold(), payer)
        if first != payer:
            message = f'"{payer}" is the same payer as "{first}"; keep one'
            problems.append(marked.problem(("payers", payer), message, key=True))
    return problems


def check_profile(profile: Profile, known_rule_ids: Collection[str]) -> None:
    """Raise RuleFileError where the profile speaks of rules that are not among the full ids known."""
    problems = []
    groups: list[tuple[tuple[str, ...], dict[str, Setting]]] = [(("rules",), profile.rules)]
    groups += [(("payers", payer, "rules"), chosen.rules) for payer, chosen in profile.payers.items()]
    for path, rules in groups:
        for rule in rules:
            if rule in known_rule_ids:
                continue
            hint = did_you_mean(rule, known_rule_ids) or "; the list is in: weakcode rules list"
            message = f'there is no rule "{rule}" in the packs of this profile{hint}'
            if profile.marked is not None:
                problems.append(profile.marked.problem((*path, rule), message, key=True))
            else:
                problems.append(Problem(f'profile "{profile.name}"', 1, 1, message))
    if problems:
        raise RuleFileError(problems)
