"""Files that executors read and write themselves: the same as on one machine, and one copy of it, whatever happens."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("pyspark", reason="needs the extra spark")

from weakcode import Validator
from weakcode.errors import InputError
from weakcode.scrub.gates import Gate
from weakcode.scrub.run import Plan
from weakcode.scrub.summary import JudgedBy, Summary
from weakcode.spark import files, run, splits, worker

VALIDATOR = Validator(packs="weakness")


class Context:
    """A Spark of this process. `attempts` says of a task what its attempts are made of; the last one counts."""

    defaultParallelism = 2  # noqa: N815 - Spark's own name

    def __init__(self, attempts: Callable[[int], int] = lambda _: 1) -> None:
        self._attempts = attempts

    def broadcast(self, value: bytes) -> Any:
        return type("Broadcast", (), {"value": value})()

    def parallelize(self, data: Any, parts: int) -> Any:
        split = [[one] for one in data] if parts == len(data) else [list(data)]
        return _Rdd(split, self._attempts)


class _Rdd:
    def __init__(self, split: list[list[Any]], attempts: Callable[[int], int]) -> None:
        self._split, self._attempts = split, attempts

    def mapPartitionsWithIndex(self, work: Any) -> _Rdd:  # noqa: N802 - Spark's own name
        return _Rdd(
            [
                [list(work(number, iter(part))) for _ in range(self._attempts(number))][-1]
                for number, part in enumerate(self._split)
            ],
            self._attempts,
        )

    def mapPartitions(self, work: Any) -> _Rdd:  # noqa: N802
        return self.mapPartitionsWithIndex(lambda _, part: work(part))

    def collect(self) -> list[Any]:
        return [one for part in self._split for one in part]


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tasks have two claims."""
    monkeypatch.setattr(splits, "LEAST_ROWS", 2)
    monkeypatch.setattr(splits, "MOST_ROWS", 2)


@pytest.fixture(autouse=True)
def nothing_opened() -> Iterator[None]:
    worker._opened.clear()
    yield
    worker._opened.clear()


def scrubbed(
    monkeypatch: pytest.MonkeyPatch, inputs: list[Path], output: Path, context: Context | None = None, **options: Any
) -> Summary:
    """Scrub as on the command line, on a Spark of this process."""
    from contextlib import nullcontext

    session = type("Session", (), {"sparkContext": context or Context()})()
    monkeypatch.setattr(run, "_session", lambda _: nullcontext(session))
    given = [str(path) for path in inputs]
    return run.scrub_files(given, options.pop("validator", VALIDATOR), master="local", output=str(output), **options)


def on_one_machine(inputs: list[Path], output: Path, validator: Validator = VALIDATOR, **options: Any) -> Summary:
    by = JudgedBy.of(validator)
    return Plan(inputs, validator, columns=validator.columns(), judged_by=by, output=output, **options).run()


def without_times(summary: Summary) -> dict[str, Any]:
    values = json.loads(summary.to_json())
    for name in ("run", "seconds", "idle_waivers"):
        del values[name]
    return values  # type: ignore[no-any-return]


