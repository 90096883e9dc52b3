"""Every error that weakcode raises on purpose, and what their messages have in common.

Each message is one sentence for the person at the keyboard: what was found, where, and what would be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self

import attrs

from weakcode.visible import visible

_KINDS: dict[type, str] = {
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "nothing",
}


class WeakcodeError(Exception):
    """Base of all errors that are about the user's input or files, never about a bug in weakcode.

    What is not seen is spelled out in the message, so that it can be logged.
    """

    _keep = ""

    def __str__(self) -> str:
        return visible(super().__str__(), self._keep)

    @property
    def in_full(self) -> str:
        """The message with the value that it is about, for a file of rejects: it may be about a person."""
        text = self.__dict__.get("_in_full")
        return str(self) if text is None else visible(text, self._keep)


class InputError(WeakcodeError, ValueError):
    """A claim, option or file holds a value that cannot be used."""

    @classmethod
    def about(cls, sentence: str, value: object) -> Self:
        """Return an error with a sentence that has `{value}` in it, whose message says no more of it than its kind."""
        kind = _KINDS.get(type(value), type(value).__name__)
        error = cls(sentence.replace("found {value}", f"found {kind}").replace(" {value}", ""))
        error.__dict__["_in_full"] = sentence.replace("{value}", repr(value))
        return error

    def within(self, where: str) -> InputError:
        """Return the same error with words before it that say where."""
        error = InputError(f"{where}: {Exception.__str__(self)}")
        error.__dict__["_in_full"] = f"{where}: {self.__dict__.get('_in_full', Exception.__str__(self))}"
        return error


class CodeTypeError(WeakcodeError, TypeError):
    """A diagnosis code is not text; the message names its position."""


class UnknownNameError(InputError):
    """A pack, rule, profile, fact or setting that does not exist."""


class UnavailableError(InputError):
    """A database or file is in use, a connection was lost, or a file is still being written: try again later."""


class NotationError(WeakcodeError, ValueError):
    """A code expression that cannot be read.

    `text` is the whole expression, `column` the 1-based character at which reading stopped, `expected` says what
    could have stood there.
    """

    def __init__(self, message: str, *, text: str, column: int, expected: str) -> None:
        super().__init__(message)
        self.text = text
        self.column = column
        self.expected = expected


class EditionError(WeakcodeError):
    """A file that is not a usable ICD-10-CM Tabular List, or an edition that is not installed."""


class MissingExtraError(WeakcodeError):
    """Something needs a package of an extra that is not installed."""

    def __init__(self, what: str, *, extra: str, needs: str) -> None:
        super().__init__(f"{what} need {needs}, which is not installed; install it with the extra: weakcode[{extra}]")
        self.extra = extra


class EngineError(WeakcodeError):
    """An engine could not evaluate a claim. Never to be read as a clean claim."""


@attrs.frozen
class Problem:
    """One thing wrong in a rule file or profile, at a 1-based line and column.

    For one that was given as a mapping, `file` is the argument's name and `path` leads from there to the value, such as
    ``.rules[2].subject``; line and column then only tell the order.
    """

    file: str
    line: int
    column: int
    message: str
    path: str | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return f"{self.file}{self.path}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class RuleFileError(WeakcodeError):
    """A rule file or profile that was refused; `problems` holds everything found wrong with it."""

    _keep = "\n"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or else its name."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return `1 error`, `2 errors`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean "x"?)`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""
