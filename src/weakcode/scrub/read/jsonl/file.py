"""Claims from JSON Lines: one claim a line, an object with the same names as the columns of a CSV file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from weakcode.claims import Claim, claim_id_of
from weakcode.errors import WeakcodeError
from weakcode.scrub.read.jsonl.objects import KNOWN, Line, object_in
from weakcode.scrub.read.rows import BadRow, Record, Rejected, reason_of
from weakcode.scrub.read.textlines import Lines, decoded, shown
from weakcode.scrub.read.values import claim_from

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch


class JsonlSource:
    """The lines of one JSON Lines file. `ignored` are the keys seen so far that are not known."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._lines = Lines(file)
        self._name = name
        self._ignored: dict[str, None] = {}

    @property
    def bytes_read(self) -> int:
        """How far the reading is."""
        return self._lines.bytes_read

    @property
    def ignored(self) -> tuple[str, ...]:
        """Keys that are not known, in the order in which they were first seen."""
        return tuple(self._ignored)

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the lines of the file in batches, to be judged together."""
        from weakcode.scrub.read import batch
        from weakcode.scrub.read.jsonl.batch import JsonlBatch, plain_columns

        while chunk := list(islice(self._lines, batch.ROWS)):
            table = plain_columns(chunk, self._take_note)
            if table is not None:
                yield JsonlBatch(chunk, table, self._name, self._again)
            elif rows := tuple(self._rows(chunk)):
                yield batch.RowBatch(rows)

    def _again(self, lines: Sequence[Line]) -> list[Record | Rejected]:
        """Read some lines once more."""
        return list(JsonlSource(io.BytesIO(), self._name)._rows(lines))

    def __iter__(self) -> Iterator[Record | Rejected]:
        return self._rows(self._lines)

    def _rows(self, lines: Iterable[Line]) -> Iterator[Record | Rejected]:
        for number, line in lines:
            if line is not None and not line.strip():
                continue
            try:
                claim = self._claim(decoded(line))
            except BadRow as error:
                yield Rejected(self._name, number, error.claim_id, error.reason, error.part, shown(line))
            else:
                yield Record(claim, self._name, number, shown(line))

    def _claim(self, text: str) -> Claim:
        values = object_in(text.removeprefix("\ufeff"))
        try:
            claim_id = claim_id_of(values)
        except WeakcodeError as error:
            raise BadRow("claim_id", reason_of(error)) from None
        if isinstance(claim_id, bool | float | list | dict):
            raise BadRow("claim_id", f"claim_id is text or a whole number, found {claim_id!r}")
        claim_id = None if claim_id is None or claim_id == "" else str(claim_id)
        codes = values.get("codes")
        if codes is not None and not isinstance(codes, str | list):
            raise BadRow("codes", f"codes is a list or text, found {codes!r}", claim_id)
        self._take_note(values)
        return _with_waivers(claim_from(values, codes or [], claim_id), values.get("waivers"))

    def _take_note(self, values: Iterable[str]) -> None:
        for key in values:
            # The bound keeps a file whose keys are all different from filling the memory.
            if key not in KNOWN and len(self._ignored) < 100:
                self._ignored[key] = None


def _with_waivers(claim: Claim, waivers: Any) -> Claim:
    if waivers is None:
        return claim
    if not isinstance(waivers, list):
        raise BadRow("waivers", f"waivers is a list of waivers, found {waivers!r}", claim.id)
    try:
        return attrs.evolve(claim, waivers=waivers)
    except WeakcodeError as error:
        raise BadRow("waivers", reason_of(error), claim.id) from None
