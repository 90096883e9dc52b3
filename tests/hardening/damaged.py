"""Files in Arrow's formats that lie: written well, then one buffer, or what is said of it, is changed in their bytes.

Each kind has one case that `make test` replays; the others differ in type, column and by how far they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from pyarrow import ipc

FAR = 2**30
TEXTS = ["I10 E11.9 ", "M62.84", "I10 K31.84 E11.9", "K31.84 I10"]
CODES = ["I10", "M62.84", "E11.9", "K31.84"]
LIES = {
    "far": [0, 10, FAR, FAR + 16, 42],
    "last-far": [0, 10, 16, 32, FAR],
    "negative": [0, 10, -FAR, -FAR + 16, 42],
    "falling": [0, 40, 2, 41, 42],
    "first-negative": [-FAR, -FAR + 10, 16, 32, 42],
    "near": [0, 10, 60, 80, 42],
}
"""Offsets in the place of those of four texts, [0, 10, 16, 32, 42], or of four lists with as many items."""
TRUE = [0, 10, 16, 32, 42]
MANY = [CODES[place % 4] for place in range(42)]


@attrs.frozen
class Case:
    """A batch with a lie in its bytes: the first place where `true` stands has `lie` instead."""

    name: str
    columns: dict[str, pa.Array]
    true: bytes
    lie: bytes
    kind: str

    def file(self, *, stream: bool) -> bytes:
        """Return it as an Arrow file or as an IPC stream."""
        content = written([batch_of(self.columns)], stream=stream)
        assert self.true in content, self.name
        return content.replace(self.true, self.lie, 1)


def batch_of(columns: dict[str, pa.Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def written(batches: Sequence[pa.RecordBatch], *, stream: bool, compression: str | None = None) -> bytes:
    sink = pa.BufferOutputStream()
    options = ipc.IpcWriteOptions(compression=compression)
    with (ipc.new_stream if stream else ipc.new_file)(sink, batches[0].schema, options=options) as out:
        for batch in batches:
            out.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _numbers(values: Sequence[int], kind: Any = np.int32) -> bytes:
    return np.array(values, kind).tobytes()


def _ids(rows: int) -> pa.Array:
    return pa.array([f"Claim{row}" for row in range(rows)])


def _codes(rows: int) -> pa.Array:
    return pa.array([["I10", "M62.84"]] * rows)


def _lists(values: pa.Array, offsets: Sequence[int] = TRUE) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _by_offsets() -> dict[str, Callable[[], dict[str, pa.Array]]]:
    """Return batches in which the offsets `TRUE` stand once, by what they are the offsets of."""
    spans = pa.StructArray.from_arrays(
        [pa.array([1] * 42), pa.array([[1]] * 42, pa.list_(pa.int32()))], ["number", "pointers"]
    )
    rich = pa.StructArray.from_arrays([pa.array(MANY), pa.array(["senile"] * 42)], ["code", "text"])
    line = pa.StructArray.from_arrays(
        [pa.array([1] * 4), _lists(pa.array([1] * 42, pa.int32()))], ["number", "pointers"]
    )
    return {
        "text": lambda: {"claim_id": _ids(4), "codes": pa.array(TEXTS)},
        "id": lambda: {"claim_id": pa.array(TEXTS), "codes": _codes(4)},
        "payer": lambda: {"claim_id": _ids(4), "codes": _codes(4), "payer": pa.array(TEXTS)},
        "sex": lambda: {"claim_id": _ids(4), "codes": _codes(4), "sex": pa.array(TEXTS)},
        "a code's column": lambda: {"claim_id": _ids(4), "dx1": pa.array(TEXTS), "dx2": pa.array(["I10"] * 4)},
        "texts in lists": lambda: {"claim_id": _ids(2), "codes": _lists(pa.array(TEXTS), [0, 1, 4])},
        "list": lambda: {"claim_id": _ids(4), "codes": _lists(pa.array(MANY))},
        "list of a dictionary": lambda: {"claim_id": _ids(4), "codes": _lists(pa.array(MANY).dictionary_encode())},
        "list of structs": lambda: {"claim_id": _ids(4), "codes": _lists(rich)},
        "documented": lambda: {"claim_id": _ids(4), "codes": _codes(4), "documented": _lists(pa.array(["a"] * 42))},
        "lines": lambda: {"claim_id": _ids(4), "codes": _codes(4), "lines": _lists(spans)},
        "pointers": lambda: {"claim_id": _ids(4), "codes": _codes(4), "lines": _lists(line, [0, 1, 2, 3, 4])},
    }


def _wide() -> dict[str, Callable[[], dict[str, pa.Array]]]:
    offsets = pa.array(TRUE, pa.int64())
    return {
        "large text": lambda: {"claim_id": _ids(4), "codes": pa.array(TEXTS, pa.large_string())},
        "large list": lambda: {
            "claim_id": _ids(4),
            "codes": pa.LargeListArray.from_arrays(offsets, pa.array(MANY)),
        },
    }


def _dictionaries() -> dict[str, Callable[[], dict[str, pa.Array]]]:
    def column() -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, 3, 2, 1, 0], pa.int32()), pa.array(CODES))

    return {
        "dictionary": lambda: {"claim_id": _ids(8), "codes": column()},
        "dictionary in lists": lambda: {"claim_id": _ids(2), "codes": _lists(column(), [0, 4, 8])},
        "dictionary of payers": lambda: {"claim_id": _ids(8), "codes": _codes(8), "payer": column()},
        "dictionary of ids": lambda: {"claim_id": column(), "codes": _codes(8)},
    }


def cases() -> Iterator[Case]:
    """Give every case; the first of each kind stands for it."""
    for name, columns in _by_offsets().items():
        for lie, offsets in LIES.items():
            yield Case(f"{name}, {lie}", columns(), _numbers(TRUE), _numbers(offsets), f"offsets of {name}")
    for name, columns in _wide().items():
        for lie, offsets in LIES.items():
            far = [offset * 1024 if abs(offset) >= FAR - 100 else offset for offset in offsets]
            yield Case(
                f"{name}, {lie}", columns(), _numbers(TRUE, np.int64), _numbers(far, np.int64), f"offsets of {name}"
            )
    true = [0, 1, 2, 3, 3, 2, 1, 0]
    for name, columns in _dictionaries().items():
        for lie, numbers in (("far", [0, 1, FAR]), ("negative", [0, 1, -1]), ("near", [0, 1, 4])):
            yield Case(
                f"{name}, {lie}", columns(), _numbers(true), _numbers([*numbers, *true[3:]]), f"indices of {name}"
            )
    yield from _views()


def _views() -> Iterator[Case]:
    starts, sizes = [0, 5, 11, 17], [2, 3, 4, 5]

    def lists() -> dict[str, pa.Array]:
        parts = (pa.array(part, pa.int32()) for part in (starts, sizes))
        return {"claim_id": _ids(4), "codes": pa.ListViewArray.from_arrays(*parts, pa.array(MANY))}

    for lie, value in (("far", FAR), ("negative", -FAR), ("near", 40)):
        yield Case(f"list view, {lie}", lists(), _numbers(starts), _numbers([0, 5, value, 17]), "list views")
        yield Case(f"size, {lie}", lists(), _numbers(sizes), _numbers([2, 3, value, 5]), "sizes of list views")
    texts = pa.array(["I10 M62.84 E11.9 K31.84"] * 4, pa.string_view())
    view = texts.buffers()[1].to_pybytes()[16:32]
    for lie, wrong in (
        ("offset", view[:12] + _numbers([FAR])),
        ("buffer", view[:8] + _numbers([77]) + view[12:]),
        ("size", _numbers([-5]) + view[4:]),
    ):
        yield Case(f"string view, {lie}", {"claim_id": _ids(4), "codes": texts}, view, wrong, "string views")
