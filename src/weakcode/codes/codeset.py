"""Sets of codes of one edition, as sorted intervals of code ids.

The billable codes of an edition are numbered in alphabetical order, so that "every code below M62" and
"A00-B99" are single intervals and a set of thousands of codes is a handful of numbers.
"""

from __future__ import annotations

from weakcode.codes._codeset import CodeSet as CodeSet

Spans = tuple[tuple[int, int], ...]
