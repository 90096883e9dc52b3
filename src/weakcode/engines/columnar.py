"""The columnar engine: native loops over the classes of codes, for one claim or a batch of them.

The meaning of the edits is in `semantics`; tests hold this engine to it. What an edit asks of the claim as a whole is
worked out first, as bits: once for each distinct value of a part of the claim.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from weakcode.base.lazy import lazy
from weakcode.codes.edition import Edition
from weakcode.compile.program import ADMITTED, POINTED, SERVED, TERMED, Program
from weakcode.engines.judging import USUAL, CodedRows, Holding, JudgingPart
from weakcode.engines.kernel._kernel import CodeIndex, Reading
from weakcode.semantics.edits import Edit, Hit
from weakcode.semantics.judged import JudgedClaim, without_known_order, without_satisfied
from weakcode.semantics.terms import found_term

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_indexes: WeakKeyDictionary[Edition, CodeIndex] = WeakKeyDictionary()


class ColumnarEngine:
    """Evaluates single claims and batches with the native kernel. Safe to use from several threads."""

    name = "columnar"

    def __init__(self, program: Program, edition: Edition, is_active: Callable[[int], bool]) -> None:
        self._program = program
        self._edition = edition
        active = bytes(map(is_active, range(len(program.rules))))
        self._parts = tuple(JudgingPart(part, edition, active) for part in program.parts)

    @property
    def program(self) -> Program:
        """The program whose edits it judges by."""
        return self._program

    @property
    def classes(self) -> int:
        """How many classes of codes the tables distinguish."""
        return sum(part.classes for part in self._parts)

    @lazy
    def asks_lines(self) -> bool:
        """Whether an edit looks at the pointers of service lines.

        Such edits have tables of their own, so that other claims never meet them.
        """
        return self.has(POINTED) or self.has(POINTED | SERVED)

    @lazy
    def asks_poa(self) -> bool:
        """Whether an edit looks at present-on-admission indicators; these too have tables of their own."""
        return self.has(ADMITTED) or self.has(ADMITTED | SERVED)

    def has(self, kind: int) -> bool:
        """Tell whether there are edits of a kind, which have tables of their own."""
        return any(part.groups(kind=kind) for part in self._parts)

    def hits(self, judged: JudgedClaim) -> list[Hit]:
        """Return every violation on the claim, in no particular order."""
        found = self._parts[0].hits(judged)
        for part in self._parts[1:]:
            found += part.hits(judged)
        if judged.incomplete:
            found = without_satisfied(found, judged, self._program.edit)
        return found if judged.order == "all" else without_known_order(found, judged, self._program.edit)

    def term(self, edit: Edit, text: str | None, code_id: int) -> str | None:
        """Return the term of the edit that a diagnosis's text holds, or None."""
        return found_term(edit, self._program.rules[edit.rule], text, code_id, self._edition)

    # batches

    @property
    def _index(self) -> CodeIndex:
        index = _indexes.get(self._edition)
        if index is None:
            index = _indexes[self._edition] = CodeIndex(self._edition.keys())
        return index

    @property
    def billable(self) -> int:
        """How many billable codes there are; tokens below it are their numbers."""
        return self._index.billable

    def reading(self) -> Reading:
        """Return what turns text into tokens. Codes that are not billable are interned: their tokens stay the same."""
        return Reading(self._index)

    def hits_batch(
        self, rows: CodedRows, chosen: NDArray[np.uint8], holding: Holding, *, kind: int = USUAL
    ) -> NDArray[np.int32]:
        """Return every violation on the chosen rows, in order of rows: row, edit, subject, object, stray and term.

        `held` gives for tests of claims the rows to look at, and a row of words for each claim: bit n + 1 tells whether
        test n holds, bit 0 is set. Positions are 1-based, 0 where there is none; stray is the first required code on
        the wrong side. Terms are taken to hold, and their column is 0: edits that have some must be gone through by the
        caller, and so must those that look at service lines or present-on-admission indicators: their hits come with
        their `kind`. Frees the GIL.
        """
        import numpy as np

        unlisted = np.fromiter(map(self._edition.code_id, rows.unlisted), np.int32, len(rows.unlisted))
        billable = self._index.billable
        found = [
            hits
            for part in self._parts
            for hits in part.hits_batch(rows, unlisted, billable, chosen, holding, kind=kind)
            if len(hits)
        ]
        if len(found) < 2:
            return found[0] if found else np.empty((0, 6), np.int32)
        together = np.concatenate(found)
        ordered: NDArray[np.int32] = together[np.argsort(together[:, 0], kind="stable")]
        return ordered

    def term_edits(self) -> NDArray[np.bool_]:
        """Tell for each edit whether it looks for terms in documented text."""
        return self._with(TERMED)

    def line_edits(self) -> NDArray[np.bool_]:
        """Tell for each edit whether it looks at the pointers of service lines."""
        return self._with(POINTED)

    def _with(self, bit: int) -> NDArray[np.bool_]:
        import numpy as np

        special = np.concatenate([np.asarray(part.program.column("special")) for part in self._program.parts])
        return (special & bit).astype(bool)
