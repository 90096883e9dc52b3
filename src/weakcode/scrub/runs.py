"""What is known of a run beside its counts: its id, its time and what it read."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.inputs import NamedFile, Stream, name_of

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")
EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
"""Seconds since 1970 that stand for the time of a run, so that its outputs can be made again to the byte."""
_PART = 1 << 20


def is_run_id(text: str) -> bool:
    """Tell whether a text can be the id of a run."""
    return _ID.fullmatch(text) is not None


@attrs.frozen
class RunTime:
    """One run: `started` and `ended` in UTC, as 2026-11-28T02:00:00Z."""

    id: str
    started: str
    ended: str

    @classmethod
    def starting(cls, run_id: str | None = None) -> RunTime:
        """Return a run that starts now; without an id it gets one. Raises InputError for an id that cannot be."""
        if run_id is not None and not is_run_id(run_id):
            raise InputError(
                "the id of a run is up to 128 letters, digits and . _ : + -, the first a letter or a digit, "
                f'found "{run_id}"'
            )
        now = _now()
        return cls(run_id or str(uuid.uuid4()), now, now)

    def ending(self) -> RunTime:
        """Return the run, ended now."""
        return attrs.evolve(self, ended=_now())


@attrs.frozen
class InputFile:
    """What a run read: `size` in bytes and the SHA-256 of the content, packed as it was."""

    path: str
    size: int
    sha256: str


def _now() -> str:
    epoch = os.environ.get(EPOCH_VARIABLE, "")
    try:
        now = dt.datetime.fromtimestamp(int(epoch), dt.UTC) if epoch else dt.datetime.now(dt.UTC)
    except (ValueError, OverflowError, OSError):
        raise InputError(f'{EPOCH_VARIABLE} is "{epoch}", which is not a number of seconds since 1970') from None
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


class Digests:
    """The digests of the inputs of a run, worked out beside it by a thread of its own.

    Leaving the `with` block by an exception ends what is being read, and drops what is not begun.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._has_failed = False
        self._files: list[Future[_Digested] | Stream] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is not None:
            self._has_failed = True
        self._pool.shutdown(cancel_futures=True)

    def add(self, path: str | os.PathLike[str]) -> None:
        """Take down an input that is about to be read."""
        self._files.append(
            path if isinstance(path, Stream) else self._pool.submit(_digest, path, lambda: self._has_failed)
        )

    def wait(self) -> None:
        """Wait for the digest of the last input, which is gone when it was kept for the run alone."""
        if self._files and isinstance(self._files[-1], Future):
            self._files[-1].result()

    def has_content_of(self, changed: int) -> bool:
        """Tell whether the last input has the content still that it had while it was last changed at this time."""
        last = self._files[-1] if self._files else None
        if not isinstance(last, Future):
            return False
        digested = last.result()
        # A digest that took longer than until the change may be of what came afterwards.
        return digested.changed == changed and _digest(digested.path, lambda: False).file == digested.file

    def files(self) -> tuple[InputFile, ...]:
        """Return what was read, in order."""
        return tuple(
            InputFile(one.name, one.bytes_read, one.sha256) if isinstance(one, Stream) else one.result().file
            for one in self._files
        )


def inputs_of(paths: Iterable[str | os.PathLike[str]]) -> tuple[InputFile, ...]:
    """Return files with their digests."""
    return tuple(_digest(path, lambda: False).file for path in paths)


@attrs.frozen
class _Digested:
    """A file with its digest, and when it was last changed before that was complete, in nanoseconds."""

    path: str | os.PathLike[str]
    file: InputFile
    changed: int


def _digest(input_path: str | os.PathLike[str], has_failed: Callable[[], bool]) -> _Digested:
    """Return a file with its digest, of what was read of it until the run has failed."""
    path = input_path.path if isinstance(input_path, NamedFile) else Path(input_path)
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb", buffering=0) as file:
            while not has_failed() and (part := file.read(_PART)):
                digest.update(part)
                size += len(part)
            changed = os.fstat(file.fileno()).st_mtime_ns
    except OSError as error:
        raise InputError(f"{name_of(input_path)} cannot be read: {error.strerror or error}") from None
    return _Digested(input_path, InputFile(name_of(input_path), size, digest.hexdigest()), changed)
