"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self

from weakcode.base.temporary import PARTIAL, locked, remove_dead
from weakcode.errors import InputError
from weakcode.scrub.written import WRITTEN
from weakcode.visible import named

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.write.uploads import ObjectStorage

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class BatchWriter(ABC):
    """Takes record batches, and writes them into the file that it was given or wherever they go."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None:
        """Write one batch."""

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains. `metadata` is kept where the format has a place for it."""
        return

    def abandon(self) -> None:
        """Let go of the file, whatever was written; after `finish` this does nothing."""
        return


class OutputError(InputError):
    """An output cannot be written. Nothing of it is left behind."""


def checked_output(path: str | os.PathLike[str], allowed: Iterable[str], inputs: Iterable[str] = ()) -> Path:
    """Return the path, if an output can be written there; raises InputError before any work if not."""
    output = Path(path)
    if output.suffix.lower() not in allowed:
        found = f"the extension {output.suffix!r}" if output.suffix else "no extension"
        raise InputError(f"{output} has {found}; an output ends in {', '.join(allowed)}")
    target = Path(os.path.realpath(output))
    if target.is_symlink():
        raise InputError(f"{output} is a symbolic link that leads to itself; remove it")
    if target.is_dir():
        raise InputError(f"{output} is a folder; give the name of a file")
    if target.exists() and not target.is_file():
        raise InputError(f"{output} is not an ordinary file; weakcode writes whole files only")
    if not target.parent.is_dir():
        raise InputError(f"the folder {output.parent} does not exist; make it first")
    if any(os.path.realpath(source) == str(target) for source in inputs):
        raise InputError(f"{output} is also an input; give the output another name")
    return target


def named_in(path: str | os.PathLike[str], usual: str) -> Path:
    """Return the path of an output, which in a folder is called as usual."""
    target = Path(path)
    return target / usual if os.fspath(path).endswith(("/", os.sep)) or target.is_dir() else target


class Outputs:
    """A set of files written under temporary names beside their targets, which nobody else may read.

    `commit` puts all of them in place, each with the mode of the file that it replaces, or that of the umask; leaving
    the `with` block without it removes them, also on Ctrl-C. What a killed run left is removed by the next one that
    writes into the folder: a lock tells that it is dead. Of targets in `addresses`, `commit` puts the files there with
    `upload` before any other appears; where one cannot be put there, `remove` takes back those that were new.
    """

    def __init__(self, addresses: Mapping[Path, str] | None = None, storage: ObjectStorage | None = None) -> None:
        self._addresses, self._storage = addresses or {}, storage
        self._targets: dict[Path, Path] = {}
        self._files: dict[Path, BinaryIO] = {}
        self._locks: list[int] = []
        self._whole = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._whole and not isinstance(error, OutputError):
            # What came between two files that were put in place does not part them.
            self._place()
        for temporary in self._targets:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._targets.clear()
        for file in self._files.values():
            # Closing flushes, which fails again on a full disk; the file has gone anyhow.
            with suppress(OSError, ValueError):
                file.close()
        while self._locks:
            os.close(self._locks.pop())

    def open(self, target: Path) -> BinaryIO:
        """Return a file to write `target` into."""
        with writing(target):
            remove_dead(target.parent, PARTIAL)
        while True:
            temporary = target.with_name(f".{target.name[:50]}.weakcode-{secrets.token_hex(4)}.partial")
            # Noted before it is there, so that whatever comes between leaves nothing behind.
            self._targets[temporary] = target
            with writing(target):
                handle = os.open(temporary, _NEW, 0o600)
                # The lock outlives the file, which is closed before it is put in place.
                self._locks.append(os.dup(handle))
                file = os.fdopen(handle, "wb")
                if locked(self._locks[-1], temporary):
                    self._files[temporary] = file
                    return file
                file.close()
            del self._targets[temporary]

    def drop(self, targets: Iterable[Path]) -> None:
        """Remove what was written for these targets, so that `commit` leaves what stands in their place."""
        for target in targets:
            for temporary in [one for one, of in self._targets.items() if of == target]:
                with suppress(OSError, ValueError):
                    self._files.pop(temporary).close()
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                del self._targets[temporary]

    def write(self, target: Path, content: bytes) -> None:
        """Write all of a small file."""
        file = self.open(target)
        with writing(target):
            file.write(content)

    def flush(self) -> None:
        """Write what waits to be written, so that what is full or broken shows now."""
        for temporary, file in self._files.items():
            if not file.closed:
                with writing(self._targets[temporary]):
                    file.flush()
                    os.fsync(file.fileno())

    def commit(self) -> None:
        """Put every file in its place."""
        for temporary, file in self._files.items():
            with writing(self._targets[temporary]):
                file.flush()
                os.fsync(file.fileno())
                file.close()
                temporary.chmod(_mode(self._targets[temporary]))
        self._upload()
        self._whole = True
        self._place()

    def _upload(self) -> None:
        new: list[str] = []
        for temporary, target in list(self._targets.items()):
            if self._storage is None or (address := self._addresses.get(target)) is None:
                continue
            try:
                if not self._storage.exists(address):
                    new.append(address)
                self._storage.upload(temporary, address)
            except BaseException:
                for one in new:
                    self._storage.remove(one)
                raise
            temporary.unlink(missing_ok=True)
            del self._targets[temporary]
            WRITTEN.append(self._storage.shown(address))

    def _place(self) -> None:
        for temporary, target in self._targets.items():
            if temporary.exists():
                with writing(target):
                    temporary.replace(target)
            if named(str(target)) not in WRITTEN:
                WRITTEN.append(named(str(target)))
        self._targets.clear()


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn what the system says about `target` into one clear sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutputError(f"the disk is full: {target} was not written, and nothing is left of it") from None
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from None


def _mode(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
