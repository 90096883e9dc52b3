from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from weakcode.codes.codeset import CodeSet

ids = st.sets(st.integers(0, 40))


@given(ids, ids)
def test_a_code_set_behaves_as_a_set_of_numbers(left: set[int], right: set[int]) -> None:
    one, other = CodeSet.of(left), CodeSet.of(right)
    assert list(one) == sorted(left)
    assert len(one) == len(left)
    assert bool(one) == bool(left)
    assert set(one | other) == left | right
    assert set(one - other) == left - right
    assert set(one & other) == left & right
    assert all((number in one) == (number in left) for number in range(-1, 42))


@given(ids)
def test_equal_sets_have_equal_spans(members: set[int]) -> None:
    assert CodeSet.of(sorted(members)) == CodeSet.of(sorted(members, reverse=True))


def test_large_sets_that_are_nearly_the_same_are_met_and_parted_as_small_ones() -> None:
    dice = random.Random(6281)
    for _ in range(50):
        one = {number for number in range(1500) if dice.random() < 0.5}
        other = {number for number in one if dice.random() < 0.97} | {dice.randrange(1500) for _ in range(40)}
        first, second = CodeSet.of(one), CodeSet.of(other)
        assert (first & second, first - second, second - first) == (
            CodeSet.of(one & other),
            CodeSet.of(one - other),
            CodeSet.of(other - one),
        )
