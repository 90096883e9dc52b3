"""Service lines of a batch of which lists alone tell that no diagnosis is covered: their findings as columns.

What is said of each is the message of `weakcode.coverage.judging`. Lines that lists alone do not tell of are read one
by one elsewhere, with all lines of their claims, so that the findings of a claim keep their order.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from weakcode.coverage.judging import NOT_COVERED, SURE, Current, line_of, not_covered
from weakcode.engines.ids import PART, keys_of
from weakcode.engines.judging import CodedRows
from weakcode.scrub.columns.arrow import texts
from weakcode.scrub.columns.procedures import ProcedureColumn
from weakcode.scrub.judge.findings import FindingColumns
from weakcode.scrub.judge.variants import Variants, WordLists, Words

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@attrs.frozen(eq=False)
class PlainLines:
    """Lines that policies with plain lists are about: the place of each among `lines`, and the number of its policies.

    `current` gives what the policies of a number say, from a procedure that they name. `spelled` gives the code of a
    token, `severity` has the rank of the rule for each row, 0 where it is off.
    """

    lines: ProcedureColumn
    names: Sequence[str]
    asked: Numbers
    number: Numbers
    current: Callable[[int, str], Current]
    spelled: Callable[[int], str]
    severity: NDArray[np.int32]

    def findings(self, coded: CodedRows, title: str, edition: str) -> FindingColumns | None:
        """Return a finding for each line, None where there are none."""
        found = array("i")
        messages: list[str] = []
        keys: list[str] = []
        codes: list[str] = []
        for row, number, line, current in self._read(coded):
            messages.append(not_covered(line, current))
            at = line.at[0]
            codes.append(line.codes[at - 1])
            keys.append(PART.join((NOT_COVERED, codes[-1], line.what)))
            found.extend((row, at, number))
        if not found:
            return None
        count = len(found) // 3
        row_of, subject, number_of = np.array(found, np.int32).reshape(-1, 3).T.copy()
        known, cited = np.unique(number_of, return_inverse=True)
        sources = WordLists.of([[*map(str, self.current(one, "").sources)] for one in known.tolist()])
        nothing, all_ = np.zeros(count, np.int32), np.arange(count, dtype=np.int32)

        def always(text: str) -> Words:
            return Words(nothing, texts([text]))

        variants = Variants(
            always(NOT_COVERED),
            Words.of(messages),
            WordLists(np.arange(count + 1, dtype=np.int32), Words.of(codes)),
            sources.taken(cited.reshape(-1).astype(np.int32)),
            always(edition),
            always(SURE),
            always(title),
            always(""),
            nothing,
            np.frombuffer(keys_of(keys), np.uint8),
        )
        severity = self.severity[row_of]
        return FindingColumns(row_of, all_, subject, nothing, severity, nothing, variants, len(np.unique(row_of)))

    def _read(self, coded: CodedRows) -> Any:
        """Give row, number of the policies, line and what the policies say, of each line that points to a diagnosis."""
        lines, asked = self.lines, self.asked
        rows = lines.row[asked]
        columns = (rows, self.number, lines.procedure[asked], lines.number[asked], lines.bounds[asked])
        ends = (lines.bounds[asked + 1], coded.bounds[rows], coded.bounds[rows + 1])
        pointers, tokens, spelled = lines.pointers.tolist(), coded.tokens.tolist(), self.spelled
        last, codes = -1, []
        for row, number, procedure, called, low, high, begin, end in zip(
            *(one.tolist() for one in (*columns, *ends)), strict=True
        ):
            if row != last:
                last, codes = row, [*map(spelled, tokens[begin:end])]
            name = self.names[procedure]
            line = line_of(codes, name, pointers[low:high], [str(called)], is_known=True)
            current = self.current(number, name)
            # A code that the edition does not know is looked up by its text.
            if line.at and current.paired.isdisjoint([codes[at - 1] for at in line.at]):
                yield row, number, line, current
