"""Findings files opened as one table in DuckDB, and what they say of their making."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError, UnavailableError
from weakcode.report.model import SEVERITIES, ReportedRun
from weakcode.scrub.guard import TAKE_SQL, is_guarded
from weakcode.scrub.schema import COLUMNS
from weakcode.scrub.write.findings import FINDINGS_EXTENSIONS
from weakcode.scrub.write.folders import JOURNAL, parquet_files

if TYPE_CHECKING:
    import pyarrow as pa

_NEEDED = ("claim_id", "rule", "severity", "message", "codes", "positions")
_COLUMNS = (
    *_NEEDED,
    "confidence",
    "sources",
    "edition",
    "file",
    "line",
    "place",
    "waived_by",
    "denial_risk",
    "denial_risk_source",
    "finding_id",
    "fix",
    "payer",
    "provider",
    "service_date",
    "title",
)
"""What is read of a findings file; columns after the needed ones may be missing."""
_SQL = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "date32": "DATE"}
_TYPES = {column.name: _SQL[column.kind] + "[]" * column.is_list for column in COLUMNS}
_SPLIT = {column.name: column.separator for column in COLUMNS if column.is_list}
_ARROW = (".arrow", ".feather", ".arrows")
_WHAT = "give what weakcode scrub -o wrote"


def files_of(inputs: Sequence[str]) -> list[Path]:
    """Return the findings files of paths; a folder stands for the Parquet files in it and its partitions.

    Raises InputError for one that does not exist or has another extension than scrub writes.
    """
    files: list[Path] = []
    for entry in inputs:
        path = Path(entry)
        if path.is_dir():
            if (path / JOURNAL).exists():
                raise UnavailableError(
                    f"the folder {entry} is being written, or the run that wrote it was killed; run it again, then "
                    "its files are in their places"
                )
            inside = parquet_files(path)
            if not inside:
                raise InputError(f"the folder {entry} has no .parquet files; give the findings that scrub wrote")
            files += inside
            continue
        if not path.exists():
            raise InputError(f"there is no file {entry}; give the findings that weakcode scrub -o wrote")
        if path.suffix.lower() not in FINDINGS_EXTENSIONS:
            allowed = ", ".join(FINDINGS_EXTENSIONS)
            raise InputError(f"{entry} is not a findings file by its extension; scrub -o writes {allowed}")
        files.append(path)
    return files


def about_files(files: Sequence[Path]) -> list[dict[str, str]]:
    """Return what findings files say of their making, by name: one for each file, or for a folder that Spark wrote."""
    whole, metadata = _metadata_of_folders(files)
    for path in files:
        if path.parent not in whole and _kind(path) in ("parquet", "arrow"):
            metadata.append(_metadata_of(_schema(path)))
    return _distinct_runs(metadata)


def _distinct_runs(metadata: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Return what files say, that of the partitions of one run once."""
    return [one for place, one in enumerate(metadata) if not one.get("run.id") or one not in metadata[:place]]


def open_findings(connection: Any, files: Sequence[Path]) -> ReportedRun:
    """Make `findings` and `waived` out of the files and return what they say of their making.

    Columns are those that scrub writes, with `row` numbering the rows in their order.
    Raises InputError for a file that holds something else.
    """
    tables: list[str] = []
    whole, metadata = _metadata_of_folders(files)
    together: dict[str, list[str]] = {"parquet": [], "jsonl": []}
    for path in files:
        kind = _kind(path)
        schema = _schema(path) if kind in ("parquet", "arrow") else None
        found = list(schema.names) if schema is not None else (_csv_columns if kind == "csv" else _jsonl_columns)(path)
        _refuse_columns(path, found)
        if path.parent not in whole:
            metadata.append(_metadata_of(schema) if schema is not None else _metadata_of_rows(path))
        if kind == "csv":
            tables.append(_csv_table(path, found))
        elif kind == "arrow":
            tables.append(_arrow_table(connection, path, found, f"arrow_{len(tables)}"))
        elif path.stat().st_size:
            together[kind].append(str(path))
    only_parquet = bool(together["parquet"]) and not tables and not together["jsonl"]
    if together["parquet"]:
        tables.append(_parquet_table(connection, together["parquet"]))
    if together["jsonl"]:
        tables.append(_jsonl_table(together["jsonl"]))
    # Columns of a Parquet file are cheap to read again for each question; anything else is read once.
    connection.execute(
        f"CREATE {'VIEW' if only_parquet else 'TABLE'} given AS SELECT *, row_number() OVER () AS row "  # noqa: S608
        f"FROM ({' UNION ALL '.join(tables) or _chosen('(SELECT 1) WHERE false', _null)})"
    )
    connection.execute("CREATE VIEW findings AS SELECT * FROM given WHERE coalesce(waived_by, '') = ''")
    connection.execute("CREATE VIEW waived AS SELECT * FROM given WHERE coalesce(waived_by, '') <> ''")
    _refuse_others(connection, files)
    return _run(connection, _distinct_runs(metadata))


