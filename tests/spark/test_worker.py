"""What an executor's Python process does with the batches that Spark hands it."""

from __future__ import annotations

import hmac
import json
import pickle
import zlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import weakcode

pytest.importorskip("pyspark", reason="needs the extra spark")

from weakcode.scrub.summary import JudgedBy
from weakcode.spark import counts, worker


class Broadcast:
    """Stands for a broadcast variable; counts how often its value was asked for."""

    def __init__(self, validator: weakcode.Validator) -> None:
        self._value = zlib.compress(pickle.dumps(validator.in_bulk()))
        self.asked = 0

    @property
    def value(self) -> bytes:
        self.asked += 1
        return self._value


@pytest.fixture(autouse=True)
def nothing_opened() -> Iterator[None]:
    worker._opened.clear()
    yield
    worker._opened.clear()


def shipment(broadcast: Any, digest: str = "one") -> worker.Shipment:
    return worker.Shipment(digest, JudgedBy("columnar", ["weakness 1"], ['the pack "x" was not evaluated']), broadcast)


def claims(*codes: list[str]) -> pa.RecordBatch:
    ids = [f"C{place}" for place in range(len(codes))]
    return pa.RecordBatch.from_pydict({"claim_id": ids, "codes": pa.array(codes, pa.list_(pa.string()))})


def judged(batches: list[pa.RecordBatch], rules: worker.Shipment) -> list[dict[str, Any]]:
    return [row for batch in worker.judged(iter(batches), rules, ()) for row in batch.to_pylist()]


def test_the_rules_are_opened_once_for_all_tasks_of_a_process() -> None:
    rules = Broadcast(weakcode.Validator(packs="weakness"))
    for _ in range(3):
        outcomes = judged([claims(["M62.84"]), claims(["I10"])], shipment(rules))
        assert [row["kind"] for row in outcomes] == ["finding", "tally"]

    assert rules.asked == 1


def test_rules_of_other_runs_do_not_pile_up_in_a_process() -> None:
    rules = Broadcast(weakcode.Validator(packs="weakness"))
    for number in range(10):
        judged([claims(["M62.84"])], shipment(rules, f"run {number}"))

    assert rules.asked == 10
    assert len(worker._opened) <= 3


def test_a_partition_without_claims_counts_nothing_and_opens_no_rules() -> None:
    rules = Broadcast(weakcode.Validator(packs="weakness"))

    (tally,) = judged([], shipment(rules))

    assert (tally["kind"], json.loads(tally["message"])["claims_in"], rules.asked) == ("tally", 0, 0)


def test_the_tallies_of_partitions_add_up_to_one_summary() -> None:
    rules = shipment(Broadcast(weakcode.Validator(packs="weakness")))
    parts = [
        judged([claims(["M62.84"], ["I10"], [])], rules),
        judged([claims(["M62.84"])], rules),
        judged([], rules),
    ]
    texts = [part[-1]["message"] for part in parts]

    summary = counts.together([counts.from_text(text) for text in texts], 2.5)

    assert (summary.claims_in, summary.evaluated, summary.rejected, summary.clean) == (4, 3, 1, 1)
    assert summary.by_rule == {"weakness/sarcopenia-underlying-disease-first": 2}
    assert summary.by_severity == {"error": 2, "warning": 0, "info": 0}
    assert (summary.packs, summary.engine, summary.seconds) == (("weakness 1",), "columnar", 2.5)
    assert summary.notices == ('the pack "x" was not evaluated',)
    assert summary.first_rejected == (("the DataFrame, line 3", "codes"),)


def test_a_waived_finding_keeps_its_waiver_and_is_in_no_other_count() -> None:
    waiver = weakcode.Waiver("weakness/sarcopenia-underlying-disease-first", "the cause is on another claim", "Dr. A")
    rules = shipment(Broadcast(weakcode.Validator(packs="weakness", waivers=[waiver])))

    finding, tally = judged([claims(["M62.84"])], rules)

    assert (finding["kind"], finding["waived_by"]) == ("finding", "Dr. A")
    summary = counts.together([counts.from_text(tally["message"])], 0.0)
    assert (summary.waived, summary.findings, summary.clean) == (1, 0, 1)


def test_with_a_key_no_claim_id_and_no_value_leaves_the_executor() -> None:
    batch = claims(["M62.84"], ["I10"], ["M62.84"])
    batch = batch.set_column(0, "claim_id", pa.array(["PATIENT-1", "PATIENT-2", "PATIENT-3"]))
    batch = batch.append_column("age", pa.array(["70", "71", "seventy-PATIENT"]))
    rules = shipment(Broadcast(weakcode.Validator(packs="weakness")))

    outcomes = [row for out in worker.outcomes_of(rules, (), b"key")(iter([batch])) for row in out.to_pylist()]

    assert [(row["kind"], row["claim_id"]) for row in outcomes] == [
        ("finding", hmac.new(b"key", b"PATIENT-1", "sha256").hexdigest()[:16]),
        ("rejected", hmac.new(b"key", b"PATIENT-3", "sha256").hexdigest()[:16]),
        ("tally", None),
    ]
    assert outcomes[1]["message"] == outcomes[1]["rule"] == "age"
    assert "PATIENT" not in repr(outcomes)
