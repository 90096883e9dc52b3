"""The kernel refuses columns that do not fit each other, whoever hands them in, before any loop follows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engines.strategies import EDITION, program_of
from weakcode.codes.codeset import CodeSet
from weakcode.compile.program import Program
from weakcode.engines.columnar import CodedRows, ColumnarEngine
from weakcode.engines.judging import USUAL
from weakcode.engines.kernel import _kernel
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import Verb

EDITS = [
    Edit(0, Verb.FORBID, CodeSet.of([0, 1]), CodeSet.of([2, 3])),
    Edit(0, Verb.REQUIRE, CodeSet.of([1]), CodeSet.of([3])),
    Edit(0, Verb.CLAIM_REQUIRE, CodeSet(), CodeSet.of([4])),
]
TEXT = np.frombuffer(b"I10 M62.84", np.uint8)


def whole(*values: int, kind: Any = np.int32) -> Any:
    return np.array(values, kind)


def engine() -> ColumnarEngine:
    return ColumnarEngine(program_of(EDITS), EDITION, lambda rule: True)


@pytest.mark.parametrize(("low", "high"), [([-1], [2]), ([0], [11]), ([5], [2]), ([0, 4], [3]), ([2**40], [2**40 + 2])])
def test_texts_of_codes_lie_within_their_data(low: list[int], high: list[int]) -> None:
    reading = engine().reading()
    places = (np.array(one, np.int64) for one in (low, high))
    with pytest.raises(ValueError, match="outside their data"):
        reading.tokens(TEXT, *places, np.empty(len(low), np.int32), str)


@pytest.mark.parametrize("bounds", [[0, 99], [-1, 3], [5, 2], []])
def test_texts_to_split_lie_within_their_data(bounds: list[int]) -> None:
    with pytest.raises(ValueError, match="outside their data"):
        _kernel.split(TEXT, np.array(bounds, np.int64), np.empty(4, np.int64))


@pytest.mark.parametrize("pick", [_kernel.pick_lists, _kernel.pick_texts])
@pytest.mark.parametrize(
    ("bounds", "picked"), [([0, 2, 99], [0]), ([0, 3, 2], [0]), ([-1, 2, 3], [0]), ([0, 2, 3], [2]), ([0, 2, 3], [-1])]
)
def test_lists_are_picked_among_those_that_are_there(pick: Any, bounds: list[int], picked: list[int]) -> None:
    values = whole(1, 2, 3, kind=np.int32 if pick is _kernel.pick_lists else np.uint8)
    with pytest.raises(ValueError, match=r"list is picked|outside their values"):
        pick(whole(*bounds), values, whole(*picked))


@pytest.mark.parametrize(
    ("tokens", "bounds"),
    [([0, 1], [0, 3]), ([0, 1], [0, 2, 1]), ([0, 1], [-1, 2]), ([0, -2], [0, 2]), ([0, 2**30], [0, 2])],
)
def test_codes_of_a_batch_are_codes_of_the_edition(tokens: list[int], bounds: list[int]) -> None:
    rows = CodedRows(whole(*tokens), np.array(bounds, np.int64), ["Z"])
    held = np.ones((len(bounds) - 1, 1), np.uint64)
    with pytest.raises(ValueError, match="outside"):
        engine().hits_batch(rows, np.ones(len(bounds) - 1, np.uint8), lambda bits, chosen: (chosen, held.reshape(-1)))


def test_rows_that_are_not_judged_may_have_tokens_of_no_code() -> None:
    rows = CodedRows(whole(0, -3), np.array([0, 1, 2], np.int64), ["A00"])
    assert (
        engine()
        .hits_batch(rows, whole(1, 0, kind=np.uint8), lambda bits, chosen: (chosen, np.ones(2, np.uint64)))
        .shape[1]
        == 6
    )


@pytest.mark.parametrize("name", ["edit", "row", "subject", "object", "stray", "payer"])
def test_hits_lie_within_their_batch(name: str) -> None:
    merger = _kernel.Merger(whole(0, 0), bytes(2), whole(0), whole(0, 0), whole())
    hit = dict.fromkeys(("row", "edit", "subject", "object", "stray", "term"), 0) | (
        {} if name == "payer" else {name: 9}
    )
    for value in (9, -1):
        hit |= {} if name == "payer" else {name: value}
        payer = whole(value if name == "payer" else 0)
        block = whole(*hit.values()).view(np.uint8)
        with pytest.raises(ValueError, match="outside the rows"):
            _kernel.Report(merger).findings(block, whole(1, 2), np.array([0, 2], np.int64), payer, b"\1")
    with pytest.raises(ValueError, match="no edit"):
        merger.merged([(9, 1, 0)], b"\1")
    with pytest.raises(ValueError, match="do not fit"):
        _kernel.Merger(whole(0, 7), bytes(2), whole(0), whole(0, 0), whole())


def test_an_id_of_a_single_claim_is_one_of_the_edition() -> None:
    tables = engine()._parts[0].groups(kind=USUAL)[0][0].tables
    for ids in ((0, 10**6), (0, -1), (0,)):
        with pytest.raises(ValueError, match=r"number of no code|ids of"):
            tables.judge(("A00.0", "A00.1"), ids, 1)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("subject_pointers", [0]),
        ("subject_pointers", [0, 2**31]),
        ("subject_edits", [2**31]),
        ("object_pointers", [0, 5, 1]),
        ("object_edits", [99, 99]),
        ("members", [99]),
        ("starts", []),
        ("verbs", [9, 0, 0]),
        ("wheres", [3, 0, 0]),
        ("objects", [0, 99, 0]),
        ("set_bounds", [0, 1, 2]),
        ("set_bounds", [0, 2**31]),
    ],
)
def test_the_columns_of_a_program_fit_each_other(column: str, values: list[int]) -> None:
    program = program_of(EDITS)
    forged = memoryview(np.array(values, np.uint32).tobytes()).cast("I")
    wrong = Program(program.edition, program.packs, program.rules, program.facts, {**program._sections, column: forged})
    with pytest.raises(ValueError, match=r"do not fit each other|at least one class"):
        ColumnarEngine(wrong, EDITION, lambda rule: True)._parts[0].groups(kind=USUAL)


@pytest.mark.parametrize("numbers", [[0, 3], [-1], [2**31 - 1]])
def test_numbers_that_are_numbered_anew_are_below_their_limit(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="outside 3"):
        _kernel.first_met(whole(*numbers), 3)


def test_numbers_are_numbered_anew_in_the_order_in_which_they_are_met() -> None:
    first, places = (np.frombuffer(one, np.int32).tolist() for one in _kernel.first_met(whole(4, 2, 4, 0, 2), 5))
    assert first == [4, 2, 0]
    assert places == [0, 1, 0, 2, 1]


@pytest.mark.parametrize("hashes", [_kernel.siphashes, _kernel.text_hashes])
@pytest.mark.parametrize("bounds", [[0, 11], [-1, 3], [5, 2], []])
def test_texts_to_hash_lie_within_their_data(hashes: Any, bounds: list[int]) -> None:
    with pytest.raises(ValueError, match="outside their bytes"):
        hashes(bytes(16), whole(*bounds), TEXT)


ASKED: dict[str, Any] = {
    "tokens": whole(0, 1),
    "bounds": whole(0, 1, 2, kind=np.int64),
    "lacks": whole(1, 0, kind=np.uint8),
    "billable": 3,
    "unlisted": whole(),
    "codes": whole(2, 2, 0, kind=np.uint64),
    "leading": whole(0, 0, 0, kind=np.uint64),
    "anywhere": whole(0, kind=np.uint64),
    "wanting": whole(0, 2, kind=np.uint64),
    "allowed": whole(0, 2, kind=np.uint64),
    "payers": (whole(-1, 0), whole(2, kind=np.uint64)),
    "parts": [(0, whole(0, 1), whole(2, 0, kind=np.uint64))],
}


def test_rows_that_lack_something_are_counted_with_what_asks_for_it() -> None:
    told, seen = _kernel.not_judged(**ASKED)
    assert bytes(told) == bytes([1, 0])
    assert np.frombuffer(seen, np.uint64).tolist() == [2, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "changed",
    [
        {"tokens": whole(3, 1)},
        {"tokens": whole(-1, 1)},
        {"bounds": whole(0, 0, 2, kind=np.int64)},
        {"bounds": whole(0, 1, 9, kind=np.int64)},
        {"bounds": whole(0, 1, kind=np.int64)},
        {"lacks": whole(2, 0, kind=np.uint8)},
        {"billable": 4},
        {"billable": 2, "unlisted": whole(3), "tokens": whole(2, 1)},
        {"leading": whole(0, kind=np.uint64)},
        {"anywhere": whole(kind=np.uint64)},
        {"wanting": whole(0, kind=np.uint64)},
        {"payers": (whole(1, 0), whole(2, kind=np.uint64))},
        {"payers": (whole(0), whole(2, kind=np.uint64))},
        {"parts": [(0, whole(0, 2), whole(2, 0, kind=np.uint64))]},
        {"parts": [(0, whole(0, 1), whole(kind=np.uint64))]},
    ],
)
def test_what_could_not_be_judged_is_asked_of_columns_that_fit_each_other_only(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"do not fit|outside"):
        _kernel.not_judged(**{**ASKED, **changed})
