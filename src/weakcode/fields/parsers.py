"""Values of the fields of a claim: from what callers and files give, and to what JSON has."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal, cast

from weakcode.base.ages import years_in
from weakcode.base.dates import date_in
from weakcode.errors import InputError, did_you_mean

Sex = Literal["F", "M"]
Setting = Literal["professional", "outpatient", "inpatient"]

SETTINGS: tuple[Setting, ...] = ("professional", "outpatient", "inpatient")
_SEXES: dict[str, Sex | None] = {
    "F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "": None, "U": None, "UNKNOWN": None,
}  # fmt: skip
NO_REFERENCE = "MISSING"
"""The original reference of a claim whose source has a place for one and leaves it blank."""
_REPLACING = ("6", "7", "8")
"""Frequency codes of claims that correct, replace or void one that the payer has."""
_OLDEST = 150
_PARTS = re.compile(r"[\s,;:|]+")
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)")


def is_missing(value: object) -> bool:
    """Tell whether a value stands for none: None, and what pandas and numpy have for it (NaN, NaT, NA)."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return isinstance(value, float | dt.datetime) and bool(value != value)


def parse_date(value: object, what: str = "date") -> dt.date | None:
    """Return a date from a `date`, a `datetime`, a `numpy.datetime64` or text; what is missing or blank gives None.

    Text is in a form that can be read in one way only, as `dates.date_in` reads them: ISO, with a time or without,
    `20260502`, `02MAY2026`. Raises InputError when it is none of these or not a date.
    """
    if type(value).__name__ == "datetime64":
        # Not by item(), which gives a number where it counts nanoseconds.
        value = cast(Any, value).astype("datetime64[D]").item()
    if is_missing(value):
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if (found := date_in(text)) is not None:
            return found
    raise InputError.about(f"the {what} {{value}} is not a date; write it as YYYY-MM-DD", value)


def parse_age(value: object) -> int | None:
    """Return an age in whole years, 0 to 150, from a number or text; what is missing or blank gives None.

    Text may name its unit (`6 mo`, `78 years`), of which whole years count, or an age from which on (`90+`, `>89`).
    """
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    try:
        number = years_in(value) if isinstance(value, str) else value
        age = int(cast(Any, number))
        whole = not isinstance(value, bool) and float(cast(Any, number)) == age
    except (TypeError, ValueError, OverflowError):
        whole = False
        age = -1
    if not whole or not 0 <= age <= _OLDEST:
        raise InputError.about(f"the age {{value}} is not a whole number of years from 0 to {_OLDEST}", value)
    return age


def parse_sex(value: object) -> Sex | None:
    """Return "F", "M" or None from the usual spellings, in any case; "U" and blank text are not known: None."""
    if is_missing(value):
        return None
    if isinstance(value, str) and value.strip().upper() in _SEXES:
        return _SEXES[value.strip().upper()]
    raise InputError.about('the sex {value} is not known; write "F" or "M", or leave it out', value)


