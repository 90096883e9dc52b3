"""Scrubbing: every claim of some files is evaluated or set aside, and both are counted."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from weakcode.batch.outputs import Outputs, checked_output
from weakcode.batch.records import is_arrow_file, open_claims
from weakcode.batch.rows import Record, Rejected
from weakcode.batch.summary import Summary
from weakcode.batch.tally import Tally
from weakcode.batch.writers import (
    FINDINGS_EXTENSIONS,
    REJECTS_EXTENSIONS,
    RejectsWriter,
    findings_schema,
    findings_writer,
)
from weakcode.claims import Claim
from weakcode.errors import CodeTypeError, EditionError, EngineError, InputError, UnknownNameError
from weakcode.findings import Finding

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.api import Validator
    from weakcode.batch.columns import ColumnScrubber
    from weakcode.batch.sql import QuerySource
    from weakcode.batch.writers import FindingsWriter

BATCH_ROWS = 4096
"""Findings in one record batch; this bounds the memory of a scrub."""


class VerdictLike(Protocol):
    """What is read of an evaluation."""

    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def waived(self) -> Sequence[object]: ...
    @property
    def edition(self) -> str: ...
    @property
    def engine(self) -> str: ...
    @property
    def packs(self) -> Sequence[str]: ...
    @property
    def notices(self) -> Sequence[str]: ...


class Judge(Protocol):
    """What evaluates a claim, such as a Validator."""

    def judge(self, claim: Claim) -> VerdictLike:
        """Return the findings and what they were judged by."""
        ...


@attrs.frozen
class Judged:
    """A record that was evaluated."""

    record: Record
    verdict: VerdictLike


def read(
    paths: Iterable[str | os.PathLike[str]],
    progress: Callable[[int], None] | None = None,
    mapping: Mapping[str, str] | None = None,
    *,
    may_be_none: bool = False,
) -> _Reading:
    """Return the rows of all files, in order. `progress` is told the bytes read so far, over all files."""
    return _Reading(tuple(os.fspath(path) for path in paths), progress, mapping, may_be_none)


class _Reading:
    """Rows of several files. Per file, `ignored` says which columns are not known, `remarks` what is odd about it."""

    def __init__(
        self,
        paths: tuple[str, ...],
        progress: Callable[[int], None] | None,
        mapping: Mapping[str, str] | None = None,
        may_be_none: bool = False,
    ) -> None:
        if not paths and not may_be_none:
            raise InputError("there is no input; give at least one file of claims")
        self._paths = paths
        self._progress = progress
        self._mapping = mapping
        self.ignored: dict[str, tuple[str, ...]] = {}
        self.remarks: dict[str, tuple[str, ...]] = {}
        self.bytes_read = 0

    def __iter__(self) -> Iterator[Record | Rejected]:
        before = 0
        for path in self._paths:
            with open_claims(path, self._mapping) as source:
                for number, row in enumerate(source):
                    if self._progress and number % 256 == 0:
                        self._progress(before + source.bytes_read)
                    yield row
                before += source.bytes_read
                self.bytes_read = before
                if self._progress:
                    self._progress(before)
                if source.ignored:
                    self.ignored[path] = source.ignored
                # Only some formats have something to remark on.
                remarks = getattr(source, "notes", ())
                if remarks:
                    self.remarks[path] = tuple(remarks)


def evaluate(rows: Iterable[Record | Rejected], judge: Judge) -> Iterator[Judged | Rejected]:
    """Evaluate each record; a claim that cannot be judged for what it says is rejected.

    Raises EngineError, with the claim's place, when an engine fails: that must never look like a clean claim.
    """
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        try:
            verdict = judge.judge(row.claim)
        except EngineError as error:
            raise EngineError(f"{row.file}, line {row.line}: {error}") from error
        except (InputError, CodeTypeError, EditionError) as error:
            yield Rejected(row.file, row.line, row.claim.id, str(error), _part(error), row.raw)
        else:
            yield Judged(row, verdict)


def _part(error: Exception) -> str:
    if isinstance(error, EditionError):
        return "service date"
    return "documented facts" if isinstance(error, UnknownNameError) else "values"


class FindingRows:
    """Collects findings into record batches of the findings table."""

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def add(self, judged: Judged) -> None:
        """Take the findings of one claim."""
        record, edition = judged.record, judged.verdict.edition
        self._rows.extend(
            {
                "claim_id": record.claim.id,
                "rule": finding.rule,
                "severity": finding.severity,
                "message": finding.message,
                "codes": finding.codes,
                "positions": finding.positions,
                "sources": [str(source) for source in finding.sources],
                "edition": edition,
                "file": record.file,
                "line": record.line_of(finding.positions),
                "place": record.place_of(finding.positions),
            }
            for finding in judged.verdict.findings
        )

    def batches(self, *, last: bool = False) -> Iterator[pa.RecordBatch]:
        """Give the batches that are full, or all of them."""
        import pyarrow as pa

        while len(self._rows) >= BATCH_ROWS or (last and self._rows):
            yield pa.RecordBatch.from_pylist(self._rows[:BATCH_ROWS], schema=findings_schema())
            del self._rows[:BATCH_ROWS]


def scrub_batches(
    source: Any, validator: Validator, on_reject: Callable[[Rejected], None] | None = None, *, jobs: int = 1
) -> Iterator[pa.RecordBatch]:
    """Give the findings of a source as record batches; see `Validator.scrub`."""
    from weakcode.batch import bulk
    from weakcode.batch.arrowfile import ArrowColumns, speaks_arrow

    left_out = 0

    def set_aside(rejected: Iterable[Rejected]) -> None:
        nonlocal left_out
        for one in rejected:
            if on_reject is None:
                left_out += 1
            else:
                on_reject(one)

    sources = [source] if isinstance(source, str | os.PathLike) or speaks_arrow(source) else list(source)
    columns = validator.columns()
    in_bulk = validator.in_bulk()
    for one in sources:
        if speaks_arrow(one) or is_arrow_file(one):
            for part in bulk.judge(ArrowColumns(one), columns, jobs):
                set_aside(part.rejected)
                if part.scrubbed is not None and part.scrubbed.findings.num_rows:
                    yield part.scrubbed.findings
            continue
        rows = FindingRows()
        for outcome in evaluate(read([one]), in_bulk):
            if isinstance(outcome, Judged):
                rows.add(outcome)
                yield from rows.batches()
            else:
                set_aside([outcome])
        yield from rows.batches(last=True)
    if left_out:
        warnings.warn(f"rows that are no claims were left out: {left_out}; on_reject sees them", stacklevel=2)


def scrub(
    inputs: Sequence[str | os.PathLike[str]],
    judge: Judge,
    *,
    output: str | os.PathLike[str] | None = None,
    rejects: str | os.PathLike[str] | None = None,
    summary: str | os.PathLike[str] | None = None,
    on_judged: Callable[[Judged], None] | None = None,
    progress: Callable[[int], None] | None = None,
    mapping: Mapping[str, str] | None = None,
    columns: ColumnScrubber | None = None,
    judged_by: tuple[str, Sequence[str]] | None = None,
    jobs: int = 1,
    query: QuerySource | None = None,
    sink: FindingsWriter | None = None,
) -> Summary:
    """Evaluate every claim of the inputs, write what is asked for and return the summary.

    `output` takes findings (Parquet, CSV or JSON Lines by extension), `rejects` the rows that are no claims
    (CSV or JSON Lines), `summary` the summary as JSON. All of them appear together when everything is done,
    or none does. `on_judged` sees each evaluated claim. `mapping`
    says which columns of a table hold what. With `columns`, files in Arrow's formats are evaluated in batches by
    `jobs` threads, and `on_judged` does not see their claims. `query` gives claims beside those of the inputs, `sink`
    takes the findings too. Raises InputError for inputs and outputs that cannot
    be, EngineError when an engine fails.
    """
    started = time.perf_counter()
    names = [os.fspath(path) for path in inputs]
    targets = [
        None if path is None else checked_output(path, allowed, names)
        for path, allowed in (
            (output, FINDINGS_EXTENSIONS),
            (rejects, REJECTS_EXTENSIONS),
            (summary, (".json",)),
        )
    ]
    given = [target for target in targets if target is not None]
    if len(set(given)) < len(given):
        raise InputError(f"{given[0]} is named for two outputs; give each a name of its own")
    findings_target, rejects_target, summary_target = targets
    batched = columns is not None and not mapping
    in_batches: list[str | QuerySource] = [name for name in names if batched and is_arrow_file(name)]
    reading = read(
        [name for name in names if name not in in_batches],
        progress,
        mapping,
        may_be_none=bool(in_batches) or query is not None,
    )
    tally = Tally()
    ignored: dict[str, tuple[str, ...]] = {}
    with ExitStack() as stack:
        outputs = stack.enter_context(Outputs())
        table = findings_target and findings_writer(findings_target, outputs.open(findings_target))
        tables = [writer for writer in (table, sink) if writer]
        for writer in tables:
            stack.callback(writer.abandon)
        aside = rejects_target and RejectsWriter(rejects_target, outputs.open(rejects_target))
        one_by_one: Iterable[Record | Rejected] = reading
        if query is not None:
            stack.enter_context(query)
            if batched and query.is_code_list:
                in_batches.append(query)
            else:
                one_by_one = chain(reading, query)
        rows = FindingRows()
        for outcome in evaluate(tally.counted(one_by_one), judge):
            tally.add(outcome)
            if isinstance(outcome, Rejected):
                if aside:
                    aside.write(outcome)
                continue
            if on_judged:
                on_judged(outcome)
            if tables:
                rows.add(outcome)
                for batch in rows.batches():
                    for writer in tables:
                        writer.write(batch)
        for one in in_batches:
            from weakcode.batch import bulk
            from weakcode.batch.arrowfile import ArrowColumns

            assert columns is not None
            source = ArrowColumns(one if isinstance(one, str) else one.reader)
            source.name = one if isinstance(one, str) else one.name
            for part in bulk.judge(source, columns, jobs):
                tally.add_batch(part)
                if aside:
                    for rejected in part.rejected:
                        aside.write(rejected)
                if part.scrubbed is not None:
                    for writer in tables:
                        writer.write(part.scrubbed.findings)
                if progress:
                    progress(reading.bytes_read + source.bytes_read)
            if source.ignored:
                ignored[source.name] = source.ignored
        if in_batches and columns is not None and judged_by is not None:
            tally.judged_by(*judged_by)
        if query is not None and query.ignored:
            ignored[query.name] = query.ignored
        result = attrs.evolve(
            tally.summary(time.perf_counter() - started, {**reading.ignored, **ignored}), remarks=reading.remarks
        )
        for batch in rows.batches(last=True):
            for writer in tables:
                writer.write(batch)
        for writer in tables:
            writer.finish(result.metadata())
        if summary_target:
            outputs.open(summary_target).write(result.to_json().encode() + b"\n")
        outputs.commit()
    return result