def claims(path: Path, number: int, group: int = 1, **columns: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = {"claim_id": [f"{path.stem}{at}" for at in range(number)], "codes": [["M62.84", "I10"]] * number, **columns}
    pq.write_table(pa.table(table), path, row_group_size=group)
    return path


def test_row_groups_become_tasks_of_neighbours_and_keep_the_order(tmp_path: Path, small_tasks: None) -> None:
    one, other = claims(tmp_path / "a.parquet", 5), claims(tmp_path / "b.parquet", 1)
    tasks = splits.tasks_of([str(one), str(other)], 1)
    assert [[(Path(piece.path).name, piece.row_groups, piece.rows) for piece in task] for task in tasks] == [
        [("a.parquet", range(2), 2)],
        [("a.parquet", range(2, 4), 2)],
        [("a.parquet", range(4, 5), 1), ("b.parquet", range(1), 1)],
    ]


def test_a_file_of_which_several_rows_are_a_claim_is_one_task(tmp_path: Path, small_tasks: None) -> None:
    path = tmp_path / "long.parquet"
    rows = {"person_id": [1, 1, 2, 2], "visit_occurrence_id": [1, 1, 2, 2], "condition_source_value": ["M62.84"] * 4}
    pq.write_table(
        pa.table({**rows, "condition_start_date": ["2026-04-02"] * 4, "condition_occurrence_id": [1, 2, 3, 4]}),
        path,
        row_group_size=1,
    )
    ((piece,),) = splits.tasks_of([str(path)], 8)
    assert piece.row_groups == range(4)


def test_findings_rejects_and_counts_are_those_of_one_machine_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_tasks: None
) -> None:
    folder = tmp_path / "claims"
    # The form of the dates is told by the first row alone, of which other tasks know nothing.
    days = ["25/04/2026", "03/04/2026", "02/04/2026", "01/04/2026", "04/04/2026", "05/04/2026"]
    claims(folder / "payer=Acme" / "a.parquet", 6, service_date=days, age=["81", "old", "79", "80", "70", "NA"])
    claims(folder / "payer=Blue%20River" / "b.parquet", 3, codes=[[], ["M62.84"], ["I10"]])
    (folder / "read.me").write_text("nothing to read")
    outputs = [tmp_path / f"{way}.parquet" for way in ("spark", "local")]
    rejects = [tmp_path / f"{way}.jsonl" for way in ("spark", "local")]

    there = scrubbed(monkeypatch, [folder], outputs[0], rejects=str(rejects[0]))
    here = on_one_machine([folder], outputs[1], rejects=rejects[1])

    assert without_times(there) == without_times(here)
    assert there.rejected == 2
    assert {"Acme", "Blue River"} == set(pq.read_table(outputs[0])["payer"].to_pylist())
    assert pq.read_table(outputs[0]).to_pylist() == pq.read_table(outputs[1]).to_pylist()
    assert rejects[0].read_text() == rejects[1].read_text()
    assert len(list(outputs[0].glob("*.parquet"))) > 2


def test_ids_of_findings_do_not_depend_on_which_task_has_the_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_tasks: None
) -> None:
    path = claims(tmp_path / "claims.parquet", 3, claim_id=["A", "A", "A"])
    scrubbed(monkeypatch, [path], tmp_path / "out.parquet")
    assert len(set(pq.read_table(tmp_path / "out.parquet")["finding_id"].to_pylist())) == 1


def test_of_a_delta_table_the_latest_version_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_tasks: None
) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    for ids in ("AB", "C"):
        rows = pa.table({"claim_id": list(ids), "codes": [["M62.84"]] * len(ids)})
        lake.write_deltalake(str(tmp_path / "claims"), rows, mode="append")
    lake.DeltaTable(str(tmp_path / "claims")).delete("claim_id = 'B'")
    summary = scrubbed(monkeypatch, [tmp_path / "claims"], tmp_path / "out.parquet")
    assert sorted(pq.read_table(tmp_path / "out.parquet")["claim_id"].to_pylist()) == ["A", "C"]
    assert summary.claims_in == 2


def test_tasks_that_run_twice_leave_one_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_tasks: None
) -> None:
    path = claims(tmp_path / "claims.parquet", 9)
    aside = tmp_path / "rejects.csv"
    summary = scrubbed(
        monkeypatch, [path], tmp_path / "out.parquet", Context(lambda number: 1 + number % 3), rejects=str(aside)
    )
    assert pq.read_table(tmp_path / "out.parquet")["line"].to_pylist() == list(range(1, 10))
    assert (summary.claims_in, summary.findings) == (9, 9)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["claims.parquet", "out.parquet", "rejects.csv"]


