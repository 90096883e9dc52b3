"""Violations that rest on an order of codes which is not known, in columns: see `semantics.verbs`."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.judging import CodedRows
from weakcode.semantics.edits import Edit
from weakcode.semantics.judged import codes_below
from weakcode.semantics.verbs import ORDERS, in_every_order

Hits = NDArray[np.int32]


def without_known_order(
    hits: Hits, coded: CodedRows, edition: Edition, program: Program, orders: NDArray[np.int32]
) -> Hits:
    """Return the hits that are violations in whatever order those codes of their rows stand that have none.

    `orders` has the place in `ORDERS` of what is known of each row.
    """
    asked = np.flatnonzero(orders[hits[:, 0]])
    dropped = []
    edits: dict[int, Edit] = {}
    for at, (row, number, i, j) in zip(asked.tolist(), hits[asked, :4].tolist(), strict=True):
        edit = edits.get(number)
        if edit is None:
            edit = edits[number] = program.edit(number)
        tokens = coded.tokens[coded.bounds[row] : coded.bounds[row + 1]].tolist()
        others = partial(_others, edit, i, tokens, coded, edition)
        if len(set(tokens)) > 1 and not in_every_order(edit.verb, edit.where, i, j, ORDERS[orders[row]], others):
            dropped.append(at)
    return np.delete(hits, dropped, axis=0) if dropped else hits


def _others(edit: Edit, i: int, tokens: list[int], coded: CodedRows, edition: Edition) -> list[int]:
    """Return the first positions of what satisfies an edit, beside i."""
    found, seen = [], set()
    for position, token in enumerate(tokens, start=1):
        if token in seen:
            continue
        seen.add(token)
        if position == i:
            continue
        if token < edition.size:
            satisfies = token in edit.object
        else:
            code = coded.unlisted[token - edition.size]
            below = codes_below(code, edition)
            satisfies = edition.code_id(code) in edit.object or (bool(below) and not below - edit.object)
        if satisfies:
            found.append(position)
    return found
