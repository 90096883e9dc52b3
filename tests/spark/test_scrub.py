"""Findings on a cluster are those of one machine."""

from __future__ import annotations

import csv
import datetime as dt
import lzma
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import weakcode
import weakcode.spark
from tests.practice import RULES
from tests.spark.comparing import COLUMNS, counted, on_one_machine
from weakcode.errors import EngineError

EXAMPLES = Path(__file__).parents[2] / "examples" / "claims.csv"

PROFILE = """\
name: ours
packs: [practice.yaml]
payers:
  Acme:
    rules: {practice/hypertension-first: error}
"""


def claims_with_bad_rows(path: Path, number: int) -> None:
    """Write claims in columns of text, of which about one in four is no claim."""
    dice = random.Random(62)
    codes = [
        "M62.84",
        "m6281",
        "R54",
        "I10",
        "U07.1",
        "U09.9",
        "J96.10",
        "E11.9",
        "Z79.4",
        "A02",
        "Q87.1",
        "ZZZ",
        "72887",
    ]
    bad_codes: list[Any] = [None, [], [None], ["I10", ""], ["I10"] * 1_001, [" "]]
    rows = []
    for place in range(number):
        row = {
            "claim_id": dice.choice([f"C{place}".encode(), None, b"\xff\xfe"])
            if place % 9 == 0
            else f"C{place}".encode(),
            "codes": [dice.choice(codes) for _ in range(dice.randint(1, 12))],
            "service_date": dice.choice(["2026-05-02", "20260502", "2019-03-01", ""]).encode(),
            "age": dice.choice([b"78", b"", b"3"]),
            "sex": dice.choice([b"F", b"M", b""]),
            "payer": dice.choice([b"Acme", b" acme ", None]),
            "documented": dice.choice([["covid-current"], None, []]),
        }
        if dice.random() < 0.25:
            wrong = dice.choice(["codes", "age", "sex", "service_date", "payer", "documented"])
            row[wrong] = {
                "codes": dice.choice(bad_codes),
                "age": b"old",
                "sex": b"caf\xe9",
                "service_date": b"2026-02-30",
                "payer": b"\xff",
                "documented": ["no-such-fact"],
            }[wrong]
        rows.append(row)
    kinds = {"codes": pa.list_(pa.string()), "documented": pa.list_(pa.string())}
    table = pa.table({name: pa.array([row[name] for row in rows], kinds.get(name, pa.binary())) for name in rows[0]})
    # Parquet marks columns of text, and nobody looks whether they are: so do files of others.
    text = [
        pa.chunked_array([pa.Array.from_buffers(pa.string(), len(one), one.buffers(), one.null_count)])
        if pa.types.is_binary(one.type)
        else one
        for one in (column.combine_chunks() for column in table.columns)
    ]
    pq.write_table(pa.table(dict(zip(table.column_names, text, strict=True))), path, row_group_size=500)


def test_the_example_claims_have_the_findings_of_a_local_scrub(session: Any) -> None:
    claims = session.read.csv(str(EXAMPLES), header=True)

    found = weakcode.spark.scrub(claims)

    expected, _ = on_one_machine(EXAMPLES)
    assert counted(found.collect()) == expected
    assert sum(expected.values()) > 10


@pytest.mark.parametrize("partitions", [1, 3, 17])
def test_real_claims_have_the_findings_of_a_local_scrub_in_any_number_of_partitions(
    session: Any, shared: Path, tmp_path: Path, partitions: int
) -> None:
    with lzma.open(shared / "claims" / "claims.csv.xz", "rt") as file:
        rows = list(csv.DictReader(file))[partitions::9]
    columns = {name: [row[name] or None for row in rows] for name in rows[0]}
    pq.write_table(pa.table(columns), tmp_path / "claims.parquet")

    became = weakcode.spark.outcomes(session.read.parquet(str(tmp_path / "claims.parquet")).repartition(partitions))
    became = became.persist()

    expected, rejects = on_one_machine(tmp_path / "claims.parquet")
    summary = weakcode.spark.summary(became)
    assert counted(weakcode.spark.findings(became).collect()) == expected
    assert (summary.claims_in, summary.rejected) == (len(rows), sum(rejects.values()))
    assert summary.findings == sum(expected.values()) > len(rows) / 2
    became.unpersist()


