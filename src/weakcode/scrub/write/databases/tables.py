"""Findings into a table of a database, in one transaction: a run that is repeated leaves one copy of each finding.

The findings and the ids of the claims that were judged wait in temporary tables. When the run has ended well, the
findings of these claims take the place of those that the claims had, and the run itself is noted in the table `runs`.
Rejected rows go into a table of their own, where one is asked for. Nobody sees any of it before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weakcode.errors import InputError
from weakcode.scrub.schema import conformed, findings_schema
from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.databases.runs import RUNS, failed, last_written, numbered, run_row, runs_beside, started
from weakcode.scrub.write.rejects import reject_row, rejects_batch
from weakcode.scrub.write.sinks import Placing, Sink, column_of
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.read.rows import Rejected
    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary

FOUND, JUDGED, STARTED, RUN, REFUSED, READ = (
    "weakcode_found",
    "weakcode_judged",
    "weakcode_started",
    "weakcode_run",
    "weakcode_refused",
    "weakcode_read",
)
"""Temporary tables."""
_TEMPORARY = (FOUND, JUDGED, STARTED, RUN, REFUSED, READ)
_CONTENTS = {FOUND: "findings", **dict.fromkeys((STARTED, RUN), "records of runs"), REFUSED: "rejected rows"}
_NEEDED = {
    FOUND: ("claim_id", "rule", "severity", "message", "codes", "positions"),
    **dict.fromkeys((STARTED, RUN), ("id", "started", "ended", "claims_in", "evaluated", "rejected")),
    REFUSED: ("claim_id", "file", "line", "reason"),
}
"""What a table that is there must have to be taken for one of findings, runs or rejected rows."""
_INDEXED = {FOUND: "claim_id", STARTED: "id", RUN: "id", REFUSED: "claim_id"}
_MOST_WAITING = 16_384
"""Rejected rows that wait to be put into the database together."""


class Database(ABC):
    """A database with a transaction open. Its methods raise InputError in a sentence.

    Those that keep runs apart do nothing where the database does that itself, or cannot.
    """

    @abstractmethod
    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        """Add rows to a temporary table, which is made where it is not there."""

    @abstractmethod
    def columns(self, table: TableName) -> dict[str, str]:
        """Return the columns of a table with their types; none where there is no such table."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Run a statement."""

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""

    def found(self, table: TableName) -> tuple[TableName, bool]:
        """Return a table under the one name that the database has for it, and whether it is known to be a view."""
        return table, False

    def lock(self, table: TableName) -> None:
        """Keep other runs from writing into the table before this one has ended."""
        return

    def index(self, table: TableName, column: str) -> None:
        """Make a new table quick to search by a column, where that is worth it."""
        return

    def hold(self, table: TableName, run_id: str) -> None:
        """Let others tell that a run is alive that writes into a table. Raises InputError where one of its id is."""
        return

    @property
    @abstractmethod
    def dead(self) -> str:
        """A condition on the rows of runs that are running: whether their run is dead, as far as is known."""

    def alone(self, table: TableName) -> None:
        """Keep others from making the table before this transaction has ended."""
        return

    def begin(self) -> None:
        """Open another transaction, where none is open by itself."""
        return

    @abstractmethod
    def commit(self) -> None:
        """Make everything visible at once."""

    @abstractmethod
    def rollback(self) -> None:
        """Leave everything as it was before the transaction."""

    @abstractmethod
    def close(self) -> None:
        """Leave everything as it was, and let go of the database."""


