"""What the commands print: the one way to standard output and to standard error."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from typing import Any, TextIO

import click

from weakcode.cli.common.folding import folded
from weakcode.errors import InputError
from weakcode.visible import visible, visible_json

_STYLE = re.compile(r"(\x1b\[[0-9;]*m)")
_logs: list[Callable[[str, str], None]] = []


class UnsaidError(InputError):
    """Standard output cannot be written. What was written as files is there all the same."""


class NoReaderError(Exception):
    """Nobody reads standard output any more, as behind `| head`."""


def log_instead(log: Callable[[str, str], None] | None) -> None:
    """Have what is said on standard error, with its level, go to `log` instead; without one, to standard error."""
    _logs[:] = [] if log is None else [log]


def is_logged() -> bool:
    """Tell whether there is a log in the place of sentences on standard error."""
    return bool(_logs)


def put_log(line: str) -> None:
    """Write a record of a log to standard error, as one line that steers no terminal."""
    _put(visible_json(line), True)


def say(text: str = "", *, err: bool = False, level: str = "info") -> None:
    """Print text for people, its styles kept and all else that steers a terminal spelled out.

    On a terminal, lines are folded to its width. What goes to standard error is a record of this level where there
    is a log (`info`, `warning` or `error`).

    Raises UnsaidError where standard output cannot be written, NoReaderError where nobody reads it. Of standard error
    nothing more can be said.
    """
    if err and _logs:
        _logs[0](text, level)
        return
    parts = _STYLE.split(text)
    parts[::2] = [visible(part, keep="\n") for part in parts[::2]]
    line = "".join(parts)
    _put(
        folded(line, shutil.get_terminal_size().columns) if on_terminal(sys.stderr if err else sys.stdout) else line,
        err,
    )


def say_json(text: str) -> None:
    """Print JSON text for programs. Raises UnsaidError where standard output cannot be written."""
    _put(visible_json(text), False)


def _put(text: str, err: bool) -> None:
    if sys.stdout is None and not err:
        raise UnsaidError("standard output is closed")
    try:
        click.echo(text, err=err)
    except BrokenPipeError:
        let_go(sys.stderr if err else sys.stdout, 2 if err else 1)
        if not err:
            # Click would take it for its own and end with status 1, which reads as "there are findings".
            raise NoReaderError from None
    except (OSError, ValueError) as error:
        let_go(sys.stderr if err else sys.stdout, 2 if err else 1)
        if not err:
            raise UnsaidError(f"standard output cannot be written: {_reason(error)}") from None


def flush() -> None:
    """Write what waits for standard output. Raises as `say` does."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        let_go(sys.stdout, 1)
        raise NoReaderError from None
    except (OSError, ValueError) as error:
        let_go(sys.stdout, 1)
        raise UnsaidError(f"standard output cannot be written: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def let_go(stream: TextIO | None, number: int) -> None:
    """Lead a stream to nowhere, so that Python does not complain of it once more when the command ends."""
    if stream is None:
        return
    try:
        if stream.fileno() == number:
            os.dup2(os.open(os.devnull, os.O_WRONLY), number)
    except (OSError, ValueError):  # it has no number, as in tests
        return


def prepare() -> None:
    """Make the standard streams take any text, and keep their numbers from being given to files.

    A file that is opened while standard output is closed would get its number, and everything that is printed.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def on_terminal(stream: TextIO | None) -> bool:
    """Tell whether a stream is there and is a terminal."""
    return stream is not None and not stream.closed and stream.isatty()