@pytest.mark.parametrize("partitions", [1, 3, 17])
def test_bad_rows_are_rejected_as_on_one_machine_and_nothing_is_lost(
    session: Any, tmp_path: Path, partitions: int
) -> None:
    path = tmp_path / "claims.parquet"
    claims_with_bad_rows(path, 3_000)

    became = weakcode.spark.outcomes(session.read.parquet(str(path)).repartition(partitions)).persist()

    expected, rejected = on_one_machine(path)
    rejects = weakcode.spark.rejects(became).collect()
    summary = weakcode.spark.summary(became)
    assert counted(weakcode.spark.findings(became).collect()) == expected
    assert counted(rejects, ("claim_id", "reason", "part")) == rejected
    assert 600 < len(rejects) == summary.rejected
    assert summary.claims_in == 3_000 == summary.evaluated + summary.rejected
    assert summary.by_severity == {
        name: sum(number for row, number in expected.items() if row[2] == name) for name in ("error", "warning", "info")
    }
    became.unpersist()


def test_rules_and_profile_of_the_driver_reach_executors_that_have_no_such_files(session: Any, tmp_path: Path) -> None:
    (tmp_path / "practice.yaml").write_text(RULES)
    (tmp_path / "profile.yaml").write_text(PROFILE)
    validator = weakcode.Validator(profile=tmp_path / "profile.yaml")
    claims = session.createDataFrame(
        [("A", ["M62.84", "I10"], "Acme"), ("B", ["M62.84", "I10"], None), ("C", ["I10"], "Acme")],
        "claim_id string, codes array<string>, payer string",
    )
    found = weakcode.spark.scrub(claims, validator)
    (tmp_path / "practice.yaml").unlink()
    (tmp_path / "profile.yaml").unlink()

    assert sorted((row["claim_id"], row["rule"], row["severity"]) for row in found.collect()) == [
        ("A", "practice/hypertension-first", "error"),
        ("B", "practice/hypertension-first", "warning"),
    ]


def test_outcomes_written_once_by_kind_are_read_back_as_they_were(session: Any, tmp_path: Path) -> None:
    rows = [("A", "M62.84 I10"), ("B", ""), ("C", "I10")]
    claims = session.createDataFrame(rows, "claim_id string, codes string")

    weakcode.spark.outcomes(claims, weakcode.Validator(packs="weakness")).write.partitionBy("kind").parquet(
        str(tmp_path / "run")
    )
    run = session.read.parquet(str(tmp_path / "run"))

    assert [row["claim_id"] for row in weakcode.spark.findings(run).collect()] == ["A"]
    (reject,) = weakcode.spark.rejects(run).collect()
    assert (reject["claim_id"], reject["reason"], reject["part"]) == ("B", "the claim has no diagnosis codes", "codes")
    summary = weakcode.spark.summary(run)
    assert (summary.claims_in, summary.evaluated, summary.rejected, summary.clean) == (3, 2, 1, 1)
    assert summary.packs == weakcode.Validator(packs="weakness").packs
    assert list(weakcode.spark.findings(run).columns) == list(weakcode.spark.scrub(claims).columns)


def test_findings_and_rejects_repeat_where_their_claim_is_from(session: Any) -> None:
    claims = session.createDataFrame(
        [("A", ["M62.84"], "may.837", "7", "2300/HI"), ("B", [], "june.837", "x", None)],
        "claim_id string, codes array<string>, file string, line string, place string",
    )
    became = weakcode.spark.outcomes(claims, weakcode.Validator(packs="weakness")).persist()

    (found,) = weakcode.spark.findings(became).collect()
    (reject,) = weakcode.spark.rejects(became).collect()
    assert (found["file"], found["line"], found["place"]) == ("may.837", 7, "2300/HI")
    # What is no number cannot be a line, and is no reason to lose the row.
    assert (reject["file"], reject["line"], reject["place"]) == ("june.837", None, None)
    became.unpersist()


def test_a_point_in_time_is_a_service_date_in_the_time_zone_of_the_session(session: Any) -> None:
    # Half past eleven at night in New York is the next day in Greenwich, when the code was valid no more.
    moment = dt.datetime(2021, 10, 1, 3, 30, tzinfo=dt.UTC)
    claims = session.createDataFrame(
        [("A", ["R05"], moment)], "claim_id string, codes array<string>, service_date timestamp"
    )

    assert [row["rule"] for row in weakcode.spark.scrub(claims, weakcode.Validator(packs="icd10cm")).collect()] == []
    later = claims.selectExpr("claim_id", "codes", "service_date + INTERVAL 1 DAY AS service_date")
    assert weakcode.spark.scrub(later, weakcode.Validator(packs="icd10cm")).count() == 1


def test_wide_tables_and_codes_with_documented_text_are_read(session: Any) -> None:
    wide = session.createDataFrame(
        [("A", "M62.84", "I10", None)], "claim_id string, dx1 string, dx2 string, dx10 string"
    )
    spoken = session.createDataFrame(
        [("A", [("M62.81", "senile debility")])], "claim_id string, codes array<struct<code string, text string>>"
    )
    validator = weakcode.Validator(packs="weakness")

    assert [tuple(row["codes"]) for row in weakcode.spark.scrub(wide, validator).collect()] == [("M62.84",)]
    expected = validator.check(weakcode.Claim([weakcode.Diagnosis("M62.81", text="senile debility")], "A"))
    assert [row["rule"] for row in weakcode.spark.scrub(spoken, validator).collect()] == [one.rule for one in expected]
    assert expected


