"""Which editions there are, and which one judges a claim.

A Tabular List gives the notes for the days on which it is in force and for those to which it is the nearest. The codes
are those in force on the day: by the shipped table, or by what the user has installed for it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import lzma
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import attrs

from weakcode._version import __version__
from weakcode.base.building import uncollected
from weakcode.base.clock import today
from weakcode.base.progress import doing
from weakcode.codes import table
from weakcode.codes.compiled import VERSION
from weakcode.codes.edition import Edition
from weakcode.codes.holds import codes_hold, edition_holds
from weakcode.codes.keys import pack_keys
from weakcode.codes.sources.kept import EditionSource, folder, index_of, installed, read_codes
from weakcode.codes.storage import shipped, store
from weakcode.codes.storage.shape import EDITION
from weakcode.codes.validity import CodeSource
from weakcode.errors import EditionError, EngineError, InputError, did_you_mean

DISTRIBUTION = "simple-icd-10-cm"
_PACKAGE = "simple_icd_10_cm"
_MONTHS = {"january": 1, "april": 4, "october": 10}
_FILE = re.compile(
    r"tabular.*?(?P<month>January|April|October)[-_ ](?P<day>[0-9]{1,2})[-_ ](?P<year>[0-9]{4})",
    re.IGNORECASE,
)


def last_day(starts: date) -> date:
    """Return the day before the next release: ICD-10-CM changes on 1 April and on 1 October."""
    releases = (date(starts.year, 4, 1), date(starts.year, 10, 1), date(starts.year + 1, 4, 1))
    return next(day for day in releases if day > starts and not _no_release(day)) - timedelta(days=1)


def _no_release(day: date) -> bool:
    """Tell whether codes stayed as they were on a 1 April: the first April release was 2020's, the next 2022's."""
    return day.month == 4 and (day.year < 2020 or day.year == 2021)


def _bundled_source() -> EditionSource:
    return _source_in(_PACKAGE)


@cache
def _source_in(package: str) -> EditionSource:
    """Find the file inside the installed distribution. Importing that package would cost two seconds."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not folders:
        raise EditionError(f"{DISTRIBUTION}, which carries the Tabular List, is not installed; install it.")
    found: list[EditionSource] = []
    for path in sorted(file for place in folders for file in Path(place, "data").glob("*.xml")):
        match = _FILE.search(path.name)
        if match:
            starts = date(int(match["year"]), _MONTHS[match["month"].lower()], int(match["day"]))
            found.append(EditionSource(path, starts, last_day(starts)))
    if not found:
        raise EditionError(
            f"the installed {DISTRIBUTION} holds no Tabular List named like icd10c-tabular-April-1-2026.xml;"
            " install version 1.5.0."
        )
    return max(found, key=lambda source: source.starts)


def sources() -> tuple[EditionSource, ...]:
    """Return every Tabular List at hand, bundled and installed, oldest first."""
    return tuple(one for one in all_sources() if one.notes)


def all_sources() -> tuple[EditionSource, ...]:
    """Return every Tabular List at hand and every list of codes alone, oldest first."""
    place = folder()
    try:
        changed = place.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _sources(place, changed)


@lru_cache(maxsize=8)
def _sources(place: Path, changed: int) -> tuple[EditionSource, ...]:
    """`changed` is when something last came into the folder or went, so that what is kept is what is there."""
    return in_order([_bundled_source(), *(installed(place) if changed else ())])


def forget() -> None:
    """Look at the folder of installed editions anew, after it was changed by this process."""
    _sources.cache_clear()
    _loaded.cache_clear()


def in_order(known: Iterable[EditionSource]) -> tuple[EditionSource, ...]:
    """Return the sources by date; raises EditionError where two are in force on the same day."""
    ordered = sorted(known, key=lambda source: source.starts)
    for earlier, later in pairwise(ordered):
        if later.starts <= earlier.ends:
            raise EditionError(
                f"editions {earlier.label} and {later.label} are both in force on {later.starts}; keep one of them."
            )
        if later.name == earlier.name:
            raise EditionError(
                f"editions {earlier.label} and {later.label} have one name; let one begin in another month."
            )
    return tuple(ordered)


