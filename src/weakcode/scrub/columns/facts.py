"""What a batch says of its claims beside their codes, as columns that the conditions of edits are evaluated on.

Values are parsed by the same functions as those of single claims, once for each distinct value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.base.lazy import lazy
from weakcode.errors import InputError
from weakcode.fields import BY_NAME, FIELDS, Field
from weakcode.scrub.columns.arrow import filled, listed, valid
from weakcode.scrub.columns.pointers import LineColumn
from weakcode.scrub.columns.procedures import with_procedure
from weakcode.scrub.columns.services import ServiceColumn
from weakcode.semantics.bits import AskedLines, AskedPart, ConditionBits
from weakcode.semantics.judged import INPATIENT, names_of
from weakcode.semantics.unjudged import BITS

NO_DAY = np.int32(-(2**31))
"""Stands for a date that is not given. Other days count from 1970-01-01."""
_NO_AGE = -1
_OLDEST = 150
# A span of days that a table may have a place for each of.
_MOST_DAYS = 100_000

Bools = NDArray[np.bool_]
PayerOf = Callable[[str | None, Sequence[str]], str | None]
"""Returns a payer's name from the name and the ids that a claim gives."""


@attrs.frozen(eq=False)
class Categories:
    """A column of few distinct values: row r has values[index[r]], or None where the index is -1."""

    values: Sequence[Any]
    index: NDArray[np.int32]


@attrs.frozen(eq=False)
class Days:
    """A column of dates: row r has values[index[r]], which may be NO_DAY."""

    values: NDArray[np.int32]
    index: NDArray[np.integer[Any]]


