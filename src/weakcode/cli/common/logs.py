"""--log-format: what a command tells on standard error as records of a log, one a line."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import click

from weakcode.base.log import EVENT, FIELDS, ROOT, logger
from weakcode.cli.common import output

_F = TypeVar("_F", bound=Callable[..., Any])
_STYLE = "\x1b["


class _Records(logging.Handler):
    """Writes records to standard error as it is when they come."""

    def __init__(self, as_format: str) -> None:
        super().__init__()
        self._form = _as_json if as_format == "json" else _as_text

    def emit(self, record: logging.LogRecord) -> None:
        try:
            output.put_log(self._form(record))
        except Exception:
            self.handleError(record)


def _at(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_text(record: logging.LogRecord) -> str:
    message = record.getMessage().replace("\n", " ")
    return f"{_at(record)} {record.levelname} {record.name}: {message}"


def _as_json(record: logging.LogRecord) -> str:
    event = getattr(record, EVENT, None)
    values = {
        "time": _at(record),
        "level": record.levelname.lower(),
        "logger": record.name,
        **({"event": event} if event else {}),
        "message": record.getMessage(),
        **getattr(record, FIELDS, {}),
    }
    return json.dumps(values, ensure_ascii=False)


def _log_text(text: str, level: str) -> None:
    """Take what a command says on standard error for a record."""
    plain = click.unstyle(text).strip().removeprefix("weakcode: ")
    if plain:
        logger("cli").log(logging.getLevelNamesMapping()[level.upper()], "%s", plain)


def end() -> None:
    """Have no log any more: the next command of this process may be asked for none."""
    root = logging.getLogger(ROOT)
    for handler in [one for one in root.handlers if isinstance(one, _Records)]:
        root.removeHandler(handler)
    root.setLevel(logging.NOTSET)
    root.propagate = True
    output.log_instead(None)


def _begin(_: click.Context, __: click.Parameter, as_format: str | None) -> None:
    if as_format is None:
        return
    end()
    root = logging.getLogger(ROOT)
    root.addHandler(_Records(as_format))
    root.setLevel(logging.INFO)
    root.propagate = False
    output.log_instead(_log_text)


def only_warnings() -> None:
    """Leave out what is no warning, as --quiet asks."""
    logging.getLogger(ROOT).setLevel(logging.WARNING)


def log_option(command: _F) -> _F:
    """Add --log-format; commands need not know of it."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        callback=_begin,
        is_eager=True,
        expose_value=False,
        help="Log events and errors on standard error, one a line, as text or as JSON.",
    )(command)
