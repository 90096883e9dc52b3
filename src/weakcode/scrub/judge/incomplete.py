"""Requirements that codes which are not billable satisfy, in columns: see `semantics.judged.satisfied_without`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.judging import CodedRows
from weakcode.semantics.judged import codes_below, stands_for
from weakcode.semantics.verbs import FORMS

Hits = NDArray[np.int32]
_MOST_REMEMBERED = 65_536


class SatisfiedRequirements:
    """Tells which requirements codes that are not billable satisfy, for batches of which each such code has one token.

    What it has found of a code, and of a code and an edit, it remembers.
    """

    def __init__(self, edition: Edition, program: Program) -> None:
        self._edition, self._program = edition, program
        verbs = np.concatenate([np.asarray(part.program.column("verbs")) for part in program.parts])
        self._asks = np.isin(verbs, [verb for verb, form in FORMS.items() if form.asks_object])
        self._below: list[CodeSet] = []
        self._answers: dict[tuple[int, int], bool] = {}

    def without(self, hits: Hits, coded: CodedRows) -> Hits:
        """Return the hits without those of requirements that a code of their row which is not billable satisfies."""
        self._below += [codes_below(code, self._edition) for code in coded.unlisted[len(self._below) :]]
        asked = np.flatnonzero(self._asks[hits[:, 1]] & (hits[:, 3] == 0))
        if not len(asked) or not any(self._below):
            return hits
        size = self._edition.size
        places = np.flatnonzero(coded.tokens >= size)
        places = places[np.array([bool(codes) for codes in self._below], np.bool_)[coded.tokens[places] - size]]
        rows = np.searchsorted(coded.bounds, places, "right") - 1
        has_some, is_asked = np.zeros((2, len(coded.bounds)), np.bool_)
        has_some[rows] = True
        asked = asked[has_some[hits[asked, 0]]]
        is_asked[hits[asked, 0]] = True
        some = is_asked[rows]
        of_row = self._positions(coded, rows[some], places[some])
        satisfied = [
            at
            for at, (row, number, subject) in zip(asked.tolist(), hits[asked, :3].tolist(), strict=True)
            if any(self._satisfies(position, token, number, subject) for token, position in of_row[row].items())
        ]
        return np.delete(hits, satisfied, axis=0) if satisfied else hits

    @staticmethod
    def _positions(coded: CodedRows, rows: NDArray[np.int64], places: NDArray[np.int64]) -> dict[int, dict[int, int]]:
        """Return by row the first position of each of the codes that stand at these places."""
        found: dict[int, dict[int, int]] = {}
        positions = places - coded.bounds[rows] + 1
        for row, token, position in zip(rows.tolist(), coded.tokens[places].tolist(), positions.tolist(), strict=True):
            found.setdefault(row, {}).setdefault(token, position)
        return found

    def _satisfies(self, position: int, token: int, number: int, subject: int) -> bool:
        """Tell whether a code at a position is what the edit of a number asks for at its subject."""
        answer = self._answers.get((number, token))
        edit = None
        if answer is None:
            edit = self._program.edit(number)
            # For the whole claim, wherever the code stands.
            answer = stands_for([(position, self._below[token - self._edition.size])], edit.object, edit.where, 0)
            if len(self._answers) >= _MOST_REMEMBERED:
                self._answers.clear()
            self._answers[number, token] = answer
        if not answer or not subject:
            return answer
        return (edit or self._program.edit(number)).where.relates(subject, position)
