"""Claims evaluated one by one, and their findings as rows of the findings table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import attrs

from weakcode.claims import Claim
from weakcode.errors import CodeTypeError, EditionError, EngineError, InputError, UnknownNameError
from weakcode.findings import Verdict, in_order
from weakcode.scrub.read.rows import Record, Rejected, reason_of
from weakcode.scrub.read.values import MOST_CODES, too_many
from weakcode.scrub.schema import ClaimFinding, findings_schema, row_of_table
from weakcode.semantics.verbs import Order

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 4096
"""Findings in one record batch; this bounds the memory of a scrub."""


class Judge(Protocol):
    """What evaluates a claim, such as a Validator."""

    def judge(self, claim: Claim, *, order: Order = "all") -> Verdict:
        """Return the findings and what they were judged by; `order` says of which codes the order is known."""


@attrs.frozen
class EvaluatedRecord:
    """A record that was evaluated."""

    record: Record
    verdict: Verdict


def evaluate(rows: Iterable[Record | Rejected], judge: Judge) -> Iterator[EvaluatedRecord | Rejected]:
    """Evaluate each record; a claim that cannot be judged for what it says is rejected.

    Raises EngineError, with the claim's place, when an engine fails: that must never look like a clean claim.
    """
    for row in rows:
        if isinstance(row, Rejected):
            yield row
            continue
        if len(row.claim.diagnoses) > MOST_CODES:
            yield Rejected(row.file, row.line, row.claim.id, too_many(len(row.claim.diagnoses)), "codes", row.raw)
            continue
        try:
            verdict = judge.judge(row.claim) if row.order == "all" else judge.judge(row.claim, order=row.order)
        except EngineError as error:
            raise EngineError(f"{row.file}, line {row.line}: {error}") from error
        except (InputError, CodeTypeError, EditionError) as error:
            yield Rejected(row.file, row.line, row.claim.id, reason_of(error), _part(error), row.raw)
        else:
            yield EvaluatedRecord(row, verdict)


def _part(error: Exception) -> str:
    if isinstance(error, EditionError):
        return "service date"
    return "documented facts" if isinstance(error, UnknownNameError) else "values"


class FindingRows:
    """Collects findings into record batches of the findings table."""

    def __init__(self) -> None:
        self._rows: list[dict[str, object]] = []

    def add(self, judged: EvaluatedRecord) -> None:
        """Take the findings of one claim, with those that were waived in their places."""
        record, verdict = judged.record, judged.verdict
        findings = in_order((*verdict.findings, *verdict.waived)) if verdict.waived else verdict.findings
        self._rows.extend(row_of_table(ClaimFinding(record, verdict, finding)) for finding in findings)

    def batches(self, *, last: bool = False) -> Iterator[pa.RecordBatch]:
        """Give the batches that are full, or all of them."""
        import pyarrow as pa

        while len(self._rows) >= BATCH_ROWS or (last and self._rows):
            yield pa.RecordBatch.from_pylist(self._rows[:BATCH_ROWS], schema=findings_schema())
            del self._rows[:BATCH_ROWS]
