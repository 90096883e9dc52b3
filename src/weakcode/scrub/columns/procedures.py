"""The procedures of a batch's service lines, and where those lines point, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.errors import InputError
from weakcode.fields.parsers import parse_procedure
from weakcode.scrub.columns.arrow import filled, listed, valid

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@attrs.frozen(eq=False)
class ProcedureColumn:
    """Lines with a procedure, one by one: the row of each and the number of its procedure in `names`.

    `number` is what a line is called; `is_partial` tells of which only the main pointer is known. The pointers of line
    n are pointers[bounds[n]:bounds[n + 1]].
    """

    row: Numbers
    procedure: Numbers
    names: Sequence[str]
    number: Numbers
    is_partial: Bools
    pointers: Numbers
    bounds: Numbers

    @classmethod
    def of(cls, column: pa.Array | None) -> ProcedureColumn | None:
        """Read a column of lists of structs with a field `procedure`; None where no line has one."""
        named = _named(column)
        if column is None or named is None:
            return None
        lines, number, names = named
        some = np.flatnonzero(number >= 0)
        if not len(some):
            return None
        lengths = filled(pc.list_value_length(column), 0).astype(np.int64)
        place = np.arange(len(lines)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 1
        called = _field(lines, "number", pa.types.is_integer)
        if called is not None:
            place = np.where(valid(called), filled(called, 0).astype(np.int64), place)
        partial = np.zeros(len(lines), np.bool_)
        main_only = _field(lines, "main_only", pa.types.is_boolean)
        if main_only is not None:
            partial = np.asarray(pc.fill_null(main_only, False))
        row = np.repeat(np.arange(len(column)), lengths)[some]
        pointers, bounds = _pointers(lines, some)
        return cls(row, number[some], names, place[some], partial[some], pointers, bounds)


def with_procedure(column: pa.Array | None, rows: int) -> Bools:
    """Tell of each row of a column of lists of structs whether one of them names a procedure."""
    found = np.zeros(rows, np.bool_)
    named = _named(column)
    if column is not None and named is not None:
        lengths = filled(pc.list_value_length(column), 0).astype(np.int64)
        found[np.repeat(np.arange(rows), lengths)[named[1] >= 0]] = True
    return found


def _named(column: pa.Array | None) -> tuple[pa.Array, Numbers, Sequence[str]] | None:
    """Return the lines of a column, the number of the procedure of each, -1 for none, and the procedures by number.

    None where the lines have no procedures. A value that is no procedure is none; its row is refused elsewhere.
    """
    if column is None or not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return None
    kind = column.type.value_type
    if not pa.types.is_struct(kind) or kind.get_field_index("procedure") < 0:
        return None
    lines = column.flatten()
    procedures = pc.struct_field(lines, "procedure")
    if not len(procedures) or pa.types.is_null(procedures.type) or pa.types.is_nested(procedures.type):
        return None
    coded = procedures if pa.types.is_dictionary(procedures.type) else procedures.dictionary_encode()
    names: dict[str, int] = {}
    of_value = [_number(names, value) for value in listed(coded.dictionary)]
    index = filled(coded.indices.cast(pa.int64()), -1).astype(np.int64)
    return lines, np.array([*of_value, -1], np.int64)[index], list(names)


def _number(names: dict[str, int], value: object) -> int:
    try:
        procedure = parse_procedure(value)
    except InputError:
        return -1
    return -1 if procedure is None else names.setdefault(procedure, len(names))


def _field(lines: pa.Array, name: str, fits: Callable[[pa.DataType], bool]) -> pa.Array | None:
    if lines.type.get_field_index(name) < 0:
        return None
    field = pc.struct_field(lines, name)
    return field if fits(field.type) else None


def _pointers(lines: pa.Array, some: Numbers) -> tuple[Numbers, Numbers]:
    """Return the pointers of some lines, and where those of each begin and end."""
    none = np.empty(0, np.int64), np.zeros(len(some) + 1, np.int64)
    lists = _field(lines, "pointers", lambda kind: pa.types.is_list(kind) or pa.types.is_large_list(kind))
    if lists is None or not pa.types.is_integer(lists.type.value_type):
        return none
    lists = lists.take(pa.array(some))
    bounds = np.zeros(len(some) + 1, np.int64)
    np.cumsum(filled(pc.list_value_length(lists), 0), out=bounds[1:])
    return filled(lists.flatten(), 0).astype(np.int64), bounds
