"""Compares what two checkouts of weakcode say of the same files: findings, rejects, mended claims, status and words.

    python tools/compare_trees.py OLD-PYTHON NEW-PYTHON INPUT... [--limit N]

Each python is that of an environment with one checkout. Every input, a file or all files of a folder, is scrubbed by
both with every line of `RUNS`; a CSV file besides as JSON Lines, Parquet and Arrow. What differs is listed once with
the number of rows and the first run in which it does: findings that only one tree has by their rule. Columns that only
the new tree has are passed over. The exit status is 1 where anything but what is printed differs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

RUNS = {
    "plain": [],
    "one pack": ["--only", "icd10cm"],
    "rule beside": ["--rules", "icd10cm/excludes2"],
    "profile": ["--profile", "examples/profiles/anthem.yaml"],
    "hashed": ["--hash-ids"],
    "two threads": ["--jobs", "2"],
    "strict": ["--strict-edition"],
    "durable": ["--engine", "durable", "--only", "weakness"],
}
BFD = "id=CLM_ID,codes=ICD_DGNS_CD*,date=CLM_FROM_DT"
SHOWN = 1_000
NO_CLAIMS = (".md", ".expected.txt", ".py")
_TIMES = re.compile(r"\d[\d,.]* (?:ms|s|seconds?|claims/s|claims a second)|run [0-9a-f-]{8,}")


def scrubbed(source: Path, options: list[str], folder: Path) -> dict[str, Any]:
    """Return what one run gives, in this process and its checkout."""
    from click.testing import CliRunner

    from weakcode.cli import main

    written = {name: folder / f"{name}.jsonl" for name in ("findings", "rejects", "mended")}
    arguments = ["scrub", str(source), "-o", str(written["findings"]), "--rejects", str(written["rejects"])]
    if "--hash-ids" not in options:
        arguments += ["--fix", str(written["mended"])]
    if source.name.startswith("bfd_") and source.suffix == ".csv":
        arguments += ["--map", BFD]
    result = CliRunner().invoke(main, [*arguments, *options, "--today", "2026-11-01"])
    said = [
        result.output,
        *([repr(result.exception)] if result.exc_info and result.exit_code not in (0, 1, 2, 3) else []),
    ]
    outcome: dict[str, Any] = {"status": result.exit_code, "words": "\n".join(said).replace(str(folder), "OUT")}
    for name, path in written.items():
        outcome[name] = None
        if path.exists():
            outcome[name] = [json.loads(line.replace(str(folder), "OUT")) for line in path.open(encoding="utf-8")]
        path.unlink(missing_ok=True)
    return outcome


def forms(source: Path, folder: Path) -> Iterator[Path]:
    """Yield a file, and one of code lists in other formats too."""
    yield source
    if source.suffix != ".csv" or source.name.startswith("bfd_"):
        return
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    try:
        header = source.open(encoding="utf-8").readline().strip().split(",")
        convert = pa.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True)
        table = pa.csv.read_csv(source, convert_options=convert)
    except (pa.ArrowInvalid, UnicodeDecodeError):
        return
    stem = folder / source.stem
    pa.parquet.write_table(table, stem.with_suffix(".parquet"))
    with pa.OSFile(str(stem.with_suffix(".arrow")), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    rows = ({key: value for key, value in row.items() if value is not None} for row in table.to_pylist())
    stem.with_suffix(".jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    yield from (stem.with_suffix(f".{ending}") for ending in ("parquet", "arrow", "jsonl"))


def run_all(inputs: Iterable[Path]) -> None:
    """Print one JSON line for each input and run: what this checkout says."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for source in inputs:
            for form in forms(source, folder):
                for run, options in RUNS.items():
                    print(json.dumps([f"{form.name}: {run}", scrubbed(form, options, folder)]), flush=True)  # noqa: T201


def outcomes(python: str, inputs: list[Path]) -> dict[str, dict[str, Any]]:
    """Return what the checkout of a python says, by input and run."""
    call = [python, __file__, "--run", *map(str, inputs)]
    environment = {"WEAKCODE_HASH_KEY": "0123456789abcdef" * 4, "PATH": "/usr/bin:/bin", "HOME": str(Path.home())}
    done = subprocess.run(call, stdout=subprocess.PIPE, text=True, check=True, env=environment)  # noqa: S603
    return dict(json.loads(line) for line in done.stdout.splitlines())


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield what two outcomes of one run differ in: a line for each row, field or line of text."""
    if old["status"] != new["status"]:
        yield f"exit status {old['status']} became {new['status']}: {new['words'].strip()[-200:]}"
    for name in ("findings", "rejects", "mended"):
        before, after = old[name], new[name]
        if before is None or after is None:
            if before != after:
                yield f"{name} are written only {'after' if before is None else 'before'}"
        else:
            yield from (f"{name}: {line}" for line in _rows(before, after))
    one, other = (Counter(_TIMES.sub("…", side["words"]).splitlines()) for side in (old, new))
    yield from (f"words: - {line.strip()}" for line in (one - other).elements())
    yield from (f"words: + {line.strip()}" for line in (other - one).elements())


def _rows(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[str]:
    keys = sorted({key for row in before for key in row})
    sides = []
    for rows in (before, after):
        by_place: dict[str, list[dict[str, Any]]] = {}
        for row in rows:
            place = json.dumps([row.get(key) for key in ("claim_id", "rule", "positions", "line", "reason")])
            by_place.setdefault(place, []).append({key: row.get(key) for key in keys})
        sides.append(by_place)
    one, other = sides
    for place in [*one, *(place for place in other if place not in one)]:
        for old, new in zip_longest(one.get(place, ()), other.get(place, ())):
            if old is None or new is None:
                row = new or old or {}
                yield f"{'+' if old is None else '-'} {row.get('rule') or json.dumps(row)[:300]}"
            else:
                yield from (f"{key}: {old[key]!r} became {new[key]!r}" for key in keys if old[key] != new[key])
    if [place for place in one if place in other] != [place for place in other if place in one]:
        yield "the rows are in another order"


def main() -> int:
    """Compare and list; 1 where anything but words differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs=2, metavar="PYTHON")
    parser.add_argument("inputs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=SHOWN, help="how many differences are listed")
    asked = parser.parse_args()
    inputs = [path for given in asked.inputs for path in ([given] if given.is_file() else sorted(given.rglob("*")))]
    inputs = [path.resolve() for path in inputs if path.is_file() and not path.name.endswith(NO_CLAIMS)]
    old, new = (outcomes(python, inputs) for python in asked.pythons)
    met: dict[str, list[str]] = {}
    for run in old:
        for line in differences(old[run], new[run]):
            met.setdefault(line, []).append(run)
    for line, runs in sorted(met.items(), key=lambda item: -len(item[1]))[: asked.limit]:
        print(f"{len(runs):6,}  {line[:500]}  ({runs[0]})")  # noqa: T201
    real = [line for line in met if not line.startswith("words")]
    print(f"{len(old)} runs compared; {len(real)} kinds of difference, {len(met) - len(real)} of words")  # noqa: T201
    return 1 if real else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run_all(map(Path, sys.argv[2:]))
    else:
        sys.exit(main())
