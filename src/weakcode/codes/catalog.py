"""Which editions there are, and which one judges a claim."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path

import attrs

from weakcode.codes import store
from weakcode.codes.compiled import VERSION
from weakcode.codes.edition import Edition
from weakcode.errors import EditionError

DISTRIBUTION = "simple-icd-10-cm"
_PACKAGE = "simple_icd_10_cm"
_MONTHS = {"january": 1, "april": 4, "october": 10}
_FILE = re.compile(
    r"tabular.*?(?P<month>January|April|October)[-_ ](?P<day>[0-9]{1,2})[-_ ](?P<year>[0-9]{4})",
    re.IGNORECASE,
)


@attrs.frozen
class Source:
    """A Tabular List file and the days, both included, on which it is in force."""

    path: Path
    starts: date
    ends: date

    @property
    def name(self) -> str:
        """The name of the edition: year and month, such as ``2026-04``."""
        return f"{self.starts:%Y-%m}"


def last_day(starts: date) -> date:
    """Return the day before the next release: ICD-10-CM changes on 1 April and on 1 October."""
    releases = (date(starts.year, 4, 1), date(starts.year, 10, 1), date(starts.year + 1, 4, 1))
    return next(day for day in releases if day > starts) - timedelta(days=1)


def _bundled_source() -> Source:
    """Find the file inside the installed distribution. Importing that package would cost two seconds."""
    try:
        spec = importlib.util.find_spec(_PACKAGE)
    except (ImportError, ValueError):
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise EditionError(f"{DISTRIBUTION}, which carries the Tabular List, is not installed; install it.")
    found: list[Source] = []
    for path in sorted(file for folder in folders for file in Path(folder, "data").glob("*.xml")):
        match = _FILE.search(path.name)
        if match:
            starts = date(int(match["year"]), _MONTHS[match["month"].lower()], int(match["day"]))
            found.append(Source(path, starts, last_day(starts)))
    if not found:
        raise EditionError(
            f"The installed {DISTRIBUTION} holds no Tabular List named like icd10c-tabular-April-1-2026.xml;"
            " install version 1.5.0."
        )
    return max(found, key=lambda source: source.starts)


def sources() -> tuple[Source, ...]:
    """Return every edition at hand, oldest first. More kinds of places to look in are added here."""
    return in_order([_bundled_source()])


def in_order(known: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources by date; raises EditionError where two are in force on the same day."""
    ordered = sorted(known, key=lambda source: source.starts)
    for earlier, later in pairwise(ordered):
        if later.starts <= earlier.ends:
            raise EditionError(
                f"Editions {earlier.name} and {later.name} are both in force on {later.starts};"
                " keep one of them."
            )
    return tuple(ordered)


def load(source: Source) -> Edition:
    """Open the edition of a Tabular List file: from the compiled cache where that fits, else anew."""
    try:
        stat = source.path.stat()
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    identity = (VERSION, str(source.path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    key = hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()
    cached = store.cache_dir() / f"edition-{source.name}-{key[:12]}.bin"
    stored = store.read(cached, key)
    if stored is None:
        stored = _compile(source, key, cached)
    return Edition(
        stored, name=source.name, starts=source.starts, ends=source.ends, digest=stored.meta["digest"]
    )


def _compile(source: Source, key: str, cached: Path) -> store.Stored:
    from weakcode.codes.compiled import compile_tabular
    from weakcode.codes.tabular import read_tabular

    try:
        content = source.path.read_bytes()
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    meta, sections = compile_tabular(read_tabular(content, source.path.name))
    meta["digest"] = hashlib.blake2b(content, digest_size=32).hexdigest()
    packed = store.pack(key, meta, sections)
    store.write_bytes(cached, packed)
    stored = store.open_bytes(packed, key)
    assert stored is not None, "a container that was just packed must open"
    return stored


# Held by source, so that a changed file is a different edition only in a new process.
_loaded = cache(load)


def bundled() -> Edition:
    """Return the edition that comes with weakcode's dependencies."""
    return _loaded(_bundled_source())


def edition_for(service_date: date | None) -> Edition:
    """Return the edition in force on a day; the nearest where none covers it; for None the newest."""
    known = sources()
    if service_date is None:
        return _loaded(known[-1])
    day = service_date

    def distance(source: Source) -> int:
        return max((source.starts - day).days, (day - source.ends).days, 0)

    return _loaded(min(known, key=distance))
