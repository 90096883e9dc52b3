"""Mended claims in their own FHIR resources."""

from __future__ import annotations

from weakcode.claims import Claim
from weakcode.scrub.read.fhir.stream import ElementOrigin
from weakcode.scrub.read.inputs import looks_like_fhir
from weakcode.scrub.read.rows import Record
from weakcode.scrub.write.inplace.fhirclaim import rewrite
from weakcode.scrub.write.inplace.splice import MendedInPlace


class MendedFhir(MendedInPlace):
    """Writes resources of FHIR again."""

    what = "a file of FHIR resources"

    def is_of_format(self, start: bytes) -> bool:
        """Tell whether a file holds resources of FHIR."""
        return looks_like_fhir(start, "")

    def span(self, record: Record) -> tuple[int, int]:
        """Return the bytes of the resource, or of the entry or Bundle that it stands in."""
        assert isinstance(record.origin, ElementOrigin), "claims of FHIR say where they stand"
        return record.origin.start, record.origin.stop

    def rewritten(self, content: bytes, record: Record, mended: Claim) -> bytes | None:
        """Return the resource as mended."""
        assert isinstance(record.origin, ElementOrigin)
        text = content.decode("utf-8", "surrogateescape")
        written = rewrite(text, record.origin.steps, record.claim, record.origin.indexes, mended)
        return None if written is None else written.encode("utf-8", "surrogateescape")
