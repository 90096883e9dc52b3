"""Findings into a folder of Parquet files, parted as the user says; a run appears whole, and once.

A run writes into a folder of its own below the folder, under names that nothing reads. When it has ended well, a
journal says which files go where and which go away; from then on the run is done, also where it is killed meanwhile:
the next one that writes into the folder does first what the journal says.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

from weakcode.base.locks import lock
from weakcode.base.temporary import remove_dead_folders
from weakcode.errors import InputError
from weakcode.scrub.schema import conformed, findings_schema
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.findings import findings_writer
from weakcode.scrub.write.runs.records import RunRecords
from weakcode.scrub.write.sinks import Placing, Sink, partition_values
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary
    from weakcode.scrub.write.files import BatchWriter

JOURNAL = ".weakcode.journal"
RUNS = "_runs"
"""The folder of the records of runs; readers of Parquet pass over names that begin so."""
NOTHING = "__HIVE_DEFAULT_PARTITION__"
"""What stands in the name of a folder for no value, as Hive has it."""
_STAGED = re.compile(r"\.weakcode-[0-9a-f]{8}\.partial")
_MOST_PARTITIONS = 500
_LONGEST_NAME = 255
"""Bytes that the name of a folder may have on most file systems."""
_ROWS, _MOST_ROWS = 65_536, 524_288
"""Findings of a partition that wait to be written together, and findings of all of them."""


class FolderSink(Sink):
    """Writes the findings of a run into a folder. Raises InputError where that cannot be done."""

    def __init__(self, folder: str, placing: Placing) -> None:
        self._folder = Path(os.path.realpath(folder))
        self._placing = placing
        self._run_id = ""
        self._parts: dict[tuple[str, ...], _Part] = {}
        if self._folder.exists() and not self._folder.is_dir():
            raise InputError(f"--into parquet:{folder} names something that is no folder")
        if not self._folder.parent.is_dir():
            raise InputError(f"the folder {self._folder.parent} does not exist; make it first")
        self._refuse_others()
        self._records = RunRecords(self._folder / RUNS)
        self._lock_file: BinaryIO | None = None

    def _refuse_others(self) -> None:
        """Raise InputError where this run would remove a file that no run wrote."""
        mode = self._placing.mode
        for path in parquet_files(self._folder) if mode in ("replace", "partition") else ():
            if not path.name.startswith("findings-"):
                raise InputError(
                    f"the folder {self._folder} has the file {path.relative_to(self._folder)}, which is not called as "
                    f"a run of weakcode calls its files, and --into-mode {mode} removes what is there; give the "
                    "findings a folder of their own"
                )

    def started(self, run: RunTime) -> None:
        """Note that a run is under way, and make what it writes into."""
        self._run_id = run.id
        with writing(self._folder):
            self._folder.mkdir(exist_ok=True)
            with _locked(self._folder):
                complete(self._folder)
                remove_dead_folders(self._folder, _STAGED)
                self._records.started(run)
                self._staged = self._folder / f".weakcode-{secrets.token_hex(4)}.partial"
                self._staged.mkdir(mode=0o700)
                self._lock_file = (self._staged / "lock").open("wb")
                with suppress(OSError):
                    lock(self._lock_file)

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Note that the run did not complete, and why."""
        self._records.ended(run, state, why)

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the findings of one batch."""
        batch = conformed(batch)
        if not batch.num_rows:
            return
        for key, rows in self._split(batch):
            part = self._parts.get(key)
            if part is None:
                if len(self._parts) >= _MOST_PARTITIONS:
                    raise InputError(
                        f"--partition-by {','.join(self._placing.partition_by)} parts the findings into more than "
                        f"{_MOST_PARTITIONS} folders; part them by less"
                    )
                self._refuse_long_names(key)
                part = self._parts[key] = _Part(self._staged / f"{len(self._parts)}.part")
            part.add(rows)
        if sum(part.rows for part in self._parts.values()) > _MOST_ROWS:
            for part in self._parts.values():
                part.flush()

    def _split(self, batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, ...], pa.RecordBatch]]:
        """Give the findings of each partition, in their order."""
        import numpy as np
        import pyarrow as pa

        names = self._placing.partition_by
        if not names:
            yield (), batch
            return
        columns = [column.dictionary_encode() for column in partition_values(batch, names)]
        number = np.zeros(batch.num_rows, np.int64)
        for column in columns:
            index = np.asarray(column.indices.fill_null(len(column.dictionary)))
            number = number * (len(column.dictionary) + 1) + index
        for value in np.unique(number).tolist():
            picked = np.flatnonzero(number == value)
            first = int(picked[0])
            key = tuple(column[first].as_py() or NOTHING for column in columns)
            yield key, batch.take(pa.array(picked))

    def end(self, summary: Summary) -> None:
        with writing(self._folder):
            run = quote(self._run_id, safe="")
            put: dict[str, str] = {}
            if summary.is_kept:
                if not self._parts and not self._placing.partition_by:
                    # A run without findings says so by a file without rows.
                    self._parts[()] = _Part(self._staged / "0.part")
                name = f"{run}.parquet" if self._placing.mode != "append" else f"{run}-{secrets.token_hex(4)}.parquet"
                for key, part in self._parts.items():
                    part.finish(summary.metadata(run=True))
                    put[part.path.name] = str(Path(*self._folders(key), f"findings-{name}"))
            record = self._staged / "run"
            record.write_bytes(summary.to_json().encode("utf-8", "backslashreplace") + b"\n")
            _synced(record)
            put[record.name] = f"{RUNS}/{run}.json"
            with _locked(self._folder):
                complete(self._folder)
                remove = self._replaced(run) if summary.is_kept else []
                remove = sorted(set(remove) - set(put.values()))
                _prepare(self._folder, put.values(), remove)
                journal = {"from": self._staged.name, "put": put, "remove": remove}
                written = self._staged / "journal"
                written.write_text(json.dumps(journal), "utf-8")
                _synced(written)
                written.replace(self._folder / JOURNAL)
                _synced(self._folder)
                complete(self._folder)
        self.abandon()
        self._records.let_go()
        if summary.is_kept:
            WRITTEN.append(f"the folder {self._folder}")

    def _folders(self, key: tuple[str, ...]) -> list[str]:
        return [f"{name}={quote(value, safe='')}" for name, value in zip(self._placing.partition_by, key, strict=True)]

    def _refuse_long_names(self, key: tuple[str, ...]) -> None:
        for name, folder in zip(self._placing.partition_by, self._folders(key), strict=True):
            if len(folder) > _LONGEST_NAME:
                raise InputError(
                    f"--partition-by {name}: a value of {name} is too long for the name of a folder, which has at most "
                    f"{_LONGEST_NAME} bytes; part the findings by something else"
                )

    def _replaced(self, run: str) -> list[str]:
        """Return the files whose place this run takes."""
        files = [str(path.relative_to(self._folder)) for path in parquet_files(self._folder)]
        if self._placing.mode == "replace":
            return files
        if self._placing.mode == "partition":
            own_folders = {str(Path(*self._folders(key))) for key in self._parts}
            return [path for path in files if str(Path(path).parent) in own_folders]
        if self._placing.mode == "run":
            return [path for path in files if Path(path).name == f"findings-{run}.parquet"]
        return []

    def abandon(self) -> None:
        """Remove what was written; what the journal says is done is done all the same, after `end` nothing more."""
        for part in self._parts.values():
            part.abandon()
        try:
            with suppress(OSError):
                if self._lock_file is not None and (self._folder / JOURNAL).exists():
                    with _locked(self._folder):
                        complete(self._folder)
        finally:
            if self._lock_file is not None:
                self._lock_file.close()
        if self._lock_file is not None and not (self._folder / JOURNAL).exists():
            shutil.rmtree(self._staged, ignore_errors=True)


class _Part:
    """The findings of a run in one partition, of which `rows` wait to be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[pa.RecordBatch] = []
        self.rows = 0
        self._file: BinaryIO | None = None
        self._writer: BatchWriter | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Take findings."""
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if self.rows >= _ROWS:
            self.flush()

    def _opened(self) -> BatchWriter:
        if self._writer is None:
            self._file = self.path.open("wb")
            self._writer = findings_writer(self.path.with_suffix(".parquet"), self._file)
        return self._writer

    def flush(self) -> None:
        """Write what waits."""
        import pyarrow as pa

        if self._waiting:
            # Each would be a row group of its own.
            plain = pa.Table.from_batches([batch.cast(findings_schema()) for batch in self._waiting])
            for batch in plain.combine_chunks().to_batches():
                self._opened().write(batch)
            self._waiting.clear()
            self.rows = 0

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains."""
        self.flush()
        self._opened().finish(metadata)
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Let go of the file."""
        if self._writer is not None:
            self._writer.abandon()
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


def parquet_files(folder: Path) -> list[Path]:
    """Return the Parquet files in a folder and its partitions, in order; names that begin with . or _ are none."""
    return sorted(
        path
        for path in folder.rglob("*.parquet")
        if path.is_file() and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    )


def _prepare(folder: Path, targets: Iterable[str], removed: Iterable[str]) -> None:
    """Make the folders that files are moved into, so that what cannot be moved shows before a journal says that it is.

    Raises InputError where two of them are the same folder, and OSError; then none of them is left.
    """
    targets = list(targets)
    made: list[Path] = []
    try:
        parents = {(folder / target).parent for target in targets}
        for parent in sorted(parents):
            for one in reversed([parent, *(above for above in parent.parents if folder in above.parents)]):
                if not one.is_dir():
                    one.mkdir()
                    made.append(one)
        if len({(status.st_dev, status.st_ino) for status in map(Path.stat, parents)}) < len(parents):
            raise InputError(
                f"two values of --partition-by name the same folder below {folder}, as where a file system does not "
                "tell upper from lower case; part the findings by something else"
            )
        for target in targets:
            with suppress(FileNotFoundError):
                (folder / target).lstat()  # raises OSError for a name that is too long
        for parent in {*parents, *((folder / name).parent for name in removed)}:
            if not os.access(parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, f"{os.strerror(errno.EACCES)} ({parent.relative_to(folder)})")
    except BaseException:
        for one in reversed(made):
            with suppress(OSError):
                one.rmdir()
        raise


def complete(folder: Path) -> None:
    """Do what a journal says that a run left, if there is one; what is done already is passed over."""
    path = folder / JOURNAL
    if not path.is_file():
        return
    journal: dict[str, Any] = json.loads(path.read_text("utf-8"))
    staged = folder / journal["from"]
    for name, target in journal["put"].items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            (staged / name).replace(folder / target)
    for name in journal["remove"]:
        (folder / name).unlink(missing_ok=True)
        parent = (folder / name).parent
        while parent != folder:
            try:
                parent.rmdir()
            except OSError:  # there is something in it
                break
            parent = parent.parent
    for changed in {(folder / name).parent for name in (*journal["put"].values(), *journal["remove"])}:
        if changed.is_dir():
            _synced(changed)
    path.unlink()
    _synced(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other runs from changing the folder meanwhile, by a file: on NFS a folder itself cannot be locked."""
    with (folder / ".weakcode.lock").open("ab") as file:
        with suppress(OSError):  # a file system without locks
            lock(file, waits=True)
        yield


def _synced(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
