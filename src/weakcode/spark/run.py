"""A scrub on a Spark cluster from the command line: Parquet in, a folder of Parquet files out.

The claims are evaluated once. What became of them is written beside the output under a passing name, one folder for
each kind; when all of it is there, the folder of the findings is renamed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode import spark
from weakcode.errors import InputError, WeakcodeError
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.runs import RunTime
from weakcode.scrub.write.files import Outputs, checked_output
from weakcode.scrub.write.rejects import REJECTS_EXTENSIONS, RejectsWriter
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from weakcode.scrub.gates import Gate
    from weakcode.scrub.summary import Summary
    from weakcode.validator import Validator

SUMMARY_FILE = "_weakcode.json"
"""The summary, in the folder of the findings; readers of Parquet pass over names that begin with an underscore."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://?", re.IGNORECASE)
_LAST_LINE = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Error|Exception)): (.+)$", re.MULTILINE)


def refuse(*asked: Mapping[str, object]) -> None:
    """Raise InputError for what was asked for and cannot be had on Spark."""
    there = [name for group in asked for name, value in group.items() if value]
    if there:
        raise InputError(
            f"--spark cannot go with {' and '.join(there)}; it reads Parquet files and writes a folder of them"
        )


def scrub_files(
    inputs: Sequence[str],
    validator: Validator,
    *,
    master: str,
    output: str | None,
    rejects: str | None = None,
    summary: str | None = None,
    hash_key: bytes | None = None,
    run_id: str | None = None,
    gates: tuple[Gate | None, Gate | None] = (None, None),
) -> Summary:
    """Evaluate the claims of Parquet files and folders on a Spark master, and return the summary.

    Inputs and `output` may have an address of a file system that Spark knows, such as ``s3a://``. `output` must not be
    there yet; it becomes a folder, and its file `_weakcode.json` holds the summary. `rejects` (CSV or JSON Lines) and
    `summary` (JSON) are files of this machine. With `hash_key`, claim ids are hashed by the executors. Raises
    InputError for inputs and outputs that cannot be, and when Spark ends the job.
    """
    started, record = time.perf_counter(), RunTime.starting(run_id)
    if not inputs or output is None:
        raise InputError("--spark needs Parquet files or folders to read, and -o NAME.parquet to write")
    aside = None if rejects is None else checked_output(rejects, REJECTS_EXTENSIONS)
    told = None if summary is None else checked_output(summary, (".json",))
    if Path(output).suffix.lower() != ".parquet":
        raise InputError(f"{output} cannot be: --spark writes a folder of Parquet files; give it a name in .parquet")
    with _session(master) as session, _told(), Outputs() as outputs:
        target = _Folder(session, output)
        target.must_be_new()
        staged = _Folder(session, f"{target.address}.{uuid.uuid4().hex[:12]}.partial")
        try:
            # Three files are open at a time, instead of sorting all findings by their kind.
            session.conf.set("spark.sql.maxConcurrentOutputFileWriters", "3")
            became = spark.outcomes(_claims(session, inputs), validator, hash_key)
            became.write.partitionBy("kind").option("compression", "zstd").parquet(staged.address)
            became = session.read.schema(became.schema).parquet(staged.address)
            counted = spark.summary(became, time.perf_counter() - started)
            result = attrs.evolve(counted, run=record.ending()).gated(*gates)
            if aside is not None:
                _write_rejects(became, RejectsWriter(aside, outputs.open(aside)))
            if told is not None:
                outputs.open(told).write(result.to_json().encode() + b"\n")
            if not result.is_kept:
                outputs.commit()
                return result
            found = _Folder(session, f"{staged.address}/kind={spark.FINDING}")
            if not found.exists():
                spark.findings(became).coalesce(1).write.parquet(found.address)
            found.write(SUMMARY_FILE, _to_json(result))
            found.write("_SUCCESS", b"")
            found.rename(target)
            WRITTEN.append(output)
            outputs.commit()
        finally:
            staged.remove()
    return result


