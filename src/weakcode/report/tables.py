"""Findings in tables of databases, or of one run in a table or a folder, as files that are read like any other.

A table is `duckdb:FILE:TABLE`, `sqlite:FILE:TABLE`, or `TABLE` of a database; `@RUN` behind it, or behind a folder,
names a run of its table `runs`, or of the folder's `_runs`.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import attrs

from weakcode.errors import InputError, UnavailableError, first_line
from weakcode.report.data import room_for
from weakcode.report.source import findings_column
from weakcode.scrub.runs import is_run_id
from weakcode.scrub.schema import findings_schema
from weakcode.scrub.write.databases.embedded import KINDS, check_kind
from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.databases.runs import RUNS
from weakcode.scrub.write.folders import RUNS as RECORDS
from weakcode.scrub.write.folders import parquet_files
from weakcode.scrub.write.runs.records import read_record

if TYPE_CHECKING:
    import pyarrow as pa

_FOLDER = "parquet:"
_ROWS, _MEMORY = 16_384, "300MB"
_NEEDED = ("claim_id", "finding_id", "rule", "severity", "message", "codes", "positions")
_MADE_BY = (("version", "weakcode"), ("engine", "engine"), ("packs", "packs"))
"""What a findings file says of its making, by the columns of a table that say it."""
_COUNTS = ("evaluated", "rejected", "clean")

Asked = Callable[[str], Iterator["pa.RecordBatch"]]
"""Runs a query and gives its rows, and its columns where there are none."""


@attrs.frozen
class FindingsFiles:
    """Findings as paths, and what they are called."""

    paths: tuple[str, ...]
    names: tuple[str, ...]


@contextmanager
def findings_files(inputs: Sequence[str], db: str | None = None) -> Iterator[FindingsFiles]:
    """Give the findings files of paths, tables and runs; those of tables are gone afterwards.

    With `db`, what is neither a path nor names a file of a database is a table there. Raises InputError for a table or
    a run that is not there.
    """
    with tempfile.TemporaryDirectory(prefix="weakcode-findings-", ignore_cleanup_errors=True) as folder:
        paths: list[str] = []
        names: list[str] = []
        for number, one in enumerate(inputs):
            found = _of_one(one, db, Path(folder) / f"{number}.parquet")
            paths += found.paths
            names += found.names
        yield FindingsFiles(tuple(paths), tuple(names))


def _of_one(name: str, db: str | None, target: Path) -> FindingsFiles:
    plain = name.removeprefix(_FOLDER)
    if Path(plain).exists():
        return FindingsFiles((plain,), (Path(plain).resolve().name,))
    where, run = _without_run(plain)
    if run is not None and Path(where).is_dir():
        return _of_folder(where, run, target)[1]
    if db is None and plain.partition(":")[0] not in KINDS:
        return FindingsFiles((plain,), (Path(plain).name,))
    with _table(where, db) as (asked, table):
        _copied(asked, table, run, target)
    kind, _, rest = plain.partition(":")
    return FindingsFiles((str(target),), ((rest if kind in KINDS else plain).rpartition("/")[2],))


def is_table_in_file(name: str) -> bool:
    """Tell whether an input is `duckdb:FILE:TABLE` or `sqlite:FILE:TABLE`."""
    return name.partition(":")[0] in KINDS and name.count(":") > 1 and not Path(name).exists()


def copied_table(table_name: str, target: Path, db: str | None = None) -> list[dict[str, Any]]:
    """Write the findings of a table as `target`, and return the summaries of its runs, the oldest first.

    The table is one in a file, or else one of `db`. The findings are those of the last run, where all that it found
    stand under its id; otherwise all in the table, as where some stayed from an earlier run. Runs whose findings were
    not kept are not among the runs. With `@RUN` behind the table, that run alone. Raises InputError for a table or a
    run that is not there.
    """
    where, chosen = _without_run(table_name)
    with _table(where, db) as (asked, table):
        runs = attrs.evolve(table, table=RUNS).quoted
        query = f"SELECT * FROM {runs} WHERE summary IS NOT NULL"  # noqa: S608
        written = _written_into(table, _rows(asked, query)) if _has_runs(where, db, asked, table) else []
        rows = sorted(written, key=lambda row: (row.get("number") or 0, row["started"]))
        summaries = [one for one in map(_summary, rows) if one.get("is_kept", True)]
        if chosen is not None:
            summaries = [one for one in summaries if one["run"]["id"] == chosen]
            _copied(asked, table, chosen, target, summaries[-1] if summaries else {})
            return summaries
        last = summaries[-1] if summaries else {}
        run = str((last.get("run") or {}).get("id", ""))
        whole = is_run_id(run) and _left(asked, table, run) == last.get("findings")
        _copied(asked, table, run if whole else None, target, last if whole else {})
    return summaries


def _has_runs(given: str, db: str | None, asked: Asked, table: TableName) -> bool:
    """Tell whether there are runs beside a table; there are none beside a copy of one, or a table of older versions."""
    if given.startswith("sqlite:") or (db or "").startswith("adbc:sqlite:"):
        query = f"SELECT name FROM sqlite_master WHERE name = '{RUNS}'"  # noqa: S608
    else:
        query = f"SELECT table_schema FROM information_schema.tables WHERE table_name = '{RUNS}'"  # noqa: S608
        query += f" AND table_schema = '{table.schema}'" if table.schema else ""
    return bool(_rows(asked, query))


def _summary(row: dict[str, Any]) -> dict[str, Any]:
    try:
        return dict(json.loads(row["summary"]))
    except (ValueError, TypeError):
        raise InputError(f"the table {RUNS} has no summary of run {row['id']} that can be read") from None


def stored_runs(folder: Path) -> list[tuple[dict[str, Any], list[Path]]]:
    """Return the runs that `--into parquet:` wrote into a folder, the oldest first: their summaries and files.

    Runs that did not complete or were not kept are not among them, nor are those of which later ones replaced a file.
    """
    found = []
    for record in (folder / RECORDS).glob("*.json"):
        content = read_record(record)
        if content.get("is_kept") and "claims_in" in content:
            files = _files_of(folder, record.stem)
            if sum(map(_unwaived, files)) == content["findings"]:
                # Within a second, the record that was written last is that of the later run.
                found.append((str(content["run"]["started"]), record.stat().st_mtime_ns, content, files))
    return [(content, files) for *_, content, files in sorted(found, key=lambda one: one[:2])]


def run_of_folder(name: str, target: Path) -> tuple[str, dict[str, Any], FindingsFiles] | None:
    """Return the name, the summary and the files of a run that is given as `FOLDER@RUN`; None for anything else.

    `target` is written for a run that found nothing. Raises InputError for a run that is not there.
    """
    folder, run = _without_run(name)
    if run is None or Path(name).exists() or not (Path(folder) / RECORDS).is_dir():
        return None
    summary, found = _of_folder(folder, run, target)
    return found.names[0], summary, found


def _unwaived(path: Path) -> int:
    """Return how many findings of a file are not waived."""
    import pyarrow.parquet as pq

    waived = pq.read_table(path, columns=["waived_by"])["waived_by"]
    return int(waived.null_count)


@contextmanager
def _table(given: str, db: str | None) -> Iterator[tuple[Asked, TableName]]:
    """Open the database of a table, which `given` names with its file, or alone where it is one of `db`."""
    if db is not None and given.partition(":")[0] not in KINDS:
        with _adbc(db) as asked:
            yield asked, TableName.of(given)
        return
    kind, _, rest = given.partition(":")
    path, _, name = rest.rpartition(":")
    if not path:
        raise InputError(f"{given} has no file or no table; write it as {kind}:FILE:TABLE or {kind}:FILE:TABLE@RUN")
    if not Path(path).is_file():
        raise InputError(f"there is no file {path}")
    with _in_file(kind, path) as asked:
        yield asked, TableName.of(name)


def _without_run(name: str) -> tuple[str, str | None]:
    before, _, run = name.rpartition("@")
    return (before, run) if before and is_run_id(run) else (name, None)


def _of_folder(folder: str, run: str, target: Path) -> tuple[dict[str, Any], FindingsFiles]:
    name = quote(run, safe="")
    record = Path(folder) / RECORDS / f"{name}.json"
    if not record.is_file():
        run_ids = sorted(unquote(path.stem) for path in record.parent.glob("*.json"))
        raise InputError(f"the folder {folder} has no run {run}{_the_last(run_ids)}")
    files = _files_of(Path(folder), name)
    found = read_record(record)
    if "claims_in" not in found:
        raise InputError(f"run {run} of the folder {folder} did not complete, so it has no findings")
    if found.get("findings") and not files:
        raise InputError(f"the folder {folder} has no findings of run {run} any more: later runs replaced them")
    if not files:
        if not found.get("is_kept"):
            raise InputError(f"the findings of run {run} of the folder {folder} were not kept")
        files = [without_findings(found, target)]
    return found, FindingsFiles(tuple(map(str, files)), (f"{Path(folder).resolve().name}@{run}",))


def _files_of(folder: Path, name: str) -> list[Path]:
    """Return the files of the run whose record has this name, also those that --into-mode append called apart."""
    appended = re.compile(rf"findings-{re.escape(name)}-[0-9a-f]{{8}}\.parquet")
    return [
        path
        for path in parquet_files(folder)
        if path.name == f"findings-{name}.parquet"
        # Such a name can also be that of a run of a longer id.
        or (appended.fullmatch(path.name) and _run_of(path) == unquote(name))
    ]


def _run_of(path: Path) -> str:
    import pyarrow.parquet as pq

    metadata: dict[bytes, bytes] = pq.read_metadata(path).metadata or {}
    return metadata.get(b"weakcode.run.id", b"").decode()


def without_findings(summary: Mapping[str, Any], target: Path) -> Path:
    """Write the file of a run that found nothing, which in a folder of partitions has none."""
    import pyarrow.parquet as pq

    metadata = {f"weakcode.{name}": str(summary[name]) for name in ("engine", "claims_in", *_COUNTS, "waived")}
    metadata["weakcode.version"] = summary["weakcode"]
    for name, words in (("packs", "packs"), ("edition", "editions"), ("notes_edition", "notes_editions")):
        metadata[f"weakcode.{name}"] = ", ".join(summary[words])
    pq.write_table(findings_schema().empty_table().replace_schema_metadata(metadata), target)
    return target


def _the_last(runs: Sequence[str]) -> str:
    return f"; its last are {', '.join(runs[-5:])}" if runs else ""


def _in_file(kind: str, path: str) -> AbstractContextManager[Asked]:
    check_kind(kind, path, "the findings cannot be read from")
    return _duckdb(path) if kind == "duckdb" else _sqlite(path)


@contextmanager
def _duckdb(path: str) -> Iterator[Asked]:
    import duckdb

    try:
        # Unbounded, it would keep the whole file in memory; threads hold what they have read for others.
        config: dict[str, Any] = {"autoinstall_known_extensions": False, "memory_limit": _MEMORY, "threads": 1}
        with closing(duckdb.connect(path, read_only=True, config=config)) as connection:

            def asked(query: str) -> Iterator[pa.RecordBatch]:
                found = connection.sql(query)
                if found is not None:
                    # DuckDB renamed it.
                    read = found.to_arrow_reader if hasattr(found, "to_arrow_reader") else found.fetch_arrow_reader
                    yield from _batches(read(_ROWS))

            yield asked
    except (duckdb.Error, OSError) as error:
        if "set lock" in str(error):
            raise UnavailableError(f"{path} is in use by another process; run again when that has ended") from None
        raise InputError(f"{path} cannot be read: {first_line(error)}") from None


@contextmanager
def _sqlite(path: str) -> Iterator[Asked]:
    import pyarrow as pa

    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=60)) as connection:

            def asked(query: str) -> Iterator[pa.RecordBatch]:
                cursor = connection.execute(query)
                names = [one[0] for one in cursor.description]
                while True:
                    rows = cursor.fetchmany(_ROWS)
                    yield pa.RecordBatch.from_pydict(
                        {name: pa.array([row[at] for row in rows]) for at, name in enumerate(names)}
                    )
                    if not rows:
                        return

            yield asked
    except (sqlite3.Error, pa.ArrowException) as error:
        why = first_line(error) if isinstance(error, sqlite3.Error) else "a column has values of several types"
        raise InputError(f"{path} cannot be read: {why}") from None


@contextmanager
def _adbc(db: str) -> Iterator[Asked]:
    from weakcode.scrub.read.queries import input_errors
    from weakcode.scrub.write.targets import connection_to

    with input_errors("the table cannot be read"), closing(connection_to(db)) as connection:

        def asked(query: str) -> Iterator[pa.RecordBatch]:
            with connection.cursor() as cursor:
                cursor.execute(query)
                yield from _batches(cursor.fetch_record_batch())

        yield asked


def _batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Give the batches of a reader, before them one without rows, which tells the columns where there are none."""
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([], schema=reader.schema)
    yield from reader


