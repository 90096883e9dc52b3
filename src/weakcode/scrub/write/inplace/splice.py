"""Mended claims in the file that they came from: the input again, with other text where mended claims stand."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import attrs

from weakcode.claims import Claim
from weakcode.errors import InputError
from weakcode.scrub.read.archives import members_of
from weakcode.scrub.read.inputs import PIPE, name_of
from weakcode.scrub.read.rows import Record
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.inplace.mended import MendedClaims

_PART = 1 << 20


@attrs.frozen
class Stretch:
    """Bytes of the input in which a claim stands, or with which it was written. `record` is of the claim."""

    start: int
    stop: int
    record: Record


class MendedInPlace(MendedClaims):
    """Takes what was evaluated and writes the input again. `changed` counts the claims that were mended.

    Raises InputError where the input is not one file of the format that can be read twice.
    """

    def __init__(self, target: Path, file: BinaryIO, mend: Mend, inputs: Sequence[str | os.PathLike[str]]) -> None:
        super().__init__(mend)
        self._target, self._to = target, file
        self._stack = ExitStack()
        self._source = self._opened(inputs)
        self._at = 0
        self._open: Stretch | None = None
        self._content = b""

    @abstractmethod
    def is_of_format(self, start: bytes) -> bool:
        """Tell by its first bytes whether a file is of the format."""

    @abstractmethod
    def span(self, record: Record) -> tuple[int, int]:
        """Return where in the input the bytes begin and end that are written anew where this claim is mended."""

    @abstractmethod
    def rewritten(self, content: bytes, record: Record, mended: Claim) -> bytes | None:
        """Return these bytes with the mended claim, None where they cannot say it."""

    def passing(self, text: bytes, *, is_first: bool) -> tuple[bytes, bytes]:
        """Return what of text between claims has to wait for the text behind it, and what can be written."""
        return b"", text

    def flush(self) -> None:
        """Write what was changed last: no claim waits for others."""
        with writing(self._target):
            self._to.flush()

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains of the input; it has no place for metadata."""
        self._close()
        self._copy(None)
        self._stack.close()

    def abandon(self) -> None:
        """Let go of the input."""
        self._stack.close()

    def _opened(self, inputs: Sequence[str | os.PathLike[str]]) -> BinaryIO:
        target = self._target
        if len(inputs) != 1 or inputs[0] == PIPE or not Path(inputs[0]).is_file():
            raise InputError(
                f"{target.name} is to be the input again with its claims mended, for which that has to be one file; "
                "give one, or write the claims of several to .jsonl"
            )
        members = members_of(inputs[0])
        if len(members) != 1:
            raise InputError(
                f"{name_of(inputs[0])} holds several files; unpack it, or write the mended claims to .jsonl"
            )
        file = self._stack.enter_context(members[0].open())
        if not self.is_of_format(file.peek(4096) if hasattr(file, "peek") else b""):
            self._stack.close()
            raise InputError(
                f"{name_of(inputs[0])} is not {self.what}, and {target.suffix} is written only from one; write the "
                "mended claims to .jsonl, .csv or .parquet"
            )
        return file

    def _take(self, record: Record) -> None:
        mended = self._mend(record.claim)
        if mended == record.claim:
            return
        start, stop = self.span(record)
        if self._open is None or self._open.start != start:
            self._close()
            self._copy(start - self._at)
            self._content = self._source.read(stop - start)
            self._at = stop
            self._open = Stretch(start, stop, record)
        written = self.rewritten(self._content, record, mended)
        if written is None:
            self._left += 1
        else:
            self.changed += 1
            self._content = written

    def _close(self) -> None:
        """Write the stretch that was changed last: more than one claim may stand in it."""
        with writing(self._target):
            self._to.write(self._content)
        self._open, self._content = None, b""

    def _copy(self, size: int | None) -> None:
        """Copy so many bytes of the input, or all that remain."""
        waiting, is_first = b"", True
        while size is None or size > 0:
            part = self._source.read(_PART if size is None else min(size, _PART))
            if not part:
                break
            self._at += len(part)
            size = None if size is None else size - len(part)
            waiting, part = self.passing(waiting + part, is_first=is_first)
            is_first = is_first and not part
            with writing(self._target):
                self._to.write(part)
        with writing(self._target):
            self._to.write(waiting)
