"""The files of a run: in which order they are read, as which set, and what is reported of each beside its claims."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.errors import InputError, UnavailableError
from weakcode.scrub.read.files import FileRows, as_one_set
from weakcode.scrub.read.inputs import Stream, name_of
from weakcode.scrub.read.log import ReadCounts
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.places import Place, Places, partitions_of

if TYPE_CHECKING:
    from weakcode.scrub.read.sql import QuerySource


@contextmanager
def unchanged_while_read(
    path: str | os.PathLike[str], has_content_of: Callable[[int], bool] = lambda _: False
) -> Iterator[None]:
    """Raise UnavailableError where a file was written into during the block: it is no longer what was read of it.

    A file of the same name in its place is another one; what was read is whole. So is a file of which only the time was
    set, as programs do that copy files: `has_content_of` tells whether the content is the one of an earlier time.
    """
    before = _state(path)
    yield
    after = _state(path)
    if before is None or after is None or before[:2] != after[:2] or before == after:
        return
    if before[:3] != after[:3] or not has_content_of(before[3]):
        raise UnavailableError(f"{name_of(path)} was changed while it was read; run again when it is complete")


def _state(path: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """Return which file a path is, its size and when it was written; None for what is no file of a name."""
    if isinstance(path, Stream):
        return None
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


class Sources:
    """The files that the inputs of a run are. `ignored`, `remarks` and `reading` are by name of a file, for a summary.

    `unread` says why a file could not be read where the run was to go on, `undiagnosed` counts by kind the claims that
    have no diagnosis and need none.
    """

    def __init__(
        self, inputs: Sequence[Place], options: ReadOptions, mapping: Mapping[str, Any] | None, *, keep_going: bool
    ) -> None:
        places = Places.of(inputs)
        self.files = places.files
        self._in_set = len(places.files) > 1
        self._keep_going = keep_going and self._in_set
        options = options if mapping is None else attrs.evolve(options, mapping=mapping)
        self._options = as_one_set(places.files, options) if self._in_set else options
        self.ignored: dict[str, tuple[str, ...]] = {}
        self.remarks: dict[str, tuple[str, ...]] = {}
        self.reading = {
            folder: ReadCounts(counts={"files passed over": number}) for folder, number in places.passed_over.items()
        }
        self.unread: dict[str, str] = {}
        self.undiagnosed: Counter[str] = Counter()

    def options(self, path: Place) -> ReadOptions:
        """Return how a file is to be read."""
        partitions = partitions_of(path)
        return attrs.evolve(self._options, constants=partitions) if partitions else self._options

    def was_read(self, name: str, source: FileRows | QuerySource) -> None:
        """Note what is to be reported of a source."""
        if source.ignored:
            self.ignored[name] = source.ignored
        if source.counts:
            self.reading[name] = source.counts
        remarks = getattr(source, "remarks", source.counts.sentences)
        if remarks:
            self.remarks[name] = remarks
        self.undiagnosed.update(getattr(source, "undiagnosed", {}))

    @contextmanager
    def noting_errors(self, path: str | os.PathLike[str]) -> Iterator[None]:
        """Take down a file that cannot be read, or read to its end, where the others are to be read all the same."""
        try:
            yield
        except InputError as error:
            if not self._keep_going:
                raise
            self.unread[name_of(path)] = str(error)

    def check(self, claims: int) -> None:
        """Raise InputError where no file of several holds a claim."""
        if self._in_set and not self.unread and not claims and not self.undiagnosed:
            contents = "; ".join(dict.fromkeys(one.said["held"] for one in self.reading.values() if "held" in one.said))
            if contents:
                raise InputError(f"the inputs hold no Claim and no ExplanationOfBenefit of FHIR, but {contents}")
