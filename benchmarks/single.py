"""Single claims: what one check costs, what many leave behind in memory, and how fast a process starts.

Run it with `python benchmarks/single.py`. Claims are random billable codes, six each, all bundled packs. Times are
medians; memory is the growth of the process's peak after a warm-up of 2,000 checks.
"""

from __future__ import annotations

import os
import random
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path


def median_ms(code: str, runs: int = 7) -> float:
    """Return the median wall time in milliseconds of a Python process that runs `code`."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def resident_mb() -> float:
    """Return the resident memory of this process now, in MB, or its peak where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Measure and print."""
    import weakcode
    from weakcode.codes.catalog import edition_for

    edition = edition_for(None)
    random.seed(62_81)
    claims = [weakcode.Claim([edition.code(random.randrange(edition.size)) for _ in range(6)]) for _ in range(2_000)]
    rows: list[tuple[str, str]] = []
    bare = median_ms("pass")
    rows.append(("python itself", f"{bare:.0f} ms"))
    rows.append(("import weakcode, beyond python itself", f"{median_ms('import weakcode') - bare:.0f} ms"))
    command = "import sys; from weakcode.cli import main; sys.argv = ['weakcode', 'check', 'M62.84', 'I10']; main()"
    subprocess.run([sys.executable, "-c", command], stdout=subprocess.DEVNULL, check=False)
    rows.append(("weakcode check, warm, whole process", f"{median_ms(command):.0f} ms"))
    for engine in ("durable", "columnar"):
        try:
            validator = weakcode.Validator(engine=engine)
        except weakcode.UnknownNameError:
            continue
        for claim in claims:
            validator.check(claim)
        times = []
        for claim in claims:
            start = time.perf_counter()
            validator.check(claim)
            times.append((time.perf_counter() - start) * 1e6)
        rows.append((f"{engine}: one check of six codes, median", f"{statistics.median(times):.0f} µs"))
        before = resident_mb()
        for _ in range(100):
            for claim in claims:
                validator.check(claim)
        rows.append((f"{engine}: memory after 200,000 checks more", f"+{resident_mb() - before:.1f} MB"))
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")


if __name__ == "__main__":
    main()
