"""What an evaluation gives back: findings, with the words they stand on and the fix they allow."""

from __future__ import annotations

import enum
from typing import Any

import attrs


class Severity(enum.IntEnum):
    """How much a finding matters; a larger value matters more."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def label(self) -> str:
        """The lower-case word used in files and output."""
        return self.name.lower()

    @classmethod
    def parse(cls, word: str) -> Severity:
        """Return the severity with this label; raises ValueError for another word."""
        try:
            return cls[word.upper()]
        except KeyError:
            raise ValueError(f'"{word}" is not a severity; it is one of error, warning, info') from None


@attrs.frozen
class Source:
    """On whose word a finding stands: a publication, the place in it, and the note's own text where there is one."""

    title: str
    place: str
    quote: str | None = None

    def __str__(self) -> str:
        return f"{self.title}, {self.place}" if self.place else self.title


@attrs.frozen
class Fix:
    """What would mend a finding.

    `action` is one of `resequence`, `drop-repeat`, `remove`, `replace`, `add`. `positions` are the 1-based positions it
    touches, `code` the code to write. Only a `safe` fix leaves what the claim says unchanged.
    """

    action: str
    description: str
    safe: bool
    positions: tuple[int, ...] = ()
    code: str | None = None


@attrs.frozen
class Finding:
    """One violated rule on one claim.

    `positions` are 1-based, the subject's first; `codes` stand at these positions, canonical. Both are empty when a
    rule is about the claim as a whole.
    """

    rule: str
    severity: str
    message: str
    codes: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    sources: tuple[Source, ...] = ()
    fix: Fix | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, dicts and text, ready for JSON."""
        return attrs.asdict(self, value_serializer=lambda _, __, v: list(v) if isinstance(v, tuple) else v)
