"""What becomes of violations, case by case: merged, superseded, put in order. The kernel is held to each case too."""

from __future__ import annotations

import pytest

from tests.engines.strategies import EDITION, FACTS
from weakcode.codes.codeset import CodeSet
from weakcode.compile.program import Program
from weakcode.engines.findings import Assembler
from weakcode.semantics.edits import CompiledRule, Edit, Hit
from weakcode.semantics.supersede import findings
from weakcode.semantics.verbs import Verb, Where

ANY, BEFORE, AFTER = Where.ANYWHERE, Where.BEFORE, Where.AFTER
GENERIC, SPECIFIC, OTHER = range(3)
IDS = ("small/b-generic", "small/c-specific", "small/a-other")


def findings_of(edits, hits, supersedes=(), off=()):
    """The findings as (edits, subject, other), by the specification and by the kernel, which must not differ."""
    codes = CodeSet.of([0, 1, 2])
    compiled = [
        CompiledRule(name, "", "error", True, "small", supersedes=tuple(IDS[b] for a, b in supersedes if a == number))
        for number, name in enumerate(IDS)
    ]
    listed = [
        Edit(rule, verb, CodeSet() if verb is Verb.CLAIM_REQUIRE else codes, codes, where)
        for rule, verb, where in edits
    ]
    found = findings([Hit(*hit) for hit in hits], lambda number: listed[number], compiled, lambda rule: rule not in off)
    meta, sections = Program.pack("small", ["small 1"], compiled, FACTS, listed)
    program = Program.open(meta, sections)
    assembler = Assembler(program, EDITION, lambda rule, payer: None if rule in off else "error")
    expected = [(one.edits, one.subject, one.object) for one in found.kept]
    assert assembler.merger.merged({Hit(*hit) for hit in hits}, assembler.severities(None)) == expected
    return expected


@pytest.mark.parametrize(
    ("verb", "where", "is_one"),
    [
        (Verb.FORBID, ANY, True),
        (Verb.FORBID, BEFORE, False),
        (Verb.FORBID, AFTER, False),
        (Verb.ORDER, BEFORE, False),
        (Verb.AT_MOST_ONE, ANY, False),
        (Verb.ONCE, ANY, False),
    ],
)
def test_only_what_may_not_stand_together_anywhere_is_one_finding_in_either_order(verb, where, is_one):
    edits = [(GENERIC, verb, where), (GENERIC, verb, where)]
    found = findings_of(edits, [(0, 2, 1), (1, 1, 2)])
    assert found == ([((1, 0), 1, 2)] if is_one else [((1,), 1, 2), ((0,), 2, 1)])


@pytest.mark.parametrize("verb", [Verb.PRESENT, Verb.REQUIRE, Verb.FIRST, Verb.SECONDARY])
def test_two_edits_of_one_rule_that_name_one_diagnosis_are_two_findings(verb):
    assert findings_of([(GENERIC, verb, ANY), (GENERIC, verb, ANY)], [(0, 1, 0), (1, 1, 0)]) == [
        ((0,), 1, 0),
        ((1,), 1, 0),
    ]


def test_the_first_of_several_violations_by_the_same_codes_names_the_finding_and_all_are_cited():
    forbid = (GENERIC, Verb.FORBID, ANY)
    assert findings_of([forbid, forbid, forbid], [(2, 1, 3), (0, 3, 1), (1, 1, 3)]) == [((1, 2, 0), 1, 3)]


def test_violations_of_two_rules_or_by_other_codes_are_findings_of_their_own():
    edits = [(GENERIC, Verb.FORBID, ANY), (SPECIFIC, Verb.FORBID, ANY)]
    assert findings_of(edits, [(0, 1, 2), (0, 1, 3), (1, 2, 1)]) == [((0,), 1, 2), ((0,), 1, 3), ((1,), 2, 1)]


@pytest.mark.parametrize(
    ("specific", "generic", "is_superseded"),
    [
        ((1, 2), (1, 2), True),
        ((2, 1), (1, 2), True),
        ((1, 3), (1, 2), False),
        ((3, 2), (1, 2), False),
        ((3, 4), (1, 2), False),
        ((1, 0), (1, 2), True),
        ((2, 0), (1, 2), False),
        ((1, 2), (1, 0), True),
        ((2, 1), (1, 0), False),
        ((1, 0), (1, 0), True),
        ((2, 0), (1, 0), False),
        ((0, 0), (0, 0), True),
        ((0, 0), (1, 0), False),
    ],
)
def test_a_generic_finding_goes_for_a_specific_one_on_the_same_codes(specific, generic, is_superseded):
    edits = [(GENERIC, Verb.FORBID, BEFORE), (SPECIFIC, Verb.FORBID, BEFORE)]
    hits = [(0, *generic), (1, *specific)]
    kept = {edits for edits, _, _ in findings_of(edits, hits, supersedes=[(SPECIFIC, GENERIC)])}
    assert kept == ({(1,)} if is_superseded else {(0,), (1,)})
    assert len(findings_of(edits, hits)) == 2, "a rule that names no other supersedes none"


def test_a_rule_that_is_off_finds_nothing_and_supersedes_nothing():
    edits = [(GENERIC, Verb.PRESENT, ANY), (SPECIFIC, Verb.PRESENT, ANY)]
    hits = [(0, 1, 0), (1, 1, 0)]
    assert findings_of(edits, hits, [(SPECIFIC, GENERIC)]) == [((1,), 1, 0)]
    assert findings_of(edits, hits, [(SPECIFIC, GENERIC)], off=[SPECIFIC]) == [((0,), 1, 0)]


def test_a_superseded_finding_still_supersedes_others():
    edits = [(GENERIC, Verb.PRESENT, ANY), (SPECIFIC, Verb.PRESENT, ANY), (OTHER, Verb.PRESENT, ANY)]
    hits = [(0, 1, 0), (1, 1, 0), (2, 1, 0)]
    assert findings_of(edits, hits, [(SPECIFIC, GENERIC), (OTHER, SPECIFIC)]) == [((2,), 1, 0)]


def test_two_rules_that_supersede_each_other_leave_no_finding():
    edits = [(GENERIC, Verb.PRESENT, ANY), (SPECIFIC, Verb.PRESENT, ANY)]
    assert findings_of(edits, [(0, 1, 0), (1, 1, 0)], [(SPECIFIC, GENERIC), (GENERIC, SPECIFIC)]) == []


def test_findings_come_by_subject_then_by_the_rule_s_id_then_by_the_other_code():
    edits = [
        (GENERIC, Verb.FORBID, ANY),
        (SPECIFIC, Verb.FORBID, ANY),
        (OTHER, Verb.FORBID, ANY),
        (OTHER, Verb.CLAIM_REQUIRE, ANY),
    ]
    hits = [(0, 2, 1), (0, 1, 4), (0, 1, 3), (1, 1, 2), (2, 1, 5), (3, 0, 0)]
    assert findings_of(edits, hits) == [
        ((3,), 0, 0),
        ((2,), 1, 5),
        ((0,), 1, 3),
        ((0,), 1, 4),
        ((1,), 1, 2),
        ((0,), 2, 1),
    ]
