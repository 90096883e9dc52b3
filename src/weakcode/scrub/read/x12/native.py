"""Reads 837 files in blocks: plain stretches by the native reader, the rest by the one in Python.

The native reader (`_reader`) stops where a claim, or a segment between claims, is not plain. From there the reader in
Python (`loops`) goes on to the end of that claim, with the same state, which is then handed back. So what becomes of a
claim does not depend on how it was read.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from typing import BinaryIO, cast

from weakcode.claims import Claim, ServiceLine
from weakcode.fields.parsers import SETTINGS, Sex
from weakcode.scrub.columns.native import EPOCH, day_number, word
from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12 import _reader
from weakcode.scrub.read.x12.claimblock import ClaimBlock, Transaction
from weakcode.scrub.read.x12.draft import KINDS, Envelope, Patient
from weakcode.scrub.read.x12.loops import Loops
from weakcode.scrub.read.x12.parties import BILLING, Parties
from weakcode.scrub.read.x12.segments import BETWEEN, Delimiters, Segments, Spot

BLOCK_BYTES = 1 << 23
"""Of a file that are in memory at a time, and of which the claims are judged together."""
_MOST_WAITING = 1 << 25
"""Bytes in which no claim has ended, after which the reader in Python, which bounds its memory, goes on."""
_MOST_ROWS = 32_768
_SHORT = 256
"""Bytes: a native stretch not longer than this was hardly worth the way there."""
_MOST_PATIENCE = 1_024
_CONTROL = re.compile(r"[A-Za-z0-9]{1,20}")
_SEXES: tuple[Sex, ...] = ("F", "M")


class NativeClaims:
    """Iterator over the blocks of one file, each with the bytes read so far. `loops` has what a block does not hold.

    Raises InputError where the file does not begin with an ISA segment.
    """

    def __init__(self, file: BinaryIO, name: str, loops: Loops) -> None:
        self._file = _Window(file)
        self._name = name
        self._loops = loops
        self._reader = _reader.Reader()
        self._at: Spot | None = None
        self._transactions: list[Transaction] = []
        self._records: dict[int, Record] = {}
        self._rejected: list[tuple[int, Rejected]] = []

    def __iter__(self) -> Iterator[tuple[ClaimBlock, int]]:
        patience = 1
        while True:
            before = self._here
            wants_more = self._at is not None and self._read_plain() and not self._file.ended
            if wants_more and self._file.end - self._here < _MOST_WAITING:
                yield from self._block()
                self._file.more(BLOCK_BYTES)
                continue
            short = self._here - before <= _SHORT
            patience = min(patience * 2, _MOST_PATIENCE) if short else 1
            if not self._look_closer(patience):
                self._keep(self._loops.end())
                yield from self._block()
                return
            if len(self._reader) + len(self._rejected) >= _MOST_ROWS:
                yield from self._block()

    @property
    def _here(self) -> int:
        return self._at.offset if self._at else 0

    def _read_plain(self) -> bool:
        """Read natively from where the reading is; tell whether only more text can show how it goes on."""
        loops, reader, at = self._loops, self._reader, self._at
        assert at is not None
        if not _is_plain(at.delimiters):
            return False
        signs = at.delimiters
        reader.delimiters(
            (signs.element + signs.component + signs.segment + (signs.repetition or "\0")).encode("latin-1")
        )
        state = self._state()
        reader.place(at.offset - self._file.start, at.line, at.column, loops.last_line)
        reader.transaction(*state)
        patient = self._patient()
        reader.patient(*patient)
        exhausted = reader.read(self._file.text)
        offset, line, column, loops.last_line = reader.placed()
        self._at = Spot(offset + self._file.start, line, column, signs)
        now, undiagnosed = reader.transacted()
        loops.undiagnosed += undiagnosed
        if now != state:
            self._take_state(*now, transaction_changed=(now[5], now[7], now[9]) != (state[5], state[7], state[9]))
        found = reader.known_patient()
        if found != patient:
            birth, sex, _, billing, words = found
            date = None if birth == _reader.NO_DAY else EPOCH + dt.timedelta(birth)
            loops.patient = (
                Patient(date, None if sex < 0 else _SEXES[sex]) if found[:3] != patient[:3] else loops.patient
            )
            loops.parties, loops.entity = Parties.of(words), BILLING if billing else ""
        added = reader.envelopes() - len(self._transactions)
        self._transactions += [Transaction(loops.envelope.interchange, signs)] * added
        return exhausted

    def _state(self) -> tuple[int, int, int, int, bool, bool, bool, int, int, bytes]:
        loops = self._loops
        control = loops.open.get("ST", "")
        usable = control == loops.envelope.transaction and _CONTROL.fullmatch(control)
        return (
            loops.number, loops.claims, loops.sets, loops.last_level, loops.levels_count, "ST" in loops.open,
            loops.other_set, KINDS.index(loops.envelope.kind), KINDS.index(loops.group_kind),
            control.encode() if usable else b"",
        )  # fmt: skip

    def _take_state(
        self, number: int, claims: int, sets: int, last_level: int, levels_count: bool, in_837: bool, in_other: bool,
        kind: int, group_kind: int, control: bytes, *, transaction_changed: bool,
    ) -> None:  # fmt: skip
        loops = self._loops
        if transaction_changed:
            loops.envelope = Envelope(loops.envelope.interchange, control.decode(), KINDS[kind])
            loops.open.pop("ST", None)
            if in_837:
                loops.open["ST"] = control.decode()
        loops.seen_837 |= sets != loops.sets
        loops.number, loops.claims, loops.sets = number, claims, sets
        loops.last_level, loops.levels_count = last_level, levels_count

    def _patient(self) -> tuple[int, int, bool, bool, tuple[bytes, ...]]:
        patient, loops = self._loops.patient, self._loops
        sex = -1 if patient.sex is None else _SEXES.index(patient.sex)
        words = tuple(loops.parties.words())
        return day_number(patient.birth_date), sex, patient.problem is None, loops.entity == BILLING, words

    def _look_closer(self, patience: int) -> bool:
        """Read some segments, and on to the end of their claim, in Python; False where the file ends."""
        loops, file = self._loops, self._file
        stream = cast(BinaryIO, _Stream(file, self._here))
        segments = Segments(stream, self._name, self._at)
        for count, segment in enumerate(segments):
            if segments.delimiters is not loops.delimiters:
                loops.delimit(segments.delimiters)
            self._keep(loops.close(segment))
            if count >= patience and loops.claim is None:
                self._at = Spot(segment.offset, segment.line, segment.column, segments.delimiters)
                return True
            self._keep(loops.take(segment))
        return False

    def _keep(self, outcomes: tuple[Record | Rejected, ...]) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Rejected):
                self._rejected.append((len(self._reader), outcome))
            else:
                self._records[len(self._reader)] = outcome
                _put(self._reader, outcome.claim)

    def _block(self) -> Iterator[tuple[ClaimBlock, int]]:
        """Give the claims since the last block, if there are any, and forget the text before them."""
        if len(self._reader) or self._rejected:
            columns = self._reader.take()
            yield (
                ClaimBlock(
                    self._name,
                    self._records,
                    tuple(self._rejected),
                    self._file.text,
                    self._file.start,
                    columns,
                    self._transactions,
                ),
                self._file.end,
            )
            self._transactions, self._records, self._rejected = [], {}, []
        if self._at is not None:
            self._file.forget(self._at.offset)


class _Window:
    """The part of a file that is in memory: `text`, with the offsets of its start and end in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.text = b""
        self.start = 0
        self.ended = False

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def more(self, size: int) -> None:
        """Read on."""
        block = self._file.read(size)
        self.ended = not block
        if block:
            self.text = self.text + block if self.text else block

    def forget(self, offset: int) -> None:
        """Let go of what stands before an offset."""
        self.text = self.text[offset - self.start :]
        self.start = offset


