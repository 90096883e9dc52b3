"""The table of runs beside tables of findings: a row for each run, from its start to how it ended.

The row of a run that starts is visible at once, with the state `running`; the run holds a lock by which others tell
that it is alive. The next run that writes into the database marks the rows of runs that are dead.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.scrub.write.databases.names import TableName
from weakcode.scrub.write.runs.records import COMPLETED, KILLED, NOT_KEPT, RUNNING, TRIED_AGAIN, WHY_KILLED

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary

RUNS = "runs"
_TEXTS = (
    *("id", "started", "ended", "state", "why", "findings_table", "weakcode", "engine", "profile", "rules"),
    *("packs", "editions", "notes_editions"),
)
_NUMBER = "number"
_COUNTS = ("claims_in", "evaluated", "rejected", "clean", "waived", "findings")


def run_row(run: RunTime, table: TableName, summary: Summary | None = None) -> pa.RecordBatch:
    """Return the row of a run, which is running as long as there is no summary."""
    import pyarrow as pa

    kinds = [*((name, pa.string()) for name in _TEXTS), *((name, pa.int64()) for name in _COUNTS)]
    kinds += [("summary", pa.string()), (_NUMBER, pa.int64())]
    row: dict[str, Any] = {"id": run.id, "started": run.started, "findings_table": str(table), "state": RUNNING}
    if summary is not None:
        values = summary.to_dict()
        row |= {"ended": run.ended, "state": COMPLETED if summary.is_kept else NOT_KEPT}
        row |= {name: values[name] for name in ("weakcode", "engine", "profile", "rules", *_COUNTS)}
        row |= {name: ", ".join(values[name]) for name in ("packs", "editions", "notes_editions")}
        row["summary"] = json.dumps(values, ensure_ascii=False)
    return pa.RecordBatch.from_pylist([row], schema=pa.schema(kinds))


def started(table: TableName, run: RunTime, temporary: str, dead: str) -> list[str]:
    """Return the statements that note, beside a table, a run that starts, whose row waits in a temporary table.

    `dead` is a condition on rows that are running: whether their run is dead. A run that is tried again keeps the row
    of the attempt that completed until it has ended: its findings stand.
    """
    of_run = _of(run, table)
    runs = runs_beside(table)
    return [
        _ended(runs, KILLED, WHY_KILLED, f"state = '{RUNNING}' AND {dead}"),
        f"DELETE FROM {runs.quoted} WHERE {of_run} AND coalesce(state, '{COMPLETED}') <> '{COMPLETED}'",  # noqa: S608
        f"UPDATE {runs.quoted} SET state = '{RUNNING}' WHERE {of_run}",  # noqa: S608
        _inserted(runs, temporary, f" WHERE NOT EXISTS (SELECT 1 FROM {runs.quoted} WHERE {of_run})"),  # noqa: S608
    ]


def numbered(table: TableName, run: RunTime) -> str:
    """Return the statement that numbers the runs whose findings were kept, in the order in which they wrote."""
    runs = runs_beside(table).quoted
    last = f"SELECT coalesce(max({_NUMBER}), 0) FROM {runs} WHERE findings_table = '{table}'"  # noqa: S608
    return f"UPDATE {runs} SET {_NUMBER} = 1 + ({last}) WHERE {_of(run, table)}"  # noqa: S608


def last_written(table: TableName) -> str:
    """Return the query for the run that wrote into a table last: its number and its id."""
    of = f"findings_table = '{table}' AND {_NUMBER} IS NOT NULL"
    return f"SELECT {_NUMBER}, id FROM {runs_beside(table).quoted} WHERE {of} ORDER BY {_NUMBER} DESC"  # noqa: S608


def failed(table: TableName, run: RunTime, state: str, why: str) -> str:
    """Return the statement that says how a run ended that did not complete."""
    return _ended(runs_beside(table), state, why, _of(run, table), run.ending().ended)


def _of(run: RunTime, table: TableName) -> str:
    # An id is letters, digits and . _ : + -.
    return f"id = '{run.id}' AND findings_table = '{table}'"


def _ended(runs: TableName, state: str, why: str, which: str, ended: str = "") -> str:
    # Where there is a summary, an earlier attempt completed, and what it wrote stands.
    earlier = f"{state}: {TRIED_AGAIN}{f' ({why})' if state != KILLED else ''}"
    values = {
        "state": f"CASE WHEN summary IS NULL THEN {_quoted(state)} ELSE '{COMPLETED}' END",
        "why": f"CASE WHEN summary IS NULL THEN {_quoted(why)} ELSE {_quoted(earlier)} END",
        **({"ended": f"CASE WHEN summary IS NULL THEN {_quoted(ended)} ELSE ended END"} if ended else {}),
    }
    assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
    return f"UPDATE {runs.quoted} SET {assignments} WHERE {which}"  # noqa: S608


def _inserted(runs: TableName, temporary: str, where: str) -> str:
    names = ", ".join(f'"{name}"' for name in (*_TEXTS, *_COUNTS, "summary"))
    return f"INSERT INTO {runs.quoted} ({names}) SELECT {names} FROM {temporary}{where}"  # noqa: S608


def _quoted(text: str) -> str:
    """Return a text as SQL has it, whether or not the database knows backslashes."""
    plain = text.replace("\\", "/").replace("'", "''").replace("\0", "")
    return f"'{plain}'"


def runs_beside(table: TableName) -> TableName:
    """Return the table of the runs that write into a table."""
    return attrs.evolve(table, table=RUNS)
