"""Lines of a CSV file with quotes as lines without: cells parted by a sign that stands in none, for Arrow to read."""

from __future__ import annotations

import csv

import attrs
import numpy as np
from numpy.typing import NDArray

_SEPARATOR = 0x1F
"""What parts the cells. A block that has such a byte is not well formed."""
_QUOTE, _LINE_FEED, _RETURN = b'"\n\r'
_LONGEST_CELL = 1 << 17
"""Bytes that a cell with a quote may have (`csv.field_size_limit`); in a line that long each is measured."""
_FEWEST_LINES = 1_000
"""Lines before one with a cell that ends in a later line, for fewer of which a block is not looked at again."""


@attrs.frozen
class UnquotedLines:
    """Whole lines of a file as they are, and as many lines of the same cells, in which no quote has a meaning.

    A line that has a quote in a wrong place has more cells than the header.
    """

    original: bytes
    content: bytes
    delimiter: str

    @property
    def has_quotes(self) -> bool:
        """Whether some cells hold quotes."""
        return b'"' in self.content


def unquoted_lines(block: bytes, delimiter: str, width: int) -> UnquotedLines | None:
    """Return the lines of a well-formed block, up to the first that has a cell that ends in a later line.

    `width` is how many cells the header has. None where few lines come before such a line.
    """
    if b'"' not in block:
        return UnquotedLines(block, block, delimiter)
    if not delimiter.isascii():
        return None
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == _LINE_FEED)
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.append(0, ends[:-1] + 1)
    quotes = np.flatnonzero(data == _QUOTE)
    line = np.searchsorted(ends, quotes)
    # Of the quotes of a line the first, the third and so on open a cell, or are the second of two that stand for one.
    is_opening = (np.arange(len(quotes)) - np.searchsorted(quotes, starts)[line]) % 2 == 0
    before = np.where(quotes > 0, data[quotes - 1], _LINE_FEED)
    after = np.append(data, np.uint8(_LINE_FEED))[quotes + 1]
    is_placed = np.where(
        is_opening,
        _is_one_of(before, ord(delimiter), _LINE_FEED, _QUOTE),
        _is_one_of(after, ord(delimiter), _LINE_FEED, _RETURN, _QUOTE),
    )
    is_odd = np.bincount(line, minlength=len(ends)) % 2 == 1
    is_odd[line[~is_placed | ((ends - starts)[line] > _LONGEST_CELL)]] = True
    length = len(block)
    instead: list[tuple[int, int, bytes]] = []
    for number in np.flatnonzero(is_odd).tolist():
        start = int(starts[number])
        text = block[start : ends[number]].removesuffix(b"\r")
        cells = _cells(text, delimiter, width)
        if cells is None:
            if number < _FEWEST_LINES:
                return None
            length = start
            break
        instead.append((start, start + len(text), cells))
    is_paired = ~is_odd[line]
    is_inside = np.zeros(len(data), np.uint8)
    is_inside[quotes[is_paired]] = 1
    np.bitwise_and(np.cumsum(is_inside, dtype=np.uint8, out=is_inside), 1, out=is_inside)
    is_kept = np.ones(len(data), np.bool_)
    is_kept[quotes[is_paired & ~(is_opening & (before == _QUOTE))]] = False
    content = data.copy()
    content[(data == ord(delimiter)) & (is_inside == 0)] = _SEPARATOR
    parts: list[bytes] = []
    at = 0
    for start, end, cells in instead:
        parts += [content[at:start][is_kept[at:start]].tobytes(), cells]
        at = end
    parts.append(content[at:length][is_kept[at:length]].tobytes())
    return UnquotedLines(block[:length], b"".join(parts), chr(_SEPARATOR))


def _is_one_of(signs: NDArray[np.uint8], *ones: int) -> NDArray[np.bool_]:
    return np.isin(signs, np.array(ones, np.uint8))


def _cells(line: bytes, delimiter: str, width: int) -> bytes | None:
    """Return the cells of a line; None where the last ends in a later line.

    A line that cannot be read has more cells than the header.
    """
    try:
        (cells,) = csv.reader([line.decode()], delimiter=delimiter, strict=True)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None
        cells = [""] * (width + 1)
    return chr(_SEPARATOR).join(cells).encode()
