"""Locks on open files, which end with the process that has them."""

from __future__ import annotations

import sys
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
