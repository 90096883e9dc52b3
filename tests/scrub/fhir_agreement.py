"""What files of FHIR give by the native reader, and by the reader in Python alone."""

from __future__ import annotations

import io
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from weakcode.scrub.columns.claims import columns_of
from weakcode.scrub.read.batch import RowBatch
from weakcode.scrub.read.fhir import FhirSource
from weakcode.scrub.read.fhir.batch import FhirBatch
from weakcode.scrub.read.fhir.references import References
from weakcode.scrub.read.fhir.stream import Elements
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Record, Rejected


def outcome(content: bytes, *, natively: bool) -> tuple[list[Any], list[Any]]:
    """Return what a file gives, and what is said of it."""
    references = References()
    references.add(io.BytesIO(content))
    source = FhirSource(io.BytesIO(content), "f.ndjson", ReadOptions(references=references))
    rows: list[Record | Rejected] = []
    if natively:
        for batch in source.batches():
            rows += batch.rows()
            if isinstance(batch, FhirBatch):
                agree(batch)
            else:
                assert isinstance(batch, RowBatch)
    else:
        source._elements = Elements(io.BytesIO(content))  # type: ignore[assignment]
        rows = list(source)
    said = [source.log.counts(), source.log.said, dict(source.undiagnosed), source.ignored]
    return [comparable(row) if isinstance(row, Record) else row for row in rows], said


def comparable(row: Record) -> Any:
    """Return a record with what equality passes over, and the line of each diagnosis although it is the claim's."""
    lines = tuple(row.line_of([at]) for at in range(1, len(row.claim.codes) + 1))
    return attrs.evolve(row, lines=lines), row.origin


def agree(batch: FhirBatch) -> None:
    """Hold the columns of a batch to what its rows say."""
    records = [row for row in batch.rows() if isinstance(row, Record)]
    assert batch.tidied(None).to_pylist() == columns_of([one.claim for one in records]).to_pylist() or not records
    asked = [(row, at) for row, one in enumerate(records) for at in range(len(one.claim.codes) + 1)]
    positions = pa.array([[at] if at else [] for _, at in asked], pa.list_(pa.int32()))
    lines, places = batch.located(np.array([row for row, _ in asked], np.int32), positions)
    assert places is not None
    told = list(zip(lines.tolist(), places.to_pylist(), strict=True))
    assert told == [
        (records[row].line_of([at] if at else []), records[row].place_of([at] if at else [])) for row, at in asked
    ]
