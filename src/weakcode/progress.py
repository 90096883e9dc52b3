"""What weakcode is doing where that takes longer than a moment, for whoever listens."""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def listen(listener: Callable[[str], None]) -> None:
    """Let `listener` hear from now on what is being done, as half a sentence; the command line does."""
    if listener not in _listeners:
        _listeners.append(listener)


def doing(what: str) -> None:
    """Say what begins now and can take more than a second: to those who listen, and to the logger "weakcode"."""
    import logging

    logging.getLogger("weakcode").info(what)
    for listener in _listeners:
        listener(what)
