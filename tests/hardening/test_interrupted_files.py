"""Whatever raises while files are scrubbed or a Spark task runs: outputs are whole and together, or none is there."""

from __future__ import annotations

import json
import os
import pickle
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.hardening.interrupting import ENGINES, Interrupted, interrupted_at, of_every_line, steps_of

from weakcode import Validator

MANY = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 100
"""Lines at which an attack interrupts; all of them are for the nightly profile, because each costs a whole run."""
CODES = ["G72.9", "M62.84", "E11.9", "K31.84", "U09.9", "I10", "I10"]
ROWS = [
    "claim_id,codes,service_date",
    *(f"C{n},{' '.join(CODES[n % 3 :])},2026-0{1 + n % 6}-11" for n in range(6)),
    "BAD,,2026-01-11",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("interrupted")
    (made / "claims.csv").write_text("\n".join(ROWS) + "\n")
    (made / "out").mkdir()
    return made


def scrubbing(folder: Path, engine: str, ending: str) -> Callable[[], None]:
    """Return what scrubs the claims in a folder into four files below it."""
    from weakcode.scrub.run import scrub

    validator = Validator(["weakness", "icd10cm"], engine=engine)
    columns = validator.columns() if engine == "columnar" else None
    out = folder / "out"

    def work() -> None:
        scrub(
            [folder / "claims.csv"],
            validator,
            output=out / f"findings.{ending}",
            rejects=out / "rejects.csv",
            fixed=out / "mended.jsonl",
            summary=out / "summary.json",
            mend=lambda claim: validator.fix(claim).claim,
            columns=columns,
        )

    return work


def emptied(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder by name and take them away; of a summary only that it is whole."""
    found = {}
    for one in sorted(folder.iterdir()):
        found[one.name] = one.read_bytes()
        if one.name == "summary.json":
            assert json.loads(found[one.name])["claims_in"] == len(ROWS) - 1
            found[one.name] = b"whole"
        one.unlink()
    return found


def attacked(work: Callable[[], None], folder: Path, most: int) -> None:
    """Interrupt a scrub at up to so many of its lines; whatever it leaves is nothing, or everything and whole."""
    work()
    whole = emptied(folder)
    assert len(whole) == 4
    steps = of_every_line(steps_of(work))
    assert emptied(folder) == whole
    chosen = random.Random(6281)
    outcomes = set()
    for step in steps if len(steps) <= most else sorted(chosen.sample(steps, most)):
        raised = Interrupted()
        seen = None
        try:
            interrupted_at(step, work, raised)
        except Interrupted as came:
            seen = came
        assert seen in (raised, None), str(step)
        left = emptied(folder)
        assert left == whole or (seen is raised and left == {}), f"{step} left {sorted(left)}"
        outcomes.add(bool(left))
    assert False in outcomes
    work()
    assert emptied(folder) == whole


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exception_during_a_scrub_leaves_all_of_its_files_or_none(folder: Path, engine: str) -> None:
    attacked(scrubbing(folder, engine, "csv"), folder / "out", 25)


@pytest.mark.attack
@pytest.mark.parametrize("ending", ["parquet", "jsonl", "arrow"])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_exception_at_any_line_of_a_scrub_leaves_all_of_its_files_or_none(
    folder: Path, engine: str, ending: str
) -> None:
    attacked(scrubbing(folder, engine, ending), folder / "out", MANY)


def test_an_exception_between_two_files_that_are_put_in_place_leaves_both(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = scrubbing(folder, "columnar", "csv")
    work()
    whole = emptied(folder / "out")
    real, placed = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        done = real(self, target)
        placed.append(target)
        if len(placed) == 2:
            raise Interrupted
        return done

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(Interrupted):
        work()
    monkeypatch.undo()
    assert emptied(folder / "out") == whole


def tasks(most: int) -> None:
    """Interrupt a task of Spark at up to so many of its lines; the same process then runs it again, and whole."""
    pa = pytest.importorskip("pyarrow")
    pytest.importorskip("pyspark", reason="needs the extra spark")
    from weakcode.scrub.summary import JudgedBy
    from weakcode.spark import worker

    packed = zlib.compress(pickle.dumps(Validator(["weakness", "icd10cm"]).in_bulk()))
    rules = worker.Shipment("one", JudgedBy("columnar", ["weakness 1"], []), packed)
    batch = pa.RecordBatch.from_pydict(
        {"claim_id": ["A", "B", "C"], "codes": pa.array([["M62.84", "I10"], ["I10"], []], pa.list_(pa.string()))}
    )

    def task() -> list[Any]:
        worker._opened.clear()
        return again()

    def again() -> list[Any]:
        return [row for part in worker.judged(iter([batch]), rules, ()) for row in part.to_pylist()]

    whole = task()
    assert {row["kind"] for row in whole} == {"finding", "rejected", "tally"}
    steps = of_every_line(steps_of(task))
    for step in sorted(random.Random(6281).sample(steps, min(most, len(steps)))):
        raised, seen, outcome = Interrupted(), None, None
        try:
            outcome = interrupted_at(step, task, raised)
        except Interrupted as came:
            seen = came
        assert seen is raised or outcome == whole, str(step)
        assert again() == whole, str(step)


def test_an_exception_during_a_task_of_spark_leaves_a_process_that_runs_it_again() -> None:
    tasks(15)


@pytest.mark.attack
def test_an_exception_at_any_line_of_a_task_of_spark_leaves_a_process_that_runs_it_again() -> None:
    tasks(MANY)
