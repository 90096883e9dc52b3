"""Cells of CSV that a spreadsheet would take for a formula: an apostrophe goes before them, and is taken away again.

OWASP (CSV Injection) names the characters. They count at the start of a cell, and behind what another program may take
for the end of a cell: a semicolon, a tab, a line break. Every apostrophe that stands there already is kept: one is put
before it, and one is taken away. The quoted first name of the header says that a file is so written; no other file
loses an apostrophe.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_STARTS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_BEFORE = r"(^|[;\t\r\n]\s*)"
_PUT = re.compile(rf"{_BEFORE}(?='*[{_STARTS}])")
_TAKE = re.compile(rf"{_BEFORE}'(?='*[{_STARTS}])")
_SOME = re.compile(rf"(?:^|[;\t\r\n]\s*)'*[{_STARTS}]", re.MULTILINE)
ANY_GUARDED = rf"^'*[{_STARTS}]|[;\t\r\n]\s*'*[{_STARTS}]|\r"
TAKE_SQL = rf"(^|[;\t\r\n]\s*)'('*[{_STARTS}])"
"""The same for DuckDB: replaced by its groups 1 and 2."""


def guarded(cells: Iterable[object]) -> list[object]:
    """Return the cells of a row with an apostrophe before what would be a formula."""
    row = list(cells)
    if not _SOME.search("\n".join([cell for cell in row if type(cell) is str])):
        return row
    return [_PUT.sub(r"\1'", cell) if type(cell) is str else cell for cell in row]


def needs_guard(batch: pa.RecordBatch) -> bool:
    """Tell whether any text of a batch must be guarded or quoted; each distinct value is looked at once."""
    return any(map(_needs_guard, batch.columns))


def _needs_guard(column: pa.Array) -> bool:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        return _needs_guard(column.dictionary)
    if pa.types.is_list(column.type):
        return _needs_guard(column.flatten())
    if pa.types.is_struct(column.type):
        return any(map(_needs_guard, column.flatten()))
    if not pa.types.is_string(column.type):
        return False
    return bool(pc.any(pc.match_substring_regex(column, ANY_GUARDED)).as_py())


def unguarded(cell: str) -> str:
    """Return a cell as it was before `guarded`."""
    return _TAKE.sub(r"\1", cell) if "'" in cell else cell


def header_line(names: Sequence[str]) -> str:
    """Return the header of a file with guarded cells."""
    return f'"{names[0]}",{",".join(names[1:])}\n'


def is_guarded(header: str, names: Sequence[str]) -> bool:
    """Tell whether a header line, as it stands in the file, says that the cells are guarded."""
    return header.startswith(header_line(names)[:-1])