class _Stream:
    """What a window holds and what follows it, from an offset on, as a file. Small parts first: few may be read."""

    def __init__(self, window: _Window, offset: int) -> None:
        self._window = window
        self._at = offset
        self._part = 1 << 10

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; none at the end of the file."""
        window = self._window
        if self._at == window.end and not window.ended:
            window.more(size)
        start = self._at - window.start
        part = window.text[start : start + min(size, self._part)]
        self._part *= 2
        self._at += len(part)
        return part


def _is_plain(signs: Delimiters) -> bool:
    """Tell whether the native reader knows such delimiters."""
    parts = signs.element + signs.component + signs.repetition
    return (parts + signs.segment).isascii() and not set(parts) & set(BETWEEN) and signs.segment not in "\0\x1a"


def _put(reader: _reader.Reader, claim: Claim) -> None:
    """Add a claim to the columns."""
    reader.put(
        (claim.id or "").encode(),
        day_number(claim.service_date),
        day_number(claim.birth_date),
        -1 if claim.sex is None else _SEXES.index(claim.sex),
        -1 if claim.setting is None else SETTINGS.index(claim.setting),
        [word(getattr(claim, name)) for name in _reader.ROW_FIELDS],
        [(one.code.encode(), (one.poa or "").encode()) for one in claim.diagnoses],
        map(_line, claim.lines),
    )


def _line(line: ServiceLine) -> _reader.Line:
    return (
        line.number,
        line.pointers,
        [word(getattr(line, name)) for name in _reader.LINE_FIELDS],
        [modifier.encode() for modifier in line.modifiers],
        math.nan if line.units is None else line.units,
        math.nan if line.charge is None else line.charge,
        day_number(line.start),
        day_number(line.end),
    )
