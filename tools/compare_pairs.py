"""Compares what two checkouts of weakcode find on all ordered pairs of representative codes, or on claims, by rule.

    python tools/compare_pairs.py OLD-PYTHON NEW-PYTHON [--claims FILE-OR-FOLDER...] [--read N] [--seed N]

Each python is that of an environment with one checkout; this script is run by the newer one. Representative are the
first and the last billable code of every category. A finding that is gone is held against those that came on the same
pair: another severity of the same rule, or another rule of Excludes1 notes. What is left has gone or come. Printed is
a Markdown table with the number of pairs of each kind, and with `--read` claims of each kind, drawn at random, with
the titles of the codes.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

DATE = "2026-05-04"
PART = 250_000
DRAWN = 40
NEAR = "icd10cm/excludes1"
"""Rules whose names begin so are about the same notes."""

Told = tuple[str, str]
"""A rule and the severity of its finding."""


def representative() -> list[str]:
    """Return the first and the last code of every category that is billable on the day."""
    from weakcode.codes import catalog

    edition = catalog.bundled()
    by_category: dict[str, list[str]] = {}
    for code_id in edition.on(edition.starts).billable:
        code = edition.code(code_id)
        by_category.setdefault(code[:3], []).append(code)
    return sorted({code for codes in by_category.values() for code in (codes[0], codes[-1])})


def in_parts(claims: list[Path]) -> Iterator[list[dict[str, Any]]]:
    """Yield the claims of the files, or all pairs, some at a time."""
    rows: list[dict[str, Any]] = []
    for row in _of_files(claims) if claims else _of_pairs():
        rows.append(row)
        if len(rows) == PART:
            yield rows
            rows = []
    if rows:
        yield rows


def _of_pairs() -> Iterator[dict[str, Any]]:
    codes = representative()
    for one, other in product(codes, repeat=2):
        if one != other:
            yield {"codes": [one, other], "service_date": DATE}


def _of_files(paths: list[Path]) -> Iterator[dict[str, Any]]:
    import weakcode

    for path in paths:
        for claim in weakcode.read_claims(path):
            row = {name: getattr(claim, name) for name in ("age", "sex", "setting")}
            yield {"codes": list(claim.codes), "service_date": str(claim.service_date or DATE), **row}


def keep(folder: Path, claims: list[Path]) -> None:
    """Write what is to be judged in parts, so that both checkouts are given the same claims."""
    for number, rows in enumerate(in_parts(claims)):
        table = pa.Table.from_pylist(rows)
        table = table.append_column("claim_id", pa.array([str(row) for row in range(len(rows))]))
        parquet.write_table(table, folder / f"{number:05}.parquet")


def judge(given: Path, folder: Path) -> None:
    """Write what this checkout finds: numbers of claims and of kinds of findings, and the kinds by number."""
    import weakcode

    validator = weakcode.Validator(engine="columnar")
    kinds: dict[Told, int] = {}
    for part in sorted(given.iterdir()):
        table = parquet.read_table(part)
        parts = [np.zeros((0, 2), np.int64)]
        for batch in validator.scrub(table):
            of_claim = batch["claim_id"].cast(pa.string()).cast(pa.int64()).to_numpy(zero_copy_only=False)
            told = [kinds.setdefault(kind, len(kinds)) for kind in zip(*_texts(batch), strict=True)]
            parts.append(np.column_stack([of_claim, np.array(told, np.int64)]))
        np.save(folder / f"{part.stem}.npy", np.unique(np.concatenate(parts), axis=0))
    (folder / "kinds.json").write_text(json.dumps(list(kinds)))


def _texts(batch: pa.RecordBatch) -> list[list[str]]:
    return [batch[name].cast(pa.string()).to_pylist() for name in ("rule", "severity")]


def changes(gone: set[Told], came: set[Told]) -> Iterator[str]:
    """Yield what became of the findings on one claim, as text."""
    left = sorted(came)
    for rule, severity in sorted(gone):
        same = [one for one in left if one[0] == rule]
        near = [one for one in left if one[0].startswith(NEAR) and rule.startswith(NEAR)]
        became = next(iter(same or near), None)
        if became:
            left.remove(became)
        yield f"`{rule}` {severity} | " + (f"`{became[0]}` {became[1]}" if became else "gone")
    yield from (f"new | `{rule}` {severity}" for rule, severity in left)


def _only_in(one: Any, other: Any, kinds: list[Told]) -> dict[int, set[Told]]:
    """Return the findings of one side that the other side does not have, by claim."""
    found: dict[int, set[Told]] = defaultdict(set)
    for key in np.setdiff1d(one, other, assume_unique=True).tolist():
        found[key // len(kinds)].add(kinds[key % len(kinds)])
    return found


def compare(given: Path, old: Path, new: Path, seed: int) -> dict[str, tuple[int, list[list[str]]]]:
    """Return how many claims have each kind of change, and some of them drawn at random."""
    names = [[tuple(kind) for kind in json.loads((folder / "kinds.json").read_text())] for folder in (old, new)]
    kinds: list[Told] = sorted({*names[0], *names[1]})
    as_joint = [np.array([kinds.index(kind) for kind in side], np.int64) for side in names]
    counts: dict[str, int] = defaultdict(int)
    drawn: dict[str, list[list[str]]] = defaultdict(list)
    pick = random.Random(seed)  # noqa: S311
    for part in sorted(given.iterdir()):
        codes = parquet.read_table(part, columns=["codes"]).column("codes")
        keys = []
        for folder, joint in zip((old, new), as_joint, strict=True):
            found = np.load(folder / f"{part.stem}.npy")
            keys.append(found[:, 0] * len(kinds) + joint[found[:, 1]])
        gone, came = _only_in(*keys, kinds), _only_in(keys[1], keys[0], kinds)
        for claim in sorted({*gone, *came}):
            for change in changes(gone[claim], came[claim]):
                counts[change] += 1
                # Reservoir sampling: each claim is as likely as any other to be drawn.
                if len(drawn[change]) < DRAWN:
                    drawn[change].append(codes[claim].as_py())
                elif (place := pick.randrange(counts[change])) < DRAWN:
                    drawn[change][place] = codes[claim].as_py()
    return {change: (counts[change], drawn[change]) for change in sorted(counts, key=lambda one: -counts[one])}


def main() -> None:
    """Judge with both checkouts, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pythons", nargs=2, metavar="PYTHON")
    parser.add_argument("--claims", nargs="*", type=Path, default=[], help="files of claims in the place of pairs")
    parser.add_argument("--read", type=int, default=0, metavar="N", help="list N claims of each kind of change")
    parser.add_argument("--seed", type=int, default=20260401)
    asked = parser.parse_args()
    claims = [file for path in asked.claims for file in (sorted(path.iterdir()) if path.is_dir() else [path])]
    with TemporaryDirectory() as name:
        given, *folders = (Path(name) / one for one in ("given", "old", "new"))
        given.mkdir()
        keep(given, claims)
        for python, folder in zip(asked.pythons, folders, strict=True):
            folder.mkdir()
            subprocess.run([python, __file__, "--judge", str(given), str(folder)], check=True)  # noqa: S603
        found = compare(given, *folders, asked.seed)
    print("| before | after | claims |\n| --- | --- | ---: |")  # noqa: T201
    for change, (number, _) in found.items():
        print(f"| {change} | {number:,} |")  # noqa: T201
    for change, (_, drawn) in found.items() if asked.read else ():
        print(f"\n{change}")  # noqa: T201
        for codes in drawn[: asked.read]:
            print("    " + "; ".join(map(_titled, codes)))  # noqa: T201


def _titled(code: str) -> str:
    import weakcode
    from weakcode.errors import WeakcodeError

    try:
        return f"{code} {weakcode.lookup(code, DATE).title[:70]}"
    except WeakcodeError:
        return code


if __name__ == "__main__":
    if sys.argv[1:2] == ["--judge"]:
        judge(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
