"""Exceptions that come from outside, at a step of the package's code that is chosen, or by a signal at any moment."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

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
Step = tuple[str, int]


class Interrupted(BaseException):
    """What a handler raises: no Exception, so that nothing that is careless catches it by the way."""


class TooLateError(Exception):
    """The same of a kind that `except Exception` catches, as a worker's timeout is."""


def _is_ours(name: str) -> bool:
    return name.startswith(PACKAGE) or "/durable/" in name


def _traced(work: Callable[[], Any], at_step: Callable[[FrameType], None]) -> Any:
    """Run `work`, and `at_step` before every line and every instruction of the package."""

    def local(frame: FrameType, event: str, arg: Any) -> Any:
        if event in ("line", "opcode"):
            at_step(frame)
        return local

    def enter(frame: FrameType, event: str, arg: Any) -> Any:
        if not _is_ours(frame.f_code.co_filename):
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
    """Return the steps of `work` in order, each as file and line."""
    steps: list[Step] = []
    _traced(work, lambda frame: steps.append((frame.f_code.co_filename, frame.f_lineno)))
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


def interrupted_at(number: int, work: Callable[[], Any], raised: BaseException) -> Any:
    """Run `work`, and raise an exception before its step of this number."""
    left = number

    def count(frame: FrameType) -> None:
        nonlocal left
        left -= 1
        if left == -1:
            raise raised

    return _traced(work, count)


def of_every_line(steps: list[Step]) -> list[int]:
    """Return the numbers of the first and the last step at every line."""
    first: dict[Step, int] = {}
    last: dict[Step, int] = {}
    for number, step in enumerate(steps):
        first.setdefault(step, number)
        last[step] = number
    return sorted({*first.values(), *last.values()})


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
