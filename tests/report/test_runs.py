"""Several runs in one report: their order, their counts, and what changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.report.conftest import FOUR, MakeFindings, finding
from tests.report.test_page import Page, report
from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.report.model import RunCount
from weakcode.report.render import write_report
from weakcode.report.runs import runs_of

COUNTS = {"evaluated": 10, "rejected": 1, "clean": 7, "claims_in": 11}


def of_day(day: str, **more: object) -> dict[str, object]:
    return {**COUNTS, "run.id": f"run-{day}", "run.started": f"{day}T02:00:00Z", **more}


def summary(path: Path, day: str, **more: Any) -> Path:
    values = {"by_severity": {"error": 5, "warning": 0, "info": 1}, "by_rule": {"icd10cm/excludes1": 6}}
    path.write_text(
        json.dumps({**COUNTS, **values, "run": {"id": f"run-{day}", "started": f"{day}T02:00:00Z"}, **more})
    )
    return path


def runs_of_report(findings: Sequence[Path], tmp_path: Path, **options: Any) -> tuple[RunCount, ...]:
    trend = write_report(findings, tmp_path / "report.html", **options).trend
    return () if trend is None else trend.runs


def test_the_latest_run_is_shown_and_the_others_are_its_trend(make_findings: MakeFindings, tmp_path: Path) -> None:
    later = make_findings(FOUR[:3], "b.parquet", of_day("2026-11-28"))
    earlier = make_findings(FOUR, "a.parquet", of_day("2026-11-27", clean=6))
    data = write_report([later, earlier], tmp_path / "report.html")
    assert (data.files, data.findings, data.started) == (("b.parquet",), 3, "2026-11-28T02:00:00Z")
    assert data.trend is not None
    assert [(one.name, one.day, one.by_severity.total, one.clean) for one in data.trend.runs] == [
        ("a.parquet", "2026-11-27", 4, 6),
        ("b.parquet", "2026-11-28", 3, 7),
    ]


def test_new_and_gone_findings_of_the_latest_run_are_reported(make_findings: MakeFindings, tmp_path: Path) -> None:
    new = finding("D", "icd10cm/excludes1", "error", "M62.84 R53.1")
    before, after = make_findings(FOUR, "a.parquet"), make_findings([*FOUR[1:], new], "b.parquet")
    result = report(before, after, "-o", tmp_path / "report.html")
    assert "2 runs, of which b.parquet is the latest; 1 new and 1 gone" in result.stdout
    text = " ".join(Page((tmp_path / "report.html").read_text(encoding="utf-8")).text.split())
    assert "Since the one before, the latest has 1 new findings, and 1 are gone" in text


def test_a_run_that_is_given_twice_counts_once(make_findings: MakeFindings, tmp_path: Path) -> None:
    found = make_findings(FOUR, "a.parquet")
    (tmp_path / "link.parquet").symlink_to(found)
    result = report(found, found, tmp_path / "link.parquet", "-o", tmp_path / "report.html")
    assert "4 findings" in result.stdout
    assert "runs" not in result.stdout


def test_without_days_the_runs_are_in_the_order_given(make_findings: MakeFindings, tmp_path: Path) -> None:
    files = [make_findings(FOUR[:number], f"{name}.csv", None) for number, name in ((1, "z"), (3, "a"), (2, "m"))]
    assert [(one.name, one.by_severity.total, one.claims) for one in runs_of_report(files, tmp_path)] == [
        ("z.csv", 1, None),
        ("a.csv", 3, None),
        ("m.csv", 2, None),
    ]


def test_a_folder_of_parquet_files_is_one_run_and_a_folder_of_such_is_several(
    make_findings: MakeFindings, tmp_path: Path
) -> None:
    for day in ("2026-11-27", "2026-11-28"):
        (tmp_path / "runs" / day).mkdir(parents=True)
        for part in range(2):
            made = make_findings(FOUR, said=of_day(day, clean=7 - part))
            made.rename(tmp_path / "runs" / day / f"part-{part}.parquet")
    runs = runs_of_report([tmp_path / "runs"], tmp_path)
    assert [(one.name, one.by_severity.total, one.claims) for one in runs] == [
        ("2026-11-27", 8, 20),
        ("2026-11-28", 8, 20),
    ]
    assert runs_of_report([tmp_path / "runs" / "2026-11-27"], tmp_path) == ()


def test_a_folder_of_files_of_several_runs_is_these_runs(make_findings: MakeFindings, tmp_path: Path) -> None:
    (tmp_path / "nights").mkdir()
    for day in ("2026-11-27", "2026-11-28"):
        make_findings(FOUR, said=of_day(day)).rename(tmp_path / "nights" / f"{day}.parquet")
    runs = runs_of_report([tmp_path / "nights"], tmp_path)
    assert [(one.name, one.by_severity.total, one.claims) for one in runs] == [
        ("2026-11-27.parquet", 4, 10),
        ("2026-11-28.parquet", 4, 10),
    ]
    assert runs_of_report([tmp_path / "nights"], tmp_path, together=True) == ()


def test_summaries_stand_for_runs_whose_findings_are_gone(make_findings: MakeFindings, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for day in ("2026-11-26", "2026-11-27"):
        summary(tmp_path / "runs" / f"{day}.json", day)
    latest = make_findings(said=of_day("2026-11-28"))
    runs = runs_of_report([latest, tmp_path / "runs"], tmp_path)
    assert [(one.day, one.by_severity.total) for one in runs] == [
        ("2026-11-26", 6),
        ("2026-11-27", 6),
        ("2026-11-28", 4),
    ]


def test_a_summary_of_a_run_whose_findings_are_there_counts_once_and_tells_its_day(
    make_findings: MakeFindings, tmp_path: Path
) -> None:
    inputs = [{"path": "claims.csv", "size": 9, "sha256": "ab" * 32}]
    unnamed = make_findings(said={**COUNTS, "inputs": json.dumps(inputs), "rules": "c4"})
    same = summary(tmp_path / "same.json", "2026-11-28", inputs=inputs, rules="c4")
    other = summary(tmp_path / "other.json", "2026-11-27", inputs=inputs, rules="another")
    assert [(run.started[:10], bool(run.files)) for run in runs_of([str(unnamed), str(same), str(other)])] == [
        ("2026-11-27", False),
        ("2026-11-28", True),
    ]


def test_parts_of_one_run_are_counted_together_when_asked(make_findings: MakeFindings, tmp_path: Path) -> None:
    parts = [make_findings(FOUR, f"{name}.parquet") for name in "ab"]
    data = write_report(parts, tmp_path / "report.html", together=True)
    assert (data.findings, data.claims, data.trend) == (8, 20, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not the summary of a run"),
        ('{"claims_in": 3}', "is not the summary of a run"),
        ('{"claims_in": -3}', "is not the summary of a run"),
        ("[]", "is not the summary of a run"),
    ],
)
def test_what_is_not_a_summary_is_reported(
    make_findings: MakeFindings, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "s.json").write_text(content)
    with pytest.raises(InputError, match=said):
        runs_of([str(make_findings()), str(tmp_path / "s.json")])


def test_summaries_alone_and_empty_folders_are_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no findings among the inputs, only summaries"):
        runs_of([str(summary(tmp_path / "s.json", "2026-11-28"))])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"has no \.parquet files, no folders of them and no summaries"):
        runs_of([str(tmp_path / "empty")])


def test_the_page_has_the_practice_and_the_days_at_its_head(make_findings: MakeFindings, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    report(make_findings(said=of_day("2026-11-28")), "-o", target, "--practice", "Oak & Elm <Clinic>")
    page = target.read_text(encoding="utf-8")
    text = " ".join(Page(page).text.split())
    assert "Oak & Elm <Clinic> Coding findings Claims checked on 28 November 2026. Report of " in text
    assert "<title>Oak &amp; Elm &lt;Clinic&gt;: Coding findings in findings.parquet</title>" in page


@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "parquet", "parted", "adbc"])
def test_of_a_table_or_folder_with_several_runs_the_last_is_reported(tmp_path: Path, kind: str) -> None:
    claims, nights = tmp_path / "claims.csv", tmp_path / "nights"
    into, db = f"parquet:{nights}" if kind.startswith("par") else f"{kind}:{nights}:findings", None
    if kind == "adbc":
        pytest.importorskip("adbc_driver_sqlite", reason="needs ADBC's driver of SQLite")
        into, db = "findings", f"adbc:sqlite:{nights}"
    for number, run in enumerate(("monday", "tuesday"), 3):
        claims.write_text("claim_id,codes,payer\n" + "".join(f"C{at},M62.84 I10,P{at}\n" for at in range(number)))
        scrub = ["scrub", str(claims), "--into", into, "--into-mode", "run", "--run-id", run, "--only", "weakness"]
        scrub += ["--partition-by", "payer"] if kind == "parted" else []
        scrub += [] if db is None else ["--db", db]
        ran = CliRunner().invoke(main, [*scrub, "--fail-on", "never"])
        assert ran.exit_code == 0, ran.output
    data = write_report([str(nights) if kind.startswith("par") else into], tmp_path / "report.html", db=db)
    assert (data.findings, len(data.rows), data.claims) == (4, 4, 4)
    assert data.trend is not None
    assert [(one.claims, one.by_severity.total) for one in data.trend.runs] == [(3, 3), (4, 4)]
    assert [one.name.rpartition("@")[2] for one in data.trend.runs] == ["monday", "tuesday"]
    assert len(set(data.trend.labels)) == 2
    # One run of it is a run like any other.
    place = str(nights) if kind.startswith("par") else into
    data = write_report([f"{place}@monday"], tmp_path / "report.html", db=db)
    assert (data.findings, data.claims, data.trend) == (3, 3, None)
    with pytest.raises(InputError, match="has no run sunday"):
        write_report([f"{place}@sunday"], tmp_path / "report.html", db=db)


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_table_of_findings_has_the_trend_of_its_runs(tmp_path: Path, kind: str) -> None:
    claims, table = tmp_path / "claims.csv", f"{kind}:{tmp_path / 'nightly.db'}:findings"
    for number in (3, 2):
        claims.write_text("claim_id,codes\n" + "".join(f"C{at},M62.84 I10\n" for at in range(number)))
        scrub = ["scrub", str(claims), "--into", table, "--into-mode", "replace", "--fail-on", "never"]
        ran = CliRunner().invoke(main, [*scrub, "--only", "weakness"])
        assert ran.exit_code == 0, ran.output
    data = write_report([table], tmp_path / "report.html")
    assert (data.files, data.findings, [row.claim for row in data.rows]) == (("findings",), 2, ["C0", "C1"])
    assert data.trend is not None
    assert sorted((one.claims, one.by_severity.total) for one in data.trend.runs) == [(2, 2), (3, 3)]
    with pytest.raises(InputError, match="nothing"):
        write_report([f"{kind}:{tmp_path / 'nightly.db'}:nothing"], tmp_path / "report.html")
    with pytest.raises(InputError, match="there is no file"):
        write_report([f"{kind}:{tmp_path / 'none.db'}:findings"], tmp_path / "report.html")
