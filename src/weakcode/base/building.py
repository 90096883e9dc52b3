"""The only lock of the package, held while rules and editions are read, compiled and made ready."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

building = threading.RLock()
"""Held while something is built that many claims use, and what that needs is imported. A fork waits for it, so that a
child never begins with locks of imports in the hands of a thread that it does not have. No claim is judged under it."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=building.acquire, after_in_parent=building.release, after_in_child=building.release)


@contextmanager
def uncollected() -> Iterator[None]:
    """Let Python look for no circles of garbage meanwhile: compiling makes millions of objects and hardly a circle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
