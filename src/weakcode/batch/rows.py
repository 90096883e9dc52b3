"""What a reader gives for each claim of a file: the claim and its place, or why it is none."""

from __future__ import annotations

import attrs

from weakcode.claims import Claim
from weakcode.errors import InputError


@attrs.frozen
class Record:
    """A claim that was read, with its file and 1-based line. `raw` is the row as it stands in the file."""

    claim: Claim
    file: str
    line: int
    raw: str = attrs.field(default="", repr=False)


@attrs.frozen
class Rejected:
    """A row that is no claim.

    `reason` and `raw` may hold what the row says and belong in a rejects file only. `part` names what is
    wrong without repeating any value ("age", "quotes"), for terminals and logs.
    """

    file: str
    line: int
    claim_id: str | None
    reason: str = attrs.field(repr=False)
    part: str
    raw: str = attrs.field(default="", repr=False)

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.file}, line {self.line}"


class RowError(InputError):
    """A row that cannot be read, from `read_claims`. The message says where; `rejected.reason` says what."""

    def __init__(self, rejected: Rejected) -> None:
        super().__init__(
            f"{rejected.where}: the row cannot be read as a claim because of its {rejected.part}; "
            "mend the row, or scrub the file, which sets such rows aside"
        )
        self.rejected = rejected


class BadRow(Exception):  # noqa: N818 - never leaves the readers
    """Raised inside a reader: this row is to be rejected for this reason."""

    def __init__(self, part: str, reason: str, claim_id: str | None = None) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason
        self.claim_id = claim_id
