"""Codes as numbers: spellings of up to eight characters in 64 bits, in the order of their text."""

from __future__ import annotations


def pack_key(name: str) -> int:
    """Return up to eight ASCII characters as a number; numbers order as the names do. 0 for other text."""
    if len(name) > 8 or not name.isascii() or "\0" in name:
        return 0
    return int.from_bytes(name.encode(), "big") << 8 * (8 - len(name))


def unpack_key(key: int) -> str:
    """Return the text that `pack_key` was given."""
    return key.to_bytes(8, "big").rstrip(b"\0").decode()
