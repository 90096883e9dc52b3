"""The work list of a file: claims with findings, the worst first, out of the findings that a scrub wrote."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import InputError
from weakcode.serve.problems import ProblemError

_SEVERITIES = ("error", "warning", "info")
_MOST = 500
_WAIVERS = "waivers.json"
_COLUMNS = (
    "claim_id", "finding_id", "rule", "title", "severity", "confidence", "message", "codes", "positions", "fix",
    "payer", "service_date", "sources", "line", "waived_by", "waiver",
)  # fmt: skip
_EXCEL = (
    "claim_id", "severity", "title", "message", "codes", "positions", "fix", "payer", "service_date", "rule",
    "waived_by", "waiver",
)  # fmt: skip


@attrs.frozen
class Filter:
    """Which claims are asked for: by severity, rule and text, and which page of them."""

    severity: str = ""
    rule: str = ""
    text: str = ""
    offset: int = 0
    limit: int = 50
    waived: bool = False


def asked(query: Mapping[str, str]) -> Filter:
    """Return what a query asks for. Raises ProblemError for what cannot be asked."""
    severity = query.get("severity", "")
    if severity and severity not in _SEVERITIES:
        raise ProblemError(400, f"severity is one of {', '.join(_SEVERITIES)}")
    numbers = {}
    for name, least, most, usual in (("offset", 0, 100_000_000, 0), ("limit", 1, _MOST, 50)):
        text = query.get(name, str(usual))
        if not (text.isascii() and text.isdecimal() and least <= int(text[:10]) <= most):
            raise ProblemError(400, f"{name} is a number from {least} to {most:,}")
        numbers[name] = int(text)
    return Filter(
        severity, query.get("rule", "")[:200], query.get("q", "")[:200], waived=query.get("waived") == "1", **numbers
    )


@lru_cache(maxsize=4)
def _findings(path: Path, changed: int) -> Any:
    """Return the findings of a file as an Arrow table; `changed` is when it was written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = pq.read_schema(path).names
    table = pq.read_table(path, columns=[name for name in _COLUMNS if name in names])
    plain = [
        pa.field(one.name, one.type.value_type if pa.types.is_dictionary(one.type) else one.type)
        for one in table.schema
    ]
    return table.cast(pa.schema(plain))


def _table(folder: Path) -> Any:
    path = folder / "findings.parquet"
    return _findings(path, path.stat().st_mtime_ns)


@attrs.frozen
class _Listed:
    """The claims that a filter leaves: their ids, the worst first, the findings, and how many there are by rule."""

    ids: Any
    findings: Any
    rules: tuple[dict[str, Any], ...]


@lru_cache(maxsize=8)
def _listed(path: Path, changed: int, asked: Filter, waived: frozenset[str]) -> _Listed:
    """Return the claims that a filter leaves, grouped once for all of their pages; `asked` is without a page."""
    import pyarrow.compute as pc

    table = _filtered(_findings(path, changed), asked, waived)
    errors, warnings = (pc.equal(table["severity"], one).cast("int8") for one in ("error", "warning"))
    worst = pc.add(pc.multiply(errors, 2), warnings)
    by_claim = (
        table.append_column("worst", worst).group_by("claim_id").aggregate([("worst", "max"), ("worst", "count")])
    )
    by_claim = by_claim.sort_by([("worst_max", "descending"), ("worst_count", "descending"), ("claim_id", "ascending")])
    return _Listed(by_claim["claim_id"], table, tuple(_by_rule(table)))


