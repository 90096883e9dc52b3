"""Requirements that codes which are not billable satisfy, in columns: see `semantics.judged.satisfied_without`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.compile.program import Program
from weakcode.engines.judging import CodedRows
from weakcode.semantics.judged import codes_below, stands_for
from weakcode.semantics.verbs import Verb

Hits = NDArray[np.int32]


def without_satisfied(hits: Hits, coded: CodedRows, edition: Edition, program: Program) -> Hits:
    """Return the hits without those of requirements that a code of their row which is not billable satisfies."""
    below = {edition.size + place: codes_below(code, edition) for place, code in enumerate(coded.strange)}
    below = {token: codes for token, codes in below.items() if codes}
    if not below or not len(hits):
        return hits
    verbs = np.concatenate([np.asarray(part.program.column("verbs")) for part in program.parts])
    requires = (verbs == Verb.REQUIRE) | (verbs == Verb.CLAIM_REQUIRE)
    asked = np.flatnonzero(requires[hits[:, 1]])
    if not len(asked):
        return hits
    places = np.flatnonzero(np.isin(coded.tokens, list(below)))
    rows = np.searchsorted(coded.bounds, places, "right") - 1
    asked = asked[np.isin(hits[asked, 0], rows)]
    if not len(asked):
        return hits
    some = np.isin(rows, hits[asked, 0])
    rows, places = rows[some], places[some]
    kept = np.ones(len(hits), np.bool_)
    of_row: dict[int, list[tuple[int, CodeSet]]] = {}
    met: set[tuple[int, int]] = set()
    tokens, firsts = coded.tokens[places].tolist(), coded.bounds[rows].tolist()
    for row, place, token, first in zip(rows.tolist(), places.tolist(), tokens, firsts, strict=True):
        if (row, token) not in met:
            met.add((row, token))
            of_row.setdefault(row, []).append((place - first + 1, below[token]))
    for at, (row, number, subject) in zip(asked.tolist(), hits[asked, :3].tolist(), strict=True):
        edit = program.edit(number)
        kept[at] = not stands_for(of_row[row], edit.object, edit.where, subject)
    return hits[kept]