def test_place_alone_is_the_place_of_service(session: Any) -> None:
    claims = session.createDataFrame([("A", ["M62.84"], "11")], "claim_id string, codes array<string>, place string")
    found = weakcode.spark.scrub(claims, weakcode.Validator(packs="weakness")).collect()
    assert [(row["claim_id"], row["place"]) for row in found] == [("A", None)]


def test_findings_have_the_ids_that_they_have_on_one_machine(session: Any) -> None:
    validator = weakcode.Validator(packs="weakness")
    claims = session.createDataFrame([("A", ["M62.84"]), (None, ["M62.81"])], "claim_id string, codes array<string>")
    found = {row["finding_id"] for row in weakcode.spark.scrub(claims, validator).collect()}
    single = (validator.check(weakcode.Claim(codes, name)) for name, codes in (("A", ["M62.84"]), (None, ["M62.81"])))
    assert found == {one.id for findings in single for one in findings}


def test_the_claims_of_a_stream_are_judged_batch_by_batch(session: Any, tmp_path: Path) -> None:
    validator, source = weakcode.Validator(packs="weakness"), tmp_path / "in"
    table = session.createDataFrame([("A", ["M62.84"]), ("B", [])], "claim_id string, codes array<string>")
    with pytest.raises(weakcode.InputError, match="is no stream"):
        weakcode.spark.stream(table, validator)
    for _ in range(2):
        table.coalesce(1).write.mode("append").parquet(str(source))
    claims = session.readStream.schema(table.schema).option("maxFilesPerTrigger", 1).parquet(str(source))
    query = (
        weakcode.spark.stream(claims, validator)
        .writeStream.format("parquet")
        .option("checkpointLocation", str(tmp_path / "checkpoint"))
        .trigger(availableNow=True)
        .start(str(tmp_path / "out"))
    )
    query.awaitTermination()
    became = session.read.parquet(str(tmp_path / "out"))
    assert [row["claim_id"] for row in weakcode.spark.findings(became).collect()] == ["A", "A"]
    assert [row["claim_id"] for row in weakcode.spark.rejects(became).collect()] == ["B", "B"]
    summary = weakcode.spark.summary(became)
    assert (summary.claims_in, summary.evaluated, summary.rejected) == (4, 2, 2)


def test_no_claims_at_all_have_no_findings_and_a_summary_of_nothing(session: Any) -> None:
    none = session.createDataFrame([], "claim_id string, codes array<string>")
    became = weakcode.spark.outcomes(none, weakcode.Validator(packs="weakness"))

    assert weakcode.spark.findings(became).count() == 0
    assert weakcode.spark.summary(became).claims_in == 0


def test_outcomes_whose_counts_were_left_out_have_no_summary(session: Any) -> None:
    claims = session.createDataFrame([("A", ["M62.84"])], "claim_id string, codes array<string>")
    became = weakcode.spark.outcomes(claims, weakcode.Validator(packs="weakness")).where("kind = 'finding'")

    with pytest.raises(EngineError, match="it is not known whether claims were lost"):
        weakcode.spark.summary(became)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            "claim_id string, remarks string",
            r"the DataFrame: there is no column codes .*its columns are claim_id, remarks",
        ),
        ("codes string, codes string", "the DataFrame has the column codes more than once"),
    ],
)
def test_a_dataframe_that_holds_no_claims_is_refused_before_any_work(session: Any, columns: str, said: str) -> None:
    with pytest.raises(weakcode.InputError, match=said):
        weakcode.spark.scrub(session.createDataFrame([], columns))


def test_columns_of_findings_are_those_of_a_findings_file(session: Any, tmp_path: Path) -> None:
    claims = session.createDataFrame([("A", ["M62.84"])], "claim_id string, codes array<string>")
    weakcode.spark.scrub(claims).write.parquet(str(tmp_path / "findings.parquet"))
    (tmp_path / "claims.csv").write_text("claim_id,codes\nA,M62.84\n")

    from weakcode.scrub.run import scrub

    scrub([tmp_path / "claims.csv"], weakcode.Validator().in_bulk(), output=tmp_path / "local.parquet")
    there, here = (pq.read_table(tmp_path / name) for name in ("findings.parquet", "local.parquet"))
    assert there.schema.names == here.schema.names
    assert there.select(COLUMNS).to_pylist() == here.select(COLUMNS).to_pylist()
