"""Of claims whose codes have no order, or the first alone, what is violated however the others stand."""

from __future__ import annotations

from functools import cache
from itertools import chain, permutations, product

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.strategies import EDITION, NAMES, THOROUGH, claims, edits, program_of, reference_hits
from tests.engines.test_semantics import EVERY_VERB
from weakcode import Claim, Validator
from weakcode.codes.codeset import CodeSet
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.durable import DurableEngine
from weakcode.scrub.judge.batch import FindingBatch, evaluate_batch
from weakcode.scrub.read.batch import RowBatch
from weakcode.scrub.read.rows import Record
from weakcode.semantics.edits import Edit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.verbs import ORDERS, Verb, Where


def test_an_object_stands_before_or_after_a_subject_or_anywhere_else_and_never_at_its_place() -> None:
    places = list(product((1, 2, 3), repeat=2))
    assert {(i, j) for i, j in places if Where.ANYWHERE.relates(i, j)} == {(i, j) for i, j in places if i != j}
    assert {(i, j) for i, j in places if Where.BEFORE.relates(i, j)} == {(2, 1), (3, 1), (3, 2)}
    assert {(i, j) for i, j in places if Where.AFTER.relates(i, j)} == {(1, 2), (1, 3), (2, 3)}


def violations_of(codes: tuple[str, ...], order: str = "all") -> set[tuple[int, str, str]]:
    """Return what is violated, by the codes of a claim; an order is one whichever object it is told with."""
    judged = JudgedClaim.of(Claim(codes), EDITION, order=order)  # type: ignore[arg-type]
    return {
        (
            hit.edit,
            codes[hit.subject - 1] if hit.subject else "",
            codes[hit.object - 1] if hit.object and EVERY_VERB[hit.edit].verb is Verb.FORBID else "",
        )
        for hit in reference_hits(EVERY_VERB, judged)
        if EVERY_VERB[hit.edit].verb is not Verb.AT_MOST_ONE
    }


@pytest.mark.parametrize("order", ["first", "none"])
def test_what_is_violated_is_violated_in_every_order_of_the_others(order: str) -> None:
    for codes in chain.from_iterable(permutations(NAMES[:5], size) for size in (1, 2, 3, 4)):
        kept = 1 if order == "first" else 0
        others = [violations_of((*codes[:kept], *rest)) for rest in permutations(codes[kept:])]
        assert violations_of(codes, order) == set.intersection(*others), codes


def test_a_claim_of_one_code_has_one_order() -> None:
    edit = Edit(rule=0, verb=Verb.SECONDARY, subject=CodeSet.of([0]))
    for order in ORDERS:
        assert len(reference_hits([edit], JudgedClaim.of(Claim("A00"), EDITION, order=order))) == 1, order


def test_engines_find_what_the_reference_finds() -> None:
    program = program_of(EVERY_VERB)
    engines = [ColumnarEngine(program, EDITION, lambda _: True), DurableEngine(program, EDITION, lambda _: True)]
    for codes in chain.from_iterable(product(NAMES[:5], repeat=size) for size in (1, 2, 3)):
        for order in ORDERS:
            judged = JudgedClaim.of(Claim(codes), EDITION, order=order)
            for engine in engines:
                assert set(engine.hits(judged)) == reference_hits(EVERY_VERB, judged), (codes, order)


@THOROUGH
@given(st.lists(edits(), max_size=8), claims, st.sampled_from(ORDERS))
def test_the_columnar_engine_finds_what_the_reference_finds(some_edits, claim, order):  # type: ignore[no-untyped-def]
    judged = JudgedClaim.of(claim, EDITION, order=order)
    engine = ColumnarEngine(program_of(some_edits), EDITION, lambda _: True)
    assert set(engine.hits(judged)) == reference_hits(some_edits, judged)


@cache
def bundled() -> Validator:
    return Validator().in_bulk()


CODES = st.sampled_from(["M62.84", "G72.9", "I10", "K31.84", "E11.43", "B20", "O98.711", "E11", "Z33.1", "T36.0X5A"])


@given(st.lists(st.tuples(st.lists(CODES, min_size=1, max_size=6), st.sampled_from(ORDERS)), min_size=1, max_size=6))
def test_batches_have_the_findings_of_single_claims(given_claims: list[tuple[list[str], str]]) -> None:
    validator = bundled()
    records = tuple(
        Record(Claim(codes, f"C{at}", service_date="2026-05-01"), "f", at, order=order)  # type: ignore[arg-type]
        for at, (codes, order) in enumerate(given_claims, start=1)
    )
    outcome = evaluate_batch(RowBatch(records), validator.columns(), validator)
    assert isinstance(outcome, FindingBatch)
    assert outcome.scrubbed is not None
    found = pa.Table.from_batches([outcome.scrubbed.findings]).select(["claim_id", "rule", "positions"]).to_pylist()
    single = [
        {"claim_id": record.claim.id, "rule": finding.rule, "positions": list(finding.positions)}
        for record in records
        for finding in validator.judge(record.claim, order=record.order).findings
    ]
    assert found == single
