"""Small files in the layout of CMS's Medicare Coverage Database, made for the tests. No real policy is in them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

HEADS = {
    "article": "article_id,article_version,title,display_id,status,article_eff_date,article_end_date",
    "article_x_hcpc_code": "article_id,article_version,hcpc_code_id,hcpc_code_version,hcpc_code_group,long_description",
    "article_x_hcpc_code_group": "article_id,article_version,hcpc_code_group,paragraph",
    "article_x_icd10_covered": "article_id,article_version,icd10_code_id,icd10_covered_group,range,description,"
    "asterisk",
    "article_x_icd10_covered_group": "article_id,article_version,icd10_covered_group,paragraph,icd10_covered_ast",
    "article_x_icd10_noncovered": "article_id,article_version,icd10_code_id,icd10_noncovered_group",
    "article_x_icd10_noncovered_group": "article_id,article_version,icd10_noncovered_group,paragraph",
    "article_x_contractor": "article_id,article_version,contractor_id,contractor_version",
    "contractor": "contractor_id,contractor_version,contractor_number,contractor_bus_name",
    "contractor_jurisdiction": "contractor_id,contractor_version,state_id,term_date",
    "state_lookup": "state_id,state_abbrev",
}
Rows = Iterable[Sequence[object]]


def table(head: str, rows: Rows, *, encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    """Return a table as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(head.split(","))
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def article(
    number: int, title: str = "", *, version: int = 1, starts: str = "2024-01-01", ends: str = ""
) -> list[object]:
    """Return a row of the table of articles."""
    return [number, version, title or f"Made Service {number}", f"A{number}", "A", f"{starts} 00:00:00", ends]


def tables(
    articles: Sequence[Sequence[object]],
    procedures: Mapping[str, Sequence[tuple[int, int]]],
    covered: Mapping[tuple[int, int], Sequence[str]],
    *,
    excluded: Mapping[tuple[int, int], Sequence[str]] | None = None,
    words: Mapping[tuple[int, int], tuple[str, str]] | None = None,
    starred: Sequence[str] = (),
    contractor: bool = True,
) -> dict[str, bytes]:
    """Return the tables of articles. Procedures and lists are by (article, group); `words` are of covered groups."""
    version = {row[0]: row[1] for row in articles}
    rows: dict[str, list[Sequence[object]]] = {name: [] for name in HEADS}
    rows["article"] = [*articles]
    for code, places in procedures.items():
        rows["article_x_hcpc_code"] += [(own, version[own], code, 1, group, "Made") for own, group in places]
    for (own, group), codes in covered.items():
        star = dict.fromkeys(starred, "Y")
        rows["article_x_icd10_covered"] += [
            (own, version[own], code, group, "", "Made", star.get(code, "")) for code in codes
        ]
    for (own, group), (paragraph, stars) in (words or {}).items():
        rows["article_x_icd10_covered_group"].append((own, version[own], group, paragraph, stars))
    for (own, group), codes in (excluded or {}).items():
        rows["article_x_icd10_noncovered"] += [(own, version[own], code, group) for code in codes]
    if contractor:
        rows["article_x_contractor"] = [(row[0], row[1], 7, 1) for row in articles]
        rows["contractor"] = [(7, 1, "01111", "Made Contractor")]
        rows["contractor_jurisdiction"] = [(7, 1, 5, "")]
        rows["state_lookup"] = [(5, "CA")]
    return {f"{name}.csv": table(HEADS[name], given) for name, given in rows.items()}


def zipped(path: Path, files: Mapping[str, bytes], *, inside: str = "") -> Path:
    """Write a zip of files, or of a zip with them, as CMS does."""
    if inside:
        files = {inside: _zip(files)}
    path.write_bytes(_zip(files))
    return path


def _zip(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 5, 1, 0, 0, 0)), data)
    return content.getvalue()


def therapy() -> dict[str, bytes]:
    """Return articles of every kind: plain, several groups paired in words, excluding, asking for a second code."""
    return tables(
        [
            article(90001, "Therapy"),
            article(90002, "Two groups"),
            article(90003, "Not for these"),
            article(90004, "With a second code"),
            article(90005, "Last year's", ends="2025-12-31"),
            article(90006, "In words alone"),
        ],
        {
            "97110": [(90001, 1)],
            "G0001": [(90002, 1)],
            "G0002": [(90002, 2)],
            "G0003": [(90003, 1)],
            "G0004": [(90004, 1)],
            "G0005": [(90005, 1)],
            "G0006": [(90006, 1)],
            "G0007": [(90001, 1), (90003, 1)],
        },
        {
            (90001, 1): ["M62.50", "M62.84", "G72.9"],
            (90002, 1): ["I10", "E11.9"],
            (90002, 2): ["N18.30", "N18.31"],
            (90004, 1): ["E66.813", "E66.01"],
            (90004, 2): ["Z68.41", "Z68.42"],
            (90005, 1): ["I10"],
        },
        excluded={(90003, 1): ["R53.1", "M62.81"]},
        words={
            (90002, 1): ("<p>The following support G0001:</p>", ""),
            (90002, 2): ("<p>The following support G0002:</p>", ""),
            (90004, 1): ("", "*These must be reported with a secondary diagnosis from Group 2."),
        },
        starred=["E66.813"],
    )
