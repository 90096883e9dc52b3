"""Ids of findings: the same for the same finding of the same claim, whichever way it was judged."""

from __future__ import annotations

import errno
import os
from collections import Counter
from io import FileIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import weakcode
from weakcode.cli import main
from weakcode.engines.ids import PART, id_of, key_of, keys_of
from weakcode.engines.kernel import _kernel
from weakcode.scrub.columns.arrow import text_buffers
from weakcode.scrub.ids.counted import CountedIds
from weakcode.scrub.ids.hashruns import HashRuns, ranges
from weakcode.scrub.read.log import ReadLog

CLAIMS = [
    {"claim_id": "A1", "codes": "M62.84 I10", "service_date": "2026-03-02", "payer": "Acme"},
    {"claim_id": "A2", "codes": "E11.9 E11.9 NOPE", "service_date": "2026-03-02", "payer": None},
    {"claim_id": None, "codes": "M62.84", "service_date": None, "payer": "Acme"},
    {"claim_id": "é", "codes": "R54 M62.84", "service_date": "2026-05-02", "payer": None},
    # One rule that finds two things on no codes: the scores for verbal response and for motor response are missing.
    {"claim_id": "A5", "codes": "R40.2110 S06.0X1A", "service_date": "2026-05-02", "payer": None},
    {"claim_id": "A6", "codes": "G20.A1", "service_date": "2026-05-02", "payer": None},
    # What cannot be first-listed, alone and with a repeat of itself only: there is nothing to change places with.
    {"claim_id": "A7", "codes": "F02.80", "service_date": "2026-05-02", "payer": None},
    {"claim_id": "A8", "codes": "F02.80 F02.80", "service_date": "2026-05-02", "payer": None},
    {"claim_id": "A9", "codes": "F02.80 G30.9", "service_date": "2026-05-02", "payer": None},
]
# From the reference implementation of its authors: the key 00 01 … 0f, and messages of 0, 1 and 15 bytes.
VECTORS = {
    0: "a3817f04ba25a8e66df67214c7550293",
    1: "da87c1d86b99af44347659119b22fc45",
    15: "5493e99933b0a8117e08ec0f97cfc3d9",
}


@pytest.fixture(scope="module")
def validator() -> weakcode.Validator:
    return weakcode.Validator(today="2026-06-01")


@pytest.fixture(scope="module")
def batched(validator: weakcode.Validator) -> list[dict[str, object]]:
    return [row for batch in validator.scrub(pa.Table.from_pylist(CLAIMS)) for row in batch.to_pylist()]


@pytest.mark.parametrize("size", VECTORS)
def test_the_hash_is_the_one_that_it_is_said_to_be(size: int) -> None:
    assert _kernel.siphash(bytes(range(16)), bytes(range(size))).hex() == VECTORS[size]


def test_a_single_check_and_a_batch_give_the_same_ids_titles_and_fixes(
    validator: weakcode.Validator, batched: list[dict[str, object]]
) -> None:
    single = [
        (claim.id, one.id, one.title, one.fix and one.fix.description, claim.payer, claim.service_date)
        for claim in map(weakcode.Claim.from_dict, CLAIMS)
        for one in validator.check(claim)
    ]
    names = ("claim_id", "finding_id", "title", "fix", "payer", "service_date")
    assert [tuple(row[name] for name in names) for row in batched] == single
    assert {row["fix"] is None for row in batched} == {True, False}


def test_the_durable_engine_gives_the_same_ids(validator: weakcode.Validator) -> None:
    pytest.importorskip("durable", reason="the durable engine is an extra")
    durable = weakcode.Validator(packs="weakness", engine="durable", today="2026-06-01")
    bulk = weakcode.Validator(packs="weakness", today="2026-06-01")
    claim = weakcode.Claim.from_dict(CLAIMS[0])
    assert [one.id for one in durable.check(claim)] == [one.id for one in bulk.check(claim)] != []


def test_no_id_appears_twice_even_where_a_rule_finds_two_things_on_the_same_codes(
    batched: list[dict[str, object]],
) -> None:
    ids = [row["finding_id"] for row in batched]
    assert len(set(ids)) == len(ids)
    twice = [(row["claim_id"], row["rule"], tuple(row["positions"])) for row in batched]  # type: ignore[arg-type]
    assert len(set(twice)) < len(twice)


def test_an_id_is_made_of_claim_rule_codes_and_positions_alone(batched: list[dict[str, object]]) -> None:
    row = batched[0]
    told = {name: row[name] for name in ("claim_id", "rule", "codes", "positions")}
    assert id_of(**told) == row["finding_id"]
    for name, other in {"claim_id": "B", "rule": "x/y", "codes": ["I10"], "positions": [3]}.items():
        assert id_of(**{**told, name: other}) != row["finding_id"]


