"""Nightly runs on Spark that are killed and tried again: one copy of each finding, and a record of the run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark", reason="needs the extra spark")

RUN = "night-1"


@pytest.mark.attack
@pytest.mark.parametrize("whole", [True, False], ids=["with Java", "the driver alone"])
def test_kills_and_retries_leave_one_copy_of_each_finding_and_a_record_of_the_run(tmp_path: Path, whole: bool) -> None:
    path, out, records = (tmp_path / name for name in ("claims.parquet", "out.parquet", "records"))
    codes = [["M62.84"] if number % 100 else [] for number in range(3_000)]
    table = pa.table({"claim_id": [f"C{number}" for number in range(3_000)], "codes": codes})
    pq.write_table(table, path, row_group_size=300)
    command = [sys.executable, "-m", "weakcode", "scrub", str(path), "--spark", "local[2]", "--only", "weakness"]
    command += ["-o", str(out), "--records", str(records), "--run-id", RUN, "--quiet", "--fail-on", "never"]
    began = time.monotonic()
    subprocess.run(command, check=True)
    took = time.monotonic() - began
    dice = random.Random(10)
    for _ in range(5):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(dice.uniform(0.2, 1.05) * took)
        (os.killpg if whole else os.kill)(running.pid, signal.SIGKILL)
        running.wait()
        if out.exists():
            ids = pq.read_table(out)["finding_id"].to_pylist()
            assert len(ids) == len(set(ids)) == 2_970
        assert {one.name for one in records.glob("[!.]*")} <= {f"{RUN}.json", f"{RUN}.running"}
        subprocess.run(command, check=True)
        ids = pq.read_table(out)["finding_id"].to_pylist()
        assert len(ids) == len(set(ids)) == 2_970
        record = json.loads((records / f"{RUN}.json").read_text())
        assert (record["run"]["id"], record["evaluated"], record["rejected"]) == (RUN, 2_970, 30)
        assert [one.name for one in records.iterdir()] == [f"{RUN}.json"]
        assert {one.name for one in tmp_path.iterdir()} == {"claims.parquet", "out.parquet", "records"}
