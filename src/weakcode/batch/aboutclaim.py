"""What a batch says of its claims beside their codes, as columns that the conditions of edits are evaluated on.

Values are parsed by the same functions as those of single claims, once for each distinct value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from weakcode.batch.linecolumn import LineColumn
from weakcode.claims import Claim, parse_age, parse_date, parse_setting, parse_sex
from weakcode.compile.edits import Condition
from weakcode.errors import InputError

NO_DAY = np.int32(-(2**31))
"""Stands for a date that is not given. Other days count from 1970-01-01."""
_NO_AGE = -1
_OLDEST = 150

Bools = NDArray[np.bool_]


@attrs.frozen(eq=False)
class Categories:
    """A column of few distinct values: row r has values[index[r]], or None where the index is -1."""

    values: Sequence[Any]
    index: NDArray[np.int32]

    def where(self, test: Callable[[Any], bool]) -> Bools:
        """Tell for each row whether its value passes; None is put to the test too."""
        return np.array([*map(test, self.values), test(None)], np.bool_)[self.index]


@attrs.frozen(eq=False)
class AboutClaims:
    """The columns, one value for each row. Rows of `bad` have some value that cannot be."""

    rows: int
    age: NDArray[np.int32]
    service_day: NDArray[np.int32]
    sex: Categories
    setting: Categories
    payer: Categories
    documented: Categories
    bad: Bools
    lines: LineColumn | None = None

    @classmethod
    def of(cls, columns: Mapping[str, pa.Array], rows: int) -> AboutClaims:
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
        return cls(
            rows,
            age,
            service,
            _categories(columns.get("sex"), rows, parse_sex, bad),
            _categories(columns.get("setting"), rows, parse_setting, bad),
            _categories(columns.get("payer"), rows, _payer, bad),
            _documented(columns.get("documented"), rows, bad),
            bad,
            LineColumn.of(columns.get("lines"), bad),
        )

    def mask(self, condition: Condition, first_day: int) -> Bools:
        """Tell for each row whether the condition holds, but for what it asks of the codes.

        `first_day` is the day as of which a claim without a date is judged.
        """
        holds = np.ones(self.rows, np.bool_)
        if condition.age_min is not None or condition.age_max is not None:
            holds &= self.age >= (condition.age_min or 0)
            if condition.age_max is not None:
                holds &= self.age <= condition.age_max
        if condition.sex is not None:
            holds &= self.sex.where(lambda sex: sex == condition.sex)
        if condition.settings:
            holds &= self.setting.where(lambda setting: setting in condition.settings)
        if condition.payers:
            holds &= self.payer.where(lambda payer: payer is not None and payer.casefold() in condition.payers)
        if condition.starts is not None or condition.ends is not None:
            day = np.where(self.service_day == NO_DAY, np.int32(first_day), self.service_day)
            if condition.starts is not None:
                holds &= day >= np.datetime64(condition.starts, "D").astype(np.int32)
            if condition.ends is not None:
                holds &= day <= np.datetime64(condition.ends, "D").astype(np.int32)
        if condition.documented_all:
            holds &= self.documented.where(lambda facts: set(condition.documented_all) <= (facts or set()))
        if condition.documented_any:
            holds &= self.documented.where(lambda facts: not (facts or set()).isdisjoint(condition.documented_any))
        if condition.documented_none:
            holds &= self.documented.where(lambda facts: (facts or set()).isdisjoint(condition.documented_none))
        return holds


def _payer(value: object) -> str | None:
    if not isinstance(value, str):
        raise InputError(f"payer is text, found {value!r}")
    return value.strip() or None


def _years_between(birth: NDArray[np.int32], seen: NDArray[np.int32]) -> NDArray[np.int32]:
    parts = []
    for days in (birth, seen):
        date = days.astype("M8[D]")
        month = date.astype("M8[M]")
        years = date.astype("M8[Y]").astype(np.int32)
        day_of_year = month.astype(np.int32) % 12 * 32 + (date - month.astype("M8[D]")).astype(np.int32)
        parts.append((years, day_of_year))
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
        return np.asarray(days.fill_null(int(NO_DAY)) if days.null_count else days, np.int32).copy()
    dates = _categories(column, rows, parse_date, bad)
    numbers = [NO_DAY if date is None else np.datetime64(date, "D").astype(np.int32) for date in dates.values]
    return np.array([*numbers, NO_DAY], np.int32)[dates.index]


def _ages(column: pa.Array | None, rows: int, bad: Bools) -> NDArray[np.int32]:
    if column is None or pa.types.is_null(column.type):
        return np.full(rows, _NO_AGE, np.int32)
    if pa.types.is_integer(column.type):
        known = np.asarray(column.is_valid())
        ages = np.asarray(column.fill_null(0) if column.null_count else column)
        bad |= known & ((ages < 0) | (ages > _OLDEST))
        return np.where(known & ~bad, ages, _NO_AGE).astype(np.int32)
    parsed = _categories(column, rows, parse_age, bad)
    return np.array([*(_NO_AGE if age is None else age for age in parsed.values), _NO_AGE], np.int32)[parsed.index]


def _categories(column: pa.Array | None, rows: int, parse: Callable[[Any], Any], bad: Bools) -> Categories:
    """Return a column parsed value by value; rows whose value the parser refuses become bad."""
    if column is None or pa.types.is_null(column.type):
        return Categories((), np.full(rows, -1, np.int32))
    if pa.types.is_nested(column.type):
        bad |= np.asarray(column.is_valid())
        return Categories((), np.full(rows, -1, np.int32))
    if not pa.types.is_dictionary(column.type):
        column = pc.dictionary_encode(column)
    index = np.asarray(column.indices.cast(pa.int32()).fill_null(-1), np.int32)
    values: list[Any] = []
    refused: list[int] = []
    for place, value in enumerate(column.dictionary.to_pylist()):
        try:
            values.append(None if value is None or value == "" else parse(value))
        except InputError:
            values.append(None)
            refused.append(place)
    if refused:
        bad |= np.isin(index, np.array(refused, np.int32))
    return Categories(values, index)


def _documented(column: pa.Array | None, rows: int, bad: Bools) -> Categories:
    if column is None or pa.types.is_null(column.type):
        return Categories((), np.full(rows, -1, np.int32))
    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return _categories(column, rows, _facts, bad)
    lengths = np.asarray(pc.list_value_length(column).fill_null(0))
    some = np.flatnonzero(lengths)
    index = np.full(rows, -1, np.int32)
    known: dict[frozenset[str], int] = {}
    for row, value in zip(some.tolist(), column.take(pa.array(some)).to_pylist(), strict=True):
        try:
            index[row] = known.setdefault(_facts(value), len(known))
        except InputError:
            bad[row] = True
    return Categories(list(known), index)


def _facts(value: Any) -> frozenset[str]:
    if not isinstance(value, str | list):
        raise InputError(f"documented is text, found {value!r}")
    return Claim(["A00.0"], documented=value).documented