def _identity(source: EditionSource) -> str:
    """Return what a compiled list is made of: the content of its files, never where they are or how old."""
    try:
        stat = source.path.stat()
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    content = _content_digest(source.path, stat.st_size, stat.st_mtime_ns)
    identity = (VERSION, content, hashlib.blake2b(_index(source), digest_size=16).hexdigest())
    return hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=64)
def _content_digest(path: Path, size: int, changed: int) -> str:
    """`size` and `changed` are those of the file, so that what this process remembers is what is there."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _terms(source: EditionSource) -> bytes:
    """Return the terms of the Alphabetic Index that was installed with a list, as text; damage to them is an error."""
    from weakcode.codes.sources.alphabetic import read_terms

    packed = _index(source)
    try:
        content = lzma.decompress(packed) if packed else b""
        read_terms(content)
        return content
    except (lzma.LZMAError, EOFError, ValueError, TypeError):
        raise EditionError(
            f"the Alphabetic Index of edition {source.name} is damaged; remove the edition and fetch it again."
        ) from None


def _index(source: EditionSource) -> bytes:
    try:
        return b"" if source.bundled or not source.notes else index_of(source.path).read_bytes()
    except OSError:
        return b""


def load(source: EditionSource) -> Edition:
    """Open a Tabular List with the codes of all days: from the compiled cache where that fits, else anew."""
    known = all_sources()
    parts = (shipped.made_by("codes"), table.digest(), _identity(source), [_identity(one) for one in known])
    key = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
    cached = store.cache_dir() / f"edition-{source.name}-{key[:12]}.bin"
    stored = shipped.read(cached, key, EDITION, edition_holds) or _compile(source, known, key, cached)
    return Edition(stored, name=source.name, starts=source.starts, ends=source.ends, digest=stored.meta["digest"])


def _compile(source: EditionSource, known: Sequence[EditionSource], key: str, cached: Path) -> store.Container:
    with doing(f"compiling the Tabular List {source.name}, which is kept for the next time"), uncollected():
        # What is read is let go before Python looks for circles of garbage again, which would walk through all of it.
        meta, sections = _columns(source, known)
        # Of what it holds, not of where that is from: what is added and tells nothing new changes no compiled program.
        digest = hashlib.blake2b(json.dumps(meta, sort_keys=True).encode(), digest_size=32)
        for name, section in sorted(sections.items()):
            digest.update(f"{name}:{len(section)}:".encode() + section)
        meta["digest"] = digest.hexdigest()
        return _stored(key, cached, meta, sections, ships=source.bundled and len(known) == 1)


def _columns(source: EditionSource, known: Sequence[EditionSource]) -> tuple[dict[str, Any], dict[str, bytes]]:
    import numpy as np

    from weakcode.codes.sources.tabular import read_tabular
    from weakcode.codes.universe import compile_edition
    from weakcode.codes.validity import calendar

    tabular = read_tabular(_content(source), source.path.name)
    own = np.array(pack_keys([code for node in tabular.places.values() for code in node.codes()]))
    others = [_code_source(one) for one in known if one != source]
    facts = table.table()
    dates = calendar(facts, {source.release: own} | {one.release: np.array(pack_keys([*one.codes])) for one in others})
    return compile_edition(tabular, own, others, facts, dates, _terms(source))


def _stored(
    key: str, place: Path, meta: dict[str, Any], sections: dict[str, bytes], *, ships: bool = False
) -> store.Container:
    packed = store.pack(key, meta, sections)
    shipped.keep(place, packed, ships=ships)
    stored = store.open_bytes(packed, key)
    assert stored is not None, "a container that was just packed must open"
    return stored


def _content(source: EditionSource) -> bytes:
    from weakcode.codes.sources.unpack import read_published

    try:
        return source.path.read_bytes() if source.bundled else read_published(source.path)
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None


def _code_source(source: EditionSource) -> CodeSource:
    """Return the codes and headers of a file; those of a Tabular List from the cache where that fits."""
    if not source.notes:
        return read_codes(source)
    key = _identity(source)
    place = store.cache_dir() / f"codes-{source.name}-{key[:12]}.bin"
    stored = store.read(place, key, holds=codes_hold)
    if stored is None:
        from weakcode.codes.sources.tabular import read_tabular
        from weakcode.codes.universe import listed

        found = listed(read_tabular(_content(source), source.path.name), source.release)
        stored = _stored(key, place, {"codes": dict(found.codes), "headers": dict(found.headers)}, {})
    return CodeSource(source.release, stored.meta["codes"], stored.meta["headers"])


# Held by source, so that a changed file is a different edition only in a new process.
_loaded = cache(load)


def bundled() -> Edition:
    """Return the Tabular List that comes with weakcode's dependencies, with the codes of all days."""
    return _loaded(_bundled_source())


