"""Tokens that open the server: several, from a file, which may change while it runs."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import time
from pathlib import Path

from weakcode.errors import InputError

SHORTEST = 20
_LOOK_AGAIN = 1.0


def _forbidden(found: os.stat_result) -> int:
    """Return the rights that others may not have. A file that is not ours may be given to us by its group, as
    secrets are in containers; its owner answers for the group.
    """
    others = stat.S_IROTH | stat.S_IWGRP | stat.S_IWOTH
    return others | stat.S_IRGRP if found.st_uid == os.geteuid() else others


class Tokens:
    """The tokens of a file, one a line; blank lines and those that begin with # are passed over.

    A file that has changed is read again within a second. One that then cannot be used opens nothing until it can be.
    Raises InputError for a file without tokens, with a short one, or that other users may read.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._looked = time.monotonic()
        self._seen = self._state()
        self._digests = self._read()

    def opens(self, token: bytes) -> bool:
        """Tell whether a token is one of the file's. All are compared, in a time that tells nothing of them."""
        self._renew()
        digest = hashlib.sha256(token).digest()
        found = False
        for known in self._digests:
            found |= hmac.compare_digest(known, digest)
        return found

    def _state(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _renew(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_AGAIN:
            return
        self._looked = now
        state = self._state()
        if state != self._seen:
            self._seen = state
            try:
                self._digests = self._read()
            except InputError:
                self._digests = ()

    def _read(self) -> tuple[bytes, ...]:
        try:
            found = self._file.stat()
            lines = self._file.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"the file of tokens {self._file} cannot be read: {error.strerror}") from None
        if os.name == "posix" and found.st_mode & _forbidden(found):
            raise InputError(f"the file of tokens {self._file} is open to other users; make it yours alone: chmod 600")
        tokens = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(b"#")]
        if not tokens:
            raise InputError(f"the file of tokens {self._file} has no token; write one a line")
        for number, token in enumerate(tokens, start=1):
            if len(token) < SHORTEST or not token.isascii() or b" " in token:
                raise InputError(
                    f"token {number} of {self._file} is shorter than {SHORTEST} characters or has blanks; make "
                    "one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
                )
        return tuple(hashlib.sha256(token).digest() for token in tokens)
