"""Code expressions: how rule files and the Tabular List name codes.

``parse`` turns text into an `Expression`; `Expression.resolve` gives the codes of one edition that it names.
A reference to a category or subcategory means every billable code below it, with or without a dash.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import lru_cache, reduce
from itertools import starmap
from operator import or_
from string import ascii_uppercase, digits
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from weakcode.codes.codeset import CodeSet
from weakcode.codes.normalise import canonical
from weakcode.errors import NotationError, did_you_mean

if TYPE_CHECKING:
    from weakcode.codes.edition import Edition
    from weakcode.codes.expression.spelled import CodeSpellings, Mask

Sets = Mapping[str, CodeSet]
Pairs = tuple[tuple[str, str], ...]
NO_SETS: Sets = MappingProxyType({})
ORDINALS = {4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh"}


class Expression(ABC):
    """Names a set of codes. `str()` gives text that parses back to an equal expression."""

    @abstractmethod
    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        """Return the codes named; `sets` are the code sets that ``$name`` may stand for.

        Raises NotationError for a ``$name`` that is not in `sets`.
        """

    @property
    def names(self) -> frozenset[str]:
        """The code sets used, without the ``$``."""
        return frozenset().union(*(part.names for part in self._parts()))

    def unmatched(self, edition: Edition, sets: Sets = NO_SETS) -> tuple[str, ...]:
        """Return the parts that name no billable code of the edition."""
        return tuple(text for part in self._parts() for text in part.unmatched(edition, sets))

    def _parts(self) -> Iterable[Expression]:
        return ()


class _Atom(Expression):
    def unmatched(self, edition: Edition, sets: Sets = NO_SETS) -> tuple[str, ...]:
        return () if self.resolve(edition, sets) else (str(self),)


@attrs.frozen
class Any(_Atom):
    """``any``: every number of the edition, also those that stand for codes not billable."""

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return CodeSet(((0, edition.universe),))

    def __str__(self) -> str:
        return "any"


@attrs.frozen
class Below(_Atom):
    """``M62.84``, ``G72.-``, ``F33-``: a code and all below it. `prefix` is compact."""

    prefix: str

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return CodeSet.between(*edition.span(self.prefix))

    def __str__(self) -> str:
        return canonical(self.prefix)


@attrs.frozen
class Through(_Atom):
    """``A00-B99``: all from the first code to the last below the second, in the Tabular List's order."""

    first: str
    last: str

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return CodeSet(edition.range_spans(self.first, self.last))

    def __str__(self) -> str:
        return f"{canonical(self.first)}-{canonical(self.last)}"


@attrs.frozen
class Chapter(_Atom):
    """``Chapter 20``."""

    number: int

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return edition.billable_below(str(self))

    def __str__(self) -> str:
        return f"Chapter {self.number}"


@attrs.frozen
class Name(Expression):
    """``$name``: a code set of the rule file. `column` is where it stood, for errors."""

    name: str
    column: int = attrs.field(default=1, eq=False)

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        if self.name not in sets:
            known = ", ".join(f"${name}" for name in sets) or "none is defined"
            hint = did_you_mean(self.name, sets)
            raise NotationError(
                f"${self.name} at character {self.column} is not a code set of this file{hint}; known: {known}.",
                text=str(self),
                column=self.column,
                expected="the name of a code set",
            )
        return sets[self.name]

    @property
    def names(self) -> frozenset[str]:
        return frozenset((self.name,))

    def __str__(self) -> str:
        return f"${self.name}"


@attrs.frozen
class Union(Expression):
    """A list: the codes of any of its parts. Made by `union`, which never nests one in another."""

    parts: tuple[Expression, ...]

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return CodeSet(span for part in self.parts for span in part.resolve(edition, sets).spans)

    def _parts(self) -> Iterable[Expression]:
        return self.parts

    def __str__(self) -> str:
        return ", ".join(map(_item, self.parts))


@attrs.frozen
class Except(Expression):
    """``A00-B99 except A41.-, B20``: the codes of `base` that are not in `cut`."""

    base: Expression
    cut: Expression

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        return self.base.resolve(edition, sets) - self.cut.resolve(edition, sets)

    def _parts(self) -> Iterable[Expression]:
        return (self.base, self.cut)

    def __str__(self) -> str:
        return f"{self.base} except {_item(self.cut) if isinstance(self.cut, Except) else self.cut}"


