"""Findings into a table of a database, in one transaction: a run that is repeated leaves one copy of each finding.

The findings and the ids of the claims that were judged wait in temporary tables. When the run has ended well, the
findings of these claims take the place of those that the claims had, and the run itself is noted in the table `runs`.
Nobody sees any of it before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import attrs

from weakcode.errors import InputError
from weakcode.scrub.schema import conformed, findings_schema
from weakcode.scrub.written import WRITTEN

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.summary import Summary

_TABLE = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)")
MODES = ("upsert", "append", "replace")
FOUND, JUDGED, RUN = "weakcode_found", "weakcode_judged", "weakcode_run"
"""Temporary tables."""
RUNS = "runs"
_NEEDED = {
    FOUND: ("claim_id", "rule", "severity", "message", "codes", "positions"),
    RUN: ("id", "started", "ended", "claims_in", "evaluated", "rejected"),
}
"""What an older table must have to be taken for one of findings, or of runs."""


@attrs.frozen
class TableName:
    """The name of a table, with its schema where one is given."""

    table: str
    schema: str | None = None

    @classmethod
    def of(cls, text: str) -> TableName:
        """Read `findings` or `billing.findings`; raises InputError for what is no name."""
        match = _TABLE.fullmatch(text)
        if not match:
            raise InputError(f"--into {text!r} is not the name of a table, such as findings or billing.findings")
        return cls(match[2], match[1])

    @property
    def quoted(self) -> str:
        """As SQL has it."""
        return ".".join(f'"{part}"' for part in (self.schema, self.table) if part)

    def __str__(self) -> str:
        return ".".join(part for part in (self.schema, self.table) if part)


class Database(Protocol):
    """A database with a transaction open. Its methods raise InputError in a sentence."""

    def put(self, temporary: str, rows: pa.RecordBatch) -> None:
        """Add rows to a temporary table, which is made where it is not there."""
        ...

    def columns(self, table: TableName) -> dict[str, str]:
        """Return the columns of a table with their types; none where there is no such table."""
        ...

    def execute(self, statement: str) -> None:
        """Run a statement."""
        ...

    def lock(self, table: TableName) -> None:
        """Keep other runs from writing into the table before this one has ended."""
        ...

    def index(self, table: TableName, column: str) -> None:
        """Make a new table quick to search by a column, where that is worth it."""
        ...

    def commit(self) -> None:
        """Make everything visible at once, and let go of the database."""
        ...

    def close(self) -> None:
        """Leave everything as it was, and let go of the database; after `commit` this does nothing."""
        ...


class TableSink:
    """Writes the findings of a run into a table. Raises InputError where that cannot be done.

    The table is made where it is not there; one of an older version gets the columns that it has not. Each row says
    `judged_by`, in columns of these names, and the run in `run_id`. `mode` is one of `MODES`: `upsert` replaces the
    findings of the claims that were judged, `append` adds to what is there, `replace` leaves nothing of it.
    """

    def __init__(
        self,
        database: Database,
        table: TableName,
        judged_by: Mapping[str, str | list[str]] | None = None,
        mode: str = "upsert",
    ) -> None:
        self._database, self._table, self._mode = database, table, mode
        self._judged_by = judged_by or {}
        self._run_id = ""
        self._put(FOUND, self._rows(_empty()))
        self._put(JUDGED, _ids([]))

    def begin(self, run_id: str) -> None:
        """Take down which run it is, before anything is written."""
        self._run_id = run_id

    def judged(self, claim_ids: Iterable[str | None]) -> None:
        """Take down claims that were judged."""
        given = {one for one in claim_ids if one}
        if given and self._mode == "upsert":
            self._put(JUDGED, _ids(sorted(given)))

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the findings of one batch; nobody sees them before `finish`."""
        self._put(FOUND, self._rows(batch))

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Findings come into their place with `end`, which knows the counts."""

    def end(self, summary: Summary) -> None:
        """Make everything that was written visible at once, with the record of the run.

        Of a run that is not kept, the record alone.
        """
        self._put(RUN, _run_row(summary, self._table))
        runs = attrs.evolve(self._table, table=RUNS)
        self._make_ready(runs, RUN)
        self._database.execute(f"DELETE FROM {runs.quoted} WHERE id IN (SELECT id FROM {RUN})")  # noqa: S608
        self._insert(runs, RUN)
        if summary.is_kept:
            self._make_ready(self._table, FOUND)
            self._clear()
            self._insert(self._table, FOUND)
        self._database.commit()
        if summary.is_kept:
            WRITTEN.append(f"the table {self._table}")

    def _clear(self) -> None:
        """Remove what the findings of this run take the place of."""
        table = self._table.quoted
        if self._mode == "replace":
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608
        if self._mode == "upsert":
            for column, temporary in (("claim_id", JUDGED), ("finding_id", FOUND)):
                self._database.execute(
                    f"DELETE FROM {table} WHERE {column} IN (SELECT {column} FROM {temporary})"  # noqa: S608
                )

    def _insert(self, table: TableName, temporary: str) -> None:
        names = ", ".join(f'"{name}"' for name in self._database.columns(TableName(temporary)))
        self._database.execute(f"INSERT INTO {table.quoted} ({names}) SELECT {names} FROM {temporary}")  # noqa: S608

    def abandon(self) -> None:
        """Leave the table as it was; after `end` this does nothing."""
        self._database.close()

    def _make_ready(self, table: TableName, temporary: str) -> None:
        """Make a table with the columns of a temporary one, or give it those that it has not."""
        there = self._database.columns(table)
        if not there:
            self._database.execute(f"CREATE TABLE {table.quoted} AS SELECT * FROM {temporary} WHERE false")  # noqa: S608
            self._database.index(table, "claim_id" if temporary == FOUND else "id")
        missing = [name for name in _NEEDED[temporary] if there and name not in there]
        if missing:
            raise InputError(
                f"the findings cannot be written to {self._table}: the table {table} is there with other columns, "
                f"without {', '.join(missing)}; give the findings a table of their own"
            )
        for name, kind in self._database.columns(TableName(temporary)).items():
            if there and name not in there:
                self._database.execute(f'ALTER TABLE {table.quoted} ADD COLUMN "{name}" {kind}')
        self._database.lock(table)

    def _put(self, temporary: str, rows: pa.RecordBatch) -> None:
        self._database.put(temporary, rows)

    def _rows(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa

        rows = _plain(batch)
        for name, value in (*self._judged_by.items(), ("run_id", self._run_id)):
            kind = pa.string() if isinstance(value, str) else pa.list_(pa.string())
            rows = rows.append_column(name, pa.array([value] * len(rows), kind))
        return rows


def _run_row(summary: Summary, table: TableName) -> pa.RecordBatch:
    import pyarrow as pa

    run, values = summary.run, summary.to_dict()
    assert run is not None
    row = {
        "id": run.id,
        "started": run.started,
        "ended": run.ended,
        "findings_table": str(table),
        **{name: values[name] for name in ("weakcode", "engine", "profile", "rules")},
        **{name: ", ".join(values[name]) for name in ("packs", "editions", "notes_editions")},
        **{name: values[name] for name in ("claims_in", "evaluated", "rejected", "clean", "waived", "findings")},
        "summary": json.dumps(values, ensure_ascii=False),
    }
    kinds = [(name, pa.string() if isinstance(value, str) else pa.int64()) for name, value in row.items()]
    return pa.RecordBatch.from_pylist([row], schema=pa.schema(kinds))


def _ids(claim_ids: list[str]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_arrays([pa.array(claim_ids, pa.string())], names=["claim_id"])


def _empty() -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=findings_schema())


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the batch with all columns of findings and without dictionaries, which databases do not know."""
    return conformed(batch).cast(findings_schema())
