"""Which rules could not be judged on the claims of a batch, in columns: the same as `engines.unjudged` says of each."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.engines.findings import Assembler
from weakcode.engines.judging import CodedRows
from weakcode.engines.kernel import _kernel
from weakcode.engines.unjudged import Questions, Unjudged
from weakcode.findings import NotJudgedCount
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import AboutClaims, words_of
from weakcode.semantics.unjudged import BITS

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


class AskedJudge(Protocol):
    """What judges the claims of one edition."""

    @property
    def edition(self) -> Edition: ...
    @property
    def engine(self) -> Any: ...
    @property
    def assembler(self) -> Assembler: ...
    @property
    def unjudged(self) -> Unjudged: ...


def not_judged(
    judge: AskedJudge, coded: CodedRows, rows: Bools, about: AboutClaims, today: dt.date
) -> list[NotJudgedCount]:
    """Return what could not be judged on these rows."""
    lined = None if about.lines is None else about.lines.lined(len(rows))
    lacks = np.where(rows & (np.diff(coded.bounds) > 0), about.missing(lined), 0).astype(np.uint8)
    questions = judge.unjudged.questions(today)
    if not questions.asked or not lacks.any():
        return []
    wanting, tests = questions.wanting, questions.tests
    codes, leading = judge.unjudged.tables(questions)
    allowed = [bits & ~_pointed(questions, lack) for lack, bits in enumerate(wanting)]
    counts, block = _kernel.not_judged(
        coded.tokens,
        coded.bounds,
        lacks,
        judge.engine.billable,
        np.fromiter(map(judge.edition.code_id, coded.unlisted), np.int32, len(coded.unlisted)),
        codes,
        leading,
        words_of([questions.anywhere], tests).reshape(-1),
        words_of(wanting, tests).reshape(-1),
        words_of(allowed, tests).reshape(-1),
        (about.whose.index, _on(judge.assembler, about, questions)),
        [
            (BITS.get(part.need, 0), np.ascontiguousarray(index, np.int32), words.reshape(-1))
            for part, index, words in about.parts(tests, today)
        ],
    )
    seen = np.frombuffer(block, np.uint64).reshape(len(counts), -1)
    told = []
    for (need, bit), count, words in zip(BITS.items(), counts, seen, strict=False):
        if count:
            rules = [(bit, one.rule) for n, one in enumerate(questions.asked, start=1) if _has(words, n)]
            (one_need,) = judge.unjudged.told(rules)
            told.append(NotJudgedCount(need, count, one_need.packs, one_need.rules))
    return told


def without_indicators(
    judge: AskedJudge, coded: CodedRows, rows: Bools, codes: CodeColumn, about: AboutClaims
) -> list[NotJudgedCount]:
    """Return the rules that could not be judged on inpatient claims without present-on-admission indicators."""
    lacking = rows & about.inpatient & (np.diff(coded.bounds) > 0)
    if not lacking.any():
        return []
    payers = about.whose.index[lacking & ~codes.has_poa]
    names = [*about.whose.values, None]
    told = []
    # Claims without a payer have the last number.
    for number, count in zip(*np.unique(payers % len(names), return_counts=True), strict=True):
        of_payer = judge.unjudged.without_indicators(judge.assembler.severities(names[number]))
        told += [NotJudgedCount(one.needs, int(count), one.packs, one.rules) for one in of_payer]
    return told


def _pointed(questions: Questions, lacks: int) -> int:
    """Return the bits of what looks at pointers, where a claim that lacks this has some."""
    return 0 if lacks & BITS["pointers"] else questions.wanting[BITS["pointers"]]


def _has(words: Words, bit: int) -> bool:
    return bool(int(words[bit // 64]) >> bit % 64 & 1)


def _on(assembler: Assembler, about: AboutClaims, questions: Questions) -> Words:
    """Return for each payer of the claims, and for none, the words of what is asked by rules that are on."""
    levels = map(assembler.severities, [*about.whose.values, None])
    on = [sum(1 << n for n, one in enumerate(questions.asked, start=1) if of[one.rule]) for of in levels]
    return words_of(on, questions.tests).reshape(-1)
