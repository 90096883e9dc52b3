"""The columns of a file that the page was given, so that whoever knows them can say what each holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from weakcode.errors import InputError
from weakcode.scrub.read.archives import is_workbook, members_of
from weakcode.scrub.read.encoding import encoding_of
from weakcode.scrub.read.files import is_arrow_file
from weakcode.scrub.read.options import ReadOptions
from weakcode.scrub.read.tables.around import MOST_TITLES, is_rule, separator
from weakcode.scrub.read.tables.header import Header, header_cells, is_header
from weakcode.scrub.read.tables.mapping import SHORT
from weakcode.scrub.read.tables.resolve import resolve

_HEAD = 1 << 16
_NO_TABLE = ("{", "[", "<", "ISA")


@attrs.frozen
class FileColumns:
    """The columns of a table in their order, each with the part of a claim that it holds, by the names of --map, or ''.

    `sheets` are those of a workbook, and `sheet` the one that is read.
    """

    columns: tuple[tuple[str, str], ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        columns = [{"name": name, "holds": holds} for name, holds in self.columns]
        return {"columns": columns, "sheets": list(self.sheets), "sheet": self.sheet}


def columns_of(path: Path, options: ReadOptions) -> FileColumns:
    """Return the columns of a file; none of one that is no table, or whose header cannot be read."""
    sheets: tuple[str, ...] = ()
    sheet = ""
    try:
        if is_arrow_file(path):
            cells = _arrow_names(path)
        elif is_workbook(path):
            from weakcode.scrub.read.excel.source import sheets_of

            sheets, sheet, cells = sheets_of(path, options)
        else:
            cells = _text_names(path, options)
    except (InputError, OSError, ValueError):
        cells = []
    return FileColumns(tuple(_columns_of(cells, options.mapping)), sheets, sheet)


def _arrow_names(path: Path) -> list[str]:
    import pyarrow as pa
    from pyarrow import ipc

    with pa.OSFile(str(path)) as file:
        if file.read(4) == b"PAR1":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
        file.seek(0)
        try:
            return list(ipc.open_file(file).schema.names)
        except pa.ArrowInvalid:
            file.seek(0)
            return list(ipc.open_stream(file).schema.names)


def _text_names(path: Path, options: ReadOptions) -> list[str]:
    with members_of(path)[0].open() as file:
        head = file.read(_HEAD)
    encoding = options.encoding or encoding_of(head) or "utf-8"
    lines = head.decode(encoding, "replace").removeprefix("\ufeff").splitlines()
    lines = [line for line in lines if line.strip() and not is_rule(line)][:MOST_TITLES]
    if not lines or lines[0].lstrip().startswith(_NO_TABLE):
        return []
    delimiter = separator(lines[0])
    cells = next((cells for line in lines if _names_enough(cells := header_cells(line, delimiter)[0], options)), None)
    if cells is None:
        cells, _ = header_cells(lines[delimiter is not None] if len(lines) > 1 else lines[0], delimiter)
    # A first line that holds a claim is nobody's names of columns.
    return cells if is_header(cells) else []


def _names_enough(cells: Sequence[str], options: ReadOptions) -> bool:
    """Tell whether a line names the columns of claims; titles stand above it."""
    try:
        resolve(cells, ",", "the file", options.mapping)
    except InputError:
        return False
    return True


def _columns_of(cells: Sequence[str], mapping: Mapping[str, str] | None) -> list[tuple[str, str]]:
    names = [cell for cell in cells if cell]
    try:
        header = resolve(cells, ",", "the file", mapping)
    except InputError:
        part_of = {name.strip(): part for part, columns in (mapping or {}).items() for name in columns.split("+")}
        return [(name, SHORT.get(part_of.get(name, ""), "")) for name in names]
    holds = dict(_positions(header))
    return [(cell, holds.get(position, "")) for position, cell in enumerate(cells) if cell]


def _positions(header: Header) -> list[tuple[int, str]]:
    """Return the positions of the columns that are read, with what they hold by the names of --map."""
    single = {
        "id": header.claim_id, "codes": header.codes, "principal": header.principal, "line": header.line,
        "principal_poa": header.principal_poa, "procedure": header.procedure, "code": header.code,
        "sequence": header.sequence, "codetype": header.codetype,
    }  # fmt: skip
    found = [(position, name) for name, position in single.items() if position is not None]
    found += [(position, "codes") for position in header.wide]
    found += [(position, "poa") for position in header.poa if position is not None]
    found += [(position, "pointer") for position in header.pointers]
    found += [(position, SHORT.get(name, name)) for name, position in header.about]
    return found