class TableSink(Sink):
    """Writes the findings of a run into a table. Raises InputError where that cannot be done.

    The table is made where it is not there; one of an older version gets the columns that it has not. Each row says
    `judged_by`, in columns of these names, and the run in `run_id`. `placing` says what becomes of what is there:
    `upsert` replaces the findings of the claims that were judged, `run` those of a run of the same id, `partition`
    those of the partitions that the run has findings of, `append` adds, `replace` leaves nothing. `rejects` is the
    table of the rejected rows.
    """

    def __init__(
        self,
        database: Database,
        table: TableName,
        judged_by: Mapping[str, str | list[str]] | None = None,
        placing: Placing | None = None,
        rejects: TableName | None = None,
    ) -> None:
        self._database = database
        self._placing = placing or Placing()
        self._judged_by = judged_by or {}
        self._run_id = ""
        self._is_open = False
        self._refused: list[dict[str, Any]] = []
        try:
            self._table = self._fit(table, FOUND)
            self._rejects = None if rejects is None else self._fit(rejects, REFUSED)
            if self._rejects == self._table:
                raise InputError(f"the table {table} is named for findings and for rejected rows; give each its own")
            self._rehearse()
            self._put_nothing()
        except BaseException:
            database.close()
            raise
        # The findings of claims that are not judged stay.
        self.takes_changes = str(self._table) if self._placing.mode == "upsert" else None

    def _put_nothing(self) -> None:
        """Make the temporary tables that have rows only where there are findings, or claims that were judged."""
        self._put(FOUND, self._rows(_empty()))
        self._put(JUDGED, _texts("claim_id", []))

    def _rehearse(self) -> None:
        """Do without rows what `end` does, so that what the database refuses shows before any claim is read."""
        self._put_nothing()
        self._database.alone(runs_beside(self._table))
        for table, temporary in ((self._table, FOUND), (self._rejects, REFUSED)):
            if table is not None:
                if temporary == REFUSED:
                    self._put_refused()
                self._make_ready(table, temporary)
                self._delete(table, "claim_id", JUDGED, only="1 = 0")
                self._insert(table, temporary)
        self._database.rollback()
        self._database.begin()

    def _fit(self, table: TableName, temporary: str) -> TableName:
        """Return the name of a table that can have what a temporary one has. Raises InputError for another."""
        table, is_view = self._database.found(table)
        if table.table.lower() in (*_TEMPORARY, RUNS):
            whose = "the runs, beside the findings" if table.table.lower() == RUNS else "what waits to be written"
            raise InputError(f"{table} is the table of {whose}; give the {_CONTENTS[temporary]} another one")
        if is_view:
            raise InputError(f"{table} is a view; give the table that findings are to be written into")
        self._check_columns(table, temporary, self._database.columns(table))
        return table

    def started(self, run: RunTime) -> None:
        """Note that a run is under way, for all to see."""
        database, runs = self._database, runs_beside(self._table)
        self._run_id = run.id
        try:
            database.hold(self._table, run.id)
            database.alone(runs)
            self._put(STARTED, run_row(run, self._table))
            self._make_ready(runs, STARTED)
            for statement in started(self._table, run, STARTED, database.dead):
                database.execute(statement)
            database.commit()
            database.begin()
        except BaseException:
            database.close()
            raise
        self._is_open = True

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Note that the run did not complete, and why."""
        if not self._is_open:
            return
        try:
            self._database.rollback()
            self._database.begin()
            self._database.execute(failed(self._table, run, state, why))
            self._database.commit()
        finally:
            self._close()

    def _close(self) -> None:
        self._is_open = False
        self._database.close()

    def last_written(self) -> str:
        """Return which run wrote into the table last, and as which of its runs."""
        rows = self._database.rows(last_written(self._table))
        return " ".join(map(str, rows[0])) if rows else ""

    def judged(self, claim_ids: Iterable[str | None]) -> None:
        ids = {one for one in claim_ids if one}
        if ids and self._placing.mode == "upsert":
            self._put(JUDGED, _texts("claim_id", sorted(ids)))

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the findings of one batch; nobody sees them before `finish`."""
        self._put(FOUND, self._rows(batch))

    def rejected(self, rejected: Rejected) -> None:
        """Write a rejected row, where there is a table for them."""
        if self._rejects is not None:
            self._refused.append(reject_row(rejected))
            if len(self._refused) >= _MOST_WAITING:
                self._put_refused()

    def _put_refused(self) -> None:
        rows = rejects_batch(self._refused)
        self._refused.clear()
        import pyarrow as pa

        self._put(REFUSED, rows.append_column("run_id", pa.array([self._run_id] * len(rows), pa.string())))

    def end(self, summary: Summary) -> None:
        """Make everything that was written visible at once, with the record of the run.

        Of a run that is not kept, the record alone.
        """
        assert summary.run is not None
        self._put(RUN, run_row(summary.run, self._table, summary))
        runs = runs_beside(self._table)
        self._database.alone(runs)
        self._make_ready(runs, RUN)
        of_run = f"id IN (SELECT id FROM {RUN}) AND findings_table = '{self._table}'"  # noqa: S608
        self._database.execute(f"DELETE FROM {runs.quoted} WHERE {of_run}")  # noqa: S608
        self._insert(runs, RUN)
        if summary.is_kept:
            self._make_ready(self._table, FOUND)
            self._clear(self._table)
            self._insert(self._table, FOUND)
            self._database.execute(numbered(self._table, summary.run))
            self.wrote = self.last_written()
        if self._rejects is not None:
            self._put_refused()
            self._put(READ, _texts("file", [one.path for one in summary.inputs]))
            self._make_ready(self._rejects, REFUSED)
            self._clear_rejects(self._rejects)
            self._insert(self._rejects, REFUSED)
        self._database.commit()
        self._close()
        if summary.is_kept:
            WRITTEN.append(f"the table {self._table}")

    def _clear(self, table: TableName) -> None:
        """Remove what the findings of this run take the place of."""
        mode = self._placing.mode
        if mode == "replace":
            self._database.execute(f"DELETE FROM {table.quoted}")  # noqa: S608
        if mode == "upsert":
            self._delete(table, "claim_id", JUDGED)
            self._delete(table, "finding_id", FOUND)
        if mode == "run":
            self._delete(table, "run_id", RUN, "id")
        if mode == "partition":
            self._delete(table, _partition(self._placing.partition_by), FOUND)

    def _clear_rejects(self, table: TableName) -> None:
        """Remove the rejected rows of this run, of claims that it met and, without an id, of files that it read."""
        if self._placing.mode == "replace":
            self._database.execute(f"DELETE FROM {table.quoted}")  # noqa: S608
        self._delete(table, "run_id", RUN, "id")
        if self._placing.mode == "upsert":
            self._delete(table, "claim_id", JUDGED)
            self._delete(table, "claim_id", REFUSED)
            self._delete(table, "CASE WHEN claim_id IS NULL THEN file END", READ, "file")

    def _delete(
        self, table: TableName, what: str, temporary: str, of: str | None = None, *, only: str = "1 = 1"
    ) -> None:
        self._database.execute(
            f"DELETE FROM {table.quoted} WHERE {only} AND {what} IN (SELECT {of or what} FROM {temporary})"  # noqa: S608
        )

    def _insert(self, table: TableName, temporary: str) -> None:
        names = ", ".join(f'"{name}"' for name in self._database.columns(TableName(temporary)))
        self._database.execute(f"INSERT INTO {table.quoted} ({names}) SELECT {names} FROM {temporary}")  # noqa: S608

    def _make_ready(self, table: TableName, temporary: str) -> None:
        """Make a table with the columns of a temporary one, or give it those that it has not."""
        columns = self._database.columns(table)
        if not columns:
            self._database.execute(f"CREATE TABLE {table.quoted} AS SELECT * FROM {temporary} WHERE false")  # noqa: S608
            self._database.index(table, _INDEXED[temporary])
        self._check_columns(table, temporary, columns)
        for name, kind in self._database.columns(TableName(temporary)).items():
            if columns and name not in columns:
                self._database.execute(f'ALTER TABLE {table.quoted} ADD COLUMN "{name}" {kind}')
        self._database.lock(table)

    def _check_columns(self, table: TableName, temporary: str, columns: Mapping[str, str]) -> None:
        missing = [name for name in _NEEDED[temporary] if columns and name not in columns]
        if missing:
            what = _CONTENTS[temporary]
            raise InputError(
                f"the {what} cannot be written to {table}: the table is there with other columns, without "
                f"{', '.join(missing)}; give the {what} a table of their own"
            )

    def _put(self, temporary: str, rows: pa.RecordBatch) -> None:
        self._database.put(temporary, rows)

    def _rows(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        # With all columns of findings, and without dictionaries, which databases do not know.
        rows = conformed(batch).cast(findings_schema())
        for name, value in (*self._judged_by.items(), ("run_id", self._run_id)):
            kind = pa.string() if isinstance(value, str) else pa.list_(pa.string())
            rows = rows.append_column(name, pa.array([value] * len(rows), kind))
        return rows


def _texts(name: str, texts: list[str]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array(texts, pa.string())], names=[name])


def _partition(names: Sequence[str]) -> str:
    """Return the partition of a finding as SQL that all databases know: its values as one text."""
    values = []
    for name in names:
        text = f"CAST({column_of(name)} AS VARCHAR(1000))"
        text = f"substr({text}, 1, 7)" if name == "month" else text
        # What parts them stands in no value; nor does what stands for none.
        values.append(f"coalesce({text}, '\x1e')")
    return " || '\x1f' || ".join(values)


def _empty() -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=findings_schema())
