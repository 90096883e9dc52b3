"""What may go wrong while files are written and read: kills, full disks, locked folders, damaged and odd rows."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.forked import Forks

import weakcode
from weakcode.scrub.run import scrub

CLAIMS = [["M62.84", "I10"], ["I10"], ["K31.84", "E11.43"], ["E11.22", "N18.30"], ["I10", "E11.9", "I10"]]


@pytest.fixture(scope="module", autouse=True)
def _compiled(forks: Forks, tmp_path_factory: pytest.TempPathFactory) -> None:
    # The first process after a change of a rule says that it compiles them, which is one line more.
    forks.run("check", "I10", folder=tmp_path_factory.getbasetemp())


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["weakness", "icd10cm"]).in_bulk()


def input_837(times: int) -> str:
    head = (
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260502*1200*^*00501*000000001*0*P*:~\n"
        "GS*HC*A*B*20260502*1200*1*X*005010X222A1~\nST*837*0001*005010X222A1~\nBHT*0019*00*1*20260502*1200*CH~\n"
        "HL*1**20*1~\nNM1*85*2*CLINIC*****XX*1234567893~\nHL*2*1*22*0~\nSBR*P*18*******MB~\n"
        "NM1*IL*1*DOE*JO****MI*1~\nDMG*D8*19500131*F~\n"
    )
    claim = (
        "CLM*C{0}*100***11:B:1*Y*A*Y*Y~\nHI*ABK:{1}*ABF:I10~\nLX*1~\nSV1*HC:99213*100*UN*1***1~\nDTP*472*D8*20260502~\n"
    )
    codes = ("M6284", "E119", "K3184")
    return (
        head + "".join(claim.format(n, codes[n % 3]) for n in range(times)) + "SE*9*0001~\nGE*1*1~\nIEA*1*000000001~\n"
    )


def written(folder: Path, kind: str, times: int) -> Path:
    path = folder / f"claims.{kind}"
    lists = CLAIMS * times
    if kind == "csv":
        path.write_text("claim_id,codes\n" + "".join(f"C{n},{' '.join(codes)}\n" for n, codes in enumerate(lists)))
    elif kind == "parquet":
        pq.write_table(pa.table({"claim_id": [f"C{n}" for n in range(len(lists))], "codes": lists}), path)
    else:
        path.write_text(input_837(len(lists)))
    return path


KILLS = 40 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 5


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "times"), [("csv", 2_000), ("parquet", 4_000), ("837", 400)])
def test_a_kill_at_any_moment_leaves_nothing_or_the_whole_file(
    tmp_path: Path, forks: Forks, kind: str, times: int
) -> None:
    path = written(tmp_path, kind, times)
    names = ["findings.parquet", "rejects.csv", "mended.jsonl"]
    arguments = ["scrub", str(path), "-o", names[0], "--rejects", names[1], "--fix", names[2], "--only", "weakness"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    began = time.monotonic()
    forks.run(*arguments, folder=whole)
    took = time.monotonic() - began
    assert sorted(one.name for one in whole.iterdir()) == sorted(names)
    moments = random.Random(kind)  # the same moments on every run; what they meet is up to the machine
    for _ in range(KILLS):
        forks.run(*arguments, folder=killed, seconds=moments.uniform(0.05, 1.05) * took)
        for name in names:
            if (killed / name).exists():
                assert (killed / name).read_bytes() == (whole / name).read_bytes()
        for one in killed.iterdir():
            assert one.name in names or one.name.startswith(".")
            one.unlink()


def one_clear_line(forks: Forks, arguments: list[str], folder: Path, largest: int | None = None) -> str:
    done = forks.run("scrub", *arguments, folder=folder, largest=largest)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


OUTPUTS = [("-o", "f.parquet"), ("-o", "f.csv"), ("-o", "f.arrow"), ("--fix", "m.csv"), ("--fix", "m.parquet")]


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_file_that_may_not_grow_is_one_clear_line_and_leaves_nothing(
    tmp_path: Path, forks: Forks, output: tuple[str, str]
) -> None:
    path = written(tmp_path, "csv", 4_000)
    out = tmp_path / "out"
    out.mkdir()
    # The cache is not written either, and done without.
    said = one_clear_line(forks, [str(path), *output, "--only", "weakness"], out, 4_096)
    assert output[1] in said
    assert list(out.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("needs the right to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_full_disk_is_one_clear_line_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, forks: Forks, output: tuple[str, str]
) -> None:
    path = written(tmp_path, "csv", 30_000)
    said = one_clear_line(forks, [str(path), *output, "--only", "weakness"], small_disk)
    assert "the disk is full" in said
    assert list(small_disk.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_clear_line(tmp_path: Path, forks: Forks) -> None:
    path, locked = written(tmp_path, "csv", 1), tmp_path / "locked"
    locked.mkdir()
    bound = None
    if os.geteuid() == 0:
        # Root may write anywhere but on a disk that is mounted for reading.
        mount = ["mount", "-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", str(locked)]
        bound = subprocess.run(mount, capture_output=True, check=False)
        if bound.returncode:
            pytest.skip("root may write everywhere, and mounting a disk for reading is not allowed")
    else:
        locked.chmod(0o500)
    try:
        said = one_clear_line(forks, [str(path), "-o", str(locked / "f.parquet")], tmp_path)
        assert "f.parquet cannot be written" in said
    finally:
        if bound is not None:
            subprocess.run(["umount", str(locked)], check=True)


ODD = [
    ("null-list", pa.array([["I10"], None, ["M62.84"]], pa.list_(pa.string())), "no diagnosis codes"),
    ("empty-list", pa.array([["I10"], [], ["M62.84"]], pa.list_(pa.string())), "no diagnosis codes"),
    ("null-code", pa.array([["I10"], [None, None], ["M62.84"]], pa.list_(pa.string())), "no diagnosis codes"),
    ("blank-code", pa.array([["I10"], ["", " "], ["M62.84"]], pa.list_(pa.string())), "no diagnosis codes"),
    ("huge", pa.array([["I10"], ["I10"] * 10_000, ["M62.84"]], pa.list_(pa.string())), "10000 codes"),
]


@pytest.mark.parametrize(("what", "codes", "reason"), ODD, ids=[one[0] for one in ODD])
@pytest.mark.parametrize("kind", ["parquet", "arrows", "jsonl", "csv"])
def test_an_odd_row_is_rejected_with_its_reason_and_the_rest_is_read(
    tmp_path: Path, what: str, codes: pa.Array, reason: str, kind: str
) -> None:
    path = tmp_path / f"claims.{kind}"
    table = pa.table({"claim_id": ["a", "b", "c"], "codes": codes})
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "arrows":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    elif kind == "jsonl":
        import json

        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    elif what in ("null-code", "blank-code"):
        pytest.skip("a cell of codes has no empty ones among them")
    else:
        rows = (f"{row['claim_id']},{' '.join(row['codes'] or [])}\n" for row in table.to_pylist())
        path.write_text("claim_id,codes\n" + "".join(rows))
    for columns in (None, validator().columns()):
        rejects = tmp_path / "rejects.jsonl"
        summary = scrub([path], validator(), columns=columns, rejects=rejects)
        assert (summary.evaluated, summary.rejected) == (2, 1)
        assert '"b"' in rejects.read_text()
        assert reason in rejects.read_text()


def test_codes_that_are_not_text_are_rejected_row_by_row(tmp_path: Path) -> None:
    pq.write_table(pa.table({"claim_id": ["a", "b"], "codes": [[1], [2, 3]]}), tmp_path / "c.parquet")
    summary = scrub([tmp_path / "c.parquet"], validator(), columns=validator().columns())
    assert (summary.evaluated, summary.rejected) == (0, 2)
    assert {part for _, part in summary.first_rejected} == {"codes"}


def found(batches: Any) -> list[tuple[Any, ...]]:
    return [
        (row["claim_id"], row["rule"], row["message"], tuple(row["codes"]), tuple(row["positions"]))
        for batch in batches
        for row in batch.to_pylist()
    ]


def as_pandas(table: pa.Table) -> Any:
    pytest.importorskip("pandas")
    return table.to_pandas()


def as_polars(table: pa.Table) -> Any:
    return pytest.importorskip("polars").from_arrow(table)


def as_duckdb(table: pa.Table) -> Any:
    return pytest.importorskip("duckdb").from_arrow(table)


@pytest.mark.parametrize("frame", [as_pandas, as_polars, as_duckdb])
def test_frames_and_relations_are_scrubbed_as_they_are(frame: Any) -> None:
    import datetime as dt

    table = pa.table(
        {
            "claim_id": [str(n) for n in range(len(CLAIMS))],
            "codes": CLAIMS,
            "age": pa.array([70, None, 5, 80, 90], pa.int64()),
            "sex": ["F", None, "M", "F", "U"],
            "service_date": [dt.date(2026, 5, 2), None, dt.date(2026, 6, 1), dt.date(2026, 5, 2), dt.date(2026, 5, 3)],
        }
    )
    expected = [
        (row["claim_id"], one.rule, one.message, one.codes, one.positions)
        for row in table.to_pylist()
        for one in validator().check(
            weakcode.Claim(row["codes"], age=row["age"], sex=row["sex"], service_date=row["service_date"])
        )
    ]
    assert expected
    assert found(validator().scrub(frame(table))) == expected


CODES = ["M62.84", "G72.9", "K31.84", "E11.43", "I10", "N18.30", "E11.22", "ZZZ", "728.87", "J96.10", "R54", ""]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    lists=st.lists(st.lists(st.sampled_from(CODES), max_size=6), min_size=1, max_size=30),
    size=st.integers(1, 40),
    jobs=st.integers(1, 4),
    order=st.randoms(use_true_random=False),
)
def test_results_depend_neither_on_batches_nor_on_threads_nor_on_the_order_of_claims(
    tmp_path: Path, kind: str, lists: list[list[str]], size: int, jobs: int, order: random.Random
) -> None:
    import json

    def run(numbers: list[int], name: str, jobs: int) -> tuple[Any, list[dict[str, Any]]]:
        path, out = tmp_path / f"{name}.{kind}", tmp_path / "findings.jsonl"
        rows = [{"claim_id": f"C{number}", "codes": lists[number]} for number in numbers]
        if kind == "csv":
            path.write_text("claim_id,codes\n" + "".join(f"{r['claim_id']},{' '.join(r['codes'])}\n" for r in rows))
        elif kind == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        else:
            ids, codes = [row["claim_id"] for row in rows], [row["codes"] for row in rows]
            pq.write_table(pa.table({"claim_id": ids, "codes": pa.array(codes, pa.list_(pa.string()))}), path)
        summary = scrub([path], validator(), columns=validator().columns(), jobs=jobs, output=out)
        # Where every row was rejected, nothing is written.
        found = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
        out.unlink(missing_ok=True)
        for one in found:
            one.pop("line"), one.pop("file"), one.pop("place")
        counts = (summary.evaluated, summary.rejected, summary.clean, summary.by_rule, summary.by_severity)
        return counts, found

    numbers = list(range(len(lists)))
    counts, findings = run(numbers, "whole", 1)
    shuffled = numbers.copy()
    order.shuffle(shuffled)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("weakcode.scrub.read.arrow.file.BATCH_ROWS", size)
        patch.setattr("weakcode.scrub.read.csv.file.BATCH_BYTES", size * 10)
        patch.setattr("weakcode.scrub.read.batch.ROWS", size)
        others, in_other_order = run(shuffled, "shuffled", jobs)
    assert others == counts
    # Sorting is stable: the findings of one claim keep their order.
    assert sorted(in_other_order, key=lambda one: int(one["claim_id"][1:])) == findings
    places = [shuffled.index(int(one["claim_id"][1:])) for one in in_other_order]
    assert places == sorted(places)
