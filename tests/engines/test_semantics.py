"""The durable engine says exactly what the reference reading says."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from contextlib import suppress
from itertools import chain, product

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.engines.plain import meets, pointed_to
from tests.engines.strategies import (
    EDITION,
    NAMES,
    POINTED_KINDS,
    SENTENCES,
    THOROUGH,
    claims,
    conditions,
    edits,
    one_part,
    pointed_edits,
    program_of,
    reference_hits,
)
from weakcode.claims import Claim, ServiceLine
from weakcode.codes.codeset import CodeSet
from weakcode.engines import durable
from weakcode.engines.durable import DurableEngine
from weakcode.errors import EngineError
from weakcode.semantics.conditions import holds
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.judged import JudgedClaim
from weakcode.semantics.verbs import Verb, Where


def engine_for(some_edits):
    return DurableEngine(program_of(some_edits), EDITION, lambda rule: True)


def only(*ids):
    return CodeSet.of(ids)


# Two edits of every verb, of which one's subjects are the other's objects; A01 is both, A04 is neither. Claims meet
# both at once, so that one's facts are not taken for the other's.
_SIDES = [(only(0, 1), only(1, 2, 3)), (only(1, 2, 3), only(0, 1))]
EVERY_VERB = [
    Edit(
        rule=0,
        verb=verb,
        subject=CodeSet() if verb is Verb.CLAIM_REQUIRE else subject,
        object=related if verb in (Verb.FORBID, Verb.REQUIRE, Verb.ORDER, Verb.CLAIM_REQUIRE) else CodeSet(),
        where=where,
    )
    for verb, where in sorted(set(SENTENCES))
    for subject, related in _SIDES
]


def test_every_claim_of_up_to_three_codes_is_judged_as_by_the_reference():
    """What a verb means shows on short claims; these are all of them, and no chance is in it."""
    engine = engine_for(EVERY_VERB)
    violated = set()
    for codes in chain.from_iterable(product(NAMES[:5], repeat=size) for size in (1, 2, 3)):
        judged = JudgedClaim.of(Claim(codes), EDITION)
        hits = engine.hits(judged)
        assert len(hits) == len(set(hits)), codes
        assert set(hits) == reference_hits(EVERY_VERB, judged), codes
        violated.update(hit.edit for hit in hits)
    assert violated == set(range(len(EVERY_VERB)))


@THOROUGH
@given(st.lists(edits(), max_size=8), claims)
def test_the_durable_engine_finds_what_the_reference_finds(some_edits, claim):
    judged = JudgedClaim.of(claim, EDITION)
    hits = engine_for(some_edits).hits(judged)
    assert len(hits) == len(set(hits))
    assert set(hits) == reference_hits(some_edits, judged)


@pytest.mark.parametrize(("verb", "where"), sorted(set(SENTENCES)), ids=lambda part: part.name)
def test_what_is_generated_violates_and_keeps_edits_of_every_kind(verb, where):
    """An edit that no claim violates, or every claim does, would hold the engines to nothing."""
    violated = Counter()

    class EnoughError(Exception):
        pass

    # Without the phase that shrinks, the first that raises is the last that is drawn.
    @settings(max_examples=600, derandomize=True, database=None, phases=[Phase.generate])
    @given(edits(kinds=[(verb, where)]), claims)
    def count(edit, claim):
        violated[bool(reference_hits([edit], JudgedClaim.of(claim, EDITION)))] += 1
        if min(violated[True], violated[False]) >= 12:
            raise EnoughError

    with suppress(EnoughError):
        count()
    assert min(violated[True], violated[False]) >= 12, violated


@settings(max_examples=4 * THOROUGH.max_examples)
@given(st.one_of(*[one_part] * 4, conditions), claims)
def test_a_condition_holds_where_a_plain_reading_of_it_holds(condition, claim):
    judged = JudgedClaim.of(claim, EDITION)
    assert holds(condition, judged) == meets(condition, claim, judged.ids, judged.date)


@given(pointed_edits, claims)
def test_service_lines_point_to_what_a_plain_reading_of_them_says(edit, claim):
    judged = JudgedClaim.of(claim, EDITION)
    assert judged.pointed(edit) == pointed_to(edit, claim, judged.ids)


def test_two_service_lines_point_to_what_a_plain_reading_says_wherever_they_point():
    """All ways in which two lines of two pointers can point to four diagnoses and beyond; the last stands twice."""
    ways = [way for size in (0, 1, 2) for way in product(range(1, 6), repeat=size)]
    asked = [Edit(0, Verb.PRESENT, only(0, 1), pointed=one) for one in POINTED_KINDS]
    for one, other, main_only in product(ways, ways, (False, True)):
        claim = Claim(
            ["A00", "A03", "A01", "A00"], lines=[ServiceLine(1, one), ServiceLine(2, other, main_only=main_only)]
        )
        judged = JudgedClaim.of(claim, EDITION)
        for edit in asked:
            assert judged.pointed(edit) == pointed_to(edit, claim, judged.ids), (one, other, main_only, edit.pointed)


@given(st.lists(edits(), max_size=8))
def test_a_stored_program_gives_back_the_edits_that_went_in(some_edits):
    program = program_of(some_edits)
    stored = [program.edit(number) for number in range(len(program))]
    assert stored == some_edits
    assert set(stored) == set(some_edits)
    for code_id in range(EDITION.universe):
        as_subject, as_object = program.roles(code_id)
        assert set(as_subject) == {n for n, edit in enumerate(some_edits) if code_id in set(edit.subject)}
        assert set(as_object) == {n for n, edit in enumerate(some_edits) if code_id in set(edit.object)}


@pytest.mark.parametrize("asked", [{"pointed": "first"}, {"poa": ("N",)}], ids=["pointed", "indicator"])
def test_a_subject_by_a_service_line_or_an_indicator_is_judged_and_others_are_not(asked):
    edit = Edit(rule=0, verb=Verb.PRESENT, subject=only(0, 1), **asked)
    diagnoses = [{"code": "A00", "poa": "Y"}, {"code": "A01", "poa": "N"}]
    meets = Claim(diagnoses, setting="inpatient", lines=[ServiceLine(1, (2, 1))])
    fails = Claim([diagnoses[0], {"code": "A02"}], setting="inpatient", lines=[ServiceLine(1, (2,))])
    engine = engine_for([edit])
    assert engine.hits(JudgedClaim.of(meets, EDITION)) == [Hit(0, 2, 0)]
    assert engine.hits(JudgedClaim.of(fails, EDITION)) == []


A_BEFORE_B = Edit(rule=0, verb=Verb.REQUIRE, subject=only(1), object=only(0), where=Where.BEFORE)


@pytest.mark.parametrize(
    ("codes", "violated"),
    [(["A00", "A01"], False), (["A01", "A00"], True), (["A01"], True), (["A05", "A00", "A05", "A01"], False)],
    ids=["in-order", "reversed", "missing", "repeated-around"],
)
def test_a_requirement_waits_for_every_diagnosis_before_it_is_judged_missing(codes, violated):
    hits = engine_for([A_BEFORE_B]).hits(JudgedClaim.of(Claim(codes), EDITION))
    assert bool(hits) is violated


def test_what_is_raised_while_a_violation_is_reported_is_raised_and_never_a_clean_claim(monkeypatch):
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)

    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(durable, "Hit", broken)
    with pytest.raises(ZeroDivisionError):
        engine.hits(judged)
    monkeypatch.undo()
    assert engine.hits(judged) == [Hit(0, 1, 0)]


def test_an_evaluation_in_which_the_closing_fact_was_not_matched_is_an_error(monkeypatch):
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    real = engine.facts
    monkeypatch.setattr(engine, "facts", lambda j: real(j)[:-1])
    with pytest.raises(EngineError, match="did not finish"):
        engine.hits(judged)
    monkeypatch.undo()
    assert engine.hits(judged) == [Hit(0, 1, 0)]


def test_a_rules_engine_that_fails_is_an_engine_error_that_says_so():
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    engine.hits(judged)
    durable._idle[-1]._handle = 0
    with pytest.raises(EngineError, match="the rules engine failed on this claim"):
        engine.hits(judged)
    assert engine.hits(judged) == [Hit(0, 1, 0)]


def test_durable_rules_that_cannot_be_loaded_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "durable_rules_engine", None)
    with pytest.raises(EngineError, match=r"does not fit Python.*columnar, the default, has the same findings"):
        engine_for([A_BEFORE_B])


def test_rulesets_of_evaluations_that_were_broken_off_are_deleted(monkeypatch):
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    engine.hits(judged)
    before = len(durable._owners)
    deleted = Counter()
    rules_engine = sys.modules["durable_rules_engine"]
    real = rules_engine.delete_ruleset
    monkeypatch.setattr(rules_engine, "delete_ruleset", lambda handle: (deleted.update([handle]), real(handle)))

    def broken(*_):
        raise ZeroDivisionError

    for _ in range(20):
        with monkeypatch.context() as patch:
            patch.setattr(durable, "Hit", broken)
            with pytest.raises(ZeroDivisionError):
                engine.hits(judged)
        assert engine.hits(judged) == [Hit(0, 1, 0)]
    assert len(durable._owners) <= before + 1
    assert len(deleted) >= 19
    assert set(deleted.values()) == {1}


def test_a_refused_fact_is_an_error_and_the_next_claim_is_judged_all_the_same(monkeypatch):
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    real = engine.facts
    monkeypatch.setattr(engine, "facts", lambda j: [{"sid": "claim", "colour": "blue"}, *real(j)])
    with pytest.raises(EngineError):
        engine.hits(judged)
    monkeypatch.undo()
    assert engine.hits(judged) == [Hit(0, 1, 0)]


def test_more_claims_than_durable_rules_has_states_are_judged():
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    assert {tuple(engine.hits(judged)) for _ in range(2_500)} == {(Hit(0, 1, 0),)}


def test_recycling_the_ruleset_changes_no_finding(monkeypatch):
    monkeypatch.setattr(durable, "_CLAIMS_BEFORE_RECYCLING", 3)
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    assert [engine.hits(judged) for _ in range(20)] == [[Hit(0, 1, 0)]] * 20


def test_threads_that_share_an_engine_each_get_their_own_findings():
    engine = engine_for([A_BEFORE_B])
    wrong, right = (JudgedClaim.of(Claim(codes), EDITION) for codes in (["A01"], ["A00", "A01"]))
    answers: list[bool] = []

    def work():
        answers.extend(engine.hits(wrong) == [Hit(0, 1, 0)] and engine.hits(right) == [] for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [True] * 800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which this system does not have")
def test_a_forked_child_judges_claims_like_its_parent():
    engine = engine_for([A_BEFORE_B])
    judged = JudgedClaim.of(Claim(["A01"]), EDITION)
    assert engine.hits(judged)
    child = os.fork()
    if child == 0:
        os._exit(0 if engine.hits(judged) == [Hit(0, 1, 0)] else 1)
    assert os.waitpid(child, 0)[1] == 0
