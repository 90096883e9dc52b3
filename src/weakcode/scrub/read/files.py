"""Files of claims: which format a file has, and its claims with their places."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeVar, runtime_checkable

import attrs

from weakcode.claims import Claim
from weakcode.errors import InputError
from weakcode.scrub.formats import FORMATS, READ
from weakcode.scrub.read.archives import Member, is_workbook, members_of, plain_suffix
from weakcode.scrub.read.encoding import encoding_of, recoded
from weakcode.scrub.read.inputs import Stream, looks_like_fhir, opened_input
from weakcode.scrub.read.log import ReadCounts, ReadLog
from weakcode.scrub.read.options import PLAIN, ReadOptions
from weakcode.scrub.read.rows import Record, Rejected, RowError
from weakcode.scrub.read.tables.header import header_cells

if TYPE_CHECKING:
    from weakcode.scrub.read.batch import ClaimBatch

_Part = TypeVar("_Part")
_ROWS_BETWEEN = 256
"""Rows from one telling of progress to the next."""
_OTHER_CONTENT = {
    b"PAR1": "a Parquet file in an archive",
    b"PK\x03\x04": "a zip archive in an archive",
    b"\x1f\x8b": "packed with gzip once more",
    b"\xfd7zXZ": "packed with xz once more",
    b"BZh9": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"%PDF": "a PDF",
}


class ClaimSource(Protocol):
    """The rows of an open file, in their order."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not known, seen so far."""

    @property
    def bytes_read(self) -> int:
        """Bytes read so far."""

    def __iter__(self) -> Iterator[Record | Rejected]: ...


@runtime_checkable
class InBatches(Protocol):
    """An open file whose reader gives claims as columns."""

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the claims in batches, to be judged together."""


def is_arrow_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path holds a file in one of Arrow's formats: Parquet, Arrow or Feather, or an IPC stream."""
    return _read_by_path(path) == "arrow"


def _read_by_path(path: str | os.PathLike[str]) -> str | None:
    """Return the format of a file that is read by its path and begins as declared; None for others."""
    if isinstance(path, Stream):
        return None
    try:
        with Path(path).open("rb") as file:
            start = file.read(8)
    except (OSError, ValueError):
        return None
    return next((name for name, one in FORMATS.items() if one.needs_path and one.is_begun(start)), None)


def is_text_table(path: str | os.PathLike[str], options: ReadOptions = PLAIN) -> bool:
    """Tell whether a path holds one text table and nothing else, each sign of ASCII in it a byte."""
    if isinstance(path, Stream) or is_arrow_file(path) or is_workbook(path) or not Path(path).is_file():
        return False
    with suppress(InputError):
        members = members_of(path)
        if len(members) == 1:
            with members[0].open() as file:
                start = file.peek(4096) if hasattr(file, "peek") else b""
                encoding = encoding_of(start) if options.encoding is None else options.encoding
                return encoding in (None, "utf-8", "cp1252") and _format(file, members[0].name) == "csv"
    return False


@contextmanager
def open_claims(
    path: str | os.PathLike[str], mapping: Mapping[str, Any] | None = None, options: ReadOptions = PLAIN
) -> Iterator[ClaimSource]:
    """Open a file of claims, in the format that its content shows, else its extension.

    `mapping` says which columns of a table hold what, by the names of --map; `options` what else is known of the file.

    Raises InputError when the file cannot be opened, holds nothing, is of no known format or lacks a column.
    """
    options = attrs.evolve(options, mapping=mapping) if mapping is not None else options
    with opened_input(path) as stream, _opened_claims(stream, options) as source:
        yield source


@contextmanager
def _opened_claims(path: str | os.PathLike[str], options: ReadOptions) -> Iterator[ClaimSource]:
    if (by_path := "excel" if is_workbook(path) else _read_by_path(path)) is not None:
        yield FORMATS[by_path].open(path, options)
        return
    members = members_of(path)
    if len(members) > 1:
        if options.references is None:
            options = as_one_set([path], options)
        yield _SeveralFiles(members, options)
        return
    with members[0].open() as file:
        yield _source(file, members[0].name, options)


