"""Records of runs in a folder: a file for each, which says from the start to the end what happened to the run.

A run that is under way has a file `RUN.running`, on which its process holds a lock. When it ends, `RUN.json` is its
summary, or says why there is none. Each appears whole. The files of runs that were killed are closed by the next run
that begins here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, unquote

import attrs

from weakcode.base.locks import CAN_LOCK, folder_lock, lock, opened_to_lock
from weakcode.base.temporary import is_dead
from weakcode.errors import InputError, UnavailableError
from weakcode.scrub.read.places import is_address
from weakcode.scrub.watching import Watcher
from weakcode.scrub.write.files import writing

if TYPE_CHECKING:
    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary

RUNNING, COMPLETED, NOT_KEPT, KILLED = "running", "completed", "not kept", "killed"
"""States of a run, beside those in which it did not complete (`watching.FAILED`, `STOPPED`)."""
WHY_KILLED = "the process ended without a word: it was killed, or its machine stopped"
TRIED_AGAIN = "an attempt to run it again did not complete; what it wrote before stands"
_UNDER_WAY = ".running"


class RunRecords(Watcher):
    """The records of runs in a folder, which is made where it is not there; hears of one run.

    Raises InputError where the folder cannot be written into, and where a run of the same id is under way.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)
        self._mark: Path | None = None
        self._handle: BinaryIO | None = None

    @classmethod
    def of(cls, folder: str) -> RunRecords:
        """Return the records in a folder that was asked for. Raises InputError where it can be none."""
        if is_address(folder) or (Path(folder).exists() and not Path(folder).is_dir()):
            raise InputError(f"--records {folder} is not a folder of this machine")
        if not Path(folder).absolute().parent.is_dir():
            raise InputError(f"the folder {Path(folder).parent} does not exist; make it first")
        return cls(folder)

    def started(self, run: RunTime) -> None:
        """Say that a run is under way, and close the records of runs that are dead."""
        with writing(self._folder):
            self._folder.mkdir(exist_ok=True)
            with folder_lock(self._folder):
                self._close_dead()
                mark = self._folder / f"{quote(run.id, safe='')}{_UNDER_WAY}"
                if _is_locked(mark):
                    raise under_way(run.id)
                _written(mark, _as_json({"run": attrs.asdict(run), "state": RUNNING}))
                handle = mark.open("ab")
                with suppress(OSError):  # a file system without locks
                    lock(handle)
            self._mark, self._handle = mark, handle

    def completing(self, summary: Summary) -> None:
        """Write the summary, which becomes the record when the run has completed."""
        if self._mark is not None:
            with writing(self._record(self._mark)):
                _write(self._record(self._mark), summary.to_json().encode("utf-8", "backslashreplace") + b"\n")

    def completed(self, summary: Summary) -> None:
        """Make the summary the record of the run."""
        with self._ending() as mark:
            if mark is not None:
                record = self._record(mark)
                _part(record).replace(record)

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Say that the run did not complete, and why."""
        with self._ending() as mark:
            if mark is not None:
                _part(self._record(mark)).unlink(missing_ok=True)
                self._close(mark, {"run": attrs.asdict(run.ending()), "state": state, "why": why})

    def let_go(self) -> None:
        """Remove the mark of a run that is under way, whose record stands."""
        with self._ending():
            pass

    @contextmanager
    def _ending(self) -> Iterator[Path | None]:
        """Remove the mark after the block; where that fails, leave it to the next run."""
        mark, handle = self._mark, self._handle
        self._mark = self._handle = None
        try:
            with writing(self._folder):
                yield mark
                if mark is not None:
                    mark.unlink(missing_ok=True)
        finally:
            if handle is not None:
                handle.close()

    def _record(self, mark: Path) -> Path:
        return mark.with_name(mark.name.removesuffix(_UNDER_WAY) + ".json")

    def _close_dead(self) -> None:
        for part in self._folder.glob(f".*{_UNDER_WAY}.partial"):
            part.unlink(missing_ok=True)
        for mark in sorted(self._folder.glob(f"*{_UNDER_WAY}")):
            if not is_dead(mark):
                continue
            content = _read(mark)
            run = content.get("run") or {"id": unquote(mark.name.removesuffix(_UNDER_WAY)), "started": "", "ended": ""}
            self._close(mark, {"run": {**run, "ended": ""}, "state": KILLED, "why": WHY_KILLED})
            mark.unlink(missing_ok=True)

    def _close(self, mark: Path, content: dict[str, Any]) -> None:
        """Write how a run ended, unless an earlier attempt completed, whose findings stand."""
        record = self._record(mark)
        if not _read(record).get("is_kept"):
            _written(record, _as_json(content))


def is_without_summary(path: Path) -> bool:
    """Tell whether a file is the record of a run that did not complete."""
    content = _read(path)
    return "state" in content and "claims_in" not in content


def _is_locked(path: Path) -> bool:
    """Tell whether a file is there that another process has locked."""
    if not CAN_LOCK:
        return False
    try:
        handle = opened_to_lock(path)
    except FileNotFoundError:
        return False
    try:
        lock(handle)
    except OSError as error:  # another one's, or a file system without locks
        return isinstance(error, BlockingIOError)
    finally:
        os.close(handle)
    return False


def under_way(run_id: str) -> UnavailableError:
    """Return what a run of an id that is running meets."""
    return UnavailableError(f"run {run_id} is under way already; wait until it has ended, or use another --run-id")


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of a run. Raises InputError where it cannot be read."""
    values = _read(path)
    if not values:
        raise InputError(f"{path} cannot be read as the record of a run; without it, that run is left out")
    return values


def _as_json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=2).encode() + b"\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _written(path: Path, content: bytes) -> None:
    _write(path, content)
    _part(path).replace(path)


def _write(path: Path, content: bytes) -> None:
    """Write the content beside a file; where that fails, nothing is left."""
    part = _part(path)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")
