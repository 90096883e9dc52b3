"""What a reader gives for each claim of a file: the claim and its place, or why it is none."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from weakcode.claims import Claim
from weakcode.errors import InputError, WeakcodeError
from weakcode.semantics.verbs import Order


@attrs.frozen
class Record:
    """A claim that was read, with its file and 1-based line. `raw` is the row as it stands in the file.

    `place` says where the claim stands in the words of its format, where a line does not say it all: a FHIR path,
    control numbers and segment. `places` and `lines` say the same for each diagnosis; both are empty where
    the claim's own place is all that is known; so with `column` and `columns`, which are 0 and empty where a line says
    enough. `other_codes` holds codes that the claim carries outside its list of
    diagnoses, as (kind, code): the admitting diagnosis, the reason for visit. `order` says of which codes it is known.
    `origin` is what a writer of the same format needs to put a mended claim in its place.
    """

    claim: Claim
    file: str
    line: int
    raw: str = attrs.field(default="", repr=False)
    place: str = ""
    places: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    other_codes: tuple[tuple[str, str], ...] = ()
    column: int = 0
    columns: tuple[int, ...] = ()
    origin: object = attrs.field(default=None, eq=False, repr=False)
    order: Order = "all"

    def spot_of(self, positions: Sequence[int] = ()) -> str:
        """Return file, line and column, where it is known, of the first of these positions: `file:line:column`."""
        at = positions[0] - 1 if positions else -1
        column = self.columns[at] if 0 <= at < len(self.columns) else self.column
        return f"{self.file}:{self.line_of(positions)}" + (f":{column}" if column > 1 else "")

    def place_of(self, positions: Sequence[int]) -> str:
        """Return the place of the first of these 1-based positions, or the claim's where there is none."""
        at = positions[0] - 1 if positions else -1
        return self.places[at] if 0 <= at < len(self.places) else self.place

    def line_of(self, positions: Sequence[int]) -> int:
        """Return the line of the first of these 1-based positions, or the claim's where it is not known."""
        at = positions[0] - 1 if positions else -1
        return self.lines[at] if 0 <= at < len(self.lines) else self.line


@attrs.frozen
class Rejected:
    """A rejected row.

    `reason` and `raw` may hold what the row says and belong in a rejects file only. `part` names what is
    wrong without repeating any value ("age", "quotes"), for terminals and logs. `place` is as in `Record`.
    """

    file: str
    line: int
    claim_id: str | None
    reason: str = attrs.field(repr=False)
    part: str
    raw: str = attrs.field(default="", repr=False)
    place: str = ""

    @property
    def where(self) -> str:
        """File, line and, where the format has one, the place in it."""
        return f"{self.file}, line {self.line}" + (f", {self.place}" if self.place else "")


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


def reason_of(error: Exception) -> str:
    """Return what an error says with the value that it is about, for a reject."""
    return error.in_full if isinstance(error, WeakcodeError) else str(error)
