"""837 files: how fast claims are read, what judging them adds, and whether memory stays flat.

Run it with `python benchmarks/x12.py [CLAIMS]`. The claims are generated: random billable codes, six each, two service
lines, 5,000 claims a transaction, half of the transactions institutional, all bundled packs. Memory is the growth of
the process from a tenth of the way to the end. The whole scrub, a process of its own, is compared with what pyx12 needs
to read the segments alone and hccinfhir to extract service lines, both where they are installed, in processor time of
the same run, so that other work on the machine does not count.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

TRANSACTION = 5_000


def resident_mb() -> float:
    """Return the resident memory of this process now, in MB, or its peak where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def write(path: Path, count: int, lists: list[list[str]] | None = None) -> None:
    """Write a file of this many claims, with some of these lists of codes, else with random ones."""
    from tests.scrub.x12.writing837 import interchange

    from weakcode import Claim
    from weakcode.claims import ServiceLine
    from weakcode.codes.catalog import edition_for

    edition = edition_for(None)
    random.seed(837)

    def claims(first: int, kind: str) -> Iterator[Claim]:
        for number in range(first, min(first + TRANSACTION, count)):
            yield Claim(
                random.choice(lists) if lists else [edition.code(random.randrange(edition.size)) for _ in range(6)],
                f"C{number:07}",
                birth_date=f"{random.randrange(1930, 2010)}-06-15",
                sex=random.choice("FM"),
                service_date=edition.starts,
                setting="outpatient" if kind == "I" else "professional",
                payer="ACME HEALTH",
                lines=[ServiceLine(1, () if kind == "I" else (1, 2), "99213"), ServiceLine(2, (), "85025")],
            )

    with path.open("w", encoding="ascii") as file:
        for number, first in enumerate(range(0, count, TRANSACTION), start=1):
            kind = "PI"[number % 2]
            file.writelines(interchange(claims(first, kind), kind, number))


def measured(rows: Iterable[object], count: int) -> tuple[float, float]:
    """Exhaust the rows; return µs a claim and the growth of memory in MB after the first tenth."""
    start, before, seen = time.perf_counter(), 0.0, 0
    for seen, _ in enumerate(rows, start=1):
        if seen == count // 10:
            before = resident_mb()
    assert seen == count, f"{seen} rows of {count} claims"
    return (time.perf_counter() - start) / count * 1e6, resident_mb() - before


def whole_scrub(path: Path, jobs: int) -> tuple[float, float, float]:
    """Scrub a file into Parquet in a process of its own; return seconds of processor time, of the clock, and MB."""
    command = [sys.executable, "-m", "weakcode", "scrub", str(path), "-o", str(path.with_suffix(".parquet"))]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [*command, "--jobs", str(jobs), "--fail-on", "never", "--format", "json"], capture_output=True
    )
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, took, after.ru_maxrss / 1e3


def natively(path: Path) -> float:
    """Read a file into columns; return seconds of processor time."""
    from weakcode.scrub.read.x12 import native
    from weakcode.scrub.read.x12.source import X12Source

    assert native.BLOCK_BYTES > 0  # What it needs is loaded before the time is taken.
    start = time.process_time()
    with path.open("rb") as file:
        for block in X12Source(file, path.name).batches():
            assert block.batch is not None
    return time.process_time() - start


def by_pyx12(path: Path) -> float | None:
    """Read the segments of a file with pyx12; return seconds of processor time, None where it is not installed."""
    try:
        from pyx12.x12file import X12Reader
    except ImportError:
        return None
    start = time.process_time()
    with X12Reader(str(path)) as reader:
        for _ in reader:
            pass
    return time.process_time() - start


def by_hccinfhir(folder: Path) -> float | None:
    """Extract the service lines of 2,000 claims with hccinfhir; return µs of processor time a claim, or None."""
    try:
        from hccinfhir.extractor_837 import extract_sld_837
    except ImportError:
        return None
    path = folder / "few.837"
    write(path, 2_000)
    text = path.read_text("ascii")
    start = time.process_time()
    extract_sld_837(text)
    return (time.process_time() - start) / 2_000 * 1e6


def main() -> None:
    """Measure and print."""
    import weakcode
    from weakcode.scrub.judge.rows import evaluate
    from weakcode.scrub.read.files import open_claims
    from weakcode.scrub.read.x12.segments import Segments

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    table: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "claims.837"
        write(path, count)
        table.append(("the file", f"{count:,} claims, {path.stat().st_size / 1e6:.0f} MB"))
        with path.open("rb") as file:
            start = time.perf_counter()
            segments = sum(1 for _ in Segments(file, path.name))
            took = time.perf_counter() - start
        table.append(("segments alone", f"{took / count * 1e6:.0f} µs a claim ({segments / count:.0f} segments)"))
        with open_claims(path) as source:
            read, grown = measured(source, count)
        table.append(
            ("reading to claims", f"{read:.0f} µs a claim, {1e6 / read:,.0f} a second; memory {grown:+.1f} MB")
        )
        columns = natively(path)
        table.append(("reading to columns", f"{columns / count * 1e6:.2f} µs a claim of processor time"))
        peer, other = by_pyx12(path), by_hccinfhir(Path(folder))
        for jobs in (1, 2):
            cpu, took, peak = whole_scrub(path, jobs)
            said = (
                f"{cpu:.1f} s of processor time, {took:.1f} s; {cpu / count * 1e6:.1f} µs a claim; peak {peak:.0f} MB"
            )
            ratio = f"; {cpu / peer:.2f} of pyx12's time for the segments alone, {peer:.1f} s" if peer else ""
            table.append((f"whole scrub to Parquet, --jobs {jobs}", said + ratio))
        if other:
            table.append(("hccinfhir, service lines alone", f"{other:.0f} µs a claim of processor time"))
        for engine in ("columnar", "durable"):
            validator = weakcode.Validator(engine=engine)
            validator.judge(weakcode.Claim(["I10"]))
            with open_claims(path) as source:
                took, grown = measured(evaluate(source, validator), count)
            split = f"{took:.0f} µs a claim, {1e6 / took:,.0f} a second, of which judging {took - read:.0f} µs"
            table.append((f"reading and judging, {engine} engine", f"{split}; memory {grown:+.1f} MB"))
    width = max(len(name) for name, _ in table)
    for name, value in table:
        print(f"{name:<{width}}  {value}")


if __name__ == "__main__":
    main()
