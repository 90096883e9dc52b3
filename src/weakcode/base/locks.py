"""Locks on open files, which end with the process that has them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

CAN_LOCK = sys.platform != "win32"
"""Whether the system has such locks. Windows removes no file that is open, which serves as well."""


def lock(file: int | BinaryIO, *, waits: bool = False) -> None:
    """Lock an open file; nothing where the system has no locks.

    Raises BlockingIOError while it is another's, unless it `waits`, and OSError on a file system without locks.
    """
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)


def opened_to_lock(path: str | Path) -> int:
    """Open a file that is there, which may be another user's, where the system has such locks. Raises OSError.

    It is opened for writing if that may be: on NFS one that is open for reading alone cannot be locked.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for this lock from changing the folder during the block."""
    if not CAN_LOCK:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks on folders
            lock(handle, waits=True)
        yield
    finally:
        os.close(handle)
