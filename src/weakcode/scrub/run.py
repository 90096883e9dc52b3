"""Scrubbing: every claim of some files is evaluated or set aside, and both are counted."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from weakcode.claims import Waiver
from weakcode.errors import InputError
from weakcode.scrub.gates import Gate
from weakcode.scrub.judge.repeats import RepeatedIds
from weakcode.scrub.judge.rows import EvaluatedRecord, FindingRows, Judge, evaluate
from weakcode.scrub.outputs import OpenOutputs, Targets
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.inputs import check_standard_input, name_of
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.places import opened_place
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.runs import Digests, RunTime
from weakcode.scrub.sources import Sources, unchanged_while_read
from weakcode.scrub.summary import Counts, JudgedBy, Summary
from weakcode.scrub.watching import Watcher, logs_progress, minutely, watched
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.uploads import shown_target

if TYPE_CHECKING:
    from weakcode.scrub.groups import DrgTally
    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.scrub.judge.columns import ColumnScrubber
    from weakcode.scrub.read.batch import ClaimBatch
    from weakcode.scrub.read.sql import QuerySource
    from weakcode.scrub.write.sinks import Sink

Progress = Callable[[int, int, int], None]
"""Called with the bytes read so far over all files, the claims and the findings."""


_MOST_JUDGED = 4096
"""Claims judged one by one of which a table is made together."""


@attrs.frozen(eq=False)
class Plan:
    """What a scrub is to do. `scrub` takes the same and runs it.

    Inputs are files, folders, patterns and addresses; "-" is what `piped` gives. `mapping` says which columns of a
    table hold what, `options` what else is known of the files, `query` gives claims after those of the inputs. With
    `keep_going`, one of several files that cannot be read does not stop the run.

    With `columns`, claims are evaluated in batches by `jobs` threads, and `on_judged` does not see them;
    without, it sees each evaluated claim. `judged_by` says what judges; text formats repeat it. `waivers` are
    those of the run, of which the summary tells the idle ones. `progress` is called with how far it is; without it, the
    logger "weakcode.scrub" has a line a minute. `watchers` hear that the run starts, and how it ends.

    `output` takes findings (Parquet, Arrow, an IPC stream, CSV or JSON Lines by extension), and so does `sink`;
    `rejects` the rejected rows, `summary` the summary as JSON, `metrics` it as OpenMetrics, `fixed` every
    evaluated claim once and in order, those with findings as `mend` returns them (the extensions of `output`).
    `drgs` groups the claims that were evaluated.
    All of them appear together when everything is done, or none does; but where every row was rejected, or more than
    `most_rejects` allows, only `rejects`, `summary` and `metrics` appear, and what stands in the place of others stays.
    `digests` takes the digests of the claims (Parquet), `since` is such a file of an earlier run, whose findings are
    taken over for claims that are unchanged; `of_run` stands for what judges (`write.digests.what_judges`).
    `run_id` names the run; without it, it gets an id. With `hash_key`, claim ids are hashed in
    everything but `fixed`, and `rejects` repeats nothing of the rows. With `raw_csv`, cells of CSV stay as they
    are that a spreadsheet would take for formulas.

    Raises InputError for what does not go together and for outputs that cannot be.
    """

    inputs: Sequence[str | os.PathLike[str]]
    judge: Judge
    piped: BinaryIO | None = attrs.field(default=None, kw_only=True)
    mapping: Mapping[str, Any] | None = attrs.field(default=None, kw_only=True)
    options: ReadOptions = attrs.field(default=PLAIN, kw_only=True)
    keep_going: bool = attrs.field(default=False, kw_only=True)
    query: QuerySource | None = attrs.field(default=None, kw_only=True)
    columns: ColumnScrubber | None = attrs.field(default=None, kw_only=True)
    jobs: int = attrs.field(default=1, kw_only=True)
    on_judged: Callable[[EvaluatedRecord], None] | None = attrs.field(default=None, kw_only=True)
    progress: Progress | None = attrs.field(default=None, kw_only=True)
    watchers: Sequence[Watcher] = attrs.field(default=(), kw_only=True)
    judged_by: JudgedBy | None = attrs.field(default=None, kw_only=True)
    waivers: Sequence[Waiver] = attrs.field(default=(), kw_only=True)
    output: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    sink: Sink | None = attrs.field(default=None, kw_only=True)
    rejects: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    summary: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    metrics: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    fixed: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    mend: Mend | None = attrs.field(default=None, kw_only=True)
    hash_key: bytes | None = attrs.field(default=None, kw_only=True, repr=False)
    raw_csv: bool = attrs.field(default=False, kw_only=True)
    run_id: str | None = attrs.field(default=None, kw_only=True)
    digests: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    since: str | os.PathLike[str] | None = attrs.field(default=None, kw_only=True)
    of_run: str | None = attrs.field(default=None, kw_only=True)
    most_rejects: Gate | None = attrs.field(default=None, kw_only=True)
    most_errors: Gate | None = attrs.field(default=None, kw_only=True)
    is_part: bool = attrs.field(default=False, kw_only=True)
    drgs: DrgTally | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if not self.inputs and self.query is None:
            raise InputError("there is no input; give at least one file of claims")
        check_standard_input(self.inputs, self.piped)
        if (self.fixed is None) != (self.mend is None):
            raise InputError("corrected claims need both a file, fixed, and what mends a claim, mend")
        if self.digests is not None or self.since is not None:
            if self.columns is None:
                raise InputError("--digests and --since go with -o FILE or --into TABLE, and the columnar engine")
            if self.of_run is None:
                raise InputError("--digests and --since do not go with waivers, which have dates of their own")

    def run(self) -> Summary:
        """Evaluate every claim, write what is asked for and return the summary.

        Raises InputError for inputs that cannot be read, EngineError when an engine fails.
        """
        started, record = time.perf_counter(), RunTime.starting(self.run_id)
        targets = Targets.of(self)
        watchers = (*self.watchers, *([] if self.sink is None else [self.sink]))
        # A query that cannot be run is refused before any file is read.
        with (
            watched(record, watchers, is_part=self.is_part) as watched_run,
            targets.opened(self) as out,
            self.query or nullcontext(),
            Digests() as digests,
        ):
            run = _Run(self, out)
            for path in run.sources.files:
                with (
                    run.sources.noting_errors(path),
                    opened_place(path, self.piped) as file,
                    unchanged_while_read(file, digests.has_content_of),
                ):
                    if not self.is_part:
                        digests.add(file)
                    run.file(file)
                    digests.wait()
            run.sources.check(run.claims)
            if self.query is not None:
                run.rows_of(self.query)
            counted = attrs.evolve(run.summary(started), run=record.ending(), inputs=digests.files())
            result = counted.gated(self.most_rejects, self.most_errors)
            out.ready(result)
            watched_run.completing(result)
            out.finish(result)
            watched_run.completed(result)
        return result


def scrub(inputs: Sequence[str | os.PathLike[str]], judge: Judge, **options: Any) -> Summary:
    """Evaluate every claim of the inputs; `options` are the fields of `Plan`, which says what is raised."""
    return Plan(inputs, judge, **options).run()


class _Run:
    """One scrub on its way: inputs one after the other, each claim by claim or in batches."""

    def __init__(self, plan: Plan, out: OpenOutputs) -> None:
        self._plan, self._out = plan, out
        self.sources = Sources(plan.inputs, plan.options, plan.mapping, keep_going=plan.keep_going)
        self._rows = FindingRows()
        self._repeated = RepeatedIds(is_part=plan.is_part)
        self._judged: list[str | None] = []
        self._bytes_before = 0
        self._counts = Counts()
        self._since = out.since
        self._progress = plan.progress or (minutely(None) if logs_progress() and not plan.is_part else None)

    def file(self, path: str | os.PathLike[str]) -> None:
        """Scrub one file."""
        source = FileRows(path, self.sources.options(path), self._read)
        self._evaluate(source)
        self._bytes_before += source.bytes_read
        self.sources.was_read(name_of(path), source)

    @property
    def claims(self) -> int:
        """Claims up to now."""
        return self._counts.so_far[0]

    def rows_of(self, query: QuerySource) -> None:
        """Scrub what an open query gives."""
        self._evaluate(query)
        self.sources.was_read(query.name, query)

    def summary(self, started: float) -> Summary:
        """Write what waits for its batch to be full, and return the counts of everything."""
        self.flush()
        plan, corrected = self._plan, self._out.corrected
        if corrected is not None:
            corrected.end()
        if plan.judged_by is not None:
            self._counts.judged_by(plan.judged_by)
        if corrected is not None and corrected.remarks:
            self.sources.remarks[shown_target(plan.fixed)] = corrected.remarks
        return attrs.evolve(
            self._counts.summary(time.perf_counter() - started, self.sources.ignored),
            fixed=corrected.changed if corrected is not None else 0,
            remarks=self.sources.remarks,
            reading=self.sources.reading,
            unread=self.sources.unread,
            without_diagnoses=dict(self.sources.undiagnosed),
            idle_waivers=self._counts.idle_waivers(plan.waivers),
            drg=None if plan.drgs is None else plan.drgs.counts(),
        )

    def _evaluate(self, source: FileRows | QuerySource) -> None:
        if self._plan.columns is None:
            self._claims(source)
        else:
            self._batches(source.batches(), self._plan.columns)

    def flush(self) -> None:
        """Write the findings that wait for their batch to be full."""
        self._out.findings(self._rows.batches(last=True))
        self._tell_judged()
        if self._out.corrected:
            self._out.corrected.flush()

    def _claims(self, rows: Iterable[Record | Rejected]) -> None:
        for outcome in evaluate(self._counts.counted(rows), self._plan.judge):
            self._outcome(outcome)

    def _outcome(self, outcome: EvaluatedRecord | Rejected) -> None:
        self._counts.add(outcome)
        if isinstance(outcome, Rejected):
            self._out.rejected([outcome])
            return
        if self._out.corrected:
            self._out.corrected.add(outcome)
        if self._plan.drgs:
            self._plan.drgs.add([outcome.record.claim], self._out.hide)
        if self._out.hide:
            outcome = self._out.hide.judged(outcome)
        outcome = self._repeated.evaluated(outcome)
        if self._plan.on_judged:
            self._plan.on_judged(outcome)
        if self._out.tables:
            self._rows.add(outcome)
            self._out.findings(self._rows.batches())
        if self._out.digests:
            self._out.digests.claim(len(outcome.verdict.findings) + len(outcome.verdict.waived))
        if self._out.sink:
            self._judged.append(outcome.record.claim.id)
            self._tell_judged(_MOST_JUDGED)

    def _tell_judged(self, at_least: int = 1) -> None:
        """Tell the table of the claims that were judged one by one, once there are so many."""
        if self._out.sink and len(self._judged) >= at_least:
            self._out.sink.judged(self._judged)
            self._judged.clear()

    def _batches(self, batches: Iterable[ClaimBatch], columns: ColumnScrubber) -> None:
        from weakcode.scrub.judge.batch import FindingBatch, evaluate_batch
        from weakcode.scrub.judge.parallel import in_order

        keep, judge = self._out.corrected is not None or self._plan.drgs is not None, self._plan.judge
        hide = self._out.hide.ids if self._out.hide else None
        for part in in_order(
            batches,
            lambda batch: evaluate_batch(batch, columns, judge, keep_claims=keep, since=self._since, hide=hide),
            self._plan.jobs,
        ):
            if isinstance(part, FindingBatch):
                self._batch(part)
            else:
                for outcome in self._counts.counted(part.outcomes):
                    self._outcome(outcome)
            del part  # which else is held while the next one is judged

    def _batch(self, part: FindingBatch) -> None:
        self.flush()
        if self._out.corrected:
            self._out.corrected.add_batch(part)
        if self._plan.drgs:
            self._plan.drgs.add(part.evaluated(), self._out.hide)
        self._counts.add_batch(part)
        self._out.rejected(part.rejected)
        findings = self._repeated.batch(part)
        if findings is not None:
            self._out.findings([findings])
        if self._out.digests:
            self._out.digests.batch(part, self._repeated.nth)
        if self._out.sink and part.claim_ids is not None:
            hide, ids = self._out.hide, part.claim_ids
            if self._since is not None and self._since.stays_in_table is not None and part.known is not None:
                self._repeated.check_alone()
                ids = part.new_ids()
            self._out.sink.judged((ids if hide is None else hide.ids(ids)).to_pylist())

    def _read(self, bytes_read: int) -> None:
        if self._progress:
            self._progress(self._bytes_before + bytes_read, *self._counts.so_far)
