"""What Spark adds to a scrub, in processor time, and what one core of a cluster does in a second.

    python benchmarks/spark.py [CLAIMS.parquet] [--claims 1000000]

The same Parquet file is scrubbed with the same command, once with `--spark local[1]`. Processor time counts for all
processes of a run (Python and Java), so that other work on the machine does not. Each way also scrubs a hundredth of
the claims; the difference is what the claims cost, the rest is what starting costs. Findings are compared as sets, in
which each counts as often as it is there.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

TICKS = os.sysconf("SC_CLK_TCK")
COMPARED = "claim_id, finding_id, rule, severity, message, codes, positions, sources, edition, line"


def processor_time(command: list[str]) -> tuple[dict[str, float], float]:
    """Return seconds of processor time by kind of process, and the most memory a Python worker held, in MB."""
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seen: dict[str, tuple[str, float]] = {}
    memory = 0.0
    while process.poll() is None:
        for place in Path("/proc").iterdir():
            if not place.name.isdecimal():
                continue
            try:
                name, _, rest = (place / "stat").read_text().rpartition(")")
                fields = rest.split()
                if int(fields[3]) != process.pid:
                    continue
                kind = "java" if "java" in name else "python"
                # What has ended and was waited for counts for the process that waited.
                seen[place.name] = (kind, sum(map(int, fields[11:13])) / TICKS)
                if kind == "python" and int(place.name) != process.pid:
                    memory = max(memory, int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
            except (OSError, ValueError, IndexError):
                continue
        time.sleep(0.1)
    if process.returncode not in (0, 1):
        assert process.stderr is not None
        sys.exit(process.stderr.read().decode())
    total: Counter[str] = Counter()
    for kind, seconds in seen.values():
        total[kind] += seconds
    return dict(total), memory


def compared(here: Path, there: Path) -> tuple[int, int, int]:
    """Return the findings on both sides, and how many are on one side only, each counted as often as it is there."""
    with duckdb.connect() as connection:
        for name, path in (("here", here), ("there", there)):
            files = f"{path}/*.parquet" if path.is_dir() else str(path)
            connection.execute(f"CREATE TABLE {name} AS SELECT hash({COMPARED}) AS row FROM read_parquet(?)", [files])
        differing = "SELECT count(*) FROM (SELECT row FROM {} EXCEPT ALL SELECT row FROM {})"
        asked = ("SELECT count(*) FROM here", "SELECT count(*) FROM there")
        asked_both = (*asked, differing.format("here", "there"), differing.format("there", "here"))
        first, second, *apart = (int(connection.execute(query).fetchall()[0][0]) for query in asked_both)
    return first, second, sum(apart)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claims_file", nargs="?", metavar="CLAIMS.parquet", type=Path)
    parser.add_argument("--claims", type=int, default=1_000_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = chosen.claims_file or folder / "claims.parquet"
        if chosen.claims_file is None:
            from benchmarks.bulk import make_claims

            make_claims(large, chosen.claims)
        rows = pq.ParquetFile(large).metadata.num_rows
        small = folder / "small.parquet"
        pq.write_table(pa.Table.from_batches([next(pq.ParquetFile(large).iter_batches(max(1, rows // 100)))]), small)
        few = pq.ParquetFile(small).metadata.num_rows
        # Whoever comes first would pay for compiling the rules.
        subprocess.run([sys.executable, "-m", "weakcode", "check", "I10"], check=True, stdout=subprocess.DEVNULL)
        ways: dict[str, list[str]] = {"one machine": [], "spark": ["--spark", "local[1]"]}
        costs: dict[str, float] = {}
        for way, options in ways.items():
            spent = []
            for claims in (small, large):
                output = folder / f"{way}-{claims.stem}.parquet"
                asked = ["scrub", str(claims), "-o", str(output), "--fail-on", "never", *options]
                seconds, memory = processor_time([sys.executable, "-m", "weakcode", *asked])
                spent.append(sum(seconds.values()))
                parts = ", ".join(f"{kind} {value:.1f} s" for kind, value in seconds.items())
                print(f"{way}, {pq.ParquetFile(claims).metadata.num_rows:,} claims: {parts}", flush=True)
                if options:
                    print(f"  most memory of a Python worker: {memory:,.0f} MB", flush=True)
            costs[way] = (spent[1] - spent[0]) / (rows - few)
            print(f"{way}: {1 / costs[way]:,.0f} claims a second of processor time, {spent[0]:.1f} s to start")
        print(f"spark costs {costs['spark'] / costs['one machine']:.2f} times as much a claim")
        print(f"a billion claims: {1e9 * costs['spark'] / 3600:.1f} core hours")
        here, there, apart = compared(*(folder / f"{way}-{large.stem}.parquet" for way in ways))
        print(f"findings: {here:,} and {there:,}, of which {apart:,} differ")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
