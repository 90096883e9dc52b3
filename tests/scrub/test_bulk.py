"""Scrubbing in Arrow's formats: the same findings as claim by claim, whatever the batch, the file or the threads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from pyarrow import ipc

import weakcode
from weakcode.cli import main
from weakcode.scrub.judge.batch import evaluate_batch
from weakcode.scrub.read.arrow.file import ArrowColumns

CODES = [
    ["M62.84", "I10"],
    ["G72.9", "M62.84"],
    ["U09.9", "J96.10"],
    ["m6281", "R54", "F0390", "M62.84"],
    ["I10", "E11.9", "I10"],
    ["E11.22", "N18.30"],
    ["ZZZ", "M62.8", "728.87"],
    ["N18.30", "E11.22", "T36.0X5A"],
]


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["weakness", "covid", "icd10cm"])


def table(times: int = 1) -> pa.Table:
    rows = len(CODES) * times
    return pa.table(
        {
            "claim_id": [f"C{number}" for number in range(rows)],
            "codes": CODES * times,
            "age": pa.array([70] * rows, pa.int32()),
            "sex": ["F"] * rows,
            "service_date": ["2026-05-02"] * rows,
        }
    )


def found(batches) -> list[tuple]:
    return [
        (row["claim_id"], row["rule"], row["severity"], row["message"], tuple(row["codes"]), tuple(row["positions"]))
        for batch in batches
        for row in batch.to_pylist()
    ]


def expected(times: int = 1) -> list[tuple]:
    rows = []
    for number, codes in enumerate(CODES * times):
        for f in validator().check(weakcode.Claim(codes, age=70, sex="F", service_date="2026-05-02")):
            rows.append((f"C{number}", f.rule, f.severity, f.message, f.codes, f.positions))
    return rows


def written(folder: Path, kind: str) -> Path:
    path = folder / f"claims.{kind}"
    data = table()
    if kind == "parquet":
        pq.write_table(data, path, row_group_size=3)
    elif kind == "arrow":
        with ipc.new_file(path, data.schema) as file:
            file.write_table(data, max_chunksize=2)
    elif kind == "ipc":
        with ipc.new_stream(path, data.schema) as stream:
            stream.write_table(data, max_chunksize=5)
    else:
        flat = data.set_column(1, "codes", pa.array([" ".join(codes) for codes in CODES]))
        pacsv.write_csv(flat, path)
    return path


@pytest.mark.parametrize("kind", ["parquet", "arrow", "ipc", "csv"])
def test_every_format_gives_the_findings_of_single_checks(tmp_path, kind):
    assert found(validator().scrub(written(tmp_path, kind))) == expected()


@pytest.mark.parametrize("kind", ["parquet", "arrow", "ipc"])
def test_claims_are_read_from_arrow_formats_one_by_one(tmp_path, kind):
    claims = list(weakcode.read_claims(written(tmp_path, kind)))
    assert [claim.codes for claim in claims] == [weakcode.Claim(codes).codes for codes in CODES]
    assert claims[0].age == 70


def test_tables_batches_and_readers_are_scrubbed_as_they_are():
    data = table()
    for source in (data, data.to_batches()[0], data.to_reader()):
        assert found(validator().scrub(source)) == expected()


def test_a_duckdb_relation_is_scrubbed_through_arrow():
    duckdb = pytest.importorskip("duckdb")
    claims = table()  # noqa: F841 - DuckDB finds it by name
    relation = duckdb.sql("SELECT * FROM claims ORDER BY claim_id")
    assert found(validator().scrub(relation)) == expected()


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_threads_and_batches_change_neither_findings_nor_their_order(monkeypatch, jobs):
    monkeypatch.setattr("weakcode.scrub.read.arrow.file.BATCH_ROWS", 7)
    assert found(validator().scrub(table(20), jobs=jobs)) == expected(20)


def test_rows_that_are_not_claims_are_rejected_and_the_rest_is_read():
    data = pa.table({"claim_id": ["a", "b", "c", "d"], "codes": [None, [], [None, None], ["M62.84"]]})
    rejected = []
    batches = list(validator().scrub(data, on_reject=rejected.append))
    assert [(one.claim_id, one.line) for one in rejected] == [("a", 1), ("b", 2), ("c", 3)]
    assert {row[0] for row in found(batches)} == {"d"}


@pytest.mark.parametrize("kind", [pa.list_view(pa.string()), pa.large_list_view(pa.string())])
def test_list_views_are_read_like_lists(kind):
    codes = [*CODES, None, []]
    views = pa.table({"claim_id": [str(n) for n in range(len(codes))], "codes": pa.array(codes, kind)})
    lists = views.set_column(1, "codes", pa.array(codes, pa.list_(pa.string())))
    rejected = []
    for data in (views, views.slice(2)):
        same = lists.slice(len(lists) - len(data))
        assert found(validator().scrub(data, on_reject=rejected.append)) == found(
            validator().scrub(same, on_reject=lambda _: None)
        )
    assert [one.line for one in rejected] == [9, 10, 7, 8]


def test_a_claim_of_ten_thousand_codes_is_rejected_with_its_reason():
    data = pa.table({"claim_id": ["long", "short"], "codes": [["I10"] * 10_000, ["M62.84"]]})
    rejected = []
    assert {row[0] for row in found(validator().scrub(data, on_reject=rejected.append))} == {"short"}
    assert [one.claim_id for one in rejected] == ["long"]


def test_a_table_without_codes_is_reported_with_the_columns_seen():
    with pytest.raises(weakcode.InputError, match="claim_id, diagnosis"):
        list(validator().scrub(pa.table({"claim_id": ["a"], "diagnosis": ["I10"]})))


def test_a_damaged_row_group_is_rejected_row_by_row_and_the_others_are_judged(tmp_path):
    path = tmp_path / "claims.parquet"
    pq.write_table(table(100), path, row_group_size=400, compression="none", use_dictionary=False)
    column = pq.ParquetFile(path).metadata.row_group(1).column(1)
    content = bytearray(path.read_bytes())
    start = column.data_page_offset
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(content)
    columns = validator().columns()
    outcomes = [evaluate_batch(batch, columns, validator()) for batch in ArrowColumns(path)]
    evaluated = sum(one.scrubbed.evaluated for one in outcomes if one.scrubbed)
    rejected = sum(len(one.rejected) for one in outcomes)
    assert (evaluated, rejected) == (400, 400)


def test_a_truncated_file_is_one_clear_line(tmp_path):
    path = written(tmp_path, "parquet")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(weakcode.InputError, match="damaged or cut short"):
        list(validator().scrub(path))


def test_scrub_on_the_command_line_counts_every_claim(tmp_path, capsys):
    path = written(tmp_path, "parquet")
    output, summary = tmp_path / "findings.parquet", tmp_path / "summary.json"
    with pytest.raises(SystemExit) as end:
        main(["scrub", str(path), "-o", str(output), "--summary", str(summary), "--jobs", "2"])
    assert end.value.code == 1
    counted = json.loads(summary.read_text())
    assert counted["claims_in"] == counted["evaluated"] == len(CODES)
    assert counted["engine"] == "columnar"
    assert pq.read_table(output).num_rows == counted["findings"]
    assert pq.read_metadata(output).metadata[b"weakcode.edition"] == b"2026-04"


def test_a_findings_file_of_several_batches_is_read_by_pyarrow_in_every_way(tmp_path):
    for name in ("a", "b"):
        pq.write_table(table(), tmp_path / f"{name}.parquet")
    out = tmp_path / "out.parquet"
    with pytest.raises(SystemExit):
        main(["scrub", *map(str, sorted(tmp_path.glob("?.parquet"))), "-o", str(out)])
    whole = pq.read_table(out)
    assert whole.num_rows > 1
    assert pq.ParquetFile(out).read().to_pylist() == whole.to_pylist()
    assert pa.Table.from_batches(pq.ParquetFile(out).iter_batches(batch_size=1)).to_pylist() == whole.to_pylist()
    assert whole.schema.field("codes").type == pa.list_(pa.string())


def test_a_pattern_stands_for_the_files_it_matches(tmp_path):
    for name in ("a", "b"):
        pq.write_table(table(), tmp_path / f"claims-{name}.parquet")
    summary = tmp_path / "summary.json"
    with pytest.raises(SystemExit):
        main(["scrub", str(tmp_path / "claims-*.parquet"), "-o", str(tmp_path / "f.csv"), "--summary", str(summary)])
    assert json.loads(summary.read_text())["claims_in"] == 2 * len(CODES)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_a_kill_leaves_no_findings_file_or_the_whole_one(tmp_path, sent):
    path, output = tmp_path / "claims.parquet", tmp_path / "findings.parquet"
    pq.write_table(table(40_000), path)
    command = "import sys; from weakcode.cli import main; main(sys.argv[1:])"
    running = subprocess.Popen(
        [sys.executable, "-c", command, "scrub", str(path), "-o", str(output)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ},
    )
    time.sleep(1.0)
    running.send_signal(sent)
    running.wait()
    if output.exists():
        assert pq.read_table(output).num_rows > 0


@pytest.mark.parametrize(
    ("source", "kind"), [(None, "NoneType"), (3, "int"), (b"c.csv", "bytes"), (["c.csv", 3], "int")]
)
def test_a_source_that_is_none_is_reported_by_its_kind(source: object, kind: str) -> None:
    with pytest.raises(weakcode.InputError, match=f"from paths or from what speaks Arrow, found {kind}"):
        next(weakcode.Validator(packs="weakness").scrub(source))
