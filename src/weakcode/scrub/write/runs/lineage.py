"""Events of OpenLineage, which catalogs and schedulers read: that a run starts, and how it ends, with its counts.

The events are those of OpenLineage 2-0-2 (RunEvent), one a line, added to a file as they happen: a run whose START has
no COMPLETE, FAIL or ABORT was killed. No claim is named in them. Namespace and parent of the job are those of the
environment: OPENLINEAGE_NAMESPACE, and OPENLINEAGE_PARENT_ID as NAMESPACE/JOB/RUN.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from weakcode._version import __version__
from weakcode.errors import InputError
from weakcode.scrub.read.places import is_address, shown_address
from weakcode.scrub.schema import findings_schema
from weakcode.scrub.watching import STOPPED, Watcher

if TYPE_CHECKING:
    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary

LINEAGE_EXTENSIONS = (".jsonl", ".ndjson")
FILES = "file"
"""The namespace of files of this machine."""
PRODUCER = f"urn:weakcode:{__version__}"
_MOST_OF_A_LINE = 4096
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"


@attrs.frozen
class Dataset:
    """What a run reads or writes, by the naming of OpenLineage."""

    namespace: str
    name: str
    is_findings: bool = False
    """Whether it has the columns of a findings table."""

    @classmethod
    def of(cls, place: str | os.PathLike[str], *, is_findings: bool = False) -> Dataset:
        """Return a file or an address as a dataset."""
        text = os.fspath(place)
        if is_address(text):
            parts = urlsplit(shown_address(text))
            return cls(f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/") or "/", is_findings)
        return cls(FILES, str(Path(text).absolute()), is_findings)

    @classmethod
    def into(cls, into: str, db: str | None) -> Dataset:
        """Return what `--into` and `--db` name; of an address, the host and the name of the database alone."""
        kind, _, rest = into.partition(":")
        if kind == "parquet":
            return cls.of(rest, is_findings=True)
        if kind in ("duckdb", "sqlite"):
            path, _, table = rest.rpartition(":")
            return cls(f"{kind}://{Path(path).absolute()}", table, is_findings=True)
        if db is None or db.startswith("adbc:"):
            driver = "adbc" if db is None else db.split(":", 2)[1]
            return cls(f"adbc+{driver}", into, is_findings=True)
        parts = urlsplit(db)
        table = into if "." in into else f"public.{into}"
        host = f"{parts.hostname or 'localhost'}:{parts.port or 5432}"
        return cls(f"postgres://{host}", f"{parts.path.lstrip('/') or 'postgres'}.{table}", is_findings=True)


class Lineage(Watcher):
    """Adds the events of a run to a file. Raises InputError where that cannot be done, before anything is read."""

    def __init__(self, path: str, inputs: Iterable[str], outputs: Iterable[Dataset]) -> None:
        if is_address(path):
            raise InputError(
                f"--lineage {shown_address(path)} is no file of this machine; give a file and send its lines on"
            )
        self._path = Path(path)
        if self._path.suffix.lower() not in LINEAGE_EXTENSIONS:
            raise InputError(f"--lineage {path}: events of OpenLineage are added to a file in {LINEAGE_EXTENSIONS[0]}")
        inputs, outputs = list(inputs), tuple(outputs)
        where = os.path.realpath(self._path)
        named = [*inputs, *(one.name for one in outputs if one.namespace == FILES)]
        if any(os.path.realpath(one) == where for one in named if not is_address(one)) or not _takes_events(self._path):
            raise InputError(f"--lineage {path} names a file of something else; give the events a file of their own")
        self._inputs = [_dataset(Dataset.of(one)) for one in inputs if one != "-"]
        self._outputs = outputs
        self._run = str(uuid.uuid4())
        self._job = {
            "namespace": os.environ.get("OPENLINEAGE_NAMESPACE") or "default",
            "name": "weakcode.scrub" + "".join(f".{one.name.rpartition('/')[2]}" for one in self._outputs[:1]),
            "facets": {
                "jobType": _facet(
                    "2-0-4", "JobTypeJobFacet", processingType="BATCH", integration="WEAKCODE", jobType="COMMAND"
                )
            },
        }

    def started(self, run: RunTime) -> None:
        """Add the event that a run starts."""
        # A run that is tried again under its id is another run to OpenLineage, unless the id says otherwise.
        try:
            self._run = str(uuid.UUID(run.id))
        except ValueError:
            self._run = str(uuid.uuid4())
        self._add("START", {"weakcode_run": _own(id=run.id)}, self._inputs, [_dataset(one) for one in self._outputs])

    def completed(self, summary: Summary) -> None:
        """Add the event that a run has come to its end: a failure where its findings were not kept."""
        assert summary.run is not None
        names = ("claims_in", "evaluated", "rejected", "clean", "with_errors", "unchanged", "waived", "findings")
        counts = {name: getattr(summary, name) for name in (*names, "by_severity", "by_rule", "editions")}
        facets = {
            "weakcode_run": _own(**attrs.asdict(summary.run)),
            "weakcode_counts": _own(**counts, over=[*summary.over], is_kept=summary.is_kept, packs=[*summary.packs]),
        }
        if not summary.is_kept:
            over = f"more than {' and '.join(summary.over)} allows" if summary.over else "no row is a claim"
            facets |= _error(f"{over}; findings were not kept")
        inputs = [
            _dataset(
                Dataset.of(one.path),
                {"version": _facet("1-0-1", "DatasetVersionDatasetFacet", datasetVersion=one.sha256)},
                inputFacets={
                    "inputStatistics": _facet("1-0-0", "InputStatisticsInputDatasetFacet", size=one.size, fileCount=1)
                },
            )
            for one in summary.inputs
        ]
        outputs = [_dataset(one, **_output_facets(one, summary)) for one in self._outputs]
        self._add("COMPLETE" if summary.is_kept else "FAIL", facets, inputs or self._inputs, outputs)

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Add the event that a run failed, or was stopped."""
        kind = "ABORT" if state == STOPPED else "FAIL"
        outputs = [_dataset(one) for one in self._outputs]
        self._add(kind, {"weakcode_run": _own(id=run.id), **_error(why)}, self._inputs, outputs)

    def _add(self, kind: str, facets: dict[str, Any], inputs: list[Any], outputs: list[Any]) -> None:
        event = {
            "eventType": kind,
            "eventTime": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "run": {
                "runId": self._run,
                "facets": {
                    "processing_engine": _facet(
                        "1-1-1", "ProcessingEngineRunFacet", name="weakcode", version=__version__
                    ),
                    **_parent(),
                    **facets,
                },
            },
            "job": self._job,
            "inputs": inputs,
            "outputs": outputs,
            "producer": PRODUCER,
            "schemaURL": _EVENT,
        }
        line = json.dumps(event, ensure_ascii=True) + "\n"
        try:
            # One write of a whole line: runs that share the file do not mix theirs.
            with self._path.open("ab", buffering=0) as file:
                written = file.write(line.encode("ascii"))
                if written < len(line):
                    # A part of a line would spoil the next one, too.
                    file.truncate(file.tell() - written)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror or error}") from None


