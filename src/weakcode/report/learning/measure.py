"""Findings beside answers: how often a rule's findings were followed by a denial, by payer, with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from weakcode.errors import InputError
from weakcode.report.evaluate import wilson
from weakcode.report.learning.remits import Remits
from weakcode.report.source import files_of, open_findings

SURELY, LIKELY = 0.5, 0.1
"""Shares of denied claims from which on a risk is high, and medium."""


@attrs.frozen
class LearntRisk:
    """Of the claims of a payer with a finding of a rule, how many were answered, and how many of these were denied.

    `payer` is empty where it is not known. `others` and `others_denied` count the payer's answered claims without one.
    """

    rule: str
    payer: str
    answered: int
    denied: int
    others: int = 0
    others_denied: int = 0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the share of denied claims, by Wilson (1927)."""
        return wilson(self.denied, self.answered) or (0.0, 1.0)

    @property
    def level(self) -> str | None:
        """The risk that the interval leaves no doubt of: high from half of the claims on, medium from a tenth on.

        None where the claims are too few to tell.
        """
        low, high = self.interval
        if low >= SURELY:
            return "high"
        if low >= LIKELY:
            return "medium"
        return "low" if high <= LIKELY else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {**attrs.asdict(self), "interval": list(self.interval), "risk": self.level}


@attrs.frozen
class Lesson:
    """What answers taught: risks by rule and payer, the most denied first; `unanswered` claims have findings only."""

    risks: tuple[LearntRisk, ...]
    answers: int
    denied: int
    unanswered: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "answers": self.answers,
            "denied": self.denied,
            "unanswered": self.unanswered,
            "rules": [one.to_dict() for one in self.risks],
        }


def learn(remits: Remits, findings: Sequence[str], reasons: frozenset[str] | None = None) -> Lesson:
    """Hold findings, in files that scrub wrote, against answers. A claim counts once for each rule.

    A claim is denied where any answer to it denies it, for `reasons` where some are given. Where answers are denials
    alone, every claim with findings counts as answered. Raises InputError for files that hold no findings.
    """
    denied: dict[str, bool] = {}
    payers: dict[str, str] = {}
    for answer in remits.answers:
        denied[answer.claim_id] = denied.get(answer.claim_id, False) or answer.is_denied(reasons)
        payers[answer.claim_id] = payers.get(answer.claim_id) or answer.payer
    found = _findings(findings)
    met = {claim for claim, _, _ in found}
    if met and met.isdisjoint(denied):
        raise InputError(
            f"none of the {len(met):,} claims with findings is among the {len(denied):,} answers: their ids differ; "
            "findings whose ids were hashed, or of other claims, cannot be held against answers"
        )
    answered = denied if remits.names_all else {**dict.fromkeys(met, False), **denied}
    payer_of = {claim: payer for claim, _, payer in found if payer}
    of_payer: dict[str, list[str]] = {}
    for claim in answered:
        of_payer.setdefault(payer_of.get(claim) or payers.get(claim, ""), []).append(claim)
    by_rule: dict[tuple[str, str], set[str]] = {}
    for claim, rule, _ in found:
        if claim in answered:
            by_rule.setdefault((rule, payer_of.get(claim) or payers.get(claim, "")), set()).add(claim)
    risks = [
        _risk(rule, payer, claims, of_payer[payer], answered, counts_others=remits.names_all)
        for (rule, payer), claims in by_rule.items()
    ]
    risks.sort(key=lambda one: (-one.interval[0], -one.answered, one.rule, one.payer))
    return Lesson(tuple(risks), len(answered), sum(answered.values()), len(met - answered.keys()))


def _risk(
    rule: str, payer: str, claims: set[str], all_of: Iterable[str], denied: Mapping[str, bool], *, counts_others: bool
) -> LearntRisk:
    others = [claim for claim in all_of if claim not in claims] if counts_others else []
    return LearntRisk(rule, payer, len(claims), sum(denied[claim] for claim in claims), len(others),
                      sum(denied[claim] for claim in others))  # fmt: skip


def _findings(paths: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return claim, rule and payer of the findings in files, each combination once."""
    import duckdb

    with duckdb.connect() as connection:
        open_findings(connection, files_of(paths))
        rows = connection.execute(
            "SELECT DISTINCT claim_id, rule, coalesce(payer, '') FROM findings WHERE claim_id IS NOT NULL ORDER BY ALL"
        ).fetchall()
    return [(str(claim), str(rule), str(payer)) for claim, rule, payer in rows]
