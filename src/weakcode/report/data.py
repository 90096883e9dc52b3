"""Findings files counted for a report, in DuckDB: memory holds what is shown, not what is read."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs

from weakcode.codes.normalise import shown
from weakcode.errors import InputError
from weakcode.findings import CONFIDENCES
from weakcode.report.claimsource import open_claims_tables
from weakcode.report.model import (
    CodesFound,
    FindingRow,
    PairCount,
    ReportData,
    ReportedRun,
    RuleCount,
    Severities,
    Slice,
    shown_message,
    shown_place,
)
from weakcode.report.source import files_of, open_findings
from weakcode.report.worklist import WorkListFile, work_claims
from weakcode.scrub.write.pseudonyms import hashed_id

_MEMORY = "600MB"
_NO_ROOM = "there is not enough memory or room for temporary files to count these findings; TMPDIR says where they go"
_PAIRS = 25
_COMMON = 5
_PAYERS = 24
_BY_SEVERITY = ", ".join(f"count(*) FILTER (severity = '{name}') AS {name}" for name in ("error", "warning", "info"))
_SUMS = "sum(error)::BIGINT, sum(warning)::BIGINT, sum(info)::BIGINT"


def read_report_data(
    findings: Sequence[str | os.PathLike[str]],
    claims: Sequence[str] = (),
    *,
    rows: int = 2_000,
    work: int = 0,
    hash_key: bytes | None = None,
    work_list: WorkListFile | None = None,
) -> ReportData:
    """Count the findings of the files of one run, beside the claims files that they came from where those are given.

    At most `rows` findings are kept for the table, of every rule some, and `work` claims for the work list, the worst
    first; `work_list` is written with all. With `hash_key`, claim ids are replaced by `hashed_id`. Raises InputError
    for files that are not there or hold something else.
    """
    files = files_of([os.fspath(path) for path in findings])
    with input_errors(files), database() as connection:
        run = open_findings(connection, files)
        # A folder is one findings file of many parts; its parts' names say nothing.
        named = tuple(dict.fromkeys(Path(file).resolve().name for file in findings))
        data = _counted(connection, named, run, claims, rows, hash_key)
        listed = work_claims(connection, work, max(rows, 1), hash_key)
        if work_list is not None:
            work_list.write(connection, hash_key)
        return attrs.evolve(data, work=listed)


@contextmanager
def database() -> Iterator[Any]:
    """Open a database in a temporary folder, so that counting may take more than there is memory."""
    import duckdb

    with (
        tempfile.TemporaryDirectory(prefix="weakcode-report-", ignore_cleanup_errors=True) as folder,
        closing(
            duckdb.connect(str(Path(folder) / "report.duckdb"), config={"autoinstall_known_extensions": False})
        ) as connection,
    ):
        connection.execute(f"SET memory_limit = '{_MEMORY}'")
        connection.execute("SET enable_progress_bar = false")
        yield connection


@contextmanager
def room_for(target: Path) -> Iterator[None]:
    """Say in a sentence that a temporary file cannot be written."""
    try:
        yield
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else "it cannot be written"
        raise InputError(
            f"the findings need a temporary file in {target.parent.parent}: {why}; TMPDIR names another folder"
        ) from None


@contextmanager
def input_errors(files: Sequence[Path]) -> Iterator[None]:
    """Turn what DuckDB says into one sentence. It quotes values, which do not belong into messages."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise InputError(_NO_ROOM) from None
    except (duckdb.Error, OSError) as error:
        if os.strerror(errno.ENOSPC) in str(error):
            raise InputError(_NO_ROOM) from None
        if not isinstance(error, duckdb.InvalidInputException | duckdb.ConversionException | duckdb.IOException):
            raise
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Exception")).lower()
        named = ", ".join(str(path) for path in files[:3])
        raise InputError(
            f"{named} cannot be read as findings ({kind} error); give what weakcode scrub -o wrote"
        ) from None


