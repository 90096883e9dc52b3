"""Whether what a cached file says can be followed: numbers in their range, bounds that climb, text that is text.

A file is looked through when it is opened, so that whatever it holds, it is used as a whole or made anew. That what it
says is true, only its digest tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import compress, islice
from operator import ge, lt
from typing import Any

from weakcode.codes.storage.shape import Column, numbers_of

_AMID_A_CHARACTER = re.compile(rb"[\x80-\xbf]")


def numbers_hold(sections: Mapping[str, Any], columns: Iterable[Column], limits: Mapping[str, int]) -> bool:
    """Tell whether the numbers of each column, which fits, are in the range and the order that is declared.

    `limits` gives what is no number of a column, by name.
    """
    columns = tuple(columns)
    read = {one.name: numbers_of(sections[one.name], one.item).tolist() for one in columns}
    counts = {name: len(numbers) for name, numbers in read.items()}
    counts |= limits
    if not all(bytes(sections[one.name]).isascii() for one in columns if one.ascii):
        return False
    return all(_holds(read[one.name], one, read, counts) for one in columns) and all(
        _cuts(bytes(sections[one.ends]), read[one.name]) for one in columns if one.text
    )


def _holds(numbers: list[int], column: Column, read: Mapping[str, list[int]], counts: Mapping[str, int]) -> bool:
    if column.below and numbers:
        limit = column.below if isinstance(column.below, int) else counts[column.below]
        others = [number for number in numbers if number != column.none] if column.none else numbers
        if max(others, default=-1) >= limit:
            return False
    if column.order == "climbs":
        return numbers == sorted(numbers)
    if column.order == "rises":
        return all(map(lt, numbers, islice(numbers, 1, None)))
    if column.order:
        # Within each of the lists that begin where that column says.
        steps = map(ge, numbers, islice(numbers, 1, None))
        return set(compress(range(1, len(numbers)), steps)) <= set(read[column.order])
    return True


def _cuts(text: bytes, bounds: list[int]) -> bool:
    """Tell whether bytes are UTF-8, and bounds within them part no character."""
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return not _AMID_A_CHARACTER.search(bytes(text[at] for at in bounds if at < len(text)))


def is_like(value: Any, pattern: Any) -> bool:
    """Tell whether plain data looks like a pattern.

    A type stands for its values, a set for one of these values, `[pattern]` for any number of such, a tuple for a list
    of just these, `{str: pattern}` for such values by name, and another dict for some of its entries.
    """
    if isinstance(pattern, type):
        return type(value) is pattern
    if isinstance(pattern, frozenset):
        return (type(value) in pattern) or (isinstance(value, str | int | None) and value in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(is_like(one, pattern[0]) for one in value)
    if isinstance(pattern, tuple):
        return isinstance(value, list) and len(value) == len(pattern) and all(map(is_like, value, pattern))
    if not isinstance(value, dict):
        return False
    if str in pattern:
        return all(is_like(one, pattern[str]) for one in value.values())
    return all(name in pattern and is_like(one, pattern[name]) for name, one in value.items())
