"""Several runs as a report takes them: their findings files, folders of them, and summaries alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import attrs

from weakcode.errors import InputError
from weakcode.report.source import about_files, files_of
from weakcode.report.tables import copied_table, is_table_in_file, run_of_folder, stored_runs, without_findings
from weakcode.scrub.write.folders import RUNS as RECORDS
from weakcode.scrub.write.runs.records import is_without_summary

_SAME = ("claims_in", "evaluated", "rejected", "clean", "rules")
"""What a summary and a findings file of one run have in common, beside the digests of the inputs."""


@attrs.frozen
class GivenRun:
    """One run: its findings files, or only its summary. `started` and `id` are empty where nothing says them.

    `names` are what was given, without their folders.
    """

    names: tuple[str, ...]
    files: tuple[Path, ...] = ()
    summary: Mapping[str, Any] | None = None
    id: str = ""
    started: str = ""


def runs_of(
    inputs: Sequence[str], *, together: bool = False, scratch: Path | None = None, db: str | None = None
) -> tuple[GivenRun, ...]:
    """Return the runs that the inputs of a report are, the oldest first where all of them say when they were.

    Each findings file is a run, and so is a folder of Parquet files, and a summary (`.json`) of which there are no
    findings. A folder without Parquet files stands for what is in it: folders of runs, findings files and summaries.
    With `together`, all findings files are one run. `duckdb:FILE:TABLE` and `sqlite:FILE:TABLE` are the runs that wrote
    into the table, and so is `TABLE` of the database `db`; its findings, copied into the folder `scratch`, are those of
    the last. A folder that `--into parquet:` wrote is all runs in it, each with its findings; one without any gets a
    file in `scratch`. `@RUN` behind a table or such a folder names one run of it. Raises InputError for inputs that are
    none of these.
    """
    check_db(inputs, db)
    inputs = _once([one.removeprefix("parquet:") for one in inputs])
    tables = [one for one in inputs if scratch is not None and (is_table_in_file(one) or _is_table_of(one, db))]
    stored = [run for place, one in enumerate(tables) for run in _of_table(one, place, scratch or Path(), db)]
    folders = [] if together else [path for path in inputs if path not in tables and (Path(path) / RECORDS).is_dir()]
    stored += [run for path in folders for run in _of_folder(Path(path), scratch)]
    chosen = {}
    for place, one in enumerate(inputs):
        if scratch is not None and one not in tables:
            run = run_of_folder(one, scratch / f"run-{place}.parquet")
            if run is not None:
                chosen[one] = run
    for name, metadata, of_run in chosen.values():
        stored.append(attrs.evolve(_summarized(name, metadata), files=tuple(map(Path, of_run.paths))))
    plain = [path for path in inputs if path not in (*tables, *folders, *chosen)]
    by_path = [one for path in plain for one in _inside(Path(path))]
    summaries = [_of_summary(path) for path in by_path if path.suffix.lower() == ".json"]
    found = [path for path in by_path if path.suffix.lower() != ".json"]
    if not found and not stored:
        raise InputError("there are no findings among the inputs, only summaries; give what weakcode scrub -o wrote")
    groups = [found] if together and found else [[path] for path in found]
    runs = [*stored, *(_of_findings(group, summaries) for group in groups)]
    known_ids = {run.id for run in runs if run.id}
    runs += [run for run in summaries if run.id not in known_ids]
    if all(run.started for run in runs):
        runs.sort(key=lambda run: run.started)
    else:
        # Of summaries it is known when they were, of the findings beside them it is not: these are the later ones.
        runs.sort(key=lambda run: bool(run.files))
    return tuple(runs)


def latest(runs: Sequence[GivenRun]) -> GivenRun:
    """Return the last run of which there are findings."""
    return next(run for run in reversed(runs) if run.files)


def _inside(path: Path) -> list[Path]:
    """Return a path, or what a folder of runs has in it."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else []
    if files or not path.is_dir():
        # Files of one run are its parts; those of several say so where the runs had ids.
        ids = {one.get("run.id", "") for one in about_files(files)}
        return files if len(ids) > 1 and "" not in ids else [path]
    inside = sorted(item for item in path.iterdir() if not item.name.startswith((".", "_")))
    found = [item for item in inside if item.is_dir() and any(item.glob("*.parquet"))]
    found += [
        item for item in inside if item.is_file() and item.suffix.lower() == ".json" and not is_without_summary(item)
    ]
    if not found:
        raise InputError(
            f"the folder {path} has no .parquet files, no folders of them and no summaries (.json); "
            "give the findings that scrub wrote"
        )
    return found


