"""Present-on-admission indicators of a batch: the hits that they decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from weakcode.compile.program import ADMITTED, Program
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.judging import CodedRows, Holding
from weakcode.scrub.columns.codes import INDICATORS, CodeColumn
from weakcode.scrub.columns.pointers import by_edit, pairs
from weakcode.semantics.judged import MISSING
from weakcode.semantics.verbs import FORMS

Hits = NDArray[np.int32]


def hits_with_indicators(
    engine: ColumnarEngine,
    coded: CodedRows,
    rows: NDArray[np.bool_],
    codes: CodeColumn,
    holding: Holding,
    served: int,
) -> Hits:
    """Return the hits of edits that look at indicators, on those of some rows that have any.

    `served` is SERVED for those of them that ask for a service line, USUAL for the others.
    """
    asked = rows & codes.has_poa
    if not asked.any():
        return np.empty((0, 6), np.int32)
    hits = engine.hits_batch(coded, asked.view(np.uint8), holding, kind=ADMITTED | served)
    return _with_indicators(hits, codes, engine.program)


def _with_indicators(hits: Hits, codes: CodeColumn, program: Program) -> Hits:
    kept: list[Hits] = []
    for number, of_edit in by_edit(hits):
        edit = program.edit(number)
        wanted = np.array([(name or MISSING) in edit.poa for name in INDICATORS], np.bool_)
        if codes.poa is None:
            of_edit = of_edit if wanted[0] else of_edit[:0]
        else:
            of_edit = of_edit[wanted[codes.poa[codes.bounds[of_edit[:, 0]] + of_edit[:, 2] - 1]]]
        if FORMS[edit.verb].counts_subjects and not edit.terms:
            of_edit = pairs(edit, of_edit)
        kept.append(of_edit)
    return np.concatenate(kept) if kept else hits
