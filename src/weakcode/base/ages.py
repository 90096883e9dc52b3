"""Ages as people write them, in completed years."""

from __future__ import annotations

import re

_AGE = re.compile(r"(\d{1,5})(?:\.0*)?\s*([a-z][a-z/. -]*)?", re.ASCII)
_FROM_AGE = re.compile(r"(\d{1,3})\s*(?:\+|(?:years?\s+)?(?:and|or)\s+(?:over|older|above))", re.ASCII)
_YEARS_AND = re.compile(r"(\d{1,3})\s*y[a-z]*\.?[\s,]*\d{1,2}\s*(?:m|w|d)[a-z]*\.?", re.ASCII)
"""Years and months, weeks or days: `78y 3m`."""
_ABOVE_AGE = re.compile(r">\s*(=?)\s*(\d{1,3})", re.ASCII)
_BELOW_ONE = re.compile(r"(?:<|under|below|less than)\s*1\s*(?:y|yrs?|years?)?", re.ASCII)
# How many of a unit make a year.
_A_YEAR = {
    **dict.fromkeys(("y", "yr", "yrs", "year", "years", "yo", "y/o", "y.o.", "years old", "year old"), 1),
    **dict.fromkeys(("m", "mo", "mos", "mth", "mths", "mon", "month", "months", "months old"), 12),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 52),
    **dict.fromkeys(("d", "day", "days", "days old"), 365),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 8_766),
}


def years_in(text: str) -> object:
    """Return the years that an age in words says: `6 mo`, `78y 3m`, `90+`, `<1`; text of another form as it is."""
    text = text.strip().lower()
    if (match := _AGE.fullmatch(text)) and not _FROM_AGE.fullmatch(text):
        unit = (match[2] or "y").strip().rstrip(".")
        return int(match[1]) // _A_YEAR[unit] if unit in _A_YEAR else text
    if match := _FROM_AGE.fullmatch(text) or _YEARS_AND.fullmatch(text):
        return int(match[1])
    if _BELOW_ONE.fullmatch(text):
        return 0
    if match := _ABOVE_AGE.fullmatch(text):
        return int(match[2]) + (not match[1])
    return text
