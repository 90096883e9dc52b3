"""`--jobs 2` over large files: how much sooner a run ends than with one job, and that both find the same.

    python benchmarks/jobs.py [CLAIMS]

The same claims as 837 and as CSV, and half as many ExplanationOfBenefit resources as lines, all bundled packs, findings
to Parquet, each in a process of its own. Runs with one and with two jobs take turns; of each the least time by the
clock of RUNS is printed, less that of a file of 100 claims: what is neither reading, judging nor writing. Two cores
that nothing else wants are needed; what others take of them is taken from two jobs first.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import fhir
import x12

RUNS = 4
FEW = 100


def scrubbed(path: Path, output: Path, jobs: int) -> float:
    """Scrub a file; return seconds by the clock."""
    command = [sys.executable, "-m", "weakcode", "scrub", str(path), "-o", str(output), "--jobs", str(jobs)]
    start = time.perf_counter()
    done = subprocess.run([*command, "--fail-on", "never", "--format", "json"], capture_output=True)
    took = time.perf_counter() - start
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rejected"] == 0
    return took


def as_csv(path: Path, target: Path) -> None:
    """Write the claims of an 837 as a table."""
    from weakcode import read_claims

    with target.open("w", encoding="ascii") as file:
        file.write("claim_id,codes,service_date,birth_date,sex,setting,payer\n")
        for one in read_claims(path):
            rest = (one.service_date, one.birth_date, one.sex, one.setting, one.payer)
            file.write(f"{one.id},{' '.join(one.codes)},{','.join(map(str, rest))}\n")


def same(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same findings in the same order."""
    import pyarrow.parquet as pq

    return bool(pq.read_table(one).equals(pq.read_table(other)))


def main() -> None:
    """Print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 400_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size, part in ((count, "all"), (FEW, "few")):
            x12.write(folder / f"{part}.837", size)
            as_csv(folder / f"{part}.837", folder / f"{part}.csv")
            fhir.write(folder / f"{part}.ndjson", max(size // 2, FEW))
        for suffix in (".837", ".csv", ".ndjson"):
            whole, few = folder / f"all{suffix}", folder / f"few{suffix}"
            outputs = {jobs: folder / f"jobs{jobs}.parquet" for jobs in (1, 2)}
            start = min(scrubbed(few, outputs[1], 1) for _ in range(RUNS))
            times = [(scrubbed(whole, outputs[1], 1), scrubbed(whole, outputs[2], 2)) for _ in range(RUNS)]
            assert same(*outputs.values())
            one, two = map(min, zip(*times, strict=True))
            shares = f"{two / one:.2f} of the run, {(two - start) / (one - start):.2f} of what follows the start"
            print(f"{suffix:8} start {start:.2f} s, one job {one:.2f} s, two {two:.2f} s: {shares}", flush=True)


if __name__ == "__main__":
    main()
