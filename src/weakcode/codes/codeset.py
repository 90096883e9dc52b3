"""Sets of codes of one edition, as sorted intervals of code ids.

The billable codes of an edition are numbered in alphabetical order, so that "every code below M62" and
"A00-B99" are single intervals and a set of thousands of codes is a handful of numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from weakcode.codes._codeset import CodeSet as CodeSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Spans = tuple[tuple[int, int], ...]


def codes_where(mask: NDArray[np.bool_]) -> CodeSet:
    """Return the set of the code ids whose place in a mask is true."""
    import numpy as np

    turns = np.flatnonzero(np.diff(mask, prepend=False, append=False)).tolist()
    return CodeSet.stored(zip(turns[::2], turns[1::2], strict=True))


def codes_at(ids: NDArray[np.int64]) -> CodeSet:
    """Return the set of code ids that rise."""
    import numpy as np

    firsts = np.flatnonzero(np.diff(ids, prepend=-2) != 1)
    lasts = np.append(firsts[1:], len(ids)) - 1 if len(ids) else firsts
    return CodeSet.stored(zip(ids[firsts].tolist(), (ids[lasts] + 1).tolist(), strict=True))