def _takes_events(path: Path) -> bool:
    """Tell whether a file is not there, is empty, or begins with an event."""
    try:
        with path.open("rb") as file:
            start = file.readline(_MOST_OF_A_LINE)
    except OSError:  # what it is, writing will tell
        return True
    return not start or b'"eventType"' in start


def _facet(version: str, name: str, /, **values: Any) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **values}


def _own(**values: Any) -> dict[str, Any]:
    """Return a facet of our own, whose values are those of the summary's schema."""
    return {"_producer": PRODUCER, "_schemaURL": f"{PRODUCER}:summary.schema.json", **values}


def _error(message: str) -> dict[str, Any]:
    return {
        "errorMessage": _facet("1-0-1", "ErrorMessageRunFacet", message=message, programmingLanguage="PYTHON"),
    }


def _parent() -> dict[str, Any]:
    # A namespace may be an address with slashes in it, a job of Airflow or dbt has none.
    rest, _, run = os.environ.get("OPENLINEAGE_PARENT_ID", "").rpartition("/")
    namespace, _, job = rest.rpartition("/")
    try:
        run = str(uuid.UUID(run))
    except ValueError:
        return {}
    named = {"run": {"runId": run}, "job": {"namespace": namespace, "name": job}}
    return {"parent": _facet("1-2-0", "ParentRunFacet", **named)} if namespace and job else {}


def _dataset(one: Dataset, facets: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"namespace": one.namespace, "name": one.name, **({"facets": facets} if facets else {}), **more}


def _output_facets(one: Dataset, summary: Summary) -> dict[str, Any]:
    if not one.is_findings or not summary.is_kept:
        return {}
    fields = [{"name": field.name, "type": str(field.type)} for field in findings_schema()]
    rows = summary.findings + summary.waived
    return {
        "facets": {"schema": _facet("1-2-0", "SchemaDatasetFacet", fields=fields)},
        "outputFacets": {"outputStatistics": _facet("1-0-2", "OutputStatisticsOutputDatasetFacet", rowCount=rows)},
    }
