"""Files of claims: which format a file has, and its claims with their places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from weakcode.batch.csvfile import CsvSource
from weakcode.batch.jsonlfile import JsonlSource
from weakcode.batch.layouts import header_cells
from weakcode.batch.rows import Record, Rejected, RowError
from weakcode.claims import Claim
from weakcode.errors import InputError

_JSONL = (".jsonl", ".ndjson")
_READ = "weakcode reads CSV with a header and JSON Lines"
_OTHER_CONTENT = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"\xfd7zXZ": "compressed with xz",
    b"%PDF": "a PDF",
    b"ISA*": "an X12 interchange",
    b"<?xml": "XML",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


class ClaimSource(Protocol):
    """The rows of an open file, in their order."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not known, seen so far."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes read so far."""
        ...

    def __iter__(self) -> Iterator[Record | Rejected]: ...


@contextmanager
def open_claims(path: str | os.PathLike[str], mapping: Mapping[str, str] | None = None) -> Iterator[ClaimSource]:
    """Open a file of claims, in the format that its content shows, else its extension.

    `mapping` says which columns of a table hold what, as `layouts.parse_mapping` returns it.

    Raises InputError when the file cannot be opened, holds nothing, is of no known format or lacks a column.
    """
    name = os.fspath(path)
    with _opened(Path(path)) as file:
        if _format(file, name) == "jsonl":
            yield JsonlSource(file, name)
        else:
            yield CsvSource(file, name, mapping)


def read_claims(path: str | os.PathLike[str], mapping: Mapping[str, str] | None = None) -> Iterator[Claim]:
    """Give the claims of a file in any format that is read, one by one.

    Nothing is left out in silence: the first row that is no claim raises RowError, an InputError whose
    message names file and line and whose `rejected` says what is wrong.
    To go on past such rows, scrub the file.
    """
    with open_claims(path, mapping) as source:
        for row in source:
            if isinstance(row, Rejected):
                raise RowError(row)
            yield row.claim


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; give a file of claims") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; give the files in it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    with file:
        yield file


def _format(file: BinaryIO, name: str) -> str:
    start = file.peek(4096) if hasattr(file, "peek") else b""
    if not start:
        raise InputError(f"{name} is empty; expected a header with claim_id and codes, or one JSON object a line")
    for mark, what in _OTHER_CONTENT.items():
        if start.startswith(mark):
            raise InputError(f"{name} is {what}; {_READ}, both as UTF-8")
    if b"\x00" in start:
        raise InputError(f"{name} is not a text file; {_READ}")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{"):
        return "jsonl"
    if text.startswith(b"["):
        raise InputError(f"{name} holds a JSON list; write one claim a line instead (JSON Lines)")
    first = text.splitlines()[0].decode("utf-8", "replace") if text else ""
    if {cell.lower() for cell in header_cells(first)[0]} & {"claim_id", "codes", "dx1", "clm_id"}:
        return "csv"
    return "jsonl" if name.lower().endswith(_JSONL) else "csv"
