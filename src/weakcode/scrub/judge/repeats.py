"""Claims of a run that share an id: the findings of the second and of later ones have ids of their own.

Which of them a claim is says its place among the claims of this id that the run evaluated. Claims without id share the
empty one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.engines.ids import id_of
from weakcode.engines.kernel._kernel import ids_of_nth, nth_id, nth_of_run
from weakcode.errors import InputError
from weakcode.scrub.ids.counted import CountedIds

if TYPE_CHECKING:
    import pyarrow as pa

    from weakcode.scrub.judge.batch import FindingBatch
    from weakcode.scrub.judge.rows import EvaluatedRecord


class RepeatedIds:
    """Counts the ids of the claims of one run, in the order in which they are evaluated.

    In a part of a run nothing is counted: what an id was given before is not known there.
    """

    def __init__(self, *, is_part: bool = False) -> None:
        self._ids = CountedIds()
        self._is_part = is_part
        self.nth: Any = None
        """Which claim of its id each of the last batch was."""

    def check_alone(self) -> None:
        """Raise InputError where a claim of the last batch has the id of another, or none like another."""
        if self.nth is not None and int(self.nth.max(initial=0)) > 1:
            raise InputError(
                "claims share an id, or several have none; in a table findings are found by it, so run without --since"
            )

    def evaluated(self, one: EvaluatedRecord) -> EvaluatedRecord:
        """Return a claim that was evaluated with the ids that its findings have in the run."""
        if self._is_part:
            return one
        claim_id = one.record.claim.id
        nth = self._ids.nth(claim_id.encode("utf-8", "surrogatepass") if claim_id else b"")
        if nth == 1:
            return one
        verdict = one.verdict
        findings, waived = (
            tuple(attrs.evolve(found, id=nth_of_run(found.id, nth)) for found in listed)
            for listed in (verdict.findings, verdict.waived)
        )
        return attrs.evolve(one, verdict=attrs.evolve(verdict, findings=findings, waived=waived))

    def batch(self, part: FindingBatch) -> pa.RecordBatch | None:
        """Return the findings of a batch of claims with the ids that they have in the run."""
        import numpy as np
        import pyarrow as pa

        from weakcode.scrub.columns.arrow import text_buffers

        if part.scrubbed is None or part.claim_ids is None or part.rows is None:
            return None
        findings = part.scrubbed.findings
        if self._is_part:
            return findings
        nth, again = self._ids.nth_of(*text_buffers(part.claim_ids))
        self.nth = nth
        if part.known is not None:
            findings = _as_first(findings, part.rows, part.known.nth, nth)
            # Those of an earlier run have their ids already.
            nth = np.where(part.known.nth == nth, 1, nth).astype(np.uint32)
            again = int((nth > 1).any())
        if not again or not findings.num_rows:
            return findings
        at = findings.schema.get_field_index("finding_id")
        bounds, data = text_buffers(findings.column(at))
        data = data[int(bounds[0]) : int(bounds[-1])]
        ends = np.arange(findings.num_rows + 1, dtype=np.int32) * np.int32(len(data) // findings.num_rows)
        ids = ids_of_nth(data, part.rows, nth)
        column = pa.StringArray.from_buffers(findings.num_rows, pa.py_buffer(ends), pa.py_buffer(ids))
        return findings.set_column(at, "finding_id", column)


def _as_first(findings: pa.RecordBatch, rows: Any, before: Any, nth: Any) -> pa.RecordBatch:
    """Return findings, those of claims that are another one of their id than before with ids as on the first."""
    import numpy as np
    import pyarrow as pa

    moved = np.flatnonzero(((before > 1) & (before != nth))[rows])
    if not len(moved):
        return findings
    ids = findings["finding_id"].to_pylist()
    renumbered = findings.select(["claim_id", "rule", "codes", "positions"]).take(pa.array(moved)).to_pylist()
    met: Counter[tuple[int, str]] = Counter()
    for at, one in zip(moved.tolist(), renumbered, strict=True):
        first = id_of(**one)
        met[rows[at], first] += 1
        ids[at] = first if met[rows[at], first] == 1 else nth_id(first, met[rows[at], first])
    at = findings.schema.get_field_index("finding_id")
    return findings.set_column(at, "finding_id", pa.array(ids, pa.string()))
