"""The claims of one X12 file: claim by claim, and in columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from weakcode.scrub.read.rows import Record, Rejected
from weakcode.scrub.read.x12.loops import Loops
from weakcode.scrub.read.x12.segments import Segments

if TYPE_CHECKING:
    from weakcode.scrub.read.x12.claimblock import ClaimBlock


class X12Source:
    """The claims of one file. `ignored` are the transaction sets that are no 837, `notes` what a reader should know.

    `options` are those of other formats, of which an X12 file needs none.
    Raises InputError where the file does not begin with an ISA segment, or holds no 837 at all.
    """

    def __init__(self, file: BinaryIO, name: str, options: object = None) -> None:
        self._file = file
        self._name = name
        self._loops = Loops(name)
        self.bytes_read = 0

    @property
    def ignored(self) -> tuple[str, ...]:
        """Transaction sets that are no 837, in the order in which they were first seen."""
        return self._loops.ignored

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about the file although no claim was lost by it, up to twenty times."""
        return tuple(self._loops.notes)

    @property
    def undiagnosed(self) -> dict[str, int]:
        """How many claims list no diagnosis because they need none, by kind; they are no rejects."""
        return {"dental": self._loops.undiagnosed} if self._loops.undiagnosed else {}

    def __iter__(self) -> Iterator[Record | Rejected]:
        segments, loops = Segments(self._file, self._name), self._loops
        for segment in segments:
            if segments.delimiters is not loops.delimiters:
                loops.delimit(segments.delimiters)
                self.bytes_read = segments.bytes_read
            outcomes = loops.take(segment)
            if outcomes:
                self.bytes_read = segments.bytes_read
                yield from outcomes
        yield from loops.end()
        self.bytes_read = segments.bytes_read
        loops.check_kind()

    def batches(self) -> Iterator[ClaimBlock]:
        """Give the claims of the file in batches, to be judged together."""
        from weakcode.scrub.read.x12.native import NativeClaims

        for claims, read in NativeClaims(self._file, self._name, self._loops):
            self.bytes_read = read
            yield claims
        self._loops.check_kind()