def as_one_set(paths: Sequence[str | os.PathLike[str]], options: ReadOptions) -> ReadOptions:
    """Return the options with which these files are read as one set: claims of FHIR may refer to resources in any."""
    from weakcode.scrub.read.fhir.references import References

    return attrs.evolve(options, references=References.of_files(paths))


def read_claims(path: str | os.PathLike[str], mapping: Mapping[str, Any] | None = None) -> Iterator[Claim]:
    """Give the claims of a file in any format that is read, one by one: of one, or of all of a folder, a pattern or an
    address.

    `mapping` says which columns of a table hold what, by the names of --map, as in
    `{"id": "NR", "codes": "D*", "date": "SEEN"}`.

    Nothing is left out in silence: the first rejected row raises RowError, an InputError whose
    message names file and line and whose `rejected` says what is wrong.
    To go on past such rows, scrub the file.
    """
    from weakcode.scrub.read.places import Places, opened_place, partitions_of

    options = ReadOptions(mapping)
    files = Places.of([path]).files
    if len(files) > 1:
        options = as_one_set(files, options)
    for file in files:
        in_folders = attrs.evolve(options, constants=partitions_of(file))
        with opened_place(file) as opened, open_claims(opened, options=in_folders) as source:
            for row in source:
                if isinstance(row, Rejected):
                    raise RowError(row)
                yield row.claim


class FileRows:
    """The rows of one file, which is opened when they are asked for.

    `progress` gets the bytes read so far. When all rows are read, `ignored` says which columns are not known,
    `remarks` what is odd about the file although every claim was read, `counts` what was guessed, passed over or not
    matched, and `undiagnosed` by kind how many claims have no diagnosis and need none; they are no rows.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: ReadOptions = PLAIN,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._path, self._options, self._progress = path, options, progress
        self._source: ClaimSource | None = None
        self.ignored: tuple[str, ...] = ()
        self.undiagnosed: Mapping[str, int] = {}
        self.bytes_read = 0

    @property
    def counts(self) -> ReadCounts:
        """How the file was read, when all of its batches were looked at."""
        log: ReadLog | None = getattr(self._source, "log", None)
        return ReadCounts() if log is None else log.result()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is odd about the file although every claim was read. Only some formats have something to remark on."""
        return (*getattr(self._source, "notes", ()), *self.counts.sentences)

    def __iter__(self) -> Iterator[Record | Rejected]:
        with self._opened() as source:
            for number, row in enumerate(source):
                if number % _ROWS_BETWEEN == 0:
                    self._tell(source)
                yield row

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows in batches, to be judged together."""
        with self._opened() as source:
            for batch in _batches(source):
                self._tell(source)
                yield batch

    @contextmanager
    def _opened(self) -> Iterator[ClaimSource]:
        with open_claims(self._path, options=self._options) as source:
            yield source
            self._tell(source)
            self.ignored = source.ignored
            self._source = source
            self.undiagnosed = getattr(source, "undiagnosed", {})

    def _tell(self, source: ClaimSource) -> None:
        self.bytes_read = source.bytes_read
        if self._progress:
            self._progress(source.bytes_read)


class _SeveralFiles:
    """The files of an archive, one after the other. `notes` are theirs, each with the name of its file."""

    def __init__(self, members: Sequence[Member], options: ReadOptions) -> None:
        self._members = members
        self._options = options
        self._ignored: dict[str, None] = {}
        self._read: list[tuple[str, ClaimSource]] = []
        self.undiagnosed: Counter[str] = Counter()
        self.bytes_read = 0

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(self._ignored)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about each file, when all of its batches were looked at."""
        texts = []
        for name, source in self._read:
            log = getattr(source, "log", None) or ReadLog()
            texts += [f"{name}: {note}" for note in (*getattr(source, "notes", ()), *log.result().sentences)]
        return tuple(texts)

    @property
    def log(self) -> ReadLog:
        """What was counted in all of them; what is to be reported of each is in `notes`."""
        whole = ReadLog(reports=False)
        for _, source in self._read:
            if (log := getattr(source, "log", None)) is not None:
                whole.take(log)
        return whole

    def __iter__(self) -> Iterator[Record | Rejected]:
        return self._each(iter)

    def batches(self) -> Iterator[ClaimBatch]:
        """Give the rows of the files in batches."""
        return self._each(_batches)

    def _each(self, parts_of: Callable[[ClaimSource], Iterator[_Part]]) -> Iterator[_Part]:
        for member in self._members:
            with member.open() as file:
                source = _source(file, member.name, self._options)
                before = self.bytes_read
                for part in parts_of(source):
                    self.bytes_read = before + source.bytes_read
                    yield part
                self.bytes_read = before + source.bytes_read
                self._ignored.update(dict.fromkeys(source.ignored))
                self._read.append((member.name, source))
                self.undiagnosed.update(getattr(source, "undiagnosed", {}))


