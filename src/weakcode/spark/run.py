"""A scrub on a Spark cluster from the command line: Parquet in, a folder of Parquet files out.

The claims are evaluated once, by executors that read and write files themselves (`files`), or, where only Spark knows
the addresses, as a DataFrame. What became of them is written beside the output under a passing name; when all of it is
there, the folder of the findings is renamed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode import spark
from weakcode.errors import InputError, WeakcodeError, first_line
from weakcode.scrub.read.rows import Rejected
from weakcode.scrub.runs import RunTime
from weakcode.scrub.watching import Watcher, watched
from weakcode.scrub.write.files import Outputs, checked_output
from weakcode.scrub.write.rejects import REJECTS_EXTENSIONS, RejectsWriter
from weakcode.scrub.write.runs.metrics import METRICS_EXTENSIONS, openmetrics
from weakcode.scrub.written import WRITTEN
from weakcode.spark import files
from weakcode.spark.worker import shipped

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
    names = [name for group in asked for name, value in group.items() if value]
    if names:
        raise InputError(
            f"--spark cannot go with {' and '.join(names)}; it reads Parquet files and writes a folder of them"
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
    watchers: Sequence[Watcher] = (),
    metrics: str | None = None,
    mapping: Mapping[str, str] | None = None,
) -> Summary:
    """Evaluate the claims of Parquet files and folders on a Spark master, and return the summary.

    Executors read files at plain paths and write findings themselves. Inputs and `output` may also have an address of
    a file system that Spark knows, such as ``s3a://``, and then go through its DataFrames. `output` must not be
    there yet, unless an earlier attempt of the same `run_id` wrote it, which is replaced; it becomes a folder, and its
    file `_weakcode.json` holds the summary. `rejects`,
    `summary` (JSON) and `metrics` (OpenMetrics) are files of this machine. `mapping` says which columns of
    files at plain paths hold what, by the names of --map. With `hash_key`, claim ids are hashed by the executors.
    `watchers` hear of the run. Raises InputError for inputs and outputs that cannot be, and when Spark ends the job.
    """
    started, record = time.perf_counter(), RunTime.starting(run_id)
    if not inputs or output is None:
        raise InputError("--spark needs Parquet files or folders to read, and -o NAME.parquet to write")
    aside = None if rejects is None else checked_output(rejects, REJECTS_EXTENSIONS)
    summary_path = None if summary is None else checked_output(summary, (".json",))
    metrics_path = None if metrics is None else checked_output(metrics, METRICS_EXTENSIONS)
    if Path(output).suffix.lower() != ".parquet":
        raise InputError(f"{output} cannot be: --spark writes a folder of Parquet files; give it a name in .parquet")
    plain = [_plain_path(name) for name in (*inputs, output)]
    with (
        watched(record, watchers) as watched_run,
        _session(master) as session,
        _input_errors(),
        Outputs() as outputs,
    ):
        asked = _Asked(
            session,
            validator,
            aside,
            summary_path,
            metrics_path,
            mapping,
            hash_key,
            outputs,
            run_id,
            lambda counted: attrs.evolve(counted, run=record.ending(), seconds=time.perf_counter() - started).gated(
                *gates
            ),
        )
        if any(name is None for name in plain):
            result = _through_spark(asked, inputs, output)
        else:
            *paths, target = [name for name in plain if name is not None]
            result = _by_executors(asked, paths, Path(target), output)
        watched_run.completing(result)
        watched_run.completed(result)
    return result


@attrs.frozen(eq=False)
class _Asked:
    """What is asked of a scrub, whichever way it goes; `run_id` as it was given, and `ended` completes the counts."""

    session: SparkSession
    validator: Validator
    rejects: Path | None
    summary: Path | None
    metrics: Path | None
    mapping: Mapping[str, str] | None
    hash_key: bytes | None = attrs.field(repr=False)
    outputs: Outputs
    run_id: str | None
    ended: Callable[[Summary], Summary]

    def wrote(self, summary: bytes) -> bool:
        """Tell whether a run of this id wrote a summary that stands beside findings."""
        import json

        try:
            return self.run_id is not None and json.loads(summary)["summary"]["run"]["id"] == self.run_id
        except (ValueError, TypeError, KeyError):
            return False

    def tell(self, result: Summary, write_rejects: Callable[[RejectsWriter], None]) -> None:
        """Write what stands beside the findings."""
        if self.rejects is not None:
            write_rejects(RejectsWriter(self.rejects, self.outputs.open(self.rejects)))
        if self.summary is not None:
            self.outputs.write(self.summary, result.to_json().encode() + b"\n")
        if self.metrics is not None:
            self.outputs.write(self.metrics, openmetrics(result).encode())
        self.outputs.flush()


def _by_executors(asked: _Asked, inputs: Sequence[str], target: Path, output: str) -> Summary:
    """Scrub files that executors read and write themselves."""
    replaces = (target / SUMMARY_FILE).is_file() and asked.wrote((target / SUMMARY_FILE).read_bytes())
    with files.staged(target, replaces=replaces) as folder:
        rules = shipped(asked.session, asked.validator)
        counted, rejected = files.scrub_on_executors(
            asked.session,
            inputs,
            rules,
            folder,
            keeps_rejects=asked.rejects is not None,
            hash_key=asked.hash_key,
            mapping=asked.mapping,
        )
        result = asked.ended(counted)
        asked.tell(result, lambda writer: files.write_rejects(rejected, writer))
        if result.is_kept:
            files.finish(folder, {SUMMARY_FILE: _to_json(result), "_SUCCESS": b""}, result.metadata())
            files.commit(folder, target, replaces=replaces)
            WRITTEN.append(output)
        asked.outputs.commit()
    return result


def _through_spark(asked: _Asked, inputs: Sequence[str], output: str) -> Summary:
    """Scrub files at addresses that only Spark knows: Java reads them, hands them over, and writes."""
    session = asked.session
    target = _Folder(session, output)
    replaces = target.exists() and asked.wrote(target.read(SUMMARY_FILE))
    if not replaces:
        target.must_be_new()
    staged = _Folder(session, f"{target.address}.{uuid.uuid4().hex[:12]}.partial")
    try:
        # Three files are open at a time, instead of sorting all findings by their kind.
        session.conf.set("spark.sql.maxConcurrentOutputFileWriters", "3")
        became = spark.outcomes(_claims(session, inputs), asked.validator, asked.hash_key, mapping=asked.mapping)
        became.write.partitionBy("kind").option("compression", "zstd").parquet(staged.address)
        became = session.read.schema(became.schema).parquet(staged.address)
        result = asked.ended(spark.summary(became))
        asked.tell(result, lambda writer: _write_rejects(became, writer))
        if result.is_kept:
            found = _Folder(session, f"{staged.address}/kind={spark.FINDING}")
            if not found.exists():
                spark.findings(became).coalesce(1).write.parquet(found.address)
            found.write(SUMMARY_FILE, _to_json(result))
            found.write("_SUCCESS", b"")
            if replaces:
                target.rename(_Folder(session, f"{staged.address}/before"))
            found.rename(target)
            WRITTEN.append(output)
        asked.outputs.commit()
    finally:
        staged.remove()
    return result


def _plain_path(name: str) -> str | None:
    """Return the path of a file of this machine, or of a disk that all machines share; None for other addresses."""
    if name.startswith("file:"):
        return os.path.abspath("/" + name.removeprefix("file:").lstrip("/"))  # noqa: PTH100 - patterns are no paths
    return None if _SCHEME.match(name) else os.path.abspath(name)  # noqa: PTH100


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

    def read(self, name: str) -> bytes:
        """Return what a small file holds; nothing where there is none."""
        path, files = self._java(name)
        if not files.exists(path):
            return b""
        stream, jvm = files.open(path), self._session.sparkContext._jvm
        assert jvm is not None
        try:
            return str(jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")).encode()
        finally:
            stream.close()

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
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise InputError("--spark needs Java 17 or later, and there is none; install it, or set JAVA_HOME")
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        os.environ.setdefault("SPARK_HOME", os.path.dirname(pyspark.__file__))  # noqa: PTH120
    with _input_errors():
        session = SparkSession.builder.master(master).appName("weakcode scrub").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def _input_errors() -> Iterator[None]:
    """Turn what Spark and the executors say into one sentence, without a value of any claim."""
    from py4j.protocol import Py4JError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except WeakcodeError:
        raise
    except AnalysisException as error:
        raise InputError(f"Spark cannot read the claims: {first_line(error)}") from None
    except (PySparkException, Py4JError) as error:
        raise InputError(f"Spark ended the job: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    # The last line of the traceback of a Python worker, where there is one, says what happened there.
    messages = [(kind, text) for kind, text in _LAST_LINE.findall(str(error)) if not kind.endswith("Exception")]
    kind, text = messages[-1] if messages else ("", "")
    if kind == "ModuleNotFoundError" and "weakcode" in text:
        return "the executors have no weakcode; docs/spark.md says how to install it there"
    if kind and hasattr(sys.modules["weakcode.errors"], kind):
        return text
    condition = getattr(error, "getCondition", lambda: None)()
    return " ".join(filter(None, (condition, kind))) or type(error).__name__