def findings_column(batch: pa.RecordBatch, field: pa.Field) -> pa.Array:
    """Return a column as findings files have it; lists may be JSON, dates text."""
    import pyarrow as pa

    column = batch.column(field.name) if field.name in batch.schema.names else None
    if column is None or column.null_count == batch.num_rows:
        return pa.nulls(batch.num_rows, field.type)
    try:
        if pa.types.is_string(column.type) and (field.name in _SPLIT or pa.types.is_date(field.type)):
            read = json.loads if field.name in _SPLIT else dt.date.fromisoformat
            return pa.array([None if one is None else read(one) for one in column.to_pylist()], field.type)
        return column.cast(field.type)
    except (ValueError, TypeError, pa.ArrowException):
        raise InputError(f"the column {field.name} has something else than weakcode writes there") from None


def _kind(path: Path) -> str:
    extension = path.suffix.lower()
    return "arrow" if extension in _ARROW else {".parquet": "parquet", ".csv": "csv"}.get(extension, "jsonl")


def _refuse_columns(path: Path, found: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in found]
    if missing:
        seen = ", ".join(found[:12]) or "none"
        raise InputError(
            f"{path} is not a findings file: it has no column {', '.join(missing)} (its columns are {seen}); {_WHAT}"
        )


@contextmanager
def _arrow_reader(path: Path) -> Iterator[pa.RecordBatchReader]:
    """Open an Arrow file or stream, whatever its extension says it is."""
    import pyarrow as pa
    from pyarrow import ipc

    options = ipc.IpcReadOptions(ensure_alignment=ipc.Alignment.DataTypeSpecific)
    # Read, not mapped: a mapped file that is cut short meanwhile would end the process.
    with pa.OSFile(str(path)) as opened:
        start = opened.read(6)
        opened.seek(0)
        if start == b"ARROW1":
            file = ipc.open_file(opened, options=options)
            batches = (_checked(file.get_batch(number)) for number in range(file.num_record_batches))
            yield pa.RecordBatchReader.from_batches(file.schema, batches)
        else:
            reader = ipc.open_stream(opened, options=options)
            yield pa.RecordBatchReader.from_batches(reader.schema, map(_checked, reader))


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of a file that is not damaged; DuckDB would follow whatever offsets it holds."""
    batch.validate(full=True)
    return batch


def _schema(path: Path) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    format_ = "Parquet" if _kind(path) == "parquet" else "Arrow"
    try:
        if format_ == "Parquet":
            return pq.read_schema(path).with_metadata(pq.read_metadata(path).metadata)
        with _arrow_reader(path) as reader:
            return reader.schema
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["unknown reason"])[0]
        raise InputError(f"{path} cannot be read as {format_}: {reason}") from None


def _csv_columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        return next(csv.reader(file), [])


def _jsonl_columns(path: Path) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        first = file.readline()
    if not first.strip():
        # A run without findings writes an empty file.
        return list(_COLUMNS)
    try:
        values = json.loads(first)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{path} is not JSON Lines: its first line is no JSON object")
    return list(values)


def _parquet_table(connection: Any, paths: list[str]) -> str:
    source = f"read_parquet({_list(paths)}, union_by_name = true)"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}  # noqa: S608
    return _chosen(source, lambda name: f"CAST({name} AS {_type(name)})" if name in found else _null(name))


def _arrow_table(connection: Any, path: Path, found: Sequence[str], name: str) -> str:
    """Copy an Arrow file into the database: it cannot be read column by column."""
    with _arrow_reader(path) as reader:
        connection.register("batches", reader)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM batches")  # noqa: S608
        connection.unregister("batches")
    return _chosen(name, lambda one: f"CAST({one} AS {_type(one)})" if one in found else _null(one))


def _csv_table(path: Path, found: Sequence[str]) -> str:
    names = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in found)
    shape = "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', max_line_size = 10000000"
    source = f"read_csv({_literal(str(path))}, {shape}, columns = {{{names}}})"

    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        guarded = is_guarded(file.readline(), found)

    def plain(name: str) -> str:
        unguarded = f"regexp_replace({name}, {_literal(TAKE_SQL)}, '\\1\\2', 'g')"
        return unguarded if guarded and _type(name) == "VARCHAR" else name

    def column(name: str) -> str:
        if name not in found:
            return _null(name)
        if name not in _SPLIT:
            return f"CAST({plain(name)} AS {_type(name)})"
        split = f"string_split({name}, {_literal(_SPLIT[name])})"
        return f"CASE WHEN {name} IS NULL OR {name} = '' THEN [] ELSE CAST({split} AS {_type(name)}) END"

    return _chosen(source, column)


def _jsonl_table(paths: list[str]) -> str:
    types = ", ".join(f"{_literal(name)}: {_literal(_type(name))}" for name in _COLUMNS)
    source = f"read_json({_list(paths)}, format = 'newline_delimited', columns = {{{types}}})"
    return _chosen(source, lambda name: name)


def _chosen(source: str, column: Callable[[str], str]) -> str:
    """Return a SELECT with exactly the columns of a findings table."""
    columns = ", ".join(f"{column(name)} AS {name}" for name in _COLUMNS)
    return f"SELECT {columns} FROM {source}"  # noqa: S608


def _null(name: str) -> str:
    return f"CAST(NULL AS {_type(name)})"


def _type(name: str) -> str:
    return _TYPES.get(name, "VARCHAR")


def _list(paths: Iterable[str]) -> str:
    return "[" + ", ".join(map(_literal, paths)) + "]"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _refuse_others(connection: Any, files: Sequence[Path]) -> None:
    """Raise InputError where a row cannot be a finding."""
    named = ", ".join(path.name for path in files[:3])
    allowed = ", ".join(_literal(name) for name in SEVERITIES)
    row = connection.execute(
        f"SELECT min(row) FROM given WHERE severity IS NULL OR severity NOT IN ({allowed})"  # noqa: S608
    ).fetchone()
    if row[0] is not None:
        raise InputError(
            f"row {row[0]} of {named} has a severity other than {', '.join(SEVERITIES)}; "
            "give the findings that weakcode scrub -o wrote"
        )
    row = connection.execute(
        "SELECT min(row) FROM given WHERE rule IS NULL OR NOT regexp_full_match(rule, '[a-z0-9-]+/[a-z0-9-]+')"
    ).fetchone()
    if row[0] is not None:
        raise InputError(
            f"row {row[0]} of {named} names no rule such as weakness/excludes2-hematoma; "
            "give the findings that weakcode scrub -o wrote"
        )


def _metadata_of_folders(files: Sequence[Path]) -> tuple[set[Path], list[dict[str, str]]]:
    """Return the folders that say of all their files together how they were made, as scrubs on Spark do, and what."""
    from weakcode.spark.run import SUMMARY_FILE

    whole: set[Path] = set()
    metadata = []
    for folder in dict.fromkeys(path.parent for path in files):
        summary = folder / SUMMARY_FILE
        if summary.is_file() and set(folder.glob("*.parquet")) <= set(files):
            try:
                values = json.loads(summary.read_text(encoding="utf-8"))
            except ValueError:
                values = None
            if not isinstance(values, dict):
                raise InputError(f"{summary} does not hold what weakcode scrub --spark says of the findings beside it")
            texts = {key: value for key, value in values.items() if isinstance(value, str)}
            metadata.append(_without_prefix(texts))
            whole.add(folder)
    return whole, metadata


def _metadata_of_rows(path: Path) -> dict[str, str]:
    """Return what the first row of a text file says of its making."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        row: dict[str, Any] | None
        if _kind(path) == "csv":
            row = next(csv.DictReader(file), None)
        else:
            line = file.readline()
            row = json.loads(line) if line.strip() else None
    meta = row or {}
    packs = meta.get("packs") or ""
    packs = packs.split("; ") if isinstance(packs, str) else packs
    values = {"version": meta.get("weakcode"), "engine": meta.get("engine"), "packs": ", ".join(map(str, packs))}
    return {name: str(value) for name, value in values.items() if value}


