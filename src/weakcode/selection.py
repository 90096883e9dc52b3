"""Which rules a validator applies: those that were chosen, at which severity, and for whose claims."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.errors import InputError, UnknownNameError, did_you_mean
from weakcode.rules.library import Selected, packs_folder, resolve_packs

if TYPE_CHECKING:
    from weakcode.compile.program import Program
    from weakcode.coverage.choices import Coverage
    from weakcode.rules.profile import Profile
    from weakcode.rules.reading import Names
    from weakcode.semantics.edits import CompiledRule


def rule_ids(only: Iterable[str]) -> tuple[str, ...]:
    """Return full ids of rules, of which a text alone is one; raises InputError for what is no text."""
    ids = (only,) if isinstance(only, str) else tuple(only) if isinstance(only, Iterable) else (only,)
    if isinstance(only, Mapping) or not all(isinstance(one, str) for one in ids):
        raise InputError(
            'only= takes full ids of rules, such as "icd10cm/excludes1"; rules as a mapping go to packs= or also='
        )
    return ids


@attrs.frozen(eq=False)
class Selection:
    """The rule files that were chosen and, in them, the rules.

    `singled_out` are the full ids of rules that were asked for by name; they are on even where off by default.
    `narrowed` is true where only these were asked for, `picked_packs` are the packs of which only some rules were.
    """

    files: tuple[Selected, ...]
    profile: Profile | None
    singled_out: frozenset[str]
    narrowed: bool
    picked_packs: frozenset[str]

    @classmethod
    def of(
        cls,
        packs: Names | None,
        profile: Profile | str | Path | Mapping[str, Any] | None,
        also: Names,
        only: Iterable[str] | None,
        root: str | Path | None,
    ) -> Selection:
        """Return what the arguments of a validator choose. Raises as `Validator` does."""
        files = resolve_packs(packs)
        loaded = _loaded(profile, root)
        if loaded is not None:
            if loaded.packs and packs is None:
                files = resolve_packs(list(loaded.packs), base=loaded.packs_folder, root=loaded.root)
            files += [Selected(path) for path in loaded.rule_files]
            if any(payer.coverage for payer in loaded.payers.values()) and packs is None:
                paths = {one.path for one in files}
                files += [one for one in resolve_packs(["coverage"]) if one.path not in paths]
        if also:
            files += resolve_packs(also, own=[one.path for one in files])
        whole = {one.path for one in files if not one.only_rules}
        picked = (rule.split("/")[0] for one in files if one.path not in whole for rule in one.only_rules or ())
        return cls(
            tuple(files),
            loaded,
            frozenset(only or ()).union(*(one.only_rules or () for one in files)),
            only is not None,
            frozenset(picked),
        )

    def coverage(self) -> Coverage | None:
        """Return the coverage policies that the profile's payers go by, None where it names none.

        Raises InputError for one that is not installed.
        """
        if self.profile is None or not any(payer.coverage for payer in self.profile.payers.values()):
            return None
        from weakcode.coverage.choices import Coverage
        from weakcode.coverage.installed import all_opened
        from weakcode.coverage.policies import Policies

        return Coverage.of(self.profile, Policies(all_opened()))

    def payer_of(self, payer: str | None, ids: Sequence[str]) -> str | None:
        """Return who pays a claim: as the profile calls it by the claim's name and ids, or else as the claim does."""
        own = None if self.profile is None else self.profile.payer_of(payer, ids)
        return payer if own is None else own

    @property
    def paths(self) -> list[Path]:
        """The rule files, each once."""
        return list(dict.fromkeys(one.path for one in self.files))

    @property
    def is_bundled(self) -> bool:
        """Whether all rule files come with weakcode."""
        return all(one.path.parent == packs_folder() for one in self.files)

    def severity(self, rule: CompiledRule, payer: str | None) -> str | None:
        """Return the severity of a rule for the claims of a payer (None: of no payer), None where it is off."""
        singled_out = rule.id in self.singled_out
        if not singled_out and not self._is_whole(rule):
            return None
        enabled = rule.enabled or singled_out
        if self.profile is not None:
            return self.profile.severity_for(rule.id, payer, rule.severity, enabled, rule.confidence)
        return rule.severity if enabled else None

    def is_on(self, rule: CompiledRule) -> bool:
        """Tell whether a rule is evaluated for any payer."""
        payers = self.profile.payers if self.profile is not None else ()
        return any(self.severity(rule, payer) is not None for payer in (None, *payers))

    def why_off(self, rule: CompiledRule) -> str:
        """Return why a rule is off."""
        if rule.id not in self.singled_out and not self._is_whole(rule):
            return "it is not among the rules that were asked for"
        if self.profile is not None and (rule.enabled or self.profile.rules.get(rule.id) == "off"):
            return f'the profile "{self.profile.name}" switches it off'
        return "it is off unless asked for"

    def check_ids(self, program: Program) -> None:
        """Raise UnknownNameError where a rule that was asked for is not in the program."""
        known = program.rule_numbers
        for name in sorted(self.singled_out.difference(known)):
            raise UnknownNameError(f'the rule "{name}" does not exist{did_you_mean(name, known)}')

    def _is_whole(self, rule: CompiledRule) -> bool:
        """Tell whether the rule's pack was chosen as a whole, not by single rules."""
        return not self.narrowed and rule.pack not in self.picked_packs


def _loaded(profile: Profile | str | Path | Mapping[str, Any] | None, root: str | Path | None) -> Profile | None:
    if isinstance(profile, str | Path | Mapping):
        from weakcode.rules.profileload import load_profile

        return load_profile(profile, root)
    return profile
