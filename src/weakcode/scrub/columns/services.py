"""What conditions ask of the service lines of a batch, in columns: which tests some line of each claim meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.errors import InputError
from weakcode.fields import LINE_FIELDS
from weakcode.scrub.columns.arrow import filled, listed
from weakcode.semantics.bits import AskedLines
from weakcode.semantics.servicelines import LineFacts

_BY_NAME = {field.name: field for field in LINE_FIELDS}
_SEPARATOR = "\x1f"

Numbers = NDArray[np.int64]


@attrs.frozen(eq=False)
class ServiceColumn:
    """The service lines of a batch, one by one: the row of each, and the number of what it has in `facts`."""

    row: Numbers
    number: Numbers
    facts: Sequence[LineFacts]

    @classmethod
    def of(cls, column: pa.Array | None, looks_at: Sequence[str]) -> ServiceColumn:
        """Read a column of lists of structs, of which nothing but the fields of `LineFacts` in `looks_at` is read."""
        nothing = np.empty(0, np.int64)
        if column is None or not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
            return cls(nothing, nothing, [])
        lengths = filled(pc.list_value_length(column), 0).astype(np.int64)
        row = np.repeat(np.arange(len(column)), lengths)
        lines = column.flatten()
        number, values = np.zeros(len(lines), np.int64), [LineFacts()]
        for name in looks_at if pa.types.is_struct(lines.type) else ():
            if lines.type.get_field_index(name) >= 0:
                of_field, parsed = _parsed(name, pc.struct_field(lines, name))
                known, number = np.unique(number * len(parsed) + of_field, return_inverse=True)
                number = number.reshape(-1)
                values = [
                    values[one // len(parsed)]._replace(**{name: parsed[one % len(parsed)]}) for one in known.tolist()
                ]
        return cls(row, number, values)

    def touching(self, asked: AskedLines, rows: int) -> tuple[Numbers, list[int]]:
        """Return the number of each row's bits in a list of them: of the tests that some line of it meets.

        The first of the list are those of a row of which no line meets any.
        """
        bits = list(map(asked.of_line, self.facts))
        distinct = {number: place for place, number in enumerate(dict.fromkeys([0, *bits]))}
        of_facts = np.array([distinct[number] for number in bits], np.int64)
        found, numbers = np.zeros(rows, np.int64), list(distinct)
        met = of_facts[self.number] if len(of_facts) else self.number
        row, met = self.row[met != 0], met[met != 0]
        # The next line of every row, until none has another.
        while len(row):
            first = np.concatenate([[True], row[1:] != row[:-1]])
            before = found[row[first]]
            pairs, place = np.unique(before * (len(distinct) + 1) + met[first], return_inverse=True)
            together = [
                numbers[pair // (len(distinct) + 1)] | list(distinct)[pair % (len(distinct) + 1)]
                for pair in pairs.tolist()
            ]
            known = {number: at for at, number in enumerate(numbers)}
            for number in together:
                known.setdefault(number, len(known))
            numbers = list(known)
            found[row[first]] = np.array([known[number] for number in together], np.int64)[place.reshape(-1)]
            row, met = row[~first], met[~first]
        return found, [number | asked.others for number in numbers]


def _parsed(name: str, column: pa.Array) -> tuple[Numbers, list[Any]]:
    """Return the number of each value of a field in a list of what conditions look at, of which the last is nothing."""
    field, kind = _BY_NAME[name], column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        if pa.types.is_dictionary(kind.value_type):
            column = column.cast(pa.list_(pa.string()))
        if pa.types.is_string(column.type.value_type) and not column.flatten().null_count:
            column = pc.binary_join(column, _SEPARATOR)
        else:
            texts = [None if one is None else _SEPARATOR.join(map(str, one)) for one in column.to_pylist()]
            column = pa.array(texts, pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    index = filled(column.indices.cast(pa.int64()), -1).astype(np.int64)
    values = [_value(field, value) for value in listed(column.dictionary)]
    values.append(getattr(LineFacts(), name))
    return np.where(index < 0, len(values) - 1, index), values


def _value(field: Any, value: Any) -> Any:
    if field.is_list and isinstance(value, str):
        value = [part for part in value.split(_SEPARATOR) if part]
    try:
        parsed = None if value is None else field.parse(value)
    except InputError:
        # Its row is refused where lines are checked.
        parsed = None
    if isinstance(getattr(LineFacts(), field.name), tuple) and not field.is_list:
        return (parsed,) if parsed else ()
    return () if field.is_list and parsed is None else parsed
