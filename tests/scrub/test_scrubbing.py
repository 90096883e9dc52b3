"""Scrubbing files: everything is counted, and outputs appear whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import json
from pathlib import Path
from typing import Any

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, ipc

import weakcode
from weakcode import Claim, EngineError, Finding, InputError, Source
from weakcode.findings import NotJudged
from weakcode.scrub.run import scrub
from weakcode.scrub.schema import NAMES
from weakcode.scrub.summary import Summary
from weakcode.scrub.write import files


@attrs.frozen
class FakeVerdict:
    findings: tuple[Finding, ...]
    waived: tuple[Finding, ...] = ()
    edition: str = "2026-04"
    engine: str = "fake"
    packs: tuple[str, ...] = ("weakness 1",)
    out_of_force: bool = False
    expired: tuple[weakcode.Waiver, ...] = ()
    unmatched: tuple[weakcode.Waiver, ...] = ()
    notes_edition: str = "2026-04"
    notes_out_of_force: bool = False
    not_judged: tuple[NotJudged, ...] = ()


class FakeJudge:
    """Finds fault with every M62.84 that is first-listed."""

    def judge(self, claim: Claim) -> FakeVerdict:
        if claim.codes[0] == "B00.1":
            raise InputError('the fact "x" is unknown')
        if claim.codes[0] == "B00.2":
            raise EngineError("the rules engine failed")
        if claim.codes[0] != "M62.84":
            return FakeVerdict(())
        sources = (Source("Tabular List", "M62.84"), Source("Guidelines", "I.A.13"))
        return FakeVerdict((Finding("weakness/x", "error", 'Say "so", now', claim.codes[:2], (1, 2), sources),))


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes\nA,M62.84 I10\nB,I10\nC,\nD,B00.1\nE,M62.84 R54\n")
    return path


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_claims_in_are_evaluated_or_rejected_and_every_rejected_one_is_in_the_rejects(
    claims: Path, tmp_path: Path
) -> None:
    summary = scrub([claims], FakeJudge(), rejects=tmp_path / "r.jsonl")
    assert (summary.claims_in, summary.evaluated, summary.rejected, summary.clean) == (5, 3, 2, 1)
    assert summary.by_severity == {"error": 2, "warning": 0, "info": 0}
    assert summary.by_rule == {"weakness/x": 2}
    rejected = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [(row["line"], row["claim_id"], row["raw"]) for row in rejected] == [
        (4, "C", "C,"),
        (5, "D", "D,B00.1"),
    ]
    assert all(row["reason"] for row in rejected)


def test_a_summary_that_does_not_add_up_cannot_be_made() -> None:
    with pytest.raises(EngineError, match="some were lost"):
        Summary(claims_in=3, evaluated=1, rejected=1, clean=1, by_severity={}, by_rule={}, seconds=0.0)


def test_findings_are_written_as_parquet_with_what_they_were_judged_by(claims: Path, tmp_path: Path) -> None:
    scrub([claims], FakeJudge(), output=tmp_path / "f.parquet")
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.to_pylist()[0] == dict.fromkeys(NAMES) | {
        "claim_id": "A",
        "finding_id": "",
        "rule": "weakness/x",
        "severity": "error",
        "confidence": "likely",
        "message": 'Say "so", now',
        "codes": ["M62.84", "I10"],
        "positions": [1, 2],
        "sources": ["Tabular List, M62.84", "Guidelines, I.A.13"],
        "edition": "2026-04",
        "file": str(claims),
        "line": 2,
        "place": "",
    }
    metadata = pq.read_metadata(tmp_path / "f.parquet").metadata
    assert metadata[b"weakcode.packs"] == b"weakness 1"
    assert metadata[b"weakcode.edition"] == b"2026-04"
    assert b"weakcode.version" in metadata
    counts = {name: int(metadata[f"weakcode.{name}".encode()]) for name in ("claims_in", "evaluated", "rejected")}
    assert counts["claims_in"] == counts["evaluated"] + counts["rejected"] > 0
    assert 0 <= int(metadata[b"weakcode.clean"]) < counts["evaluated"]


def test_findings_are_written_as_csv_and_as_json_lines(claims: Path, tmp_path: Path) -> None:
    scrub([claims], FakeJudge(), output=tmp_path / "f.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text())))
    assert [(row["claim_id"], row["codes"], row["positions"]) for row in rows] == [
        ("A", "M62.84 I10", "1 2"),
        ("E", "M62.84 R54", "1 2"),
    ]
    scrub([claims], FakeJudge(), output=tmp_path / "f.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert [(line["claim_id"], line["codes"], line["line"]) for line in lines] == [
        ("A", ["M62.84", "I10"], 2),
        ("E", ["M62.84", "R54"], 6),
    ]


@pytest.mark.parametrize("name", ["f.arrow", "f.feather", "f.arrows"])
def test_findings_are_written_in_arrows_formats_with_what_they_were_judged_by(
    claims: Path, tmp_path: Path, name: str
) -> None:
    scrub([claims], FakeJudge(), output=tmp_path / name)
    opened = ipc.open_stream if name.endswith("s") else ipc.open_file
    with opened((tmp_path / name).read_bytes()) as reader:
        table = reader.read_all()
    assert [(row["claim_id"], row["rule"], row["codes"], row["line"]) for row in table.to_pylist()] == [
        ("A", "weakness/x", ["M62.84", "I10"], 2),
        ("E", "weakness/x", ["M62.84", "R54"], 6),
    ]
    assert table.schema.metadata[b"weakcode.packs"] == b"weakness 1"
    assert table.schema.metadata[b"weakcode.edition"] == b"2026-04"
    assert b"weakcode.version" in table.schema.metadata
    if name.endswith(".feather"):
        assert feather.read_table(tmp_path / name).equals(table)


def test_an_arrow_file_without_findings_has_the_columns_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("claim_id,codes\nA,I10\n")
    scrub([tmp_path / "c.csv"], FakeJudge(), output=tmp_path / "f.arrow")
    table = feather.read_table(tmp_path / "f.arrow")
    assert (table.num_rows, table.column_names[:3]) == (0, ["claim_id", "finding_id", "rule"])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_progress_tells_bytes_claims_and_findings(tmp_path: Path, kind: str) -> None:
    validator = weakcode.Validator(packs=["weakness"]).in_bulk()
    path = tmp_path / f"c.{kind}"
    if kind == "csv":
        path.write_text("claim_id,codes\n" + "A,M62.84 I10\n" * 600)
    else:
        pq.write_table(pa.table({"claim_id": ["A"] * 600, "codes": [["M62.84", "I10"]] * 600}), path)
    told: list[tuple[int, int, int]] = []
    scrub([path, path], validator, columns=validator.columns(), progress=lambda *so_far: told.append(so_far))
    assert told == sorted(told)
    assert told[-1] == (2 * path.stat().st_size, 1200, 1200)


def test_a_parquet_file_without_findings_has_the_columns_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("claim_id,codes\nA,I10\n")
    scrub([tmp_path / "c.csv"], FakeJudge(), output=tmp_path / "f.parquet")
    table = pq.read_table(tmp_path / "f.parquet")
    assert table.num_rows == 0
    assert table.column_names[:5] == ["claim_id", "finding_id", "rule", "severity", "confidence"]


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.jsonl", "f.arrow", "f.arrows"])
def test_a_failure_leaves_the_folder_as_it_was(claims: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("kept")
    with claims.open("a") as file:
        file.write("F,B00.2\n")
    before = names_in(tmp_path)
    with pytest.raises(EngineError, match="line 7"):
        scrub([claims], FakeJudge(), output=tmp_path / name, rejects=tmp_path / "r.csv")
    assert names_in(tmp_path) == before
    assert (tmp_path / name).read_text() == "kept"


def test_ctrl_c_leaves_nothing(claims: Path, tmp_path: Path) -> None:
    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    before = names_in(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        scrub([claims], FakeJudge(), output=tmp_path / "f.csv", on_judged=interrupt)
    assert names_in(tmp_path) == before


class FullDisk(io.BytesIO):
    def write(self, _: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def fileno(self) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.jsonl", "f.arrow", "f.arrows"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    claims: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.os.fdopen

    def full(handle: int, *rest: Any) -> Any:
        real(handle, *rest).close()
        return FullDisk()

    before = names_in(tmp_path)
    monkeypatch.setattr(files.os, "fdopen", full)
    with pytest.raises(files.OutputError, match="the disk is full") as caught:
        scrub([claims], FakeJudge(), output=tmp_path / name)
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == before


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("f.xlsx", "an output ends in .parquet, .csv"),
        ("f", "no extension"),
        ("none/f.csv", "does not exist; make it first"),
        ("claims.csv", "is also an input"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(
    claims: Path, tmp_path: Path, output: str, said: str
) -> None:
    class NoWork:
        def judge(self, claim: Claim) -> FakeVerdict:
            raise AssertionError("work was done")

    with pytest.raises(InputError, match=said):
        scrub([claims], NoWork(), output=tmp_path / output)


def test_two_outputs_of_one_name_are_refused(claims: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two outputs"):
        scrub([claims], FakeJudge(), output=tmp_path / "f.csv", rejects=tmp_path / "f.csv")


def test_several_files_are_one_scrub_and_each_finding_names_its_file(claims: Path, tmp_path: Path) -> None:
    other = tmp_path / "more.jsonl"
    other.write_text('{"claim_id": "Z", "codes": ["M62.84", "I10"]}\n')
    scrub([claims, other], FakeJudge(), output=tmp_path / "f.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    assert [(Path(line["file"]).name, line["line"]) for line in lines] == [
        ("claims.csv", 2),
        ("claims.csv", 6),
        ("more.jsonl", 1),
    ]


def test_batches_of_findings_warn_of_the_rows_that_they_leave_out(claims: Path) -> None:
    validator = weakcode.Validator(packs=["weakness"])
    with pytest.warns(UserWarning, match="left out: 1"):
        assert sum(batch.num_rows for batch in validator.scrub(claims)) > 0
    seen: list[int] = []
    list(validator.scrub([claims], on_reject=lambda row: seen.append(row.line)))
    assert seen == [4]