def named(name: str, known: Iterable[EditionSource] | None = None) -> EditionSource:
    """Return the edition of a name. Raises EditionError for one that is not there, naming those that are."""
    known = sources() if known is None else tuple(known)
    for source in known:
        if source.name == name:
            return source
    names = [source.name for source in known]
    raise EditionError(
        f'There is no edition "{name}"{did_you_mean(name, names)}; there are {", ".join(names) or "none"}.'
    )


def edition_named(name: str) -> Edition:
    """Return the edition of a name such as ``2026-04``: a Tabular List's, or that of any code set."""
    known = bundled().releases
    release = min((one for one in known if one.name == name), key=lambda one: one.tabled, default=None)
    if release is None:
        names = list(dict.fromkeys(one.name for one in known))
        raise EditionError(f'There is no edition "{name}"{did_you_mean(name, names)}; there are {", ".join(names)}.')
    return edition_for(release.starts)


def source_for(service_date: date | None) -> EditionSource:
    """Return whose notes judge a day: those in force; the nearest where none are; for None those of today."""
    return _nearest(service_date or today(), sources(), lambda source: (source.starts, source.ends))


_Dated = TypeVar("_Dated", EditionSource, Edition)


def _nearest(day: date, known: Sequence[_Dated], days: Callable[[_Dated], tuple[date, date]]) -> _Dated:
    def distance(one: _Dated) -> int:
        starts, ends = days(one)
        return max((starts - day).days, (day - ends).days, 0)

    return min(known, key=distance)


def edition_for(service_date: date | None, *, strict: bool = False) -> Edition:
    """Return the edition of a day: its codes with the notes that are nearest to it; for None that of today.

    Raises InputError where the codes of the day are not known and `strict` is set.
    """
    return _judging(service_date, _loaded(source_for(service_date)), strict=strict)


def _judging(day: date | None, whole: Edition, *, strict: bool) -> Edition:
    edition = whole.on(day or today())
    if strict and day is not None and not edition.starts <= day <= edition.ends:
        first = min(one.starts for one in whole.releases)
        raise InputError(f"no codes are known for {day}, only for {first} to {whole.last_day}")
    return edition


@attrs.frozen(eq=False)
class EditionSet:
    """Tabular Lists at hand, oldest first, to be taken where the files they are from are not: pickled by content."""

    editions: tuple[Edition, ...]

    @classmethod
    def here(cls) -> EditionSet:
        """Return every Tabular List of this machine, with the codes of all days."""
        return cls(tuple(map(_loaded, sources())))

    def edition_for(self, service_date: date | None, *, strict: bool = False) -> Edition:
        """Return what the function of this name does, from these editions."""
        day = service_date or today()
        whole = _nearest(day, self.editions, lambda one: (one.notes_from, one.notes_to))
        return _judging(service_date, whole, strict=strict)

    def __reduce__(self) -> tuple[object, ...]:
        parts = [(e.stored, e.name, e.starts, e.ends, e.digest) for e in self.editions]
        return _unpickled, (__version__, parts)


def _unpickled(made_by: str, parts: Sequence[tuple[store.Container, str, date, date, str]]) -> EditionSet:
    if made_by != __version__:
        raise EngineError(
            f"the rules come from weakcode {made_by}, but this machine has weakcode {__version__}; "
            "install the same version on all machines"
        )
    return EditionSet(
        tuple(
            Edition(stored, name=name, starts=starts, ends=ends, digest=digest)
            for stored, name, starts, ends, digest in parts
        )
    )
