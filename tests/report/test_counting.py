"""What a report counts, from files as scrub writes them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.report.conftest import FOUR, MakeFindings, finding
from weakcode.errors import InputError
from weakcode.report.data import read_report_data
from weakcode.report.model import Severities


def test_findings_are_counted_by_severity_and_rule(make_findings: MakeFindings) -> None:
    data = read_report_data([str(make_findings())])
    assert data.findings == 4
    assert data.by_severity == Severities(error=2, warning=1, info=1)
    assert [(one.rule, one.by_severity.total, one.claims) for one in data.rules] == [
        ("weakness/excludes1-weakness", 2, 2),
        ("icd10cm/excludes1", 1, 1),
        ("weakness/broad-code-denial-risk", 1, 1),
    ]


def test_a_pair_of_codes_is_one_pair_in_either_order(make_findings: MakeFindings) -> None:
    first, second = read_report_data([str(make_findings())]).pairs
    assert (first.codes, first.by_severity.error, first.rules) == (
        ("M62.81", "R53.1"),
        2,
        ("weakness/excludes1-weakness",),
    )
    assert (second.codes, second.by_severity.info) == (("M62.84", "R53.1"), 1)


def test_the_share_of_clean_claims_is_the_one_that_the_scrub_counted(make_findings: MakeFindings) -> None:
    data = read_report_data([str(make_findings())])
    assert (data.claims, data.clean, data.flagged) == (10, 7, 3)
    assert data.run.rejected == 1
    assert data.run.packs == ("icd10cm 1", "weakness 1")


def test_without_counts_and_claims_the_share_of_clean_claims_is_not_known(make_findings: MakeFindings) -> None:
    data = read_report_data([str(make_findings(said=None))])
    assert data.claims is None
    assert data.clean is None
    assert data.flagged == 3


def test_a_claims_file_tells_the_share_of_clean_claims(make_findings: MakeFindings, claims: Path) -> None:
    data = read_report_data([str(make_findings(said=None))], [str(claims)])
    assert (data.claims, data.clean, data.flagged) == (10, 7, 3)


def test_payers_and_months_come_from_the_claims(make_findings: MakeFindings, claims: Path) -> None:
    data = read_report_data([str(make_findings())], [str(claims)])
    assert [(one.name, one.claims, one.clean, one.by_severity.total) for one in data.payers] == [
        ("Blue River", 5, 5, 0),
        ("Acme", 4, 1, 4),
        ("No payer given", 1, 1, 0),
    ]
    assert [(one.name, one.claims, one.clean, one.by_severity.error) for one in data.months] == [
        ("2026-04", 5, 3, 1),
        ("2026-05", 5, 4, 1),
    ]
    assert data.remarks == ()


def test_claims_in_parquet_give_the_same_as_claims_in_csv(
    make_findings: MakeFindings, claims: Path, tmp_path: Path
) -> None:
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    table = pyarrow.csv.read_csv(claims)
    table = table.set_column(2, "service_date", table["service_date"].cast(pa.string()))
    pq.write_table(table, tmp_path / "claims.parquet")
    findings = str(make_findings())
    by_csv, by_parquet = (
        read_report_data([findings], [str(tmp_path / f"claims.{kind}")]) for kind in ("csv", "parquet")
    )
    assert by_parquet.months == by_csv.months
    assert {one.name for one in by_parquet.payers} >= {"Acme", "Blue River"}


def test_findings_of_claims_that_are_not_in_the_claims_file_are_reported(
    make_findings: MakeFindings, claims: Path
) -> None:
    stray = finding("Z", "icd10cm/excludes1", "error", "M62.84 R53.1")
    data = read_report_data([str(make_findings([*FOUR, stray]))], [str(claims)])
    assert "1 findings are on claims that are not in the claims file" in " ".join(data.remarks)
    assert sum(one.by_severity.total for one in data.payers) == 4


def test_a_claims_file_of_another_run_is_reported(make_findings: MakeFindings, claims: Path) -> None:
    said = {"evaluated": 12, "rejected": 0, "clean": 9}
    data = read_report_data([str(make_findings(said=said))], [str(claims)])
    assert "The scrub evaluated 12 claims; the claims file has 10." in " ".join(data.remarks)


@pytest.mark.parametrize(
    "name", ["findings.csv", "findings.jsonl", "findings.ndjson", "findings.arrow", "findings.arrows"]
)
def test_every_format_that_scrub_writes_is_counted_alike(make_findings: MakeFindings, name: str) -> None:
    expected = read_report_data([str(make_findings())])
    data = read_report_data([str(make_findings(name=name))])
    assert data.rules == expected.rules
    assert data.pairs == expected.pairs
    assert data.rows == expected.rows
    assert data.run.editions == ("2026-04",)


def test_several_files_and_folders_are_counted_together(make_findings: MakeFindings, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    make_findings().rename(tmp_path / "run" / "part-0.parquet")
    make_findings().rename(tmp_path / "run" / "part-1.parquet")
    make_findings(name="more.csv")
    data = read_report_data([str(tmp_path / "run"), str(tmp_path / "more.csv")])
    assert data.findings == 12
    assert data.claims is None, "the CSV file does not say how many claims it was made from"
    assert read_report_data([str(tmp_path / "run")]).claims == 20


def test_the_table_holds_findings_of_every_rule_however_rare(make_findings: MakeFindings) -> None:
    many = [finding(f"C{i}", "icd10cm/excludes1", "error", "M62.84 R53.1") for i in range(300)]
    rare = finding("R", "weakness/broad-code-denial-risk", "info", "M62.81")
    data = read_report_data([str(make_findings([*many, rare]))], rows=20)
    assert len(data.rows) == 20
    assert [row.claim for row in data.rows[:2]] == ["C0", "C1"], "errors go first, in the order of the file"
    assert data.rows[-1].claim == "R"


def test_waived_findings_are_not_counted(make_findings: MakeFindings, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(make_findings())
    if "waived_by" in table.schema.names:
        table = table.drop_columns(["waived_by"])
    pq.write_table(table.append_column("waived_by", pa.array(["coder", None, None, ""])), tmp_path / "waived.parquet")
    data = read_report_data([str(tmp_path / "waived.parquet")])
    assert data.findings == 3
    assert data.run.waived == 1


def test_claims_without_an_id_are_distinguished_by_their_place(make_findings: MakeFindings) -> None:
    rows = [finding(None, "icd10cm/excludes1", "error", "M62.84 R53.1", line=line) for line in (2, 3, 3)]
    data = read_report_data([str(make_findings(rows, said=None))])
    assert (data.flagged, data.rules[0].claims) == (2, 2)


def test_hashed_ids_depend_on_the_key_and_hide_the_id(make_findings: MakeFindings) -> None:
    path = str(make_findings())
    one, again, other = (read_report_data([path], hash_key=key) for key in (b"key", b"key", b"another"))
    assert one.rows == again.rows
    assert {row.claim for row in one.rows}.isdisjoint({row.claim for row in other.rows})
    assert all(re.fullmatch("[0-9a-f]{16}", row.claim) for row in one.rows)
    assert len({row.claim for row in one.rows}) == 3


def test_text_in_the_place_of_a_code_is_not_shown(make_findings: MakeFindings) -> None:
    rows = [
        finding("A", "icd10cm/unknown-code", "error", code, message=f"{code} is not an ICD-10-CM code.")
        for code in ("JANEROE", "123456789", "R5.3X")
    ]
    shown = repr(read_report_data([str(make_findings(rows))]))
    assert "JANEROE" not in shown
    assert "123456789" not in shown
    assert "R5.3X is not an ICD-10-CM code." in shown, "a slip of the pen in a code is worth seeing"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.parquet", None, "there is no file"),
        ("some.txt", "x", "is not a findings file by its extension"),
        ("empty.parquet", "", "cannot be read as Parquet"),
        ("empty.arrow", "", "cannot be read as Arrow"),
        ("other.csv", "a,b\n1,2\n", "it has no column claim_id, rule, severity, message, codes, positions"),
        ("list.jsonl", "[1]\n", "its first line is no JSON object"),
        ("empty.csv", "", "its columns are none"),
    ],
)
def test_a_file_that_is_not_a_findings_file_is_reported_in_one_sentence(
    tmp_path: Path, name: str, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=re.escape(sentence)) as error:
        read_report_data([str(tmp_path / name)])
    assert name in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"severity": "fatal"}, "row 2 of f.jsonl has a severity other than error, warning, info"),
        ({"rule": "<b>"}, "row 2 of f.jsonl names no rule"),
        ({"positions": "first"}, "f.jsonl cannot be read as findings"),
    ],
)
def test_a_row_that_is_not_a_finding_is_reported_without_its_values(
    tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    rows = [dict(FOUR[0]), {**FOUR[1], "claim_id": "JANEROE", **change}]
    (tmp_path / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=re.escape(sentence)) as error:
        read_report_data([str(tmp_path / "f.jsonl")])
    assert "JANEROE" not in str(error.value)
    assert "first" not in str(error.value)


def test_a_missing_claims_file_is_reported(make_findings: MakeFindings) -> None:
    with pytest.raises(InputError, match=r"there is no claims file no-such\.csv"):
        read_report_data([str(make_findings())], ["no-such.csv"])


def spark_folder(make_findings: MakeFindings, tmp_path: Path) -> Path:
    """A folder of parts, of which none says anything of the run, as scrub --spark leaves it behind."""
    folder = tmp_path / "findings.parquet"
    folder.mkdir()
    for place, row in enumerate(FOUR):
        part = make_findings([row], name=f"part-{place}.parquet", said=None)
        pq.write_table(pq.read_table(part).replace_schema_metadata(None), folder / part.name)
        part.unlink()
    counts = {"evaluated": 10, "rejected": 1, "clean": 7, "waived": 0}
    said = {"version": "9.8.7", "edition": "2026-04", "engine": "columnar", "packs": "icd10cm 1, weakness 1"}
    values = {f"weakcode.{name}": str(value) for name, value in {**said, **counts}.items()}
    (folder / "_weakcode.json").write_text(json.dumps({**values, "summary": {"clean": 7}}))
    return folder


def test_a_folder_of_spark_says_how_many_claims_were_clean(make_findings: MakeFindings, tmp_path: Path) -> None:
    data = read_report_data([str(spark_folder(make_findings, tmp_path))])
    assert data.files == ("findings.parquet",), "a folder of parts is named, not its parts"
    assert (data.findings, data.claims, data.clean, data.run.rejected) == (4, 10, 7, 1)
    assert (data.run.engines, data.run.packs) == (("columnar",), ("icd10cm 1", "weakness 1"))


def test_one_part_of_such_a_folder_does_not_pass_for_the_whole(make_findings: MakeFindings, tmp_path: Path) -> None:
    data = read_report_data([str(spark_folder(make_findings, tmp_path) / "part-0.parquet")])
    assert (data.findings, data.claims) == (1, None)


def test_a_summary_in_such_a_folder_that_is_none_is_reported(make_findings: MakeFindings, tmp_path: Path) -> None:
    folder = spark_folder(make_findings, tmp_path)
    (folder / "_weakcode.json").write_text("[]")
    with pytest.raises(InputError, match="does not hold what weakcode scrub --spark says"):
        read_report_data([str(folder)])


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.jsonl", "f.arrow"])
def test_denial_risks_are_counted_and_shown_with_their_source(make_findings: MakeFindings, name: str) -> None:
    risky = {"denial_risk": "high", "denial_risk_source": "Acme: Edits, p. 4"}
    rows = [
        finding("A", "weakness/excludes1-weakness", "error", "M62.81 R53.1", **risky),
        finding("B", "weakness/excludes1-weakness", "error", "M62.81 R53.1", denial_risk="low"),
        finding("C", "weakness/excludes1-weakness", "error", "M62.81 R53.1"),
        finding("D", "icd10cm/excludes1", "error", "M62.81 R53.1", waived_by="pat", waiver="x", **risky),
    ]
    data = read_report_data([str(make_findings(rows, name=name))])
    assert data.risks == (("high", 1), ("low", 1))
    assert [row.risk for row in data.rows] == ["high (Acme: Edits, p. 4)", "low", ""]
