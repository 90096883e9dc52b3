"""Runs the service: one process, or several that share what the first has compiled, until it is told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn

from weakcode.errors import InputError
from weakcode.serve.app import Application
from weakcode.serve.connections import Crowd, connection_class
from weakcode.serve.files.folder import own_folder
from weakcode.serve.settings import Settings
from weakcode.serve.tenants import Tenants

_AGAIN = 1.0
"""Seconds before a process that ended by itself is started again."""


class _Server(uvicorn.Server):
    """A server that ends with status 0 when it was told to stop."""

    should_exit: bool
    force_exit: bool

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


class _Quiet(logging.Formatter):
    """Says what happened and never what a request held: no tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        if record.exc_info or "\n" in record.getMessage():
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else "error"
            return f"weakcode: a request failed inside the server ({kind})"
        return f"weakcode: {record.getMessage()}"


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Quiet())
    for name in ("uvicorn.error", "weakcode.serve", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.ERROR)


def serve(settings: Settings, tenants: Tenants, announce: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; what was accepted is answered first, for `stop_seconds` at most.

    `announce` gets one line when the server is ready. Raises InputError where the address cannot be had.
    """
    _log_to_stderr()
    tenants.warm()
    with own_folder(settings) as settings:
        return _serve(settings, tenants, announce)


def _serve(settings: Settings, tenants: Tenants, announce: Callable[[str], None]) -> int:
    application = Application(settings, tenants)
    listener = _listener(settings)
    ready = f"serving on {_address(settings, listener)}; ready"
    if settings.workers == 1:
        announce(ready)
        _run(settings, application, listener)
        return 0
    if not hasattr(os, "fork"):
        raise InputError("several processes need an operating system that can fork; leave --workers at 1 here")
    return _Parent(settings, application, listener).run(lambda: announce(f"{ready}, {settings.workers} processes"))


def _listener(settings: Settings) -> socket.socket:
    _raise_limit(settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host.strip("[]"), settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen on {settings.host}, port {settings.port}: {reason}") from None
    listener.listen(2_048)
    listener.set_inheritable(True)
    return listener


def _raise_limit(settings: Settings) -> None:
    """Make room for the connections of a process. Raises InputError where the system allows fewer."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    handles = settings.max_connections + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= handles:
        return
    most = handles if hard == resource.RLIM_INFINITY else min(handles, hard)
    if most < handles:
        raise InputError(
            f"this process may open {most:,} files, too few for {settings.max_connections:,} connections; "
            f"give --max-connections {max(1, most - 200)} or raise the limit (ulimit -n)"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _address(settings: Settings, listener: socket.socket) -> str:
    port = listener.getsockname()[1]
    return settings.address.rpartition(":")[0] + f":{port}"


def _run(settings: Settings, application: Application, listener: socket.socket) -> None:
    crowd = Crowd(settings)
    more: dict[str, Any] = {}
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: F401

        more["loop"] = "uvloop"
    config = uvicorn.Config(
        application.guarded,
        http=connection_class(crowd, application.at_once),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=int(settings.idle_seconds),
        timeout_graceful_shutdown=int(settings.stop_seconds),
        ssl_certfile=None if settings.certificate is None else str(settings.certificate),
        ssl_keyfile=None if settings.key is None else str(settings.key),
        **more,
    )
    _Server(config).run(sockets=[listener])


class _Parent:
    """Keeps as many processes as were asked for, and passes the word to stop on to them."""

    def __init__(self, settings: Settings, application: Application, listener: socket.socket) -> None:
        self._settings, self._application, self._listener = settings, application, listener
        self._processes: dict[int, int] = {}
        self._stopping = False

    def run(self, ready: Callable[[], None]) -> int:
        """Start the processes and wait for them. Returns 0 when all ended because they were told to."""
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._stop)
        for number in range(self._settings.workers):
            self._start(number)
        ready()
        worst = 0
        while self._processes:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                break
            if pid not in self._processes:
                continue
            number = self._processes.pop(pid)
            if self._stopping:
                # One that was only just started ends by the signal itself, before it listens for it.
                was_asked_to = os.waitstatus_to_exitcode(status) in (0, -signal.SIGTERM)
                worst = worst or (0 if was_asked_to else 1)
            else:
                time.sleep(_AGAIN)
                if not self._stopping:
                    self._start(number)
        return worst

    def _start(self, number: int) -> None:
        pid = os.fork()
        if pid:
            self._processes[pid] = number
            if self._stopping:
                os.kill(pid, signal.SIGTERM)
            return
        status = 1
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, signal.SIG_DFL)
        try:
            self._application.metrics.join(number)
            _run(self._settings, self._application, self._listener)
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        for pid in list(self._processes):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
