"""The columns of a table as those of a code list, where each of its rows is a claim: no object is made for any row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.codes.normalise import canonical
from weakcode.fields import BY_NAME
from weakcode.scrub.columns.arrow import filled, is_empty, listed, lists, texts, valid, words, words_or_none
from weakcode.scrub.read.tables.cells import BETWEEN, icd9_of, parts_of
from weakcode.scrub.read.tables.names import squeezed
from weakcode.scrub.read.tables.rows import INDICATORS, poa_of
from weakcode.scrub.read.tables.tidy import Tidy

Ids = NDArray[np.int32]


def claim_columns(tidy: Tidy, columns: Mapping[int, pa.Array]) -> pa.RecordBatch:
    """Return the claims of a table whose header is plain: claim_id, codes, and what else it says of a claim.

    `columns` are those that the header knows, by position, of any type that such a column may have.
    """
    header, made = tidy.header, {}
    if header.claim_id is not None:
        made["claim_id"] = _ids(columns[header.claim_id])
        tidy.log.ids_of(made["claim_id"])
    if header.codes is None:
        made["codes"] = _Wide(tidy, columns).codes()
    else:
        made["codes"] = _codes(tidy, header.codes, columns[header.codes])
    for name, position in header.about:
        column = _about(tidy, name, position, columns[position])
        made[name] = joined(made[name], column) if name in made else column
    for name, text in tidy.forms.constants.items():
        if name not in made:
            rows = len(made["codes"])
            made[name] = words(np.zeros(rows, np.int32), texts([text]))
    if header.listed is not None:
        made["lines"] = columns[header.listed]
    return pa.RecordBatch.from_pydict(made)


def has_several_indicators(tidy: Tidy, columns: Mapping[int, pa.Array]) -> bool:
    """Tell whether cells with several codes have indicators, which only the row reader shares out."""
    header = tidy.header
    return header.has_indicators and any(tidy.holds(at, columns[at], BETWEEN) for at in header.single_codes)


def joined(first: pa.Array, second: pa.Array) -> pa.Array:
    """Return the values of two columns of text as one, a blank between them."""
    if pa.types.is_null(second.type) or pa.types.is_null(first.type):
        return first if pa.types.is_null(second.type) else second
    texts_of = [column.cast(pa.string()).fill_null("") for column in (first, second)]
    return pc.binary_join_element_wise(*texts_of, pa.scalar(" "))


def _ids(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(column.type):
        return column
    if not is_empty(column).any():
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)


def _about(tidy: Tidy, name: str, position: int, column: pa.Array) -> pa.Array:
    if position in tidy.with_blanks and pa.types.is_null(column.type):
        column = column.cast(pa.string())
    text = as_cells(column, whole=BY_NAME[name].arrow == "int32")
    return column if text is None else tidy.column(position, text)


def as_cells(column: pa.Array, *, whole: bool = False) -> pa.Array | None:
    """Return a column of numbers or text as text, dictionary-encoded or not; None for one that stays as it is.

    Whole numbers stay where `whole` ones are wanted. A number without a fraction is written without one; NaN is null.
    """
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    if (pa.types.is_integer(kind) and not whole) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        values = pa.array([_number(value) for value in encoded.dictionary.to_pylist()], pa.string())
        return pa.DictionaryArray.from_arrays(encoded.indices, values)
    return None


def _number(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return str(int(value)) if abs(value) < 2**53 and value == int(value) else str(value)


def _codes(tidy: Tidy, position: int, column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind) and (
        pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
    ):
        return tidy.column(position, column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return tidy.codes(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _listed_codes(tidy, column)
    return column


def _listed_codes(tidy: Tidy, column: pa.Array) -> pa.Array:
    """Return lists of codes, each distinct one read once; those that are null, empty or words for none are left out."""
    items = column.flatten()
    codes = items
    if pa.types.is_struct(items.type):
        at = items.type.get_field_index("code")
        if at < 0:
            return column
        codes = pc.struct_field(items, "code")
    read = tidy.items(codes)
    is_given = valid(items)
    if read is None and is_given.all():
        return column
    if read is not None:
        is_given = is_given & (valid(read) if not pa.types.is_struct(items.type) else is_given)
        if pa.types.is_struct(items.type):
            fields = [read if number == at else part for number, part in enumerate(items.flatten())]
            items = pa.StructArray.from_arrays(fields, names=[field.name for field in items.type], mask=items.is_null())
        else:
            items = read
    parents = np.repeat(np.arange(len(column)), filled(pc.list_value_length(column), 0))
    bounds = np.zeros(len(column) + 1, np.int32)
    np.cumsum(np.bincount(parents[is_given], minlength=len(column)), out=bounds[1:])
    kept = items if is_given.all() else items.filter(pa.array(is_given))
    if read is not None and any(BETWEEN in text for text in read.dictionary.to_pylist()):
        kept, bounds = _parted_items(kept, at if pa.types.is_struct(items.type) else None, bounds)
    return pa.ListArray.from_arrays(pa.array(bounds, pa.int32()), kept)


def _parted_items(items: pa.Array, at: int | None, bounds: Ids) -> tuple[pa.Array, Ids]:
    """Return items of lists with those of several codes as so many, and the bounds of the lists then."""
    fields = [items] if at is None else items.flatten()
    codes = [text or "" for text in fields[at or 0].cast(pa.string()).to_pylist()]
    parts = [parts_of(text) for text in codes]
    ends = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(one) for one in parts], out=ends[1:])
    rows = pa.array(np.repeat(np.arange(len(parts)), np.diff(ends)))
    text = pa.array([code for one in parts for code in one], pa.string())
    if at is None:
        return text, ends[bounds].astype(np.int32)
    fields_taken = [text if number == at else part.take(rows) for number, part in enumerate(fields)]
    names = [field.name for field in items.type]
    return pa.StructArray.from_arrays(fields_taken, names=names), ends[bounds].astype(np.int32)


def _give_first(indicators: Ids, rows: NDArray[np.bool_], cells: Sequence[Ids], own: list[Ids]) -> None:
    """Give the first code of some rows the indicator of the principal diagnosis, which it is, if it has none."""
    is_open = rows
    for number, codes in enumerate(cells):
        is_first = is_open & (codes >= 0)
        own[number] = np.where(is_first & (own[number] < 0), indicators, own[number])
        is_open = is_open & ~is_first


class _Wide:
    """Codes that stand in a column each, put together: numbers of distinct codes, -1 where there is none."""

    def __init__(self, tidy: Tidy, columns: Mapping[int, pa.Array]) -> None:
        self._tidy, self._columns = tidy, columns
        self._numbers: dict[str, int] = {}

    def codes(self) -> pa.Array:
        """Return the codes of each row as a list, dictionary-encoded, with their indicators where there are some."""
        header = self._tidy.header
        type_columns: Sequence[int | None] = header.versions or (None,) * len(header.wide)
        cells = [self._column(at, version) for at, version in zip(header.wide, type_columns, strict=True)]
        indicators = [self._indicators(at) for at in header.poa or (None,) * len(header.wide)]
        if header.principal is not None:
            principal = self._column(header.principal, header.principal_version)
            kept = self._principal(principal, cells)
            of_principal = self._indicators(header.principal_poa)
            if header.has_indicators:
                _give_first(of_principal, (principal >= 0) & (kept < 0), cells, indicators)
            cells.insert(0, kept)
            indicators.insert(0, of_principal)
        matrix = np.stack(cells, axis=1)
        is_given = matrix >= 0
        bounds = np.zeros(len(matrix) + 1, np.int32)
        np.cumsum(is_given.sum(axis=1), out=bounds[1:])
        if any(BETWEEN in text for text in self._numbers):
            return self._parted(matrix[is_given], bounds)
        codes = words(matrix[is_given], texts(list(self._numbers)))
        if not header.has_indicators:
            return lists(bounds, codes)
        found = np.stack([np.broadcast_to(one, len(matrix)) for one in indicators], axis=1)[is_given]
        poa = words_or_none(found, texts(INDICATORS), found < 0)
        return lists(bounds, pa.StructArray.from_arrays([codes, poa], ["code", "poa"]))

    def _indicators(self, position: int | None) -> Ids:
        """Return which of `INDICATORS` each row has in a column, -1 where it has none."""
        if position is None:
            return np.full(1, -1, np.int32)
        column = self._tidy.column(position, self._columns[position])
        known = [poa_of(one or "") for one in listed(column.dictionary)]
        numbers = np.array([-1 if one is None else INDICATORS.index(one) for one in known] + [-1], np.int32)
        found: Ids = numbers[filled(column.indices.cast(pa.int32()), -1)]
        return found

    def _parted(self, cells: Ids, bounds: Ids) -> pa.Array:
        """Return the codes of each row where some cells hold several."""
        numbers: dict[str, int] = {}
        of_text = [[numbers.setdefault(code, len(numbers)) for code in parts_of(text)] for text in self._numbers]
        sizes = np.array(list(map(len, of_text)), np.int64)
        starts = np.cumsum(sizes) - sizes
        many = sizes[cells]
        ends = np.zeros(len(cells) + 1, np.int64)
        np.cumsum(many, out=ends[1:])
        places = np.arange(ends[-1]) - np.repeat(ends[:-1], many) + np.repeat(starts[cells], many)
        flat = np.array([number for codes in of_text for number in codes], np.int32)
        return lists(ends[bounds].astype(np.int32), words(flat[places], texts(list(numbers))))

    def _column(self, position: int, version: int | None) -> Ids:
        column = self._tidy.column(position, self._columns[position])
        spellings = listed(column.dictionary)
        header = self._tidy.header
        numbers = self._numbered(spellings, icd9_too=header.icd9)
        index = filled(column.indices.cast(pa.int32()), -1)
        found: Ids = numbers[index]
        if version is None or header.icd9:
            return found
        kinds = self._tidy.column(version, self._columns[version])
        is_nine = np.array(
            [squeezed(one or "") in header.nines for one in listed(kinds.dictionary)] + [False], np.bool_
        )
        nine = is_nine[filled(kinds.indices.cast(pa.int32()), -1)]
        if nine.any():
            found = np.where(nine, self._numbered(spellings, icd9_too=True)[index], found)
        return found

    def _numbered(self, spellings: Sequence[str | None], *, icd9_too: bool) -> Ids:
        """Return the number of each of these codes, and -1 behind them for null."""
        numbers = self._numbers
        return np.array(
            [numbers.setdefault(icd9_of(one) if icd9_too else one, len(numbers)) if one else -1 for one in spellings]
            + [-1],
            np.int32,
        )

    def _principal(self, principal: Ids, others: Sequence[Ids]) -> Ids:
        """Return the principal codes, -1 where the list begins with the same."""
        first = np.full(len(principal), -1, np.int32)
        for cells in reversed(others):
            first = np.where(cells >= 0, cells, first)
        same: dict[str, int] = {}
        ids = np.array([same.setdefault(canonical(code), len(same)) for code in self._numbers] + [-1], np.int32)
        kept: Ids = np.where(ids[principal] == ids[first], np.int32(-1), principal)
        numbers = list(self._numbers)
        if any(BETWEEN in text for text in numbers):
            holds_several = np.array([BETWEEN in text for text in numbers] + [False], np.bool_)
            for row in np.flatnonzero((holds_several[principal] | holds_several[first]) & (principal >= 0)).tolist():
                secondary = [code for column in others if column[row] >= 0 for code in parts_of(numbers[column[row]])]
                own = parts_of(numbers[principal[row]])
                again = list(map(canonical, secondary[: len(own)])) == list(map(canonical, own))
                kept[row] = -1 if again else principal[row]
        return kept
