"""Age limits that changed over the years: a case that names them becomes one case for each limit and period."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import attrs

from weakcode.rules.lines.model import DateRange
from weakcode.rules.model import AgeRange, Case, DatedAges, Pack


def dated_cases(case: Case, pack: Pack) -> Iterator[Case]:
    """Yield the case as it stands, or, where it asks for an age outside of named ages, a case for each of their ends.

    Each is limited to the service dates of its ages; `{ages}` in its message are these ages.
    """
    if case.when is None or case.when.age is None or case.when.age.outside is None:
        yield case
        return
    for ages, dates in periods(pack.ages[case.when.age.outside]):
        message = case.message and case.message.replace("{ages}", in_words(ages))
        below = AgeRange(max=ages.min - 1) if ages.min else None
        above = AgeRange(min=ages.max + 1) if ages.max is not None else None
        for outside in filter(None, (below, above)):
            when = attrs.evolve(case.when, age=outside, service_date=_within(case.when.service_date, dates))
            yield attrs.evolve(case, when=when, message=message)


def periods(dated: tuple[DatedAges, ...]) -> Iterator[tuple[DatedAges, DateRange]]:
    """Yield each of the ages with the service dates on which they hold, both ends included."""
    for ages, following in zip(dated, (*dated[1:], None), strict=True):
        last = following.from_ - timedelta(days=1) if following is not None and following.from_ else None
        yield ages, DateRange(from_=ages.from_, to=last)


def in_words(ages: DatedAges) -> str:
    """Return ages as text: `9 to 64`, `0`, `from 15`, `up to 17`."""
    if ages.min == ages.max:
        return str(ages.min)
    if ages.max is None:
        return f"from {ages.min}"
    return f"up to {ages.max}" if ages.min is None else f"{ages.min} to {ages.max}"


def _within(asked: DateRange | None, dates: DateRange) -> DateRange | None:
    starts: list[date] = [one for one in (asked and asked.from_, dates.from_) if one]
    ends: list[date] = [one for one in (asked and asked.to, dates.to) if one]
    return DateRange(from_=max(starts, default=None), to=min(ends, default=None)) if starts or ends else None
