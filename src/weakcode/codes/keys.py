"""Codes as numbers: spellings of up to eight characters in 64 bits, in the order of their text."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def pack_key(name: str) -> int:
    """Return up to eight ASCII characters as a number; numbers order as the names do. 0 for other text."""
    if len(name) > 8 or not name.isascii() or "\0" in name:
        return 0
    return int.from_bytes(name.encode(), "big") << 8 * (8 - len(name))


def pack_keys(names: Sequence[str]) -> array[int]:
    """Return what `pack_key` gives for each of several names."""
    text = "".join([name.ljust(8, "\0") for name in names])
    if len(text) != 8 * len(names) or not text.isascii() or text.count("\0") != 8 * len(names) - sum(map(len, names)):
        return array("Q", map(pack_key, names))
    numbers = array("Q", text.encode())
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def unpack_keys(keys: memoryview | NDArray[np.uint64]) -> list[str]:
    """Return the texts that `pack_key` was given, of a column of its numbers."""
    import numpy as np

    # The zeros that fill a text up are no part of text for numpy.
    texts: list[str] = np.asarray(keys).astype(">u8").view("S8").astype("U8").tolist()
    return texts


def unpack_key(key: int) -> str:
    """Return the text that `pack_key` was given."""
    return key.to_bytes(8, "big").rstrip(b"\0").decode()
