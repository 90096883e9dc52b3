"""What was evaluated, one by one or in batches, as the claims that are to be mended in their file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from weakcode.scrub.judge.rows import EvaluatedRecord
from weakcode.scrub.read.batch import RefusedRow
from weakcode.scrub.read.rows import Record
from weakcode.scrub.write.fixed import Mend, MendedWriter

if TYPE_CHECKING:
    from weakcode.scrub.judge.batch import FindingBatch


class MendedClaims(MendedWriter, ABC):
    """Writes the claims into the file that they came from."""

    what: ClassVar[str]
    """What lists the claims, as in "an 837"."""

    def __init__(self, mend: Mend) -> None:
        super().__init__(mend)
        self._left = 0

    @abstractmethod
    def _take(self, record: Record) -> None:
        """Take a claim with findings."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Which of the mended claims are not in the file."""
        if not self._left:
            return ()
        return (f"{self._left:,} of the claims are as they were, because {self.what} cannot list them as mended",)

    def add(self, judged: EvaluatedRecord) -> None:
        if judged.verdict.findings:
            self._take(judged.record)

    def add_batch(self, judged: FindingBatch) -> None:
        """Take the claims of a batch; those that are mended are read once more."""
        if judged.claims is None or judged.found is None:
            return
        claims = judged.claims.claims(judged.found)
        for row, claim in zip(judged.found.tolist(), claims, strict=True):
            if self._mend(claim) != claim:
                (record,) = judged.claims.reread(RefusedRow(row, None, "", ""))
                assert isinstance(record, Record)
                self._take(record)
