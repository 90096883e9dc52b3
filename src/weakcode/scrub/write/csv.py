"""Rows of CSV into a file that appears whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from weakcode.scrub.write.files import writing


class CsvRows:
    """What the writers of findings and of claims share: a header, then rows. CSV has no place for metadata."""

    def __init__(self, target: Path, file: BinaryIO, header: Iterable[str]) -> None:
        self._target = target
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text, lineterminator="\n")
        self.put([header])

    def put(self, rows: Iterable[Iterable[Any]]) -> None:
        """Write some rows."""
        with writing(self._target):
            self._rows.writerows(rows)

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains; the file stays open for whoever opened it."""
        with writing(self._target):
            self._text.flush()
            self._text.detach()

    def abandon(self) -> None:
        """Let go of the file, whatever was written; after `finish` this does nothing."""
        with suppress(Exception):
            self._text.detach()
