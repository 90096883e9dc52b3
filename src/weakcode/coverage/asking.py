"""What installed policies say of one diagnosis for one procedure, without a claim."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import attrs

from weakcode.base import clock
from weakcode.codes.catalog import edition_for
from weakcode.codes.normalise import canonical
from weakcode.compile.risks import Risks
from weakcode.coverage.choices import Coverage
from weakcode.coverage.installed import all_opened
from weakcode.coverage.judging import RULES
from weakcode.coverage.policies import Policies, Policy
from weakcode.errors import InputError, UnknownNameError, did_you_mean
from weakcode.fields.parsers import parse_service_date
from weakcode.findings import DenialRisk
from weakcode.rules.profileload import load_profile

_PROCEDURE = re.compile(r"[0-9A-Z]{4,5}")


@attrs.frozen
class PolicyAnswer:
    """What one policy says: `covered`, `not covered`, `excluded` or `unknown`, with what else there is to read."""

    policy: Policy
    outcome: str
    reasons: tuple[str, ...]


@attrs.frozen
class Answer:
    """What the policies say of a diagnosis for a procedure on a day, and how likely a finding of it is denied."""

    code: str
    title: str
    procedure: str
    day: dt.date
    payer: str | None
    policies: tuple[PolicyAnswer, ...]
    risks: tuple[DenialRisk, ...] = ()

    @property
    def is_denied(self) -> bool:
        """Whether policies judge the procedure and none of them covers the diagnosis."""
        outcomes = {one.outcome for one in self.policies}
        return bool(outcomes & {"not covered", "excluded"}) and "covered" not in outcomes

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and text, ready for JSON."""
        return {
            "code": self.code,
            "title": self.title,
            "procedure": self.procedure,
            "service_date": self.day.isoformat(),
            "payer": self.payer,
            "policies": [
                {
                    "id": one.policy.id,
                    "version": one.policy.version,
                    "title": one.policy.title,
                    "outcome": one.outcome,
                    "reasons": [*one.reasons],
                }
                for one in self.policies
            ],
            "denied": self.is_denied,
            "denial_risks": [{"level": risk.level, "source": str(risk.source)} for risk in self.risks],
        }


def ask(
    code: str,
    procedure: str,
    *,
    profile: str | Path | None = None,
    payer: str | None = None,
    state: str | None = None,
    service_date: object = None,
) -> Answer:
    """Return what installed policies say of a diagnosis for a procedure.

    `payer` limits them to those that a payer of the profile goes by. Raises InputError for a code, procedure or date
    that cannot be one, and UnknownNameError for a payer that the profile does not have.
    """
    day = parse_service_date(service_date) or clock.today()
    spelled, wanted = canonical(code), procedure.strip().upper()
    if not spelled:
        raise InputError("give a diagnosis code such as M62.81")
    if not _PROCEDURE.fullmatch(wanted):
        raise InputError(
            f'"{procedure}" is not a procedure; give a CPT or HCPCS code of five characters, such as 97110'
        )
    policies = Policies(all_opened())
    edition = edition_for(day)
    about = policies.by_procedure.get(wanted, ())
    risks: tuple[DenialRisk, ...] = ()
    if profile is not None:
        loaded = load_profile(profile)
        name = loaded.payer_named(payer)
        if payer is not None and name is None:
            known = list(loaded.payers)
            raise UnknownNameError(
                f'the profile has no payer "{payer}"{did_you_mean(payer, known)}; it has {", ".join(known) or "none"}'
            )
        if name is not None:
            scope = Coverage.of(loaded, policies).scope(name, state)
            about = scope.by_procedure.get(wanted, ()) if scope is not None else ()
            payer = name
        of_profile = Risks(loaded, edition)
        found = [of_profile.of(rule, (spelled,), name) for rule in RULES]
        risks = tuple(dict.fromkeys(risk for risk in found if risk is not None))
    distinct = sorted(dict.fromkeys(about), key=lambda one: (one.id, one.version))
    answers = tuple(_answer(policy, spelled, wanted) for policy in distinct if policy.in_force(day))
    return Answer(spelled, edition.title(spelled) or "", wanted, day, payer, answers, risks)


def _answer(policy: Policy, code: str, procedure: str) -> PolicyAnswer:
    paired = policy.paired_with(procedure)
    for group in paired:
        if code in group.codes:
            words = policy.second_for(group, code)[1]
            asks = f'Only with a second diagnosis, by its words: "{words}"' if words else ""
            return PolicyAnswer(policy, "covered", (asks,) if asks else ())
    other = next((group for group in policy.covered if code in group.codes), None)
    if other is not None:
        sentences = [f"It stands in group {other.number}, which goes with another procedure as far as its words tell."]
        quote = other.words or next((group.words for group in paired if group.words), "")
        return PolicyAnswer(policy, "not covered", (*sentences, *([f'"{quote}"'] if quote else [])))
    if code in policy.all_excluded:
        return PolicyAnswer(policy, "excluded", ())
    if policy.covered:
        names = len(policy.all_covered)
        return PolicyAnswer(policy, "not covered", (f"It names {names:,} other codes that it covers.",))
    if policy.excluded:
        return PolicyAnswer(policy, "covered", ("It lists only what it does not cover, and this is not among it.",))
    return PolicyAnswer(policy, "unknown", ("It has no list of diagnosis codes; only its words say what it covers.",))
