"""A code that lacks characters stands for a requirement where every code below it would meet it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engines.strategies import EDITION, program_of, reference_hits
from weakcode import Claim
from weakcode.codes.codeset import CodeSet
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.durable import DurableEngine
from weakcode.semantics.edits import CompiledRule, Edit
from weakcode.semantics.judged import JudgedClaim, codes_below
from weakcode.semantics.reference import Outcome, read
from weakcode.semantics.verbs import Order, Verb, Where

# B00 is a category of the codes 3 and 4; B01.0 is the code 4 of other days.
RULE = CompiledRule("small/rule", "", "error", True, "small")
ALL, ONE = CodeSet.of([3, 4, 5]), CodeSet.of([3])


@pytest.mark.parametrize("engine", ["reference", "durable", "columnar"])
@pytest.mark.parametrize(
    ("codes", "objects", "where", "violated"),
    [
        ("A00 B00", ALL, Where.ANYWHERE, False),
        ("B00 A00", ALL, Where.ANYWHERE, False),
        ("A00 B00", ONE, Where.ANYWHERE, True),
        ("A00 B00", ALL, Where.BEFORE, True),
        ("B00 A00", ALL, Where.BEFORE, False),
        ("A00 B00", ALL, Where.AFTER, False),
        ("B00 A00", ALL, Where.AFTER, True),
        ("A00 B01.0", ALL, Where.ANYWHERE, False),
        ("A00 B01.0", ONE, Where.ANYWHERE, True),
        ("A00 A01", ALL, Where.ANYWHERE, True),
        ("A00 Q99.99", ALL, Where.ANYWHERE, True),
        ("A00 B00 Q99.99", ALL, Where.ANYWHERE, False),
    ],
)
def test_a_category_stands_for_what_is_asked_for_on_its_own_side_alone(
    engine: str, codes: str, objects: CodeSet, where: Where, violated: bool
) -> None:
    subject = Edit(rule=0, verb=Verb.REQUIRE, subject=CodeSet.of([0]), object=objects, where=where)
    assert bool(hits(engine, [subject], codes)) is violated
    whole = Edit(rule=0, verb=Verb.CLAIM_REQUIRE, subject=CodeSet(), object=objects)
    lacks_it = objects is ONE or "B0" not in codes
    assert bool(hits(engine, [whole], codes)) is lacks_it


@pytest.mark.parametrize("engine", ["reference", "durable", "columnar"])
@pytest.mark.parametrize(("codes", "where"), [("A00 A01 B00", Where.BEFORE), ("A00 B00 A01", Where.AFTER)])
@pytest.mark.parametrize(
    ("objects", "order", "violated"),
    [(ALL, "all", True), (ALL, "first", False), (ALL, "none", False), (ONE, "first", True)],
)
def test_a_category_that_may_stand_on_the_other_side_meets_a_requirement_where_the_order_is_not_known(
    engine: str, codes: str, where: Where, objects: CodeSet, order: Order, violated: bool
) -> None:
    edit = Edit(rule=0, verb=Verb.REQUIRE, subject=CodeSet.of([1]), object=objects, where=where)
    assert bool(hits(engine, [edit], codes, order)) is violated


def hits(engine: str, edits: list[Edit], codes: str, order: Order = "all") -> Any:
    judged = JudgedClaim.of(Claim(codes), EDITION, order=order)
    if engine == "reference":
        return reference_hits(edits, judged)
    made = {"durable": DurableEngine, "columnar": ColumnarEngine}[engine]
    return made(program_of(edits), EDITION, lambda _: True).hits(judged)


def test_text_shorter_than_a_category_has_no_codes_below_it() -> None:
    assert codes_below("A00", EDITION) == CodeSet.of([0])
    assert codes_below("A0", EDITION) == CodeSet()


def test_a_requirement_on_the_claim_that_a_category_meets_is_read_at_no_position() -> None:
    edit = Edit(rule=0, verb=Verb.CLAIM_REQUIRE, subject=CodeSet(), object=ALL)
    (reading,) = read(0, edit, RULE, JudgedClaim.of(Claim("A00 B00"), EDITION), EDITION)
    assert (reading.subject, reading.outcome) == (0, Outcome.SATISFIED)
