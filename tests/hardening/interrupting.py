"""Exceptions that come from outside, at a step of the package's code that is chosen, or by a signal at any moment."""

from __future__ import annotations

import gc
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import pytest

import weakcode

try:
    import durable_rules_engine
except ImportError:
    durable_rules_engine = None
ENGINES = (
    "columnar",
    pytest.param(
        "durable", marks=pytest.mark.skipif(durable_rules_engine is None, reason="durable-rules cannot be loaded here")
    ),
)
"""Both engines; durable-rules 2.0.28 loads on no Python from 3.13 on."""

PACKAGE = str(Path(weakcode.__file__).parent)


class Step(NamedTuple):
    """A line or an instruction that is about to run: its number among those of its function."""

    file: str
    function: tuple[int, str]
    number: int
    line: int


class Interrupted(BaseException):
    """What a handler raises: no Exception, so that nothing that is careless catches it by the way."""


class TooLateError(Exception):
    """The same of a kind that `except Exception` catches, as a worker's timeout is."""


def _is_ours(name: str) -> bool:
    return name.startswith(PACKAGE) or "/durable/" in name


def _function(code: CodeType) -> tuple[int, str]:
    return code.co_firstlineno, code.co_qualname


def _traced(
    work: Callable[[], Any], at_step: Callable[[FrameType], None], function: Callable[[CodeType], bool] = lambda _: True
) -> Any:
    """Run `work`, and `at_step` before every line and every instruction of the package, or of a function of it."""

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        if event in ("line", "opcode"):
            at_step(frame)
        return local

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if not _is_ours(frame.f_code.co_filename) or not function(frame.f_code):
            return None
        frame.f_trace_opcodes = True
        return local

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        return work()
    finally:
        sys.settrace(before)


def steps_of(work: Callable[[], Any]) -> list[Step]:
    """Return the steps of `work` in order."""
    steps: list[Step] = []
    counts = Counter[tuple[str, tuple[int, str]]]()

    def note(frame: FrameType) -> None:
        place = frame.f_code.co_filename, _function(frame.f_code)
        steps.append(Step(*place, counts[place], frame.f_lineno))
        counts[place] += 1

    _traced(work, note)
    return steps


def steady_steps_of(work: Callable[[], Any]) -> list[Step]:
    """Return the steps of `work` once it takes as many as the time before.

    The first times it may also delete rulesets that other tests left, which are freed when garbage is collected.
    """
    gc.collect()
    steps = steps_of(work)
    while len(again := steps_of(work)) != len(steps):
        steps = again
    return again


def interrupted_at(step: Step, work: Callable[[], Any], raised: BaseException) -> Any:
    """Run `work`, and raise an exception before one of its steps."""
    left = step.number

    def count(frame: FrameType) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise raised

    # Of the other functions nothing is looked at, which would take most of the time.
    return _traced(work, count, lambda code: (code.co_filename, _function(code)) == step[:2])


def of_every_line(steps: list[Step]) -> list[Step]:
    """Return the first and the last step at every line, in order."""
    first: dict[tuple[str, int], int] = {}
    last: dict[tuple[str, int], int] = {}
    for number, step in enumerate(steps):
        first.setdefault((step.file, step.line), number)
        last[step.file, step.line] = number
    return [steps[number] for number in sorted({*first.values(), *last.values()})]


@contextmanager
def alarm_that_raises(kind: type[BaseException]) -> Iterator[Callable[[float], None]]:
    """Give a function that sets the alarm of the system's clock, in seconds; 0 puts it off."""

    def handler(number: int, frame: FrameType | None) -> None:
        raise kind

    before = signal.signal(signal.SIGALRM, handler)
    try:
        yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds) and None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
