"""The corrected claims of a scrub: each claim that was evaluated, once, in its order, mended where that can be done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from weakcode.claims import Claim
from weakcode.scrub.judge.rows import EvaluatedRecord
from weakcode.scrub.write.claims import ClaimsWriter

if TYPE_CHECKING:
    from weakcode.scrub.judge.batch import FindingBatch

Mend = Callable[[Claim], Claim]
"""Returns a claim mended, or as it is where nothing can be done."""
_CLAIMS = 4_096
"""Claims that are kept as objects at a time."""


class MendedWriter(ABC):
    """Takes what was evaluated, and writes the claims mended. `changed` counts those that were."""

    def __init__(self, mend: Mend) -> None:
        self._mend = mend
        self.changed = 0

    @property
    @abstractmethod
    def remarks(self) -> tuple[str, ...]:
        """What of the claims is not in the file."""

    @abstractmethod
    def add(self, judged: EvaluatedRecord) -> None:
        """Take one claim."""

    @abstractmethod
    def add_batch(self, judged: FindingBatch) -> None:
        """Take the claims of a batch."""

    def flush(self) -> None:
        """Write what waits for more, where anything can be written before all claims are known."""
        return

    def end(self) -> None:
        """Write what waited for the last claim; `changed` and `remarks` are right from now on."""
        self.flush()

    def finish(self, metadata: Mapping[str, str]) -> None:
        """Write what remains, with the metadata where the format has a place for it."""
        return

    def abandon(self) -> None:
        """Let go of the files that are open."""
        return


class FixedClaims(MendedWriter):
    """Takes what was evaluated and writes the claims. `changed` counts those that were mended.

    Only claims with findings are looked at: without a finding there is nothing to mend. `note` is a remark on the file.
    """

    def __init__(self, writer: ClaimsWriter, mend: Mend, note: str = "") -> None:
        super().__init__(mend)
        self._writer, self._note = writer, note
        self._claims: list[Claim] = []
        self._with_waivers = 0

    @property
    def remarks(self) -> tuple[str, ...]:
        notices = [self._note] if self._note else []
        if self._writer.lost:
            what = "service lines, indicators of presence on admission or documented words"
            notices.append(
                f"{self._writer.lost:,} of the claims have {what} that this format does not hold; .jsonl holds them"
            )
        if self._with_waivers:
            notices.append(
                f"{self._with_waivers:,} of the claims are without their waivers; keep those in a file of waivers"
            )
        return tuple(notices)

    def add(self, judged: EvaluatedRecord) -> None:
        claim = judged.record.claim
        if judged.verdict.findings:
            claim = self._mended(claim)
        self._claims.append(claim)
        if len(self._claims) >= _CLAIMS:
            self.flush()

    def add_batch(self, judged: FindingBatch) -> None:
        """Take the claims of a batch; only those with findings are read into objects."""
        import numpy as np

        from weakcode.scrub.columns.claims import columns_of, replaced

        if judged.claims is None or judged.found is None or judged.scrubbed is None:
            return
        self.flush()
        read = judged.claims
        good = np.ones(read.count, np.bool_)
        good[[one.row for one in judged.scrubbed.rejected]] = False
        claims = read.tidied(None if good.all() else good)
        # Rows that were rejected are not among the claims.
        place_of = np.cumsum(good) - 1
        for start in range(0, len(judged.found), _CLAIMS):
            found = judged.found[start : start + _CLAIMS]
            places, changed = [], []
            for row, claim in zip(found.tolist(), read.claims(found), strict=True):
                fixed_claim = self._mended(claim)
                if fixed_claim is not claim:
                    places.append(row)
                    changed.append(fixed_claim)
            if changed:
                claims = replaced(claims, place_of[places].tolist(), columns_of(changed))
        self._writer.write(claims)

    def finish(self, metadata: Mapping[str, str]) -> None:
        self.flush()
        self._writer.finish(metadata)

    def abandon(self) -> None:
        self._writer.abandon()

    def _mended(self, claim: Claim) -> Claim:
        mended = self._mend(claim)
        if mended == claim:
            return claim
        self.changed += 1
        return mended

    def flush(self) -> None:
        """Write the claims that wait for others."""
        if self._claims:
            from weakcode.scrub.columns.claims import columns_of

            self._with_waivers += sum(bool(claim.waivers) for claim in self._claims)
            self._writer.write(columns_of(self._claims))
            self._claims.clear()
