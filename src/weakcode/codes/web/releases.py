"""Releases of ICD-10-CM on the web: where they are, and that what came is the release that was asked for."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import unquote, urljoin, urlsplit

import attrs

from weakcode.codes import catalog, installed
from weakcode.codes.normalise import canonical
from weakcode.codes.sources import orders, unpack
from weakcode.codes.sources.alphabetic import IndexTerm, read_index
from weakcode.codes.sources.kept import EditionSource
from weakcode.codes.sources.tabular import Tabular, read_tabular
from weakcode.codes.web.download import MOST_BYTES, Download, NotThere, Unavailable, checked_address, download
from weakcode.errors import EditionError

CDC = "https://ftp.cdc.gov/pub/Health_Statistics/NCHS/Publications/ICD10CM/"
CMS = "https://www.cms.gov/files/zip/"
MIRROR_VARIABLE = "WEAKCODE_EDITION_MIRROR"
FIRST_YEAR = 2016
"""The fiscal year with which ICD-10-CM began to be used, on 1 October 2015."""

_MOST_LISTING = 4 * 1024 * 1024
_PUBLISHED = 6
"""The month from which the release of the coming fiscal year may be there."""

Content = Literal["table", "order"]
_CDC_NAMES: dict[Content, str] = {"table": "icd10cm-table-and-index", "order": "icd10cm-code-descriptions"}
_CMS_NAMES: dict[Content, str] = {"table": "code-tables-tabular-index", "order": "code-descriptions-tabular-order"}
Tell = Callable[[str], None]


@attrs.frozen
class FiscalRelease:
    """The release of a fiscal year, which begins on 1 October before it, or its update of 1 April."""

    year: int
    update: bool = False

    @property
    def starts(self) -> date:
        """The first day on which it is in force."""
        return date(self.year, 4, 1) if self.update else date(self.year - 1, 10, 1)

    @property
    def word(self) -> str:
        """What `wanted` takes for it."""
        return f"{self.starts:%Y-%m}" if self.update else str(self.year)

    @property
    def folder(self) -> str:
        """The folder on CDC's server."""
        return f"{self.year}-Update/" if self.update else f"{self.year}/"

    def __str__(self) -> str:
        return f"the release of {self.starts:%B %Y} (fiscal year {self.year})"


@attrs.frozen
class FetchedRelease:
    """A release that came and was checked: what it holds, and the files that it was in."""

    starts: date
    ends: date
    tabular: Tabular
    xml: bytes
    terms: tuple[IndexTerm, ...]
    files: tuple[Download, ...]
    in_order_file: bool
    """Whether its billable codes were compared with those of its order file, and are the same."""


def wanted(text: str | None, today: date) -> tuple[FiscalRelease, ...]:
    """Return the releases that a word asks for, the best first: a fiscal year, its update (``2026-04``) or ``latest``.

    ``latest`` is the newest that may be published on `today`. Raises EditionError for anything else.
    """
    word = (text or "latest").strip().lower()
    fiscal = today.year + (today.month >= 10)
    if word == "latest":
        coming = [FiscalRelease(fiscal + 1)] if _PUBLISHED <= today.month < 10 else []
        update = [FiscalRelease(fiscal, update=True)] if 3 <= today.month < 10 else []
        return (*coming, *update, FiscalRelease(fiscal))
    found = re.fullmatch(r"(20[0-9]{2})(-04|-10)?", word)
    if found:
        # A year alone is a fiscal year; with a month it is that of the calendar, as in the name of an edition.
        release = FiscalRelease(int(found[1]) + (found[2] == "-10"), update=found[2] == "-04")
        if FIRST_YEAR <= release.year <= fiscal + 2:
            return (release,)
    raise EditionError(
        f'"{text}" is no release; give latest, a fiscal year from {FIRST_YEAR} such as {fiscal}, or the month in '
        f"which it begins, such as {fiscal - 1}-10"
    )


def in_force(day: date) -> FiscalRelease:
    """Return the release whose codes are in force on a day, from April 2022 on, when updates became regular."""
    return FiscalRelease(day.year + (day.month >= 10), update=4 <= day.month < 10)


def fetch(
    text: str | None, *, mirror: str | None = None, today: date, tell: Tell | None = None
) -> FetchedRelease | EditionSource:
    """Download a release and check that it is what it should be; nothing on disk is changed.

    `text` is what `wanted` takes. `mirror`, or else ``WEAKCODE_EDITION_MIRROR``, takes the place of CDC's and CMS's
    servers: a folder laid out as CDC's, or the address of one zip. Returns the edition that is at hand where the
    release is there already. Raises EditionError with one sentence where no server gives it, or gives something else.
    """
    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if mirror is not None and urlsplit(checked_address(mirror)).path.lower().endswith((".zip", ".xml", ".xz", ".gz")):
        release = wanted(text, today)[0] if text else None
        return _checked(download(mirror, tell=tell), None, release)
    servers = _Servers(mirror, tell)
    for release in wanted(text, today):
        at_hand = _at_hand(release.starts)
        if at_hand is not None:
            return at_hand
        table = servers.file(release, "table")
        if table is not None:
            return _checked(table, servers.order_file(release), release)
    raise EditionError(
        f"{release} cannot be fetched: {servers.reasons()}; with its zip from elsewhere: weakcode edition add FILE"
    )


def _at_hand(starts: date) -> EditionSource | None:
    found = next((source for source in catalog.all_sources() if source.starts == starts), None)
    if found is not None and not found.notes:
        raise EditionError(
            f"of edition {found.label} the codes alone are installed; before its Tabular List is fetched: "
            f"weakcode edition remove {found.name}"
        )
    return found


