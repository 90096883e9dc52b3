"""Claims from X12 837 files, professional, institutional and dental: segments, then loops, then claims."""

from __future__ import annotations

from weakcode.scrub.read.x12.source import X12Source, looks_like_x12

__all__ = ["X12Source", "looks_like_x12"]
