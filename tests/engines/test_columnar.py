"""The columnar engine says exactly what the durable engine and a brute-force reading of the semantics say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.engines import brute
from tests.engines.strategies import EDITION, claims, edits, program_of
from weakcode.compile.conditions import JudgedClaim
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.durable import DurableEngine


def expected(some_edits, judged):
    found = set()
    for number, edit in enumerate(some_edits):
        found |= brute.violations(number, edit, judged.claim, judged.ids, judged.date)
    return found


@given(st.lists(edits(), max_size=8), claims)
def test_the_columnar_engine_finds_on_one_claim_what_durable_and_brute_force_find(some_edits, claim):
    judged = JudgedClaim.of(claim, EDITION)
    program = program_of(some_edits)
    hits = ColumnarEngine(program, EDITION, lambda rule: True).hits(judged)
    assert len(hits) == len(set(hits))
    assert set(hits) == expected(some_edits, judged)
    assert set(hits) == set(DurableEngine(program, EDITION, lambda rule: True).hits(judged))
