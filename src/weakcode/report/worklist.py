"""The work list: claims with findings, the worst first, on the page and as a file for Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import attrs

from weakcode.codes.normalise import shown
from weakcode.errors import InputError, MissingExtraError
from weakcode.report.model import Severities, WorkClaim, WorkItem, shown_message, shown_place
from weakcode.scrub.guard import guarded, header_line
from weakcode.scrub.schema import PERSONAL
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.pseudonyms import hashed_id
from weakcode.visible import visible

WORK_LIST_EXTENSIONS = (".xlsx", ".csv")
_MOST_EXCEL = 1_048_575
"""Rows of a worksheet, without the header."""
_ROWS = 20_000
_ORDER = "error DESC, warning DESC, info DESC, c.claim_id, c.key"
_FOUND = """
    SELECT f.claim_id, f.service_date, f.payer, f.provider, f.severity, f.confidence, f.denial_risk, f.rule, f.title,
        f.codes, f.positions, f.message, f.fix, f.file, f.line, f.place, f.finding_id, f.edition
    FROM {claims} AS c JOIN keyed AS f
        ON c.claim_id IS NOT DISTINCT FROM f.claim_id AND c.key IS NOT DISTINCT FROM f.key
    ORDER BY {order}, list_position(['error', 'warning', 'info'], f.severity), f.row
