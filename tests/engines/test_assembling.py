"""Hits become findings: merged, superseded and put in order as the specification says."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.strategies import EDITION, FACTS, SENTENCES, THOROUGH, edits
from weakcode.claims import Claim
from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler
from weakcode.engines.kernel._kernel import Maker
from weakcode.findings import Finding
from weakcode.semantics.edits import CompiledRule, Hit
from weakcode.semantics.supersede import findings
from weakcode.semantics.verbs import Verb, Where

RULES = ("small/a", "small/b", "small/c")
LEVELS = (None, "info", "warning", "error")

# Few places, so that violations meet; and no claim is so long that its positions may run into each other.
places = st.integers(1, 3) | st.integers(1, 4) | st.integers(2**20, 2**20 + 2)
# Half of the edits may be merged.
KINDS = [*SENTENCES, *[(Verb.FORBID, Where.ANYWHERE)] * len(SENTENCES)]
numbers = st.integers(0, 5)
some_hits = st.sets(
    st.builds(Hit, numbers, places, st.just(0) | places) | st.builds(Hit, numbers, st.just(0), st.just(0)), max_size=40
)
replaced_rules = st.tuples(*[st.sets(st.sampled_from([n for n in range(3) if n != rule])) for rule in range(3)])
orders = st.permutations(range(3))


@THOROUGH
@given(
    st.lists(edits(rules=3, kinds=KINDS), min_size=6, max_size=6),
    some_hits,
    replaced_rules,
    st.lists(st.integers(0, 3), min_size=3, max_size=3),
    orders,
)
def test_hits_are_merged_superseded_and_ordered_as_the_specification_says(some_edits, hits, replaces, levels, order):
    """Whatever the order of the rules in their files, `order` being the place of each there."""
    compiled = [
        CompiledRule(RULES[rule], "", "error", True, "small", supersedes=tuple(RULES[n] for n in replaces[rule]))
        for rule in order
    ]
    in_file = [attrs.evolve(edit, rule=order.index(edit.rule)) for edit in some_edits]
    meta, sections = Program.pack("small", ["small 1"], compiled, FACTS, in_file)
    assembler = Assembler(Program.open(meta, sections), EDITION, lambda number, payer: LEVELS[levels[order[number]]])
    severities = assembler.severities(None)
    assert list(severities) == [levels[rule] for rule in order]
    expected = findings(hits, lambda number: in_file[number], compiled, lambda number: bool(severities[number]))
    merged = [(one.edits, one.subject, one.object) for one in expected.kept]
    assert assembler.merger.merged(hits, severities) == merged


def test_a_finding_is_made_with_all_its_fields_and_stays_as_it_is():
    values = ("a/b", "error", "So.", ("A00",), (1,), (), None, None, None, "certain", "Title", "0a")
    made = Maker(Finding)(*values)
    assert made == Finding(*values)
    assert hash(made) == hash(Finding(*values))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.rule = "a/c"


def test_what_does_more_than_keep_its_fields_is_made_by_its_own_init_alone():
    with pytest.raises(TypeError, match="Claim does more than to keep its fields"):
        Maker(Claim)
    with pytest.raises(TypeError, match="Finding has 12 fields, not 1"):
        Maker(Finding)("a/b")
