"""Titles as bytes, searched and parted into words, hold what each title by itself holds."""

from __future__ import annotations

import re
from itertools import accumulate

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from weakcode.codes.expression.titles import Titles

_TITLES = st.lists(st.text(alphabet="ab s,-é1AB", max_size=12), min_size=1, max_size=6)
_TEXTS = st.lists(st.text(alphabet="ab s1", max_size=3), min_size=1, max_size=3)


def _titles(texts: list[str]) -> Titles:
    parts = [text.encode() for text in texts]
    return Titles(b"".join(parts).lower(), np.array([0, *accumulate(map(len, parts))]))


@settings(max_examples=60, deadline=None)
@given(_TITLES, _TEXTS)
def test_a_text_is_found_within_a_title_and_never_across_two(texts: list[str], wanted: list[str]) -> None:
    expected = [any(one in text.lower() for one in wanted) for text in texts]
    assert _titles(texts).having(*wanted).tolist() == expected
    some = np.arange(0, len(texts), 2)
    assert _titles(texts).at(some).having(*wanted).tolist() == expected[::2]


@settings(max_examples=60, deadline=None)
@given(_TITLES)
def test_words_of_titles_are_those_of_each_title(texts: list[str]) -> None:
    words = _titles(texts).words(np.arange(len(texts)))
    letter = {word: words.letter(word) for word in words.known}
    told = words.mapped(lambda word: word.rstrip("s"))
    written = [re.findall("[a-z0-9]+", text.lower()) for text in texts]
    assert words.spelled() == ["".join(letter[word] for word in line) for line in written]
    assert words.having(["a", "b1"]).tolist() == [bool({"a", "b1"} & set(line)) for line in written]
    stems = [[word.rstrip("s") for word in line if word.rstrip("s")] for line in written]
    assert told.spelled() == ["".join(map(told.letter, line)) for line in stems]
    assert told.in_order().spelled() == ["".join(sorted(map(told.letter, line))) for line in stems]


@settings(max_examples=60, deadline=None)
@given(_TITLES, _TEXTS)
def test_a_word_is_found_where_nothing_that_could_belong_to_it_stands_beside_it(
    texts: list[str], wanted: list[str]
) -> None:
    wanted = [one for one in wanted if one]
    pattern = re.compile("|".join(rf"(?<![\w])(?={re.escape(one)}(?!\w))" for one in wanted) or "(?!)")
    assert _titles(texts).having_word(*wanted).tolist() == [bool(pattern.search(text.lower())) for text in texts]