@attrs.frozen
class _Servers:
    """CDC's server and CMS's, or a mirror, with what each said that it could not give."""

    mirror: str | None
    tell: Tell | None
    failures: dict[str, str] = attrs.Factory(dict)
    silent: set[str] = attrs.Factory(set)

    def reasons(self) -> str:
        """Return why nothing came, a clause for each server."""
        return "; ".join(self.failures.values())

    def file(self, release: FiscalRelease, content: Content) -> Download | None:
        """Return a file of a release from the first server that has it."""
        for place in self._places(release, content):
            found = self._get(place, MOST_BYTES)
            if found is not None:
                return found
        return None

    def order_file(self, release: FiscalRelease) -> Download | None:
        """Return the zip with the order file of a release; tells where there is none."""
        self.failures.clear()
        found = self.file(release, "order")
        if found is None and self.tell:
            self.tell(f"Not compared with the order file: {self.reasons()}")
        return found

    def _get(self, place: str, most: int) -> Download | None:
        host = urlsplit(place).netloc
        if host in self.silent:
            return None
        try:
            return download(place, most=most, tell=self.tell)
        except NotThere as error:
            self.failures.setdefault(host, str(error))
        except Unavailable as error:
            self.failures[host] = str(error)
            self.silent.add(host)
        return None

    def _places(self, release: FiscalRelease, content: Content) -> Iterator[str]:
        """Yield the addresses at which a file of a release may be, the likeliest first.

        Names differ from year to year: where the usual one is not there, the folder itself is asked what it holds.
        """
        base = checked_address(self.mirror or CDC).rstrip("/") + "/"
        for folder in dict.fromkeys([release.folder, release.folder.lower()]):
            if not release.update:
                yield f"{base}{folder}{_CDC_NAMES[content]}-{release.year}.zip"
            yield from self._listed(urljoin(base, folder), content)
        if self.mirror is None and not release.update:
            yield f"{CMS}{release.year}-{_CMS_NAMES[content]}.zip"

    def _listed(self, folder: str, content: Content) -> Iterator[str]:
        page = self._get(folder, _MOST_LISTING)
        if page is None:
            return
        links = _Links()
        links.feed(page.content.decode("utf-8", "replace"))
        for link in dict.fromkeys(links.found):
            place = urljoin(folder, link)
            # A file elsewhere is not the folder's.
            if place.startswith(folder) and _fits(content, unquote(urlsplit(place).path.rpartition("/")[2]).lower()):
                yield place


def _fits(content: Content, name: str) -> bool:
    """Tell by the name of a zip whether it may hold a file of a release; an addendum is not the release."""
    if not name.endswith(".zip") or "addend" in name:
        return False
    if content == "table":
        return ("table" in name and "index" in name) or "xml" in name
    return "code" in name and "des" in name


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attributes if name == "href" and value]


def _checked(table: Download, order: Download | None, release: FiscalRelease | None) -> FetchedRelease:
    """Read a release and hold it to what was asked for and to its own order file. Raises EditionError."""
    where = unquote(urlsplit(table.address).path.rpartition("/")[2])
    parts = unpack.parts_of(table.content, where, ("tabular", "index"))
    part = unpack.tabular_in(parts, table.content, where)
    tabular = read_tabular(part.content, part.where)
    starts = _starts(part, where, tabular, release)
    terms: list[IndexTerm] = []
    for index in parts:
        if index.kind == "index":
            year, found = read_index(index.content, index.where)
            if year != tabular.version:
                raise EditionError(f"{index.where} is for {year or 'no year'}, the Tabular List for {tabular.version}.")
            terms += found
    files = [table]
    if order is not None:
        _compare(tabular, order)
        files.append(order)
    return FetchedRelease(
        starts,
        catalog.last_day(starts),
        tabular,
        part.content,
        tuple(dict.fromkeys(terms)),
        tuple(files),
        order is not None,
    )


def _starts(part: unpack.ReleasePart, where: str, tabular: Tabular, release: FiscalRelease | None) -> date:
    """Return the first day of a release, held to what was asked for."""
    # The members of an April update may be named by the year alone; then the zip's own name tells the month.
    names = (part.name.rpartition("/")[2], where)
    stated = {name: installed.stated_start(name, tabular.version) for name in names}
    name = next(
        (name for name in names if stated[name] and stated[name] != FiscalRelease(int(tabular.version)).starts),
        names[-1],
    )
    if release is None:
        return installed.start_of(name, tabular.version)
    if tabular.version != str(release.year):
        raise EditionError(f"{part.where} is for fiscal year {tabular.version or 'none'}, not {release}.")
    if stated[name] not in (None, release.starts) and not release.update:
        raise EditionError(f"{part.where} is the release of {stated[name]:%B %Y}, not {release}.")
    return release.starts


def _compare(tabular: Tabular, order: Download) -> None:
    where = unquote(urlsplit(order.address).path.rpartition("/")[2])
    files = unpack.parts_of(order.content, where, ("order",))
    if len(files) != 1:
        raise EditionError(f"{where} holds {len(files) or 'no'} order files; a release has one.")
    order_file = orders.read_order(orders.text_of(files[0].content, files[0].where), files[0].where)
    listed = {code for code, row in order_file.items() if row.billable}
    billable = set(tabular.billable())
    if listed != billable:
        missing, more = sorted(listed - billable), sorted(billable - listed)
        example = canonical((missing or more)[0])
        raise EditionError(
            f"the Tabular List and {files[0].where} are of different releases: {len(missing) + len(more):,} billable "
            f"codes stand in one of them only, such as {example}."
        )
