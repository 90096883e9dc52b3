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
from weakcode.engines.ids import key_of
from weakcode.engines.judging import CodedRows
from weakcode.engines.kernel import _kernel
from weakcode.engines.wording import NOBODY, Named, Said
from weakcode.findings import Severity
from weakcode.scrub.columns import arrow
from weakcode.scrub.columns.facts import NO_DAY, AboutClaims, Categories
from weakcode.scrub.columns.pointers import PART
from weakcode.scrub.judge.incomplete import Satisfied
from weakcode.semantics.verbs import Verb

_MOST_REMEMBERED = 65_536
_LABELS = ["", *(severity.label for severity in sorted(Severity))]
_VARIANTS = pa.schema(
    [
        ("rule", pa.string()),
        ("message", pa.string()),
        ("codes", pa.list_(pa.string())),
        ("sources", pa.list_(pa.string())),
        ("edition", pa.string()),
        ("confidence", pa.string()),
        ("title", pa.string()),
        ("fix", pa.string()),
        ("moves", pa.int32()),
        ("key", pa.binary(16)),
    ]
)
"""`title` is the rule's, `fix` empty where there is none. `moves` is 1 where it is only there on a claim with another
code, to change places with. `key` stands for rule and codes in ids."""

Column = NDArray[np.int32]
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
    variants: pa.RecordBatch
    claims: int
    """Rows that have a finding."""

    @classmethod
    def together(cls, parts: Sequence[FindingColumns]) -> FindingColumns:
        """Return findings from several editions as one, in order of rows. A row has findings in one part only."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            none = np.empty(0, np.int32)
            return cls(none, none, none, none, none, none, worded([], ""), 0)
        starts = np.cumsum([0, *(part.variants.num_rows for part in parts)])
        order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
        shifted = [part.variant + np.int32(start) for part, start in zip(parts, starts, strict=False)]
        return cls(
            np.concatenate([part.rows for part in parts])[order],
            np.concatenate(shifted)[order],
            np.concatenate([part.subject for part in parts])[order],
            np.concatenate([part.object for part in parts])[order],
            np.concatenate([part.severity for part in parts])[order],
            np.concatenate([part.unmended for part in parts])[order],
            pa.concat_batches([part.variants for part in parts]),
            sum(part.claims for part in parts),
        )

    def beside(self, other: FindingColumns | None) -> FindingColumns:
        """Return these findings and others on the same rows: by row, subject, rule id, then object."""
        if other is None:
            return self
        variants = pa.concat_batches([self.variants, other.variants])
        parts = (self, attrs.evolve(other, variant=other.variant + np.int32(self.variants.num_rows)))
        names = ("rows", "variant", "subject", "object", "severity", "unmended")
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        rank = np.unique(np.array(variants["rule"].to_pylist(), np.str_), return_inverse=True)[1].reshape(-1)
        order = np.lexsort((columns["object"], rank[columns["variant"]], columns["subject"], columns["rows"]))
        claims = len(np.unique(columns["rows"]))
        return FindingColumns(
            **{name: column[order] for name, column in columns.items()}, variants=variants, claims=claims
        )

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the number of findings by rule and by severity."""
        rules = self.variants["rule"].dictionary_encode()
        index = arrow.filled(rules.indices, 0)[self.variant]
        by_rule = np.bincount(index, minlength=len(rules.dictionary)).tolist()
        by_severity = np.bincount(self.severity, minlength=len(_LABELS)).tolist()
        severities = {label: by_severity[level] for level, label in enumerate(_LABELS) if label}
        return dict(zip(rules.dictionary.to_pylist(), by_rule, strict=True)), severities

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

        With `hide`, claims have what it returns for their ids, and no date.
        """
        count = len(self.rows)
        ids = pa.nulls(count, pa.string()) if claim_ids is None else _ids(claim_ids, self.rows)
        ids = ids if hide is None else hide(ids)
        columns: dict[str, pa.Array] = {
            "claim_id": ids,
            "finding_id": self._finding_ids(ids),
            "rule": self._said("rule"),
            "severity": arrow.words(self.severity - 1, arrow.texts(_LABELS[1:])),
            "confidence": self._said("confidence"),
            "message": self._said("message"),
            "codes": arrow.taken_lists(self.variants["codes"], self.variant),
            "positions": self._positions(),
            "fix": self._fixes(),
            "payer": _categories(about.payer, self.rows),
            "edition": self._said("edition"),
            "title": self._said("title"),
            "provider": _categories(about.categories["provider"], self.rows),
            "sources": arrow.taken_lists(self.variants["sources"], self.variant),
        }
        if hide is None:
            columns["service_date"] = _dates(about.days.values[about.days.index[self.rows]])
        if file is not None:
            columns["file"] = arrow.words(np.zeros(count, np.int32), arrow.texts([file]))
        if lines is not None:
            columns["line"] = lines.take(arrow.numbers(self.rows)).cast(pa.int64())
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))

    def _finding_ids(self, claim_ids: pa.StringArray) -> pa.StringArray:
        bounds, data = arrow.text_buffers(claim_ids)
        keys = np.frombuffer(self.variants["key"].buffers()[1] or b"", np.uint8)
        start = 16 * self.variants["key"].offset
        ids = _kernel.finding_ids(keys[start:], self.rows, self.variant, self.subject, self.object, bounds, data)
        ends = np.arange(len(self.rows) + 1, dtype=np.int32) * _kernel.ID_DIGITS
        return pa.StringArray.from_buffers(len(self.rows), pa.py_buffer(ends), pa.py_buffer(ids))

    def _fixes(self) -> pa.DictionaryArray:
        said = self.variants["fix"].dictionary_encode()
        index = arrow.filled(said.indices, 0)[self.variant]
        none = np.array([not text for text in said.dictionary.to_pylist()], np.bool_)
        return arrow.words_or_none(index, said.dictionary, none[index] | (self.unmended != 0))

    def _said(self, name: str) -> pa.DictionaryArray:
        said = self.variants[name].dictionary_encode()
        return arrow.words(arrow.filled(said.indices, 0)[self.variant], said.dictionary)

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
    """What one thread remembers, from batch to batch, of the codes and findings that a bench has met.

    `satisfied` tells which requirements codes that are not billable satisfy. `terms` numbers documented terms and the
    lines that findings name, 0 being none; `coverage` is what it remembers of coverage policies. When `is_full`, start
    a new one: memory must not grow with the number of claims.
    """

    def __init__(self, program: Program, assembler: Assembler, edition: Edition, engine: ColumnarEngine) -> None:
        self._program, self._assembler, self._edition = program, assembler, edition
        self.reading = engine.reading()
        self.satisfied = Satisfied(edition, program)
        self.terms: dict[str, int] = {"": 0}
        self._report = _kernel.Report(assembler.merger)
        self._variants = worded([], edition.name)
        self._labels: dict[Said, list[str]] = {}
        self.coverage: Any = None

    @property
    def is_full(self) -> bool:
        """Whether so much is remembered that it would take less to begin anew."""
        return max(len(self.reading.names), int(self._variants.num_rows)) > _MOST_REMEMBERED

    def findings(self, hits: NDArray[np.int32], coded: CodedRows, payer: Categories) -> FindingColumns:
        """Return the findings that these hits, in order of rows, amount to."""
        payers = [*payer.values, None]
        whose = np.where(payer.index < 0, np.int32(len(payers) - 1), payer.index)
        block, claims = self._report.findings(
            np.ascontiguousarray(hits, np.int32).reshape(-1).view(np.uint8),
            coded.tokens,
            coded.bounds,
            whose,
            b"".join(map(self._assembler.severities, payers)),
        )
        rows, variant, subject, other, _, severity = np.frombuffer(block, np.int32).reshape(-1, 6).T.copy()
        self._word(coded.strange)
        used = np.zeros(self._variants.num_rows, np.bool_)
        used[variant] = True
        place = np.cumsum(used, dtype=np.int32) - 1
        variants = self._variants.take(arrow.numbers(np.flatnonzero(used)))
        variant = place[variant]
        unmended = arrow.filled(variants["moves"], 0)[variant].astype(np.int32)
        some = np.flatnonzero(unmended)
        unmended[some] = _alone(coded, rows[some])
        return FindingColumns(rows, variant, subject, other, severity, unmended, variants, claims)

    def _word(self, strange: Sequence[str]) -> None:
        """Put into words what no finding has said before."""
        new = self._report.new_variants()
        if not new:
            return
        terms, rules, rule_of = list(self.terms), self._program.rules, self._program.rule_of_edit
        wording, labels, size = self._assembler.wording, self._labels, self._edition.size

        def named(token: int) -> Named:
            if 0 <= token < size:
                return wording.billable(token)
            return NOBODY if token < 0 else wording.named(strange[token - size])

        said_new: list[_Worded] = []
        for numbers, first, second, third, term in new:
            subject, other, stray = named(first), named(second), named(third)
            text, _, lines = terms[term].partition(PART) if term else ("", "", "")
            message, said = wording.words(numbers, subject, other, stray, text, lines)
            cited = labels.get(said)
            if cited is None:
                cited = labels[said] = list(map(str, said.sources))
            codes = [code for code in (subject.shown, other.shown) if code]
            rule, edit = rules[rule_of[numbers[0]]], self._program.edit(numbers[0])
            mend = self._assembler.mend(edit, subject, other, stray)
            moves = False
            if edit.fix is not None and edit.fix.action == "resequence" and not (stray.shown or other.shown):
                moves = edit.verb in (Verb.FIRST, Verb.SECONDARY)
                mend = mend if moves else ""
            words = (rule.id, message, codes, cited, rule.confidence, rule.title, mend, moves)
            said_new.append((*words, key_of(rule.id, codes)))
        self._variants = pa.concat_batches([self._variants, worded(said_new, self._edition.name)])


def _alone(coded: CodedRows, rows: Column) -> NDArray[np.bool_]:
    """Tell which rows have no other code than their first."""
    starts, sizes = coded.bounds[rows], coded.bounds[rows + 1] - coded.bounds[rows]
    begin = np.cumsum(sizes) - sizes
    each = np.repeat(starts - begin, sizes) + np.arange(sizes.sum())
    differs = coded.tokens[each] != np.repeat(coded.tokens[starts], sizes)
    alone: NDArray[np.bool_] = np.bincount(np.repeat(np.arange(len(rows)), sizes), differs, len(rows)) == 0
    return alone


_Worded = tuple[str, str, list[str], list[str], str, str, str, bool, bytes]


def worded(said: Sequence[_Worded], edition: str) -> pa.RecordBatch:
    """Return a table of `_VARIANTS` from all of it but the edition, for each."""
    rules, messages, codes, sources, confidences, titles, fixes, moves, keys = (
        zip(*said, strict=True) if said else [()] * 9
    )
    columns = [arrow.texts(rules), arrow.texts(messages)]
    for column in (codes, sources):
        bounds = np.zeros(len(said) + 1, np.int32)
        np.cumsum([len(one) for one in column], out=bounds[1:])
        columns.append(arrow.lists(bounds, arrow.texts([text for one in column for text in one])))
    columns.append(arrow.texts([edition] * len(said)))
    columns += map(arrow.texts, (confidences, titles, fixes))
    columns.append(arrow.numbers(np.array(moves, np.int32)))
    columns.append(pa.Array.from_buffers(pa.binary(16), len(said), [None, pa.py_buffer(b"".join(keys))]))
    return pa.RecordBatch.from_arrays(columns, schema=_VARIANTS)
