"""A file of named binary sections, for everything that weakcode compiles and caches.

Layout: magic, digest of all that follows, length of a JSON header, the header, the sections, each at
a multiple of eight bytes. A file is used only when its digest is right and its key is the wanted one;
anything else, from a missing file to a truncated one, means "not there". What the digest was taken of is what is
used: the file is read, not mapped, so that nothing that happens to it later reaches a running process.

In the cache folder the digest is HMAC-SHA-256 with a secret that only the user can read: a file that somebody else put
there, or changed, is not there. On POSIX, folder and files must belong to the user, and nobody else may write them.
What is shipped, or sent to another process, has a CRC-32 in its place, against damage.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import secrets
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from weakcode.base import progress
from weakcode.codes.storage.shape import Column, fits
from weakcode.errors import EngineError

MAGIC = b"WEAKCODE"
FORMAT = 2
CACHE_VARIABLE = "WEAKCODE_CACHE_DIR"

MOST_KEPT = 1 << 29
"""The size to which the cache folder may grow, in bytes: some 30 versions of all packs with their editions."""

NO_HOME = Path(os.devnull) / "weakcode"
"""The folder of a user without a home, as in a container that runs under any number: it is not there, and cannot be."""

SECRET = "secret"  # noqa: S105 - the name of a file
"""The file in the cache folder with the key of the digests; without it, everything in the folder is made anew."""

_WORTH_ROOM = 1 << 17
"""A file of so many bytes may have filled the folder; for smaller ones its size is not looked at."""

_DIGEST_SIZE = _SECRET_SIZE = 32
_HEADER_AT = len(MAGIC) + _DIGEST_SIZE


_warned: set[str] = set()


def _warn(what: str) -> None:
    """Say once in a process why the cache is not used."""
    if what not in _warned:
        _warned.add(what)
        progress.warn(what)


@attrs.frozen
class Container:
    """An opened container: `meta` as it was given to `pack`, `sections` as views into its bytes."""

    meta: Mapping[str, Any]
    sections: Mapping[str, memoryview]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of a container, with its digest."""
        return _unpickled, (pack("", self.meta, {name: bytes(view) for name, view in self.sections.items()}),)


def _unpickled(content: bytes) -> Container:
    stored = open_bytes(content)
    if stored is None:
        raise EngineError("the compiled rules came from a machine with another byte order, or damaged on their way")
    return stored


def cache_dir() -> Path:
    """Return the folder for compiled files: ``WEAKCODE_CACHE_DIR``, or the user's cache folder."""
    variable = os.environ.get(CACHE_VARIABLE)
    return Path(variable) if variable else user_folder("user_cache_path")


def user_folder(name: str) -> Path:
    """Return the folder of the user that platformdirs calls by this name, or `NO_HOME`."""
    import platformdirs

    try:
        path: Path = getattr(platformdirs, name)("weakcode")
    except RuntimeError:
        return NO_HOME
    # Older versions of platformdirs leave the ~ where it is.
    return path if path.is_absolute() else NO_HOME


def pack(key: str, meta: Mapping[str, Any], sections: Mapping[str, bytes]) -> bytes:
    """Return the container as bytes. `key` says what the content was made from; `meta` must be JSON."""
    places: dict[str, tuple[int, int]] = {}
    at = 0
    for name, content in sections.items():
        places[name] = (at, len(content))
        at += len(content) + -len(content) % 8
    header = json.dumps(
        {"format": FORMAT, "byteorder": sys.byteorder, "key": key, "meta": dict(meta), "sections": places},
        separators=(",", ":"),
    ).encode()
    header += b" " * (-(_HEADER_AT + 8 + len(header)) % 8)
    parts = [len(header).to_bytes(8, "little"), header]
    for content in sections.values():
        parts += [content, bytes(-len(content) % 8)]
    # Of one piece after the other, as `_digest` tells it of the whole, which is not put together twice.
    digest = 0
    for part in parts:
        digest = zlib.crc32(part, digest)
    return b"".join((MAGIC, digest.to_bytes(_DIGEST_SIZE, "big"), *parts))


def _digest(body: bytes | memoryview, secret: bytes = b"") -> bytes:
    if not secret:
        return zlib.crc32(body).to_bytes(_DIGEST_SIZE, "big")
    return hmac.digest(secret, body, "sha256")


def sealed(content: bytes, secret: bytes) -> tuple[bytes, bytes, memoryview]:
    """Return a container with the digest that a secret gives it, in parts: it is not put together in memory again."""
    body = memoryview(content)[_HEADER_AT:]
    return MAGIC, _digest(body, secret), body