def parse_setting(value: object) -> Setting | None:
    """Return "professional", "outpatient", "inpatient" or None."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and value.strip().lower() in SETTINGS:
        return cast(Setting, value.strip().lower())
    hint = did_you_mean(str(value).lower(), SETTINGS)
    raise InputError.about(f"the setting {{value}} is not one of {', '.join(SETTINGS)}{hint}", value)


def parse_text(value: object, wrong: str = "expected text, found {value}") -> str | None:
    """Return text without blanks around it, None for what is missing and blank text; `wrong` says what else is not."""
    if is_missing(value):
        return None
    if not isinstance(value, str):
        raise InputError.about(wrong, value)
    return value.strip() or None


def parse_facts(value: Iterable[str] | str | None) -> frozenset[str]:
    """Return names of documented facts from a list of them, or from text parted by blanks, commas or semicolons."""
    if value is None:
        return frozenset()
    if isinstance(value, str):
        value = value.replace(";", " ").replace(",", " ").split()
    if not isinstance(value, Iterable):
        raise InputError.about("documented is text, found {value}", value)
    facts = list(value)
    for fact in facts:
        if not isinstance(fact, str):
            raise InputError.about("a documented fact is a name, found {value}", fact)
    return frozenset(fact.strip().lower() for fact in facts if fact.strip())


def parse_service_date(value: object) -> dt.date | None:
    """Return the service date; see `parse_date`."""
    return parse_date(value, "service date")


def parse_birth_date(value: object) -> dt.date | None:
    """Return the birth date; see `parse_date`."""
    return parse_date(value, "birth date")


def parse_payer(value: object) -> str | None:
    """Return the payer's name; see `parse_text`."""
    return parse_text(value, "payer is text, found {value}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _parse_word(value: object, what: str) -> str | None:
    """Return a code or an id as text in upper case; tables also have them as whole numbers. Blank and NaN give None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return value.strip().upper() or None
    if _is_number(value) and value == (whole := int(cast(Any, value))):
        return str(whole)
    raise InputError.about(f"the {what} {{value}} is neither text nor a whole number", value)


def _parse_words(value: object, what: str) -> tuple[str, ...]:
    """Return codes or ids in their order, from a list of them or from text parted by blanks or `,;:|`."""
    if value is None or isinstance(value, str):
        value = _PARTS.split(value or "")
    if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
        value = [value]
    return tuple(word for one in value if (word := _parse_word(one, what)))


def _parse_number(value: object, what: str) -> float | None:
    """Return a number from a number or from text such as `125.50`; None, NaN and blank text give None."""
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else value.strip() or None
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not _is_number(value) or not math.isfinite(number := float(cast(Any, value))):
        raise InputError.about(f"the {what} {{value}} is not a number; write it as 125.50", value)
    return number


def parse_payer_ids(value: Iterable[object] | object) -> tuple[str, ...]:
    """Return the payer's ids in upper case, each once, from a list or from text parted by blanks or `,;:|`."""
    return tuple(dict.fromkeys(_parse_words(value, "payer id")))


def parse_plan(value: object) -> str | None:
    """Return the type of plan in upper case, such as the claim filing indicator `MB`."""
    return _parse_word(value, "plan")


def parse_bill_type(value: object) -> str | None:
    """Return the type of bill without its leading zero: `131` for `0131`."""
    word = _parse_word(value, "type of bill")
    return word[1:] if word and len(word) == 4 and word[0] == "0" else word


def parse_frequency(value: object) -> str | None:
    """Return the claim frequency code: `1` original, `7` replacement, `8` void."""
    return _parse_word(value, "frequency")


def parse_original_reference(value: object) -> str | None:
    """Return the payer's number of the claim that this one replaces or voids; `NO_REFERENCE` where it names none."""
    return _parse_word(value, "original reference")


def reference_of(frequency: str | None, number: str | None) -> str | None:
    """Return the original reference of a claim whose source has a place for one, which originals leave blank."""
    return number or (NO_REFERENCE if frequency in _REPLACING else None)


def parse_principals(value: object) -> int | None:
    """Return how many diagnoses a claim names as the principal one, a whole number from 0."""
    if is_missing(value) or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and value.strip().isdecimal() and value.isascii():
        value = int(value.strip()[:9])
    if isinstance(value, bool) or not _is_number(value) or cast(Any, value) < 0 or cast(Any, value) % 1:
        raise InputError.about("the number of principal diagnoses {value} is not a whole number from 0", value)
    return int(cast(Any, value))


def parse_place(value: object) -> str | None:
    """Return the place of service with two digits: `02` for 2."""
    word = _parse_word(value, "place of service")
    return word.zfill(2) if word and word.isdecimal() else word


def parse_provider(value: object) -> str | None:
    """Return the billing provider's NPI, or what stands for it."""
    return _parse_word(value, "provider")


def parse_taxonomy(value: object) -> str | None:
    """Return the billing provider's taxonomy code in upper case, such as `207Q00000X`."""
    return _parse_word(value, "taxonomy")


def parse_rendering_provider(value: object) -> str | None:
    """Return the rendering provider's NPI, or what stands for it."""
    return _parse_word(value, "rendering provider")


def parse_rendering_taxonomy(value: object) -> str | None:
    """Return the rendering provider's taxonomy code in upper case, such as `225100000X`."""
    return _parse_word(value, "taxonomy of the rendering provider")


def parse_pcs(value: Iterable[object] | object) -> tuple[str, ...]:
    """Return ICD-10-PCS procedures in upper case and in order, from a list or from text such as `0SRC0J9 5A1935Z`.

    What is no such code is kept: the grouper is asked for each.
    """
    return _parse_words(value, "ICD-10-PCS procedure")


def parse_discharge(value: object) -> str | None:
    """Return the discharge status with two digits: `01`, to home, for 1."""
    word = _parse_word(value, "discharge status")
    return word.zfill(2) if word and word.isdecimal() else word


def parse_state(value: object) -> str | None:
    """Return the state in which the service was given, its two letters in upper case."""
    return _parse_word(value, "state")


def parse_line_number(value: object) -> int:
    """Return the number of a service line, a whole number."""
    if type(value) is not int:
        raise InputError.about("the number of a service line is a whole number, found {value}", value)
    return value


def parse_pointers(value: Iterable[object]) -> tuple[int, ...]:
    """Return the pointers of a service line: positions of diagnoses from 1, of which the claim may have fewer."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InputError.about("pointers is a list of positions of diagnoses, found {value}", value)
    pointers = tuple(value)
    for pointer in pointers:
        if type(pointer) is not int or pointer < 1:
            raise InputError.about(
                "the pointer {value} is not the position of a diagnosis, a whole number from 1", pointer
            )
    return cast(tuple[int, ...], pointers)


def parse_procedure(value: object) -> str | None:
    """Return the procedure (CPT or HCPCS) in upper case."""
    return _parse_word(value, "procedure")


def parse_modifiers(value: Iterable[object] | object) -> tuple[str, ...]:
    """Return the procedure's modifiers in upper case and in their order, from a list or from text such as `25 59`."""
    return _parse_words(value, "modifier")


def parse_units(value: object) -> float | None:
    """Return the units of service, a number."""
    return _parse_number(value, "units")


def parse_charge(value: object) -> float | None:
    """Return the charge of a line in dollars, a number."""
    return _parse_number(value, "charge")


def parse_revenue(value: object) -> str | None:
    """Return the revenue code with four digits: `0450` for `450`."""
    word = _parse_word(value, "revenue code")
    return word.zfill(4) if word and word.isdecimal() else word


def parse_start(value: object) -> dt.date | None:
    """Return the first day of a line; see `parse_date`."""
    return parse_date(value, "start of a service line")


def parse_end(value: object) -> dt.date | None:
    """Return the last day of a line; see `parse_date`."""
    return parse_date(value, "end of a service line")


def parse_main_only(value: object) -> bool:
    """Return whether a line has its main pointer only."""
    if not isinstance(value, bool):
        raise InputError.about("main_only of a service line is true or false, found {value}", value)
    return value


def plain_value(value: Any) -> Any:
    """Return the value of a field as JSON has it, None for what is not known: text, a number, a list of text."""
    if isinstance(value, frozenset):
        value = sorted(value)
    if isinstance(value, tuple | list):
        return list(value) or None
    if isinstance(value, dt.date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value
