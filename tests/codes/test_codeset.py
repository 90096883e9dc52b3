from __future__ import annotations

import pickle
import random
from array import array
from itertools import accumulate, chain, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode.codes._codeset import Touching
from weakcode.codes.codeset import CodeSet
from weakcode.codes.keys import pack_key, pack_keys

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


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12))
def test_a_set_is_made_of_any_intervals_which_come_out_sorted_and_apart(intervals: list[tuple[int, int]]) -> None:
    made = CodeSet(intervals)
    assert set(made) == {number for low, high in intervals for number in range(low, high)}
    assert all(low < high for low, high in made.spans)
    assert all(high < low for (_, high), (low, _) in pairwise(made.spans))
    assert CodeSet.joined(CodeSet([one]) for one in intervals) == made


@given(ids, ids)
def test_equal_sets_are_one_key_and_travel_whole(left: set[int], right: set[int]) -> None:
    one, other = CodeSet.of(left), CodeSet.of(right)
    assert (one == other) == (left == right)
    assert hash(CodeSet(one.spans)) == hash(one)
    assert len({one, other, CodeSet.of(left)}) == len({frozenset(left), frozenset(right)})
    assert pickle.loads(pickle.dumps(one)) == one
    spans, begins = CodeSet.packed([one, other, one])
    bounds = [[bound for span in codes.spans for bound in span] for codes in (one, other, one)]
    assert array("I", spans).tolist() == list(chain.from_iterable(bounds))
    assert begins == list(accumulate(map(len, bounds), initial=0))


@pytest.mark.parametrize("given", [5, [1, 2], [(1,)], [("a", "b")], [(1, 1 << 70)]])
def test_what_is_not_an_interval_is_refused(given: Any) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        CodeSet(given)


def test_a_number_beyond_four_bytes_is_not_packed() -> None:
    with pytest.raises(OverflowError, match="four bytes"):
        CodeSet.packed([CodeSet([(0, 1 << 40)])])


@given(st.lists(st.text("AZ09.-@é\0", max_size=10), max_size=8))
def test_keys_of_many_names_are_those_of_each(names: list[str]) -> None:
    assert pack_keys(names).tolist() == [pack_key(name) for name in names]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 150), st.integers(1, 400), st.randoms(use_true_random=False))
def test_sets_that_have_codes_of_another_are_found_among_many(count: int, widest: int, dice: random.Random) -> None:
    def code_sets() -> CodeSet:
        lows = [dice.randrange(1000) for _ in range(dice.randrange(4))]
        return CodeSet([(low, low + dice.randrange(widest + 1)) for low in lows])

    pairs = [(code_sets(), code_sets()) for _ in range(count)]
    here, there = (Touching([pair[side] for pair in pairs]) for side in (0, 1))
    for codes, others in ((code_sets(), code_sets()) for _ in range(10)):
        expected = [number for number, (one, other) in enumerate(pairs) if one & codes and other & others]
        assert here.both(codes, there, others) == expected
