"""Editions that the user has added: one packed XML file each, named by the days on which it is in force."""

from __future__ import annotations

import lzma
import os
import re
from datetime import date
from pathlib import Path

from weakcode.codes import catalog, store
from weakcode.codes.catalog import Source
from weakcode.errors import EditionError

DATA_VARIABLE = "WEAKCODE_DATA_DIR"

_MONTHS = {"jan": 1, "apr": 4, "oct": 10}
_MONTH = re.compile(r"(?<![a-z])(jan|apr|oct)(?:uary|il|ober)?(?![a-z])", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(20[12]\d)(?!\d)")
_STORED = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{4}-\d\d-\d\d)\.xml\.xz")


def data_dir() -> Path:
    """Return the folder for what the user installs: ``WEAKCODE_DATA_DIR``, or the user's data folder."""
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_data_path("weakcode")


def folder() -> Path:
    """Return the folder of the installed editions."""
    return data_dir() / "editions"


def installed(place: Path) -> list[Source]:
    """Return the editions in a folder, in no particular order; files of other names are left alone."""
    found: list[Source] = []
    try:
        paths = sorted(place.iterdir())
    except OSError:
        return found
    for path in paths:
        match = _STORED.fullmatch(path.name)
        if match:
            found.append(Source(path, date.fromisoformat(match[1]), date.fromisoformat(match[2]), bundled=False))
    return found


def told_start(name: str, version: str) -> date | None:
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


def add(path: Path, starts: date | None = None, ends: date | None = None) -> Source:
    """Install a Tabular List as CDC publishes it and return where it is now.

    Raises EditionError, and leaves the disk as it was, when the file is not a whole Tabular List, when its dates
    cannot be told or when they overlap those of another edition.
    """
    from weakcode.codes.compiled import compile_tabular
    from weakcode.codes.tabular import read_tabular
    from weakcode.codes.unpack import read_published

    content = read_published(path)
    tabular = read_tabular(content, path.name)
    starts = starts or _start(path.name, tabular.version)
    ends = ends or catalog.last_day(starts)
    if ends < starts:
        raise EditionError(f"The edition would be in force from {starts} to {ends}; give a last day that is later.")
    place = folder()
    new = Source(place / f"{starts}_{ends}.xml.xz", starts, ends, bundled=False)
    known = catalog.sources()
    for one in known:
        if (one.starts, one.ends) == (starts, ends):
            how = "it comes with weakcode" if one.bundled else "remove it first to install it from another file"
            raise EditionError(f"Edition {one.label} is installed already; {how}.")
    catalog.in_order([*known, new])
    compile_tabular(tabular)
    if not store.write_bytes(new.path, lzma.compress(content)):
        raise EditionError(f"{place} cannot be written; set {DATA_VARIABLE} to a folder that can.")
    catalog.forget()
    return new


def _start(name: str, version: str) -> date:
    starts = told_start(name, version)
    if starts is None:
        raise EditionError(f"Neither the name {name} nor its version tells when it is in force; add --from YYYY-MM-DD.")
    fiscal = starts.year + (starts.month >= 10)
    if version.isdecimal() and int(version) != fiscal:
        raise EditionError(
            f"The name {name} tells {starts:%B %Y}, but the file says that it is for fiscal year {version};"
            " add --from YYYY-MM-DD."
        )
    return starts


def remove(name: str) -> Source:
    """Uninstall an edition by its name. Raises EditionError for one that is bundled or not there."""
    try:
        known = list(catalog.sources())
    except EditionError:
        # Two that overlap are the very reason to remove one.
        known = installed(folder())
    source = catalog.named(name, known)
    if source.bundled:
        raise EditionError(f"Edition {name} comes with {catalog.DISTRIBUTION} and cannot be removed.")
    try:
        source.path.unlink()
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be removed: {error.strerror}.") from None
    catalog.forget()
    return source
