"""Scrubbing: every claim of some files is evaluated or set aside, and both are counted."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import attrs

from weakcode.claims import Waiver
from weakcode.errors import InputError
from weakcode.scrub.judge.rows import Evaluated, FindingRows, Judge, evaluate
from weakcode.scrub.read.files import FileRows
from weakcode.scrub.read.inputs import check_standard_input, name_of, opened_input
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.summary import JudgedBy, Summary
from weakcode.scrub.tally import Tally
from weakcode.scrub.write.claims import CLAIMS_EXTENSIONS, claims_writer
from weakcode.scrub.write.files import Outputs, checked_output
from weakcode.scrub.write.findings import FINDINGS_EXTENSIONS, REJECTS_EXTENSIONS, RejectsWriter, findings_writer
from weakcode.scrub.write.fixed import Corrected, Mend
from weakcode.scrub.write.pseudonyms import HashedIds

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.scrub.judge.columns import ColumnScrubber
    from weakcode.scrub.read.batch import ClaimBatch
    from weakcode.scrub.read.sql import QuerySource
    from weakcode.scrub.write.findings import FindingsWriter

Progress = Callable[[int, int, int], None]
"""Is told the bytes read so far over all files, the claims and the findings."""


def scrub(
    inputs: Sequence[str | os.PathLike[str]],
    judge: Judge,
    *,
    piped: BinaryIO | None = None,
    output: str | os.PathLike[str] | None = None,
    rejects: str | os.PathLike[str] | None = None,
    summary: str | os.PathLike[str] | None = None,
    fixed: str | os.PathLike[str] | None = None,
    mend: Mend | None = None,
    on_judged: Callable[[Evaluated], None] | None = None,
    progress: Progress | None = None,
    mapping: Mapping[str, str] | None = None,
    columns: ColumnScrubber | None = None,
    judged_by: JudgedBy | None = None,
    waivers: Sequence[Waiver] = (),
    jobs: int = 1,
    query: QuerySource | None = None,
    sink: FindingsWriter | None = None,
    hash_key: bytes | None = None,
    raw_csv: bool = False,
) -> Summary:
    """Evaluate every claim of the inputs, write what is asked for and return the summary.

    The input "-" is what `piped` gives.
    `output` takes findings (Parquet, Arrow, an IPC stream, CSV or JSON Lines by extension), `rejects` the rows that are
    no claims (CSV or JSON Lines), `summary` the summary as JSON, `fixed` every evaluated claim once and in order, those
    with findings as `mend` returns them (the extensions of `output`). All of them appear together when everything is
    done, or none does. `progress` is told how far it is, `on_judged` sees each evaluated claim. `mapping` says which
    columns of a table hold what. With `columns`, claims are evaluated in batches by `jobs`
    threads, and `on_judged` does not see them. `judged_by` says what judges; text formats repeat it.
    `waivers` are those of the run, of which the summary tells the idle ones.
    `query` gives claims after those of the inputs, `sink` takes the findings too. With `hash_key`, claim ids are hashed
    in everything but `fixed`, and `rejects` repeats nothing of the rows. Raises InputError for inputs and
    outputs that cannot be, EngineError when an engine fails. With `raw_csv`, cells of CSV stay as they are that a
    spreadsheet would take for formulas.
    """
    started = time.perf_counter()
    if not inputs and query is None:
        raise InputError("there is no input; give at least one file of claims")
    check_standard_input(inputs, piped)
    if (fixed is None) != (mend is None):
        raise InputError("corrected claims need both a file, fixed, and what mends a claim, mend")
    targets = _Targets.of(
        [os.fspath(path) for path in inputs], output=output, rejects=rejects, summary=summary, fixed=fixed
    )
    hide = None if hash_key is None else HashedIds(hash_key)
    # A query that cannot be run is told before any file is read.
    with (
        targets.opened(sink, mend, hide, judged_by or JudgedBy(), raw_csv=raw_csv) as out,
        query or nullcontext(),
    ):
        run = _Run(judge, out, on_judged, progress, columns, jobs)
        for path in inputs:
            with opened_input(path, piped) as file:
                run.file(file, mapping)
        if query is not None:
            run.query(query)
        run.flush()
        if judged_by is not None:
            run.tally.judged_by(judged_by)
        result = run.tally.summary(time.perf_counter() - started, run.ignored)
        if out.corrected is not None:
            if out.corrected.remarks:
                run.remarks[os.fspath(fixed or "")] = out.corrected.remarks
            result = attrs.evolve(result, fixed=out.corrected.changed)
        result = attrs.evolve(
            result,
            remarks=run.remarks,
            without_diagnoses=dict(run.undiagnosed),
            idle_waivers=run.tally.idle_waivers(waivers),
        )
        out.finish(result)
    return result


@attrs.frozen
class _Targets:
    """Where what is asked for will be written."""

    findings: Path | None
    rejects: Path | None
    summary: Path | None
    fixed: Path | None

    @classmethod
    def of(cls, inputs: Sequence[str], **given: str | os.PathLike[str] | None) -> _Targets:
        """Check the outputs before any work is done; raises InputError for one that cannot be."""
        allowed = {
            "output": FINDINGS_EXTENSIONS,
            "rejects": REJECTS_EXTENSIONS,
            "summary": (".json",),
            "fixed": CLAIMS_EXTENSIONS,
        }
        checked = {
            name: None if path is None else checked_output(path, allowed[name], inputs) for name, path in given.items()
        }
        there = [target for target in checked.values() if target is not None]
        for target in there:
            if there.count(target) > 1:
                raise InputError(f"{target} is named for two outputs; give each a name of its own")
        return cls(checked["output"], checked["rejects"], checked["summary"], checked["fixed"])

    @contextmanager
    def opened(
        self,
        sink: FindingsWriter | None,
        mend: Mend | None,
        hide: HashedIds | None,
        judged_by: JudgedBy,
        *,
        raw_csv: bool,
    ) -> Iterator[_Out]:
        """Open the outputs; what is not finished when the block is left is removed."""
        with ExitStack() as stack:
            outputs = stack.enter_context(Outputs())
            table = self.findings and findings_writer(
                self.findings, outputs.open(self.findings), judged_by.columns(), raw_csv=raw_csv
            )
            tables = [writer for writer in (table, sink) if writer]
            for writer in tables:
                stack.callback(writer.abandon)
            aside = None
            if self.rejects:
                aside = RejectsWriter(self.rejects, outputs.open(self.rejects), raw_csv=raw_csv)
                stack.callback(aside.abandon)
            corrected = None
            if self.fixed is not None and mend is not None:
                corrected = Corrected(claims_writer(self.fixed, outputs.open(self.fixed), raw_csv=raw_csv), mend)
                stack.callback(corrected.abandon)
            yield _Out(outputs, tables, aside, self.summary, corrected, hide)


@attrs.frozen
class _Out:
    """The open outputs of a scrub."""

    _outputs: Outputs
    _tables: Sequence[FindingsWriter]
    _aside: RejectsWriter | None
    _summary: Path | None
    corrected: Corrected | None
    hide: HashedIds | None

    @property
    def keeps_findings(self) -> bool:
        """Tell whether findings are written at all."""
        return bool(self._tables)

    def findings(self, batches: Iterable[pa.RecordBatch]) -> None:
        for batch in batches:
            told = self.hide.batch(batch) if self.hide else batch
            for writer in self._tables:
                writer.write(told)

    def rejected(self, rejected: Iterable[Rejected]) -> None:
        if self._aside:
            for one in rejected:
                self._aside.write(self.hide.rejected(one) if self.hide else one)

    def finish(self, summary: Summary) -> None:
        """Put everything in its place."""
        for writer in self._tables:
            writer.finish(summary.metadata())
        if self.corrected:
            self.corrected.finish(summary.metadata())
        if self._aside:
            self._aside.finish()
        if self._summary:
            self._outputs.open(self._summary).write(summary.to_json().encode("utf-8", "backslashreplace") + b"\n")
        self._outputs.commit()


class _Run:
    """One scrub on its way: inputs one after the other, each claim by claim or in batches."""

    def __init__(
        self,
        judge: Judge,
        out: _Out,
        on_judged: Callable[[Evaluated], None] | None,
        progress: Progress | None,
        columns: ColumnScrubber | None,
        jobs: int,
    ) -> None:
        self._judge, self._out = judge, out
        self._on_judged, self._progress = on_judged, progress
        self._columns, self._jobs = columns, jobs
        self._rows = FindingRows()
        self._bytes_before = 0
        self.tally = Tally()
        self.ignored: dict[str, tuple[str, ...]] = {}
        self.remarks: dict[str, tuple[str, ...]] = {}
        self.undiagnosed: Counter[str] = Counter()

    def file(self, path: str | os.PathLike[str], mapping: Mapping[str, str] | None) -> None:
        """Scrub one file."""
        source, name = FileRows(path, mapping, self._read), name_of(path)
        if self._columns is None:
            self._claims(source)
        else:
            self._batches(source.batches(), self._columns)
        self._bytes_before += source.bytes_read
        self._odd(name, source.ignored)
        self.undiagnosed.update(source.undiagnosed)
        if source.remarks:
            self.remarks[name] = source.remarks

    def query(self, query: QuerySource) -> None:
        """Scrub what an open query gives."""
        if self._columns is None:
            self._claims(query)
        else:
            self._batches(query.batches(), self._columns)
        self._odd(query.name, query.ignored)

    def flush(self) -> None:
        """Write the findings that wait for their batch to be full."""
        self._out.findings(self._rows.batches(last=True))
        if self._out.corrected:
            self._out.corrected.flush()

    def _claims(self, rows: Iterable[Record | Rejected]) -> None:
        for outcome in evaluate(self.tally.counted(rows), self._judge):
            self._outcome(outcome)

    def _outcome(self, outcome: Evaluated | Rejected) -> None:
        self.tally.add(outcome)
        if isinstance(outcome, Rejected):
            self._out.rejected([outcome])
            return
        if self._out.corrected:
            self._out.corrected.add(outcome)
        if self._on_judged:
            self._on_judged(self._out.hide.judged(outcome) if self._out.hide else outcome)
        if self._out.keeps_findings:
            self._rows.add(outcome)
            self._out.findings(self._rows.batches())

    def _batches(self, batches: Iterable[ClaimBatch], columns: ColumnScrubber) -> None:
        from weakcode.scrub.judge.batch import FindingBatch, evaluate_batch
        from weakcode.scrub.judge.parallel import in_order

        keep = self._out.corrected is not None
        for part in in_order(
            batches, lambda batch: evaluate_batch(batch, columns, self._judge, keep_claims=keep), self._jobs
        ):
            if isinstance(part, FindingBatch):
                self._batch(part)
                continue
            for outcome in self.tally.counted(part.outcomes):
                self._outcome(outcome)

    def _batch(self, part: FindingBatch) -> None:
        self.flush()
        if self._out.corrected:
            self._out.corrected.add_batch(part)
        self.tally.add_batch(part)
        self._out.rejected(part.rejected)
        if part.scrubbed is not None:
            self._out.findings([part.scrubbed.findings])

    def _read(self, bytes_read: int) -> None:
        if self._progress:
            self._progress(self._bytes_before + bytes_read, *self.tally.so_far)

    def _odd(self, name: str, ignored: tuple[str, ...]) -> None:
        if ignored:
            self.ignored[name] = ignored
