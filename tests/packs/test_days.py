"""Both engines judge claims of every code set alike, one by one and in a batch of all of them."""

from __future__ import annotations

import random

import pyarrow as pa

import weakcode
from weakcode.codes import catalog


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
