"""Files of the Medicare Coverage Database into the form in which they are kept: what was published, and no more.

A policy is an article, a local (LCD) or a national coverage determination (NCD). Descriptions of procedures are not
kept: those of CPT are licensed.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from weakcode.codes.normalise import canonical
from weakcode.codes.storage import store
from weakcode.coverage.tables import PublishedFile, Row, Table, members_of, published
from weakcode.errors import InputError
from weakcode.fields.parsers import parse_date
from weakcode.visible import visible

FORMAT = "policies 1"
"""The key of kept files; another one means that they are of another version of weakcode."""
KINDS = {"article": "A", "lcd": "L", "ncd": "NCD "}
"""The kinds of files, and how the numbers of their policies are written."""
COVERED, EXCLUDED = 0, 1
_TOLD = ("display_id", "article_eff_date", "article_end_date", "hcpc_code_group", "icd10_covered_group")
"""Columns whose absence is reported; the others have other names in other years, or say what is not used."""
_GROUPS = (("procedure_group", "p"), ("covered_group", "c"), ("excluded_group", "n"))
_MOST_ORPHANS = 0.05
_MOST_WORDS = 4_000
_CODE = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")
_PROCEDURE = re.compile(r"[0-9A-Z]{4,5}")
_TAG = re.compile(r"<[^<>]*>")


def _tables(kind: str) -> dict[str, Table]:
    key = (f"{kind}_id", f"{kind}_version")
    starts = ("article_eff_date",) if kind == "article" else ("rev_eff_date", "orig_det_eff_date")
    ends = ("article_end_date",) if kind == "article" else ("rev_end_date", "ent_det_end_date")
    required = kind == "article"
    covered = ("icd10_covered", "icd10_support")
    excluded = ("icd10_noncovered", "icd10_dont_support")
    names = {part: tuple(f"{kind}_x_{one}" for one in of) for part, of in (("c", covered), ("n", excluded))}
    return {
        "policy": Table(
            (kind,), (*key, "title"), ("display_id", "status", "last_updated", *starts, *ends), required=True
        ),
        "procedure": Table((f"{kind}_x_hcpc_code",), (*key, "hcpc_code_id"), ("hcpc_code_group",), required=required),
        "procedure_group": Table((f"{kind}_x_hcpc_code_group",), (*key, "hcpc_code_group"), ("paragraph",)),
        "covered": Table(
            names["c"], (*key, "icd10_code_id"), ("icd10_covered_group", "icd10_support_group", "asterisk"), required
        ),
        "covered_group": Table(
            tuple(f"{name}_group" for name in names["c"]),
            key,
            ("icd10_covered_group", "icd10_support_group", "paragraph", "icd10_covered_ast", "icd10_support_ast"),
        ),
        "excluded": Table(names["n"], (*key, "icd10_code_id"), ("icd10_noncovered_group", "icd10_dont_support_group")),
        "excluded_group": Table(
            tuple(f"{name}_group" for name in names["n"]),
            key,
            ("icd10_noncovered_group", "icd10_dont_support_group", "paragraph"),
        ),
        "of_contractor": Table((f"{kind}_x_contractor",), (*key, "contractor_id"), ("contractor_version",)),
        "contractor": Table(
            ("contractor",), ("contractor_id", "contractor_number"), ("contractor_version", "contractor_bus_name")
        ),
        "jurisdiction": Table(
            ("contractor_jurisdiction",), ("contractor_id", "state_id"), ("contractor_version", "term_date")
        ),
        "state": Table(("state_lookup",), ("state_id", "state_abbrev")),
    }


_NCD = {
    "policy": Table(
        ("ncd_trkg",),
        ("ncd_id", "ncd_vrsn_num", "ncd_mnl_sect_title"),
        ("ncd_mnl_sect", "last_updt_tmstmp", "ncd_efctv_dt", "ncd_impltn_dt", "ncd_trmntn_dt"),
        required=True,
    )
}
TABLES: dict[str, dict[str, Table]] = {"article": _tables("article"), "lcd": _tables("lcd"), "ncd": _NCD}
_WANTED = frozenset(f"{name}.csv" for tables in TABLES.values() for table in tables.values() for name in table.names)


@attrs.frozen(eq=False)
class CompiledFile:
    """A file in the form in which it is kept: its kind, its day and the bytes."""

    kind: str
    day: dt.date
    content: bytes


def compiled(path: Path, day: dt.date | None = None) -> list[CompiledFile]:
    """Read a zip of the Medicare Coverage Database; a download of everything has several kinds of policies.

    `day` is its day where the zip does not tell it. Raises InputError for a file that is not whole, or not such a one.
    """
    members, sha256, newest = members_of(path, _WANTED)
    kinds = [kind for kind, tables in TABLES.items() if f"{tables['policy'].names[0]}.csv" in members]
    if not kinds:
        # What it lacks is reported of an article, the file that nearly everyone means.
        kinds = [next((kind for kind in ("lcd", "ncd") if any(kind in name for name in members)), "article")]
    files = [published(kind, TABLES[kind], members, path.name, sha256, newest) for kind in kinds]
    return [_compiled(one, day) for one in files]


def _compiled(file: PublishedFile, day: dt.date | None) -> CompiledFile:
    policies, updated = _policies(file)
    numbers = {key: number for number, key in enumerate(policies)}
    builder = _Builder(file, numbers)
    builder.procedures()
    builder.lists("covered", COVERED)
    builder.lists("excluded", EXCLUDED)
    for what, codes in (("diagnosis code that an article covers", builder.members), ("procedure", builder.links)):
        if file.kind == "article" and not codes:
            raise InputError(f"{file.file} names no {what}; it is damaged or cut short")
    day = day or updated or file.day
    if day is None:
        raise InputError(f"{file.file} does not tell its day; give it with --date YYYY-MM-DD")
    meta = {
        "kind": file.kind,
        "date": day.isoformat(),
        "file": file.file,
        "sha256": file.sha256,
        "absent": [one for one in file.absent if "." not in one or one.partition(".")[2] in _TOLD],
        "orphans": builder.orphans,
        "unread": builder.unread,
        "policies": list(policies.values()),
        "contractors": builder.contractors(),
        "groups": [group for table, kind in _GROUPS for group in builder.groups(table, kind)],
        "procedures": list(builder.procedure_numbers),
    }
    sections = {
        "codes": " ".join(builder.codes).encode(),
        "links": builder.links.tobytes(),
        "lists": builder.heads.tobytes(),
        "bounds": builder.bounds.tobytes(),
        "members": builder.members.tobytes(),
        "starred": bytes(builder.starred),
    }
    return CompiledFile(file.kind, day, store.pack(FORMAT, meta, sections))


def _policies(file: PublishedFile) -> tuple[dict[tuple[str, str], list[Any]], dt.date | None]:
    """Return id, version, title, status and days of each policy, by number and version; and the newest change."""
    found: dict[tuple[str, str], list[Any]] = {}
    called: set[tuple[str, int]] = set()
    updated: dt.date | None = None
    for number, row in enumerate(file.rows["policy"], start=2):
        place = f"{file.file}, row {number} of its policies"
        if file.kind == "ncd":
            own, version, title, section, changed, *dates = row
            display, status, starts, ends = f"NCD {section or own}", "A", dates[:2], dates[2:]
        else:
            own, version, title, display, status, changed, *dates = row
            starts, ends = dates[: len(dates) // 2], dates[len(dates) // 2 :]
            display = display or f"{KINDS[file.kind]}{own}"
        if not own.isdecimal() or not version.isdecimal():
            raise InputError(f"{place}: a policy has a number and a version, both whole numbers; it is damaged")
        if (own, version) in found or (display.upper(), int(version)) in called:
            raise InputError(f"{place}: policy {display}, version {int(version)}, stands twice; it is damaged")
        called.add((display.upper(), int(version)))
        first, last = (next((_day(one, place) for one in days if one), None) for days in (starts, ends))
        when = _day(changed, place)
        updated = max(filter(None, (updated, when)), default=None)
        iso = [one and one.isoformat() for one in (first, last)]
        found[own, version] = [display.upper(), int(version), " ".join(_plain(title).split()), status.upper(), *iso]
    if not found:
        raise InputError(f"{file.file} holds no policies: its table of them has a header and nothing else")
    return found, updated


def _day(text: str, place: str) -> dt.date | None:
    try:
        # With a time, as in 2024-01-01 00:00:00 or 1/31/2024 12:00:00 AM.
        day = text.split()[0] if text else ""
        if "/" in day:
            return dt.datetime.strptime(day, "%m/%d/%Y").date()
        return parse_date(day)
    except (InputError, ValueError):
        raise InputError(f'{place}: "{text}" is not a date such as 2024-01-01; it is damaged') from None


def _plain(text: str) -> str:
    """Return the words of a paragraph of HTML."""
    words = " ".join(html.unescape(_TAG.sub(" ", text)).split())
    return words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]} …"


def _is_none(code: str) -> bool:
    """Tell whether a code is how CMS writes that there is none, such as XX000."""
    return code.startswith("XX") or code in ("", "N/A", "NA", "NONE")


def _group(values: Iterable[str], place: str) -> int:
    """Return the number of a group; a policy that does not number them has one, of number 1."""
    text = next((value for value in values if value), "1")
    if not text.isdecimal():
        raise InputError(f'{place}: "{visible(text)}" is not the number of a group, a whole number; it is damaged')
    return int(text)


class _Builder:
    """Collects what the policies of a file say, numbered."""

    def __init__(self, file: PublishedFile, numbers: Mapping[tuple[str, str], int]) -> None:
        self._file, self._numbers = file, numbers
        self.orphans = self.unread = 0
        self.procedure_numbers: dict[str, int] = {}
        self.links, self.heads = array("i"), array("i")
        self.codes: dict[str, int] = {}
        self.bounds, self.members = array("i", [0]), array("i")
        self.starred = bytearray()

    def _known(self, table: str) -> list[tuple[int, Row]]:
        """Return the rows of a table with the numbers of their policies. Rows of no policy are counted."""
        rows = self._file.rows.get(table, ())
        known = [(self._numbers[row[0], row[1]], row) for row in rows if (row[0], row[1]) in self._numbers]
        lost = len(rows) - len(known)
        if lost > len(rows) * _MOST_ORPHANS:
            raise InputError(
                f"{self._place(table)}: {lost:,} of {len(rows):,} rows are of policies that it does not have; "
                "a table is cut short, download it again"
            )
        self.orphans += lost
        return known

    def _place(self, table: str) -> str:
        asked = TABLES[self._file.kind].get(table)
        return f"{self._file.file}, {asked.names[0] if asked else table}"

    def _warn_of_unread(self, table: str, unread: list[str], rows: int) -> None:
        """Count the codes that could not be read; where many of a table that must be there are such, it is damaged."""
        if table != "excluded" and len(unread) > rows * _MOST_ORPHANS:
            raise InputError(
                f'{self._place(table)}: {len(unread):,} of {rows:,} codes are none, "{visible(unread[0][:20])}" among '
                "them; it is damaged, download it again"
            )
        self.unread += len(unread)

    def procedures(self) -> None:
        known, unread, place = self._known("procedure"), list[str](), self._place("procedure")
        for policy, (_, _, code, group) in known:
            code = code.upper()
            if _PROCEDURE.fullmatch(code) and not _is_none(code):
                number = self.procedure_numbers.setdefault(code, len(self.procedure_numbers))
                self.links.extend((number, policy, _group((group,), place)))
            elif not _is_none(code):
                unread.append(code)
        self._warn_of_unread("procedure", unread, len(known))

    def lists(self, table: str, kind: int) -> None:
        lists: dict[tuple[int, int], dict[int, bool]] = {}
        known, unread, place = self._known(table), list[str](), self._place(table)
        for policy, row in known:
            code = canonical(row[2])
            starred = table == "covered" and row[-1] not in ("", "0", "N", "n", "False", "false")
            if _CODE.fullmatch(code):
                number = self.codes.setdefault(code, len(self.codes))
                groups = row[3:-1] if table == "covered" else row[3:]
                lists.setdefault((policy, _group(groups, place)), {})[number] = starred
            elif not _is_none(code):
                unread.append(row[2])
        self._warn_of_unread(table, unread, len(known))
        for (policy, group), codes in sorted(lists.items()):
            self.heads.extend((policy, kind, group))
            self.members.extend(codes)
            self.starred.extend(codes.values())
            self.bounds.append(len(self.members))

    def groups(self, table: str, kind: str) -> list[list[Any]]:
        """Return policy, kind, number, paragraph and what an asterisk means of each group that says anything."""
        found = []
        for policy, row in self._known(table):
            # The number of the group stands first, under either of two names where there are two.
            names = 1 if table == "procedure_group" else 2
            paragraph, stars = row[2 + names], row[3 + names :] if table == "covered_group" else ()
            meaning = _plain(next((one for one in stars if one), ""))
            if _plain(paragraph) or meaning:
                number = _group(row[2 : 2 + names], self._place(table))
                found.append([policy, kind, number, _plain(paragraph), meaning])
        return found

    def contractors(self) -> list[list[Any]]:
        """Return number, name, states and the policies of each contractor."""
        rows = self._file.rows
        if self._file.kind == "ncd":
            return []
        abbreviations: dict[str, str] = {row[0]: row[1].upper() for row in rows.get("state", ())}
        named: dict[str, list[Any]] = {}
        for own, number, _, name in rows.get("contractor", ()):
            named[own] = [number, name, set(), set()]
        for own, state, _, ended in rows.get("jurisdiction", ()):
            if own in named and not ended and state in abbreviations:
                named[own][2].add(abbreviations[state])
        for policy, row in self._known("of_contractor"):
            if row[2] in named:
                named[row[2]][3].add(policy)
        kept: Sequence[list[Any]] = [one for one in named.values() if one[3]]
        return [[number, name, sorted(states), sorted(policies)] for number, name, states, policies in kept]