def _counted(
    connection: Any, files: tuple[str, ...], run: ReportedRun, claims: Sequence[str], rows: int, hash_key: bytes | None
) -> ReportData:
    connection.execute(
        # A claim without id is identified by its place.
        "CREATE VIEW keyed AS SELECT *, CASE WHEN claim_id IS NULL THEN coalesce(file, '') || ':' || "
        "coalesce(line, row) END AS key FROM findings"
    )
    connection.execute(f"CREATE TABLE flagged AS SELECT claim_id, key, {_BY_SEVERITY} FROM keyed GROUP BY ALL")  # noqa: S608
    flagged, *numbers = connection.execute(f"SELECT count(*), {_SUMS} FROM flagged").fetchone()  # noqa: S608
    by_severity = Severities(*(number or 0 for number in numbers))
    rules = _rules(connection)
    remarks: list[str] = []
    payers: tuple[Slice, ...] = ()
    months: tuple[Slice, ...] = ()
    total, clean = run.evaluated, run.clean
    if run.evaluated is not None and run.clean is not None:
        # Several claims may share an id; the scrub counted claims.
        flagged = run.evaluated - run.clean
    if claims:
        claim_tables, _ = open_claims_tables(connection, claims)
        connection.execute(
            "CREATE TABLE judged AS SELECT payer, month, coalesce(error, 0) AS error, coalesce(warning, 0) AS warning, "
            "coalesce(info, 0) AS info, flagged.claim_id IS NULL AS clean "
            "FROM claims LEFT JOIN flagged ON claims.claim_id = flagged.claim_id"
        )
        distinct, untouched = connection.execute("SELECT count(*), count(*) FILTER (clean) FROM judged").fetchone()
        if total is None or clean is None:
            total, clean = distinct, untouched
        payers, months = _payers(connection), _months(connection)
        remarks = _remarks(connection, run, claim_tables, distinct)
    return ReportData(
        files=files,
        run=run,
        findings=by_severity.total,
        by_severity=by_severity,
        flagged=flagged,
        claims=total,
        clean=clean,
        rules=rules,
        pairs=_pairs(connection),
        payers=payers,
        months=months,
        rows=_rows(connection, rules, rows, hash_key),
        risks=_risks(connection),
        confidences=_confidences(connection),
        remarks=tuple(remarks),
        hashed=hash_key is not None,
    )


def _rules(connection: Any) -> tuple[RuleCount, ...]:
    common: dict[str, list[CodesFound]] = {}
    for rule, codes, number, message in connection.execute(
        "SELECT rule, codes, count(*) AS number, min(message) FROM findings GROUP BY rule, codes "  # noqa: S608
        f"QUALIFY row_number() OVER (PARTITION BY rule ORDER BY count(*) DESC, codes) <= {_COMMON} "
        "ORDER BY rule, number DESC, codes"
    ).fetchall():
        known = tuple(codes or ())
        found = CodesFound(tuple(map(shown, known)), number, shown_message(message or "", known))
        common.setdefault(rule, []).append(found)
    counted = connection.execute(
        f"SELECT rule, {_BY_SEVERITY}, count(DISTINCT coalesce(claim_id, file || ':' || line)) AS claims, "  # noqa: S608
        "arg_min(sources, row) AS sources FROM findings GROUP BY rule ORDER BY count(*) DESC, rule"
    ).fetchall()
    return tuple(
        RuleCount(rule, Severities(*numbers), claims, tuple(common.get(rule, ())), tuple(sources or ()))
        for rule, *numbers, claims, sources in counted
    )


def _risks(connection: Any) -> tuple[tuple[str, int], ...]:
    found = connection.execute(
        "SELECT denial_risk, count(*) FROM findings WHERE coalesce(denial_risk, '') <> '' "
        "GROUP BY 1 ORDER BY list_position(['high', 'medium', 'low'], denial_risk), 1"
    ).fetchall()
    return tuple((risk, number) for risk, number in found)


def _confidences(connection: Any) -> tuple[tuple[str, int], ...]:
    found = dict(connection.execute("SELECT confidence, count(*) FROM findings GROUP BY 1").fetchall())
    return tuple((word, found[word]) for word in CONFIDENCES if word in found)


def _pairs(connection: Any) -> tuple[PairCount, ...]:
    found = connection.execute(
        "SELECT least(codes[1], codes[2]) AS one, greatest(codes[1], codes[2]) AS other, "  # noqa: S608
        f"{_BY_SEVERITY}, list_sort(list(DISTINCT rule)) FROM findings "
        "WHERE len(codes) = 2 AND codes[1] <> codes[2] GROUP BY one, other "
        f"ORDER BY count(*) DESC, one, other LIMIT {_PAIRS}"
    ).fetchall()
    return tuple(
        PairCount((shown(one), shown(other)), Severities(*numbers), tuple(rules))
        for one, other, *numbers, rules in found
    )