def open_bytes(content: bytes, key: str | None = None, secret: bytes = b"") -> Container | None:
    """Open a container; None when it is damaged, of another format or machine, or made for another key or secret."""
    view = memoryview(content)
    if len(view) < _HEADER_AT + 8 or view[: len(MAGIC)] != MAGIC:
        return None
    body = view[_HEADER_AT:]
    if not hmac.compare_digest(_digest(body, secret), bytes(view[len(MAGIC) : _HEADER_AT])):
        return None
    try:
        return _opened(body, key)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _opened(body: memoryview, key: str | None) -> Container | None:
    size = int.from_bytes(body[:8], "little")
    header = json.loads(bytes(body[8 : 8 + size]))
    if header["format"] != FORMAT or header["byteorder"] != sys.byteorder or not isinstance(header["meta"], dict):
        return None
    if key is not None and header["key"] != key:
        return None
    data = body[8 + size :]
    for name, (at, length) in header["sections"].items():
        if type(at) is not int or type(length) is not int or not 0 <= at <= at + length <= len(data) or at % 8:
            raise ValueError(name)
    sections = {name: data[at : at + length] for name, (at, length) in header["sections"].items()}
    return Container(header["meta"], sections)


def read(
    path: Path, key: str, columns: Sequence[Column] = (), holds: Callable[[Container], bool] | None = None
) -> Container | None:
    """Read the container at `path`; None when it is not there, not readable, not to be trusted, or lacks `columns`.

    `holds` tells whether what it says can be followed, or raises what looking at it raised.
    """
    secret = _secret(path.parent)
    content = None if secret is None else _own(path)
    stored = None if content is None or secret is None else open_bytes(content, key, secret)
    if stored is not None and not (fits(stored.sections, columns) and (holds is None or _holds(stored, holds))):
        return None
    if stored is not None:
        # The time of the last use, which tells what may go first.
        with contextlib.suppress(OSError):
            os.utime(path)
    return stored


def _holds(stored: Container, holds: Callable[[Container], bool]) -> bool:
    try:
        return holds(stored)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return False


def _belongs_to_user(status: os.stat_result, what: Path, others: int) -> bool:
    """Whether a file or folder is the user's and others lack these rights; says so where not. Always so on Windows."""
    if os.name != "posix":
        return True
    if status.st_uid != os.geteuid():
        _warn(f"the cache is not used, because {what} belongs to another user; WEAKCODE_CACHE_DIR names another folder")
        return False
    if status.st_mode & others:
        _warn(f"the cache is not used, because others may change or read {what}; chmod go-rwx {what} mends it")
        return False
    return True


def _own(path: Path, others: int = 0o022) -> bytes | None:
    """Return the content of a regular file of the user's own, which others may not write; None for any other."""
    try:
        handle = os.open(
            path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        )
    except OSError:
        return None
    try:
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or not _belongs_to_user(status, path, others):
                return None
            return file.read()
    except OSError:
        return None


def _secret(folder: Path, *, make: bool = False) -> bytes | None:
    """Return the key of the folder's digests; None where there is none, or where the folder is not the user's alone."""
    path = folder / SECRET
    try:
        if not _belongs_to_user(folder.stat(), folder, 0o022):
            return None
    except OSError:
        return None
    known = _own(path, 0o077)
    if make and (known is None or len(known) != _SECRET_SIZE):
        _make_secret(path)
        known = _own(path, 0o077)
    return known if known is not None and len(known) == _SECRET_SIZE else None


def _make_secret(path: Path) -> None:
    """Put a new key where none is, or one that cannot be one; of several processes the first one's stays."""
    with contextlib.suppress(OSError):
        if path.exists() and (status := path.lstat()) and status.st_size != _SECRET_SIZE:
            path.unlink()
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=SECRET, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_SIZE))
            Path(path).hardlink_to(temporary)
        finally:
            Path(temporary).unlink()


def write_bytes(path: Path, *parts: bytes | memoryview) -> bool:
    """Write all parts to `path` in one step; False, and no trace left, when the folder cannot be written."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.writelines(parts)
        Path(temporary).replace(path)
    except OSError:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        return False
    return True


def write(path: Path, key: str, meta: Mapping[str, Any], sections: Mapping[str, bytes]) -> bool:
    """Pack and keep in the cache; False when the file could not be written."""
    return keep(path, pack(key, meta, sections))


def keep(path: Path, content: bytes) -> bool:
    """Write a file of the cache in one step, sealed with the user's secret; False when it could not be written.

    What was not used for longest goes where the folder grows beyond `MOST_KEPT`: every change of a rule file makes a
    file of its own.
    """
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = _secret(path.parent, make=True)
    if secret is None or not write_bytes(path, *sealed(content, secret)):
        return False
    if len(content) >= _WORTH_ROOM:
        with contextlib.suppress(OSError):
            _make_room(path)
    return True


def _make_room(newest: Path) -> None:
    others = [(one.stat(), one) for one in newest.parent.glob("*.bin") if one != newest]
    left = MOST_KEPT - newest.stat().st_size
    for status, path in sorted(others, key=lambda other: other[0].st_mtime, reverse=True):
        left -= status.st_size
        if left < 0:
            path.unlink(missing_ok=True)