def claims(folder: Path, asked: Filter) -> dict[str, Any]:
    """Return a page of claims with codes and findings, how many claims there are, and the findings by rule."""
    import pyarrow as pa
    import pyarrow.compute as pc

    waived = {one["finding_id"]: one for one in _waived(folder)}
    path = folder / "findings.parquet"
    without = frozenset() if asked.waived else frozenset(waived)
    listed = _listed(path, path.stat().st_mtime_ns, attrs.evolve(asked, offset=0, limit=0), without)
    ids = listed.ids.slice(asked.offset, asked.limit).to_pylist()
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ids}
    table = listed.findings
    for row in table.filter(pc.is_in(table["claim_id"], pa.array(ids, pa.string()))).to_pylist():
        row["service_date"] = None if row.get("service_date") is None else str(row["service_date"])
        note = waived.get(row["finding_id"])
        row["noted"] = None if note is None else {"reason": note["reason"], "by": note["by"]}
        rows[row["claim_id"]].append(row)
    codes = _codes_of(folder, ids)
    return {
        "claims": [{"claim_id": name, "codes": codes.get(name, []), "findings": rows[name]} for name in ids],
        "total": len(listed.ids),
        "rules": list(listed.rules),
    }


def _codes_of(folder: Path, ids: list[str]) -> dict[str, list[str]]:
    """Return the codes of claims by their ids; of several claims with one id, the first's."""
    import pyarrow as pa
    import pyarrow.compute as pc

    path = folder / "read.parquet"
    table = _as_read(path, path.stat().st_mtime_ns)
    found: dict[str, list[str]] = {}
    for row in table.filter(pc.is_in(table["claim_id"], pa.array(ids, pa.string()))).to_pylist():
        found.setdefault(row["claim_id"], row["codes"])
    return found


@lru_cache(maxsize=2)
def _as_read(path: Path, changed: int) -> Any:
    """Return ids and codes of the claims of a file; `changed` is when it was written."""
    import pyarrow.parquet as pq

    return pq.read_table(path, columns=["claim_id", "codes"])


def rejects(folder: Path, name: str) -> dict[str, Any]:
    """Return the first rejected rows, and how many there are; `name` is the file's as it was given."""
    path = folder / "rejects.csv"
    rows_shown: list[dict[str, Any]] = []
    total = 0
    if path.exists():
        for row in _rejected_rows(path, name):
            total += 1
            if total <= _MOST:
                rows_shown.append({key: row[key] for key in ("line", "place", "claim_id", "reason")})
    return {"rejects": rows_shown, "total": total}


def _rejected_rows(path: Path, name: str) -> Iterable[dict[str, str]]:
    """Yield rejected rows with the file as it was called, not as it is kept here."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            yield {**row, "file": name, "reason": row["reason"].replace(str(path.parent), "")}


def _filtered(table: Any, asked: Filter, waived: frozenset[str]) -> Any:
    """Return the findings that are asked for, without those waived."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for column, value in (("severity", asked.severity), ("rule", asked.rule)):
        if value:
            table = table.filter(pc.equal(table[column], value))
    if waived:
        table = table.filter(pc.invert(pc.is_in(table["finding_id"], pa.array(sorted(waived), pa.string()))))
    if asked.text:
        found = [pc.match_substring(table[name], asked.text, ignore_case=True) for name in ("claim_id", "message")]
        code_texts = pc.binary_join(table["codes"].combine_chunks(), " ")
        found.append(pc.match_substring(pa.chunked_array([code_texts]), asked.text, ignore_case=True))
        table = table.filter(pc.or_(pc.or_(found[0], found[1]), found[2]))
    return table


def _by_rule(table: Any) -> list[dict[str, Any]]:
    counted = table.group_by("rule", use_threads=False).aggregate([("title", "first"), ("rule", "count")])
    ordered = counted.sort_by([("rule_count", "descending"), ("rule", "ascending")]).to_pylist()
    return [{"rule": one["rule"], "title": one["title_first"], "findings": one["rule_count"]} for one in ordered]


