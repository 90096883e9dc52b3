"""The columnar engine: native loops over the classes of codes, for one claim or a batch of them.

The meaning of the edits is in `semantics`; tests hold this engine to it. What an edit asks of the claim as a whole is
worked out first, as bits: once for each distinct value of a part of the claim.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import chain, compress, groupby
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.edition import Edition
from weakcode.compile.conditions import JudgedClaim, found_term
from weakcode.compile.edits import Condition, Edit, Hit, Verb
from weakcode.compile.program import LINED, NO_SET, SPOKEN, Program
from weakcode.engines.claimbits import ClaimBits, ClaimTest
from weakcode.engines.kernel._kernel import CodeIndex, Reading, Tables
from weakcode.lazy import lazy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@attrs.frozen(eq=False)
class CodedRows:
    """The codes of a batch as tokens: the numbers of billable codes, then one for each strange code of the batch.

    The codes of row r are tokens[bounds[r]:bounds[r + 1]]; `strange` has the canonical spelling of each strange code.
    """

    tokens: NDArray[np.int32]
    bounds: NDArray[np.int64]
    strange: Sequence[str]


class ColumnarEngine:
    """Evaluates single claims and batches with the native kernel. Safe to use from several threads."""

    name = "columnar"

    def __init__(self, program: Program, edition: Edition, is_active: Callable[[int], bool]) -> None:
        self._program = program
        self._edition = edition
        self._is_active = is_active
        self._special = program.column("special")

    @lazy
    def _built(self) -> tuple[Tables, tuple[ClaimTest, ...]]:
        return self._tables(lined=False)

    @lazy
    def _lined(self) -> tuple[Tables, tuple[ClaimTest, ...]] | None:
        """The edits that look at service lines have tables of their own, so that other claims never meet them."""
        asked = (self._program.rule_of_edit[number] for number, bits in enumerate(self._special) if bits & LINED)
        return self._tables(lined=True) if any(map(self._is_active, asked)) else None

    def _tables(self, *, lined: bool) -> tuple[Tables, tuple[ClaimTest, ...]]:
        program, special = self._program, self._special
        active = list(map(self._is_active, range(len(program.rules))))
        on = bytes(
            active[rule] and bool(bits & LINED) is lined
            for rule, bits in zip(program.rule_of_edit, special, strict=True)
        )
        count = len(program)
        about_claim, about_codes, looks_further = array("i", [0]) * count, array("i", [-1]) * count, bytearray(count)
        tests: dict[tuple[Condition, bool], int] = {}
        asked_for: dict[tuple[int, ...], int] = {}
        places: dict[int, int] = {}
        for number in compress(range(count), special):
            looks_further[number] = bool(special[number] & (SPOKEN | LINED))
            if on[number]:
                condition, sets = program.conditions[program.column("condition")[number]]
                test = (condition, bool(special[number] & SPOKEN))
                if test != (Condition(), False):
                    about_claim[number] = tests.setdefault(test, len(tests) + 1)
                if any(codes != NO_SET for codes in sets):
                    asked = tuple(-1 if codes == NO_SET else places.setdefault(codes, len(places)) for codes in sets)
                    about_codes[number] = asked_for.setdefault(asked, len(asked_for))
        tables = Tables(
            program.column,
            on,
            looks_further,
            about_claim,
            about_codes,
            array("i", chain.from_iterable(asked_for)),
            array("I", places),
            array("I", [number for number in program.claim_edits if on[number]]),
            array("I", sorted(program.wide_edits)),
            self._edition.universe,
            len(tests),
        )
        return tables, tuple(ClaimTest(*test) for test in tests)

    # one claim

    def hits(self, judged: JudgedClaim) -> list[Hit]:
        """Return every violation on the claim, in no particular order."""
        codes, ids = judged.claim.codes, judged.ids
        found = self._built[0].judge(codes, ids, self._bits.of(judged))
        if judged.pointers is not None and self._lined is not None:
            found += self._lined[0].judge(codes, ids, self._lined_bits.of(judged))
        elif not judged.is_spoken:
            return found
        special = self._special
        doubtful = [hit for hit in found if special[hit.edit] & (SPOKEN | LINED)]
        if not doubtful:
            return found
        return [hit for hit in found if not special[hit.edit] & (SPOKEN | LINED)] + self._meant(judged, doubtful)

    @lazy
    def _bits(self) -> ClaimBits:
        return ClaimBits(self._built[1])

    @lazy
    def _lined_bits(self) -> ClaimBits:
        return ClaimBits(self.lined_tests or ())

    def _meant(self, judged: JudgedClaim, hits: list[Hit]) -> list[Hit]:
        """Return those hits whose terms the documented text has, and to which service lines point as they ask."""
        kept: list[Hit] = []
        for number, of_edit in groupby(sorted(hits), key=lambda hit: hit.edit):
            edit = self._program.edit(number)
            meant = list(of_edit)
            pointers = judged.pointers
            if edit.pointed is not None and pointers is not None:
                meant = [hit for hit in meant if pointers.meets(edit.pointed, hit.subject)]
            if edit.terms:
                diagnoses, ids = judged.claim.diagnoses, judged.ids
                meant = [
                    hit
                    for hit in meant
                    if self.term(edit, diagnoses[hit.subject - 1].text, ids[hit.subject - 1]) is not None
                ]
            kept += only_one(edit, meant)
        return kept

    def term(self, edit: Edit, text: str | None, code_id: int) -> str | None:
        """Return the term of the edit that a diagnosis's text holds, or None."""
        return found_term(edit, self._program.rules[edit.rule], text, code_id, self._edition)

    # batches

    @property
    def tests(self) -> tuple[ClaimTest, ...]:
        """What the edits ask of claims; `hits_batch` wants to know of each row which hold."""
        return self._built[1]

    @property
    def lined_tests(self) -> tuple[ClaimTest, ...] | None:
        """The same of those edits that look at the pointers of service lines; None where there are none."""
        return self._lined[1] if self._lined is not None else None

    @lazy
    def _index(self) -> CodeIndex:
        packed = getattr(self._edition, "_codes", None)
        return CodeIndex(array("Q") if packed is None else packed)

    def reading(self) -> Reading:
        """Return what turns text into tokens. It remembers the strange codes it met: their tokens stay theirs."""
        return Reading(self._index)

    def hits_batch(
        self, rows: CodedRows, chosen: NDArray[np.uint8], held: NDArray[np.uint64], *, lined: bool = False
    ) -> NDArray[np.int32]:
        """Return every violation on the chosen rows, in order of rows: row, edit, subject, object, stray and term.

        `held` has a row of words for each claim: bit n + 1 tells whether `tests[n]` holds, bit 0 is set. Positions are
        1-based, 0 where there is none; stray is the first required code on the wrong side. Terms are taken to hold, and
        their column is 0: edits that have some must be gone through by the caller, and so must those that look at
        service lines, whose hits come with `lined` and bits for `lined_tests`. Does not hold the GIL.
        """
        import numpy as np

        tables = ((self._lined if lined else None) or self._built)[0]
        strange_ids = np.fromiter(map(self._edition.code_id, rows.strange), np.int32, len(rows.strange))
        block = tables.judge_batch(
            rows.tokens,
            rows.bounds,
            chosen,
            held.reshape(-1),
            self._index.billable,
            strange_ids,
        )
        return np.frombuffer(block, np.int32).reshape(-1, 6)

    def spoken_edits(self) -> NDArray[np.bool_]:
        """Tell for each edit whether it looks for terms in documented text."""
        import numpy as np

        return (np.asarray(self._special) & SPOKEN).astype(bool)

    def lined_edits(self) -> NDArray[np.bool_]:
        """Tell for each edit whether it looks at the pointers of service lines."""
        import numpy as np

        return (np.asarray(self._special) & LINED).astype(bool)


def only_one(edit: Edit, hits: list[Hit]) -> list[Hit]:
    """Return the hits; of an edit that allows one code only and asks more, the first subject and each later one."""
    if edit.verb is not Verb.AT_MOST_ONE or not (edit.terms or edit.asks_lines):
        return hits
    places = sorted(hit.subject for hit in hits)
    return [Hit(hits[0].edit, places[0], later) for later in places[1:]]
