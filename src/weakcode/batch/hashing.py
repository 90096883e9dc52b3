"""Claim ids that cannot be read back, for outputs that leave the house."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets

KEY_VARIABLE = "WEAKCODE_HASH_KEY"
_DIGITS = 16


def hash_key() -> bytes:
    """Return the key from WEAKCODE_HASH_KEY, so that runs can be joined; without it, a random one for this run."""
    given = os.environ.get(KEY_VARIABLE, "")
    return given.encode("utf-8", "surrogateescape") if given else secrets.token_bytes(32)


def hashed_id(claim_id: str, key: bytes) -> str:
    """Return 16 hexadecimal digits (64 bits) of the claim id's HMAC-SHA256 under `key`.

    Without the key nobody can try out ids until one fits; with the same key the same id gives the same digits.
    """
    return hmac.new(key, claim_id.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:_DIGITS]
