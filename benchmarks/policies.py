"""What thousands of payers' policies cost: as rules that name procedures, and as coverage files in CMS's layout.

    python benchmarks/policies.py [--claims 1000000] [--rules 5000] [--kind none|every|any] [--only rules|coverage]

Claims are invented: about six codes and two service lines each. Every way runs as a process of its own on one core, in
turn, three times; the median of the user seconds counts, as a multiple of the same claims without any policy. The
coverage file has 1,500 articles, 6,000 procedures and 250,000 covered codes; of the claims' lines one in four, or all,
name one of its procedures, and half of these, or all, point to no covered code.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from weakcode import Validator

RUNS, PART = 3, 50_000
ARTICLES, PROCEDURES, COVERED = 1_500, 6_000, 250_000


def codes() -> list[str]:
    """Return the billable codes of the bundled edition."""
    from weakcode.codes.catalog import bundled

    edition = bundled()
    return [edition.code(number) for number in range(edition.size)]


def procedure(number: int) -> str:
    """Return an invented procedure: a letter and four digits."""
    return f"{'GQ'[number // 10_000]}{number % 10_000:04}"


def made_claims(
    path: Path, count: int, named: list[str], share: float, covered: dict[str, list[str]], hit: float
) -> None:
    """Write claims: a `share` of their lines has one of the named procedures, the others have one that nothing names.

    Of those a share `hit` points to a covered code of its procedure.
    """
    dice, every = random.Random(7), codes()
    rows = []
    for number in range(min(count, PART)):
        held = dice.choices(every, k=dice.randint(2, 9))
        lines = []
        for line in range(dice.randint(1, 3)):
            wanted, to = dice.random() < share, dice.randint(1, min(4, len(held)))
            what = dice.choice(named) if wanted else f"Z{dice.randrange(10_000):04}"
            if wanted and what in covered and dice.random() < hit:
                held[to - 1] = dice.choice(covered[what])
            lines.append({"number": line + 1, "procedure": what, "pointers": [to]})
        rows.append({"claim_id": f"C{number}", "codes": held, "payer": "Acme", "lines": lines})
    kind = pa.struct([("number", pa.int32()), ("procedure", pa.string()), ("pointers", pa.list_(pa.int32()))])
    schema = pa.schema(
        [("claim_id", pa.string()), ("codes", pa.list_(pa.string())), ("payer", pa.string()), ("lines", pa.list_(kind))]
    )
    table = pa.Table.from_pylist(rows, schema)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, count, PART):
            ids = pa.array([f"C{at}" for at in range(start, min(start + PART, count))])
            writer.write_table(table.slice(0, len(ids)).set_column(0, "claim_id", ids))


def seconds(*arguments: str, data: Path) -> float:
    """Return the median of the user seconds that `weakcode` takes."""
    taken = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        done = subprocess.run(
            [sys.executable, "-m", "weakcode", *arguments],
            env={**os.environ, "WEAKCODE_DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr)
        taken.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    return statistics.median(taken)


def scrub(claims: Path, folder: Path, *options: str) -> float:
    """Return the user seconds of a scrub of claims."""
    output = str(folder / "findings.parquet")
    return seconds("scrub", str(claims), "-o", output, "--quiet", "--fail-on", "never", *options, data=folder / "data")


def rules(folder: Path, claims: int, count: int, kind: str) -> None:
    """Measure rules that name procedures, on claims that they do not touch and on claims of which they touch some."""
    dice, every = random.Random(5), codes()
    named = [procedure(number) for number in range(count)]
    written = [
        f"  - {{id: policy-{number}, title: T, severity: warning, why: w,\n"
        f'     pointed: {{procedure: "{one}", {kind}: "{", ".join(dice.sample(every, 40))}"}}}}'
        for number, one in enumerate(named)
    ]
    policies = folder / "policies.yaml"
    policies.write_text("pack: policies\ntitle: Policies\nrules:\n" + "\n".join(written) + "\n")
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "weakcode", "check", "I10", "--rules", str(policies)],
        env={**os.environ, "WEAKCODE_DATA_DIR": str(folder / "data"), "XDG_CACHE_HOME": str(folder / "cache")},
        check=False,
        capture_output=True,
    )
    print(f"{count:,} rules with `{kind}`: compiled, and one claim checked, in {time.perf_counter() - start:.1f} s")
    for words, share in (("untouched", 0.0), ("one line in twenty", 0.05)):
        path = folder / f"claims-{share}.parquet"
        if not path.exists():
            made_claims(path, claims, named, share, {}, 0)
        scrub(folder / "claims-0.0.parquet", folder, "--rules", str(policies))
        without = scrub(path, folder)
        with_rules = scrub(path, folder, "--rules", str(policies))
        print(f"`{kind}`, {words}: {with_rules / without:.2f} times {without:.1f} s for {claims:,} claims")
    import weakcode

    plain, chosen = weakcode.Validator(), weakcode.Validator(also=[str(policies)])
    lines = [{"number": number, "procedure": "Z0001", "pointers": [1]} for number in (1, 2)]
    one, both = single(plain, chosen, lambda at: lines)
    print(f"`{kind}`, one check: {one * 1000:.2f} ms without, {(both - one) * 1000:.2f} ms more")


def table(head: str, rows: list[tuple[object, ...]]) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head.split(","))
    writer.writerows(rows)
    return text.getvalue()


def made_articles(path: Path) -> dict[str, list[str]]:
    """Write articles in CMS's layout, and return the codes that are covered for each procedure."""
    dice, every = random.Random(3), codes()
    of = {procedure(number): number % ARTICLES for number in range(PROCEDURES)}
    covered = {number: dice.sample(every, COVERED // ARTICLES + 1) for number in range(ARTICLES)}
    articles = [(90_000 + n, 1, f"Made {n}", f"A{90_000 + n}", "A", "2020-01-01 00:00:00", "") for n in range(ARTICLES)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = "article_id,article_version,title,display_id,status,article_eff_date,article_end_date"
        archive.writestr("article.csv", table(head, articles))
        rows = [(90_000 + number, 1, name, 1, 1) for name, number in of.items()]
        head = "article_id,article_version,hcpc_code_id,hcpc_code_version,hcpc_code_group"
        archive.writestr("article_x_hcpc_code.csv", table(head, rows))
        rows = [(90_000 + number, 1, code, 1) for number, codes_of in covered.items() for code in codes_of]
        head = "article_id,article_version,icd10_code_id,icd10_covered_group"
        archive.writestr("article_x_icd10_covered.csv", table(head, rows))
    return {name: covered[number] for name, number in of.items()}


def coverage(folder: Path, claims: int) -> None:
    """Measure coverage files: loading one, judging in columns, and a single check."""
    covered = made_articles(folder / "article.zip")
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "weakcode", "policies", "add", str(folder / "article.zip")],
        env={**os.environ, "WEAKCODE_DATA_DIR": str(folder / "data")},
        check=True,
        capture_output=True,
    )
    print(f"{ARTICLES:,} articles, {COVERED:,} codes: installed in {time.perf_counter() - start:.1f} s")
    listed = ", ".join(f"A{90_000 + number}" for number in range(ARTICLES))
    profile = folder / "profile.yaml"
    profile.write_text(f"name: p\npayers:\n  Acme:\n    coverage: {{articles: [{listed}]}}\n")
    named = list(covered)
    ways = (
        ("a quarter of the lines named, half of them violated", 0.25, 0.5),
        ("a quarter of the lines named and violated", 0.25, 0.0),
        ("every line named and violated", 1.0, 0.0),
    )
    for words, share, hit in ways:
        path = folder / "coverage.parquet"
        made_claims(path, claims, named, share, covered, hit)
        without, with_policies = scrub(path, folder), scrub(path, folder, "--profile", str(profile))
        print(f"coverage, {words}: {with_policies / without:.2f} times {without:.1f} s for {claims:,} claims")
    os.environ["WEAKCODE_DATA_DIR"] = str(folder / "data")
    import weakcode

    lines = [{"number": number, "procedure": name, "pointers": [1]} for number, name in enumerate(covered, start=1)]
    plain, chosen = weakcode.Validator(), weakcode.Validator(profile=str(profile))
    without, with_policies = single(plain, chosen, lambda at: lines[2 * at : 2 * at + 2])
    print(f"one check: {without * 1000:.2f} ms without, {(with_policies - without) * 1000:.2f} ms more")


def single(plain: Validator, chosen: Validator, lines: Callable[[int], list[dict[str, object]]]) -> tuple[float, float]:
    """Return the seconds that a check of one claim takes by each validator."""
    import weakcode

    claims = [
        weakcode.Claim(["M62.81", "I10"], payer="Acme", lines=lines(at), service_date="2026-05-01") for at in range(500)
    ]
    taken = []
    for validator in (plain, chosen, plain, chosen):
        start = time.process_time()
        for claim in claims:
            validator.check(claim)
        taken.append((time.process_time() - start) / len(claims))
    return taken[2], taken[3]


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=5_000)
    parser.add_argument("--kind", choices=["none", "every", "any"], action="append")
    parser.add_argument("--only", choices=["rules", "coverage"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if asked.only != "coverage":
            for kind in asked.kind or ("none", "every", "any"):
                rules(Path(name), asked.claims, asked.rules, kind)
        if asked.only != "rules":
            coverage(Path(name), asked.claims)


if __name__ == "__main__":
    main()
