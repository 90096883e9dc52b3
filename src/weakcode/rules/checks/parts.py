"""What is wrong in the parts of a rule: code expressions, the claim condition, ages, messages and fixes."""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import attrs

from weakcode.errors import NotationError, Problem, did_you_mean
from weakcode.rules.checks.lines import wrong_dates, wrong_line, wrong_numbers, wrong_ranges
from weakcode.rules.lines.model import DateRange, LineTest, NumberRange
from weakcode.rules.model import BUILTIN_SETS, OLDEST, AgeRange, FactTest, FixRule, When
from weakcode.rules.yamlmarks import Marked, Path

NAME = re.compile(r"\$([A-Za-z0-9_-]*)")
"""A code set that an expression names."""
PLACEHOLDERS = (
    "subject", "object", "found", "listed", "term", "note", "place", "choices", "misplaced", "subject_code",
    "object_code", "lines", "ages", "not_valid", "meant", "specific",
)  # fmt: skip
"""Words in braces that a message can have."""
_CODE = re.compile(r"[A-Za-z][0-9][0-9A-Za-z](\.?[0-9A-Za-z]{1,4})?")


@attrs.frozen(kw_only=True)
class PartChecker:
    """Checks the parts of rules of one file, which has these code sets, facts and named ages."""

    marked: Marked
    sets: dict[str, str]
    facts: tuple[str, ...]
    ages: tuple[str, ...] = ()
    given_sets: Collection[str] = ()

    def expression(self, text: str, path: Path) -> Iterator[Problem]:
        """Check that a code expression can be read and that the sets it names are there."""
        from weakcode.codes.expression.parsing import parse

        try:
            parse(text)
        except NotationError as error:
            key = _key(path if path in self.marked.marks else path[:-1])
            yield self.marked.problem(path, f'"{key}": {str(error).rstrip(".")}', column=error.column)
            return
        except RecursionError:
            yield self.marked.problem(path, "the expression is nested too deeply; name its parts in code_sets")
            return
        for found in NAME.finditer(text):
            known = (*self.sets, *self.given_sets, *BUILTIN_SETS)
            if found[1] not in known:
                message = f'"${found[1]}" is not among code_sets{known_names(found[1], known)}'
                yield self.marked.problem(path, message, column=found.start() + 1)

    def parts(self, when: When | None, message: str | None, fix: FixRule | None, path: Path) -> Iterator[Problem]:
        """Check the claim condition, message and fix of a rule or case."""
        if when is not None:
            yield from self._when(when, (*path, "when"))
        if message is not None:
            yield from self._message(message, (*path, "message"))
        if fix is not None:
            yield from self._fix(fix, (*path, "fix"))

    def age_limits(self, low: Any, high: Any, path: Path) -> Iterator[Problem]:
        """Check the ends of a range of ages."""
        for key, value in (("min", low), ("max", high)):
            if isinstance(value, int) and not 0 <= value <= OLDEST:
                yield self.marked.problem((*path, key), f'"{key}": an age is 0 to {OLDEST} years, found {value}')
        if isinstance(low, int) and isinstance(high, int) and low > high:
            yield self.marked.problem((*path, "min"), f"no age is at least {low} and at most {high}; exchange them")

    def _when(self, when: When, path: Path) -> Iterator[Problem]:
        for field in attrs.fields(When):
            value, place = getattr(when, field.name), (*path, field.name)
            if isinstance(value, AgeRange):
                yield from self._age_range(value, place)
            elif isinstance(value, DateRange):
                yield from wrong_dates(self.marked, value, place)
            elif isinstance(value, NumberRange):
                yield from wrong_numbers(self.marked, value, place)
            elif isinstance(value, LineTest):
                yield from wrong_line(self.marked, value, place)
            elif isinstance(value, FactTest):
                for kind in ("all", "any", "none"):
                    yield from self.documented(getattr(value, kind), (*place, kind))
            elif isinstance(value, tuple):
                yield from wrong_ranges(self.marked, value, place)
            elif value is not None and field.metadata["codes"]:
                yield from self.expression(value, place)

    def _age_range(self, ages: AgeRange, path: Path) -> Iterator[Problem]:
        yield from self.age_limits(ages.min, ages.max, path)
        if ages.outside is not None and (ages.min is not None or ages.max is not None):
            yield self.marked.problem(path, '"outside" stands instead of "min" and "max"; keep one', key=True)
        if ages.outside is not None and ages.outside not in self.ages:
            message = f'"{ages.outside}" is not among ages{known_names(ages.outside, self.ages)}'
            yield self.marked.problem((*path, "outside"), message)

    def documented(self, facts: Iterable[str], path: Path) -> Iterator[Problem]:
        """Check that documented facts are declared."""
        for index, fact in enumerate(facts):
            if fact not in self.facts:
                message = f'the fact "{fact}" is not declared in this file\'s facts{known_names(fact, self.facts)}'
                yield self.marked.problem((*path, index), message)

    def _message(self, text: str, path: Path) -> Iterator[Problem]:
        try:
            fields = [parts for parts in string.Formatter().parse(text) if parts[1] is not None]
        except ValueError:
            message = f'"{_key(path)}": a brace is open; write {{{{ and }}}} for literal braces'
            yield self.marked.problem(path, message)
            return
        for _, name, form, conversion in fields:
            if name not in PLACEHOLDERS or form or conversion:
                spelled = "{" + (name or "")
                column = text.find(spelled) + 1
                allowed = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                message = f'"{spelled}}}" cannot be filled in{did_you_mean(name or "", PLACEHOLDERS)}'
                yield self.marked.problem(path, f"{message}; allowed are {allowed}", column=column)

    def _fix(self, fix: FixRule, path: Path) -> Iterator[Problem]:
        needs = fix.action in ("replace-subject", "add")
        if needs and fix.code is None:
            message = f'"{fix.action}" needs "code": the code to write'
            yield self.marked.problem((*path, "action"), message)
        elif not needs and fix.code is not None:
            message = f'"{fix.action}" writes no code; remove "code", or use replace-subject or add'
            yield self.marked.problem((*path, "code"), message)
        elif fix.code is not None and not _CODE.fullmatch(fix.code):
            message = f'"code": expected one ICD-10-CM code such as M62.81, found "{fix.code}"'
            yield self.marked.problem((*path, "code"), message)
        if fix.text is not None:
            yield from self._message(fix.text, (*path, "text"))


def known_names(name: str, known: Collection[str]) -> str:
    """Return a suggestion, or else the names that there are."""
    hint = did_you_mean(name, known)
    if hint or not known:
        return hint or "; there are none"
    return f"; there are {', '.join(sorted(known)[:12])}"


def _key(path: Path) -> str:
    words = [part for part in path if isinstance(part, str)]
    return words[-1] if words else "expression"
