"""Claims that an earlier run judged already: their findings are taken over, and only the others are judged.

A claim is unchanged where its digest is the same: of everything that is looked at to judge it, of the codes that are in
force on its day, and for claims without a date of the day of the run. Lines and places are those of this run.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.errors import EditionError
from weakcode.fields import ABOUT_THE_CLAIM, LINES
from weakcode.scrub.columns.arrow import filled, numbers
from weakcode.scrub.columns.digests import SIZE, Digests, digests_of, row_digests
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims
from weakcode.scrub.columns.invalid import unreadable
from weakcode.scrub.columns.views import whole
from weakcode.scrub.read.batch import said_once
from weakcode.scrub.schema import conformed, findings_schema

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.scrub.judge.columns import ColumnScrubber, Scrubbed

LOOKED_AT = ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)


@attrs.frozen(eq=False)
class EarlierClaims:
    """The claims and findings of an earlier run, in its order.

    `digests` are those of its claims as two numbers each, `findings` how many findings each has, `nth` which claim of
    its id each was.
    """

    digests: NDArray[np.uint64]
    counts: NDArray[np.int64]
    nth: NDArray[np.int64]
    findings: pa.Table
    _order: NDArray[np.int64] = attrs.field(init=False)
    _sorted: NDArray[np.uint64] = attrs.field(init=False)
    _starts: NDArray[np.int64] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        order = np.argsort(self.digests[:, 0], kind="stable")
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_sorted", self.digests[order, 0])
        object.__setattr__(self, "_starts", np.cumsum(self.counts) - self.counts)

    def find(self, digests: Digests) -> NDArray[np.int64]:
        """Return which claim has each digest, -1 where none has it."""
        if not len(self._order):
            return np.full(len(digests), -1, np.int64)
        words = np.ascontiguousarray(digests).view(np.uint64).reshape(-1, 2)
        at = np.minimum(np.searchsorted(self._sorted, words[:, 0]), len(self._order) - 1)
        claim = self._order[at]
        same = (self.digests[claim] == words).all(axis=1) & words.any(axis=1)
        return np.where(same, claim, -1)

    def findings_of(self, claims: NDArray[np.int64]) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
        """Return the findings of these claims in their order, and on which of them each is."""
        counts = self.counts[claims]
        ends = np.cumsum(counts)
        rows = np.repeat(np.arange(len(claims)), counts)
        index = np.repeat(self._starts[claims] - (ends - counts), counts) + np.arange(int(counts.sum()))
        taken = self.findings.take(numbers(index)).combine_chunks()
        batches = taken.to_batches()
        batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=taken.schema)
        return conformed(batch), rows


@attrs.frozen(eq=False)
class Looked:
    """What is known of the claims of a batch: their digests, and which of the earlier run each is, -1 for none."""

    digests: Digests
    earlier: NDArray[np.int64]
    editions: Counter[str] = attrs.field(factory=Counter)
    notes: Counter[str] = attrs.field(factory=Counter)
    old_notes: Counter[str] = attrs.field(factory=Counter)
    out_of_force: Counter[tuple[dt.date, str]] = attrs.field(factory=Counter)

    @property
    def changed(self) -> NDArray[np.int64]:
        """The rows that are to be judged."""
        return np.flatnonzero(self.earlier < 0)


class Unchanged:
    """Tells the digests of claims, and takes over the findings of those that the earlier run judged.

    `of_run` stands for everything that judges beside the codes of a day: rules, profile, version.
    """

    def __init__(self, scrubber: ColumnScrubber, of_run: str, earlier: EarlierClaims | None = None) -> None:
        self._scrubber, self._of_run, self.earlier = scrubber, of_run, earlier

    def look(self, batch: pa.RecordBatch | pa.Table, *, decoded: bool, ordered: bool = True) -> Looked:
        """Return what is known of a batch of claims: nothing where text cannot be read, or codes are not `ordered`."""
        columns = {name: whole(batch.column(name)) for name in LOOKED_AT if name in batch.schema.names}
        if not ordered or unreadable(columns, decoded=decoded):
            nothing = np.zeros((batch.num_rows, SIZE), np.uint8)
            return Looked(nothing, np.full(batch.num_rows, -1, np.int64))
        about = AboutClaims.of(columns, batch.num_rows, self._scrubber.payer_of)
        editions = [self._edition(day) for day in about.days.values.tolist()]
        by_day = digests_of([self._beside(day, one) for day, one in zip(about.days.values, editions, strict=True)])
        digests = row_digests(columns, by_day[about.days.index])
        if self.earlier is None:
            return Looked(digests, np.full(batch.num_rows, -1, np.int64))
        looked = Looked(digests, self.earlier.find(digests))
        self._count(looked, about, editions)
        return looked

    def _edition(self, day: int) -> Edition | None:
        try:
            return self._scrubber.judge_of(day).edition
        except EditionError:
            return None

    def _beside(self, day: int, edition: Edition | None) -> bytes:
        today = self._scrubber.today.isoformat() if day == NO_DAY else ""
        return json.dumps([self._of_run, today, None if edition is None else [*map(str, edition.key)]]).encode()

    def _count(self, looked: Looked, about: AboutClaims, editions: list[Edition | None]) -> None:
        """Count the claims that are taken over by edition, as those that are judged are counted."""
        counts = np.bincount(about.days.index[looked.earlier >= 0], minlength=len(editions))
        for number, edition, count in zip(about.days.values.tolist(), editions, counts.tolist(), strict=True):
            if edition is None or not count:
                continue
            day = self._scrubber.today if number == NO_DAY else np.datetime64(number, "D").item()
            looked.editions[edition.name] += count
            looked.notes[edition.notes_name] += count
            looked.old_notes[edition.notes_name] += count * (not edition.notes_from <= day <= edition.notes_to)
            looked.out_of_force[day, edition.name] += count * (not edition.starts <= day <= edition.ends)

    def together(self, scrubbed: Scrubbed, looked: Looked, changed: NDArray[np.int64], file: str) -> Scrubbed:
        """Return the outcome of a batch of which only some claims were judged, with the findings of the others.

        The line of a finding is the row of its claim in the batch.
        """
        assert self.earlier is not None
        taken = np.flatnonzero(looked.earlier >= 0)
        old, on = self.earlier.findings_of(looked.earlier[taken])
        new = conformed(scrubbed.findings).cast(findings_schema())
        rows = np.concatenate([filled(new["line"], 0).astype(np.int64), taken[on]])
        order = np.argsort(rows, kind="stable")
        both = (
            pa.Table.from_batches([new, old.cast(findings_schema())])
            .combine_chunks()
            .take(numbers(order))
            .combine_chunks()
        )
        batches = both.to_batches()
        findings = conformed(batches[0] if batches else new)
        at = findings.schema.get_field_index("line")
        findings = findings.set_column(at, "line", numbers(rows[order]))
        at = findings.schema.get_field_index("file")
        findings = findings.set_column(at, "file", said_once(file, len(rows)))
        severity = old["severity"].cast(pa.string())
        errors = len(np.unique(on[np.asarray(pc.equal(severity, "error").to_numpy(zero_copy_only=False), np.bool_)]))
        return attrs.evolve(
            scrubbed,
            findings=findings,
            rejected=tuple(attrs.evolve(one, row=int(changed[one.row])) for one in scrubbed.rejected),
            rows=len(looked.earlier),
            evaluated=scrubbed.evaluated + len(taken),
            clean=scrubbed.clean + len(taken) - len(np.unique(on)),
            with_errors=scrubbed.with_errors + errors,
            by_rule=Counter(scrubbed.by_rule) + _counted(old["rule"]),
            by_severity={name: n + _counted(severity)[name] for name, n in scrubbed.by_severity.items()},
            editions=Counter(scrubbed.editions) + looked.editions,
            notes_editions=Counter(scrubbed.notes_editions) + looked.notes,
            notes_out_of_force=Counter(scrubbed.notes_out_of_force) + looked.old_notes,
            out_of_force=Counter(scrubbed.out_of_force) + looked.out_of_force,
            unchanged=len(taken),
        )

    def nth_of(self, looked: Looked) -> NDArray[np.int64]:
        """Return which claim of its id each was in the earlier run, 0 for those that were judged now."""
        if self.earlier is None or not len(self.earlier.nth):
            return np.zeros(len(looked.earlier), np.int64)
        return np.where(looked.earlier >= 0, self.earlier.nth[looked.earlier], 0)


def _counted(column: Any) -> Counter[str]:
    return Counter({one["values"]: one["counts"] for one in pc.value_counts(column.cast(pa.string())).to_pylist()})
