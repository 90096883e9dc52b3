"""Tables of Delta Lake and Iceberg: the latest version is read, and no file that it does not have any more."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.scrub.read.lakes.tables import in_table
from weakcode.scrub.read.places import Places

Made = Callable[..., Path]


def claims(*ids: str, **columns: list[str]) -> pa.Table:
    return pa.table({"claim_id": list(ids), "codes": [["M62.84", "I10"]] * len(ids), **columns})


def scrubbed(folder: Path, output: Path) -> list[str]:
    """Return the ids of the claims with findings."""
    ran = CliRunner().invoke(main, ["scrub", str(folder), "-o", str(output), "--only", "weakness"])
    assert ran.exit_code == 1, ran.output
    return sorted(pq.read_table(output)["claim_id"].to_pylist())


def delta(folder: Path) -> Any:
    return pytest.importorskip("deltalake", reason="needs the extra lake").DeltaTable(str(folder))


@pytest.fixture
def iceberg(tmp_path: Path) -> Any:
    """A catalog of Iceberg with the table n.claims, of the claims A, B and C less B."""
    sql = pytest.importorskip("pyiceberg.catalog.sql", reason="needs the extra lake")
    pytest.importorskip("sqlalchemy", reason="needs pyiceberg[sql-sqlite]")
    catalog = sql.SqlCatalog("c", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=(tmp_path / "house").as_uri())
    catalog.create_namespace("n")
    table = catalog.create_table("n.claims", schema=claims("A").schema)
    table.append(claims("A", "B"))
    table.append(claims("C"))
    table.delete("claim_id = 'B'")
    return table


def test_rows_that_were_deleted_or_replaced_in_delta_lake_are_not_read(tmp_path: Path) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    folder = tmp_path / "tables" / "claims"
    lake.write_deltalake(str(folder), claims("A", "B"))
    lake.write_deltalake(str(folder), claims("C"), mode="append")
    delta(folder).delete("claim_id = 'B'")
    assert len(list(folder.glob("*.parquet"))) == 3, "the file with B is still there"
    assert scrubbed(folder, tmp_path / "out.parquet") == ["A", "C"]
    lake.write_deltalake(str(folder), claims("D"), mode="overwrite")
    assert scrubbed(folder.parent, tmp_path / "out.parquet") == ["D"], "a folder of tables too"


def test_the_folders_of_a_partitioned_delta_table_are_columns(tmp_path: Path) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    folder = tmp_path / "claims"
    rows = claims("A", "B", payer=["Acme", "Blue River"])
    lake.write_deltalake(str(folder), rows, partition_by=["payer"])
    assert scrubbed(folder, tmp_path / "out.parquet") == ["A", "B"]
    assert pq.read_table(tmp_path / "out.parquet")["payer"].to_pylist() == ["Acme", "Blue River"]


@pytest.mark.parametrize(
    ("configuration", "features", "said"),
    [
        ({"delta.columnMapping.mode": "name"}, ["columnMapping"], "columns with mapped names"),
        ({"delta.enableDeletionVectors": "true"}, ["deletionVectors"], "rows that are marked as deleted"),
    ],
)
def test_what_the_files_of_a_delta_table_do_not_say_is_refused(
    tmp_path: Path, configuration: dict[str, str], features: list[str], said: str
) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    folder = tmp_path / "claims"
    lake.write_deltalake(str(folder), claims("A"))
    log = folder / "_delta_log" / f"{0:020}.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "protocol" in line:
            line["protocol"] = {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": features,
                "writerFeatures": features,
            }
        if "metaData" in line:
            line["metaData"]["configuration"] = configuration
            schema = json.loads(line["metaData"]["schemaString"])
            for number, field in enumerate(schema["fields"], 1):
                name = {"delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"}
                field["metadata"] = name if features == ["columnMapping"] else {}
            line["metaData"]["schemaString"] = json.dumps(schema)
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(InputError, match=rf"claims is a table of Delta Lake with {said}; read it with Spark"):
        Places.of([str(folder)])


def test_rows_that_were_deleted_in_iceberg_are_not_read(tmp_path: Path, iceberg: Any) -> None:
    folder = tmp_path / "house" / "n" / "claims"
    assert len(list(folder.rglob("*.parquet"))) == 3
    assert scrubbed(folder, tmp_path / "out.parquet") == ["A", "C"]


def test_an_iceberg_table_with_renamed_columns_is_refused(tmp_path: Path, iceberg: Any) -> None:
    with iceberg.update_schema() as update:
        update.rename_column("claim_id", "id")
    with pytest.raises(InputError, match="a table of Iceberg with columns that were renamed"):
        Places.of([str(tmp_path / "house")])


def test_a_damaged_table_and_one_that_lacks_a_file_are_reported(tmp_path: Path) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    folder = tmp_path / "claims"
    lake.write_deltalake(str(folder), claims("A"))
    (data,) = folder.glob("*.parquet")
    data.rename(tmp_path / "away")
    with pytest.raises(InputError, match="lacks a file of its latest version"):
        Places.of([str(folder)])
    next((folder / "_delta_log").iterdir()).write_text("{")
    with pytest.raises(InputError, match="cannot be read as a table of Delta Lake"):
        Places.of([str(folder)])


def test_a_version_without_rows_has_no_claims(tmp_path: Path) -> None:
    lake = pytest.importorskip("deltalake", reason="needs the extra lake")
    lake.write_deltalake(str(tmp_path / "claims"), claims("A"))
    delta(tmp_path / "claims").delete()
    assert Places.of([str(tmp_path / "claims")]).files == ()


def test_without_the_extra_a_table_is_not_read_as_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "claims" / "_delta_log").mkdir(parents=True)
    pq.write_table(claims("A"), tmp_path / "claims" / "a.parquet")
    monkeypatch.setitem(sys.modules, "deltalake", None)
    ran = CliRunner().invoke(main, ["scrub", str(tmp_path / "claims"), "-o", str(tmp_path / "out.parquet")])
    assert (ran.exit_code, "weakcode[lake]" in ran.output) == (2, True)


@pytest.mark.parametrize(
    ("path", "is_in"),
    [
        ("bucket/claims/_delta_log/00000000000000000000.json", True),
        ("bucket/claims/metadata/00001-ab.metadata.json", True),
        ("bucket/claims/metadata/v3.metadata.json", True),
        ("bucket/claims/metadata/about.json", False),
        ("bucket/claims/a.parquet", False),
    ],
)
def test_a_listing_tells_tables_by_their_logs(path: str, is_in: bool) -> None:
    assert in_table(path) is is_in
