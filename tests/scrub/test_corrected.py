"""scrub --fix: every claim that was evaluated stands in the file once and in its order, mended where that is safe."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import ipc

import weakcode
from weakcode.cli import main
from weakcode.scrub.read.files import open_claims
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.run import scrub
from weakcode.scrub.summary import Summary
from weakcode.scrub.write.claims import CLAIMS_EXTENSIONS

CODES = [
    "M62.84",
    "G72.9",
    "I10",
    "K31.84",
    "E11.43",
    "I10",
    "N18.30",
    "E11.22",
    "ZZZ",
    "m6281",
    "R54",
    "728.87",
    "J96.10",
]


@cache
def validator() -> weakcode.Validator:
    return weakcode.Validator(packs=["weakness", "covid", "icd10cm"]).in_bulk()


def mended(claim: weakcode.Claim) -> weakcode.Claim:
    return validator().fix(claim).claim


def fixing(path: Path, out: Path, **given: Any) -> Summary:
    given.setdefault("columns", validator().columns())
    return scrub([path], validator(), fixed=out, mend=mended, **given)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def safely_fixable(claim: weakcode.Claim) -> bool:
    return any(found.fix is not None and found.fix.safe for found in validator().check(claim))


LISTS = st.lists(st.sampled_from(CODES), min_size=0, max_size=7)


@pytest.mark.parametrize("source", ["csv", "jsonl", "parquet"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists=st.lists(LISTS, min_size=1, max_size=12), kind=st.sampled_from(CLAIMS_EXTENSIONS))
def test_each_evaluated_claim_is_in_the_file_once_and_mended(
    tmp_path: Path, source: str, lists: list[list[str]], kind: str
) -> None:
    path, out = tmp_path / f"claims.{source}", tmp_path / f"mended{kind}"
    if source == "parquet":
        table = pa.table(
            {"claim_id": [f"C{n}" for n in range(len(lists))], "codes": pa.array(lists, pa.list_(pa.string()))}
        )
        pq.write_table(table, path, row_group_size=5)
    elif source == "csv":
        path.write_text("claim_id,codes\n" + "".join(f"C{n},{' '.join(codes)}\n" for n, codes in enumerate(lists)))
    else:
        write_jsonl(path, [{"claim_id": f"C{n}", "codes": codes} for n, codes in enumerate(lists)])
    summary = fixing(path, out)
    before = {f"C{n}": weakcode.Claim(codes, f"C{n}") for n, codes in enumerate(lists) if codes}
    assert summary.rejected == len(lists) - len(before)
    # A table is written into its own rows, of which those that were rejected stay as they are.
    read: list[Record | Rejected] = []
    if before:
        with open_claims(out) as rows:
            read = list(rows)
    assert source == "csv" or not any(isinstance(row, Rejected) for row in read)
    after = [row.claim for row in read if not isinstance(row, Rejected)]
    assert [claim.id for claim in after] == list(before)
    for claim in after:
        was, found = before[claim.id or ""], validator().check(before[claim.id or ""])
        assert set(claim.codes) == set(was.codes)
        assert len(validator().check(claim)) <= len(found)
        if not found:
            assert claim == was
        assert claim == mended(was)
    assert summary.fixed == sum(claim != before[claim.id or ""] for claim in after)


@pytest.mark.parametrize("kind", CLAIMS_EXTENSIONS)
def test_what_was_mended_has_nothing_left_that_is_mended_safely(tmp_path: Path, kind: str) -> None:
    lists = [["K31.84", "E11.43"], ["I10", "E11.9", "I10"], ["M62.84", "G72.9"], ["I10"], ["N18.30", "E11.22"]]
    path, out = (
        write_jsonl(tmp_path / "c.jsonl", [{"claim_id": str(n), "codes": c} for n, c in enumerate(lists)]),
        (tmp_path / f"mended{kind}"),
    )
    assert any(safely_fixable(weakcode.Claim(codes)) for codes in lists)
    assert fixing(path, out).fixed > 0
    again = fixing(out, tmp_path / f"again{kind}")
    assert again.fixed == 0
    assert list(weakcode.read_claims(tmp_path / f"again{kind}")) == list(weakcode.read_claims(out))
    assert not any(safely_fixable(claim) for claim in weakcode.read_claims(out))


FULL = {
    "claim_id": "A",
    "codes": ["I10"],
    "service_date": "2026-05-02",
    "birth_date": "1950-01-31",
    "age": 76,
    "sex": "female",
    "setting": "Inpatient",
    "payer": " Acme, Inc. ",
    "documented": ["covid-current"],
}


@pytest.mark.parametrize("kind", CLAIMS_EXTENSIONS)
@pytest.mark.parametrize("source", ["jsonl", "parquet"])
def test_all_that_is_known_of_a_claim_is_kept(tmp_path: Path, source: str, kind: str) -> None:
    path = tmp_path / f"c.{source}"
    if source == "jsonl":
        write_jsonl(path, [FULL, {"claim_id": None, "codes": "I10"}])
    else:
        pq.write_table(pa.Table.from_pylist([FULL, {"claim_id": None, "codes": ["i10"]}]), path)
    fixing(path, tmp_path / f"out{kind}")
    first, second = weakcode.read_claims(tmp_path / f"out{kind}")
    assert first == weakcode.Claim(
        ["I10"],
        "A",
        age=76,
        sex="F",
        birth_date="1950-01-31",
        service_date="2026-05-02",
        setting="inpatient",
        payer="Acme, Inc.",
        documented=["covid-current"],
    )
    assert second == weakcode.Claim(["I10"])


def test_columns_have_the_types_of_what_they_hold(tmp_path: Path) -> None:
    fixing(write_jsonl(tmp_path / "c.jsonl", [FULL]), tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.column("service_date").to_pylist() == [dt.date(2026, 5, 2)]
    assert table.column("codes").type == pa.list_(pa.string())
    assert pq.read_metadata(tmp_path / "out.parquet").metadata[b"weakcode.edition"] == b"2026-04"


SPOKEN = [
    {"claim_id": "A", "codes": [{"code": "I10", "text": "high pressure", "poa": "Y"}, "E11.9"]},
    {"claim_id": "B", "codes": ["I10"], "lines": [{"number": 1, "pointers": [1], "procedure": "99213"}]},
]


def test_words_indicators_and_service_lines_are_kept_in_json_lines(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "c.jsonl", SPOKEN)
    summary = fixing(path, tmp_path / "out.jsonl")
    assert list(weakcode.read_claims(tmp_path / "out.jsonl")) == list(weakcode.read_claims(path))
    assert not summary.remarks
    assert json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])["codes"][1] == "E11.9"


@pytest.mark.parametrize("kind", ["parquet", "arrow", "arrows"])
def test_columns_hold_words_indicators_and_service_lines(tmp_path: Path, kind: str) -> None:
    path, out = write_jsonl(tmp_path / "c.jsonl", SPOKEN), tmp_path / f"out.{kind}"
    assert not fixing(path, out).remarks
    again = tmp_path / f"again.{kind}"
    assert not fixing(out, again).remarks
    wanted = list(weakcode.read_claims(path))
    assert list(weakcode.read_claims(out)) == list(weakcode.read_claims(again)) == wanted


@pytest.mark.parametrize(("kind", "lost"), [("csv", 2), ("parquet", 2), ("arrows", 2)])
def test_what_a_format_cannot_hold_is_reported(
    tmp_path: Path, kind: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first batch decides which columns there are.
    monkeypatch.setattr("weakcode.scrub.read.batch.ROWS", 1)
    out = tmp_path / f"out.{kind}"
    plain = {"claim_id": "P", "codes": ["I10"]}
    summary = fixing(write_jsonl(tmp_path / "c.jsonl", [plain, *SPOKEN]), out)
    assert summary.remarks[str(out)][0].startswith(f"{lost} of the claims have service lines")


def test_lines_of_which_only_the_first_pointer_is_known_stay_so(tmp_path: Path) -> None:
    path = tmp_path / "c.csv"
    path.write_text(
        "CLM_ID,PRNCPAL_DGNS_CD,ICD_DGNS_CD1,ICD_DGNS_CD2,LINE_NUM,LINE_ICD_DGNS_CD\n1,I10,I10,E119,1,I10\n"
    )
    (claim,) = weakcode.read_claims(path)
    assert claim.lines[0].main_only
    for out in (tmp_path / "out.jsonl", tmp_path / "out.parquet"):
        assert not fixing(path, out).remarks
        assert list(weakcode.read_claims(out)) == [claim]


def test_words_beside_codes_go_from_parquet_to_parquet(tmp_path: Path) -> None:
    codes = [[{"code": "m6284", "text": "sarcopenia"}, {"code": "I10", "text": None}]]
    pq.write_table(pa.table({"claim_id": ["A"], "codes": codes}), tmp_path / "c.parquet")
    fixing(tmp_path / "c.parquet", tmp_path / "out.parquet")
    (claim,) = weakcode.read_claims(tmp_path / "out.parquet")
    assert [(one.code, one.text) for one in claim.diagnoses] == [("M62.84", "sarcopenia"), ("I10", None)]


@pytest.mark.parametrize("shape", ["text", "dictionary", "large", "view"])
def test_codes_of_any_arrow_shape_are_written_dotted(tmp_path: Path, shape: str) -> None:
    lists = [["m6284", "I10"], ["I10", "i10"]]
    column = {
        "text": lambda: pa.array(["m6284; I10", " I10\u00a0i10 "]),
        "dictionary": lambda: pa.array(lists, pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "large": lambda: pa.array(lists, pa.large_list(pa.large_string())),
        "view": lambda: pa.array(lists, pa.list_view(pa.string())),
    }[shape]()
    data = pa.table({"claim_id": ["A", "B"], "codes": column})
    with ipc.new_stream(tmp_path / "c.arrows", data.schema) as stream:
        stream.write_table(data)
    fixing(tmp_path / "c.arrows", tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["codes"] for row in rows] == [["M62.84", "I10"], ["I10"]]


def test_claims_of_many_batches_and_of_several_files_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weakcode.scrub.read.arrow.file.BATCH_ROWS", 7)
    monkeypatch.setattr("weakcode.scrub.write.fixed._CLAIMS", 3)
    monkeypatch.setattr("weakcode.scrub.write.claims._GROUP_ROWS", 10)
    lists = [["K31.84", "E11.43"], ["I10"], [], ["I10", "I10"]] * 10
    ids = [f"P{n}" for n in range(len(lists))]
    pq.write_table(pa.table({"claim_id": ids, "codes": pa.array(lists, pa.list_(pa.string()))}), tmp_path / "a.parquet")
    write_jsonl(tmp_path / "b.jsonl", [{"claim_id": f"J{n}", "codes": codes} for n, codes in enumerate(lists)])
    paths = [tmp_path / "b.jsonl", tmp_path / "a.parquet", tmp_path / "b.jsonl"]
    summary = scrub(
        paths, validator(), fixed=tmp_path / "out.parquet", mend=mended, columns=validator().columns(), jobs=2
    )
    wanted = [f"{letter}{n}" for letter in "JPJ" for n, codes in enumerate(lists) if codes]
    after = list(weakcode.read_claims(tmp_path / "out.parquet"))
    assert [claim.id for claim in after] == wanted
    assert summary.fixed == 3 * 20
    assert {claim.codes for claim in after} == {("E11.43", "K31.84"), ("I10",)}


def test_unsafe_fixes_are_done_only_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "c.jsonl", [{"claim_id": "A", "codes": ["M62.81", "R53.1"]}])
    assert [f.fix.action for f in validator().check(weakcode.Claim(["M62.81", "R53.1"])) if f.fix and not f.fix.safe]
    for arguments in ([], ["--unsafe"]):
        with pytest.raises(SystemExit):
            main(["scrub", str(path), "--fix", str(tmp_path / "out.csv"), "--only", "weakness", *arguments])
        (claim,) = weakcode.read_claims(tmp_path / "out.csv")
        assert (claim.codes == ("M62.81", "R53.1")) is not bool(arguments)
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["scrub", str(path), "--unsafe"])
    assert end.value.code == 2
    assert "--fix FILE" in capsys.readouterr().err


def test_real_claims_are_all_there_and_none_has_more_findings(shared: Path, tmp_path: Path) -> None:
    path, out = shared / "claims" / "claims.csv.xz", tmp_path / "out.parquet"
    summary = fixing(path, out)
    again = fixing(out, tmp_path / "again.csv", output=tmp_path / "f.parquet")
    assert again.claims_in == again.evaluated == summary.evaluated
    assert again.findings < summary.findings
    assert summary.fixed > 0
    assert again.fixed == 0