@attrs.frozen(eq=False, slots=False)
class AboutClaims:
    """The columns, one value for each row. Rows of `bad` have some value that cannot be."""

    rows: int
    age: NDArray[np.int32]
    days: Days
    """Of service."""
    categories: Mapping[str, Categories]
    """By name, the fields that are neither days nor ages."""
    bad: Bools
    whose: Categories
    """Who pays, as a profile calls it."""
    payer_names: Categories
    """Tuples of everything that the payer is called."""
    lines: LineColumn | None = None
    given_lines: pa.Array | None = None
    diagnoses: NDArray[np.int64] | None = None
    """How many each claim lists, where it is known."""

    @classmethod
    def of(
        cls,
        columns: Mapping[str, pa.Array],
        rows: int,
        payer_of: PayerOf | None = None,
        diagnoses: NDArray[np.int64] | None = None,
    ) -> AboutClaims:
        """Read the columns that are there; a column that is not says nothing about any claim."""
        bad = np.zeros(rows, np.bool_)
        service = _days(columns.get("service_date"), rows, bad)
        birth = _days(columns.get("birth_date"), rows, bad)
        both = (service != NO_DAY) & (birth != NO_DAY)
        bad |= both & (birth > service)
        age = _ages(columns.get("age"), rows, bad)
        unknown = both & (age == _NO_AGE) & ~bad
        if unknown.any():
            age[unknown] = _years_between(birth[unknown], service[unknown])
        categories = {
            field.name: (_listed_values if field.is_list else _parsed)(field, columns.get(field.name), rows, bad)
            for field in FIELDS
            if field.name not in ("service_date", "birth_date", "age")
        }
        lines = columns.get("lines")
        whose, names = _payers(categories["payer"], categories["payer_id"], payer_of)
        return cls(
            rows, age, _distinct(service), categories, bad, whose, names, LineColumn.of(lines, bad), lines, diagnoses
        )

    @property
    def payer(self) -> Categories:
        """Who pays."""
        return self.categories["payer"]

    @property
    def documented(self) -> Categories:
        """Sets of documented facts."""
        return self.categories["documented"]

    @property
    def inpatient(self) -> Bools:
        """Tells which claims have present-on-admission indicators."""
        setting = self.categories["setting"]
        found: Bools = np.array([value == INPATIENT for value in (*setting.values, None)], np.bool_)[setting.index]
        return found

    def conditions_held(
        self, bits: ConditionBits, first_day: dt.date, with_text: Bools, faults: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint64]:
        """Return a row of words for each claim: bit n + 1 tells whether test n holds; bit 0 is always set.

        What a test asks of the codes is left out. `first_day` is the day as of which a claim without a date is judged,
        `with_text` tells which claims have documented text, `faults` what is wrong with the pointers of each.
        """
        return self._condition_words(bits, first_day, with_text, faults, slice(None), self._touching(bits))

    def conditions_where(
        self,
        bits: ConditionBits,
        chosen: NDArray[np.uint8],
        first_day: dt.date,
        with_text: Bools,
        faults: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
        """Return the same for the chosen rows, the words of all rows one after the other, and what rows are left.

        Where every test asks for a service line, rows of which no line meets any are left out, and have no words.
        """
        touching = self._touching(bits)
        if touching is None:
            return chosen, self._condition_words(bits, first_day, with_text, faults, slice(None), None).reshape(-1)
        chosen = chosen & (touching[0] != 0)
        rows = np.flatnonzero(chosen)
        # Memory that is never written to is never taken.
        words = np.zeros((self.rows, -(-bits.all.bit_length() // 64)), np.uint64)
        if len(rows):
            words[rows] = self._condition_words(bits, first_day, with_text, faults, rows, touching)
        return chosen, words.reshape(-1)

    def _touching(self, bits: ConditionBits) -> tuple[NDArray[np.int64], list[int]] | None:
        """Return what service lines say to tests, None where no test asks for one."""
        asked = next((one for one in bits.parts if isinstance(one, AskedLines)), None)
        if asked is None:
            return None
        return ServiceColumn.of(self.given_lines, asked.looks_at).touching(asked, self.rows)

    def _condition_words(
        self,
        bits: ConditionBits,
        first_day: dt.date,
        with_text: Bools,
        faults: NDArray[np.uint8] | None,
        rows: slice | NDArray[np.int64],
        touching: tuple[NDArray[np.int64], list[int]] | None,
    ) -> NDArray[np.uint64]:
        conditions_held: NDArray[np.uint64] = words_of([bits.silent, bits.all], bits)[with_text[rows].view(np.uint8)]
        for _, index, of_values in self._parts(bits, first_day, faults, touching):
            conditions_held &= of_values[0] if (of_values == of_values[0]).all() else of_values[index[rows]]
        return conditions_held

    def parts(
        self, bits: ConditionBits, first_day: dt.date, faults: NDArray[np.uint8] | None = None
    ) -> Iterator[tuple[int, NDArray[Any], NDArray[np.uint64]]]:
        """Give each part that tests ask for: the bit of `BITS` of what a claim can lack there, the number of each
        claim's value, and the words of the values.

        The words tell which tests do not fail for the value; -1 is the number of the last one. The bit is 0 where
        the words also tell it of claims that lack something.
        """
        for asked, index, words in self._parts(bits, first_day, faults, self._touching(bits)):
            if bits.lenient and isinstance(asked, AskedLines) and asked.needing:
                lacking = np.concatenate([words, words | words_of([asked.needing], bits)])
                yield 0, index + len(words) * ~self.named, lacking
            else:
                yield BITS[asked.part.need] if asked.needing else 0, index, words

    def _parts(
        self,
        bits: ConditionBits,
        first_day: dt.date,
        faults: NDArray[np.uint8] | None,
        touching: tuple[NDArray[np.int64], list[int]] | None,
    ) -> Iterator[tuple[AskedPart | AskedLines, NDArray[Any], NDArray[np.uint64]]]:
        for asked in bits.parts:
            if isinstance(asked, AskedLines):
                index, numbers = touching or (np.zeros(self.rows, np.int64), [asked.others])
                yield asked, index, words_of(numbers, bits)
            else:
                index, values = self._column(asked.part.column, first_day, faults)
                yield asked, index, words_of(map(asked.bits, map(asked.part.of_column, values)), bits)

    @lazy
    def named(self) -> Bools:
        """Tells which claims have a service line that names a procedure."""
        return with_procedure(self.given_lines, self.rows)

    def missing(self, needs: int) -> NDArray[np.uint8]:
        """Return what of some needs, given as bits of `BITS`, each claim does not say, as such bits."""
        lacks = np.zeros(self.rows, np.uint8)
        for need, bit in BITS.items():
            if not bit & needs:
                continue
            if need == "pointers":
                missing = np.ones(self.rows, np.bool_) if self.lines is None else ~self.lines.with_pointers(self.rows)
            elif need == "procedures":
                missing = ~self.named
            elif need == "age":
                missing = self.age == _NO_AGE
            elif need == "service_date":
                missing = (self.days.values == NO_DAY)[self.days.index]
            else:
                column = self.categories[need]
                missing = np.array([*(value is None for value in column.values), True], np.bool_)[column.index]
            lacks |= missing.view(np.uint8) * np.uint8(bit)
        return lacks

    def _column(
        self, name: str, first_day: dt.date, faults: NDArray[np.uint8] | None
    ) -> tuple[NDArray[Any], Sequence[Any]]:
        """Return a part of the claims: the number of each row's value, and the values, of which -1 means the last."""
        if name == "age":
            return self.age, [*range(max(int(self.age.max(initial=0)), 0) + 1), None]
        if name == "service_date":
            is_dated = self.days.values != NO_DAY
            days = np.where(is_dated, self.days.values, 0).astype("M8[D]").tolist()
            return self.days.index, [day if known else first_day for day, known in zip(days, is_dated, strict=True)]
        if name == "pointer_faults":
            return np.zeros(self.rows, np.uint8) if faults is None else faults, range(4)
        if name == "diagnoses":
            counts = np.zeros(self.rows, np.int64) if self.diagnoses is None else self.diagnoses
            return counts, range(int(counts.max(initial=0)) + 1)
        if name == "payer":
            return self.payer_names.index, [*self.payer_names.values, None]
        column = self.categories.get(name)
        if column is None:
            raise LookupError(
                f'no column has the part "{name}" of a claim; give it one here, or derive it from another'
            )
        return column.index, [*column.values, None]


def words_of(numbers: Iterable[int], bits: ConditionBits) -> NDArray[np.uint64]:
    """Return numbers of the bits of tests as rows of words of 64 bits, the lowest first."""
    # As many words as the kernel reads of each row: a bit for each test, and bit 0.
    size = 8 * -(-bits.all.bit_length() // 64)
    words = b"".join(number.to_bytes(size, "little") for number in numbers)
    return np.frombuffer(words, "<u8").astype(np.uint64, copy=False).reshape(-1, size // 8)


def _payers(payer: Categories, ids: Categories, payer_of: PayerOf | None) -> tuple[Categories, Categories]:
    """Return who pays, as a profile calls it, and everything that it is called."""
    columns = [np.where(one.index < 0, len(one.values), one.index).astype(np.int64) for one in (payer, ids)]
    pairs = columns[0] * (len(ids.values) + 1) + columns[1]
    most = (len(payer.values) + 1) * (len(ids.values) + 1)
    if most < _MOST_DAYS:
        occurs = np.zeros(most, np.bool_)
        occurs[pairs] = True
        keys, index = np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[pairs]
    else:
        keys, index = np.unique(pairs, return_inverse=True)
    payers: list[str | None] = []
    names: list[tuple[str, ...]] = []
    for key in keys.tolist():
        at, of = divmod(key, len(ids.values) + 1)
        payer_name, own_ids = (*payer.values, None)[at], (*ids.values, ())[of] or ()
        name = payer_name if payer_of is None else payer_of(payer_name, own_ids)
        payers.append(name)
        names.append(names_of(name, payer_name, own_ids))
    place = index.reshape(-1).astype(np.int32)
    return Categories(payers, place), Categories(names, place)


def _distinct(days: NDArray[np.int32]) -> Days:
    """Number the distinct days."""
    is_dated = days != NO_DAY
    low = int(days.min(where=is_dated, initial=2**31 - 1))
    high = int(days.max(where=is_dated, initial=-(2**31) + 1))
    if not 0 <= high - low < _MOST_DAYS:
        return Days(*np.unique(days, return_inverse=True))
    at = np.where(is_dated, days - np.int32(low - 1), 0)
    seen = np.zeros(high - low + 2, np.bool_)
    seen[at] = True
    values = np.flatnonzero(seen).astype(np.int32) + np.int32(low - 1)
    values[values < low] = NO_DAY
    return Days(values, (np.cumsum(seen, dtype=np.int32) - 1)[at])


def _years_between(birth: NDArray[np.int32], seen: NDArray[np.int32]) -> NDArray[np.int32]:
    parts = []
    for days in (birth, seen):
        # Of distinct days: many claims are of the same ones.
        known = _distinct(days)
        date = known.values.astype("M8[D]")
        month = date.astype("M8[M]")
        years = date.astype("M8[Y]").astype(np.int32)
        day_of_year = month.astype(np.int32) % 12 * 32 + (date - month.astype("M8[D]")).astype(np.int32)
        parts.append((years[known.index], day_of_year[known.index]))
    (born, born_day), (now, today) = parts
    age: NDArray[np.int32] = now - born - (today < born_day)
    return age


def _days(column: pa.Array | None, rows: int, bad: Bools) -> NDArray[np.int32]:
    if column is None or pa.types.is_null(column.type):
        return np.full(rows, NO_DAY)
    if pa.types.is_timestamp(column.type) or pa.types.is_date64(column.type):
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_date32(column.type):
        days = column.cast(pa.int32())
        return filled(days, int(NO_DAY)).astype(np.int32)
    dates = _categories(column, rows, BY_NAME["service_date"].parse, bad)
    numbers = [NO_DAY if date is None else np.datetime64(date, "D").astype(np.int32) for date in dates.values]
    return np.array([*numbers, NO_DAY], np.int32)[dates.index]


def _ages(column: pa.Array | None, rows: int, bad: Bools) -> NDArray[np.int32]:
    if column is None or pa.types.is_null(column.type):
        return np.full(rows, _NO_AGE, np.int32)
    if pa.types.is_integer(column.type):
        known = valid(column)
        ages = filled(column, 0)
        bad |= known & ((ages < 0) | (ages > _OLDEST))
        return np.where(known & ~bad, ages, _NO_AGE).astype(np.int32)
    parsed = _categories(column, rows, BY_NAME["age"].parse, bad)
    return np.array([*(_NO_AGE if age is None else age for age in parsed.values), _NO_AGE], np.int32)[parsed.index]


def _categories(column: pa.Array | None, rows: int, parse: Callable[[Any], Any], bad: Bools) -> Categories:
    """Return a column parsed value by value; rows whose value the parser refuses become bad."""
    if column is None or pa.types.is_null(column.type):
        return Categories((), np.full(rows, -1, np.int32))
    if pa.types.is_nested(column.type):
        bad |= valid(column)
        return Categories((), np.full(rows, -1, np.int32))
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    index = filled(column.indices.cast(pa.int32()), -1)
    values: list[Any] = []
    refused: list[int] = []
    for place, value in enumerate(listed(column.dictionary)):
        try:
            values.append(None if value is None or value == "" else parse(value))
        except InputError:
            values.append(None)
            refused.append(place)
    if refused:
        bad |= np.isin(index, np.array(refused, np.int32))
    return Categories(values, index)


def _parsed(field: Field, column: pa.Array | None, rows: int, bad: Bools) -> Categories:
    return _categories(column, rows, field.parse, bad)


def _listed_values(field: Field, column: pa.Array | None, rows: int, bad: Bools) -> Categories:
    """Return a column of a field that has several values: lists, or text that holds them."""
    if column is None or pa.types.is_null(column.type):
        return Categories((), np.full(rows, -1, np.int32))
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return _categories(column, rows, field.parse, bad)
    lengths = filled(pc.list_value_length(column), 0)
    some = np.flatnonzero(lengths)
    index = np.full(rows, -1, np.int32)
    known: dict[Any, int] = {}
    for row, value in zip(some.tolist(), column.take(pa.array(some)).to_pylist(), strict=True):
        try:
            index[row] = known.setdefault(field.parse(value), len(known))
        except InputError:
            bad[row] = True
    return Categories(list(known), index)