def _metadata_of(schema: pa.Schema) -> dict[str, str]:
    """Return what a file says of its making, by name."""
    metadata = schema.metadata or {}
    values = {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in metadata.items()}
    return _without_prefix(values)


def _without_prefix(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("weakcode."): value for key, value in metadata.items() if key.startswith("weakcode.")}


def _run(connection: Any, metadata: Sequence[dict[str, str]]) -> ReportedRun:
    """Return what the files say together. Counts are there only where each file has them."""

    def words(name: str, parted: str = ", ") -> tuple[str, ...]:
        return tuple(sorted({word for one in metadata for word in one.get(name, "").split(parted) if word}))

    def count(name: str) -> int | None:
        numbers = [int(one[name]) for one in metadata if one.get(name, "").isdecimal()]
        return sum(numbers) if numbers and len(numbers) == len(metadata) else None

    editions = words("edition")
    if not editions:
        found = connection.execute("SELECT DISTINCT edition FROM given WHERE edition <> '' ORDER BY 1").fetchall()
        editions = tuple(edition for (edition,) in found)
    (waived,) = connection.execute("SELECT count(*) FROM waived").fetchone()
    return ReportedRun(
        versions=words("version"),
        editions=editions,
        engines=words("engine"),
        packs=words("packs"),
        evaluated=count("evaluated"),
        rejected=count("rejected"),
        clean=count("clean"),
        waived=waived or count("waived"),
        notices=words("notices", "; "),
    )