def _payers(connection: Any) -> tuple[Slice, ...]:
    """Return the payers with the most claims, then the others as one. Nothing where no claim names a payer."""
    found = _slices(connection, "payer", "claims DESC, payer")
    if not any(one.name for one in found):
        return ()
    shown, others = found[:_PAYERS], found[_PAYERS:]
    named = [attrs.evolve(one, name=one.name or "No payer given") for one in shown]
    if others:
        sums = Severities(*(sum(getattr(one.by_severity, name) for one in others) for name in _NAMES))
        claims, clean = sum(one.claims for one in others), sum(one.clean for one in others)
        named.append(Slice(f"{len(others):,} other payers", claims, clean, sums))
    return tuple(named)


_NAMES = [field.name for field in attrs.fields(Severities)]


def _months(connection: Any) -> tuple[Slice, ...]:
    found = _slices(connection, "strftime(month, '%Y-%m')", "1 NULLS LAST")
    if not any(one.name for one in found):
        return ()
    return tuple(attrs.evolve(one, name=one.name or "No date given") for one in found)


def _slices(connection: Any, by: str, order: str) -> list[Slice]:
    found = connection.execute(
        f"SELECT {by}, count(*) AS claims, count(*) FILTER (clean), {_SUMS} FROM judged "  # noqa: S608
        f"GROUP BY {by} ORDER BY {order}"
    ).fetchall()
    return [Slice(name or "", claims, clean, Severities(*numbers)) for name, claims, clean, *numbers in found]


def _remarks(connection: Any, run: ReportedRun, total: int, distinct: int) -> list[str]:
    """Return what does not fit between findings and claims."""
    remarks = []
    (strangers,) = connection.execute(
        "SELECT coalesce(sum(error + warning + info), 0)::BIGINT FROM flagged "
        "WHERE claim_id IS NULL OR claim_id NOT IN (SELECT claim_id FROM claims WHERE claim_id IS NOT NULL)"
    ).fetchone()
    if strangers:
        remarks.append(
            f"{strangers:,} findings are on claims that are not in the claims file; they are missing where payers and "
            "months are counted."
        )
    if distinct < total:
        remarks.append(
            f"{total - distinct:,} claims of the claims file share their id with another, or have none; by payer and "
            "by month each id counts as one claim."
        )
    if run.evaluated is not None and run.evaluated != total:
        rejected = f" and rejected {run.rejected:,} rows" if run.rejected else ""
        remarks.append(
            f"The scrub evaluated {run.evaluated:,} claims{rejected}; the claims file has {total:,}. "
            "By payer and by month, claims that were not evaluated count as clean."
        )
    return remarks


def _rows(connection: Any, rules: Sequence[RuleCount], most: int, hash_key: bytes | None) -> tuple[FindingRow, ...]:
    """Return at most `most` findings, of each rule the first ones and of none more than are needed, errors first."""
    each = _share([rule.by_severity.total for rule in rules], most)
    if not each:
        return ()
    found = connection.execute(
        # Which rows: a few numbers a rule. Only then the rows, so that no column is sorted or kept in full.
        "WITH chosen AS (SELECT unnest(min(row, ?)) AS row FROM findings GROUP BY rule) "
        "SELECT claim_id, severity, rule, codes, positions, message, file, line, place, "
        "denial_risk, denial_risk_source, confidence "
        "FROM findings WHERE row IN (SELECT row FROM chosen) "
        "ORDER BY list_position(['error', 'warning', 'info'], severity), row LIMIT ?",
        [each, most],
    ).fetchall()
    rows = []
    for claim_id, severity, rule, codes, positions, message, file, line, place, risk, source, confidence in found:
        known = tuple(code or "" for code in codes or ())
        claim = claim_id or ""
        rows.append(
            FindingRow(
                claim=hashed_id(claim, hash_key) if claim and hash_key is not None else claim,
                severity=severity,
                rule=rule,
                codes=tuple(map(shown, known)),
                positions=tuple(positions or ()),
                message=shown_message(message or "", known),
                where=shown_place(file, line, place),
                risk=f"{risk} ({source})" if risk and source else risk or "",
                confidence=confidence if confidence in CONFIDENCES else "",
            )
        )
    return tuple(rows)


def _share(counts: Sequence[int], most: int) -> int:
    """Return how many findings of each rule fit: the largest number that keeps the sum at or below `most`."""
    low, high = 0, max(counts, default=0)
    while low < high:
        middle = (low + high + 1) // 2
        if sum(min(count, middle) for count in counts) <= most:
            low = middle
        else:
            high = middle - 1
    return max(low, 1) if counts and most else 0
