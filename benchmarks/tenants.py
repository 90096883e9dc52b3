"""How long until the first answer, and what a tenant with rules of its own costs.

    python benchmarks/tenants.py [--tenants 1000]

Whole processes by the clock: a warm `weakcode check`, one with an empty cache, one whose cache cannot be written, and
twenty profiles with a rule each in a fresh process, as multiples of the warm one. Compiling the bundled Tabular List
and all packs from nothing, in seconds of process time. Then many profiles in one process: milliseconds and memory each.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CHECK = "from weakcode.cli import main; main()"
COMPILE = """
import time
from weakcode.codes.storage import shipped
from pathlib import Path
shipped.folder = lambda: Path("nowhere"); shipped.is_checkout = lambda: False
from weakcode.codes.catalog import bundled
from weakcode.compile.build import base_program
start = time.process_time(); edition = bundled(); middle = time.process_time(); base_program(edition)
print(middle - start, time.process_time() - middle)
"""
TENANTS = """
import sys, weakcode
for path in sys.argv[1:]:
    weakcode.Validator(profile=path).check(weakcode.Claim(["M62.81", "R54"]))
"""


def process(cache: Path, code: str, *arguments: str) -> tuple[float, str]:
    """Return the seconds that a process takes, and what it prints."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "WEAKCODE_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    return time.perf_counter() - start, done.stdout


def profiles(folder: Path, count: int) -> list[str]:
    """Write profiles with a rule each, and return their paths."""
    made = []
    for number in range(count):
        rule = f"{{id: own, title: T, severity: info, subject: M62.81, forbid: R{number % 70:02}, why: ours}}"
        (folder / f"{number}-rules.yaml").write_text(f"pack: t{number}\ntitle: T\nrules:\n  - {rule}\n")
        path = folder / f"{number}.yaml"
        path.write_text(f"name: tenant {number}\nextra_rules: [{number}-rules.yaml]\n")
        made.append(str(path))
    return made


def in_memory() -> float:
    """Return the memory that this process has in use, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tenants", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "a-file").touch()
        codes = ("check", "M62.81", "R54")
        first, _ = process(folder / "cache", CHECK, *codes)
        warm = statistics.median(process(folder / "cache", CHECK, *codes)[0] for _ in range(5))
        none, _ = process(folder / "a-file" / "cache", CHECK, *codes)
        paths = profiles(folder, options.tenants)
        twenty, _ = process(folder / "cache", TENANTS, *paths[:20])
        print(f"warm check {warm:.2f} s; empty cache {first / warm:.1f} times, no cache {none / warm:.1f} times")
        print(f"twenty tenants in a fresh process: {twenty / warm:.1f} times a warm check")
        list_, packs = map(float, process(folder / "a-file" / "cache", COMPILE)[1].split())
        print(f"compiling from nothing: Tabular List {list_:.2f} s, packs {packs:.2f} s")
        os.environ["WEAKCODE_CACHE_DIR"] = str(folder / "cache")
        many(paths)


def many(paths: list[str]) -> None:
    """Print what many tenants in one process cost, the first and the last hundred apart."""
    import weakcode

    claim = weakcode.Claim(["M62.81", "R54"])
    kept = [weakcode.Validator(profile=paths[0])]
    kept[0].warm()
    before, times = in_memory(), []
    for path in paths[1:]:
        start = time.process_time()
        kept.append(weakcode.Validator(profile=path))
        kept[-1].check(claim)
        times.append(1000 * (time.process_time() - start))
    ends = [statistics.mean(part) for part in (times[:100], times[-100:])]
    each = 1000 * (in_memory() - before) / max(len(times), 1)
    print(
        f"{len(paths)} tenants, {each:.0f} kB each: {ends[0]:.1f} ms for the first hundred, {ends[1]:.1f} for the last"
    )


if __name__ == "__main__":
    main()
