"""What edits ask of a claim beside its codes, as one number with a bit for each test.

A condition is a conjunction over the parts of a claim, so each distinct value of a part is put to the tests once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import attrs

from weakcode.compile.conditions import JudgedClaim, holds
from weakcode.compile.edits import Condition

_MOST_REMEMBERED = 10_000
_PARTS: tuple[tuple[tuple[str, ...], Callable[[JudgedClaim], Any]], ...] = (
    (("age_min", "age_max"), attrgetter("claim.age_in_years")),
    (("sex",), attrgetter("claim.sex")),
    (("settings",), attrgetter("claim.setting")),
    (("payers",), attrgetter("claim.payer")),
    (("starts", "ends"), attrgetter("date")),
    (("documented_all", "documented_any", "documented_none"), attrgetter("claim.documented")),
    (("pointer_off_claim",), attrgetter("off_claim")),
)


@attrs.frozen(eq=False)
class ClaimTest:
    """What some edits ask of a claim beside its codes; `spoken` where they also need documented text."""

    condition: Condition
    spoken: bool = False


@attrs.frozen(eq=False)
class _Part:
    """One part of a claim, the tests that look at it by bit, and the bits that hold for values met before."""

    value: Callable[[JudgedClaim], Any]
    asked: tuple[tuple[int, Condition], ...]
    others: int
    known: dict[Any, int] = attrs.field(factory=dict)

    def learn(self, value: Any, judged: JudgedClaim) -> int:
        """Return the bits for a value that was not met before."""
        found = self.others | sum(1 << bit for bit, condition in self.asked if holds(condition, judged))
        if len(self.known) >= _MOST_REMEMBERED:
            self.known.clear()
        self.known[value] = found
        return found


class ClaimBits:
    """Tells for a claim which of the tests hold: bit n + 1 of a number stands for test n, bit 0 is always set."""

    def __init__(self, tests: Sequence[ClaimTest]) -> None:
        self._all = (1 << (len(tests) + 1)) - 1
        spoken = sum(1 << bit for bit, test in enumerate(tests, start=1) if test.spoken)
        self._silent = self._all & ~spoken
        self._parts: list[_Part] = []
        nothing = Condition()
        for names, value in _PARTS:
            asked = [
                (bit, attrs.evolve(nothing, **{name: getattr(test.condition, name) for name in names}))
                for bit, test in enumerate(tests, start=1)
            ]
            asked = [(bit, condition) for bit, condition in asked if condition != nothing]
            if asked:
                self._parts.append(_Part(value, tuple(asked), self._all & ~sum(1 << bit for bit, _ in asked)))

    def of(self, judged: JudgedClaim) -> int:
        """Return the bits of a claim."""
        bits = self._all if judged.is_spoken else self._silent
        for part in self._parts:
            value = part.value(judged)
            found = part.known.get(value)
            bits &= part.learn(value, judged) if found is None else found
        return bits
