"""Mended claims in their own 837: the input again, with the segments of mended claims in their places."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from weakcode.errors import InputError
from weakcode.scrub.judge.rows import Evaluated
from weakcode.scrub.read.archives import members_of
from weakcode.scrub.read.batch import RefusedRow
from weakcode.scrub.read.inputs import PIPE, name_of
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12 import looks_like_x12
from weakcode.scrub.read.x12.draft import Origin
from weakcode.scrub.read.x12.segments import Delimiters
from weakcode.scrub.write.files import writing
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.x12claim import rewrite

if TYPE_CHECKING:
    from weakcode.scrub.judge.batch import FindingBatch

X12_EXTENSIONS = (".837", ".837p", ".837i", ".837d", ".x12", ".edi")
_PART = 1 << 20
_OVERLAP = 256


class MendedX12:
    """Takes what was evaluated and writes the input again. `changed` counts the claims that were mended.

    Raises InputError where the input is not one 837 that can be read twice.
    """

    def __init__(self, target: Path, file: BinaryIO, mend: Mend, inputs: Sequence[str | os.PathLike[str]]) -> None:
        self._mend = mend
        self._stack = ExitStack()
        source = self._stack.enter_context(_opened(target, inputs))
        self._copy = _Copy(source, target, file)
        self.changed = 0
        self._left = 0

    @property
    def remarks(self) -> tuple[str, ...]:
        """Which of the mended claims are not in the file."""
        if not self._left:
            return ()
        return (f"{self._left:,} of the claims are as they were, because an 837 cannot list them as mended",)

    def add(self, judged: Evaluated) -> None:
        """Take one claim."""
        if judged.verdict.findings:
            self._take(judged.record)

    def add_batch(self, judged: FindingBatch) -> None:
        """Take the claims of a batch; those with findings are read once more."""
        if judged.claims is None or judged.found is None:
            return
        claims = judged.claims.claims(judged.found)
        for row, claim in zip(judged.found.tolist(), claims, strict=True):
            if self._mend(claim) != claim:
                (record,) = judged.claims.reread(RefusedRow(row, None, "", ""))
                assert isinstance(record, Record)
                self._take(record)

    def flush(self) -> None:
        """Nothing waits."""

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains of the input; an 837 has no place for metadata."""
        self._copy.rest()
        self._stack.close()

    def abandon(self) -> None:
        """Let go of the input."""
        self._stack.close()

    def _take(self, record: Record) -> None:
        claim, origin = record.claim, record.origin
        mended = self._mend(claim)
        if mended == claim:
            return
        assert isinstance(origin, Origin), "claims of an 837 say where they stand"
        content = self._copy.up_to(origin)
        written = rewrite(content, origin.delimiters, claim, mended)
        if written is None:
            self._left += 1
            self._copy.write(content, 0, origin.delimiters)
        else:
            self.changed += 1
            self._copy.write(written.content, written.segments, origin.delimiters)


def _opened(target: Path, inputs: Sequence[str | os.PathLike[str]]) -> _Opened:
    if len(inputs) != 1 or inputs[0] == PIPE or not Path(inputs[0]).is_file():
        raise InputError(
            f"{target.name} is to be the input again with its claims mended, for which that has to be one file; "
            "give one 837, or write the claims of several to .jsonl"
        )
    members = members_of(inputs[0])
    if len(members) != 1:
        raise InputError(f"{name_of(inputs[0])} holds several files; unpack it, or write the mended claims to .jsonl")
    opened = members[0].open()
    return _Opened(opened, name_of(inputs[0]), target.suffix)


class _Opened:
    """An 837 that is open for a second reading."""

    def __init__(self, opened: object, name: str, extension: str) -> None:
        self._stack = ExitStack()
        self._given, self._name, self._extension = opened, name, extension

    def __enter__(self) -> BinaryIO:
        file: BinaryIO = self._stack.enter_context(self._given)  # type: ignore[arg-type]
        start = file.peek(4096) if hasattr(file, "peek") else b""
        if not looks_like_x12(start):
            self._stack.close()
            raise InputError(
                f"{self._name} is no 837, and {self._extension} is written only from one; write the mended claims to "
                ".jsonl, .csv or .parquet"
            )
        return file

    def __exit__(self, *error: object) -> None:
        self._stack.close()


class _Copy:
    """Copies one file to another, but for the stretches that are given instead; counts in SE segments follow."""

    def __init__(self, source: BinaryIO, target: Path, to: BinaryIO) -> None:
        self._source, self._target, self._to = source, target, to
        self._at = 0
        self._more = 0
        self._trailer = re.compile(b"")

    def up_to(self, origin: Origin) -> bytes:
        """Copy what stands before a claim, and return its bytes, in whose place `write` puts others."""
        self._copy(origin.start - self._at)
        content = self._source.read(origin.stop - origin.start)
        self._at = origin.stop
        return content

    def write(self, content: bytes, segments: int, signs: Delimiters) -> None:
        """Write a claim that has so many segments more than before."""
        with writing(self._target):
            self._to.write(content)
        if segments:
            self._more += segments
            end, element = (re.escape(sign.encode("latin-1")) for sign in (signs.segment, signs.element))
            before = rb"(?:\A|" + end + rb")[ \t\r\n\x00\x1a]*"
            self._trailer = re.compile(before + rb"(?:SE" + element + rb"(\d+)|(?:ST|GS|GE|ISA|IEA)" + element + rb")")

    def rest(self) -> None:
        """Copy what remains."""
        self._copy(None)

    def _copy(self, size: int | None) -> None:
        waiting, is_first = b"", True
        while size is None or size > 0:
            part = self._source.read(_PART if size is None else min(size, _PART))
            if not part:
                break
            self._at += len(part)
            size = None if size is None else size - len(part)
            if self._more:
                waiting, part = self._counted(waiting + part, is_first)
                is_first = False
            elif waiting:
                waiting, part = b"", waiting + part
            with writing(self._target):
                self._to.write(part)
        with writing(self._target):
            self._to.write(waiting)

    def _counted(self, text: bytes, is_first: bool) -> tuple[bytes, bytes]:
        """Return what has to wait for the text behind it, and what can be written, with the count of SE put right."""
        found = self._trailer.search(text, 0 if is_first else 1)
        if found is None:
            return text[-_OVERLAP:], text[:-_OVERLAP]
        if found[1] is not None:
            count = b"%0*d" % (len(found[1]), int(found[1]) + self._more)
            text = text[: found.start(1)] + count + text[found.end(1) :]
        self._more = 0
        return b"", text
