"""What an evaluation gives back: findings, with the words they stand on and the fix they allow."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import attrs

from weakcode._version import __version__
from weakcode.base import objects
from weakcode.claims import Waiver


class Severity(enum.StrEnum):
    """How much a finding matters: the word that a finding has, compared by weight and not by its letters.

    `finding.severity == Severity.ERROR` and `finding.severity >= Severity.WARNING` hold for text on either side; to
    compare with a word that is no severity is a ValueError.
    """

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def label(self) -> str:
        """The lower-case word used in files and output."""
        return self.value

    @property
    def rank(self) -> int:
        """1 for info, 2 for warning, 3 for error."""
        return _RANKS[self.value]

    @classmethod
    def parse(cls, word: str) -> Severity:
        """Return the severity with this label; raises ValueError for another word."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f'"{word}" is not a severity; it is one of error, warning, info') from None

    def __lt__(self, other: str) -> bool:
        return self.rank < Severity.parse(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= Severity.parse(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > Severity.parse(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= Severity.parse(other).rank


_RANKS = {"info": 1, "warning": 2, "error": 3}

CONFIDENCES = {
    "certain": "follows from the codes and what the claim says",
    "likely": "the codes show it; the record may bear an exception",
    "record": "depends on what the record says; never an error",
}
"""How sure a rule is, apart from how bad what it finds is, and what each word means."""


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
    it; `waiver` is there on a finding that was waived, and on no other. `title` is the rule's. `id` is the same for
    the same finding of the same claim in every run: it is made of claim id, rule, codes and positions.
    """

    rule: str
    severity: str
    message: str
    codes: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    fix: Fix | None = None
    denial_risk: DenialRisk | None = attrs.field(default=None, metadata=objects.SOMETIMES)
    waiver: Waiver | None = attrs.field(default=None, metadata=objects.SOMETIMES)
    confidence: str = "likely"
    title: str = ""
    id: str = attrs.field(default="", eq=False)

    form: ClassVar[str] = "finding"

    @property
    def cited(self) -> tuple[str, ...]:
        """The sources as text, each publication once with all its places, in the order in which they first come."""
        places: dict[str, list[str]] = {}
        for source in self.sources:
            known = places.setdefault(source.title, [])
            if source.place and source.place not in known:
                known.append(source.place)
        return tuple(", ".join([title, *known]) for title, known in places.items())

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON; risk and waiver only where there is one."""
        return objects.to_dict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Finding:
        """Return the finding that `to_dict` wrote; unknown keys are ignored. Raises InputError."""
        return objects.from_dict(cls, values)


@attrs.frozen
class NotJudged:
    """Rules that could have found something on a claim, had it said what they need.

    `needs` is one of `age`, `sex`, `setting`, `service_date` and `pointers`, `procedures` for rules about them and for
    coverage, `state` and, where none is installed, `policies` for coverage, or `poa` for present-on-admission
    indicators of an inpatient claim;
    `packs` and the full ids of the `rules` are in alphabetical order.
    """

    needs: str
    packs: tuple[str, ...]
    rules: tuple[str, ...]

    @classmethod
    def together(cls, several: Iterable[NotJudged]) -> tuple[NotJudged, ...]:
        """Return each need once, with all rules that have it, in the order in which the needs come first."""
        found: dict[str, NotJudged] = {}
        for one in several:
            known = found.get(one.needs)
            if known is not None:
                packs, rules = {*known.packs, *one.packs}, {*known.rules, *one.rules}
                one = cls(one.needs, tuple(sorted(packs)), tuple(sorted(rules)))
            found[one.needs] = one
        return tuple(found.values())

    def __str__(self) -> str:
        return f"{self.needs.replace('_', ' ')} ({', '.join(self.packs)})"


@attrs.frozen
class NotJudgedCount:
    """What could not be judged in a run for want of one thing, and on how many `claims`; see `NotJudged`."""

    needs: str
    claims: int
    packs: tuple[str, ...]
    rules: tuple[str, ...]

    @classmethod
    def of(cls, one: NotJudged) -> NotJudgedCount:
        """Return the count of one claim."""
        return cls(one.needs, 1, one.packs, one.rules)

    @classmethod
    def added(cls, counts: Iterable[NotJudgedCount]) -> tuple[NotJudgedCount, ...]:
        """Return counts of several claims or parts of a run as those of all, in alphabetical order of what is missing.

        Rules are joined, claims added up.
        """
        found: dict[str, NotJudgedCount] = {}
        for one in counts:
            known = found.get(one.needs)
            found[one.needs] = one if known is None else known._and(one)
        return tuple(found[needs] for needs in sorted(found))

    def _and(self, other: NotJudgedCount) -> NotJudgedCount:
        claims = self.claims + other.claims
        if (self.packs, self.rules) == (other.packs, other.rules):
            return attrs.evolve(self, claims=claims)
        packs, rules = {*self.packs, *other.packs}, {*self.rules, *other.rules}
        return NotJudgedCount(self.needs, claims, tuple(sorted(packs)), tuple(sorted(rules)))

    def __str__(self) -> str:
        return f"{self.needs.replace('_', ' ')} on {self.claims:,} ({', '.join(self.packs)})"


@attrs.frozen
class Verdict:
    """The findings on one claim and what they were judged by.

    `waived` findings stand apart, each with its waiver, and do not count. `edition` names the code set, `notes_edition`
    the Tabular List whose notes judged, and `packs` the rules with their versions. `out_of_force` says that the codes
    of the service date are not known, `notes_out_of_force` that the Tabular List was not in force on it. `notices` say
    what a reader must know of this judgement, for example that a waiver does not waive: `expired` ones that fit a
    finding, and `unmatched` ones of the claim that fit none. `not_judged` says which rules could not speak, for want of
    what.
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
    not_judged: tuple[NotJudged, ...] = ()

    form: ClassVar[str] = "verdict"

    @property
    def all_notices(self) -> tuple[str, ...]:
        """The notices, and a last one on whose notes judged where no Tabular List of its day is at hand."""
        if not self.notes_out_of_force:
            return self.notices
        return (*self.notices, notes_are_of(self.notes_edition, self.edition))

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict ready for JSON: what `check --format json` and the server give.

        `weakcode` is the version that judged, `version` that of this form; `notices` are all of them.
        """
        return self._whole(objects.to_dict(self))

    def shallow(self) -> dict[str, Any]:
        """Return what `to_dict` returns with the objects in it as they are: see `objects.shallow`."""
        return self._whole(objects.shallow(self))

    def _whole(self, values: dict[str, Any]) -> dict[str, Any]:
        first = {"version": values["version"], "weakcode": __version__}
        return {**first, **values, "notices": [*self.all_notices]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Verdict:
        """Return the verdict that `to_dict` wrote; unknown keys are ignored. Raises InputError."""
        verdict = objects.from_dict(cls, values)
        added = verdict.all_notices[len(verdict.notices) :]
        if added and verdict.notices[-1:] == added:
            return attrs.evolve(verdict, notices=verdict.notices[:-1])
        return verdict

    def _repr_html_(self) -> str:
        """Return the verdict as a table, for notebooks."""
        from weakcode.base.notebook import verdict_html

        return verdict_html(self)


OTHER_NOTES = "weakcode edition fetch downloads another, weakcode edition add takes one from a file"


def notes_are_of(notes: str, codes: str) -> str:
    """Return the sentence that says whose notes judged codes."""
    return (
        f"the codes are those of {codes}, the notes those of {notes}, the nearest installed Tabular List; {OTHER_NOTES}"
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings on one claim by subject position, then rule id, then object position."""
    return sorted(findings, key=lambda one: (one.positions[:1] or (0,), one.rule, one.positions[1:] or (0,)))
