"""Scrubbing for programs: findings as record batches, as they are found."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.errors import InputError
from weakcode.scrub.judge.repeats import RepeatedIds
from weakcode.scrub.judge.rows import EvaluatedRecord, FindingRows
from weakcode.scrub.read.files import FileRows, as_one_set
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.places import Places, opened_place, partitions_of
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.schema import conformed

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.validator import Validator


def scrub_batches(
    source: Any,
    validator: Validator,
    *,
    on_reject: Callable[[Rejected], None] | None = None,
    jobs: int = 1,
    mapping: Mapping[str, Any] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Give the findings of a source as record batches; see `Validator.scrub`.

    Claims in Arrow's formats are evaluated in batches, by `jobs` threads. `on_reject` sees each rejected row. `mapping`
    says which columns hold what, by the names of --map.
    """
    from weakcode.scrub.judge.batch import FindingBatch, evaluate_batch
    from weakcode.scrub.judge.parallel import in_order
    from weakcode.scrub.read.arrow.file import ArrowColumns, speaks_arrow

    options = ReadOptions(mapping)
    repeated = RepeatedIds()
    left_out = 0

    def set_aside(rejected: Iterable[Rejected]) -> None:
        nonlocal left_out
        for one in rejected:
            if on_reject is None:
                left_out += 1
            else:
                on_reject(one)

    many = isinstance(source, Iterable) and not isinstance(source, str | os.PathLike | bytes | Mapping)
    sources = list(source) if many and not speaks_arrow(source) else [source]
    for one in sources:
        if not isinstance(one, str | os.PathLike) and not speaks_arrow(one):
            kind = type(one).__name__
            raise InputError(f"claims are scrubbed from paths or from what speaks Arrow, found {kind}")
    columns = validator.columns()
    in_bulk = validator.in_bulk()

    def found_in(one: Any, options: ReadOptions) -> Iterator[pa.RecordBatch]:
        batches = iter(ArrowColumns(one, options=options)) if speaks_arrow(one) else FileRows(one, options).batches()
        for part in in_order(batches, lambda batch: evaluate_batch(batch, columns, in_bulk), jobs):
            if isinstance(part, FindingBatch):
                set_aside(part.rejected)
                findings = repeated.batch(part)
                if findings is not None and findings.num_rows:
                    yield conformed(findings)
                continue
            rows = FindingRows()
            for outcome in part.outcomes:
                if isinstance(outcome, EvaluatedRecord):
                    rows.add(repeated.evaluated(outcome))
                else:
                    set_aside([outcome])
            yield from map(conformed, rows.batches(last=True))

    places = Places.of([one for one in sources if not speaks_arrow(one)]).files
    if len(places) > 1:
        # The files of a call are one set, however they were named.
        options = as_one_set(places, options)
    for one_source in sources:
        if speaks_arrow(one_source):
            yield from found_in(one_source, options)
            continue
        for file in Places.of([one_source]).files:
            with opened_place(file) as opened:
                yield from found_in(opened, attrs.evolve(options, constants=partitions_of(file)))
    if left_out:
        warnings.warn(f"rejected rows were left out: {left_out}; on_reject sees them", stacklevel=2)
