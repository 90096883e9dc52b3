"""What is wrong in what a rule says of service lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from weakcode.base.patterns import is_backwards
from weakcode.errors import Problem
from weakcode.rules.lines.model import ABOUT_POINTERS, LINE_KEYS, SET_KEYS, DateRange, LineTest, NumberRange, Pointed
from weakcode.rules.yamlmarks import Marked, Path


def wrong_pointed(
    marked: Marked, pointed: Pointed | None, verbs: Sequence[str], subject: str | None, path: Path
) -> Iterator[Problem]:
    """Yield what does not go with `pointed`, which stands at a path: other keys of its own, verbs, the subject."""
    if pointed is None:
        return
    sets = [key for key in SET_KEYS if getattr(pointed, key)]
    if pointed.how is None and not pointed.asks_line and not sets:
        message = f'"pointed" says nothing; give how, {", ".join((*LINE_KEYS, *SET_KEYS[:-1]))} or {SET_KEYS[-1]}'
        yield marked.problem(path, message, key=True)
    elif pointed.how in ABOUT_POINTERS and (verbs or subject is not None):
        message = f'"{pointed.how}" is about the pointers alone; give the rule no subject and no other verb'
        yield marked.problem(path, message, key=True)
    elif pointed.how in (*ABOUT_POINTERS, "never") and (pointed.asks_line or sets):
        message = f'"{pointed.how}" is about all service lines; leave out what a line must have'
        yield marked.problem(path, message, key=True)
    elif sets and (len(sets) > 1 or verbs or subject is not None or pointed.how is not None):
        message = f'"{sets[0]}" says what diagnoses of a line must be; give no other of {", ".join(SET_KEYS)} with it'
        yield marked.problem((*path, sets[0]), f"{message}, no how, no subject and no other verb", key=True)
    elif subject is None and not sets and pointed.how not in ABOUT_POINTERS:
        named = f'"{pointed.how}"' if pointed.how else '"pointed"'
        message = f"{named} needs a subject: the codes that service lines point to"
        yield marked.problem(path, f"{message}{'' if pointed.how else ', or every, any or none'}", key=True)


def wrong_line(marked: Marked, line: LineTest | Pointed | None, path: Path) -> Iterator[Problem]:
    """Yield what is wrong in the values that a service line must have."""
    for key in LINE_KEYS if line is not None else ():
        value = getattr(line, key)
        if isinstance(value, tuple):
            yield from wrong_ranges(marked, value, (*path, key))
        elif isinstance(value, DateRange):
            yield from wrong_dates(marked, value, (*path, key))
        else:
            yield from wrong_numbers(marked, value, (*path, key))


def wrong_dates(marked: Marked, dates: DateRange | None, path: Path) -> Iterator[Problem]:
    """Yield what is wrong in a range of dates, which stands at a path."""
    if dates is not None and dates.from_ and dates.to and dates.from_ > dates.to:
        yield marked.problem((*path, "from"), f"no date is from {dates.from_} and to {dates.to}; exchange them")


def wrong_numbers(marked: Marked, value: NumberRange | None, path: Path) -> Iterator[Problem]:
    """Yield what is wrong in a range of numbers, which stands at a path."""
    if value is not None and value.min is None and value.max is None:
        yield marked.problem(path, f'"{path[-1]}" says nothing; give min, max or both', key=True)
    elif value is not None and value.min is not None and value.max is not None and value.min > value.max:
        message = f"no number is at least {value.min} and at most {value.max}; exchange them"
        yield marked.problem((*path, "min"), message)


def wrong_ranges(marked: Marked, values: Sequence[str], path: Path) -> Iterator[Problem]:
    """Yield the ranges of a list whose ends are not as long as each other, or exchanged."""
    for index, value in enumerate(values):
        if is_backwards(value):
            message = f'"{value}" is no range: its ends are as long as each other, the lower one first'
            yield marked.problem((*path, index), message)
