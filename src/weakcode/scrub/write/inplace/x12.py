"""Mended claims in their own 837, and the counts in its SE segments."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from weakcode.claims import Claim
from weakcode.scrub.formats import FORMATS
from weakcode.scrub.read.rows import Record
from weakcode.scrub.read.x12.draft import Origin
from weakcode.scrub.read.x12.segments import Delimiters
from weakcode.scrub.write.fixed import Mend
from weakcode.scrub.write.inplace.splice import MendedInPlace
from weakcode.scrub.write.inplace.x12claim import rewrite

_OVERLAP = 256


class MendedX12(MendedInPlace):
    """Writes an 837 again."""

    what = "an 837"

    def __init__(self, target: Path, file: BinaryIO, mend: Mend, inputs: Sequence[str | os.PathLike[str]]) -> None:
        super().__init__(target, file, mend, inputs)
        self._more = 0
        self._trailer = re.compile(b"")

    def is_of_format(self, start: bytes) -> bool:
        """Tell whether a file is an X12 interchange."""
        return FORMATS["x12"].is_begun(start)

    def span(self, record: Record) -> tuple[int, int]:
        """Return the bytes from CLM to what ends the claim."""
        assert isinstance(record.origin, Origin), "claims of an 837 say where they stand"
        return record.origin.start, record.origin.stop

    def rewritten(self, content: bytes, record: Record, mended: Claim) -> bytes | None:
        """Return the claim's segments as mended; the count in SE follows."""
        assert isinstance(record.origin, Origin)
        written = rewrite(content, record.origin.delimiters, record.claim, mended)
        if written is None:
            return None
        if written.segments:
            self._more += written.segments
            self._trailer = _trailer(record.origin.delimiters)
        return written.content

    def passing(self, text: bytes, *, is_first: bool) -> tuple[bytes, bytes]:
        """Put the count in the next SE right, where claims before it have more or fewer segments than they had."""
        if not self._more:
            return b"", text
        found = self._trailer.search(text, 0 if is_first else 1)
        if found is None:
            return text[-_OVERLAP:], text[:-_OVERLAP]
        if found[1] is not None:
            count = b"%0*d" % (len(found[1]), int(found[1]) + self._more)
            text = text[: found.start(1)] + count + text[found.end(1) :]
        self._more = 0
        return b"", text


def _trailer(signs: Delimiters) -> re.Pattern[bytes]:
    """Return what finds the next SE with its count, or another segment of the envelopes."""
    end, element = (re.escape(sign.encode("latin-1")) for sign in (signs.segment, signs.element))
    before = rb"(?:\A|" + end + rb")[ \t\r\n\x00\x1a]*"
    return re.compile(before + rb"(?:SE" + element + rb"(\d+)|(?:ST|GS|GE|ISA|IEA)" + element + rb")")