def check_db(inputs: Sequence[str], db: str | None) -> None:
    """Raise InputError for a database of which no input is a table."""
    if db is not None and not any(_is_table_of(one, db) for one in inputs):
        raise InputError("--db says where tables are, and no input is the name of one; leave it out")


def _once(inputs: Sequence[str]) -> list[str]:
    """Return inputs without those that are the same file or folder once more: a run counts once."""
    return list({os.path.realpath(one) if Path(one).exists() else one: one for one in reversed(inputs)}.values())[::-1]


def _is_table_of(given: str, db: str | None) -> bool:
    """Tell whether what is given names a table of a database: no file and no run of a folder has that name."""
    if db is None or is_table_in_file(given):
        return False
    return not Path(given).exists() and not Path(given.rpartition("@")[0] or given).exists()


def _of_table(table_name: str, place: int, scratch: Path, db: str | None) -> list[GivenRun]:
    """Return the runs of a table; the last has its findings. A table of unknown runs is one run."""
    copied, name = scratch / f"{place}.parquet", table_name.rpartition(":")[2]
    runs = [_summarized(name, values) for values in copied_table(table_name, copied, db)]
    last = runs.pop() if runs else GivenRun((name,))
    return [*runs, attrs.evolve(last, files=(copied,))]


def _of_folder(folder: Path, scratch: Path | None) -> list[GivenRun]:
    """Return the runs that `--into` wrote into a folder, each with its findings."""
    runs = []
    for metadata, files in stored_runs(folder):
        run = _summarized(folder.resolve().name, metadata)
        if not files and scratch is not None:
            files = [without_findings(metadata, scratch / f"{uuid4()}.parquet")]
        runs.append(attrs.evolve(run, files=tuple(files)))
    if not any(run.files for run in runs):
        raise InputError(f"the folder {folder} has no findings of a run that completed")
    return runs


def _of_summary(path: Path) -> GivenRun:
    try:
        return _summarized(path.name, json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise InputError(f"{path} is not the summary of a run; give what weakcode scrub --summary wrote") from None


def _summarized(name: str, values: Any) -> GivenRun:
    """Return a run of which there is a summary; raises InputError for what is none."""
    try:
        numbers = [int(values[name]) for name in ("claims_in", "evaluated", "rejected", "clean")]
        run = values["run"]
        counts = [*numbers, *map(int, {**values["by_severity"], **values["by_rule"]}.values())]
        if min(counts) < 0:
            raise ValueError
        return GivenRun((name,), (), values, str(run["id"]), str(run["started"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(f"{name} is not the summary of a run; give what weakcode scrub --summary wrote") from None


def _of_findings(paths: Sequence[Path], summaries: Sequence[GivenRun]) -> GivenRun:
    files = files_of([str(path) for path in paths])
    # One run has one id; files that were made by several runs and are given as one have none.
    metadata = about_files(files)
    identity, started = ({one.get(f"run.{name}", "") for one in metadata} for name in ("id", "started"))
    run = GivenRun(
        tuple(dict.fromkeys(path.resolve().name for path in paths)),
        tuple(files),
        None,
        next(iter(identity)) if len(identity) == 1 else "",
        min(started, default=""),
    )
    if not run.id:
        for summary in summaries:
            if len(metadata) == 1 and summary.summary is not None and _is_of(metadata[0], summary.summary):
                return attrs.evolve(run, id=summary.id, started=summary.started)
    return run


def _is_of(metadata: Mapping[str, str], summary: Mapping[str, Any]) -> bool:
    """Tell whether a findings file says the same of its run as a summary does."""
    try:
        inputs = [one["sha256"] for one in json.loads(metadata.get("inputs", ""))]
        return bool(inputs) and (
            inputs == [one["sha256"] for one in summary.get("inputs", ())]
            and all(metadata.get(name, "") == str(summary.get(name, "")) for name in _SAME)
        )
    except (ValueError, TypeError, KeyError):
        return False
