"""What a profile says of denials, resolved against an edition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.compiler import Scope
from weakcode.findings import DenialRisk, Finding
from weakcode.rules.model import FULL_ID, Pack
from weakcode.rules.profile import RISK_LEVELS, Profile

_ID = re.compile(FULL_ID)


class Risks:
    """The denial risks of a profile, for findings on claims that an edition judges."""

    def __init__(self, profile: Profile, edition: Edition) -> None:
        self._profile = profile
        self._edition = edition
        scope = Scope(Pack(pack="profile", title=profile.name, code_sets=profile.code_sets), edition)
        self._rules: dict[str | None, dict[str, DenialRisk]] = {}
        self._codes: dict[str | None, list[tuple[CodeSet, DenialRisk]]] = {}
        for payer, risks in profile.risks.items():
            self._rules[payer] = {key: risk for key, risk in risks.items() if _ID.fullmatch(key)}
            self._codes[payer] = [(scope.codes(key), risk) for key, risk in risks.items() if not _ID.fullmatch(key)]

    def of(self, rule: str, codes: Sequence[str], payer: str | None) -> DenialRisk | None:
        """Return the risk of a finding for a payer: the highest that fits, the payer's own before those for all."""
        named = self._profile.payer_named(payer)
        for name in dict.fromkeys((named, None)):
            found = self._fitting(name, rule, codes)
            if found:
                return max(found, key=lambda risk: RISK_LEVELS.index(risk.level))
        return None

    def shown_on(self, findings: Iterable[Finding], payer: str | None) -> tuple[Finding, ...]:
        """Return the findings, each with its risk."""
        return tuple(attrs.evolve(one, denial_risk=self.of(one.rule, one.codes, payer)) for one in findings)

    def _fitting(self, payer: str | None, rule: str, codes: Sequence[str]) -> list[DenialRisk]:
        by_rule = self._rules.get(payer, {}).get(rule)
        ids = [self._edition.code_id(code) for code in codes] if self._codes.get(payer) else []
        by_code = [risk for those, risk in self._codes.get(payer, ()) if any(code in those for code in ids)]
        return [by_rule, *by_code] if by_rule else by_code
