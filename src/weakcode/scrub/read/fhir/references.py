"""What claims refer to: the Patients and Conditions of one file, or of all files of a run, in bounded memory."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable
from typing import Any, BinaryIO, Generic, TypeVar

from weakcode.errors import InputError
from weakcode.scrub.formats import FORMATS
from weakcode.scrub.read.archives import members_of, plain_suffix
from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.fhir.lines import Resources, Take
from weakcode.scrub.read.fhir.resource import Person, keys_of, person_of
from weakcode.scrub.read.fhir.resources import resources_in
from weakcode.scrub.read.fhir.values import TakeAt
from weakcode.scrub.read.inputs import Stream, looks_like_fhir

MOST_IN_MEMORY = 200_000
"""Resources in memory; more are kept in a file that is gone when the run ends."""
_REFERRED = re.compile(rb'"resourceType"\s*:\s*"(?:Patient|Condition)"')
_WORDS = (b'"Patient"', b'"Condition"')
_LONGEST_MARK = 256
_Value = TypeVar("_Value")


class SpillingMap(Generic[_Value]):
    """Values by key, of which only so many are in memory. None stands for a key under which two values differ."""

    def __init__(self) -> None:
        self._values: dict[str, _Value | None] = {}
        self._kept: sqlite3.Connection | None = None

    def put(self, key: str, value: _Value) -> None:
        """Add a value; where the key has another one, it has none from now on: better none than the wrong one."""
        known = self._values[key] if key in self._values else self._look(key)
        self._values[key] = value if known is _NOTHING or known == value else None
        if len(self._values) > MOST_IN_MEMORY:
            self._keep()

    def get(self, key: str) -> _Value | None:
        """Return the value, None where there is none."""
        found = self._values[key] if key in self._values else self._look(key)
        return None if found is _NOTHING else found

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all."""
        return not self._values and self._kept is None

    def _look(self, key: str) -> Any:
        if self._kept is None:
            return _NOTHING
        row = self._kept.execute("SELECT value FROM kept WHERE key = ?", (key,)).fetchone()
        return _NOTHING if row is None else self.loaded(row[0])

    def _keep(self) -> None:
        if self._kept is None:
            # A file without a name, which is gone with the connection. It is read from one thread at a time.
            self._kept = sqlite3.connect("", check_same_thread=False)
            self._kept.execute("CREATE TABLE kept (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
        rows = [(key, self.dumped(value)) for key, value in self._values.items()]
        self._kept.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", rows)
        self._kept.commit()
        self._values.clear()

    def dumped(self, value: _Value | None) -> str:
        """Return a value as text."""
        return json.dumps(value)

    def loaded(self, text: str) -> _Value | None:
        """Return the value of a text."""
        value: _Value | None = json.loads(text)
        return value


class _People(SpillingMap[Person]):
    def dumped(self, value: Person | None) -> str:
        return json.dumps(None if value is None else [value.birth_date, value.sex])

    def loaded(self, text: str) -> Person | None:
        values = json.loads(text)
        return None if values is None else Person(*values)


_NOTHING: Any = object()


class References:
    """The Patients and the codings of Conditions of some files."""

    def __init__(self) -> None:
        self.people: SpillingMap[Person] = _People()
        self.conditions: SpillingMap[Any] = SpillingMap()

    @classmethod
    def of_files(cls, paths: Iterable[str | os.PathLike[str]]) -> References:
        """Read those of all files that hold FHIR; what cannot be opened is reported when it is read for its claims."""
        references = cls()
        for path in paths:
            if isinstance(path, Stream):
                continue
            try:
                members = members_of(path)
                for member in members:
                    with member.open() as file:
                        start = file.peek(4096) if hasattr(file, "peek") else b""
                        if not FORMATS["arrow"].is_begun(start) and looks_like_fhir(start, plain_suffix(member.name)):
                            references.add(file)
            except InputError:
                continue
        return references

    def add(self, file: BinaryIO) -> None:
        """Read those of a file, which may stand after the claims; go back to its start."""
        if not file.seekable() or not _mentions(file):
            return
        elements = (element for element in Resources(file).each(*_passing_over()) if element is not None)
        for element in elements:
            for resource, _ in resources_in(element):
                if not isinstance(resource, dict) or resource.get("resourceType") not in ("Patient", "Condition"):
                    continue
                full_url = element.value.get("fullUrl") if isinstance(element.value, dict) else None
                for key in keys_of(resource, full_url):
                    if resource["resourceType"] == "Condition":
                        self.conditions.put(key, resource.get("code"))
                    else:
                        self.people.put(key, person_of(resource))
        file.seek(0)


def _passing_over() -> tuple[Take, TakeAt]:
    """Return what takes the resources that are no Patient and no Condition, so that no objects are made of them."""
    lines = _claims.Lines()

    def take(line: bytes, number: int, start: int) -> int:
        outcome = lines.add(line)
        return _claims.ADDED if outcome == _claims.SOUND and not _may_be_one(line) else outcome

    def take_at(text: bytes, at: int, number: int, start: int, path: str) -> tuple[int, int]:
        outcome, end, _ = lines.add_at(text, at)
        return (_claims.ADDED if outcome == _claims.SOUND and not _may_be_one(text[at:end]) else outcome), end

    return take, take_at


def _may_be_one(text: bytes) -> bool:
    """Tell whether a text may name a Patient or Condition as the type of a resource, be it in escapes."""
    return b"\\u00" in text or any(_claims.holds(text, word) for word in _WORDS)


def _mentions(file: BinaryIO) -> bool:
    before = b""
    found = False
    while not found and (block := file.read(1 << 20)):
        text = before + block
        found = any(_claims.holds(text, word) for word in _WORDS) and _REFERRED.search(text) is not None
        before = block[-_LONGEST_MARK:]
    file.seek(0)
    return found
