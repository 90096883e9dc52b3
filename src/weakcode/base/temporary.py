"""Temporary files and folders that their process holds a lock on, and the removal of those whose process is dead."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from weakcode.base.locks import CAN_LOCK, lock, opened_to_lock

PARTIAL = re.compile(r"\..+\.weakcode-[0-9a-f]{8}\.partial")
"""Names of outputs that are not finished."""
SPOOL = re.compile(r"weakcode-[a-z0-9_]{8}\.spool")
"""Names of streams that are kept while they are read."""


def locked(handle: int, path: Path) -> bool:
    """Lock a new file, so that `remove_dead` leaves it alone as long as it is open; False where that came too late."""
    if not CAN_LOCK:
        return True
    with suppress(OSError):  # a file system without locks: nothing is ever removed there
        lock(handle)
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except FileNotFoundError:
        return False


def remove_dead(folder: Path, pattern: re.Pattern[str]) -> None:
    """Remove the files of this user with such names in a folder that no process has open any more."""
    if not CAN_LOCK:
        return
    with suppress(OSError):
        found = [entry.path for entry in os.scandir(folder) if pattern.fullmatch(entry.name)]
        for path in found:
            with suppress(OSError):
                _remove_if_dead(path)


def is_dead(path: Path) -> bool:
    """Tell whether a file of this user is there that its process has locked no more."""
    if not CAN_LOCK:
        return False
    try:
        handle = opened_to_lock(path)
    except OSError:
        return False
    try:
        if os.fstat(handle).st_uid != os.geteuid():
            return False
        lock(handle)  # raises OSError while it is another's
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


def _remove_if_dead(path: str) -> None:
    handle = opened_to_lock(path)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            return
        lock(handle)  # raises OSError while it is another's
        if os.path.samestat(status, os.lstat(path)):
            os.unlink(path)  # noqa: PTH108
    finally:
        os.close(handle)


def remove_dead_folders(folder: Path, pattern: re.Pattern[str]) -> None:
    """Remove the folders of this user with such names in a folder whose file `lock` no process holds any more."""
    if not CAN_LOCK:
        return
    for path in [one for one in folder.iterdir() if pattern.fullmatch(one.name)]:
        with suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            with (path / "lock").open("ab") as file:
                lock(file)  # raises OSError while it is another's
                shutil.rmtree(path)
