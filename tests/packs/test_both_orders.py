"""No two codes are an error in either order, unless neither can stand first or they need a third code before them.

Representative codes are judged in pairs, each pair in both orders. Rules that ask for an order must leave one that they
all accept. A sample stands here; `HYPOTHESIS_PROFILE=nightly` judges all pairs of some 3,600 codes.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import pyarrow as pa

import weakcode
from weakcode.codes import catalog
from weakcode.semantics.verbs import Verb, Where

SAMPLE = 4_000
CHUNK = 200_000
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
CAUSE = "E85.4"
"""A disease that code-first notes ask for, as an example or by name."""
KNOWN = ["S06.2X9S F02.80", "S06.2X9S F06.31", "T38.0X1S E09.9", "F43.12 T74.31XS", "E11.43 K31.84"]


def representative() -> list[str]:
    """The first and the last code of every category that is billable on the first day of the edition."""
    edition = catalog.bundled()
    today = edition.on(edition.starts)
    by_category: dict[str, list[str]] = {}
    for code_id in today.billable:
        code = edition.code(code_id)
        by_category.setdefault(code[:3], []).append(code)
    return sorted({code for codes in by_category.values() for code in (codes[0], codes[-1])})


def orders(validator: weakcode.Validator) -> set[str]:
    """The rules that ask where codes stand and are errors."""
    program = validator._judge_of(validator._edition(None)).program
    asking = set()
    for number in program.chosen_edits:
        verb, where = Verb(program.column("verbs")[number]), Where(program.column("wheres")[number])
        beside = verb is Verb.FORBID and where is not Where.ANYWHERE
        if verb in (Verb.ORDER, Verb.SECONDARY, Verb.FIRST) or beside:
            asking.add(program.rules[program.rule_of_edit[number]].id)
    return {rule.id for rule in validator.rules if rule.severity == "error" and rule.id in asking}


def errors(pairs: Sequence[tuple[str, ...]]) -> dict[int, set[str]]:
    """The order rules that are errors on each claim of codes, by its number."""
    validator = weakcode.Validator(engine="columnar")
    asking = orders(validator)
    table = pa.table(
        {
            "claim_id": [str(number) for number in range(len(pairs))],
            "codes": [list(pair) for pair in pairs],
            "service_date": ["2026-05-04"] * len(pairs),
        }
    )
    found: dict[int, set[str]] = {}
    for batch in validator.scrub(table):
        for row in batch.select(["claim_id", "rule", "severity"]).to_pylist():
            if row["severity"] == "error" and row["rule"] in asking:
                found.setdefault(int(row["claim_id"]), set()).add(row["rule"])
    return found


def all_pairs(codes: list[str]) -> Iterator[list[tuple[str, str]]]:
    """Every pair nightly, a sample otherwise, in parts."""
    if NIGHTLY:
        every = combinations(codes, 2)
        while part := list(islice(every, CHUNK)):
            yield part
    pick = random.Random(20260401)
    chosen = {(pick.choice(codes), pick.choice(codes)) for _ in range(SAMPLE)}
    yield [*(tuple(one.split()) for one in KNOWN), *sorted(pair for pair in chosen if pair[0] != pair[1])]


def test_the_rules_that_ask_for_an_order_are_all_looked_at() -> None:
    asking = orders(weakcode.Validator())
    assert {"icd10cm/code-first-order", "icd10cm/manifestation-not-first", "guidelines/injury-before-abuse"} <= asking
    assert len(asking) > 30


def test_no_pair_is_an_error_of_order_in_both_orders_unless_neither_can_stand_first() -> None:
    codes = sorted({*representative(), *(code for pair in KNOWN for code in pair.split())})
    never_first = {codes[number] for number in errors([(code, "I10") for code in codes])}
    for pairs in all_pairs(codes):
        one_way, other_way = errors(pairs), errors([(other, one) for one, other in pairs])
        stuck = [
            (*pairs[number], one_way[number], other_way[number])
            for number in one_way
            if number in other_way and not set(pairs[number]) <= never_first
        ]
        assert [one for one in stuck if not has_an_order_with_a_cause(*one[:2])] == []


def has_an_order_with_a_cause(one: str, other: str) -> bool:
    """Whether a third code before them is all that two codes need: E85.4 I68.0 G46.0, of which I68.0 is never first."""
    return len(errors([(CAUSE, one, other), (CAUSE, other, one)])) < 2


def test_claims_of_which_every_order_was_an_error_once_have_a_right_one() -> None:
    validator = weakcode.Validator()
    for codes in KNOWN:
        found = validator.check(weakcode.Claim(codes.split(), service_date="2026-05-04"))
        assert [one.rule for one in found if one.severity == "error"] == [], codes
