"""The folder in which a server keeps the files that its page is given: its own, and gone when the server is."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs

from weakcode.serve.settings import Settings

_NAME = re.compile(r"weakcode-files-(\d+)-\w+")


@contextlib.contextmanager
def own_folder(settings: Settings) -> Iterator[Settings]:
    """Give the settings with a new folder that only this user can open, if files are taken; it is removed at the end.

    Folders of servers that were killed are removed first.
    """
    if not settings.take_files:
        yield settings
        return
    _remove_dead(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"weakcode-files-{os.getpid()}-"))
    try:
        yield attrs.evolve(settings, files=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name == "nt":  # Signals that only ask do not exist there.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove_dead(place: Path) -> None:
    for path in place.glob("weakcode-files-*"):
        found = _NAME.fullmatch(path.name)
        with contextlib.suppress(OSError):
            is_own = not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()
            if found and is_own and not path.is_symlink() and not _is_alive(int(found[1])):
                shutil.rmtree(path, ignore_errors=True)