@lru_cache(maxsize=256)
def _between(values: Pairs) -> frozenset[str]:
    """Return the characters of codes that stand between the ends of a pair."""
    return frozenset(one for one in digits + ascii_uppercase for low, high in values if low <= one <= high)


@attrs.frozen
class Position:
    """``fifth or sixth character 1-4 or 6``: one character, between the ends of one of `values`.

    Where several positions are named, the character is the last of them that is not the placeholder X. That
    is where the codes for drugs keep the intent: sixth in T43.655A (its fifth character is part of the
    substance), fifth in T36.95XA, where the sixth only fills the gap before the 7th character.
    """

    positions: tuple[int, ...]
    values: Pairs

    def fit(self, codes: CodeSpellings) -> Mask:
        """Tell of each code whether it fits."""
        among = _between(self.values)
        if len(self.positions) == 1:
            return codes.with_character(self.positions[0], among)
        return codes.with_last(self.positions, among)

    def __str__(self) -> str:
        where = " or ".join(ORDINALS[position] for position in self.positions)
        values = " or ".join(low if low == high else f"{low}-{high}" for low, high in self.values)
        return f"{where} character {values}"


@attrs.frozen
class CharacterRun:
    """``fifth to sixth characters 51``: `value` stands from position `first` to `last`."""

    first: int
    last: int
    value: str

    def fit(self, codes: CodeSpellings) -> Mask:
        """Tell of each code whether it fits."""
        return codes.with_run(self.first, self.last, self.value)

    def __str__(self) -> str:
        return f"{ORDINALS[self.first]} to {ORDINALS[self.last]} characters {self.value}"


@attrs.frozen
class Final:
    """``final characters -23``: the code ends so, with its 7th character or before one was added.

    A value with a dot, as in ``.00``, is all that follows the category.
    """

    endings: tuple[str, ...]

    def fit(self, codes: CodeSpellings) -> Mask:
        """Tell of each code whether it fits."""
        return reduce(or_, map(codes.ending, self.endings))

    def __str__(self) -> str:
        return "final characters " + " or ".join(e if e.startswith(".") else f"-{e}" for e in self.endings)


@attrs.frozen
class Suffixes:
    """``.51-.52, .62-``: what follows the category begins so; the two ends of a pair are equally long."""

    values: Pairs

    def fit(self, codes: CodeSpellings) -> Mask:
        """Tell of each code whether it fits."""
        return reduce(or_, starmap(codes.beginning, self.values))

    def __str__(self) -> str:
        return ", ".join(f".{low}" if low == high else f".{low}-.{high}" for low, high in self.values)


Condition = Position | CharacterRun | Final | Suffixes


@attrs.frozen
class With(Expression):
    """``T36-T50 with fifth or sixth character 5``: the billable codes of `parts` that fit the condition."""

    parts: tuple[Expression, ...]
    condition: Condition

    def resolve(self, edition: Edition, sets: Sets = NO_SETS) -> CodeSet:
        # numpy is imported by what needs it alone.
        from weakcode.codes.expression.spelled import fitting

        return fitting(Union(self.parts).resolve(edition, sets), self.condition, edition)

    def _parts(self) -> Iterable[Expression]:
        return self.parts

    def unmatched(self, edition: Edition, sets: Sets = NO_SETS) -> tuple[str, ...]:
        single = (With((part,), self.condition) for part in self.parts)
        return tuple(str(part) for part in single if not part.resolve(edition, sets))

    def __str__(self) -> str:
        return f"{', '.join(map(_item, self.parts))} with {self.condition}"


def union(parts: Iterable[Expression]) -> Expression:
    """Return the list of `parts`; a list inside it is taken apart, a list of one is that one."""
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Union) else (part,))]
    return flat[0] if len(flat) == 1 else Union(tuple(flat))


def _item(part: Expression) -> str:
    return f"({part})" if isinstance(part, Union | Except | With) else str(part)
