"""Both engines judge claims of every code set alike, one by one and in a batch of all of them."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa

import weakcode
from weakcode.codes import catalog
from weakcode.codes.sources import orders


def test_claims_of_every_code_set_in_one_batch_are_judged_as_they_are_one_by_one() -> None:
    dice = random.Random(7)
    releases = catalog.bundled().releases
    whole = catalog.bundled()
    claims = []
    for number in range(360):
        release = releases[number % len(releases)]
        codes = [whole.code(dice.randrange(whole.size)) for _ in range(4)]
        about = {"age": dice.choice([0, 10, 30, 70]), "sex": dice.choice("FM"), "setting": "inpatient"}
        claims.append((codes, release.starts, about))
    columnar, durable = (weakcode.Validator(engine=engine) for engine in ("columnar", "durable"))
    table = pa.table(
        {
            "claim_id": [str(number) for number in range(len(claims))],
            "codes": [codes for codes, _, _ in claims],
            "service_date": [day for _, day, _ in claims],
            **{name: [about[name] for _, _, about in claims] for name in ("age", "sex", "setting")},
        }
    )
    rows = [row for batch in columnar.scrub(table) for row in batch.to_pylist()]
    found = [
        (int(row["claim_id"]), row["rule"], row["message"], tuple(row["positions"]), row["edition"]) for row in rows
    ]
    for judge in (columnar, durable):
        alone = []
        for number, (codes, day, about) in enumerate(claims):
            verdict = judge.judge(weakcode.Claim(codes, service_date=day, **about))
            alone += [(number, one.rule, one.message, one.positions, verdict.edition) for one in verdict.findings]
        assert found == alone
    assert {row["edition"] for row in rows} == {release.name for release in releases}


ABOUT_A_SIDE = {
    "guidelines/open-side-beside-known-side",
    "icd10cm/unspecified-side",
    "icd10cm/excludes1-other-side",
    "mce/unspecified-code",
    "icd10cm/unspecified-code",
}


def followers(code: str, added: list[str]) -> list[str]:
    """The codes that took the place of a retired one, by their spelling and titles."""
    if code.startswith("T528X"):
        # What the solvents are is told by the fifth character now.
        return [one for one in added if one.startswith("T528") and one[5:] == code[5:]]
    return [one for one in added if one.startswith(code)]


def test_codes_that_took_the_place_of_others_stand_in_the_same_rules(shared: Path) -> None:
    changes = orders.read_addendum((shared / "icd10cm" / "icd10cm_order_addenda_2027.txt").read_text())
    added = [one.code for one in changes.added if one.billable]
    before, after = (weakcode.Validator(today=day) for day in ("2026-09-30", "2026-10-01"))
    different = {}
    for old in (one.code for one in changes.deleted if one.billable):
        new = followers(old, added)
        # The sprain of one joint of the breastbone has none: the codes of its category tell the others.
        assert bool(new) is not old.startswith("S2342")
        for code in new:
            apart = set(before.rules_touching(old)) ^ set(after.rules_touching(code))
            # Whether a code is exempt from reporting presence on admission is told of each.
            rules = {rule for rule, _ in apart if not rule.startswith("poa/")}
            different[old, code] = rules - ABOUT_A_SIDE
    # Medicare's list has the codes below Z87.890 as unacceptable when first-listed, and did not have that one.
    own_flags = {old: rules for (old, _), rules in different.items() if rules}
    assert own_flags == {"Z87890": {"mce/unacceptable-principal"}}
