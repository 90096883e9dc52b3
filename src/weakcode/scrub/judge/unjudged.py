"""Which rules could not be judged on the claims of a batch, in columns: the same as `engines.unjudged` says of each."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.engines.findings import Assembler
from weakcode.engines.judging import CodedRows
from weakcode.engines.unjudged import Questions, Unjudged
from weakcode.findings import NotJudgedCount
from weakcode.scrub.columns.facts import AboutClaims
from weakcode.semantics.unjudged import BITS

Bools = NDArray[np.bool_]
Words = NDArray[np.uint64]


class AskedBench(Protocol):
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
    bench: AskedBench, coded: CodedRows, rows: Bools, about: AboutClaims, today: dt.date
) -> list[NotJudgedCount]:
    """Return what could not be judged on these rows."""
    lined = None if about.lines is None else about.lines.lined(len(rows))
    lacks = np.where(rows & (np.diff(coded.bounds) > 0), about.missing(lined), 0).astype(np.uint8)
    questions = bench.unjudged.questions(today)
    if not questions.asked or not lacks.any():
        return []
    there = np.flatnonzero(lacks)
    held = about.held(questions.tests, today, np.ones(len(lacks), np.bool_), None, lacks)
    allowed = _words([bits & ~_pointed(questions, lack) for lack, bits in enumerate(questions.wanting)], held.shape[1])
    found = _spoken_of(bench, coded, questions, there) & held[there] & allowed[lacks[there]]
    found &= _on(bench.assembler, about, questions, held.shape[1], there)
    counts = []
    for need, bit in BITS.items():
        asking = found & _words([questions.wanting[bit]], held.shape[1])[0]
        # One word nearly always; asking rows one by one for any of one takes long.
        asks = asking[:, 0] != 0 if asking.shape[1] == 1 else asking.any(axis=1)
        some = ((lacks[there] & bit) != 0) & asks
        if some.any():
            seen = np.array([np.bitwise_or.reduce(word) for word in asking[some].T.copy()])
            rules = [(bit, one.rule) for n, one in enumerate(questions.asked, start=1) if _has(seen, n)]
            (told,) = bench.unjudged.told(rules)
            counts.append(NotJudgedCount(need, int(some.sum()), told.packs, told.rules))
    return counts


def _pointed(questions: Questions, lacks: int) -> int:
    """Return the bits of what looks at pointers, where a claim that lacks this has some."""
    return 0 if lacks & BITS["pointers"] else questions.wanting[BITS["pointers"]]


def _words(numbers: list[int], size: int) -> Words:
    """Return numbers as rows of words of 64 bits, the lowest first."""
    written = b"".join(number.to_bytes(8 * size, "little") for number in numbers)
    return np.frombuffer(written, "<u8").astype(np.uint64, copy=False).reshape(-1, size)


def _has(words: Words, bit: int) -> bool:
    return bool(int(words[bit // 64]) >> bit % 64 & 1)


def _spoken_of(bench: AskedBench, coded: CodedRows, questions: Questions, there: NDArray[np.int64]) -> Words:
    """Return for some rows the words of what speaks of their codes."""
    size = bench.engine.billable
    strange = [bench.edition.code_id(code) for code in coded.strange]
    codes, first = bench.unjudged.tables(questions)
    starts, ends = coded.bounds[there], coded.bounds[there + 1]
    # What lies between two rows is put together too, and left out.
    whole = len(there) == len(coded.bounds) - 1
    parts = starts if whole else np.stack([starts, ends], axis=1).reshape(-1)
    found = np.empty((len(there), len(codes)), np.uint64)
    for word, (anywhere, leading) in enumerate(zip(codes, first, strict=True)):
        bits = np.concatenate(
            [
                anywhere[:size],
                anywhere[strange],
            ]
        )
        of_codes = np.empty(len(coded.tokens) + 1, np.uint64)
        bits.take(coded.tokens, mode="clip", out=of_codes[:-1])
        of_codes[-1] = 0
        together = np.bitwise_or.reduceat(of_codes, parts)
        found[:, word] = together if whole else together[::2]
        found[:, word] |= np.concatenate([leading[:size], leading[strange]]).take(coded.tokens[starts], mode="clip")
    found |= _words([questions.anywhere], found.shape[1])[0]
    return found


def _on(assembler: Assembler, about: AboutClaims, questions: Questions, size: int, there: NDArray[np.int64]) -> Words:
    """Return for some rows the words of what is asked by rules that are on for the claim's payer."""
    payers = [*about.whose.values, None]
    levels = map(assembler.severities, payers)
    on = [sum(1 << n for n, one in enumerate(questions.asked, start=1) if of[one.rule]) for of in levels]
    words = _words(on, size)
    if (words == words[0]).all():
        return words[:1]
    whose = about.whose.index[there]
    chosen: Words = words[np.where(whose < 0, len(payers) - 1, whose)]
    return chosen
