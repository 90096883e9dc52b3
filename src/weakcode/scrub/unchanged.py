"""Claims that an earlier run judged already: their findings are taken over, and only the others are judged.

A claim is unchanged where its digest is the same: of everything that is looked at to judge it, of the codes that are in
force on its day, and for claims without a date of the day of the run. Lines and places are those of this run.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from weakcode.errors import EditionError
from weakcode.fields import ABOUT_THE_CLAIM, LINES
from weakcode.scrub.columns.arrow import filled, numbers
from weakcode.scrub.columns.digests import SIZE, Digests, digests_of, row_digests
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims
from weakcode.scrub.columns.invalid import unreadable
from weakcode.scrub.columns.spilled import let_go, sorted_order
from weakcode.scrub.columns.views import as_one_array
from weakcode.scrub.read.batch import said_once
from weakcode.scrub.schema import Encoding, conformed, findings_schema, parquet_leaves

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.scrub.judge.columns import BatchOutcome, ColumnScrubber

MOST_GROUPS = 8
"""Row groups from which the findings of a batch are taken over; claims with findings elsewhere are judged again."""
_KEPT = 3
"""Row groups that stay in memory: batches that follow each other take from the same ones."""
_SORTED_ROWS = 1 << 20
"""Earlier claims among which digests are looked for together."""
LOOKED_AT = ("claim_id", "codes", *ABOUT_THE_CLAIM, LINES)


class EarlierFindings:
    """The findings of an earlier run in their Parquet file. Its row groups are read when they are asked for.

    Texts that repeat stay dictionaries, so that to take findings over is to copy numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with pq.ParquetFile(path) as file:
            self._metadata = file.metadata
            self.names = file.schema_arrow.names
        sizes = [self._metadata.row_group(group).num_rows for group in range(self._metadata.num_row_groups)]
        self._bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
        self._read: dict[int, pa.Table] = {}

    def __len__(self) -> int:
        return int(self._metadata.num_rows)

    def column(self, name: str) -> Iterator[pa.ChunkedArray]:
        """Give a column, a row group at a time."""
        with pq.ParquetFile(self.path, metadata=self._metadata) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=[name])[name]

    def around(self, index: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64]]:
        """Return findings with those of these numbers among them, and where these are. Texts are not copied."""
        if not len(index):
            return findings_schema().empty_table(), index
        groups = np.unique(self.group_of(index))
        first, last = int(index.min()), int(index.max()) + 1
        parts, starts = [], np.zeros(len(self._bounds), np.int64)
        rows = 0
        for group in groups.tolist():
            start, end = max(first, int(self._bounds[group])), min(last, int(self._bounds[group + 1]))
            starts[group] = start - rows
            rows += end - start
            parts.append(self._group(group).slice(start - int(self._bounds[group]), end - start))
        return pa.concat_tables(parts), index - starts[self.group_of(index)]

    def group_of(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return in which row group findings are, by their numbers."""
        return np.searchsorted(self._bounds, index, "right") - 1

    def _group(self, group: int) -> pa.Table:
        found = self._read.pop(group, None)
        if found is None:
            repeated = [one for one in parquet_leaves(Encoding.REPEATS) if "list" not in one]
            with pq.ParquetFile(self.path, metadata=self._metadata, read_dictionary=repeated) as file:
                read = file.read_row_group(group)
            found = read.select([name for name in findings_schema().names if name in read.column_names])
        # The least recently used ones go; several threads may be here, each with groups of its own.
        self._read[group] = found
        for oldest in list(self._read)[:-_KEPT]:
            self._read.pop(oldest, None)
        return found


@attrs.frozen(eq=False)
class EarlierClaims:
    """The claims and findings of an earlier run, in its order.

    `first` and `second` are the digests of its claims as two numbers, `counts` how many findings each has, `starts`
    the number of the first of them, `nth` which claim of its id each was. `found`, from one of `bounds` to the next,
    has for each finding of a claim which of the `pairs` of rule and severity it is. `findings` are None where they stay
    in a table, in which `wrote` stands for the run. The columns are read-only, and in a file where they are long.
    """

    first: NDArray[np.uint64]
    second: NDArray[np.uint64]
    counts: NDArray[np.int32]
    starts: NDArray[np.int64]
    nth: NDArray[np.int32]
    found: NDArray[np.int32]
    bounds: NDArray[np.int64]
    pairs: tuple[tuple[str, str], ...]
    wrote: str
    findings: EarlierFindings | None
    _order: NDArray[np.int32] = attrs.field(init=False)
    _sorted: NDArray[np.uint64] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        ordered, places = sorted_order(self.first)
        object.__setattr__(self, "_order", places)
        object.__setattr__(self, "_sorted", ordered)
        let_go([self.first])

    def find(self, digests: Digests) -> NDArray[np.int64]:
        """Return which claim has each digest, -1 where none has it whose findings are near those of the others."""
        if not len(self._order):
            return np.full(len(digests), -1, np.int64)
        words = np.ascontiguousarray(digests).view(np.uint64).reshape(-1, 2)
        claim = np.empty(len(words), np.int64)
        same: NDArray[np.bool_] = (words != 0).any(axis=1)
        # In order, a part at a time: no more of what is sorted is in memory at once.
        for some in np.array_split(np.argsort(words[:, 0]), len(self._order) // _SORTED_ROWS + 1):
            asked = words[some, 0]
            at = np.minimum(np.searchsorted(self._sorted, asked), len(self._order) - 1)
            claim[some] = self._order[at]
            same[some] &= self._sorted[at] == asked
            let_go([self._sorted, self._order])
        same &= self.second[claim] == words[:, 1]
        let_go([self.second, self.counts, self.starts, self.nth, self.found, self.bounds])
        return self._in_few_groups(np.where(same, claim, -1))

    def _in_few_groups(self, claims: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return claims, -1 for those whose findings are in other row groups than those of most."""
        if self.findings is None:
            return claims
        known = np.flatnonzero(claims >= 0)
        known = known[self.counts[claims[known]] > 0]
        groups = self.findings.group_of(self.starts[claims[known]])
        count = np.bincount(groups)
        if np.count_nonzero(count) > MOST_GROUPS:
            kept = np.argsort(-count, kind="stable")[:MOST_GROUPS]
            claims[known[~np.isin(groups, kept)]] = -1
        return claims

    def findings_of(self, claims: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64], NDArray[np.int64]]:
        """Return findings with those of these claims among them, where these are in order, and on which claim each."""
        assert self.findings is not None
        index, of = _spread(self.starts[claims], self.counts[claims].astype(np.int64))
        return *self.findings.around(index), of

    def numbers_of(self, claims: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return which of the pairs the findings of these claims are, and on which of them each is."""
        index, of = _spread(self.bounds[claims], self.bounds[claims + 1] - self.bounds[claims])
        return self.found[index], of


def _spread(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the numbers of some runs of numbers one after the other, and which run each is of."""
    of = np.repeat(np.arange(len(counts)), counts)
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(len(of)), of


@attrs.frozen(eq=False)
class KnownDigests:
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


class UnchangedClaims:
    """Tells the digests of claims, and takes over the findings of those that the earlier run judged.

    `of_run` stands for everything that judges beside the codes of a day: rules, profile, version.
    """

    def __init__(self, scrubber: ColumnScrubber, of_run: str, earlier: EarlierClaims | None = None) -> None:
        self._scrubber, self._of_run, self.earlier = scrubber, of_run, earlier

    @property
    def stays_in_table(self) -> EarlierClaims | None:
        """The earlier claims, where their findings stay in a table."""
        return self.earlier if self.earlier is not None and self.earlier.findings is None else None

    def look(self, batch: pa.RecordBatch | pa.Table, *, decoded: bool, ordered: bool = True) -> KnownDigests:
        """Return what is known of a batch of claims: nothing where text cannot be read, or codes are not `ordered`."""
        columns = {name: as_one_array(batch.column(name)) for name in LOOKED_AT if name in batch.schema.names}
        if not ordered or unreadable(columns, decoded=decoded):
            nothing = np.zeros((batch.num_rows, SIZE), np.uint8)
            return KnownDigests(nothing, np.full(batch.num_rows, -1, np.int64))
        about = AboutClaims.of(columns, batch.num_rows, self._scrubber.payer_of)
        editions = [self._edition(day) for day in about.days.values.tolist()]
        by_day = digests_of([self._edition_key(day, one) for day, one in zip(about.days.values, editions, strict=True)])
        digests = row_digests(columns, by_day[about.days.index])
        if self.earlier is None:
            return KnownDigests(digests, np.full(batch.num_rows, -1, np.int64))
        looked = KnownDigests(digests, self.earlier.find(digests))
        self._count(looked, about, editions)
        return looked

    def _edition(self, day: int) -> Edition | None:
        try:
            return self._scrubber.judge_of(day).edition
        except EditionError:
            return None

    def _edition_key(self, day: int, edition: Edition | None) -> bytes:
        today = self._scrubber.today.isoformat() if day == NO_DAY else ""
        return json.dumps([self._of_run, today, None if edition is None else [*map(str, edition.key)]]).encode()

    def _count(self, looked: KnownDigests, about: AboutClaims, editions: list[Edition | None]) -> None:
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

    def together(
        self, scrubbed: BatchOutcome, looked: KnownDigests, changed: NDArray[np.int64], file: str
    ) -> BatchOutcome:
        """Return the outcome of a batch of which only some claims were judged, with the findings of the others.

        The line of a finding is the row of its claim in the batch.
        """
        assert self.earlier is not None
        unchanged = np.flatnonzero(looked.earlier >= 0)
        numbered, on = self.earlier.numbers_of(looked.earlier[unchanged])
        by_rule, by_severity = self._counts(numbered)
        errors = np.array([severity == "error" for _, severity in self.earlier.pairs], np.bool_)
        if self.earlier.findings is None:
            findings = scrubbed.findings
        else:
            old, where, of = self.earlier.findings_of(looked.earlier[unchanged])
            findings, rows = _merged(scrubbed.findings, old, where, unchanged[of])
            for name, column in {"line": numbers(rows), "file": said_once(file, len(rows))}.items():
                findings = findings.set_column(findings.schema.get_field_index(name), name, column)
        return attrs.evolve(
            scrubbed,
            findings=findings,
            rejected=tuple(attrs.evolve(one, row=int(changed[one.row])) for one in scrubbed.rejected),
            rows=len(looked.earlier),
            evaluated=scrubbed.evaluated + len(unchanged),
            clean=scrubbed.clean + int((self.earlier.counts[looked.earlier[unchanged]] == 0).sum()),
            with_errors=scrubbed.with_errors + len(np.unique(on[errors[numbered]])),
            by_rule=Counter(scrubbed.by_rule) + by_rule,
            by_severity={name: n + by_severity[name] for name, n in scrubbed.by_severity.items()},
            editions=Counter(scrubbed.editions) + looked.editions,
            notes_editions=Counter(scrubbed.notes_editions) + looked.notes,
            notes_out_of_force=Counter(scrubbed.notes_out_of_force) + looked.old_notes,
            out_of_force=Counter(scrubbed.out_of_force) + looked.out_of_force,
            unchanged=len(unchanged),
        )

    def _counts(self, numbered: NDArray[np.int32]) -> tuple[Counter[str], Counter[str]]:
        """Return how many findings are of each rule, and of each severity."""
        assert self.earlier is not None
        by_rule, by_severity = Counter[str](), Counter[str]()
        found = np.bincount(numbered, minlength=len(self.earlier.pairs)).tolist()
        for (rule, severity), count in zip(self.earlier.pairs, found, strict=True):
            if count:
                by_rule[rule] += count
                by_severity[severity] += count
        return by_rule, by_severity

    def nth_of(self, looked: KnownDigests) -> NDArray[np.int64]:
        """Return which claim of its id each was in the earlier run, 0 for those that were judged now."""
        if self.earlier is None or not len(self.earlier.nth):
            return np.zeros(len(looked.earlier), np.int64)
        return np.where(looked.earlier >= 0, self.earlier.nth[looked.earlier], 0).astype(np.int64)


@attrs.frozen
class Texts:
    """A column as numbers of its distinct texts."""

    names: list[str]
    index: NDArray[np.int64]


def texts_of(column: pa.Array) -> Texts:
    """Return a column of texts as numbers of them."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return Texts(coded.dictionary.to_pylist(), filled(coded.indices, 0).astype(np.int64))


def _merged(
    new: pa.RecordBatch, old: pa.Table, where: NDArray[np.int64], at: NDArray[np.int64]
) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """Return findings in the order of their claims, and the row of each.

    `where` are the old ones among others, and `at` the rows of their claims.
    """
    if not new.num_rows and len(where) == old.num_rows and bool((np.diff(where) == 1).all() & (np.diff(at) >= 0).all()):
        return _one_batch(old), at
    rows = np.concatenate([filled(new["line"], 0).astype(np.int64), at])
    kinds = pa.schema([(field.name, old.schema.field(field.name).type) for field in findings_schema()])
    new = conformed(new)
    columns = [new[name].cast(kinds.field(name).type) for name in kinds.names]
    both = pa.concat_tables([pa.table(columns, schema=kinds), old.select(kinds.names)]).unify_dictionaries()
    picked = np.concatenate([np.arange(new.num_rows), where + new.num_rows])[np.argsort(rows, kind="stable")]
    return _one_batch(both.take(numbers(picked))), np.sort(rows)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.unify_dictionaries().combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
