"""How the dates of a column are written, where a date alone does not tell: which part is the day, from when days count.

Decided once for a column, from the values at the start of its file, or given by the user.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import attrs

from weakcode.base import clock
from weakcode.base.dates import TIME, date_in, day_of
from weakcode.errors import InputError

GUESSED = "guessed"
"""What a date is counted as whose form no value of the sample settled."""
SHORT_YEAR = "two-digit year"
_PARTS = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}|\d\d){TIME}", re.ASCII)
_PACKED = re.compile(r"(\d\d)(\d\d)(\d{4})", re.ASCII)
_SHORT = re.compile(rf"(\d{{1,2}})[- ]?([A-Za-z]{{3,9}})[- ]?(\d\d){TIME}", re.ASCII)
_NUMBER = re.compile(r"(-?\d{1,5})(?:\.\d+)?", re.ASCII)
_EPOCHS = {"excel": dt.date(1899, 12, 30), "sas": dt.date(1960, 1, 1)}
# Days from 2000 to 2050 as each counts them; the two spans have nothing in common.
_SPANS = {"excel": (36_526, 55_153), "sas": (14_610, 32_873)}
_BEYOND_SAS = 33_238
"""A birth date as SAS counts days comes before 2051."""
_WORDS = {"mdy": "month/day/year", "dmy": "day/month/year", "excel": "days as Excel counts them", "sas": "days of SAS"}
_TOKENS = {"YYYY": "%Y", "YY": "%y", "MMM": "%b", "MON": "%b", "MM": "%m", "DD": "%d", "M": "%m", "D": "%d"}
_TOKEN = re.compile("|".join(_TOKENS), re.IGNORECASE)


@attrs.frozen
class DateForm:
    """The form of a column's dates: `mdy` or `dmy`, `excel` or `sas` for numbers of days, or a `pattern` of strptime.

    `guessed` where no value of the sample settled which of month and day comes first, `of_birth` where dates lie in the
    past.
    """

    order: str = "mdy"
    serial: str | None = None
    guessed: bool = False
    of_birth: bool = False
    pattern: str | None = None

    def read(self, text: str) -> tuple[str, str | None]:
        """Return the ISO form of a date whose own form leaves a choice, with what was guessed; other text as it is."""
        if self.pattern is not None:
            found = self._by_pattern(text)
            if found is not None:
                return found.isoformat(), None
        if date_in(text) is not None:
            return text, None
        if match := _PARTS.fullmatch(text):
            return self._ordered(text, match[1], match[3], match[4])
        if match := _PACKED.fullmatch(text):
            return self._ordered(text, match[1], match[2], match[3])
        if match := _SHORT.fullmatch(text):
            found = day_of(str(self._century(int(match[3]))), match[2], match[1])
            return (text, None) if found is None else (found.isoformat(), SHORT_YEAR)
        if self.serial and (match := _NUMBER.fullmatch(text)):
            days = _EPOCHS[self.serial] + dt.timedelta(int(match[1]))
            return days.isoformat(), GUESSED if self.guessed else None
        return text, None

    def in_words(self) -> str:
        """Return the form for a note."""
        return _WORDS[self.serial or self.order] if self.pattern is None else self.pattern

    def _ordered(self, text: str, first: str, second: str, year: str) -> tuple[str, str | None]:
        month, day = (second, first) if self.order == "dmy" else (first, second)
        short = len(year) == 2
        found = day_of(str(self._century(int(year))) if short else year, month, day)
        if found is None:
            return text, None
        return found.isoformat(), GUESSED if self.guessed else SHORT_YEAR if short else None

    def _century(self, year: int) -> int:
        """Return the year of two digits: of a birth the last one that is past."""
        if year >= 100:
            return year
        this = clock.today().year
        return 1900 + year if (self.of_birth and 2000 + year > this) or year >= 80 else 2000 + year

    def _by_pattern(self, text: str) -> dt.date | None:
        assert self.pattern is not None
        for pattern in (self.pattern, f"{self.pattern} %H:%M:%S", f"{self.pattern} %H:%M"):
            try:
                found = dt.datetime.strptime(text, pattern).date()
            except ValueError:
                continue
            return found.replace(year=self._century(found.year % 100)) if "%y" in self.pattern else found
        return None


def given_form(text: str, *, of_birth: bool = False) -> DateForm:
    """Return the form that a user gives: `MM/DD/YYYY`, a pattern of strptime, `excel` or `sas`; raises InputError."""
    if text.lower() in _EPOCHS:
        return DateForm(serial=text.lower(), of_birth=of_birth)
    if text.lower() in ("mdy", "dmy"):
        return DateForm(order=text.lower(), of_birth=of_birth)
    pattern = text if "%" in text else _TOKEN.sub(lambda match: _TOKENS[match[0].upper()], text)
    try:
        day = dt.date(2026, 11, 28)
        is_whole = dt.datetime.strptime(day.strftime(pattern), pattern).date() == day
    except ValueError:
        is_whole = False
    if not is_whole:
        raise InputError(
            f"--date-format {text!r} is no form of a date with its year, month and day; give one such as MM/DD/YYYY, "
            "%d.%m.%Y, excel or sas"
        )
    return DateForm(pattern=pattern, of_birth=of_birth)


def form_of(values: Sequence[str], *, of_birth: bool = False) -> DateForm:
    """Return the form of a column's dates from some of its values."""
    parts = [match for value in values if (match := _PARTS.fullmatch(value) or _PACKED.fullmatch(value))]
    firsts = [int(match[1]) for match in parts]
    seconds = [int(match[3] if match.re is _PARTS else match[2]) for match in parts]
    day_first, month_first = any(one > 12 for one in firsts), any(one > 12 for one in seconds)
    # Between dots the day comes first, wherever dates are so written.
    dotted = bool(parts) and all(match[2] == "." for match in parts)
    order = "dmy" if (day_first or dotted) and not month_first else "mdy"
    return DateForm(order, _serial(values, of_birth), guessed=not (day_first or month_first), of_birth=of_birth)


def _serial(values: Sequence[str], of_birth: bool) -> str | None:
    """Return what counts the days, where all values that are numbers of days can be counted in one way only."""
    days = [int(match[1]) for value in values if (match := _NUMBER.fullmatch(value))]
    if not days:
        return None
    if of_birth:
        if min(days) < 0 and max(days) < _BEYOND_SAS:
            return "sas"
        return "excel" if min(days) >= 0 and max(days) > _BEYOND_SAS else None
    return next((name for name, (low, high) in _SPANS.items() if all(low <= one <= high for one in days)), None)
