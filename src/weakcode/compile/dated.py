"""Edits that hold for a time: dates joined into conditions, and cases whose codes change from day to day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import reduce

import attrs

from weakcode.semantics.conditions import Condition
from weakcode.semantics.edits import Edit
from weakcode.semantics.verbs import FORMS

_DAY = timedelta(days=1)


def narrowed(condition: Condition | None, starts: date | None, ends: date | None) -> Condition | None:
    """Return a condition that also asks for a service date from `starts` to `ends`."""
    if starts is None and ends is None:
        return condition
    condition = condition or Condition()
    starts = max((day for day in (condition.starts, starts) if day), default=None)
    ends = min((day for day in (condition.ends, ends) if day), default=None)
    return attrs.evolve(condition, starts=starts, ends=ends)


def by_time(edits: Sequence[tuple[date, Edit]]) -> Iterator[Edit]:
    """Yield edits that say the same as these together, each of which holds from its day to that of the next.

    The first holds for all days before as well. Subjects that are the same all the time are asked without a date.
    """
    times = [_Time(None if number == 0 else day, None, edit) for number, (day, edit) in enumerate(edits)]
    joined = [times[0]]
    for one in times[1:]:
        if one.edit == joined[-1].edit:
            continue
        assert one.starts is not None
        joined[-1] = attrs.evolve(joined[-1], ends=one.starts - _DAY)
        joined.append(one)
    joined = [one for one in joined if one.is_asked]
    if len(joined) == 1:
        # No other time is ever asked for, so its dates narrow nothing that the condition does not.
        yield joined[0].edit
        return
    first = joined[0].edit
    alike = {attrs.evolve(one.edit, subject=first.subject) for one in joined} == {first}
    form = FORMS[first.verb]
    if alike and form.has_subject and not form.counts_subjects:
        always = reduce(lambda codes, one: codes & one.edit.subject, joined[1:], first.subject)
        if always:
            yield attrs.evolve(first, subject=always)
        joined = [attrs.evolve(one, edit=attrs.evolve(one.edit, subject=one.edit.subject - always)) for one in joined]
        joined = [one for one in joined if one.edit.subject]
    for one in joined:
        yield attrs.evolve(one.edit, condition=narrowed(one.edit.condition, one.starts, one.ends))


@attrs.frozen
class _Time:
    """An edit and the days on which it holds; None where there is no end."""

    starts: date | None
    ends: date | None
    edit: Edit

    @property
    def is_asked(self) -> bool:
        """Whether the edit's own condition leaves any of these days."""
        asked = self.edit.condition or Condition()
        if self.ends is not None and asked.starts is not None and asked.starts > self.ends:
            return False
        return self.starts is None or asked.ends is None or asked.ends >= self.starts