def _copied(
    asked: Asked, table: TableName, run: str | None, target: Path, summary: Mapping[str, Any] | None = None
) -> None:
    """Write the findings of a table, or of one of its runs, as a file like that of a scrub.

    `summary` says how many claims the run had of which these are all findings.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if run is not None:
        _check_run(asked, table, run)
    # A run id is letters, digits and . _ : + -.
    where = f" WHERE run_id = '{run}'" if run else ""
    made_by: dict[str, set[str]] = {name: set() for name, column in _MADE_BY}
    with room_for(target), pq.ParquetWriter(target, findings_schema(), compression="zstd") as writer:
        for batch in asked(f"SELECT * FROM {table.quoted}{where}"):  # noqa: S608
            missing = [name for name in _NEEDED if name not in batch.schema.names]
            if missing:
                raise InputError(f"{table} is not a table of findings: it has no column {', '.join(missing)}")
            columns = [findings_column(batch, field) for field in findings_schema()]
            writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=findings_schema()))
            for name, column in _MADE_BY:
                if column in batch.schema.names:
                    words = batch.column(column)
                    if pa.types.is_list(words.type):
                        words = pc.binary_join(words, ", ")
                    made_by[name].update(map(_as_words, pc.unique(words).to_pylist()))
        known = {name: ", ".join(sorted(words - {""})) for name, words in made_by.items()}
        known |= {name: str(summary[name]) for name in _COUNTS if summary and name in summary}
        writer.add_key_value_metadata({f"weakcode.{name}": words for name, words in known.items() if words})


def _check_run(asked: Asked, table: TableName, run: str) -> None:
    """Raise InputError where the runs beside a table do not have this one, or later ones replaced some of it."""
    runs = attrs.evolve(table, table=RUNS).quoted
    query = f"SELECT id, findings, findings_table FROM {runs} ORDER BY started"  # noqa: S608
    rows = _written_into(table, _rows(asked, query))
    found = {row["id"]: row["findings"] for row in rows}
    if run not in found:
        raise InputError(f"{table} has no run {run}{_the_last(list(found))}")
    if found[run] is None:
        raise InputError(f"run {run} of {table} did not complete, so it has no findings")
    left = _left(asked, table, run)
    if left != found[run]:
        raise InputError(
            f"of the {found[run]:,} findings of run {run}, {table} still has {left:,}: later runs replaced the others; "
            "--into-mode run and append keep those of each run"
        )


def _written_into(table: TableName, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the runs that wrote into a table, named with its schema or without."""
    return [row for row in rows if str(row["findings_table"]).rpartition(".")[2] == table.table]


def _left(asked: Asked, table: TableName, run: str) -> int:
    """Return how many findings of a run, but for waived ones, are in a table."""
    query = f"SELECT count(*) AS n FROM {table.quoted} WHERE run_id = '{run}' AND coalesce(waived_by, '') = ''"  # noqa: S608
    (left,) = (row["n"] for row in _rows(asked, query))
    return int(left)


def _rows(asked: Asked, query: str) -> list[dict[str, Any]]:
    return [row for batch in asked(query) for row in batch.to_pylist()]


def _as_words(value: Any) -> str:
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)
    return ", ".join(value) if isinstance(value, list) else str(value or "")