def _batches(source: ClaimSource) -> Iterator[ClaimBatch]:
    """Give the rows of an open file in batches: those of its reader, or of rows that were read one by one."""
    if isinstance(source, InBatches):
        return source.batches()
    from weakcode.scrub.read.batch import batches_of

    return batches_of(source)


def _source(file: BinaryIO, name: str, options: ReadOptions) -> ClaimSource:
    """Return the reader for the format of an open file."""
    start = file.peek(4096) if hasattr(file, "peek") else b""
    if not start and options.references is not None:
        return _NothingInside()
    encoding = encoding_of(start) if options.encoding in (None, "utf-16") else options.encoding
    if encoding in (None, "utf-8"):
        return _in_utf8(file, name, options)
    source = _in_utf8(recoded(file, encoding, name), name, attrs.evolve(options, encoding="utf-8"))
    if (log := getattr(source, "log", None)) is not None:
        log.said["encoding"] = encoding.upper()
    return source


class _NothingInside:
    """An empty file among others, as exports have of a type of which there is nothing."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.ignored: tuple[str, ...] = ()
        self.log = ReadLog()
        self.log.count("empty files")

    def __iter__(self) -> Iterator[Record | Rejected]:
        return iter(())


def _in_utf8(file: BinaryIO, name: str, options: ReadOptions) -> ClaimSource:
    found = FORMATS[_format(file, name)]
    if options.mapping and not found.is_table:
        raise InputError(f"{name} is no table with a header; --map says which columns of a table hold what")
    source: ClaimSource = found.open(file, name, options)
    return source


def _format(file: BinaryIO, name: str) -> str:
    start = file.peek(4096) if hasattr(file, "peek") else b""
    if not start:
        raise InputError(f"{name} is empty; expected a header with claim_id and codes, or one JSON object a line")
    for mark, what in _OTHER_CONTENT.items():
        if start.startswith(mark):
            raise InputError(f"{name} is {what}; {READ}, text as UTF-8")
    for known, one in FORMATS.items():
        if one.is_begun(start) or (one.by_name and plain_suffix(name) in one.extensions):
            return known
    if b"\x00" in start:
        raise InputError(f"{name} is not a text file; {READ}")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<"):
        what = "HTML" if b"<html" in text[:1024].lower() else "XML; weakcode reads FHIR as JSON"
        raise InputError(f"{name} is {what}; {READ}")
    if looks_like_fhir(start, plain_suffix(name)):
        return "fhir"
    if text.startswith(b"[") or text.splitlines()[:1] == [b"{"]:
        return "json"
    if text.startswith(b"{"):
        return "jsonl"
    first = text.splitlines()[0].decode("utf-8", "replace") if text else ""
    if {cell.lower() for cell in header_cells(first)[0]} & {"claim_id", "codes", "dx1", "clm_id"}:
        return "csv"
    return "jsonl" if plain_suffix(name) in FORMATS["jsonl"].extensions else "csv"
