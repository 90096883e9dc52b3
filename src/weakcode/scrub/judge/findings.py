"""Hits as columns become findings as columns.

What a finding says depends only on its edits, codes and term. Such a variant is worded once, however many claims
have it, and the columns point to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.findings import Assembler
from weakcode.engines.judging import CodedRows
from weakcode.engines.kernel import _kernel
from weakcode.findings import Severity
from weakcode.scrub.columns import arrow
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims, Categories
from weakcode.scrub.judge.incomplete import SatisfiedRequirements
from weakcode.scrub.judge.variants import Column, Variants
from weakcode.scrub.judge.worded import VariantWords
from weakcode.scrub.schema import PERSONAL

_MOST_REMEMBERED = 131_072
_LABELS = ["", *(severity.label for severity in sorted(Severity))]
Pseudonyms = Callable[[pa.Array], pa.Array]
"""Returns pseudonyms of claim ids."""


@attrs.frozen(eq=False)
class FindingColumns:
    """Findings in their order: row of the claim, row of `variants`, positions (0 for none), severity."""

    rows: Column
    variant: Column
    subject: Column
    object: Column
    severity: Column
    unmended: Column
    """1 for a finding of a claim on which the fix of its variant cannot be made."""
    variants: Variants
    claims: int
    """Rows that have a finding."""

    @classmethod
    def together(cls, parts: Sequence[FindingColumns]) -> FindingColumns:
        """Return findings from several editions as one, in order of rows. A row has findings in one part only."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            none = np.empty(0, np.int32)
            return cls(none, none, none, none, none, none, Variants.of([], ""), 0)
        starts = np.cumsum([0, *(len(part.variants) for part in parts)])
        order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
        shifted = [part.variant + np.int32(start) for part, start in zip(parts, starts, strict=False)]
        return cls(
            np.concatenate([part.rows for part in parts])[order],
            np.concatenate(shifted)[order],
            np.concatenate([part.subject for part in parts])[order],
            np.concatenate([part.object for part in parts])[order],
            np.concatenate([part.severity for part in parts])[order],
            np.concatenate([part.unmended for part in parts])[order],
            Variants.together([part.variants for part in parts]),
            sum(part.claims for part in parts),
        )

    def merged(self, other: FindingColumns | None) -> FindingColumns:
        """Return these findings and others on the same rows: by row, subject, rule id, then object."""
        if other is None:
            return self
        variants = Variants.together([self.variants, other.variants])
        parts = (self, attrs.evolve(other, variant=other.variant + np.int32(len(self.variants))))
        names = ("rows", "variant", "subject", "object", "severity", "unmended")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        rules = variants.rule.values.to_pylist()
        rank = np.argsort(sorted(range(len(rules)), key=rules.__getitem__))[variants.rule.index]
        order = np.lexsort((columns["object"], rank[columns["variant"]], columns["subject"], columns["rows"]))
        claims = len(np.unique(columns["rows"]))
        return FindingColumns(
            **{name: column[order] for name, column in columns.items()}, variants=variants, claims=claims
        )

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the number of findings by rule and by severity."""
        rules = self.variants.rule
        by_rule = np.bincount(rules.index[self.variant], minlength=len(rules.values)).tolist()
        by_severity = np.bincount(self.severity, minlength=len(_LABELS)).tolist()
        severities = {label: by_severity[level] for level, label in enumerate(_LABELS) if label}
        return dict(zip(rules.values.to_pylist(), by_rule, strict=True)), severities

    def claims_with_errors(self) -> int:
        """Return the number of rows with a finding that is an error."""
        rows = self.rows[self.severity == Severity.ERROR.rank]
        return int(len(rows) and np.count_nonzero(np.diff(rows)) + 1)

    def batch(
        self,
        claim_ids: pa.Array | None,
        about: AboutClaims,
        file: str | None,
        lines: pa.Array | None,
        hide: Pseudonyms | None = None,
    ) -> pa.RecordBatch:
        """Return the findings table; `claim_ids`, `about` and `lines` are columns of the claims.

        With `hide`, claims have what it returns for their ids, and personal columns are left out.
        """
        count, variants = len(self.rows), self.variants
        ids = pa.nulls(count, pa.string()) if claim_ids is None else _ids(claim_ids, self.rows)
        ids = ids if hide is None else hide(ids)
        columns: dict[str, pa.Array] = {
            "claim_id": ids,
            "finding_id": self._finding_ids(ids),
            "rule": variants.rule.of_rows(self.variant),
            "severity": arrow.words(self.severity - 1, arrow.texts(_LABELS[1:])),
            "confidence": variants.confidence.of_rows(self.variant),
            "message": variants.message.of_rows(self.variant),
            "codes": variants.codes.of_rows(self.variant),
            "positions": self._positions(),
            "fix": self._fixes(),
            "payer": _categories(about.payer, self.rows),
            "service_date": _dates(about.days.values[about.days.index[self.rows]]),
            "edition": variants.edition.of_rows(self.variant),
            "title": variants.title.of_rows(self.variant),
            "provider": _categories(about.categories["provider"], self.rows),
            "sources": variants.sources.of_rows(self.variant),
        }
        if file is not None:
            columns["file"] = arrow.words(np.zeros(count, np.int32), arrow.texts([file]))
        if lines is not None:
            columns["line"] = lines.take(arrow.numbers(self.rows)).cast(pa.int64())
        if hide is not None:
            columns = {name: column for name, column in columns.items() if name not in PERSONAL}
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _finding_ids(self, claim_ids: pa.StringArray) -> pa.StringArray:
        bounds, data = arrow.text_buffers(claim_ids)
        ids = _kernel.finding_ids(self.variants.keys, self.rows, self.variant, self.subject, self.object, bounds, data)
        ends = np.arange(len(self.rows) + 1, dtype=np.int32) * _kernel.ID_DIGITS
        return pa.StringArray.from_buffers(len(self.rows), pa.py_buffer(ends), pa.py_buffer(ids))

    def _fixes(self) -> pa.DictionaryArray:
        fixes = self.variants.fix
        index = fixes.index[self.variant]
        none = np.array([not text for text in fixes.values.to_pylist()], np.bool_)
        return arrow.words_or_none(index, fixes.values, none[index] | (self.unmended != 0))

    def _positions(self) -> pa.ListArray:
        bounds, values = _kernel.pick_above_zero(self.subject, self.object)
        return arrow.lists(np.frombuffer(bounds, np.int32), arrow.numbers(np.frombuffer(values, np.int32)))


def _categories(column: Categories, rows: Column) -> pa.DictionaryArray:
    index = column.index[rows]
    none = np.array([value is None for value in (*column.values, None)], np.bool_)
    return arrow.words_or_none(index, arrow.texts([value or "" for value in column.values]), none[index])


def _dates(days: Column) -> pa.Array:
    return arrow.masked(days, days == NO_DAY).view(pa.date32())


def _ids(column: pa.Array, rows: Column) -> pa.Array:
    if pa.types.is_string(column.type):
        return arrow.taken_texts(column, rows)
    return arrow.as_text(column.take(arrow.numbers(rows)))


class Memory:
    """What one thread remembers, from batch to batch, of the codes and findings that a judge has met.

    `satisfied` tells which requirements codes that are not billable satisfy. `terms` numbers documented terms and the
    lines that findings name, 0 being none; `coverage` is what it remembers of coverage policies. When `is_full`, start
    a new one: memory must not grow with the number of claims.
    """

    def __init__(self, program: Program, assembler: Assembler, edition: Edition, engine: ColumnarEngine) -> None:
        self._assembler = assembler
        self.reading = engine.reading()
        self.satisfied = SatisfiedRequirements(edition, program)
        self.terms: dict[str, int] = {"": 0}
        self._report = _kernel.Report(assembler.merger)
        self._words = VariantWords(program, assembler, edition)
        self.coverage: Any = None

    @property
    def is_full(self) -> bool:
        """Whether so much is remembered that it would take less to begin anew."""
        return max(len(self.reading.names), len(self._words)) > _MOST_REMEMBERED

    def findings(self, hits: NDArray[np.int32], coded: CodedRows, payer: Categories) -> FindingColumns:
        """Return the findings that these hits, in order of rows, amount to."""
        payers = [*payer.values, None]
        payer_numbers = np.where(payer.index < 0, np.int32(len(payers) - 1), payer.index)
        block, claims = self._report.findings(
            np.ascontiguousarray(hits, np.int32).reshape(-1).view(np.uint8),
            coded.tokens,
            coded.bounds,
            payer_numbers,
            b"".join(map(self._assembler.severities, payers)),
        )
        rows, variant, subject, other, _, severity = np.frombuffer(block, np.int32).reshape(-1, 6).T.copy()
        self._words.add(self._report.new_variants(), coded.unlisted, list(self.terms))
        # Of what was ever said, only what this batch says.
        used, variant = (np.frombuffer(one, np.int32) for one in _kernel.first_met(variant, len(self._words)))
        order = np.argsort(used)
        place = np.empty_like(used)
        place[order] = np.arange(len(used), dtype=np.int32)
        variants, variant = self._words.variants(used[order]), place[variant]
        unmended = variants.moves[variant]
        some = np.flatnonzero(unmended)
        unmended[some] = _alone(coded, rows[some])
        return FindingColumns(rows, variant, subject, other, severity, unmended, variants, claims)


def _alone(coded: CodedRows, rows: Column) -> NDArray[np.bool_]:
    """Tell which rows have no other code than their first."""
    starts, sizes = coded.bounds[rows], coded.bounds[rows + 1] - coded.bounds[rows]
    begin = np.cumsum(sizes) - sizes
    each = np.repeat(starts - begin, sizes) + np.arange(sizes.sum())
    differs = coded.tokens[each] != np.repeat(coded.tokens[starts], sizes)
    alone: NDArray[np.bool_] = np.bincount(np.repeat(np.arange(len(rows)), sizes), differs, len(rows)) == 0
    return alone