def test_an_attempt_that_is_killed_after_it_wrote_leaves_nothing(
    session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_tasks: None
) -> None:
    path, died = claims(tmp_path / "in" / "claims.parquet", 5), str(tmp_path)

    def killed_once(*given: Any) -> Any:
        judge = files_task(*given)

        def attempt(number: int, tasks: Any) -> Any:
            done = list(judge(number, tasks))
            with open(f"{died}/died-{number}", "a+") as marks:  # noqa: PTH123 - sent to executors
                if marks.tell() == 0:
                    marks.write("once")
                    marks.flush()
                    os.kill(os.getpid(), signal.SIGKILL)
            return iter(done)

        return attempt

    files_task = files.Task
    monkeypatch.setattr(files, "Task", killed_once)
    run.scrub_files([str(path)], VALIDATOR, master="local", output=str(tmp_path / "in" / "out.parquet"))

    assert len(list(tmp_path.glob("died-*"))) > 1
    assert pq.read_table(tmp_path / "in" / "out.parquet")["line"].to_pylist() == [1, 2, 3, 4, 5]
    assert sorted(one.name for one in (tmp_path / "in").iterdir()) == ["claims.parquet", "out.parquet"]


def test_what_a_killed_run_left_goes_with_the_next_and_what_another_writes_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = claims(tmp_path / "claims.parquet", 2)
    dead, alive = (tmp_path / f"out.parquet.{letter * 12}.partial" for letter in "ab")
    for folder in (dead, alive):
        folder.mkdir()
        (folder / files.LOCK).touch()
    with (alive / files.LOCK).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        scrubbed(monkeypatch, [path], tmp_path / "out.parquet")
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([path.name, "out.parquet", alive.name])


def test_a_mistake_in_a_file_ends_the_run_in_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"name": ["Smith"]}), path)
    with pytest.raises(InputError, match=r"other\.parquet"):
        scrubbed(monkeypatch, [path], tmp_path / "out.parquet")
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    (tmp_path / "claims.csv").write_text("claim_id,codes\nA,I10\n")
    with pytest.raises(InputError, match=r"claims\.csv is not a Parquet file; scrub it without --spark"):
        scrubbed(monkeypatch, [tmp_path / "claims.csv"], tmp_path / "out.parquet")


def test_a_run_over_its_gate_writes_rejects_and_no_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = claims(tmp_path / "claims.parquet", 3, codes=[[], ["M62.84"], ["I10"]])
    gates = (Gate.of("max-rejects", "0"), None)
    summary = scrubbed(
        monkeypatch, [path], tmp_path / "out.parquet", rejects=str(tmp_path / "rejects.csv"), gates=gates
    )
    assert not summary.is_kept
    assert sorted(one.name for one in tmp_path.iterdir()) == ["claims.parquet", "rejects.csv"]


def test_a_run_that_is_tried_again_replaces_what_it_wrote_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = claims(tmp_path / "claims.parquet", 3), tmp_path / "out.parquet"
    scrubbed(monkeypatch, [path], out, run_id="night-1")
    claims(path, 2)
    scrubbed(monkeypatch, [path], out, run_id="night-1")
    assert pq.read_table(out)["line"].to_pylist() == [1, 2]
    for other in ("night-2", None):
        with pytest.raises(InputError, match="is there already"):
            scrubbed(monkeypatch, [path], out, run_id=other)
    (out / run.SUMMARY_FILE).write_text("[]")
    with pytest.raises(InputError, match="is there already"):
        scrubbed(monkeypatch, [path], out, run_id="night-1")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["claims.parquet", "out.parquet"]


def test_findings_that_came_to_be_there_meanwhile_are_not_touched(tmp_path: Path) -> None:
    target = tmp_path / "out.parquet"
    with files.staged(target) as folder:
        (folder / "findings").mkdir()
        target.mkdir()
        (target / "of-another").touch()
        with pytest.raises(InputError, match="is there already, since this run began"):
            files.commit(folder, target)
    assert [one.name for one in target.iterdir()] == ["of-another"]