"""
_COLUMNS = {
    "claim_id": ("Claim", 20),
    "service_date": ("Service date", 12),
    "payer": ("Payer", 18),
    "provider": ("Provider", 16),
    "severity": ("Severity", 10),
    "confidence": ("Confidence", 11),
    "denial_risk": ("Denial risk", 11),
    "rule": ("Rule", 30),
    "title": ("Title of the rule", 36),
    "codes": ("Codes", 16),
    "code_titles": ("What the codes stand for", 48),
    "positions": ("Positions", 10),
    "message": ("Finding", 60),
    "fix": ("Fix", 40),
    "where": ("Where", 24),
    "finding_id": ("Finding id", 34),
    "assigned_to": ("Assigned to", 16),
    "done": ("Done", 8),
}
"""Columns of the file: their names in CSV, in Excel, and how wide they are there."""


def work_claims(connection: Any, most: int, items: int, hash_key: bytes | None) -> tuple[WorkClaim, ...]:
    """Return up to `most` claims with all their findings, those with the most errors first; `items` findings in all.

    The first claim is there whatever number of findings it has.
    """
    if not most:
        return ()
    connection.execute(
        "CREATE TABLE to_work AS SELECT *, row_number() OVER () AS rank FROM (SELECT c.claim_id, c.key, "  # noqa: S608
        f"error, warning, info FROM flagged AS c ORDER BY {_ORDER} LIMIT {most})"
    )
    connection.execute(
        "DELETE FROM to_work WHERE rank > 1 AND rank IN (SELECT rank FROM (SELECT rank, "  # noqa: S608
        f"sum(error + warning + info) OVER (ORDER BY rank) AS items FROM to_work) WHERE items > {items})"
    )
    claims = connection.execute("SELECT error, warning, info FROM to_work ORDER BY rank").fetchall()
    found = _rows(connection.execute(_FOUND.format(claims="to_work", order="rank")), hash_key)
    return tuple(_claim(Severities(*numbers), found) for numbers in claims)


def _claim(by_severity: Severities, found: Iterator[dict[str, Any]]) -> WorkClaim:
    rows = [next(found) for _ in range(by_severity.total)]
    first = rows[0]

    def cell(name: str) -> str:
        return next((str(row[name]) for row in rows if row[name]), "")

    items = [
        WorkItem(
            row["severity"],
            row["rule"],
            tuple(zip(row["codes"], row["positions"], row["code_titles"], strict=True)),
            row["message"],
            row["fix"] or "",
            row["where"],
            row["denial_risk"] or "",
        )
        for row in rows
    ]
    return WorkClaim(
        first["claim_id"] or "", cell("service_date"), cell("payer"), cell("provider"), by_severity, tuple(items)
    )


@attrs.frozen
class WorkListFile:
    """A work list to be written to `target`, of which nothing is there before it is finished.

    Raises MissingExtraError where XlsxWriter is needed and is not there.
    """

    target: Path
    file: BinaryIO

    def __attrs_post_init__(self) -> None:
        if self.target.suffix.lower() == ".xlsx":
            _xlsxwriter()

    def write(self, connection: Any, hash_key: bytes | None) -> None:
        """Write all findings, claim by claim; raises InputError where a worksheet cannot hold them."""
        if self.target.suffix.lower() == ".xlsx":
            (number,) = connection.execute("SELECT count(*) FROM findings").fetchone()
            if number > _MOST_EXCEL:
                raise InputError(
                    f"a worksheet of Excel holds {_MOST_EXCEL:,} rows, and there are {number:,} findings; "
                    f"give {self.target.with_suffix('.csv').name} instead"
                )
        found = _rows(connection.execute(_FOUND.format(claims="flagged", order=_ORDER)), hash_key)
        rows = ([_cell(row.get(name)) for name in _COLUMNS] for row in found)
        with writing(self.target):
            if self.target.suffix.lower() == ".xlsx":
                _write_excel(self.file, rows)
            else:
                _write_csv(self.file, rows)


def _write_csv(file: BinaryIO, rows: Iterator[list[str]]) -> None:
    text = io.TextIOWrapper(file, "utf-8", "backslashreplace", newline="", write_through=False)
    text.write("\ufeff" + header_line(tuple(_COLUMNS)))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows(map(guarded, rows))
    text.flush()
    text.detach()


def _write_excel(file: BinaryIO, rows: Iterator[list[str]]) -> None:
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with _xlsxwriter().Workbook(file, options) as book:
        sheet = book.add_worksheet("Work list")
        plain, head = (book.add_format({"valign": "top", **more}) for more in ({"text_wrap": True}, {"bold": True}))
        for place, (_, width) in enumerate(_COLUMNS.values()):
            sheet.set_column(place, place, width, plain)
        sheet.freeze_panes(1, 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        sheet.set_footer("&L&A&RPage &P of &N")
        sheet.write_row(0, 0, [name for name, _ in _COLUMNS.values()], head)
        last = 0
        for last, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                if cell:
                    sheet.write_string(last, place, cell[:32_767])
        sheet.autofilter(0, 0, last, len(_COLUMNS) - 1)


def _xlsxwriter() -> Any:
    try:
        import xlsxwriter
    except ImportError:
        raise MissingExtraError("work lists for Excel", extra="report", needs="XlsxWriter") from None
    return xlsxwriter


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return visible("; ".join(value) if isinstance(value, tuple) else str(value), keep="")


def _rows(found: Any, hash_key: bytes | None) -> Iterator[dict[str, Any]]:
    """Give findings as they are shown."""
    names = [column[0] for column in found.description]
    titles = _Titles()
    while some := found.fetchmany(_ROWS):
        for values in some:
            row = dict(zip(names, values, strict=True))
            codes = tuple(code or "" for code in row["codes"] or ())
            positions = [str(place) for place in row["positions"] or ()]
            row["code_titles"] = tuple(titles.of(code, row["service_date"], row["edition"]) for code in codes)
            row["positions"] = tuple([*positions, *[""] * len(codes)][: len(codes)])
            row["codes"] = tuple(map(shown, codes))
            row["message"] = shown_message(row["message"] or "", codes)
            row["fix"] = shown_message(row["fix"] or "", codes)
            row["where"] = shown_place(row["file"], row["line"], row["place"])
            if hash_key is not None:
                row["claim_id"] = hashed_id(row["claim_id"], hash_key) if row["claim_id"] else row["claim_id"]
                # The id of a finding is made of the claim's.
                row |= dict.fromkeys((*PERSONAL, "finding_id"))
            yield row


class _Titles:
    """Titles of codes on the days of claims, each looked up once for an edition."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], str] = {}

    def of(self, code: str, day: Any, edition: str | None) -> str:
        """Return the title of a code, empty where there is none."""
        from weakcode.codes.catalog import edition_for

        key = (code, edition)
        if key not in self._known:
            self._known[key] = edition_for(day).title(code) or ""
        return self._known[key]