def _claims(session: SparkSession, inputs: Sequence[str]) -> DataFrame:
    """Return the claims with the file and the row that they are from."""
    from pyspark.sql import functions as f

    for name in inputs:
        if not _SCHEME.match(name) and not Path(name).exists() and not any(mark in name for mark in "*?["):
            raise InputError(f"{name} does not exist")
    # Without merging, columns that only some of the files have would be left out in silence.
    claims = session.read.option("mergeSchema", "true").parquet(*(_address(name) for name in inputs))
    path = "_metadata.file_path"
    decoded = f"url_decode(replace(substr({path}, 6), '+', '%2B'))"
    file = f"CASE WHEN {path} LIKE 'file:%' THEN regexp_replace({decoded}, '^/+', '/') ELSE {path} END"
    known = [f.col(f"`{name}`") for name in claims.columns if name not in ("file", "line")]
    return claims.select(*known, f.expr(file).alias("file"), (f.col("_metadata.row_index") + 1).alias("line"))


def _write_rejects(outcomes: DataFrame, writer: RejectsWriter) -> None:
    for row in spark.rejects(outcomes).toLocalIterator():
        writer.write(
            Rejected(row["file"] or "", row["line"] or 0, row["claim_id"], row["reason"], row["part"], place="")
        )
    writer.finish()


def _to_json(summary: Summary) -> bytes:
    import json

    return json.dumps({**summary.metadata(), "summary": json.loads(summary.to_json())}, indent=2).encode() + b"\n"


def _address(name: str) -> str:
    """Return a name as Spark takes it: whatever its default file system is, a plain path is one of this machine."""
    return name if _SCHEME.match(name) else f"file://{os.path.abspath(name)}"  # noqa: PTH100 - patterns are no paths


@attrs.frozen
class _Folder:
    """A folder of some file system that Spark knows."""

    _session: SparkSession
    address: str = attrs.field(converter=_address)

    def _java(self, name: str = "") -> tuple[Any, Any]:
        context: Any = self._session.sparkContext
        path = context._jvm.org.apache.hadoop.fs.Path(f"{self.address}/{name}" if name else self.address)
        return path, path.getFileSystem(context._jsc.hadoopConfiguration())

    def exists(self) -> bool:
        path, files = self._java()
        return bool(files.exists(path))

    def must_be_new(self) -> None:
        path, files = self._java()
        if files.exists(path):
            raise InputError(f"{self.address} is there already; remove it, or give the output another name")
        if not files.exists(path.getParent()):
            raise InputError(f"the folder {path.getParent().toString()} does not exist; make it first")

    def write(self, name: str, content: bytes) -> None:
        path, files = self._java(name)
        stream = files.create(path)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def rename(self, target: _Folder) -> None:
        path, files = self._java()
        if not files.rename(path, target._java()[0]):
            raise InputError(f"{target.address} cannot be written: the finished folder could not be renamed to it")

    def remove(self) -> None:
        with suppress(Exception):
            path, files = self._java()
            files.delete(path, True)


@contextmanager
def _session(master: str) -> Iterator[SparkSession]:
    """Give the session that there is, or start one and stop it."""
    spark._needs_pyspark()
    import pyspark
    from pyspark.sql import SparkSession

    if master.startswith("sc://"):
        raise InputError("--spark takes a master such as local[*], yarn or spark://host:7077, not Spark Connect")
    there = SparkSession.getActiveSession()
    if there is not None:
        yield there
        return
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise InputError("--spark needs Java 17 or later, and there is none; install it, or set JAVA_HOME")
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_HOME", os.path.dirname(pyspark.__file__))  # noqa: PTH120
    with _told():
        session = SparkSession.builder.master(master).appName("weakcode scrub").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def _told() -> Iterator[None]:
    """Turn what Spark and the executors say into one sentence, without a value of any claim."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except WeakcodeError:
        raise
    except AnalysisException as error:
        raise InputError(f"Spark cannot read the claims: {_first_line(error)}") from None
    except (PySparkException, Py4JError) as error:
        raise InputError(f"Spark ended the job: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    # The last line of the traceback of a Python worker, where there is one, says what happened there.
    said = [(kind, text) for kind, text in _LAST_LINE.findall(str(error)) if not kind.endswith("Exception")]
    kind, text = said[-1] if said else ("", "")
    if kind == "ModuleNotFoundError" and "weakcode" in text:
        return "the executors have no weakcode; docs/spark.md says how to install it there"
    if kind and hasattr(sys.modules["weakcode.errors"], kind):
        return text
    condition = getattr(error, "getCondition", lambda: None)()
    return " ".join(filter(None, (condition, kind))) or type(error).__name__


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
