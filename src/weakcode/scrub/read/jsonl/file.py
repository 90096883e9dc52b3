"""Claims from JSON Lines: one claim a line, an object with the same names as the columns of a CSV file."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from weakcode.claims import Claim
from weakcode.fields import LINES
from weakcode.scrub.read.encoding import WindowsLines
from weakcode.scrub.read.jsonl.forms import Objects
from weakcode.scrub.read.jsonl.objects import KNOWN, Line, object_in
from weakcode.scrub.read.log import ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import BadRow, Record, Rejected
from weakcode.scrub.read.textlines import Ahead, Lines, decoded, shown
from weakcode.scrub.read.values import claim_of_object, object_id
from weakcode.visible import visible

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch


_SAMPLE = 1 << 16
"""Bytes that show in which form dates are written."""


class JsonlSource:
    """The lines of one JSON Lines file. `ignored` are the keys seen so far that are not known.

    `log` says how it was read. With `objects` the lines are read as it says.
    """

    def __init__(
        self, file: BinaryIO, name: str, options: ReadOptions = PLAIN, *, objects: Objects | None = None
    ) -> None:
        self.log = ReadLog()
        self.log.advice = "give them as a table (CSV, Parquet), of which --map makes one claim of the rows of an id"
        if options.encoding is None and objects is None:
            file = cast(BinaryIO, WindowsLines(file, lambda lines: self.log.count("Windows-1252 rows", lines)))
        ahead = Ahead(file)
        self._objects = objects or Objects(options, ahead.block(_SAMPLE).splitlines())
        self.log.columns = self._objects.columns
        self._lines = Lines(ahead)
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
            log = ReadLog()
            table = plain_columns(chunk, self._objects, self._take_note, log)
            if table is not None:
                self.log.take(log)
            if table is not None:
                yield JsonlBatch(chunk, table, self._name, self._again)
            elif rows := tuple(self.rows(chunk)):
                yield batch.RowBatch(rows)

    def _again(self, lines: Sequence[Line]) -> list[Record | Rejected]:
        """Read some lines once more."""
        return list(JsonlSource(io.BytesIO(), self._name, objects=self._objects).rows(lines))

    def __iter__(self) -> Iterator[Record | Rejected]:
        return self.rows(self._lines)

    def rows(self, lines: Iterable[Line]) -> Iterator[Record | Rejected]:
        """Read lines, or other texts of one object each."""
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
        values = self._objects.read(object_in(text.removeprefix("\ufeff")), self.log)
        claim_id = object_id(values)
        self.log.ids([claim_id])
        self._take_note(values)
        if not values.get("codes") and (around := _around(values)) is not None:
            reason = (
                f"the object is no claim, but has a list of objects under {visible(around)!r}; give that list alone"
            )
            raise BadRow("claims", reason)
        return claim_of_object(values, claim_id)

    def _take_note(self, values: Iterable[str]) -> None:
        for key in values:
            # The bound keeps a file whose keys are all different from filling the memory.
            if key not in KNOWN and len(self._ignored) < 100:
                self._ignored[key] = None


def _around(values: Mapping[str, Any]) -> str | None:
    """Return the key of an object, no claim itself, under which a list of objects stands; None where there is none."""
    if "claim_id" in values:
        return None
    lists = (key for key, value in values.items() if key != LINES and isinstance(value, list))
    return next((key for key in lists if values[key] and all(isinstance(one, dict) for one in values[key])), None)
