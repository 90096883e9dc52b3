"""Dates as files and systems write them, in forms that leave no choice: which part is the day is never guessed here."""

from __future__ import annotations

import datetime as dt
import re

TIME = (
    r"(?:[T ,:]+\d{1,2}(?::\d{1,2}){0,2}(?:[.,]\d+)?(?:\s*[AaPp]\.?[Mm]\.?)?"
    r"(?:\s*(?:Z|[A-Z]{3,4}|[+-]\d\d:?\d{0,2}))?)?"
)
"""A time of day behind a date, with its zone: the date counts as it is written."""
_MONTH = r"([A-Za-z]{3,9})\.?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){TIME}", re.ASCII)
_EIGHT_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(?:\.0+)?(?:T\d.*|\d{6})?", re.ASCII)
_DAY_FIRST = re.compile(rf"(\d{{1,2}})[-/. ]?{_MONTH}[-/., ]*(\d{{4}}){TIME}", re.ASCII)
_MONTH_FIRST = re.compile(rf"{_MONTH}[- ]*(\d{{1,2}})(?:st|nd|rd|th)?[-, ]+(\d{{4}}){TIME}", re.ASCII)
_WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.?[, ]+")
_EARLIEST = 1850
"""Eight digits that begin with an earlier year are not a year, a month and a day."""


def date_in(text: str) -> dt.date | None:
    """Return the date of text in a form that can be read in one way only, None for any other text.

    These are ISO dates, with a time and zone or without; `20260502`, `2026/5/2`, `02MAY2026`, `2-May-2026` and
    `May 2, 2026`. What only looks like a date (`2026-02-30`) is none.
    """
    if len(text) == 10:
        try:
            return dt.date.fromisoformat(text)
        except ValueError:
            pass
    text = _WEEKDAY.sub("", text)
    if match := _YEAR_FIRST.fullmatch(text):
        return day_of(match[1], match[3], match[4])
    if (match := _EIGHT_DIGITS.fullmatch(text)) and int(match[1]) >= _EARLIEST:
        return day_of(match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return day_of(match[3], match[2], match[1])
    if match := _MONTH_FIRST.fullmatch(text):
        return day_of(match[3], match[1], match[2])
    return None


def day_of(year: str, month: str, day: str) -> dt.date | None:
    """Return the date of a year, a month (as a number or by its English name) and a day, None where there is none."""
    number = month_of(month) if month[0].isalpha() else int(month)
    try:
        return dt.date(int(year), number, int(day))
    except ValueError:
        return None


def month_of(name: str) -> int:
    """Return the number of a month by its English name or the first letters of it, 0 for any other word."""
    for number, month in enumerate(_NAMES, start=1):
        if month.startswith(name.lower()) or (name.lower() == "sept" and number == 9):
            return number
    return 0


_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
