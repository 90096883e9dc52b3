"""Rows of CSV into a file that appears whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from weakcode.scrub.guard import guarded, header_line
from weakcode.scrub.write.files import writing


class CsvRows:
    """What the writers of CSV share: a header, then rows. CSV has no place for metadata.

    Cells that a spreadsheet would take for a formula are guarded, unless the rows are for programs: `raw`.
    """

    def __init__(self, target: Path, file: BinaryIO, header: Sequence[str], *, raw: bool = False) -> None:
        self._target, self._file = target, file
        self._text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="", write_through=True)
        self._rows = csv.writer(self._text, lineterminator="\n")
        # A bare carriage return ends a row for others, and Python's writer does not quote it.
        self._quoted = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._raw = raw
        with writing(target):
            self._text.write(",".join(header) + "\n" if raw else header_line(header))

    def put(self, rows: Iterable[Iterable[Any]], *, plain: bool = False) -> None:
        """Write some rows; `plain` ones are known to need no guard."""
        with writing(self._target):
            if self._raw or plain:
                self._rows.writerows(rows)
                return
            for row in rows:
                cells = guarded(row)
                has_return = any(type(cell) is str and "\r" in cell for cell in cells)
                (self._quoted if has_return else self._rows).writerow(cells)

    def put_lines(self, lines: bytes | memoryview) -> None:
        """Write whole lines that are CSV already."""
        with writing(self._target):
            self._file.write(lines)

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains; the file stays open for its opener."""
        with writing(self._target):
            self._text.flush()
            self._text.detach()

    def abandon(self) -> None:
        """Let go of the file, whatever was written."""
        with suppress(Exception):
            self._text.detach()
