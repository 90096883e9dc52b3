"""Progress of steps that take longer than a moment, for listeners."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOMENT = 1.0
"""Seconds after which listeners hear of a step."""

_listeners: list[Callable[[str], None]] = []


def listen(listener: Callable[[str], None]) -> None:
    """Let `listener` hear from now on what is being done, as half a sentence; the command line does."""
    if listener not in _listeners:
        _listeners.append(listener)


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Tell what is being done once it has taken a second: those who listen, and the logger "weakcode"."""
    timer = threading.Timer(MOMENT, _notify, (what,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def warn(what: str) -> None:
    """Tell at once of something that is not as it should be, and that work goes on without."""
    from weakcode.base.log import logger

    logger().warning(what)
    for listener in _listeners:
        listener(what)


def _notify(what: str) -> None:
    from weakcode.base.log import logger

    logger().info(what)
    for listener in _listeners:
        listener(what)
