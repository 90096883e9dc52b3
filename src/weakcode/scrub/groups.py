"""The DRGs of the claims of a run, before and after safe fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from weakcode.claims import Claim
    from weakcode.drg.grouping import Drg, Grouper
    from weakcode.scrub.write.pseudonyms import HashedIds

MOST_CHANGES = 1_000
"""Claims whose DRG changes that a summary names."""


@attrs.frozen
class DrgChange:
    """A claim whose DRG safe fixes change: number and title of it before and after, None where it cannot be grouped."""

    claim_id: str | None
    before: int | None
    before_title: str | None
    after: int | None
    after_title: str | None

    @classmethod
    def of(cls, claim_id: str | None, before: Drg | None, after: Drg | None) -> DrgChange:
        """Return the change of a claim."""
        groups = [(None, None) if one is None else (one.number, one.title) for one in (before, after)]
        return cls(claim_id, *groups[0], *groups[1])


@attrs.frozen
class DrgCounts:
    """How many inpatient claims were grouped, how many cannot be, and how many DRGs safe fixes change.

    Claims of other settings, or of days before the groupers that are known, are in no count. `changes` has the first
    thousand of those that change. `without_procedures` and `without_discharge` count claims that say no procedure, and
    not how they ended; `unread` those of which something was left out because it has not the form of such a code.
    """

    grouped: int
    ungroupable: int
    changed: int
    changes: tuple[DrgChange, ...]
    without_procedures: int = 0
    without_discharge: int = 0
    unread: int = 0


class DrgTally:
    """Groups claims and counts what becomes of their DRGs; `fix` returns a claim after its safe fixes."""

    def __init__(self, grouper: Grouper, fix: Callable[[Claim], Claim]) -> None:
        self._grouper, self._fix = grouper, fix
        self._grouped = self._ungroupable = self._changed = 0
        self._without_procedures = self._without_discharge = self._unread = 0
        self._changes: list[DrgChange] = []

    def add(self, claims: Iterable[Claim], hide: HashedIds | None) -> None:
        """Count claims; `hide` tells their ids in the place of what they are."""
        for claim in claims:
            found = self._grouper.group(claim, self._fix)
            if found.is_outside:
                continue
            self._grouped += found.before is not None
            self._ungroupable += found.before is None
            self._without_procedures += "no procedures" in found.assumed
            self._without_discharge += "discharged home" in found.assumed
            self._unread += bool(found.unread)
            if found.is_changed:
                self._changed += 1
                if len(self._changes) < MOST_CHANGES:
                    self._changes.append(
                        DrgChange.of(hide.text(claim.id) if hide else claim.id, found.before, found.after)
                    )

    def counts(self) -> DrgCounts:
        """Return the counts."""
        return DrgCounts(
            self._grouped,
            self._ungroupable,
            self._changed,
            tuple(self._changes),
            self._without_procedures,
            self._without_discharge,
            self._unread,
        )