@pytest.mark.parametrize("changed", [{"age": 80}, {"payer": "Other"}, {"service_date": "2026-04-02"}])
def test_what_else_a_claim_says_does_not_change_ids(validator: weakcode.Validator, changed: dict[str, object]) -> None:
    claim = weakcode.Claim.from_dict(CLAIMS[0])
    before, after = ({one.id for one in validator.check(of)} for of in (claim, attrs.evolve(claim, **changed)))
    assert before <= after or after <= before


def test_every_batch_has_all_columns_in_order_and_one_schema(tmp_path: Path, validator: weakcode.Validator) -> None:
    waived = (
        '{"claim_id": "W", "codes": "M62.84", "waivers": '
        '[{"rule": "weakness/sarcopenia-underlying-disease-first", "reason": "no", "who": "me"}]}\n'
    )
    path, table = tmp_path / "c.jsonl", tmp_path / "c.parquet"
    path.write_text(waived + '{"claim_id": "A", "codes": ["M62.84", "I10"]}\n', "utf-8")
    pq.write_table(pa.Table.from_pylist(CLAIMS), table)
    batches = list(validator.scrub([path, table]))
    assert len({str(batch.schema) for batch in batches}) == 1
    assert pa.Table.from_batches(batches).num_rows > 3


@pytest.mark.parametrize(
    "columns",
    [
        {"variant": [5]},
        {"subject": [1, 2]},
        {"other": []},
        {"rows": []},
        {"bounds": [0]},
        {"bounds": [0, 9]},
        {"bounds": [2, 1]},
    ],
)
def test_ids_are_made_of_columns_that_fit_each_other_only(columns: dict[str, list[int]]) -> None:
    given = {"rows": [0], "variant": [0], "subject": [1], "other": [0], "bounds": [0, 2], **columns}
    arrays = {name: np.array(values, np.int32) for name, values in given.items()}
    with pytest.raises(ValueError, match="do not fit"):
        _kernel.finding_ids(np.zeros(16, np.uint8), data=np.zeros(2, np.uint8), **arrays)


def test_keys_of_many_findings_are_those_of_each() -> None:
    said = [("icd10cm/excludes1", ["I10", "I15.0"]), ("poa/missing", []), ("own/é", ["M62.84"]), ("x/\ud800", ["I10"])]
    keys = keys_of([PART.join((rule, *codes)) for rule, codes in said])
    assert keys == b"".join(key_of(rule, codes) for rule, codes in said)


SHARED = [(name, "M62.84") for name in ("A", "A", "B", "A", "A", None, None)]
SHARED[1], SHARED[3] = ("A", "M62.84 I10"), ("A", "")


@pytest.mark.parametrize("way", ["columns", "rows", "files", "threads", "batches", "hashed"])
def test_findings_of_claims_that_share_an_id_have_ids_of_their_own_however_they_are_judged(
    tmp_path: Path, way: str
) -> None:
    # Counted are the claims that were evaluated: the fourth row is rejected.
    path, out = tmp_path / "c.csv", tmp_path / "f.parquet"
    path.write_text("claim_id,codes\n" + "".join(f"{claim_id or ''},{codes}\n" for claim_id, codes in SHARED))
    options = {
        "rows": ["--engine", "durable"],
        "threads": ["--jobs", "3"],
        "hashed": ["--hash-ids"],
    }.get(way, [])
    if way == "files":
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[:3]))
        (tmp_path / "d.csv").write_text("".join([lines[0], *lines[3:]]))
        options = [str(tmp_path / "d.csv")]
    if way == "batches":
        batches = list(weakcode.Validator(packs="weakness").scrub([str(path)], on_reject=lambda _: None))
        rows = pa.Table.from_batches(batches).to_pylist()
    else:
        CliRunner().invoke(main, ["scrub", str(path), *options, "-o", str(out), "--only", "weakness"])
        rows = pq.read_table(out).to_pylist()
    rows = [row for row in rows if row["rule"] == "weakness/sarcopenia-underlying-disease-first"]
    ids = [row["finding_id"] for row in rows]
    assert len(set(ids)) == len(ids) == 6
    first = {tuple(row[name] and str(row[name]) for name in ("claim_id", "codes")): row for row in reversed(rows)}
    for row in first.values():
        told = {name: row[name] for name in ("claim_id", "rule", "codes", "positions")}
        assert (id_of(**told) == row["finding_id"]) == (row is rows[ids.index(row["finding_id"])])
    if way not in ("hashed", "batches"):
        CliRunner().invoke(main, ["scrub", str(path), *options, "-o", str(out), "--only", "weakness"])
        again = [row["finding_id"] for row in pq.read_table(out).to_pylist()]
        assert set(ids) <= set(again)