def claim(folder: Path, claim_id: str) -> dict[str, Any] | None:
    """Return a claim as it was read, as an object; None where the file has none of this id."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = folder / "read.parquet"
    table = pq.read_table(path, filters=pc.field("claim_id") == claim_id)
    if not table.num_rows:
        return None
    row = table.slice(0, 1).to_pylist()[0]
    found = {name: str(value) if name.endswith("date") else value for name, value in row.items() if value is not None}
    return {"claim": found, "same_id": table.num_rows}


def _waived(folder: Path) -> list[dict[str, str]]:
    try:
        found: list[dict[str, str]] = json.loads((folder / _WAIVERS).read_text("utf-8"))
    except FileNotFoundError:
        return []
    return found


def waive(folder: Path, waiver: dict[str, str], *, undo: bool) -> int:
    """Keep a waiver, or take it back; return how many findings are waived."""
    kept = [one for one in _waived(folder) if one["finding_id"] != waiver["finding_id"]]
    if not undo:
        kept.append(waiver)
    part = folder / f"{_WAIVERS}.part"
    part.write_text(json.dumps(kept), "utf-8")
    part.replace(folder / _WAIVERS)
    return len(kept)


def download(folder: Path, what: str, name: str) -> Path:
    """Return a file to be sent, made anew. Raises InputError where an extra is missing.

    `name` is that of the claims' file as it was given: nothing that is sent says where it is kept.
    """
    path = folder / f"sent-{what}"
    if what == "rejects.csv":
        _rejects_to_csv(folder / what, path, name)
    elif what == "findings.parquet":
        _to_parquet(folder, path)
    elif what == "summary.json":
        state = json.loads((folder / "state.json").read_bytes())
        path.write_text(json.dumps(state["summary"], indent=2, ensure_ascii=False), "utf-8")
    elif what == "findings.csv":
        _to_csv(folder, path)
    elif what == "findings.xlsx":
        _to_excel(folder, path)
    elif what == "report.html":
        from weakcode.report.render import write_report

        write_report([str(folder / "findings.parquet")], path)
    if not path.exists():
        raise InputError(f"there is no {what} of this file")
    return path


def _noted(folder: Path) -> Any:
    """Return the findings with what was waived on the page in the columns of waivers."""
    import pyarrow as pa

    table = _table(folder).replace_schema_metadata(None)
    notes = {one["finding_id"]: one for one in _waived(folder)}
    ids = table.column("finding_id").to_pylist()
    for column, key in (("waived_by", "by"), ("waiver", "reason")):
        notes_given = table.column(column).to_pylist() if column in table.column_names else [None] * len(ids)
        values = [notes[one][key] if one in notes else before for one, before in zip(ids, notes_given, strict=True)]
        if column in table.column_names:
            table = table.drop_columns([column])
        table = table.append_column(column, pa.array(values, pa.string()))
    return table


def _to_parquet(folder: Path, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(_noted(folder), path)


def _rejects_to_csv(kept: Path, path: Path, name: str) -> None:
    if not kept.exists():
        return
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer: csv.DictWriter[str] | None = None
        for row in _rejected_rows(kept, name):
            if writer is None:
                writer = csv.DictWriter(out, list(row))
                writer.writeheader()
            writer.writerow(row)


def _to_csv(folder: Path, path: Path) -> None:
    from weakcode.scrub.guard import guarded, needs_guard

    table = _noted(folder)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(table.column_names)
        for batch in table.to_batches():
            rows: Iterable[Iterable[object]] = zip(
                *(map(_cell, column.to_pylist()) for column in batch.columns), strict=True
            )
            writer.writerows(map(guarded, rows) if needs_guard(batch) else rows)


def _to_excel(folder: Path, path: Path) -> None:
    try:
        import xlsxwriter
    except ImportError:
        raise InputError("Excel workbooks need the extra excel; CSV opens in Excel too") from None
    table = _noted(folder)
    names = [name for name in _EXCEL if name in table.column_names]
    if table.num_rows > 1_000_000:
        raise InputError("a worksheet holds 1,048,576 rows; take CSV or Parquet")
    with xlsxwriter.Workbook(
        str(path), {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheet = book.add_worksheet("Work list")
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, names, book.add_format({"bold": True}))
        for number, row in enumerate(table.select(names).to_pylist(), 1):
            sheet.write_row(number, 0, [_cell(row[name]) for name in names])
        sheet.autofilter(0, 0, table.num_rows, len(names) - 1)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        # Codes and positions have no blanks; sources are sentences.
        return ("; " if any(" " in str(one) for one in value) else " ").join(map(str, value))
    return "" if value is None else str(value)
