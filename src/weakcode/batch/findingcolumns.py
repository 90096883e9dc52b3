"""Hits as columns become findings as columns.

What a finding says depends only on its edits, codes and term. Such a variant is worded once, however many claims have it,
and the columns point to it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.batch.aboutclaim import Categories
from weakcode.codes.edition import Edition
from weakcode.compile.edits import Verb, Where
from weakcode.compile.program import Program
from weakcode.engines import _kernel
from weakcode.engines.assemble import Assembler, sources_of
from weakcode.engines.columnar import CodedRows
from weakcode.findings import Severity

_REMEMBERED = 200_000
_LABELS = ["", *(severity.label for severity in sorted(Severity))]

Column = NDArray[np.int32]


@attrs.frozen
class Variant:
    """What a finding says, but for where on the claim."""

    rule: str
    message: str
    codes: tuple[str, ...]
    sources: tuple[str, ...]
    edition: str


@attrs.frozen(eq=False)
class FindingColumns:
    """Findings in their order: row of the claim, number of the variant, positions (0 for none), severity."""

    rows: Column
    variant: Column
    subject: Column
    object: Column
    severity: Column
    variants: Sequence[Variant]
    claims: int
    """Rows that have a finding."""

    @classmethod
    def together(cls, parts: Sequence[FindingColumns]) -> FindingColumns:
        """Return findings from several editions as one, in order of rows. A row has findings in one part only."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            none = np.empty(0, np.int32)
            return cls(none, none, none, none, none, (), 0)
        starts = np.cumsum([0, *(len(part.variants) for part in parts)])
        order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
        shifted = [part.variant + np.int32(start) for part, start in zip(parts, starts, strict=False)]
        return cls(
            np.concatenate([part.rows for part in parts])[order],
            np.concatenate(shifted)[order],
            np.concatenate([part.subject for part in parts])[order],
            np.concatenate([part.object for part in parts])[order],
            np.concatenate([part.severity for part in parts])[order],
            [variant for part in parts for variant in part.variants],
            sum(part.claims for part in parts),
        )

    def counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return the number of findings by rule and by severity."""
        by_rule: dict[str, int] = {}
        for variant, count in zip(self.variants, np.bincount(self.variant, minlength=len(self.variants)), strict=True):
            by_rule[variant.rule] = by_rule.get(variant.rule, 0) + int(count)
        by_severity = np.bincount(self.severity, minlength=len(_LABELS))
        return by_rule, {label: int(by_severity[i]) for i, label in enumerate(_LABELS) if label}

    def batch(self, claim_ids: pa.Array | None, file: str | None, lines: pa.Array | None) -> pa.RecordBatch:
        """Return the findings table; `claim_ids` and `lines` are columns of the claims."""
        rows = pa.array(self.rows)
        columns: dict[str, pa.Array] = {
            "claim_id": pa.nulls(len(rows), pa.string()) if claim_ids is None else _as_text(claim_ids.take(rows)),
            "rule": self._said([variant.rule for variant in self.variants]),
            "severity": pa.DictionaryArray.from_arrays(pa.array(self.severity - 1), pa.array(_LABELS[1:])),
            "message": self._said([variant.message for variant in self.variants]),
            "codes": self._lists([variant.codes for variant in self.variants]),
            "positions": self._positions(),
            "sources": self._lists([variant.sources for variant in self.variants]),
            "edition": self._said([variant.edition for variant in self.variants]),
        }
        if file is not None:
            columns["file"] = pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int32), pa.array([file]))
        if lines is not None:
            columns["line"] = lines.take(rows).cast(pa.int64())
        return pa.RecordBatch.from_pydict(columns)

    def _said(self, texts: Sequence[str]) -> pa.DictionaryArray:
        numbers: dict[str, int] = {}
        index = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int32, len(texts))
        return pa.DictionaryArray.from_arrays(pa.array(index[self.variant]), pa.array(list(numbers), pa.string()))

    def _lists(self, texts: Sequence[tuple[str, ...]]) -> pa.ListArray:
        numbers: dict[str, int] = {}
        flat = np.array([numbers.setdefault(text, len(numbers)) for some in texts for text in some], np.int32)
        starts = np.zeros(len(texts) + 1, np.int32)
        np.cumsum([len(some) for some in texts], out=starts[1:])
        lengths = np.diff(starts)[self.variant]
        bounds = np.zeros(len(self.variant) + 1, np.int32)
        np.cumsum(lengths, out=bounds[1:])
        within = np.arange(bounds[-1], dtype=np.int32) - np.repeat(bounds[:-1], lengths)
        index = flat[np.repeat(starts[self.variant], lengths) + within]
        words = pa.DictionaryArray.from_arrays(pa.array(index), pa.array(list(numbers), pa.string()))
        return pa.ListArray.from_arrays(pa.array(bounds), words)

    def _positions(self) -> pa.ListArray:
        both = np.column_stack((self.subject, self.object))
        there = both > 0
        bounds = np.zeros(len(both) + 1, np.int32)
        np.cumsum(there.sum(axis=1), out=bounds[1:])
        return pa.ListArray.from_arrays(pa.array(bounds), pa.array(both[there], pa.int32()))


def _as_text(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


class FindingTables:
    """The rules of a program in the form in which the kernel merges and orders findings, and the wording."""

    def __init__(self, program: Program, assembler: Assembler, edition: Edition) -> None:
        self._program, self._assembler, self._edition = program, assembler, edition
        rules = program.rules
        self._rule_of = array("i", program.rule_of_edit)
        verbs, wheres = program.column("verbs"), program.column("wheres")
        self._either_way = bytes(
            verb == Verb.FORBID and where == Where.ANYWHERE for verb, where in zip(verbs, wheres, strict=True)
        )
        order = sorted(range(len(rules)), key=lambda number: rules[number].id)
        self._rank = array("i", [0]) * len(rules)
        for place, number in enumerate(order):
            self._rank[number] = place
        self._replaces_at, self._replaces = array("i", [0]), array("i")
        for rule in rules:
            self._replaces.extend(program.rule_numbers[name] for name in rule.supersedes if name in program.rule_numbers)
            self._replaces_at.append(len(self._replaces))
        self._severities: dict[str | None, bytes] = {}
        self._variants: dict[tuple[Any, ...], Variant] = {}
        self._names: dict[int, str] = {}

    def findings(
        self, hits: NDArray[np.int32], coded: CodedRows, payer: Categories, terms: Sequence[str]
    ) -> FindingColumns:
        """Return the findings that these hits, in order of rows, amount to."""
        payers = [*payer.values, None]
        severity = b"".join(map(self._severity, payers))
        whose = payer.index if len(payers) > 1 else np.zeros(len(coded.bounds) - 1, np.int32)
        findings, variants, merged, claims = _kernel.report(
            np.ascontiguousarray(hits, np.int32).reshape(-1).view(np.uint8),
            coded.tokens,
            coded.bounds,
            np.where(whose < 0, np.int32(len(payers) - 1), whose),
            self._rule_of,
            self._either_way,
            self._rank,
            self._replaces_at,
            self._replaces,
            severity,
        )
        table = np.frombuffer(findings, np.int32).reshape(-1, 6)
        edits = np.frombuffer(merged, np.int32).tolist()
        worded = [
            self._variant(tuple(edits[first : first + count]), subject, other, stray, term, coded, terms)
            for first, count, subject, other, stray, term, _, _ in np.frombuffer(variants, np.int32).reshape(-1, 8).tolist()
        ]
        rows, variant, subject, other, _, level = table.T.copy()
        return FindingColumns(rows, variant, subject, other, level, worded, claims)

    def _severity(self, payer: str | None) -> bytes:
        """Return a byte for each rule: its severity for this payer, 0 where it is off."""
        found = self._severities.get(payer)
        if found is None:
            if len(self._severities) >= _REMEMBERED:
                self._severities.clear()
            severity_of = self._assembler.severity_of
            labels = (severity_of(number, payer) for number in range(len(self._program.rules)))
            found = self._severities[payer] = bytes(Severity.parse(label) if label else 0 for label in labels)
        return found

    def _name(self, token: int, strange: Sequence[str]) -> str:
        if token < 0:
            return ""
        if token >= self._edition.size:
            return strange[token - self._edition.size]
        name = self._names.get(token)
        if name is None:
            name = self._names[token] = self._edition.code(token)
        return name

    def _variant(
        self,
        numbers: tuple[int, ...],
        subject: int,
        other: int,
        stray: int,
        term: int,
        coded: CodedRows,
        terms: Sequence[str],
    ) -> Variant:
        codes = tuple(self._name(token, coded.strange) for token in (subject, other, stray))
        said = terms[term] if term else ""
        key = (numbers, codes, said)
        found = self._variants.get(key)
        if found is None:
            if len(self._variants) >= _REMEMBERED:
                self._variants.clear()
            edits = [self._program.edit(number) for number in numbers]
            found = self._variants[key] = Variant(
                self._program.rules[edits[0].rule].id,
                self._assembler.message(edits[0], *codes, said),
                tuple(filter(None, codes[:2])),
                tuple(map(str, sources_of(edits))),
                self._edition.name,
            )
        return found


