"""Holds the native reader of 837 files and the one in Python to one outcome. Needs nothing but weakcode."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

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
        asked: list[list[int]] = [[], *([position] for position in range(1, len(claim.diagnoses) + 1))]
        lines, places = block.located(np.full(len(asked), row, np.int32), pa.array(asked, pa.list_(pa.int32())))
        assert places is not None
        assert lines.tolist() == [record.line_of(at) for at in asked]
        assert places.to_pylist() == [record.place_of(at) for at in asked]
        yield record
    yield from (one for _, one in rejected)


def agree(content: bytes) -> int:
    """Hold both readers to one outcome, and tell how many claims were read natively."""
    expected = by_python(content)
    got, native_rows = natively(content)
    assert got == expected
    return native_rows
