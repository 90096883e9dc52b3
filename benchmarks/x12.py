"""837 files: how fast claims are read, what judging them adds, and whether memory stays flat.

Run it with `python benchmarks/x12.py [CLAIMS]`. The claims are generated: random billable codes, six each, two service
lines, 5,000 claims a transaction, half of the transactions institutional, all bundled packs. Memory is the growth of
the process from a tenth of the way to the end.
"""

from __future__ import annotations

import os
import random
import resource
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


def write(path: Path, count: int) -> None:
    """Write a file of this many claims."""
    from tests.scrub.x12.writing837 import interchange

    from weakcode import Claim
    from weakcode.claims import ServiceLine
    from weakcode.codes.catalog import edition_for

    edition = edition_for(None)
    random.seed(837)

    def claims(first: int, kind: str) -> Iterator[Claim]:
        for number in range(first, min(first + TRANSACTION, count)):
            yield Claim(
                [edition.code(random.randrange(edition.size)) for _ in range(6)],
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
