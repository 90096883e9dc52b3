"""No two codes are an error in either order, unless neither of them can stand first.

Representative codes are judged in pairs, each pair in both orders. A rule that asks for an order must leave one that it
accepts. A sample stands here; `HYPOTHESIS_PROFILE=nightly` judges a hundred times as many pairs.
"""

from __future__ import annotations

import os
import random

import pyarrow as pa

import weakcode
from weakcode.codes import catalog

PAIRS = 400_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 4_000
ORDERS = (
    "icd10cm/code-first-order",
    "icd10cm/manifestation-not-first",
    "guidelines/injury-sequela-first",
    "guidelines/injury-before-abuse",
)
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


def errors(pairs: list[tuple[str, str]]) -> dict[int, set[str]]:
    """The order rules that are errors on each pair, by its number."""
    validator = weakcode.Validator(engine="columnar")
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
            if row["severity"] == "error" and row["rule"] in ORDERS:
                found.setdefault(int(row["claim_id"]), set()).add(row["rule"])
    return found


def test_no_pair_is_an_error_of_order_in_both_orders_unless_neither_can_stand_first() -> None:
    codes = representative()
    pick = random.Random(20260401)
    pairs = [tuple(one.split()) for one in KNOWN]
    while len(pairs) < PAIRS:
        one, other = pick.choice(codes), pick.choice(codes)
        if one != other:
            pairs.append((one, other))
    ways = [(one, other) for one, other in pairs] + [(other, one) for one, other in pairs]
    found = errors(ways)
    alone = errors([(code, "I10") for code in codes] + [(code, "I10") for pair in pairs for code in pair])
    singles = dict(enumerate([*codes, *(code for pair in pairs for code in pair)]))
    never_first = {singles[number] for number in alone}
    stuck = [
        (*pair, found[number], found[number + len(pairs)])
        for number, pair in enumerate(pairs)
        if number in found and number + len(pairs) in found and not set(pair) <= never_first
    ]
    assert stuck == []


def test_claims_of_which_every_order_was_an_error_once_have_a_right_one() -> None:
    validator = weakcode.Validator()
    for codes in KNOWN:
        found = validator.check(weakcode.Claim(codes.split(), service_date="2026-05-04"))
        assert [one.rule for one in found if one.severity == "error"] == [], codes
