"""Findings as CSV: what a reader of CSV gets back, whatever stands in the cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weakcode.scrub.guard import guarded
from weakcode.scrub.schema import conformed
from weakcode.scrub.write.csvout.cells import csv_lines

TEXTS = st.one_of(
    st.none(),
    st.sampled_from(["=1+1", "-x", "a,b", 'a"b', "a\nb", "a\rb", "'=x", "a; =b", "", "é\u2028"]),
    st.text(max_size=6),
)


def cells_of(row: dict[str, Any], raw: bool) -> list[str]:
    def text(name: str) -> str:
        value = row[name]
        if value is None:
            return ""
        if isinstance(value, list):
            return ("; " if name == "sources" else " ").join(map(str, value))
        return str(value)

    cells = [text(name) for name in row]
    return cells if raw else [str(cell) for cell in guarded(cells)]


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"claim_id": TEXTS, "message": TEXTS, "payer": TEXTS, "codes": st.lists(st.text(max_size=4), max_size=3)}
        ),
        max_size=8,
    ),
    raw=st.booleans(),
    start=st.integers(0, 3),
)
def test_a_reader_of_csv_gets_the_cells_back(rows: list[dict[str, Any]], raw: bool, start: int) -> None:
    columns = {name: [row[name] for row in rows] for name in ("claim_id", "message", "payer", "codes")}
    batch = pa.RecordBatch.from_pydict(
        {
            "claim_id": pa.array(columns["claim_id"], pa.string()),
            "message": pa.array(columns["message"], pa.string()).dictionary_encode(),
            "payer": pa.array(columns["payer"], pa.string()).dictionary_encode(),
            "codes": pa.array(columns["codes"], pa.list_(pa.string())),
            "positions": pa.array([[1, 2]] * len(rows), pa.list_(pa.int32())),
            "line": pa.array(range(len(rows)), pa.int64()),
        }
    ).slice(start)
    batch = conformed(batch)
    written = b"".join(csv_lines(batch, ["0.1", "a,b"], raw=raw)).decode()
    read = list(csv.reader(io.StringIO(written, newline="")))
    assert read == [[*cells_of(row, raw), "0.1", "a,b"] for row in batch.to_pylist()]


def test_lists_of_dictionaries_are_written_as_text(tmp_path: Path) -> None:
    codes = pa.ListArray.from_arrays(
        pa.array([0, 2, 3], pa.int32()), pa.array(["I10", "R54", "I10"]).dictionary_encode()
    )
    batch = conformed(pa.RecordBatch.from_pydict({"claim_id": pa.array(["A", "B"]), "codes": codes}))
    lines = b"".join(csv_lines(batch.slice(1), [], raw=False)).decode().splitlines()
    assert len(lines) == 1
    assert "I10" in lines[0]
    with pytest.raises(StopIteration):
        next(csv_lines(batch.slice(2), [], raw=False))
