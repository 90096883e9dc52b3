"""What a report is made of."""

from __future__ import annotations

import re

import attrs

from weakcode.codes.normalise import NO_CODE, shown

SEVERITIES = ("error", "warning", "info")
"""From what matters most to what matters least."""


def shown_message(message: str, codes: tuple[str, ...]) -> str:
    """Return the message without what is not a code among `codes`, wherever the findings are from."""
    for code in sorted(codes, key=len, reverse=True):
        if code and shown(code) == NO_CODE:
            message = message.replace(code, NO_CODE)
    return message


def shown_place(file: str | None, line: int | None, place: str | None) -> str:
    """Return where a claim stands. Folders tell about the machine, not about the claim."""
    name = re.split(r"[\\/]", file)[-1] if file else ""
    spot = f"{name}:{line}" if name and line else name or (f"row {line}" if line else "")
    return f"{spot} {place}".strip() if place else spot


@attrs.frozen
class Severities:
    """Findings by severity."""

    error: int = 0
    warning: int = 0
    info: int = 0

    @property
    def total(self) -> int:
        """Findings in all."""
        return self.error + self.warning + self.info

    @property
    def worst(self) -> str:
        """The highest severity that occurs; info where there is none."""
        return next((name for name in SEVERITIES if getattr(self, name)), "info")


@attrs.frozen
class CodesFound:
    """Codes that a rule spoke about, in the finding's order, how often, and what it said of them."""

    codes: tuple[str, ...]
    findings: int
    message: str


@attrs.frozen
class RuleCount:
    """One rule's findings. `claims` are the distinct claims that have one, `common` what it most often met."""

    rule: str
    by_severity: Severities
    claims: int
    common: tuple[CodesFound, ...] = ()
    sources: tuple[str, ...] = ()


@attrs.frozen
class PairCount:
    """Findings about two codes, whatever their order, and the rules that found them."""

    codes: tuple[str, str]
    by_severity: Severities
    rules: tuple[str, ...]


@attrs.frozen
class Slice:
    """The claims of one payer or month; `clean` of them have no finding."""

    name: str
    claims: int
    clean: int
    by_severity: Severities

    @property
    def share(self) -> float:
        """Clean claims as a share of all, from 0 to 1."""
        return self.clean / self.claims if self.claims else 1.0


@attrs.frozen
class FindingRow:
    """One finding as the table shows it; `risk` says how likely a payer denies it and on whose word, if known.

    `confidence` is empty where a file does not say it.
    """

    claim: str
    severity: str
    rule: str
    codes: tuple[str, ...]
    positions: tuple[int, ...]
    message: str
    where: str
    risk: str = ""
    confidence: str = ""


@attrs.frozen
class WorkItem:
    """One finding in the work list; `codes` have their positions and titles, empty where no source tells them."""

    severity: str
    rule: str
    codes: tuple[tuple[str, str, str], ...]
    message: str
    fix: str
    where: str
    risk: str = ""


@attrs.frozen
class WorkClaim:
    """A claim to be worked on; what it does not say is empty."""

    claim: str
    service_date: str
    payer: str
    provider: str
    by_severity: Severities
    items: tuple[WorkItem, ...]


@attrs.frozen
class RunCount:
    """The counts of one of several runs; None where its files do not say how many claims there were.

    `started` is when it was, in UTC, as 2026-11-28T02:00:00Z, or empty.
    """

    name: str
    started: str
    by_severity: Severities
    claims: int | None
    clean: int | None
    rejected: int | None
    by_rule: dict[str, int]

    @property
    def day(self) -> str:
        """The day of the run, or else its name."""
        return self.started[:10] or self.name

    @property
    def share(self) -> float | None:
        """Clean claims as a share of all, from 0 to 1."""
        return self.clean / self.claims if self.claims and self.clean is not None else None


@attrs.frozen
class Trend:
    """Runs from the oldest to the latest. `new` and `gone` are findings of the latest against the one before it."""

    runs: tuple[RunCount, ...]
    new: int | None = None
    gone: int | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """What each run is called, apart from the others: by its day, and where days repeat by a number."""
        days = [run.day for run in self.runs]
        return tuple(
            f"{day} ({days[:at].count(day) + 1})" if days.count(day) > 1 else day for at, day in enumerate(days)
        )


@attrs.frozen
class ReportedRun:
    """What the findings files say of their making; None where they do not.

    `waived` findings stand in the files and are not counted among the others. `notices` name packs that could not be
    evaluated, and why.
    """

    versions: tuple[str, ...] = ()
    editions: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    packs: tuple[str, ...] = ()
    evaluated: int | None = None
    rejected: int | None = None
    clean: int | None = None
    waived: int | None = None
    notices: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ReportData:
    """Everything that a report shows, counted.

    `claims` and `clean` are None where neither the findings file nor a claims file says how many claims there
    were. `risks` are the findings by how likely a payer denies them, the highest first, `confidences` the findings by
    how sure their rules are. `work` has the claims that need work most, `trend` the counts of several runs, of which
    the page shows the latest; `started` is when that was, `practice` whose report it is. `remarks` are sentences on
    what does not fit together. `rows` are at most as many as were asked for.
    """

    files: tuple[str, ...]
    run: ReportedRun
    findings: int
    by_severity: Severities
    flagged: int
    claims: int | None
    clean: int | None
    rules: tuple[RuleCount, ...]
    pairs: tuple[PairCount, ...]
    payers: tuple[Slice, ...] = ()
    months: tuple[Slice, ...] = ()
    rows: tuple[FindingRow, ...] = ()
    risks: tuple[tuple[str, int], ...] = ()
    confidences: tuple[tuple[str, int], ...] = ()
    remarks: tuple[str, ...] = ()
    hashed: bool = False
    work: tuple[WorkClaim, ...] = ()
    trend: Trend | None = None
    started: str = ""
    practice: str = ""
