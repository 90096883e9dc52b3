"""While a long command runs: how far it is, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


@contextmanager
def shown_progress(inputs: tuple[str, ...], *, shown: bool) -> Iterator[Callable[[int], None] | None]:
    """Show a progress bar on a terminal, unless the findings are printed there."""
    if not shown or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    total = sum(os.path.getsize(path) for path in inputs if os.path.isfile(path))  # noqa: PTH113, PTH202
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Scrubbing", total=total or None)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def terminable() -> Iterator[None]:
    """Make a polite kill end the command as Ctrl-C does, so that no half-written file stays."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not in the main thread, where signals cannot be handled
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
