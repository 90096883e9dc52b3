"""What is compiled when weakcode is built and comes with it, as the files of its package.

Whoever can change these files can change weakcode itself, so that they need no secret of the user's, only a checksum.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from weakcode.codes.storage import store
from weakcode.codes.storage.shape import Column, fits

_PACKAGE = Path(__file__).parents[2]


def folder() -> Path:
    """Return the folder of the shipped files."""
    return _PACKAGE / "compiled"


@cache
def is_checkout() -> bool:
    """Tell whether weakcode runs from its sources, in whose folder of compiled files it may write."""
    package = _PACKAGE.resolve()
    return not (package / "packs").is_dir() and (package.parents[1] / "setup.py").is_file()


def made_by(*folders: str) -> str:
    """Return a digest of the sources and data in these folders, so that nothing outlives what compiled it."""
    return hashlib.blake2b("".join(map(_sources_of, folders)).encode(), digest_size=16).hexdigest()


@cache
def _sources_of(folder: str) -> str:
    """Return the digest of the sources and data in a folder of the package."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted((_PACKAGE / folder).rglob("*.*")):
        if path.suffix in (".py", ".lark", ".yaml"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read(
    path: Path, key: str, columns: Sequence[Column] = (), holds: Callable[[store.Container], bool] | None = None
) -> store.Container | None:
    """Read the container that is shipped under the name of `path`, or else the one kept in the cache, at `path`."""
    return opened(path, key, columns) or store.read(path, key, columns, holds)


def opened(path: Path, key: str, columns: Sequence[Column] = ()) -> store.Container | None:
    """Read the container that is shipped under the name of `path`; None where there is none for this key."""
    try:
        content = (folder() / path.name).read_bytes()
    except OSError:
        return None
    stored = store.open_bytes(content, key)
    return stored if stored is not None and fits(stored.sections, columns) else None


def keep(path: Path, content: bytes, *, ships: bool) -> bool:
    """Keep a container in the cache; what `ships` also, in a checkout, in the place of what was shipped of its kind."""
    if ships and is_checkout():
        ship(folder() / path.name, content)
    return store.keep(path, content)


def ship(path: Path, content: bytes) -> None:
    """Write a shipped file in one step, and remove others of its kind; nothing where the folder cannot be written."""
    if store.write_bytes(path, content):
        with contextlib.suppress(OSError):
            path.chmod(0o644)
            for other in path.parent.glob(f"{path.name.partition('-')[0]}-*.bin"):
                if other != path:
                    other.unlink(missing_ok=True)
