"""What a report of many findings costs: seconds, peak memory and size of the page.

    python benchmarks/report.py [--claims 1000000] [--keep FOLDER]

Claims are invented: the failing and passing examples of the bundled rules, drawn at random with other codes of the
edition, over two years and eight payers. They are scrubbed first; the report is timed as a process of its own.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAYERS = ["Medicare", "Medicaid", "Acme Health", "Blue River", "Northern Mutual", "Union Care", "Veterans Fund", ""]
SHARES = [30, 17, 14, 12, 9, 8, 6, 1]
FIRST_DAY = dt.date(2025, 10, 1)
DAYS = 330


def make_claims(path: Path, number: int) -> None:
    """Write a Parquet file of invented claims."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from weakcode.codes.catalog import edition_for
    from weakcode.rules.library import bundled_packs
    from weakcode.rules.load import load_pack

    edition = edition_for(None)
    dice = random.Random(8162)
    wrong, right = [], []
    for name, paths in bundled_packs().items():
        for path_ in paths:
            for rule in load_pack(path_).pack.rules:
                if rule.enabled:
                    # A wrong claim of every rule is not equally common, and those of some packs more than others.
                    weight = min(dice.paretovariate(1.1), 20) * (6 if name in ("weakness", "covid") else 1)
                    wrong += [(one, weight) for one in rule.examples.fail if not one.service_date]
                    right += [(one, 1.0) for one in rule.examples.passing if not one.service_date]
    common = ["I10", "E11.9", "E78.5", "J44.9", "F32.A", "K21.9", "G47.33", "M54.50", "I48.91", "E03.9"]
    schema = pa.schema(
        [
            ("claim_id", pa.string()),
            ("service_date", pa.date32()),
            ("age", pa.int32()),
            ("sex", pa.string()),
            ("setting", pa.string()),
            ("payer", pa.string()),
            ("codes", pa.list_(pa.string())),
        ]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, number, 100_000):
            rows = []
            for place in range(start, min(start + 100_000, number)):
                payer = dice.choices(PAYERS, SHARES)[0]
                day = FIRST_DAY + dt.timedelta(days=dice.randrange(DAYS))
                # Some payers' claims are worse than others', and all get better with time.
                bad = 0.13 + 0.03 * (PAYERS.index(payer) % 4) - 0.08 * (day - FIRST_DAY).days / DAYS
                if dice.random() < bad:
                    example = dice.choices([one for one, _ in wrong], cum_weights=_running(wrong))[0]
                    codes = example.codes.split()
                elif dice.random() < 0.1:
                    example = dice.choice(right)[0]
                    codes = example.codes.split()
                else:
                    example, codes = None, dice.sample(common, dice.randint(1, 4))
                if dice.random() < 0.01:
                    codes.append(edition.code(dice.randrange(edition.size)))
                rows.append(
                    {
                        "claim_id": f"C{place:08d}",
                        "service_date": day,
                        "age": example.age if example and example.age is not None else dice.randint(45, 95),
                        "sex": (example and example.sex) or dice.choice("FM"),
                        "setting": (example and example.setting) or "outpatient",
                        "payer": payer or None,
                        "codes": codes,
                    }
                )
            writer.write_batch(pa.RecordBatch.from_pylist(rows, schema))


def _running(weighted: list[tuple[object, float]]) -> list[float]:
    if not hasattr(_running, "sums"):
        total, sums = 0.0, []
        for _, weight in weighted:
            total += weight
            sums.append(total)
        _running.sums = sums  # type: ignore[attr-defined]
    return _running.sums  # type: ignore[attr-defined, no-any-return]


def run(*arguments: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB that a command of weakcode took."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "weakcode", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--claims", type=int, default=1_000_000)
    options.add_argument("--keep", metavar="FOLDER", help="write claims, findings and report here")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(chosen.keep or scratch)
        claims, findings, page = folder / "claims.parquet", folder / "findings.parquet", folder / "report.html"
        if not claims.exists():
            make_claims(claims, chosen.claims)
        if not findings.exists():
            # In a process of its own kind, lest its memory be taken for the report's.
            subprocess.run(
                [sys.executable, "-m", "weakcode", "scrub", claims, "-o", findings, "--fail-on", "never"], check=True
            )
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3
        for label, more in (("findings alone", []), ("with --claims", ["--claims", str(claims)])):
            seconds, memory = run("report", str(findings), "-o", str(page), *more)
            at_most = " (at most: the scrub took as much)" if memory == before else ""
            size = page.stat().st_size / 1e6
            print(f"{label:<16} {seconds:6.1f} s   {memory:7.0f} MB{at_most}   page of {size:.2f} MB")


if __name__ == "__main__":
    main()
