"""Which rules could not be judged on the claims of a batch, in columns: the same as `engines.unjudged` says of each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from weakcode.engines.findings import Assembler
from weakcode.engines.judging import CodedRows
from weakcode.engines.kernel import _kernel
from weakcode.engines.unjudged import Questions
from weakcode.findings import NotJudged, NotJudgedCount
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import AboutClaims, words_of
from weakcode.semantics.unjudged import BITS

if TYPE_CHECKING:
    from weakcode.engines.columnar import ColumnarEngine
    from weakcode.engines.editions import EditionJudge

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


@attrs.define(eq=False)
class NotJudgedRows:
    """What could not be judged on the rows of a batch: its rules by need, and the rows on which any was silent."""

    rows: int
    _found: dict[str, tuple[Bools, list[NotJudged]]] = attrs.field(factory=dict)

    def add(self, unjudged: NotJudged, rows: Bools) -> None:
        """Add rules that could not be judged on some rows."""
        where, so_far = self._found.setdefault(unjudged.needs, (np.zeros(self.rows, np.bool_), []))
        where |= rows
        so_far.append(unjudged)

    def counts(self) -> list[NotJudgedCount]:
        """Return each need with all its rules, and with the number of its rows, every row counted once."""
        return [
            NotJudgedCount(needs, int(rows.sum()), one.packs, one.rules)
            for needs, (rows, unjudged) in self._found.items()
            for one in NotJudged.together(unjudged)
        ]


def add_not_judged(
    found: NotJudgedRows, judge: EditionJudge, coded: CodedRows, rows: Bools, about: AboutClaims, today: dt.date
) -> None:
    """Add what could not be judged on these rows."""
    for questions in judge.unjudged.questions(today):
        lacks = np.where(rows & (np.diff(coded.bounds) > 0), about.missing(questions.needs), 0).astype(np.uint8)
        if lacks.any():
            _ask(found, judge, questions, coded, lacks, about, today)


def _ask(
    found: NotJudgedRows,
    judge: EditionJudge,
    questions: Questions,
    coded: CodedRows,
    lacks: NDArray[np.uint8],
    about: AboutClaims,
    today: dt.date,
) -> None:
    tests = questions.tests
    codes, leading = judge.unjudged.tables(questions)
    unjudged, block = _kernel.not_judged(
        coded.tokens,
        coded.bounds,
        lacks,
        cast("ColumnarEngine", judge.engine).billable,
        np.fromiter(map(judge.edition.code_id, coded.unlisted), np.int32, len(coded.unlisted)),
        codes,
        leading,
        words_of([questions.anywhere], tests).reshape(-1),
        words_of(questions.wanting, tests).reshape(-1),
        words_of(questions.allowed, tests).reshape(-1),
        (about.whose.index, _on(judge.assembler, about, questions)),
        [
            (need, np.ascontiguousarray(index, np.int32), words.reshape(-1))
            for need, index, words in about.parts(tests, today)
        ],
    )
    of_row = np.frombuffer(unjudged, np.uint8)
    seen = np.frombuffer(block, np.uint64).reshape(-1, len(words_of([0], tests)[0]))
    for bit, words in zip(BITS.values(), seen, strict=False):
        where = of_row & bit != 0
        if where.any():
            rules = [(bit, one.rule) for n, one in enumerate(questions.asked, start=1) if _has(words, n)]
            for one_need in judge.unjudged.as_not_judged(rules):
                found.add(one_need, where)


def without_indicators(
    judge: EditionJudge, coded: CodedRows, rows: Bools, codes: CodeColumn, about: AboutClaims
) -> list[NotJudgedCount]:
    """Return the rules that could not be judged on inpatient claims without present-on-admission indicators."""
    lacking = rows & about.inpatient & (np.diff(coded.bounds) > 0)
    if not lacking.any():
        return []
    payers = about.whose.index[lacking & ~codes.has_poa]
    names = [*about.whose.values, None]
    unjudged = []
    # Claims without a payer have the last number.
    for number, count in zip(*np.unique(payers % len(names), return_counts=True), strict=True):
        of_payer = judge.unjudged.without_indicators(judge.assembler.severities(names[number]))
        unjudged += [NotJudgedCount(one.needs, int(count), one.packs, one.rules) for one in of_payer]
    return unjudged


def _has(words: Words, bit: int) -> bool:
    return bool(int(words[bit // 64]) >> bit % 64 & 1)


def _on(assembler: Assembler, about: AboutClaims, questions: Questions) -> Words:
    """Return for each payer of the claims, and for none, the words of what is asked by rules that are on."""
    levels = map(assembler.severities, [*about.whose.values, None])
    on = [sum(1 << n for n, one in enumerate(questions.asked, start=1) if of[one.rule]) for of in levels]
    return words_of(on, questions.tests).reshape(-1)
