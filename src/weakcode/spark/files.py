"""Files of claims judged by executors, which read them and write files of findings themselves.

Spark plans, retries and chooses. What an attempt of a task writes has a name of its own; of each task the driver keeps
what the one attempt wrote whose outcome Spark took, so that a task that runs twice leaves one copy of its findings.
"""

from __future__ import annotations

import glob
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.base.temporary import is_dead, locked
from weakcode.errors import InputError, WeakcodeError
from weakcode.scrub.read.log import ReadCounts
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.run import Plan
from weakcode.scrub.runs import InputFile, inputs_of
from weakcode.scrub.write.files import OutputError, writing
from weakcode.scrub.write.findings import findings_writer
from weakcode.spark.counts import as_part, together
from weakcode.spark.splits import Piece, files_in, tasks_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from weakcode.scrub.summary import Summary
    from weakcode.scrub.write.rejects import RejectsWriter
    from weakcode.spark.worker import Shipment

LOCK = "running"
_PIECES = "pieces"
_FOUND = "findings"
_BEFORE = "before"


@attrs.frozen
class TaskOutcome:
    """What became of a task: its counts and the files that its attempt wrote, or the `error` that ends the run."""

    counts: dict[str, Any] = attrs.field(factory=dict)
    findings: str = ""
    rejects: str = ""
    error: WeakcodeError | None = None


@attrs.frozen(eq=False)
class Task:
    """What executors do with the pieces of a task."""

    rules: Shipment
    folder: str
    keeps_rejects: bool
    hash_key: bytes | None = attrs.field(repr=False)
    mapping: Mapping[str, str] | None = None

    def __call__(self, number: int, tasks: Iterable[tuple[Piece, ...]]) -> Iterator[TaskOutcome]:
        """Judge the pieces of one partition of the data, which is one task."""
        for pieces in tasks:
            try:
                yield self.run(number, pieces)
            except WeakcodeError as error:
                # No other attempt would end otherwise.
                yield TaskOutcome(error=error)

    def run(self, number: int, pieces: Sequence[Piece]) -> TaskOutcome:
        """Write the findings of the pieces into a file of this attempt."""
        validator, scrubber = self.rules.opened()
        name = f"{number:05}-{uuid.uuid4().hex[:12]}"
        found, aside = (Path(self.folder, _PIECES, f"{name}{kind}") for kind in (".parquet", ".rejects.parquet"))
        summary = Plan(
            [piece.path for piece in pieces],
            validator,
            columns=scrubber,
            judged_by=self.rules.judged_by,
            options=ReadOptions(row_groups={piece.path: piece.row_groups for piece in pieces}, mapping=self.mapping),
            output=found,
            rejects=aside if self.keeps_rejects else None,
            hash_key=self.hash_key,
            is_part=True,
        ).run()
        return TaskOutcome(
            as_part(summary),
            found.name if summary.findings + summary.waived else "",
            aside.name if self.keeps_rejects and summary.rejected else "",
        )


def scrub_on_executors(
    session: SparkSession,
    inputs: Sequence[str],
    rules: Shipment,
    folder: Path,
    *,
    keeps_rejects: bool,
    hash_key: bytes | None,
    mapping: Mapping[str, str] | None = None,
) -> tuple[Summary, list[Path]]:
    """Judge the claims of Parquet files; their findings are then in `found_in(folder)`, in the order of the claims.

    Returns the counts, and the files of rejected rows. Raises InputError for files that cannot be read or written.
    """
    context = session.sparkContext
    files = files_in(inputs)
    tasks = tasks_of(files.files, context.defaultParallelism, mapping)
    with writing(folder):
        for name in (_PIECES, _FOUND):
            (folder / name).mkdir()
    judge = Task(rules, str(folder), keeps_rejects, hash_key, None if mapping is None else dict(mapping))
    outcomes: list[TaskOutcome] = context.parallelize(tasks, len(tasks)).mapPartitionsWithIndex(judge).collect()
    for one in outcomes:
        if one.error is not None:
            raise one.error
    if len(outcomes) != len(tasks):
        raise InputError(f"Spark gave the outcome of {len(outcomes):,} of {len(tasks):,} tasks; the run was given up")
    digests = _digests(session, files.files)
    with writing(folder):
        for number, name in enumerate(one.findings for one in outcomes if one.findings):
            (folder / _PIECES / name).rename(found_in(folder) / f"part-{number:05}.parquet")
    counted = together([one.counts for one in outcomes], 0.0)
    passed = {at: ReadCounts(counts={"files passed over": number}) for at, number in files.passed_over.items()}
    summary = attrs.evolve(counted, inputs=digests, reading={**passed, **counted.reading})
    return summary, [folder / _PIECES / one.rejects for one in outcomes if one.rejects]


