"""What a claim says beside its codes: each field declared once, with how it is read and written, and the option for it.

Columns of a code list, keys of JSON Lines, names of --map, options of the command line, types of Arrow columns and the
columns of written claims follow from here. A new field is one entry of `FIELDS` and an attribute of `Claim`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, Literal, cast

import attrs

from weakcode.errors import InputError, did_you_mean

Sex = Literal["F", "M"]
Setting = Literal["professional", "outpatient", "inpatient"]

SETTINGS: tuple[Setting, ...] = ("professional", "outpatient", "inpatient")
_SEXES: dict[str, Sex | None] = {
    "F": "F", "FEMALE": "F", "M": "M", "MALE": "M", "": None, "U": None, "UNKNOWN": None,
}  # fmt: skip
_OLDEST = 150


def parse_date(value: object, what: str = "date") -> dt.date | None:
    """Return a date from a `date`, a `datetime` or text as `YYYY-MM-DD` or `YYYYMMDD`; None and blank text give None.

    Raises InputError when it is none of these or not a date.
    """
    if value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if len(text) in (8, 10) and text.isascii():
            try:
                return dt.date.fromisoformat(text)
            except ValueError:
                pass
    raise InputError.about(f"the {what} {{value}} is not a date; write it as YYYY-MM-DD", value)


def parse_age(value: object) -> int | None:
    """Return an age in whole years, 0 to 150, from a number or text; None and blank text give None."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        age = int(cast(Any, value))
        whole = not isinstance(value, bool) and float(cast(Any, value)) == age
    except (TypeError, ValueError, OverflowError):
        whole = False
        age = -1
    if not whole or not 0 <= age <= _OLDEST:
        raise InputError.about(f"the age {{value}} is not a whole number of years from 0 to {_OLDEST}", value)
    return age


def parse_sex(value: object) -> Sex | None:
    """Return "F", "M" or None from the usual spellings, in any case; "U" and blank text are not known: None."""
    if value is None:
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
    """Return text without blanks around it, None for None and blank text; `wrong` says what else is not."""
    if value is None:
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


@attrs.frozen
class Field:
    """A claim field. `parse` takes what a caller or a file gives and raises InputError for what cannot be.

    `arrow` is the name of its Arrow type, of the items where it `is_list`. `metavar` and `help` are those of its
    option; `short` is what the option and --map call it, where that is not its name.
    """

    name: str
    parse: Callable[[Any], Any]
    arrow: str
    metavar: str
    help: str
    is_list: bool = False
    short: str = ""

    @property
    def option(self) -> str:
        """The option of the command line: `--birth-date`."""
        return f"--{(self.short or self.name).replace('_', '-')}"


FIELDS = (
    Field("service_date", parse_service_date, "date32", "YYYY-MM-DD", "The service date.", short="date"),
    Field("age", parse_age, "int32", "N", "The patient's age in years."),
    Field("birth_date", parse_birth_date, "date32", "YYYY-MM-DD", "The patient's birth date, instead of an age."),
    Field("sex", parse_sex, "string", "F|M", "The patient's sex."),
    Field("setting", parse_setting, "string", "S", "professional, outpatient or inpatient."),
    Field("payer", parse_payer, "string", "P", "The payer's name, for rules and profiles that depend on it."),
    Field("documented", parse_facts, "string", "FACT", "A documented fact; may be given several times.", is_list=True),
)
"""In the order in which they are written."""
ABOUT_THE_CLAIM = tuple(field.name for field in FIELDS)
"""The optional columns of a code list, beside `claim_id` and `codes`."""
LINES = "lines"
"""The optional column of service lines, where the format has lists."""
BY_NAME = {field.name: field for field in FIELDS}
