"""Editions that the user has added: a packed file each, named by the days on which it is in force.

A Tabular List is kept as its XML, the codes of an order file alone as text.
"""

from __future__ import annotations

import contextlib
import lzma
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from weakcode.codes import catalog
from weakcode.codes.normalise import canonical
from weakcode.codes.sources.kept import DATA_VARIABLE, EditionSource, folder, index_of, installed
from weakcode.codes.storage import store
from weakcode.errors import EditionError

if TYPE_CHECKING:
    from weakcode.codes.sources.alphabetic import IndexTerm
    from weakcode.codes.sources.orders import OrderEntry
    from weakcode.codes.sources.tabular import Tabular

_MONTHS = {"jan": 1, "apr": 4, "oct": 10}
_MONTH = re.compile(r"(?<![a-z])(jan|apr|oct)(?:uary|il|ober)?(?![a-z])", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(20[12]\d)(?!\d)")
_MOST_RETIRED = 0.05
"""The share of the codes that a release may lack of those before it; none since 2015 lacked one in a hundred."""


def stated_start(name: str, version: str) -> date | None:
    """Return the first day of an edition as its file name and its own version (a fiscal year) tell it.

    A month in the name goes with the year in the name, or else with the fiscal year; without a month it is the
    release of 1 October before the fiscal year. None when nothing tells it.
    """
    months, years = _MONTH.findall(name), _YEAR.findall(name)
    fiscal = int(version) if _YEAR.fullmatch(version) else None
    if len(set(map(str.lower, months))) == 1:
        month = _MONTHS[months[0].lower()]
        if len(set(years)) == 1:
            return date(int(years[0]), month, 1)
        if fiscal is not None and not years:
            return date(fiscal - (month == 10), month, 1)
        return None
    if fiscal is None and len(set(years)) == 1:
        fiscal = int(years[0])
    return date(fiscal - 1, 10, 1) if fiscal is not None and not months else None


def add(path: Path, starts: date | None = None, ends: date | None = None) -> EditionSource:
    """Install a file of a release as CDC or CMS publishes it, detected by its content; return where it is now.

    A Tabular List is installed with the Alphabetic Index of its zip, an order file or order addenda as codes alone.
    Raises EditionError, and leaves the disk as it was, for any other file, for one that is not whole, and when its
    dates are not known or overlap those of another edition.
    """
    from weakcode.codes.sources.alphabetic import read_index
    from weakcode.codes.sources.orders import text_of
    from weakcode.codes.sources.tabular import read_tabular
    from weakcode.codes.sources.unpack import parts_of, read_file, tabular_in

    content = read_file(path)
    terms: list[IndexTerm] = []
    parts = parts_of(content, path.name, ("tabular", "index", "order", "addenda"))
    if not any(part.kind == "tabular" for part in parts):
        # The zip with an order file holds its addenda too, which say no more.
        for kind in ("order", "addenda"):
            for part in parts:
                if part.kind == kind:
                    return add_codes(text_of(part.content, part.where), _stated_by(part.name, path.name), starts, ends)
    if content.startswith(b"PK"):
        content = tabular_in(parts, content, path.name).content
        terms = [term for part in parts if part.kind == "index" for term in read_index(part.content, part.where)[1]]
    tabular = read_tabular(content, path.name)
    starts = starts or start_of(path.name, tabular.version)
    return install(tabular, content, starts, _last(starts, ends), terms)


def _stated_by(member: str, zipped: str) -> str:
    """Return the name that tells when a file of a zip begins to be in force: its own, or else that of the zip."""
    own = member.rpartition("/")[2]
    return zipped if stated_start(own, "") is None and stated_start(zipped, "") else own


def install(tabular: Tabular, xml: bytes, starts: date, ends: date, terms: Sequence[IndexTerm] = ()) -> EditionSource:
    """Keep a Tabular List, and the terms of its Alphabetic Index, for the days from `starts` to `ends`, both included.

    Raises EditionError, and leaves the disk as it was, where these days overlap those of another edition or the folder
    cannot be written. The list comes last and in one step, so that an edition is there whole or not at all.
    """
    from weakcode.codes.compiled import compile_tabular
    from weakcode.codes.sources.alphabetic import write_terms

    new = EditionSource(folder() / f"{starts}_{_last(starts, ends)}.xml.xz", starts, ends, bundled=False)
    _refuse_overlap(new)
    compile_tabular(tabular)
    index = index_of(new.path)
    if terms and not store.write_bytes(index, _packed(write_terms(terms))):
        raise _unwritable(new)
    try:
        return _written(new, xml)
    except EditionError:
        with contextlib.suppress(OSError):
            index.unlink()
        raise


def add_codes(text: str, where: str, starts: date | None = None, ends: date | None = None) -> EditionSource:
    """Install the codes of an order file, or of order addenda laid over the codes of the day before `starts`.

    `text` is the file's content and `where` its name, which tells the fiscal year where `starts` is not given. Notes
    stay those of the nearest Tabular List. Raises EditionError, and leaves the disk as it was, for a file that is
    neither, for addenda that do not fit the codes they are laid over, when the dates are not known or overlap those of
    another edition.
    """
    from weakcode.codes.sources import orders

    addendum = orders.read_addendum(text, where) if orders.is_addendum(text) else None
    listed = orders.read_order(text, where) if addendum is None else {}
    starts = starts or start_of(where, "")
    ends = _last(starts, ends)
    new = EditionSource(folder() / f"{starts}_{ends}.codes.xz", starts, ends, bundled=False, notes=False)
    _refuse_overlap(new)
    if addendum is not None:
        before = catalog.edition_for(starts - timedelta(days=1))
        listed = orders.laid_over(addendum, orders.listed_in(before), f"edition {before.name}", where)
    else:
        _refuse_cut(listed, starts, where)
    return _written(new, orders.order_text(listed).encode())


def _refuse_cut(listed: Mapping[str, OrderEntry], starts: date, where: str) -> None:
    """Raise EditionError for an order file that lacks more codes than any release ever retired."""
    before = catalog.edition_for(starts - timedelta(days=1))
    codes = [before.compact_code(number) for number in before.billable_ids]
    missing = [code for code in codes if code not in listed]
    if len(missing) > len(codes) * _MOST_RETIRED:
        raise EditionError(
            f"{where} lacks {len(missing):,} of the {len(codes):,} billable codes of {before.name}, such as "
            f"{canonical(missing[0])}; it is cut short, or not the order file of {starts:%B %Y}."
        )


def _last(starts: date, ends: date | None) -> date:
    ends = ends or catalog.last_day(starts)
    if ends < starts:
        raise EditionError(f"the edition would be in force from {starts} to {ends}; give a last day that is later.")
    return ends


def _refuse_overlap(new: EditionSource) -> None:
    known = catalog.all_sources()
    for one in known:
        if (one.starts, one.ends) == (new.starts, new.ends):
            how = "it comes with weakcode" if one.bundled else "remove it first to install it from another file"
            raise EditionError(f"edition {one.label} is installed already; {how}.")
    catalog.in_order([*known, new])


def _written(new: EditionSource, content: bytes) -> EditionSource:
    if not store.write_bytes(new.path, _packed(content)):
        raise _unwritable(new)
    catalog.forget()
    return new


def _packed(content: bytes) -> bytes:
    """Pack quickly: a release takes two to four seconds at the usual level, and a fifth less room."""
    return lzma.compress(content, preset=1)


def _unwritable(new: EditionSource) -> EditionError:
    return EditionError(f"{new.path.parent} cannot be written; set {DATA_VARIABLE} to a folder that can.")


def start_of(name: str, version: str) -> date:
    """Return what `stated_start` tells. Raises EditionError where that is nothing, or not the year of the file."""
    starts = stated_start(name, version)
    if starts is None:
        raise EditionError(f"neither the name {name} nor its version tells when it is in force; add --from YYYY-MM-DD.")
    fiscal = starts.year + (starts.month >= 10)
    if version.isdecimal() and int(version) != fiscal:
        raise EditionError(
            f"the name {name} tells {starts:%B %Y}, but the file says that it is for fiscal year {version};"
            " add --from YYYY-MM-DD."
        )
    return starts


def remove(name: str) -> EditionSource:
    """Uninstall an edition by its name. Raises EditionError for one that is bundled or not there."""
    try:
        known = list(catalog.all_sources())
    except EditionError:
        # Two that overlap are the very reason to remove one.
        known = installed(folder())
    source = catalog.named(name, known)
    if source.bundled:
        raise EditionError(f"edition {name} comes with {catalog.DISTRIBUTION} and cannot be removed.")
    try:
        source.path.unlink()
        index_of(source.path).unlink(missing_ok=True)
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be removed: {error.strerror}.") from None
    catalog.forget()
    return source
