"""Claim files at the speed of the file: 837, FHIR and CSV, beside pyx12, hccinfhir and DuckDB in one run.

    python benchmarks/files.py [--claims 100000] [--resources 80000]

Every way of weakcode is a process of its own on one core, all packs, from its start to its end; what it is held
against runs on the same core in the same minutes. Times are processor time, the least of three runs. Claims are
invented: 5,000 lists of about six codes, some usual and most rare; resources are those of fhir.py. Memory is the peak
of a process, for a quarter of the claims and for all of them. pyx12 reads the segments of the 837 and makes nothing of
them; hccinfhir extracts the service lines of 2,000 claims; DuckDB writes the same table as CSV, on one thread. A peer
that is not installed is left out and named. Code lists as CSV are read without quotes, and with all cells in quotes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import fhir
import x12

RUNS = 3
FEW = 2_000


def lists_of_codes() -> list[list[str]]:
    """Return 5,000 lists of billable codes, a few of which are in most lists."""
    from weakcode.codes.catalog import edition_for

    edition, dice = edition_for(None), random.Random(837)
    pool = [edition.code(number) for number in dice.sample(range(edition.size), 3_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(pool) + 1)))
    return [list(dict.fromkeys(dice.choices(pool, cum_weights=weights, k=dice.randrange(2, 11)))) for _ in range(5_000)]


def scrubbed(path: Path, output: Path) -> tuple[float, float, dict[str, int]]:
    """Scrub a file; return seconds of processor time, the peak in MB, and the summary."""
    command = [sys.executable, "-m", "weakcode", "scrub", str(path), "-o", str(output), "--fail-on", "never"]
    peak = Path(output.parent, "peak")
    watched = [sys.executable, "-c", _WATCHED, str(peak), *command, "--format", "json"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(watched, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took - float(peak.read_text().split()[1]), float(peak.read_text().split()[0]), json.loads(done.stdout)


_WATCHED = """
import resource, subprocess, sys, time
done = subprocess.run(sys.argv[2:])
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
open(sys.argv[1], "w").write(f"{peak} {time.process_time()}")
sys.exit(done.returncode)
"""
"""Tells the peak of one process, and its own processor time, which is no part of it."""


def least(measure: Callable[[], float]) -> float:
    """Return the least of some runs: neighbours only ever add."""
    return min(measure() for _ in range(RUNS))


def by_duckdb(target: Path) -> float | None:
    """Write the table of a CSV file as CSV again with DuckDB on one thread; return seconds of processor time."""
    try:
        import duckdb
    except ImportError:
        return None
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(f"CREATE TABLE findings AS SELECT * FROM read_csv('{target}', all_varchar = true)")
        start = time.process_time()
        connection.execute(f"COPY findings TO '{target.with_suffix('.duckdb.csv')}' (HEADER)")
        return time.process_time() - start


def about_837(folder: Path, count: int) -> list[tuple[str, str, str]]:
    """Measure 837 files."""
    path, quarter = folder / "claims.837", folder / "quarter.837"
    lists = lists_of_codes()
    x12.write(path, count, lists)
    x12.write(quarter, count // 4, lists)
    output = folder / "findings.parquet"
    runs = [scrubbed(path, output) for _ in range(RUNS)]
    took, peak, told = min(run[0] for run in runs), max(run[1] for run in runs), runs[0][2]
    assert told["evaluated"] == count
    small = scrubbed(quarter, folder / "quarter.parquet")[1]
    peer, other = x12.by_pyx12(path), x12.by_hccinfhir(folder)
    rows = [
        ("837, whole scrub", f"{took:.2f} s, {took / count * 1e6:.1f} µs a claim", ""),
        ("  of pyx12's time for the segments", f"{took / peer:.3f}" if peer else "pyx12 is not installed", "<= 0.15"),
        ("  memory for a quarter, and for all", f"{small:.0f}, {peak:.0f} MB", "< 400 MB"),
        ("  hccinfhir, service lines", f"{other:.0f} µs a claim" if other else "hccinfhir is not installed", ""),
    ]
    return [*rows, *about_csv(path, output)]


def about_csv(path: Path, findings: Path) -> list[tuple[str, str, str]]:
    """Measure findings as CSV above findings as Parquet."""
    as_parquet = least(lambda: scrubbed(path, findings)[0])
    target = findings.with_suffix(".csv")
    as_csv = least(lambda: scrubbed(path, target)[0])
    peer = by_duckdb(target)
    size = target.stat().st_size / 1e6
    rows = [("findings as CSV, above Parquet", f"{as_csv - as_parquet:.2f} s for {size:.0f} MB", "")]
    if peer is None:
        return [*rows, ("  of DuckDB's time", "DuckDB is not installed", "<= 2")]
    peer = min(peer, *(by_duckdb(target) or peer for _ in range(RUNS - 1)))
    return [*rows, ("  of DuckDB's time", f"{(as_csv - as_parquet) / peer:.2f} ({peer:.2f} s)", "<= 2")]


def about_quotes(folder: Path, count: int) -> list[tuple[str, str, str]]:
    """Measure a code list as CSV whose cells are all in quotes, beside one without any."""
    lists, took = lists_of_codes(), []
    for form in ("{},2026-05-01,{},{}", '"{}","2026-05-01","{}","{}"'):
        path = folder / "claims.csv"
        header = form.format("claim_id", "payer", "codes").replace("2026-05-01", "service_date")
        rows = (form.format(f"C{number}", "Acme", " ".join(lists[number % 5_000])) for number in range(count))
        path.write_text("\n".join([header, *rows, ""]))
        took.append(least(lambda path=path: scrubbed(path, folder / "findings.parquet")[0]))
    return [("CSV in quotes, whole scrub", f"{took[1]:.2f} s; without quotes {took[0]:.2f} s", "<= 1.3 times")]


def about_fhir(folder: Path, count: int) -> list[tuple[str, str, str]]:
    """Measure ExplanationOfBenefit resources as lines."""
    path, few = folder / "eob.ndjson", folder / "few.ndjson"
    fhir.write(path, count)
    fhir.write(few, FEW)
    output = folder / "eob.parquet"
    size = path.stat().st_size / 1e6
    runs = [scrubbed(path, output) for _ in range(RUNS)]
    took, peak = min(run[0] for run in runs), max(run[1] for run in runs)
    start = least(lambda: scrubbed(few, output)[0])
    other = fhir.by_hccinfhir(few.read_bytes().splitlines())
    return [
        ("FHIR lines, whole scrub", f"{size / took:.0f} MB/s", ">= 150 MB/s"),
        ("  without its start", f"{(size - few.stat().st_size / 1e6) / (took - start):.0f} MB/s", ""),
        ("  a resource", f"{took / count * 1e6:.0f} µs; memory {peak:.0f} MB", "< 400 MB"),
        (
            "  hccinfhir, service lines",
            f"{other / FEW * 1e6:.0f} µs a resource" if other else "hccinfhir is not installed",
            "",
        ),
    ]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--claims", type=int, default=100_000)
    options.add_argument("--resources", type=int, default=80_000)
    given = options.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        table = [*about_837(Path(folder), given.claims), *about_quotes(Path(folder), given.claims)]
        table += about_fhir(Path(folder), given.resources)
    for name, value, limit in table:
        print(f"{name:<36} {value:<38} {limit}".rstrip())


if __name__ == "__main__":
    main()
