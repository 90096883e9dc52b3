"""Which policies a payer goes by, as a profile says, and what they say of a claim."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from weakcode.base.lazy import lazy
from weakcode.claims import Claim
from weakcode.coverage.judging import ADVICE, RULES, LineReading, PoliciesOfLines, asked_lines, readings, spelled
from weakcode.coverage.policies import Policies, Policy
from weakcode.engines.ids import id_of
from weakcode.errors import InputError, did_you_mean
from weakcode.findings import Finding, NotJudged, in_order
from weakcode.semantics.reference import Outcome

if TYPE_CHECKING:
    from weakcode.engines.editions import EditionJudge
    from weakcode.rules.profile import CoverageChoice, Profile


class ChosenPolicies:
    """The policies that a payer's choice names, by procedure."""

    def __init__(self, policies: Policies, ids: frozenset[str], states: frozenset[str]) -> None:
        self.ids, self.states = ids, states
        self._policies = policies
        self._own: PoliciesOfLines | None = None

    @property
    def of_lines(self) -> PoliciesOfLines:
        """The versions of the policies that name each procedure, as service lines are held against them."""
        if self._own is None:
            own = {
                procedure: tuple(policy for policy in policies if policy.id in self.ids)
                for procedure, policies in self._policies.by_procedure.items()
            }
            self._own = PoliciesOfLines({procedure: policies for procedure, policies in own.items() if policies})
        return self._own

    @property
    def by_procedure(self) -> Mapping[str, tuple[Policy, ...]]:
        """The versions of the policies that name each procedure."""
        return self.of_lines.by_procedure

    @property
    def files(self) -> list[tuple[str, str]]:
        """The files that they are of, each with its SHA-256."""
        return sorted((file.name, str(file.meta["sha256"])) for file in self._policies.files)


@attrs.frozen(eq=False, slots=False)
class Coverage:
    """The policies that the payers of a profile go by. `lacking` says of each payer what is not installed."""

    profile: Profile
    scopes: Mapping[str, tuple[ChosenPolicies, ...]]
    lacking: tuple[str, ...]

    @classmethod
    def of(cls, profile: Profile, policies: Policies) -> Coverage:
        """Return the coverage of a profile. Raises InputError for a policy or contractor that no file has.

        Where no policies are installed at all, nothing is judged and `lacking` says so.
        """
        scopes: dict[str, tuple[ChosenPolicies, ...]] = {}
        lacking: list[str] = []
        for payer, chosen in profile.payers.items():
            if chosen.coverage and not policies.files:
                lacking.append(
                    f'no coverage policies are installed, so the lines of "{payer}" are not judged by any; '
                    "weakcode policies add FILE installs them"
                )
            elif chosen.coverage:
                scopes[payer] = tuple(_scope(payer, choice, policies) for choice in chosen.coverage)
        return cls(profile, scopes, tuple(lacking))

    @lazy
    def without(self) -> frozenset[str | None]:
        """The payers that go by policies of which none is installed."""
        return frozenset(name for name, one in self.profile.payers.items() if one.coverage and name not in self.scopes)

    def scope_of(self, claim: Claim) -> ChosenPolicies | None:
        """Return the policies that a claim's payer goes by; None where there are none, or its state does not tell."""
        return self.scope(self.profile.payer_of(claim.payer, claim.payer_id), claim.state)

    def scope(self, payer: str | None, state: str | None) -> ChosenPolicies | None:
        """Return the policies of a payer, as the profile spells it, for claims of a state; None is not known."""
        scopes = self.scopes.get(payer, ()) if payer is not None else ()
        fitting = [one for one in scopes if state is None or not one.states or state.upper() in one.states]
        return fitting[0] if len(fitting) == 1 else None

    def readings(self, claim: Claim, day: dt.date) -> list[LineReading]:
        """Return what the policies say of a claim's lines. `day` stands for the date of a claim without one."""
        scope = self.scope_of(claim) if claim.lines else None
        if scope is None:
            return []
        return readings(claim.codes, asked_lines(claim.lines), scope.of_lines, claim.service_date or day)

    def findings(self, claim: Claim, day: dt.date, applied: EditionJudge) -> tuple[Finding, ...]:
        """Return the findings of the policies in their order, at the severities at which their rules are applied."""
        read = [one for one in self.readings(claim, day) if one.outcome is Outcome.VIOLATED]
        found = []
        payer = self.profile.payer_of(claim.payer, claim.payer_id)
        for one in read:
            severity = applied.severity_of(one.rule, payer)
            if severity is not None:
                codes = tuple(claim.codes[at - 1] for at in one.positions)
                found.append(
                    Finding(
                        rule=one.rule,
                        severity=ADVICE if one.is_advice else severity,
                        message=one.reason,
                        codes=codes,
                        positions=one.positions,
                        sources=one.sources,
                        confidence=one.confidence,
                        title=applied.title_of(one.rule),
                        id=id_of(claim.id, one.rule, (*codes, one.about), one.positions),
                    )
                )
        return tuple(in_order(found))

    def not_judged(self, claim: Claim, applied: EditionJudge) -> tuple[NotJudged, ...]:
        """Return what is missing for a claim to be judged by its payer's policies: they, its state, or procedures."""
        payer = self.profile.payer_of(claim.payer, claim.payer_id)
        needs = self.lacking_of(payer, claim.state, has_procedures=any(spelled(line.procedure) for line in claim.lines))
        return not_judged_for(needs, [rule for rule in RULES if applied.severity_of(rule, payer)])

    def lacking_of(self, payer: str | None, state: str | None, *, has_procedures: bool) -> str:
        """Return what the policies of a payer, as the profile spells it, lack on a claim; blank where nothing."""
        if payer in self.without:
            return "policies"
        if payer is None or not self.scopes.get(payer):
            return ""
        if self.scope(payer, state) is None:
            return "" if state is not None else "state"
        return "" if has_procedures else "procedures"


def not_judged_for(needs: str, rules: list[str]) -> tuple[NotJudged, ...]:
    """Return what could not be judged for want of something; nothing where all rules are off."""
    return (NotJudged(needs, ("coverage",), tuple(sorted(rules))),) if needs and rules else ()


def _scope(payer: str, choice: CoverageChoice, policies: Policies) -> ChosenPolicies:
    states = frozenset(state.upper() for state in choice.states)
    if choice.contractor is not None:
        ids = policies.of_contractor(choice.contractor)
        if not ids:
            known = sorted(policies.contractors)
            hint = did_you_mean(choice.contractor, known) or f"; they are of {', '.join(known[:8]) or 'nobody named'}"
            raise InputError(
                f'payers, "{payer}": the installed policies have none of contractor {choice.contractor}{hint}'
            )
        return ChosenPolicies(policies, ids, states)
    wanted = [one.strip().upper() for one in choice.articles]
    for one in wanted:
        if one not in policies.versions:
            hint = did_you_mean(one, policies.versions) or "; weakcode policies list shows what is installed"
            raise InputError(f'payers, "{payer}": the policy {one} is not installed{hint}')
    return ChosenPolicies(policies, frozenset(wanted), states)
