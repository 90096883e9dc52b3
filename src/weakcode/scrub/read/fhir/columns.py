"""What is read of a file of FHIR, gathered into batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import orjson

from weakcode.scrub.read import batch
from weakcode.scrub.read.batch import ClaimBatch
from weakcode.scrub.read.fhir import _claims
from weakcode.scrub.read.fhir.batch import FhirBatch, Line, put
from weakcode.scrub.read.fhir.lines import element_of
from weakcode.scrub.read.fhir.resource import ICD10CM, KnownResources, kind_of, poa_of
from weakcode.scrub.read.fhir.stream import Element
from weakcode.scrub.read.log import IN_NO_ORDER
from weakcode.scrub.read.rows import Record, Rejected

MOST_BYTES = 1 << 24
"""Of resources in a batch."""


class Columns:
    """Takes claims in the order of the file: resources that are plain natively, others as they were read."""

    def __init__(self, name: str, known: KnownResources, again: Callable[[Element], Record]) -> None:
        self._name, self._known, self._again = name, known, again
        person_of = None if known.nobody else partial(_person, known)
        self._claims = _claims.Claims(ICD10CM, _kind, person_of, _poa)
        self._lines: list[Line] = []
        self._bytes = 0
        self._records: dict[int, Record] = {}
        self._rejected: list[tuple[int, Rejected]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits to be given."""
        return not self._lines and not self._rejected

    @property
    def is_full(self) -> bool:
        """Whether as much waits as is judged together."""
        return len(self._lines) + len(self._rejected) >= batch.ROWS or self._bytes >= MOST_BYTES

    def take(self, line: bytes, number: int, start: int) -> int:
        """Take a line that is a plain claim: ADDED, SOUND or REFUSED."""
        outcome = self._claims.add(line)
        if outcome == _claims.ADDED:
            self._lines.append((line, number, start, "", None))
            self._bytes += len(line)
        return outcome

    def take_at(self, text: bytes, at: int, number: int, start: int, path: str) -> tuple[int, int]:
        """Take a value that is a plain claim or the entry of one: ADDED, SOUND, REFUSED or MORE, and where it ends."""
        outcome, end, is_entry = self._claims.add_at(text, at)
        if outcome == _claims.ADDED:
            inner = f"{path}.resource".removeprefix(".") if is_entry else path
            self._lines.append((text[at:end], number, start, path, inner))
            self._bytes += end - at
        return outcome, end

    def put(self, outcome: Record | Rejected) -> Iterator[ClaimBatch]:
        """Take what was read of another resource; give what waited where it cannot stand in columns."""
        if isinstance(outcome, Rejected):
            self._rejected.append((len(self._lines), outcome))
        else:
            self._records[len(self._lines)] = outcome
            self._lines.append((b"", outcome.line, 0, "", None))
            self._bytes += len(outcome.raw)
            put(self._claims, outcome.claim, outcome.order)
        if self.is_full:
            yield from self.batch()

    def batch(self) -> Iterator[ClaimBatch]:
        """Give what waits, if there is anything."""
        if self.is_empty:
            return
        self._known.missed("patients not found", self._claims.unknown_patients)
        found = FhirBatch(
            self._name, self._records, tuple(self._rejected), self._claims.take(), self._lines, self._read
        )
        if found.orders is not None:
            # Those that were read one by one were counted then.
            read = sum(record.order != "all" for record in self._records.values())
            self._known.missed(IN_NO_ORDER, int(np.count_nonzero(found.orders)) - read)
        yield found
        self._lines, self._bytes, self._records, self._rejected = [], 0, {}, []

    def _read(self, line: Line) -> Record:
        element = element_of(*line[:4])
        assert element is not None, "the line was read before"
        return self._again(element)


def _kind(text: bytes) -> tuple[bytes | None, str]:
    setting, order = kind_of(orjson.loads(text))
    return None if setting is None else setting.encode(), order


def _poa(text: bytes) -> bytes | None:
    indicator = poa_of(orjson.loads(text))
    return None if indicator is None else indicator.encode()


def _person(known: KnownResources, reference: str) -> tuple[bytes | None, bytes | None] | None:
    person = known.person_of(reference)
    return None if person is None else _encoded(*person)


def _encoded(birth_date: str | None, sex: str | None) -> tuple[bytes | None, bytes | None]:
    return None if birth_date is None else birth_date.encode(), None if sex is None else sex.encode()