@settings(max_examples=40)
@given(st.lists(st.lists(st.text("ab", max_size=2), max_size=60), max_size=8), st.sampled_from([1, 3, 1000]))
def test_ids_are_counted_as_a_dictionary_would_in_memory_and_in_files(parts: list[list[str]], most: int) -> None:
    in_parts, one_by_one, met = CountedIds(most), CountedIds(most), Counter[str]()
    for ids in parts:
        expected = []
        for one in ids:
            met[one] += 1
            expected.append(met[one])
        found, again = in_parts.nth_of(*text_buffers(pa.array(ids, pa.string())))
        assert found.tolist() == expected
        assert again == sum(number > 1 for number in expected)
        assert [one_by_one.nth(one.encode()) for one in ids] == expected


@pytest.mark.parametrize("most", [3_000, 1_000_000])
def test_many_ids_are_counted_as_often_as_they_are_met(most: int) -> None:
    column = pa.array([f"C{number % 70_000}" for number in range(150_000)])
    ids = CountedIds(most)
    parts = [ids.nth_of(*text_buffers(column.slice(start, 2_500))) for start in range(0, len(column), 2_500)]
    assert np.bincount(np.concatenate([found for found, _ in parts])).tolist() == [0, 70_000, 70_000, 10_000]
    assert sum(again for _, again in parts) == 80_000


@pytest.mark.parametrize("is_full", [False, True])
def test_ids_stay_in_memory_where_there_is_no_place_for_a_file(is_full: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(**_: object) -> FileIO:
        if not is_full:
            raise FileNotFoundError("no usable temporary directory found")
        return Full(os.dup(spare.fileno()), "r+")

    class Full(FileIO):
        def write(self, content: Any) -> int:
            raise OSError(errno.ENOSPC, "no space left on device")

    with TemporaryFile() as spare:
        monkeypatch.setattr("tempfile.TemporaryFile", opened)
        counted, log = CountedIds(2), ReadLog(most=2)
        assert [counted.nth(one) for one in (b"a", b"b", b"c", b"a", b"c", b"a")] == [1, 1, 1, 2, 2, 3]
        for one in "abcaca":
            log.ids([one])
        assert log.counts() == {"repeated ids": 2}


@given(st.lists(st.lists(st.sampled_from([*"abcdefgh", "", None]), max_size=8)), st.sampled_from([1, 5, 1000]))
def test_ids_in_several_rows_are_reported_alike_from_memory_and_from_files(
    parts: list[list[str | None]], most: int
) -> None:
    log, other, met = ReadLog(most=most), ReadLog(most=most), Counter[str]()
    for place, ids in enumerate(parts):
        (other if place % 3 == 2 else log).ids(ids)
        met.update(one for one in ids if one)
    log.take(other)
    again = sum(number > 1 for number in met.values())
    assert log.counts() == log.counts() == ({"repeated ids": again} if again else {})


def test_hashes_are_found_wherever_they_stand_in_a_file() -> None:
    dice = np.random.default_rng(1)
    there = np.sort(dice.integers(0, 2**64, 5_000, np.uint64))
    runs = HashRuns()
    assert runs.add(there[::2])
    assert runs.add(there[1::2], np.arange(2_500, dtype=np.uint32) + 2)
    met = dict(zip(there[::2].tolist(), [1] * 2_500, strict=True)) | {
        one: place + 2 for place, one in enumerate(there[1::2].tolist())
    }
    edges = np.array([0, 1, 2**64 - 1], np.uint64)
    for asked in (there, there[700:703], there[:1], there[-1:], edges, there[:0]):
        assert runs.counts_of(asked).tolist() == [met.get(one, 0) for one in asked.tolist()]
    parts = list(ranges([runs], there[:10], 300))
    assert len(parts) == 17
    assert np.sort(np.concatenate(parts)).tolist() == np.sort(np.concatenate([there, there[:10]])).tolist()
    assert all(one.max() < other.min() for one, other in pairwise(parts))


def test_ids_of_the_nth_claim_are_made_of_columns_that_fit_each_other_only() -> None:
    ids = np.frombuffer(b"0" * 48, np.uint8)
    nth = np.array([1, 2], np.uint32)
    made = bytes(_kernel.ids_of_nth(ids, np.array([0, 1], np.int32), nth)).decode()
    assert (made[:24], made[24:]) == ("0" * 24, _kernel.nth_of_run("0" * 24, 2))
    for claim in ([0], [0, 2], [-1, 0], [0, 1, 1]):
        with pytest.raises(ValueError, match="do not fit"):
            _kernel.ids_of_nth(ids, np.array(claim, np.int32), nth)
    with pytest.raises(ValueError, match="outside their data"):
        _kernel.SeenIds(bytes(16)).add_all(np.array([0, 9], np.int32), ids[:3])
