"""Connections with limits that uvicorn does not set: their number, long heads, clients that stop reading or sending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from weakcode.serve.guard import SAFE
from weakcode.serve.problems import body_of
from weakcode.serve.settings import Settings

LONGEST_HEAD = 32_768
LONGEST_AT_ONCE = 8_192
"""Bytes of a body that is answered without a task."""
_LENGTH = b"content-length: "
_PLAIN = b"\r\ncontent-type: application/json\r\n%b\r\n" % b"".join(b"%b: %b\r\n" % pair for pair in SAFE)
_EARLY = "HTTP/1.1 {} {}\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n"


class Crowd:
    """The connections of a process that wait for their client, the one that was heard of longest ago first."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.open = 0
        self._waiting: dict[Any, None] = {}

    def waits(self, connection: Any) -> None:
        """Note that a connection waits for its client, and has been heard of now."""
        self._waiting.pop(connection, None)
        self._waiting[connection] = None

    def works(self, connection: Any) -> None:
        """Note that a connection waits for the server, or is gone."""
        self._waiting.pop(connection, None)

    def makes_room(self) -> bool:
        """Close the connection that has waited longest where there are too many; False where none waits."""
        if self.open < self.settings.max_connections:
            return True
        for connection in self._waiting:
            connection.drop()
            return True
        return False


AtOnce = Callable[[Any, bytes], bytes | None]
"""Answers a request that came whole, by its ASGI scope and its body, with JSON; or gives None."""


def connection_class(crowd: Crowd, at_once: AtOnce) -> type[Any]:
    """Return the protocol of the connections of one process.

    A request that came whole, and alone, is put to `at_once` before a task is made for it.
    """
    settings = crowd.settings

    class Connection(HttpToolsProtocol):
        """One connection; a client has `head_seconds` for a head, and `idle_seconds` between any two bytes."""

        _counted = False
        _head_bytes = 0
        _in_body = False
        _timer: asyncio.TimerHandle | None = None
        _receiving = False
        _waits_for: float | None = None
        _whole: Any = None
        """A request whose head came and for which there is no task yet, with the application, while bytes are read."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if not crowd.makes_room():
                transport.abort()
                return
            self._counted = True
            crowd.open += 1
            crowd.waits(self)
            self._wait(settings.head_seconds)

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait(None)
            crowd.works(self)
            if self._counted:
                self._counted = False
                crowd.open -= 1
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                return
            if not self._in_body:
                self._head_bytes += len(data)
                if self._head_bytes > LONGEST_HEAD and b"\r\n\r\n" not in data:
                    self._refuse(431, f"the head of the request is longer than {LONGEST_HEAD:,} bytes")
                    return
            self._receiving = True
            super().data_received(data)
            self._receiving = False
            if self.parser is not None and self._in_body:
                crowd.waits(self)
                self._waits_for = settings.idle_seconds
            self._wait(self._waits_for)
            if self._whole is not None and (self._in_body or not self._answered_at_once(self._whole[0])):
                self._start_task()

        def _start_asgi_task(self, cycle: Any, app: Any) -> None:
            if self._receiving and cycle.keep_alive and not cycle.waiting_for_100_continue:
                self._whole = (cycle, app)
            else:
                super()._start_asgi_task(cycle, app)

        def _start_task(self) -> None:
            (cycle, app), self._whole = self._whole, None
            super()._start_asgi_task(cycle, app)

        def _answered_at_once(self, cycle: Any) -> bool:
            """Answer a request that is here whole, if it can be: without a task, in the bytes that one would send."""
            if len(cycle.body) > LONGEST_AT_ONCE or self.flow.write_paused or self.transport.is_closing():
                return False
            answer = at_once(cycle.scope, bytes(cycle.body))
            if answer is None:
                return False
            self._whole = None
            head = [STATUS_LINE[200], *(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers)]
            self.transport.write(b"%b%b%d%b%b" % (b"".join(head), _LENGTH, len(answer), _PLAIN, answer))
            cycle.response_started = cycle.response_complete = True
            self.on_response_complete()
            return True

        def on_message_begin(self) -> None:
            if self._whole is not None:
                # Another request follows in the same bytes: they take turns with those of others.
                self._start_task()
            super().on_message_begin()
            self._wait(settings.head_seconds)

        def on_headers_complete(self) -> None:
            self._in_body, self._head_bytes = True, 0
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._in_body = False
            crowd.works(self)
            self._wait(None)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                crowd.waits(self)

        def pause_writing(self) -> None:
            super().pause_writing()
            crowd.waits(self)
            self._wait(settings.idle_seconds)

        def resume_writing(self) -> None:
            super().resume_writing()
            if not self._in_body:
                crowd.works(self)
                self._wait(None)

        def _wait(self, seconds: float | None) -> None:
            self._waits_for = seconds
            if self._receiving:
                # What the bytes begin, they may end, too.
                return
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None if seconds is None else self.loop.call_later(seconds, self.drop)

        def drop(self) -> None:
            """Close the connection, whatever waits to be sent."""
            crowd.works(self)
            self.transport.abort()

        def send_400_response(self, msg: str) -> None:
            self._refuse(400, "the request is not HTTP/1.1")

        def _refuse(self, status: int, detail: str) -> None:
            body = body_of(status, detail)
            phrase = {400: "Bad Request", 431: "Request Header Fields Too Large"}[status]
            self.transport.write(_EARLY.format(status, phrase, len(body)).encode() + body)
            self.transport.close()

    return Connection
