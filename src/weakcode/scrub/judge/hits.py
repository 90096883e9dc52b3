"""The hits on the claims of a batch, each kind of edits on the rows that it looks at."""

from __future__ import annotations

import datetime as dt
from itertools import groupby

import attrs
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from weakcode.codes.edition import Edition
from weakcode.compile.program import ADMITTED, POINTED, SERVED, Program
from weakcode.engines.columnar import ColumnarEngine
from weakcode.engines.judging import USUAL, CodedRows, Holding
from weakcode.scrub.columns.admission import hits_with_indicators
from weakcode.scrub.columns.codes import CodeColumn
from weakcode.scrub.columns.facts import AboutClaims
from weakcode.scrub.columns.pointers import LinesSeen
from weakcode.semantics.verbs import FORMS

Bools = NDArray[np.bool_]
Hits = NDArray[np.int32]


@attrs.frozen(eq=False)
class HitColumns:
    """A batch as an engine judges it. `with_text` tells which claims have documented text."""

    engine: ColumnarEngine
    program: Program
    coded: CodedRows
    codes: CodeColumn
    about: AboutClaims
    with_text: Bools
    today: dt.date
    lines: LinesSeen | None

    def holding(self, faults: NDArray[np.uint8] | None = None) -> Holding:
        """Return what tells which tests of claims hold."""
        return lambda bits, chosen: self.about.conditions_where(bits, chosen, self.today, self.with_text, faults)


def all_hits(batch: HitColumns, rows: Bools) -> Hits:
    """Return the hits on some rows of a batch, in order of rows; terms are taken to hold."""
    engine, coded, about, lines = batch.engine, batch.coded, batch.about, batch.lines
    hits = engine.hits_batch(coded, rows.view(np.uint8), batch.holding())
    parts = [hits]
    for served in (USUAL, SERVED):
        if served and engine.has(SERVED):
            parts.append(engine.hits_batch(coded, rows.view(np.uint8), batch.holding(), kind=SERVED))
        if lines is not None and engine.has(POINTED | served):
            with_pointers = (rows & lines.with_pointers).view(np.uint8)
            found = engine.hits_batch(coded, with_pointers, batch.holding(lines.faults), kind=POINTED | served)
            parts.append(lines.filtered(found, batch.program))
        if engine.has(ADMITTED | served):
            admitted = rows & about.inpatient
            parts.append(hits_with_indicators(engine, coded, admitted, batch.codes, batch.holding(), served))
    further = [part for part in parts[1:] if len(part)]
    return by_row(np.concatenate([hits, *further])) if further else hits


def with_terms(
    hits: NDArray[np.int32], batch: HitColumns, edition: Edition, numbers: dict[str, int], texts: pa.Array
) -> NDArray[np.int32]:
    """Return the hits without those whose terms are not in the documented text; the others get the term's number."""
    engine, coded = batch.engine, batch.coded
    asks = engine.term_edits()[hits[:, 1]]
    if not asks.any():
        return hits
    kept: list[list[int]] = []
    asked = hits[asks]
    asked = asked[np.lexsort((asked[:, 3], asked[:, 2], asked[:, 1], asked[:, 0]))]
    for (row, number), of_edit in groupby(asked.tolist(), key=lambda hit: (hit[0], hit[1])):
        edit = batch.program.edit(number)
        term_of: dict[int, str | None] = {}
        said_hits: list[list[int]] = []
        for hit in of_edit:
            subject = hit[2]
            if subject not in term_of:
                place = int(coded.bounds[row]) + subject - 1
                term_of[subject] = engine.term(edit, texts[place].as_py(), _code_id(edition, coded, place))
            if term_of[subject] is not None:
                said_hits.append(hit)
        if FORMS[edit.verb].counts_subjects:
            # The first that is said, and each later one.
            said_hits = [[row, number, said_hits[0][2], later[2], 0, 0] for later in said_hits[1:]]
        kept += [[*hit[:5], numbers.setdefault(term_of[hit[2]] or "", len(numbers))] for hit in said_hits]
    return by_row(np.concatenate([hits[~asks], np.array(kept, np.int32).reshape(-1, 6)]))


def by_row(hits: NDArray[np.int32]) -> NDArray[np.int32]:
    ordered: NDArray[np.int32] = hits[np.argsort(hits[:, 0], kind="stable")]
    return ordered


def _code_id(edition: Edition, coded: CodedRows, place: int) -> int:
    token = int(coded.tokens[place])
    return token if token < edition.size else edition.code_id(coded.unlisted[token - edition.size])
