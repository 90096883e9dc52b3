"""Runs that judge only claims that are new or changed: their output is that of a run over everything."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from weakcode.cli import main
from weakcode.engines.kernel import _kernel
from weakcode.scrub import unchanged
from weakcode.scrub.columns import spilled
from weakcode.scrub.columns.digests import digests_of, row_digests
from weakcode.scrub.read.arrow import file

CODES = [
    "M62.84",
    "I10",
    "G72.9",
    "E11.9",
    "R54",
    "M62.84 I10",
    "F02.80 G30.9",
    "R40.2110 S06.0X1A",
    "NOPE",
    "",
    "R53.1",
]
DATES = ["2026-05-01", "2026-11-02", "2019-03-01", "", "never"]
CLAIM = st.tuples(
    st.sampled_from(["A", "B", "C", "D", "", "E"]),
    st.sampled_from(CODES),
    st.sampled_from(DATES),
    st.sampled_from(["70", "", "3"]),
    st.sampled_from(["", "Acme"]),
)


def scrub(claims: Path, out: Path, *options: object, status: int | None = None) -> dict[str, Any]:
    told = out.with_suffix(".json")
    arguments = ["scrub", str(claims), "-o", str(out), "--summary", str(told), "--fail-on", "never", "--quiet"]
    result = CliRunner().invoke(main, [*arguments, "--today", "2026-06-01", *map(str, options)])
    assert status is not None or not result.exit_code or "no row could be read" in result.output, result.output
    assert result.exit_code in ({0, 2} if status is None else {status}), result.output
    if result.exit_code:
        return {"said": result.output}
    summary: dict[str, Any] = json.loads(told.read_text())
    return summary


def written(folder: Path, rows: list[tuple[str, ...]], name: str) -> Path:
    path = folder / f"claims{name}"
    columns = ["claim_id", "codes", "service_date", "age", "payer"]
    if name == ".parquet":
        values = {key: [row[at] or None for row in rows] for at, key in enumerate(columns)}
        pq.write_table(pa.table({key: pa.array(value, pa.string()) for key, value in values.items()}), path)
    elif name == ".jsonl":
        path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
    else:
        path.write_text("\n".join([",".join(columns), *map(",".join, rows), ""]))
    return path


COUNTS = (
    "claims_in",
    "evaluated",
    "rejected",
    "clean",
    "with_errors",
    "by_rule",
    "by_severity",
    "editions",
    "notes_editions",
    "outside_notes",
    "outside_editions",
)


@pytest.mark.parametrize("name", [".csv", ".parquet", ".jsonl"])
# Each example is several runs: to shrink one would take minutes.
@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), rows=st.lists(CLAIM, min_size=1, max_size=14))
def test_the_output_is_that_of_a_run_over_everything_whatever_was_edited(
    tmp_path: Path, name: str, data: st.DataObject, rows: list[tuple[str, ...]]
) -> None:
    only = ("--only", "weakness", "--only", "icd10cm")
    state, out = tmp_path / "digests.parquet", tmp_path / "run.parquet"
    for path in (state, out):
        path.unlink(missing_ok=True)
    if "said" in scrub(written(tmp_path, rows, name), out, "--digests", state, *only):
        return
    for _ in range(2):
        keep = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=len(rows)) if rows else st.just([]))
        rows = data.draw(st.permutations([*(rows[at] for at in keep), *data.draw(st.lists(CLAIM, max_size=3))]))
        if not rows:
            return
        claims = written(tmp_path, rows, name)
        whole = scrub(claims, tmp_path / "whole.parquet", *only)
        some = scrub(claims, out, "--digests", state, "--since", state, *only)
        if "said" in whole:
            assert "said" in some
            return
        assert {key: whole[key] for key in COUNTS} == {key: some[key] for key in COUNTS}
        assert pq.read_table(out).to_pylist() == pq.read_table(tmp_path / "whole.parquet").to_pylist()


ROWS = [("A", "M62.84", "2026-05-01", "70", ""), ("B", "I10", "2026-05-01", "", ""), ("C", "R54", "", "", "")]


def test_only_claims_that_are_new_or_changed_are_judged(tmp_path: Path) -> None:
    state, out = tmp_path / "digests.parquet", tmp_path / "run.parquet"
    first = scrub(written(tmp_path, ROWS, ".csv"), out, "--digests", state)
    assert first["unchanged"] == 0
    again = scrub(
        written(tmp_path, [*ROWS, ("D", "I10", "", "", "")], ".csv"), out, "--digests", state, "--since", state
    )
    assert (again["unchanged"], again["evaluated"]) == (3, 4)
    # Claims without a date are judged by the day of the run, other rules judge everything anew.
    other = scrub(tmp_path / "claims.csv", out, "--digests", state, "--since", state, "--today", "2026-06-02")
    assert other["unchanged"] == 2
    for options in (["--only", "weakness"], ["--profile", str(_profile(tmp_path))], ["--hash-ids"]):
        assert scrub(tmp_path / "claims.csv", tmp_path / "o.parquet", "--since", state, *options)["unchanged"] == 0


def _profile(folder: Path) -> Path:
    path = folder / "profile.yaml"
    path.write_text("name: mine\nrules:\n  weakness/sarcopenia-underlying-disease-first: warning\n")
    return path


@pytest.mark.parametrize("jobs", [1, 3])
def test_many_claims_in_several_batches_and_threads_give_the_same(tmp_path: Path, jobs: int) -> None:
    dice = random.Random(5)
    rows = [(f"C{number // 3 * 2}", dice.choice(CODES), dice.choice(DATES), "70", "") for number in range(9_000)]
    state, out, whole = (tmp_path / f"{name}.parquet" for name in ("digests", "run", "whole"))
    scrub(written(tmp_path, rows, ".csv"), out, "--digests", state, "--jobs", jobs)
    changed = [
        row if dice.random() < 0.9 else (row[0], dice.choice(CODES), *row[2:]) for row in rows if dice.random() < 0.95
    ]
    claims = written(tmp_path, changed, ".csv")
    told = scrub(claims, out, "--digests", state, "--since", state, "--jobs", jobs)
    assert 0 < told["unchanged"] < told["evaluated"]
    scrub(claims, whole)
    assert pq.read_table(out).equals(pq.read_table(whole))


def test_claims_in_another_order_give_the_same_and_are_judged_where_their_findings_are_far_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spilled, "MOST_IN_MEMORY", 1_000)
    monkeypatch.setattr(unchanged, "MOST_GROUPS", 2)
    monkeypatch.setattr(unchanged, "_SORTED_ROWS", 600)
    monkeypatch.setattr(file, "BATCH_ROWS", 500)
    dice = random.Random(6)
    rows = [(f"C{number}", dice.choice(CODES), dice.choice(DATES), "70", "") for number in range(4_000)]
    state, out, whole = (tmp_path / f"{name}.parquet" for name in ("digests", "run", "whole"))
    options = ("--only", "weakness", "--only", "icd10cm")
    scrub(written(tmp_path, rows, ".parquet"), out, "--digests", state, *options)
    assert pq.read_metadata(out).num_row_groups == 8
    # In stretches, the later ones first, all findings are near; shuffled, those of some claims.
    for moved, is_near in (([*rows[2_100:], *rows[:2_100]], True), (dice.sample(rows, len(rows)), False)):
        claims = written(tmp_path, moved, ".parquet")
        told = scrub(claims, out, "--digests", state, "--since", state, "--jobs", 2, *options)
        assert told["unchanged"] == told["evaluated"] if is_near else 0 < told["unchanged"] < told["evaluated"] * 0.8
        scrub(claims, whole, *options)
        assert pq.read_table(out).equals(pq.read_table(whole))


def test_what_is_not_a_digests_file_or_belongs_to_other_findings_is_refused(tmp_path: Path) -> None:
    claims, state, out = written(tmp_path, ROWS, ".csv"), tmp_path / "digests.parquet", tmp_path / "run.parquet"
    scrub(claims, out, "--digests", state)
    other = tmp_path / "other.parquet"
    for since, said in ((tmp_path / "none.parquet", "no such file"), (out, "is not a digests file")):
        assert said in scrub(claims, other, "--since", since, status=2)["said"]
    scrub(written(tmp_path, ROWS[1:], ".csv"), out)
    assert "belongs to other findings" in scrub(claims, other, "--since", state, status=2)["said"]
    out.unlink()
    assert "where it says" in scrub(claims, other, "--since", state, status=2)["said"]
    for options in (["--digests", state, "-o", tmp_path / "f.csv"], ["--since", state, "--engine", "durable"]):
        assert scrub(claims, other, *options, status=2)["said"].startswith("weakcode: --digests")
    assert not other.exists()


def into_table(claims: Path, folder: Path, kind: str, *options: object, status: int = 0) -> Any:
    """Scrub into a table, and return the summary, or what is said."""
    told = folder / "told.json"
    arguments = ["scrub", claims, "--into", f"{kind}:{folder / f'{kind}.db'}:findings", "--summary", told, *options]
    arguments += ["--only", "weakness", "--only", "icd10cm", "--fail-on", "never", "--quiet", "--today", "2026-06-01"]
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == status, result.output
    return result.output if status else json.loads(told.read_text())


def in_table(folder: Path, kind: str) -> list[tuple[Any, ...]]:
    import duckdb

    path = str(folder / f"{kind}.db")
    connection: Any = duckdb.connect(path) if kind == "duckdb" else sqlite3.connect(path)
    query = "SELECT claim_id, finding_id, rule, severity, message, payer, service_date FROM findings ORDER BY 1, 2"
    try:
        return list(connection.execute(query).fetchall())
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_of_a_table_only_the_claims_that_changed_are_judged_and_all_else_stays(tmp_path: Path, kind: str) -> None:
    dice = random.Random(kind)

    def row(number: int) -> tuple[str, ...]:
        return f"C{number}", dice.choice(CODES), dice.choice(DATES), dice.choice(["70", "3"]), dice.choice(["", "Acme"])

    rows = [row(number) for number in range(400)]
    state, whole = tmp_path / "digests.parquet", tmp_path / "whole"
    whole.mkdir()
    first = into_table(written(tmp_path, rows, ".csv"), tmp_path, kind, "--digests", state)
    into_table(tmp_path / "claims.csv", whole, kind)
    assert first["unchanged"] == 0
    for _ in range(2):
        rows = [one if dice.random() < 0.8 else row(int(one[0][1:])) for one in rows]
        rows.append(row(len(rows)))
        claims = written(tmp_path, dice.sample(rows, len(rows)), ".csv")
        some = into_table(claims, tmp_path, kind, "--digests", state, "--since", state, "--jobs", 2)
        every = into_table(claims, whole, kind)
        assert 0 < some["unchanged"] < some["evaluated"]
        assert {key: every[key] for key in COUNTS} == {key: some[key] for key in COUNTS}
        assert in_table(tmp_path, kind) == in_table(whole, kind)


def test_a_table_that_another_run_wrote_into_since_or_claims_that_share_an_id_are_refused(tmp_path: Path) -> None:
    claims, state = written(tmp_path, ROWS, ".csv"), tmp_path / "digests.parquet"
    since = ("--digests", state, "--since", state)
    into_table(claims, tmp_path, "duckdb", "--digests", state, "--run-id", "monday")
    into_table(claims, tmp_path, "duckdb", "--run-id", "other")
    assert "wrote last into the table" in into_table(claims, tmp_path, "duckdb", *since, status=2)
    into_table(claims, tmp_path, "duckdb", "--digests", state)
    claims = written(tmp_path, [*ROWS, ROWS[0]], ".csv")
    assert "claims share an id" in into_table(claims, tmp_path, "duckdb", *since, status=2)
    assert "in a file" not in scrub(claims, tmp_path / "f.parquet", *since, status=2)["said"]
    both = into_table(claims, tmp_path, "duckdb", "-o", tmp_path / "f.parquet", *since, status=2)
    assert "not with both" in both
    mode = into_table(claims, tmp_path, "duckdb", "--into-mode", "append", "--digests", state, status=2)
    assert "--into TABLE (upsert)" in mode


def test_denial_risks_are_taken_over_and_waivers_are_refused(tmp_path: Path) -> None:
    claims, state, out = written(tmp_path, ROWS, ".csv"), tmp_path / "digests.parquet", tmp_path / "run.parquet"
    profile = tmp_path / "risks.yaml"
    profile.write_text(
        "name: mine\nsources:\n  policy: {title: A policy, publisher: Acme}\n"
        "denial_risk:\n  M62.84: {risk: high, source: policy}\n"
    )
    scrub(claims, out, "--digests", state, "--profile", profile)
    before = pq.read_table(out).to_pylist()
    again = scrub(claims, out, "--digests", state, "--since", state, "--profile", profile)
    assert again["unchanged"] == 3
    assert pq.read_table(out).to_pylist() == before
    assert "high" in {row["denial_risk"] for row in before}
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "waivers:\n- {rule: icd10cm/unspecified-code, codes: [R54], reason: known, who: me, until: 2027-01-01}\n"
    )
    said = scrub(claims, out, "--since", state, "--waivers", waivers, status=2)["said"]
    assert "do not go with waivers" in said


VALUES = st.lists(st.one_of(st.none(), st.text("ab", max_size=2)), min_size=1, max_size=6)


@given(VALUES, st.integers(0, 3))
def test_digests_tell_values_apart_and_are_the_same_for_the_same_in_every_layout(values: list[Any], start: int) -> None:
    plain = pa.array([None] * start + values, pa.string()).slice(start)
    lists = pa.array([None if one is None else list(one) for one in values], pa.list_(pa.string()))
    beside = digests_of([b""] * len(values))
    found = [
        row_digests({"a": column}, beside).tolist()
        for column in (plain, plain.dictionary_encode(), plain.cast(pa.large_string()), lists)
    ]
    assert found[0] == found[1] == found[2]
    for digests in found[:1] + found[3:]:
        for one, other in zip(values, digests, strict=True):
            assert [two == other for two in digests] == [one == two for two in values]
    assert row_digests({"b": plain}, beside).tolist() != found[0]


def test_digests_are_the_hash_that_they_are_said_to_be() -> None:
    assert digests_of([b"abc"]).tobytes() == _kernel.siphash(bytes(16), b"abc")
    import numpy as np

    with pytest.raises(ValueError, match="outside their bytes"):
        _kernel.digests(np.array([0, 9], np.int64), np.zeros(3, np.uint8))
