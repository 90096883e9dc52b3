"""Counts what goes into a scrub and what comes out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

import attrs

from weakcode.claims import Waiver
from weakcode.notices import notes_were_of
from weakcode.rules.waivers import fits_nothing, has_expired, waived_nothing
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.summary import JudgedBy, Summary

if TYPE_CHECKING:
    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.scrub.judge.rows import Evaluated

_MOST_TOLD = 20

_Row = TypeVar("_Row")


class Tally:
    """Counts what goes in and what comes out."""

    def __init__(self) -> None:
        self._in = self._evaluated = self._clean = 0
        self._waivers: Counter[Waiver] = Counter()
        self._expired: Counter[Waiver] = Counter()
        self._idle: list[str] = []
        self._more_idle = 0
        self._severities: Counter[str] = Counter()
        self._rules: Counter[str] = Counter()
        self._outside: Counter[str] = Counter()
        self._editions: Counter[str] = Counter()
        self._notes: Counter[str] = Counter()
        self._old_notes: Counter[str] = Counter()
        self._rejected: list[Rejected] = []
        self._rejections = 0
        self._judged_by = JudgedBy()
        self._is_told = False

    @property
    def so_far(self) -> tuple[int, int]:
        """Claims and findings up to now."""
        return self._in, self._severities.total()

    def counted(self, rows: Iterable[_Row]) -> Iterator[_Row]:
        """Count the rows as they come out of the files."""
        for row in rows:
            self._in += 1
            yield row

    def add(self, outcome: Evaluated | Rejected) -> None:
        """Count one outcome."""
        if isinstance(outcome, Rejected):
            self._rejections += 1
            if len(self._rejected) < 20:
                self._rejected.append(attrs.evolve(outcome, raw="", reason=""))
            return
        verdict = outcome.verdict
        self._evaluated += 1
        self._clean += not verdict.findings
        for finding in verdict.findings:
            self._severities[finding.severity] += 1
            self._rules[finding.rule] += 1
        self._outside[verdict.edition] += verdict.out_of_force
        self._count_waivers(outcome)
        self._editions[verdict.edition] += 1
        self._notes[verdict.notes_edition] += 1
        self._old_notes[verdict.notes_edition] += verdict.notes_out_of_force
        if not self._is_told:
            self._judged_by = JudgedBy(verdict.engine, verdict.packs)

    def add_batch(self, part: FindingBatch) -> None:
        """Count a batch of claims."""
        self._rejections += len(part.rejected)
        self._rejected += [attrs.evolve(one, raw="", reason="") for one in part.rejected[: 20 - len(self._rejected)]]
        scrubbed = part.scrubbed
        if scrubbed is None:
            self._in += len(part.rejected)
            return
        self._in += scrubbed.rows
        self._evaluated += scrubbed.evaluated
        self._clean += scrubbed.clean
        self._severities.update(scrubbed.by_severity)
        self._rules.update(scrubbed.by_rule)
        self._editions.update(scrubbed.editions)
        self._notes.update(scrubbed.notes_editions)
        self._old_notes.update(scrubbed.notes_out_of_force)
        self._waivers.update(scrubbed.waived)
        self._expired.update(scrubbed.expired)
        for (_, edition), number in scrubbed.out_of_force.items():
            self._outside[edition] += number

    def judged_by(self, judged_by: JudgedBy) -> None:
        """Take down what judges; without it, verdicts say it."""
        self._judged_by, self._is_told = judged_by, True

    def _count_waivers(self, judged: Evaluated) -> None:
        """Count what was waived, and take down the claim's own waivers that do not waive."""
        verdict, record = judged.verdict, judged.record
        for finding in verdict.waived:
            if finding.waiver is not None:
                self._waivers[finding.waiver] += 1
        own = [has_expired(waiver) for waiver in verdict.expired if waiver in record.claim.waivers]
        own += [fits_nothing(waiver) for waiver in verdict.unmatched]
        self._expired.update(waiver for waiver in verdict.expired if waiver not in record.claim.waivers)
        for sentence in own:
            if len(self._idle) < _MOST_TOLD:
                self._idle.append(f"{record.file}, line {record.line}: {sentence}")
            else:
                self._more_idle += 1

    def idle_waivers(self, waivers: Iterable[Waiver]) -> tuple[str, ...]:
        """Return a sentence for each waiver that waived nothing: of the run, expired ones first, then of claims."""
        expired = [has_expired(waiver) for waiver in waivers if waiver in self._expired]
        unused = [
            waived_nothing(waiver) for waiver in waivers if waiver not in self._expired and waiver not in self._waivers
        ]
        told = [*expired, *unused][:_MOST_TOLD]
        more = len(expired) + len(unused) - len(told) + self._more_idle
        return (*told, *self._idle, *([f"{more:,} more waivers waive nothing"] if more else ()))

    def summary(self, seconds: float, ignored: dict[str, tuple[str, ...]]) -> Summary:
        """Return the counts; raises EngineError when a claim was lost on the way."""
        return Summary(
            claims_in=self._in,
            evaluated=self._evaluated,
            rejected=self._rejections,
            clean=self._clean,
            waived=self._waivers.total(),
            by_severity={name: self._severities[name] for name in ("error", "warning", "info")},
            by_rule=dict(sorted(self._rules.items(), key=lambda item: (-item[1], item[0]))),
            seconds=seconds,
            editions=dict(sorted(self._editions.items())),
            engine=self._judged_by.engine,
            packs=self._judged_by.packs,
            notices=(
                *self._judged_by.notices,
                *map(notes_were_of, (name for name in sorted(self._old_notes) if self._old_notes[name])),
            ),
            outside_editions={name: number for name, number in sorted(self._outside.items()) if number},
            notes_editions=dict(sorted(self._notes.items())),
            outside_notes={name: number for name, number in sorted(self._old_notes.items()) if number},
            ignored_columns=ignored,
            first_rejected=tuple((row.where, row.part) for row in self._rejected),
        )
