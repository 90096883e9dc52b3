"""What this tree costs against others, in turn: whole processes, in processor time, so that other work counts little.

Run it with `python benchmarks/paired.py --than PYTHON --file CLAIMS.parquet --x12 CLAIMS.837`; all is optional. PYTHON
is the interpreter of the environment of another tree, which comes as it was installed. Every round measures each tree
once for each of: a check, a scrub of two claims, scrubs of the files that are given to Parquet and Arrow, and single
checks of six random codes in one process. Printed are the least of the rounds: neighbours only ever add.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SMALL = "claim_id,codes\nA1,I10 E11.9\nA2,M62.84 I10\n"
SINGLE = """
import random, time, weakcode
from weakcode.codes.catalog import edition_for
edition = edition_for(None)
random.seed(1)
codes = [[edition.code(random.randrange(edition.size)) for _ in range(6)] for _ in range(500)]
claims = [weakcode.Claim(each, id=str(number)) for number, each in enumerate(codes)]
validator = weakcode.Validator().in_bulk()
least = 1e9
for _ in range(12):
    start = time.process_time()
    for claim in claims:
        validator.check(claim)
    least = min(least, time.process_time() - start)
print(least / len(claims))
"""


def seconds(python: str, args: list[str]) -> float:
    """Return the processor time of `weakcode` with these arguments, by an interpreter. Findings are no failure."""
    before = os.times()
    done = subprocess.run([python, "-m", "weakcode", *args], capture_output=True, check=False)
    after = os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr.decode(errors="replace"))
    return after.children_user - before.children_user + after.children_system - before.children_system


def measured(python: str, runs: dict[str, list[str]]) -> dict[str, float]:
    """Return the seconds of each run, and of one check among many."""
    found = {name: seconds(python, args) for name, args in runs.items()}
    single = subprocess.run([python, "-c", SINGLE], capture_output=True, text=True, check=True)
    return {**found, "one check of six codes": float(single.stdout)}


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument(
        "--than", metavar="PYTHON", action="append", default=[], help="the interpreter of another tree"
    )
    options.add_argument("--file", type=Path, help="claims as Parquet")
    options.add_argument("--x12", type=Path, help="claims as 837")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.csv")
        small.write_text(SMALL, "utf-8")
        runs = {
            "weakcode check, cache filled": ["check", "I10"],
            "scrub of two claims": ["scrub", str(small), "-o", f"{folder}/small.parquet"],
        }
        if given.file:
            runs["scrub of Parquet to Parquet"] = ["scrub", str(given.file), "-o", f"{folder}/findings.parquet"]
            runs["scrub of Parquet to Arrow"] = ["scrub", str(given.file), "-o", f"{folder}/findings.arrow"]
        if given.x12:
            runs["scrub of 837 to Parquet"] = ["scrub", str(given.x12), "-o", f"{folder}/claims.parquet"]
        trees = [sys.executable, *given.than]
        for python in trees:
            seconds(python, ["check", "I10"])
        rounds = [[measured(python, runs) for python in trees] for _ in range(given.rounds)]
    heads = ["this tree", *(f"other {number}" for number in range(1, len(trees)))]
    print(f"{'least processor time':<32}" + "".join(f"{head:>12}" for head in heads) + "  ratios")
    for name in rounds[0][0]:
        least = [min(one[number][name] for one in rounds) for number in range(len(trees))]
        cells = (f"{one * 1e6:>9.1f} us" if one < 0.001 else f"{one:>10.2f} s" for one in least)
        print(f"{name:<32}{''.join(cells)}  {' '.join(f'{least[0] / one:.2f}' for one in least[1:])}")


if __name__ == "__main__":
    main()
