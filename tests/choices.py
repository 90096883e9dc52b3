"""Generated values of which Hypothesis chooses many at once.

Whatever a choice of Hypothesis is about, it costs some thirty microseconds, and a claim has sixty values. A string of
bytes is a single choice, and two of its bytes pick a value from a table. Bytes shrink to zeros, which pick what stands
first in each table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import attrs
from hypothesis import strategies as st


@attrs.frozen
class Evenly:
    """The values of several tables, each table as often as every other, however long it is."""

    tables: tuple[Table, ...]


Table = Sequence[Any] | Evenly


def evenly(*tables: Table) -> Evenly:
    return Evenly(tables)


def subsets(values: Sequence[Any], least: int, most: int) -> Evenly:
    """All that `least` to `most` of the values make, as tuples, each size as often as every other."""
    return Evenly(tuple(list(combinations(values, size)) for size in range(least, most + 1)))


def mapped(make: Callable[[Any], Any], table: Table) -> Table:
    if isinstance(table, Evenly):
        return Evenly(tuple(mapped(make, one) for one in table.tables))
    return [make(value) for value in table]


def picked(table: Table, number: int) -> Any:
    """Return the value of a number from 0 to 65,535; 0 is the first.

    Of a table with more values than there are numbers for it, values from all of it have one.
    """
    numbers = 65_536
    while isinstance(table, Evenly):
        number, at = divmod(number, len(table.tables))
        numbers = 1 + (numbers - 1) // len(table.tables)
        table = table.tables[at]
    return table[number * len(table) // numbers if len(table) > numbers else number % len(table)]


class _Chosen(st.SearchStrategy[Any]):
    """What is made of a string of bytes of a certain length.

    Hypothesis copies a part of an example to the place of another with the same label. A string of another length would
    not fit there, and become zeros.
    """

    def __init__(self, size: int, make: Callable[[list[int]], Any]) -> None:
        super().__init__()
        self._size, self._make = size, make

    def calc_label(self) -> int:
        return hash((self.class_label, self._size))

    def do_draw(self, data: Any) -> Any:
        return self._make(memoryview(data.draw_bytes(self._size, self._size)).cast("H").tolist())


class _Joined(st.SearchStrategy[Any]):
    """What is made of a value of each of some strategies."""

    def __init__(self, make: Callable[..., Any], parts: Sequence[st.SearchStrategy[Any]]) -> None:
        super().__init__()
        self._make, self._parts = make, parts

    def calc_label(self) -> int:
        return hash((self.class_label, *(part.label for part in self._parts)))

    def do_draw(self, data: Any) -> Any:
        return self._make(*map(data.draw, self._parts))


def chosen(make: Callable[..., Any], *tables: Table, **named: Table) -> st.SearchStrategy[Any]:
    """Call `make` with a value of each table, all of them chosen at once."""
    return _Chosen(2 * (len(tables) + len(named)), lambda numbers: _made(make, tables, named, numbers))


def chosen_lists(
    make: Callable[..., Any], *tables: Table, least: int, most: int, **named: Table
) -> st.SearchStrategy[list[Any]]:
    """From `least` to `most` values as `chosen` makes them, each length as often as every other."""
    width = len(tables) + len(named)
    lengths = range(least, most + 1)

    def listed(numbers: list[int]) -> list[Any]:
        ends = range(1 + width, 2 + picked(lengths, numbers[0]) * width, width)
        return [_made(make, tables, named, numbers[end - width : end]) for end in ends]

    return _Chosen(2 * (1 + most * width), listed)


def joined(make: Callable[..., Any], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Call `make` with a value of each strategy, as `st.builds` does."""
    return _Joined(make, parts)


def _made(make: Callable[..., Any], tables: Sequence[Table], named: dict[str, Table], numbers: list[int]) -> Any:
    values = [picked(table, number) for table, number in zip((*tables, *named.values()), numbers, strict=True)]
    return make(*values[: len(tables)], **dict(zip(named, values[len(tables) :], strict=True)))
