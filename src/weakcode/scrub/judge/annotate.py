"""What profiles and waivers say of findings in columns: how likely they are denied, and which are waived.

The same answers as `weakcode.compile.risks` and `weakcode.rules.waivers` give claim by claim, asked once for each
distinct finding and payer.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.claims import Waiver
from weakcode.rules.waivers import WaiverBook, first_of
from weakcode.scrub.columns import arrow
from weakcode.scrub.columns.facts import Categories
from weakcode.scrub.judge.findings import FindingColumns

if TYPE_CHECKING:
    from weakcode.compile.risks import Risks

Index = NDArray[np.int64]


@attrs.frozen(eq=False)
class AnnotatedFindings:
    """Columns for the findings table, the findings that count, and how many each waiver waives, or once did."""

    columns: dict[str, pa.Array]
    counting: FindingColumns
    waived: Counter[Waiver]
    expired: Counter[Waiver]


@attrs.frozen(eq=False)
class Marker:
    """Marks the findings of a run. `day` is the day on which waivers must be in force."""

    book: WaiverBook
    day: dt.date

    def mark(
        self,
        findings: FindingColumns,
        claim_ids: pa.Array | None,
        payer: Categories,
        risks: Mapping[str, Risks | None],
    ) -> AnnotatedFindings:
        """Return what is to be said of these findings; `risks` are those of a profile by edition."""
        variants = _OfVariants.of(findings)
        columns = _risk_columns(findings, variants, payer, risks) if any(risks.values()) else {}
        if not len(self.book):
            return AnnotatedFindings(columns, findings, Counter(), Counter())
        number, waivers, expired = self._waived(findings, variants, claim_ids)
        columns["waived_by"] = _words(number, [waiver.who for waiver in waivers])
        columns["waiver"] = _words(number, [waiver.reason for waiver in waivers])
        counts = Counter({waiver: int((number == place).sum()) for place, waiver in enumerate(waivers)})
        return AnnotatedFindings(columns, _only(findings, number < 0) if waivers else findings, counts, expired)

    def _waived(
        self, findings: FindingColumns, variants: _OfVariants, claim_ids: pa.Array | None
    ) -> tuple[Index, list[Waiver], Counter[Waiver]]:
        """Return for each finding the number of its waiver, -1 for none; the waivers; and those that have expired."""
        number = np.full(len(findings.rows), -1, np.int64)
        waivers: dict[Waiver, int] = {}
        expired: Counter[Waiver] = Counter()
        fitting = [self.book.on(rule, codes) for rule, codes in zip(variants.rules, variants.codes, strict=True)]
        some = np.flatnonzero(np.array([bool(one) for one in fitting], np.bool_)[findings.variant])
        ids: Sequence[str | None] = [None] * len(some)
        if claim_ids is not None:
            ids = claim_ids.take(pa.array(findings.rows[some])).cast(pa.string()).to_pylist()
        for at, variant, claim_id in zip(some.tolist(), findings.variant[some].tolist(), ids, strict=True):
            waiver, has_ended = first_of(fitting[variant], claim_id, self.day)
            if waiver is not None:
                number[at] = waivers.setdefault(waiver, len(waivers))
            elif has_ended is not None:
                expired[has_ended] += 1
        return number, list(waivers), expired


@attrs.frozen(eq=False)
class _OfVariants:
    """Rule, codes and edition of each variant."""

    rules: list[str]
    codes: list[list[str]]
    editions: list[str]

    @classmethod
    def of(cls, findings: FindingColumns) -> _OfVariants:
        variants = findings.variants
        return cls(variants.rule.listed(), variants.codes.listed(), variants.edition.listed())


def _risk_columns(
    findings: FindingColumns, variants: _OfVariants, payer: Categories, risks: Mapping[str, Risks | None]
) -> dict[str, pa.Array]:
    payers = [*payer.values, None]
    payer_numbers = np.where(payer.index < 0, len(payers) - 1, payer.index)[findings.rows]
    keys, place = np.unique(findings.variant.astype(np.int64) * len(payers) + payer_numbers, return_inverse=True)
    levels: dict[str, int] = {}
    sources: dict[str, int] = {}
    known: list[tuple[int, int]] = []
    for key in keys.tolist():
        variant, payer_number = divmod(key, len(payers))
        of_edition = risks[variants.editions[variant]]
        risk = of_edition and of_edition.of(variants.rules[variant], variants.codes[variant], payers[payer_number])
        if risk:
            level, source = risk.level, str(risk.source)
            known.append((levels.setdefault(level, len(levels)), sources.setdefault(source, len(sources))))
        else:
            known.append((-1, -1))
    index = np.array(known, np.int64).reshape(-1, 2)[place.reshape(-1)]
    return {
        "denial_risk": _words(index[:, 0], list(levels)),
        "denial_risk_source": _words(index[:, 1], list(sources)),
    }


def _words(index: Index, words: list[str]) -> pa.DictionaryArray:
    """Return a dictionary column; an index of -1 is null."""
    return arrow.words_or_none(index, pa.array(words, pa.string()), index < 0)


def _only(findings: FindingColumns, kept: NDArray[np.bool_]) -> FindingColumns:
    rows = findings.rows[kept]
    return attrs.evolve(
        findings,
        rows=rows,
        variant=findings.variant[kept],
        subject=findings.subject[kept],
        object=findings.object[kept],
        severity=findings.severity[kept],
        unmended=findings.unmended[kept],
        claims=len(np.unique(rows)),
    )
