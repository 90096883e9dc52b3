"""The parts of a claim that conditions ask for: what each is, how it is asked, met and worded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.edition import Edition
from weakcode.semantics.judged import JudgedClaim

if TYPE_CHECKING:
    from weakcode.rules.model import Case, Rule, When
    from weakcode.semantics.conditions import Condition


def says(value: object) -> bool:
    """Tell whether a field of a condition asks for anything. Zero does."""
    return value is not None and value is not False and value != ()


def _same(value: Any) -> Any:
    return value


@attrs.frozen
class ClaimPart:
    """One part of a claim beside its codes.

    `fields` are those of `Condition` that ask for it. `asked` gives them from the `when` of a rule's case, `value` is
    the part of a claim, `met` tells whether a value meets a condition, `unmet` says in sentences without a full stop
    why a claim does not. `need` is what a claim lacks that does not say it, one of `NEEDS`, empty where silence is an
    answer, and `needing` are those of the `fields` that ask for what it lacks then, all of them by default.
    `own_value` is what the claim itself says, None for nothing; without it, `value` is. `column` is the column of a
    batch that has it, by default that of its name, and `of_column` returns its value from one there, None where the
    claim does not say.
    """

    name: str
    fields: tuple[str, ...]
    asked: Callable[[When, Case, Rule], dict[str, Any]]
    value: Callable[[JudgedClaim], Any]
    met: Callable[[Condition, Any], bool]
    unmet: Callable[[Condition, JudgedClaim], Iterable[str]]
    need: str = ""
    _own_value: Callable[[JudgedClaim], Any] | None = None
    column: str = attrs.Factory(lambda self: self.name, takes_self=True)
    of_column: Callable[[Any], Any] = _same
    needing: tuple[str, ...] = attrs.Factory(lambda self: self.fields if self.need else (), takes_self=True)

    def value_in(self, judged: JudgedClaim) -> Any:
        """Return what a claim itself says of this part, None where it says nothing."""
        return (self._own_value or self.value)(judged)

    def is_asked(self, condition: Condition) -> bool:
        """Tell whether a condition asks for this part."""
        return any(says(getattr(condition, name)) for name in self.fields)

    def is_needed(self, condition: Condition) -> bool:
        """Tell whether a condition asks for what a claim lacks of which `value_in` is None."""
        return any(says(getattr(condition, name)) for name in self.needing)


@attrs.frozen
class CodePart:
    """What a condition asks of the codes of a claim: the field of `Condition` and of a rule's `when` that names them.

    The kernel tests these sets itself, in this order (`engines/kernel/_claim.h`).
    """

    name: str
    met: Callable[[CodeSet, JudgedClaim], bool]
    unmet: Callable[[CodeSet, JudgedClaim, Edition], str]
