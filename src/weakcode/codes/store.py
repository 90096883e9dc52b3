"""A file of named binary sections, for everything that weakcode compiles and caches.

Layout: magic, BLAKE2b digest of all that follows, length of a JSON header, the header, the sections, each at
a multiple of eight bytes. A file is used only when its digest is right and its key is the wanted one;
anything else, from a missing file to a truncated one, means "not there". What the digest was taken of is what is
used: the file is read, not mapped, so that nothing that happens to it later reaches a running process.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import EngineError

MAGIC = b"WEAKCODE"
FORMAT = 1
CACHE_VARIABLE = "WEAKCODE_CACHE_DIR"

MOST_KEPT = 1 << 29
"""The size to which the cache folder may grow, in bytes: some 30 versions of all packs with their editions."""

_DIGEST_SIZE = 32
_HEADER_AT = len(MAGIC) + _DIGEST_SIZE


@attrs.frozen
class Stored:
    """An opened container: `meta` as it was given to `pack`, `sections` as views into its bytes."""

    meta: Mapping[str, Any]
    sections: Mapping[str, memoryview]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as the bytes of a container, with its digest."""
        return _arrived, (pack("", self.meta, {name: bytes(view) for name, view in self.sections.items()}),)


def _arrived(content: bytes) -> Stored:
    stored = open_bytes(content)
    if stored is None:
        raise EngineError("the compiled rules came from a machine with another byte order, or damaged on their way")
    return stored


def cache_dir() -> Path:
    """Return the folder for compiled files: ``WEAKCODE_CACHE_DIR``, or the user's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("weakcode")


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
    body = b"".join(parts)
    return MAGIC + hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest() + body


def open_bytes(content: bytes, key: str | None = None) -> Stored | None:
    """Open a container; None when it is damaged, of another format or machine, or made for another key."""
    view = memoryview(content)
    if len(view) < _HEADER_AT + 8 or view[: len(MAGIC)] != MAGIC:
        return None
    body = view[_HEADER_AT:]
    if hashlib.blake2b(body, digest_size=_DIGEST_SIZE).digest() != view[len(MAGIC) : _HEADER_AT]:
        return None
    size = int.from_bytes(body[:8], "little")
    try:
        header = json.loads(bytes(body[8 : 8 + size]))
        if header["format"] != FORMAT or header["byteorder"] != sys.byteorder:
            return None
        if key is not None and header["key"] != key:
            return None
        data = body[8 + size :]
        sections = {name: data[at : at + length] for name, (at, length) in header["sections"].items()}
        return Stored(header["meta"], sections)
    except (ValueError, KeyError, TypeError):
        return None


def read(path: Path, key: str) -> Stored | None:
    """Read the container at `path`; None when it is not there, not readable, or not to be trusted."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    stored = open_bytes(content, key)
    if stored is not None:
        # The time of the last use, which tells what may go first.
        with contextlib.suppress(OSError):
            os.utime(path)
    return stored


def write_bytes(path: Path, content: bytes) -> bool:
    """Write `content` to `path` in one step; False, and no trace left, when the folder cannot be written."""
    temporary: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
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
    """Write a file of the cache in one step; False when it could not be written.

    What was not used for longest goes where the folder grows beyond `MOST_KEPT`: every change of a rule file makes a
    file of its own.
    """
    if not write_bytes(path, content):
        return False
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
