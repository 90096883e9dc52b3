"""Files in Arrow's formats for the fuzzer: made at random in every type, and changed where it hurts.

`mutated` is a custom mutator: it makes a new file, or changes numbers of a given one that stand where offsets, lengths
and indices do, or bytes anywhere.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

FORMS = ("arrow", "arrows", "parquet")
"""The targets whose files are made here."""
MOST = 1 << 16
"""Bytes of a file; lies need no long ones."""
_CODES = ("I10", "M62.84", "E11.9", "K31.84", "U09.9", "x", "", "Z99.89", "é", "I10 E11.9; M62.84")
_NUMBERS = (
    0,
    1,
    -1,
    2,
    7,
    8,
    127,
    255,
    1 << 15,
    (1 << 31) - 1,
    -(1 << 31),
    1 << 30,
    -(1 << 30),
    1 << 40,
    (1 << 63) - 1,
    -(1 << 63),
)
_NAMES = (
    "claim_id",
    "codes",
    "service_date",
    "age",
    "birth_date",
    "sex",
    "setting",
    "payer",
    "documented",
    "lines",
    "dx1",
    "dx2",
)


def _text(rng: random.Random, rows: int) -> list[str | None]:
    return [rng.choice((*_CODES, None)) for _ in range(rows)]


def _scalar_types() -> list[pa.DataType]:
    return [
        *(pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary_view(), pa.binary(3)),
        *(
            pa.int8(),
            pa.int32(),
            pa.int64(),
            pa.uint16(),
            pa.uint64(),
            pa.bool_(),
            pa.float16(),
            pa.float64(),
            pa.null(),
        ),
        *(pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.time32("s")),
        *(pa.time64("us"), pa.duration("ms"), pa.decimal128(10, 2), pa.decimal256(40, 3), pa.month_day_nano_interval()),
        *(pa.uuid(), pa.json_(), pa.bool8()),
    ]


def _column(rng: random.Random, rows: int, depth: int = 0) -> pa.Array:
    """Return a column of any type, with nulls, slices and values that are no codes."""
    how = rng.randrange(14 if depth < 3 else 4)
    if how < 2:
        return pa.array(_text(rng, rows), rng.choice((pa.string(), pa.large_string(), pa.string_view())))
    if how == 2:
        kind = rng.choice(_scalar_types())
        return _raw(rng, rows, kind)
    if how == 3:
        return pa.array(_text(rng, rows)).dictionary_encode()
    if how == 4:
        indices = pa.array([rng.choice((0, 1, None)) for _ in range(rows)], pa.int16())
        return pa.DictionaryArray.from_arrays(indices, _column(rng, 2, depth + 1))
    if how == 5:
        fields = rng.sample(["code", "text", "poa", "number", "pointers", "procedure", "main_only", "x"], 3)
        return pa.StructArray.from_arrays([_column(rng, rows, depth + 1) for _ in fields], fields)
    if how == 6:
        return pa.FixedSizeListArray.from_arrays(_column(rng, rows * 2, depth + 1), 2)
    if how == 7 and rows:
        return pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), _column(rng, 1, depth + 1))
    if how == 8:
        keys = pa.array(["k"] * rows)
        return pa.MapArray.from_arrays(pa.array(range(rows + 1), pa.int32()), keys, _column(rng, rows, depth + 1))
    if how == 9 and depth:
        types = pa.array([0] * rows, pa.int8())
        return pa.UnionArray.from_sparse(types, [_column(rng, rows, depth + 1), pa.nulls(rows)])
    return _lists(rng, rows, depth)


def _lists(rng: random.Random, rows: int, depth: int) -> pa.Array:
    sizes = [rng.choice((0, 1, 2, 3, 9, 40)) for _ in range(rows)]
    offsets = [sum(sizes[:row]) for row in range(rows + 1)]
    values = _column(rng, offsets[-1], depth + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values)
    if kind == 1:
        starts = offsets[:-1]
        rng.shuffle(starts)
        sizes = [min(size, offsets[-1] - start) for size, start in zip(sizes, starts, strict=True)]
        return pa.ListViewArray.from_arrays(pa.array(starts, pa.int32()), pa.array(sizes, pa.int32()), values)
    mask = pa.array([rng.random() < 0.1 for _ in range(rows)], pa.bool_()) if kind == 2 else None
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, mask=mask)


def _raw(rng: random.Random, rows: int, kind: pa.DataType) -> pa.Array:
    """Return values of a type from any bytes at all."""
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _raw(rng, rows, kind.storage_type))
    if pa.types.is_null(kind):
        return pa.nulls(rows)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.array(_text(rng, rows), kind)
    if pa.types.is_binary(kind) or pa.types.is_binary_view(kind):
        return pa.array([rng.randbytes(rng.randrange(20)) for _ in range(rows)], kind)
    data = rng.randbytes((kind.bit_width * rows + 7) // 8)
    if rng.random() < 0.5:
        data = bytes(byte & 3 for byte in data)
    return pa.Array.from_buffers(kind, rows, [None, pa.py_buffer(data)])


def _good(rng: random.Random, rows: int) -> dict[str, pa.Array]:
    codes = [[rng.choice(_CODES[:5]) for _ in range(rng.choice((1, 2, 5, 40)))] for _ in range(rows)]
    return {"claim_id": pa.array([f"c{row}" for row in range(rows)]), "codes": pa.array(codes, pa.list_(pa.string()))}


def batch(rng: random.Random) -> pa.RecordBatch:
    """Return a batch with some of the columns of a code list."""
    rows = rng.choice((0, 1, 2, 5, 17))
    columns = _good(rng, rows)
    for name in rng.sample(_NAMES, rng.choice((0, 1, 2, 4))):
        columns[name] = _column(rng, rows)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def made(rng: random.Random, form: str) -> bytes:
    """Return a whole file: `form` is arrow, arrows or parquet."""
    sink = pa.BufferOutputStream()
    first = batch(rng)
    if form == "parquet":
        pq.write_table(
            pa.Table.from_batches([first]),
            sink,
            compression=rng.choice(("none", "snappy", "zstd")),
            use_dictionary=rng.random() < 0.7,
            version=rng.choice(("1.0", "2.6")),
            data_page_version=rng.choice(("1.0", "2.0")),
            row_group_size=rng.choice((2, 1000)),
            store_schema=rng.random() < 0.5,
        )
        return sink.getvalue().to_pybytes()
    options = ipc.IpcWriteOptions(
        compression=rng.choice((None, "lz4", "zstd")), emit_dictionary_deltas=form == "arrows"
    )
    with (ipc.new_stream if form == "arrows" else ipc.new_file)(sink, first.schema, options=options) as out:
        for part in [first, first.slice(1), first][: rng.choice((1, 1, 3))]:
            out.write_batch(part)
    return sink.getvalue().to_pybytes()


def _numbers_changed(rng: random.Random, content: bytearray) -> None:
    """Change whole numbers where they are aligned, as offsets and lengths are."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        width, form = rng.choice(((4, "<i"), (8, "<q"), (1, "<B"), (4, "<i")))
        if len(content) < width:
            return
        at = rng.randrange(len(content) // width) * width
        old = struct.unpack_from(form, content, at)[0]
        new = rng.choice((*_NUMBERS, old + 1, old - 1, old * 2, -old, old ^ (1 << rng.randrange(8 * width))))
        wrapped = new & ((1 << 8 * width) - 1)
        content[at : at + width] = wrapped.to_bytes(width, "little")


def mutated(form: str, generic: Callable[[bytes, int], bytes]) -> Callable[[bytes, int, int], bytes]:
    """Return the custom mutator for a format; `generic` is the fuzzer's own."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        how = rng.random()
        if not data or how < 0.25:
            data = _made_or(rng, form, data)
        if how < 0.8:
            content = bytearray(data)
            _numbers_changed(rng, content)
            return bytes(content[:most])
        return generic(bytes(data), most)

    return mutate


def _made_or(rng: random.Random, form: str, data: bytes) -> bytes:
    for _ in range(20):
        try:
            return made(rng, form)
        except (pa.ArrowException, OSError, ValueError, OverflowError, TypeError):
            # Not every type can be written in every format.
            continue
    return data
