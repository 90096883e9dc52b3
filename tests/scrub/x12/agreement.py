"""Holds the native reader of 837 files and the one in Python to one outcome. Needs nothing but weakcode."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np

from weakcode import InputError
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.claimblock import ClaimBlock
from weakcode.scrub.read.x12.source import X12Source

Outcome = tuple[list[Record | Rejected], object, object, object, object]


def by_python(content: bytes) -> Outcome:
    """What the reader in Python makes of a file, and how it refuses it."""
    source, rows, refusal = X12Source(io.BytesIO(content), "f"), [], None
    try:
        rows.extend(source)
    except InputError as error:
        refusal = str(error)
    return rows, refusal, source.notes, source.ignored, source.undiagnosed


def natively(content: bytes) -> tuple[Outcome, int]:
    """The same by way of columns, and how many claims were read natively."""
    source, rows, refusal, native_rows = X12Source(io.BytesIO(content), "f"), [], None, 0
    try:
        for block in source.batches():
            rows.extend(rows_of(block))
            native_rows += block.batch.num_rows - len(block.records)
    except InputError as error:
        refusal = str(error)
    return (rows, refusal, source.notes, source.ignored, source.undiagnosed), native_rows


def rows_of(block: ClaimBlock) -> Iterator[Record | Rejected]:
    """The rows of a block in their order. What columns say of a claim is what its record says."""
    size = block.batch.num_rows
    rejected = list(block.rejected)
    claims = block.claims(np.arange(size))
    for row, claim in enumerate(claims):
        while rejected and rejected[0][0] == row:
            yield rejected.pop(0)[1]
        record = block.record(row)
        assert claim == record.claim
        positions = np.arange(len(claim.diagnoses) + 1, dtype=np.int32)
        lines, places = block.places(np.full(len(positions), row, np.int32), positions)
        told = [[]] + [[position] for position in positions[1:].tolist()]
        assert lines.tolist() == [record.line_of(at) for at in told]
        assert places.to_pylist() == [record.place_of(at) for at in told]
        yield record
    yield from (one for _, one in rejected)


def agree(content: bytes) -> int:
    """Hold both readers to one outcome, and tell how many claims were read natively."""
    expected = by_python(content)
    got, native_rows = natively(content)
    assert got == expected
    return native_rows
