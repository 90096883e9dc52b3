"""Which editions there are, and which one judges a claim."""

from __future__ import annotations

import hashlib
import importlib.util
import lzma
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from weakcode._version import __version__
from weakcode.codes import store
from weakcode.codes.compiled import VERSION, columns, unpack_key
from weakcode.codes.edition import Edition
from weakcode.codes.validity import Validity, read_validity
from weakcode.errors import EditionError, EngineError, InputError, did_you_mean

if TYPE_CHECKING:
    from weakcode.codes.alphabetic import IndexTerm

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
    bundled: bool = True

    @property
    def name(self) -> str:
        """The name of the edition: year and month, such as ``2026-04``."""
        return f"{self.starts:%Y-%m}"

    @property
    def label(self) -> str:
        """The name with the days on which it is in force."""
        return _label(self)


class _InForce(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def starts(self) -> date: ...
    @property
    def ends(self) -> date: ...


_Dated = TypeVar("_Dated", Source, Edition)


def _label(one: _InForce) -> str:
    return f"{one.name} ({one.starts} to {one.ends})"


def last_day(starts: date) -> date:
    """Return the day before the next release: ICD-10-CM changes on 1 April and on 1 October."""
    releases = (date(starts.year, 4, 1), date(starts.year, 10, 1), date(starts.year + 1, 4, 1))
    return next(day for day in releases if day > starts and not _no_release(day)) - timedelta(days=1)


def _no_release(day: date) -> bool:
    """Tell whether codes stayed as they were on a 1 April: the first April release was 2020's, the next 2022's."""
    return day.month == 4 and (day.year < 2020 or day.year == 2021)


def _bundled_source() -> Source:
    return _source_in(_PACKAGE)


@cache
def _source_in(package: str) -> Source:
    """Find the file inside the installed distribution. Importing that package would cost two seconds."""
    try:
        spec = importlib.util.find_spec(package)
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
    """Return every edition at hand, bundled and installed, oldest first."""
    from weakcode.codes import installed

    place = installed.folder()
    try:
        changed = place.stat().st_mtime_ns
    except OSError:
        changed = 0
    return _sources(place, changed)


@lru_cache(maxsize=8)
def _sources(place: Path, changed: int) -> tuple[Source, ...]:
    """`changed` is when something last came into the folder or went, so that what is kept is what is there."""
    from weakcode.codes.installed import installed

    return in_order([_bundled_source(), *(installed(place) if changed else ())])


def forget() -> None:
    """Look at the folder of installed editions anew, after it was changed by this process."""
    _sources.cache_clear()
    _loaded.cache_clear()


def in_order(known: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources by date; raises EditionError where two are in force on the same day."""
    ordered = sorted(known, key=lambda source: source.starts)
    for earlier, later in pairwise(ordered):
        if later.starts <= earlier.ends:
            raise EditionError(
                f"Editions {earlier.label} and {later.label} are both in force on {later.starts}; keep one of them."
            )
        if later.name == earlier.name:
            raise EditionError(
                f"Editions {earlier.label} and {later.label} have one name; let one begin in another month."
            )
    return tuple(ordered)


def _identity(source: Source) -> str:
    try:
        stat = source.path.stat()
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    identity = (VERSION, str(source.path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, _index_digest(source))
    return hashlib.blake2b(repr(identity).encode(), digest_size=16).hexdigest()


def _listed(source: Source) -> tuple[IndexTerm, ...]:
    """Return the terms of the Alphabetic Index that was installed with a list; damage to them is an error."""
    from weakcode.codes.alphabetic import read_terms

    content = _index(source)
    try:
        return read_terms(lzma.decompress(content)) if content else ()
    except (lzma.LZMAError, EOFError, ValueError, TypeError):
        raise EditionError(
            f"The Alphabetic Index of edition {source.name} is damaged; remove the edition and fetch it again."
        ) from None


def _index(source: Source) -> bytes:
    from weakcode.codes.installed import index_of

    try:
        return b"" if source.bundled else index_of(source.path).read_bytes()
    except OSError:
        return b""


def _index_digest(source: Source) -> str:
    return hashlib.blake2b(_index(source), digest_size=16).hexdigest()


def _stored(source: Source) -> store.Stored:
    key = _identity(source)
    cached = store.cache_dir() / f"edition-{source.name}-{key[:12]}.bin"
    return store.read(cached, key) or _compile(source, key, cached)


def load(source: Source) -> Edition:
    """Open the edition of a Tabular List file: from the compiled cache where that fits, else anew."""
    stored = _stored(source)
    return Edition(
        stored,
        name=source.name,
        starts=source.starts,
        ends=source.ends,
        digest=stored.meta["digest"],
        validity=_validity(sources(), store.cache_dir()),
    )


@lru_cache(maxsize=8)
def _validity(known: tuple[Source, ...], cache: Path) -> Validity:
    """Return on which days codes are valid, as the editions at hand and CMS's tables tell; kept for each `cache`."""

    def codes_of(source: Source) -> Callable[[], list[str]]:
        return lambda: [unpack_key(key) for key in columns(_stored(source).sections)["codes"]]

    return read_validity([(_identity(one), one.starts, one.ends, codes_of(one)) for one in known])


def _compile(source: Source, key: str, cached: Path) -> store.Stored:
    from weakcode.codes.compiled import compile_tabular
    from weakcode.codes.tabular import read_tabular
    from weakcode.codes.unpack import read_published

    try:
        content = source.path.read_bytes() if source.bundled else read_published(source.path)
    except OSError as error:
        raise EditionError(f"{source.path.name} cannot be read: {error.strerror}.") from None
    meta, sections = compile_tabular(read_tabular(content, source.path.name), _listed(source))
    meta["digest"] = hashlib.blake2b(content, digest_size=32).hexdigest()
    packed = store.pack(key, meta, sections)
    store.keep(cached, packed)
    stored = store.open_bytes(packed, key)
    assert stored is not None, "a container that was just packed must open"
    return stored


# Held by source, so that a changed file is a different edition only in a new process.
_loaded = cache(load)


def bundled() -> Edition:
    """Return the edition that comes with weakcode's dependencies."""
    return _loaded(_bundled_source())


def named(name: str, known: Iterable[Source] | None = None) -> Source:
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
    """Return the edition of a name such as ``2026-04``."""
    return _loaded(named(name))


def source_for(service_date: date | None) -> Source:
    """Return which edition judges a day: the one in force; the nearest where none is; for None the newest."""
    return _judging(service_date, sources())


def _judging(day: date | None, known: Sequence[_Dated]) -> _Dated:
    if day is None:
        return known[-1]
    return min(known, key=lambda one: max((one.starts - day).days, (day - one.ends).days, 0))


def edition_for(service_date: date | None, *, strict: bool = False) -> Edition:
    """Return the edition in force on a day; the nearest where none covers it; for None the newest.

    Raises InputError where none covers it and `strict` is set.
    """
    source = source_for(service_date)
    if strict:
        _must_cover(service_date, source, sources())
    return _loaded(source)


def _must_cover(day: date | None, one: _InForce, known: Sequence[_InForce]) -> None:
    if day is not None and not one.starts <= day <= one.ends:
        there = ", ".join(map(_label, known))
        raise InputError(
            f"no edition in force on {day} is installed; there are {there}; weakcode edition add installs more"
        )


@attrs.frozen(eq=False)
class Shelf:
    """Editions at hand, oldest first, to be taken where the files they are from are not: pickled by content."""

    editions: tuple[Edition, ...]

    @classmethod
    def here(cls) -> Shelf:
        """Return every edition of this machine."""
        return cls(tuple(map(_loaded, sources())))

    def edition_for(self, service_date: date | None, *, strict: bool = False) -> Edition:
        """Return what the function of this name does, from these editions."""
        edition = _judging(service_date, self.editions)
        if strict:
            _must_cover(service_date, edition, self.editions)
        return edition

    def __reduce__(self) -> tuple[object, ...]:
        parts = [(e.stored, e.name, e.starts, e.ends, e.digest, e.validity) for e in self.editions]
        return _arrived, (__version__, parts)


def _arrived(made_by: str, parts: Sequence[tuple[store.Stored, str, date, date, str, Validity | None]]) -> Shelf:
    if made_by != __version__:
        raise EngineError(
            f"the rules come from weakcode {made_by}, but this machine has weakcode {__version__}; "
            "install the same version on all machines"
        )
    return Shelf(
        tuple(
            Edition(stored, name=name, starts=starts, ends=ends, digest=digest, validity=validity)
            for stored, name, starts, ends, digest, validity in parts
        )
    )
