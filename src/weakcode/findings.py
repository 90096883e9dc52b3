"""What an evaluation gives back: findings, with the words they stand on and the fix they allow."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from typing import Any

import attrs

from weakcode.claims import Waiver


class Severity(enum.IntEnum):
    """How much a finding matters; a larger value matters more."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The lower-case word used in files and output."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Severity:
        """Return the severity with this label; raises ValueError for another word."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f'"{word}" is not a severity; it is one of error, warning, info') from None


CONFIDENCES = {
    "certain": "follows from the codes and what the claim says",
    "likely": "the codes show it; the record may bear an exception",
    "record": "depends on what the record says; never an error",
}
"""How sure a rule is, apart from how bad what it finds is, and what each word means."""

_ONLY_SOME_HAVE = ("denial_risk", "waiver")


@attrs.frozen
class Source:
    """On whose word a finding stands: a publication, the place in it, and the note's own text where there is one."""

    title: str
    place: str
    quote: str | None = None

    def __str__(self) -> str:
        return f"{self.title}, {self.place}" if self.place else self.title


SAFE_ACTIONS = frozenset({"resequence", "drop-repeat"})
"""Actions of a rule's fix that can leave what the claim says unchanged."""


@attrs.frozen
class Fix:
    """What would mend a finding.

    `action` is one of `resequence`, `drop-repeat`, `remove`, `replace`, `add`. `positions` are the 1-based positions it
    touches, `code` the code to write. Only a `safe` fix leaves what the claim says unchanged.
    """

    action: str
    description: str
    safe: bool
    positions: tuple[int, ...] = ()
    code: str | None = None


@attrs.frozen
class DenialRisk:
    """How likely a payer is to deny a claim for a finding: `low`, `medium` or `high`, and on whose word.

    `payer` is None where a profile says it for every payer.
    """

    level: str
    source: Source
    payer: str | None = None

    def __str__(self) -> str:
        at = f" at {self.payer}" if self.payer else ""
        return f"Denial risk{at}: {self.level} ({self.source})"


@attrs.frozen
class Finding:
    """One violated rule on one claim.

    `positions` are 1-based, the subject's first; `codes` stand at these positions, canonical. Both are empty when a
    rule is about the claim as a whole. `confidence` is one of `CONFIDENCES`. `denial_risk` is what the profile says of
    it; `waiver` is there on a finding that was waived, and on no other.
    """

    rule: str
    severity: str
    message: str
    codes: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    fix: Fix | None = None
    denial_risk: DenialRisk | None = None
    waiver: Waiver | None = None
    confidence: str = "likely"

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON; risk and waiver only where there is one."""
        values = attrs.asdict(self, value_serializer=_plain)
        return {key: value for key, value in values.items() if value is not None or key not in _ONLY_SOME_HAVE}


@attrs.frozen
class Verdict:
    """The findings on one claim and what they were judged by.

    `waived` findings stand apart, each with its waiver, and do not count. `edition` names the code set, `notes_edition`
    the Tabular List whose notes judged, and `packs` the rules with their versions. `out_of_force` says that the codes
    of the service date are not known, `notes_out_of_force` that the Tabular List was not in force on it. `notices` say
    what a reader must know of this judgement, for example that a waiver does not waive: `expired` ones that fit a
    finding, and `unmatched` ones of the claim that fit none.
    """

    findings: tuple[Finding, ...]
    edition: str
    engine: str
    packs: tuple[str, ...]
    waived: tuple[Finding, ...] = ()
    notices: tuple[str, ...] = ()
    out_of_force: bool = False
    expired: tuple[Waiver, ...] = ()
    unmatched: tuple[Waiver, ...] = ()
    notes_edition: str = ""
    notes_out_of_force: bool = False


def _plain(_: Any, __: Any, value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.isoformat() if isinstance(value, dt.date) else value


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings on one claim by subject position, then rule id, then object position."""
    return sorted(findings, key=lambda one: (one.positions[:1] or (0,), one.rule, one.positions[1:] or (0,)))
