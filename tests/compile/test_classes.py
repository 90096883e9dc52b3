"""Codes that are in the same edits are one class, whichever way the classes are found."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weakcode.base.remembered import remembered
from weakcode.codes import catalog
from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.classes import Spans, classes
from weakcode.compile.tabular.notes import manifestation_codes

UNIVERSE = 24
sets = st.lists(st.sets(st.integers(0, UNIVERSE - 1)).map(CodeSet.of), min_size=1, max_size=8)


@given(sets, st.data())
def test_codes_are_of_one_class_exactly_when_they_are_in_the_same_sets_in_every_role(
    pool: list[CodeSet], data: st.DataObject
) -> None:
    chosen = st.lists(st.integers(0, len(pool) - 1), max_size=10)
    roles = [data.draw(chosen), data.draw(chosen)]
    unlisted = data.draw(st.sets(st.integers(0, 9)))
    spans = [span for codes in pool for span in codes.spans]
    bounds = np.cumsum([0, *(len(codes.spans) for codes in pool)])
    low, high = (np.array([span[end] for span in spans], np.int64) for end in (0, 1))
    found = classes(
        [np.array(role, np.int64) for role in roles],
        Spans(bounds, low, high),
        [np.array([], np.int64), np.array(sorted(unlisted), np.int64)],
    )

    expected = [
        tuple(tuple(n for n, number in enumerate(role) if code in pool[number]) for role in roles)
        for code in range(UNIVERSE)
    ]
    of_code = found.members[np.searchsorted(found.starts, np.arange(UNIVERSE), "right") - 1]
    for code in range(UNIVERSE):
        for other in range(UNIVERSE):
            assert (of_code[code] == of_code[other]) == (expected[code] == expected[other])
        for role, (members, places) in enumerate(found.listed):
            number = of_code[code]
            listed = members[places[number] : places[number + 1]].tolist()
            left_out = unlisted if role else set()
            assert listed == [n for n in expected[code][role] if n not in left_out]


def test_what_compiling_works_out_of_an_edition_is_asked_once_and_forgotten() -> None:
    edition = catalog.bundled()
    asked: list[str] = []

    @remembered
    def length(name: str, edition: Edition) -> int:
        asked.append(name)
        return len(name)

    edition.let_go()
    assert [length("M62.81", edition), length("I10", edition), length("M62.81", edition)] == [6, 3, 6]
    assert asked == ["M62.81", "I10"]
    found = manifestation_codes(edition)
    assert manifestation_codes(edition) is found
    edition.let_go()
    assert not edition.remembered
    assert (manifestation_codes(edition), length("I10", edition)) == (found, 3)
    assert asked == ["M62.81", "I10", "I10"]
    edition.let_go()