def found_in(folder: Path) -> Path:
    """Return where the findings of a run are until it is finished."""
    return folder / _FOUND


def _digests(session: SparkSession, files: Sequence[str]) -> tuple[InputFile, ...]:
    """Return the inputs with their digests, which executors work out."""
    context = session.sparkContext
    parts = min(len(files), 4 * context.defaultParallelism)
    return tuple(context.parallelize(files, parts).mapPartitions(inputs_of).collect())


def write_rejects(files: Sequence[Path], writer: RejectsWriter) -> None:
    """Write the rejected rows of all tasks into one file."""
    import pyarrow.parquet as pq

    for path in files:
        for batch in pq.ParquetFile(path).iter_batches(4096):
            for row in batch.to_pylist():
                writer.write(
                    Rejected(
                        row["file"], row["line"], row["claim_id"], row["reason"], "", raw=row["raw"], place=row["place"]
                    )
                )
    writer.finish()


@contextmanager
def staged(target: Path, *, replaces: bool = False) -> Iterator[Path]:
    """Give a folder beside the target for what is not finished; it is gone at the end, whatever happens.

    What runs left that were killed is removed: a lock tells that they are dead. Raises InputError for a target that is
    there already, unless the run `replaces` it, or whose folder is not.
    """
    if os.path.lexists(target) and not replaces:
        raise InputError(f"{target} is there already; remove it, or give the output another name")
    if not target.parent.is_dir():
        raise InputError(f"the folder {target.parent} does not exist; make it first")
    _remove_dead(target)
    folder = target.with_name(f"{target.name}.{uuid.uuid4().hex[:12]}.partial")
    with writing(folder):
        folder.mkdir()
        handle = os.open(folder / LOCK, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        locked(handle, folder / LOCK)
        yield folder
    finally:
        os.close(handle)
        shutil.rmtree(folder, ignore_errors=True)


def finish(folder: Path, named: Mapping[str, bytes], metadata: Mapping[str, str]) -> None:
    """Complete the findings of a run: an empty table where there are none, and the files of these names beside them."""
    parts = found_in(folder)
    with writing(folder):
        if not any(parts.iterdir()):
            path = parts / "part-00000.parquet"
            with path.open("wb") as file:
                findings_writer(path, file).finish(metadata)
        for name, content in named.items():
            (parts / name).write_bytes(content)


def commit(folder: Path, target: Path, *, replaces: bool = False) -> None:
    """Put the findings in their place, whole; of what they replace nothing is left.

    Raises OutputError where something came to be there meanwhile.
    """
    with writing(target):
        if os.path.lexists(target):
            if not replaces:
                raise OutputError(f"{target} is there already, since this run began; nothing was written")
            target.rename(folder / _BEFORE)
        found_in(folder).rename(target)


def _remove_dead(target: Path) -> None:
    for folder in target.parent.glob(f"{glob.escape(target.name)}.{'[0-9a-f]' * 12}.partial"):
        if is_dead(folder / LOCK):
            shutil.rmtree(folder, ignore_errors=True)
