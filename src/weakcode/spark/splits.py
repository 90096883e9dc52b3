"""What each task reads: files of claims, or row groups of them, in the order of the inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from weakcode.errors import InputError, first_line
from weakcode.scrub.read.inputs import name_of
from weakcode.scrub.read.places import Places

if TYPE_CHECKING:
    import pyarrow.parquet as pq

LEAST_ROWS, MOST_ROWS = 100_000, 1_000_000
"""Claims of a task: fewer are not worth the tenth of a second that Spark takes for it, more are lost with it."""
_TASKS_A_CORE = 3
_PARQUET = b"PAR1"


@attrs.frozen
class Piece:
    """A file, or the row groups of a Parquet file from `first` to before `last`; of `rows` claims."""

    path: str
    first: int
    last: int
    rows: int

    @property
    def row_groups(self) -> range:
        """The row groups to be read."""
        return range(self.first, self.last)


@attrs.frozen
class ParquetFiles:
    """The Parquet files of some inputs, and how many others were passed over by folder."""

    files: tuple[str, ...]
    passed_over: dict[str, int]


def files_in(inputs: Sequence[str]) -> ParquetFiles:
    """Return the files of paths, folders and patterns, by their whole paths. Raises InputError for no Parquet."""
    places = Places.of([os.path.abspath(name.removeprefix("file://")) for name in inputs])  # noqa: PTH100 - or patterns
    files = tuple(os.fspath(path) for path in places.files)
    for path in files:
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                start = file.read(4)
        except FileNotFoundError:
            raise InputError(f"{name_of(path)} does not exist") from None
        except OSError as error:
            raise InputError(f"{name_of(path)} cannot be read: {error.strerror or error}") from None
        if start != _PARQUET:
            raise InputError(f"{name_of(path)} is not a Parquet file; scrub it without --spark")
    return ParquetFiles(files, dict(places.passed_over))


def tasks_of(files: Sequence[str], cores: int, mapping: Mapping[str, str] | None = None) -> list[tuple[Piece, ...]]:
    """Return what each task reads: neighbours, of about as many rows as give each core some tasks.

    A file of which several rows are one claim is read as a whole.

    Raises InputError for a file whose footer cannot be read.
    """
    groups = [group for path in files for group in _groups(path, mapping)]
    rows = sum(group.rows for group in groups)
    each = min(max(-(-rows // (_TASKS_A_CORE * max(cores, 1))), LEAST_ROWS), MOST_ROWS)
    tasks: list[list[Piece]] = [[]]
    rows_in_task = 0
    for group in groups:
        if tasks[-1] and rows_in_task + group.rows > each:
            tasks.append([])
            rows_in_task = 0
        before = tasks[-1][-1] if tasks[-1] else None
        if before is not None and before.path == group.path:
            tasks[-1][-1] = attrs.evolve(before, last=group.last, rows=before.rows + group.rows)
        else:
            tasks[-1].append(group)
        rows_in_task += group.rows
    return [tuple(task) for task in tasks]


def _groups(path: str, mapping: Mapping[str, str] | None) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from weakcode.scrub.read.arrow.check import DAMAGED

    try:
        with pa.OSFile(path) as file:
            metadata = pq.read_metadata(file)
    except DAMAGED as error:
        raise InputError(f"{path} is damaged or cut short: {first_line(error)}") from None
    number = metadata.num_row_groups
    if not number or not _is_parted(path, metadata, mapping):
        yield Piece(path, 0, number, metadata.num_rows)
        return
    for group in range(number):
        yield Piece(path, group, group + 1, metadata.row_group(group).num_rows)


def _is_parted(path: str, metadata: pq.FileMetaData, mapping: Mapping[str, str] | None) -> bool:
    """Tell whether each row of a file is a claim, whatever the rows around it are."""
    from weakcode.scrub.read.tables.resolve import resolve

    names = list(metadata.schema.to_arrow_schema().names)
    return resolve(names, ",", path, mapping, needs_id=False, lists=True).is_plain
