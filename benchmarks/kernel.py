"""Claims a second of the native kernel alone: text to codes, codes to violations, violations to findings.

    python benchmarks/kernel.py [--claims 200000] [--codes 6] [--parquet FILE] [--packs PACK...]

Claims are made up: the same few thousand codes again and again, as in real files, drawn from all chapters.
A Parquet file with a column `codes` (list of text) takes their place. Process time of one core, best of several runs.
Without `--packs`, once with all bundled packs and once with the pack icd10cm alone.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from weakcode.codes.catalog import edition_for
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.judging import USUAL, CodedRows
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import AboutClaims
from weakcode.scrub.judge.findings import Memory
from weakcode.validator import Validator

RUNS = 7


def made_up(edition, claims: int, codes: int) -> pa.Array:
    """Return claims whose codes follow Zipf's law over 20,000 codes of the edition."""
    random = np.random.default_rng(1)
    popular = random.permutation(edition.size)[:20_000]
    weights = 1 / np.arange(1, len(popular) + 1)
    chosen = random.choice(popular, size=claims * codes, p=weights / weights.sum())
    names = pa.array([edition.code(number) for number in range(edition.size)])
    return pa.ListArray.from_arrays(np.arange(claims + 1, dtype=np.int32) * codes, names.take(pa.array(chosen)))


def best(work) -> float:
    """Return the least process time of several runs, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--claims", type=int, default=200_000)
    parser.add_argument("--codes", type=int, default=6)
    parser.add_argument("--parquet")
    parser.add_argument("--packs", nargs="*", help="packs to evaluate")
    options = parser.parse_args()
    for packs in [options.packs] if options.packs else [None, ["icd10cm"]]:
        measure(options, packs)


def measure(options: argparse.Namespace, packs: list[str] | None) -> None:
    """Print the figures of these packs."""

    edition = edition_for(None)
    validator = Validator(packs)
    judge = validator._judge_of(edition)
    on = [judge.severity_of(rule.id, None) is not None for rule in judge.program.rules]
    engine = ColumnarEngine(judge.program, edition, on.__getitem__)
    start = time.process_time()
    engine._parts[0].groups(kind=USUAL)
    built = 1000 * (time.process_time() - start)
    chosen_packs = "all packs" if packs is None else ", ".join(packs)
    print(f"{chosen_packs}: {len(judge.program)} edits, {engine.classes} classes, built in {built:.0f} ms")

    if options.parquet:
        column = pq.read_table(options.parquet, columns=["codes"])["codes"].combine_chunks()
    else:
        column = made_up(edition, options.claims, options.codes)
    claims = len(column)
    shapes = {
        "text": column,
        "dictionary": pa.ListArray.from_arrays(column.offsets, column.values.dictionary_encode()),
    }
    about = AboutClaims.of({}, claims)
    with_text = np.zeros(claims, np.bool_)
    known: dict[int, np.ndarray] = {}

    def bits_of(bits, chosen) -> tuple[np.ndarray, np.ndarray]:
        if id(bits) not in known:
            known[id(bits)] = about.conditions_where(bits, chosen, edition.starts, with_text)
        return known[id(bits)]

    chosen = np.ones(claims, np.uint8)
    memory = Memory(judge.program, judge.assembler, edition, engine)

    def coded(shape: str) -> CodedRows:
        codes = CodeColumn.of(shapes[shape])
        return CodedRows(codes.tokens(memory.reading), codes.bounds, memory.reading.names)

    rows = coded("text")
    hits = engine.hits_batch(rows, chosen, bits_of)
    memory.findings(hits, rows, about.payer)
    figures = {
        "text to codes": best(lambda: coded("text")),
        "dictionary to codes": best(lambda: coded("dictionary")),
        "codes to violations": best(lambda: engine.hits_batch(rows, chosen, bits_of)),
        "violations to findings": best(lambda: memory.findings(hits, rows, about.payer)),
    }
    print(f"{claims} claims, {len(rows.tokens) / claims:.1f} codes and {len(hits) / claims:.2f} violations a claim")
    for shape in ("text", "dictionary"):
        figures[f"both, from {shape}"] = figures[f"{shape} to codes"] + figures["codes to violations"]
    for name, seconds in figures.items():
        rate = claims / seconds / 1e6
        print(f"{name:24} {1e6 * seconds / claims:7.3f} µs a claim {rate:8.1f} million claims a second")
    print()


if __name__ == "__main__":
    main()
