"""Tables of Delta Lake and Iceberg on a disk: the data files of their latest version, and no others.

A folder of such a table also holds files that were replaced or deleted. What the files alone do not say, such as rows
that are marked as deleted, is refused: those tables are read by an engine that knows them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from weakcode.errors import InputError, MissingExtraError, first_line

DELTA_LOG = "_delta_log"
_METADATA = re.compile(r"v?(\d+)(?:-.+)?\.metadata\.json")
_NOT_IN_FILES = {"deletionVectors": "rows that are marked as deleted", "columnMapping": "columns with mapped names"}
_ELSEWHERE = "read it with Spark, or write it anew without"


def is_table(folder: Path) -> bool:
    """Tell whether a folder is a table of Delta Lake or of Iceberg."""
    return is_delta(folder) or is_iceberg(folder)


def in_table(path: str) -> bool:
    """Tell by the path of a file in a listing whether it says of a folder that it is such a table."""
    *folders, name = path.split("/")
    return folders[-1:] == [DELTA_LOG] or (folders[-1:] == ["metadata"] and bool(_METADATA.fullmatch(name)))


def is_delta(folder: Path) -> bool:
    """Tell whether a folder is a table of Delta Lake."""
    return (folder / DELTA_LOG).is_dir()


def is_iceberg(folder: Path) -> bool:
    """Tell whether a folder is a table of Iceberg."""
    return bool(_versions(folder))


def files_of_table(folder: Path) -> Iterator[str]:
    """Give the data files of the latest version of a table.

    Raises InputError for a table that is damaged, is not all on this disk, or whose files do not say all, and
    MissingExtraError without the extra lake.
    """
    files = sorted(_of_delta(folder) if is_delta(folder) else _of_iceberg(folder))
    for path in files:
        if not Path(path).is_file():
            raise InputError(f"{folder} lacks a file of its latest version: {path}")
    yield from files


def _of_delta(folder: Path) -> list[str]:
    try:
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError
    except ImportError:
        raise MissingExtraError("tables of Delta Lake", extra="lake", needs="deltalake") from None
    try:
        table = DeltaTable(str(folder))
        features = {*(table.protocol().reader_features or ())}
        mapped = table.metadata().configuration.get("delta.columnMapping.mode", "none") != "none"
        uris: list[str] = table.file_uris()
        parts = [f"/{name}=" for name in table.metadata().partition_columns]
    except (DeltaError, OSError, ValueError) as error:
        raise InputError(f"{folder} cannot be read as a table of Delta Lake: {first_line(error)}") from None
    refused = sorted(features & {"deletionVectors"}) + (["columnMapping"] if mapped else [])
    if refused:
        raise InputError(f"{folder} is a table of Delta Lake with {_NOT_IN_FILES[refused[0]]}; {_ELSEWHERE}")
    files = [_path(folder, uri) for uri in uris]
    if not all(part in unquote(path) for path in files for part in parts):
        raise InputError(
            f"{folder} is a table of Delta Lake whose folders do not say what it is partitioned by; {_ELSEWHERE}"
        )
    return files


def _of_iceberg(folder: Path) -> list[str]:
    try:
        from pyiceberg.exceptions import ValidationError
        from pyiceberg.table import StaticTable
    except ImportError:
        raise MissingExtraError("tables of Iceberg", extra="lake", needs="pyiceberg") from None
    try:
        table = StaticTable.from_metadata(_latest(folder).as_uri())
        tasks: list[Any] = list(table.scan().plan_files())
        renamed = _renamed(table.metadata.schemas)
    except (ValidationError, OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} cannot be read as a table of Iceberg: {first_line(error)}") from None
    reason = _NOT_IN_FILES["deletionVectors"] if any(task.delete_files for task in tasks) else renamed
    if reason:
        raise InputError(f"{folder} is a table of Iceberg with {reason}; {_ELSEWHERE}")
    other = next((task.file.file_format for task in tasks if task.file.file_format.value.upper() != "PARQUET"), None)
    if other is not None:
        raise InputError(f"{folder} is a table of Iceberg in files of {other.value}; weakcode reads those of Parquet")
    return [_path(folder, task.file.file_path) for task in tasks]


def _renamed(schemas: list[Any]) -> str:
    """Return what is wrong where a column had another name before: older files still have that one."""
    names: dict[int, str] = {}
    for schema in schemas:
        for field in schema.fields:
            if names.setdefault(field.field_id, field.name) != field.name:
                return "columns that were renamed"
    return ""


def _versions(folder: Path) -> list[tuple[int, Path]]:
    found = [(_METADATA.fullmatch(path.name), path) for path in (folder / "metadata").glob("*.metadata.json")]
    return sorted((int(match[1]), path) for match, path in found if match)


def _latest(folder: Path) -> Path:
    """Return the metadata of the latest version: that of the last update, where two have one number."""
    versions = _versions(folder)
    newest = [path for number, path in versions if number == versions[-1][0]]
    return max(newest, key=lambda path: int(json.loads(path.read_text("utf-8"))["last-updated-ms"]))


def _path(folder: Path, uri: str) -> str:
    """Return the path of a data file, which is named by an address or relative to its table."""
    parts = urlsplit(uri)
    if len(parts.scheme) > 1 and parts.scheme != "file":
        raise InputError(f"{folder} has its data at {parts.scheme}://{parts.netloc}; read the table there")
    return str(folder / (unquote(parts.path) if parts.scheme == "file" else uri))
