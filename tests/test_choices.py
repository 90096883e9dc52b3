"""Generators that choose many values at once choose from all of their tables."""

from __future__ import annotations

from collections import Counter

from tests.choices import evenly, picked, subsets

NUMBERS = range(65_536)


def test_zero_picks_the_first_value() -> None:
    assert picked(evenly(evenly("abc", "d"), "e"), 0) == "a"


def test_each_table_is_picked_from_as_often_as_every_other() -> None:
    table = evenly("a", evenly("bcd", "e"), range(1_000))
    counted = Counter(
        type(one).__name__ if isinstance(one, int) else one for one in (picked(table, n) for n in NUMBERS)
    )
    assert {name: round(count / len(NUMBERS), 2) for name, count in counted.items()} == {
        "a": 0.33,
        "b": 0.06,
        "c": 0.06,
        "d": 0.06,
        "e": 0.17,
        "int": 0.33,
    }


def test_values_from_all_of_a_table_are_picked_also_where_it_has_more_than_there_are_numbers() -> None:
    table = evenly(*[subsets(range(15), 6, 6)] * 60)
    drawn = {picked(table, number) for number in NUMBERS}
    assert len(drawn) > 1_000
    assert {one[0] for one in drawn} >= set(range(8))
    assert {one[-1] for one in drawn} >= set(range(9, 15))
