"""Every output names the packs that judged, and tells whose notes judged codes that are newer than them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from pyarrow import ipc

from weakcode import __version__
from weakcode.cli import main

NOTICE = "claims of days without an installed Tabular List were judged by the notes of 2026-04"
OF_ONE = "the codes are those of 2026-10, the notes those of 2026-04"


def weakcode(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture
def claims(tmp_path: Path) -> str:
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,codes,service_date\nA,M62.84 I10,2026-11-28\nB,I10,2026-11-28\n")
    return str(path)


def flat(text: str) -> str:
    return " ".join(text.split())


def metadata(path: Path) -> dict[bytes, bytes]:
    if path.suffix == ".parquet":
        return dict(pq.read_metadata(path).metadata)
    with pa.memory_map(str(path)) as file:
        return dict(ipc.open_file(file).schema.metadata)


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_a_scrub_tells_once_that_the_notes_are_older_than_the_codes(claims: str, tmp_path: Path, engine: str) -> None:
    summary = tmp_path / "s.json"
    result = weakcode("scrub", claims, "--summary", str(summary), "--engine", engine)
    assert NOTICE in flat(result.stdout)
    (notice,) = json.loads(summary.read_text())["notices"]
    assert notice.startswith(NOTICE)


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow"])
def test_findings_files_with_metadata_tell_of_it_there(claims: str, tmp_path: Path, name: str) -> None:
    weakcode("scrub", claims, "-o", str(tmp_path / name))
    assert metadata(tmp_path / name)[b"weakcode.notices"].decode().startswith(NOTICE)


def test_a_run_of_days_of_the_tabular_list_has_nothing_to_tell(tmp_path: Path) -> None:
    path = tmp_path / "of-the-days-of-the-notes.csv"
    path.write_text("claim_id,codes,service_date\nA,M62.84 I10,2026-05-01\n")
    result = weakcode("scrub", str(path), "-o", str(tmp_path / "f.parquet"), "--only", "weakness")
    assert "Tabular List" not in flat(result.stdout)
    assert b"weakcode.notices" not in metadata(tmp_path / "f.parquet")


def test_fix_names_packs_and_tells_whose_notes_judged() -> None:
    text = flat(weakcode("fix", "I10", "--date", "2026-11-28").stdout)
    assert OF_ONE in text
    assert "covid 1" in text
    values = json.loads(weakcode("fix", "I10", "--date", "2026-11-28", "--format", "json").stdout)
    assert values["notices"][-1].startswith(OF_ONE)
    assert (values["edition"], values["notes_edition"]) == ("2026-10", "2026-04")
    assert {"covid", "guidelines", "icd10cm", "lines", "mce", "weakness"} <= {
        pack.split()[0] for pack in values["packs"]
    }
    assert (values["engine"], values["weakcode"]) == ("columnar", __version__)


def test_an_operation_outcome_of_a_scrub_names_the_packs(claims: str) -> None:
    outcome = json.loads(weakcode("scrub", claims, "--format", "fhir").stdout)
    said = outcome["issue"][-1]["details"]["text"]
    assert "covid 1" in said


@pytest.mark.parametrize("engine", ["durable", "columnar"])
def test_text_formats_name_version_engine_and_packs_with_each_finding(claims: str, tmp_path: Path, engine: str) -> None:
    options = ("--only", "weakness", "--only", "covid", "--engine", engine)
    weakcode("scrub", claims, "-o", str(tmp_path / "f.csv"), *options)
    weakcode("scrub", claims, "-o", str(tmp_path / "f.jsonl"), *options)
    with (tmp_path / "f.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["weakcode"], row["engine"]) == (__version__, engine)
    assert [pack.split()[0] for pack in row["packs"].split("; ")] == ["weakness", "covid"]
    values: dict[str, Any] = json.loads((tmp_path / "f.jsonl").read_text())
    assert [pack.split()[0] for pack in values["packs"]] == ["weakness", "covid"]
    printed = json.loads(weakcode("scrub", claims, "--format", "json", *options).stdout)
    assert {name: printed[name] for name in ("weakcode", "engine", "packs")} == {
        name: values[name] for name in ("weakcode", "engine", "packs")
    }


@pytest.mark.parametrize("name", ["f.parquet", "f.csv", "f.jsonl"])
def test_a_report_names_the_packs_whatever_the_format(claims: str, tmp_path: Path, name: str) -> None:
    pytest.importorskip("jinja2", reason="needs the extra report")
    pytest.importorskip("vl_convert", reason="needs the extra report")
    weakcode("scrub", claims, "-o", str(tmp_path / name))
    weakcode("report", str(tmp_path / name), "-o", str(tmp_path / "r.html"))
    page = (tmp_path / "r.html").read_text()
    assert "covid 1" in page
    assert "columnar engine" in page
    if name == "f.parquet":
        assert NOTICE in page
