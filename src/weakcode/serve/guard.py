"""What stands before every route: names, origins, tokens, limits, time, counts, and problems in place of exceptions."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from weakcode.serve.metrics import Metrics
from weakcode.serve.problems import TYPE, ProblemError, body_of
from weakcode.serve.settings import Settings

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Shortcut = Callable[[Request, bytes], bytes | None]
"""What answers a request with its body without waiting for anything, or gives None."""

OPEN = ("/healthz", "/readyz", "/", "/page")
"""Paths that need no token, and `/page/…`: whether the server is there, and the page, which asks for one."""
SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]@/]+)(?::\d{1,5})?")
_logger = logging.getLogger("weakcode.serve")


class Guard:
    """An ASGI application around the routes. Answers that leave have headers that keep browsers from guessing."""

    def __init__(self, app: App, settings: Settings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._names = settings.answers_to
        self._origins = frozenset(origin.encode() for origin in settings.origins)
        self.busy = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._while_waiting(send))
        started = time.perf_counter()
        self.busy += 1
        try:
            origin = self._admit(scope)
            answer.add(origin)
            if scope["method"] == "OPTIONS" and origin is not None:
                await _preflight(answer)
            else:
                # Routes then raise what they would answer by themselves otherwise.
                scope["app"] = self
                await self._app(scope, self._while_waiting(receive), answer.send)
        except ProblemError as error:
            await answer.refuse(error)
        except HTTPException as error:
            await answer.refuse(_of_route(error))
        except TimeoutError:
            await answer.refuse(ProblemError(503, "the request took longer than this server allows", retry_after="1"))
        except ClientDisconnect:
            # Whoever asked is gone; there is nobody to tell.
            answer.status = answer.status or 400
        except asyncio.CancelledError:
            answer.status = answer.status or 503
            raise
        except Exception as error:
            # Neither its words nor the traceback: they may hold what a claim says.
            _logger.error("a request failed inside weakcode (%s)", type(error).__name__)
            await answer.refuse(ProblemError(500, f"something went wrong inside weakcode ({type(error).__name__})"))
        finally:
            self.busy -= 1
            route = scope.get("route")
            self._metrics.request(getattr(route, "path", "other"), answer.status, time.perf_counter() - started)

    def at_once(self, scope: MutableMapping[str, Any], body: bytes, work: Shortcut) -> bytes | None:
        """Return the body of the answer to a request that came whole, or None where it has to take the usual way.

        That is so wherever the usual way would not answer with status 200 and the headers of a plain answer: it alone
        says what is wrong with a request. Nothing is counted then.
        """
        started = time.perf_counter()
        self.busy += 1
        try:
            answer = None if self._admit(scope) is not None else work(Request(scope), body)
        except Exception:
            # The usual way comes upon it again, and answers it.
            answer = None
        finally:
            self.busy -= 1
        if answer is not None:
            self._metrics.request(scope["path"], 200, time.perf_counter() - started)
        return answer

    def _while_waiting(self, wait: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Return what waits for a client, without its request counting as one that the server is working on.

        Otherwise clients that send half a body, or do not read, would keep all others out.
        """

        async def waiting(*given: Any) -> Any:
            self.busy -= 1
            try:
                return await wait(*given)
            finally:
                self.busy += 1

        return waiting

    def _admit(self, scope: MutableMapping[str, Any]) -> bytes | None:
        """Return the origin of another page that may read the answer. Raises ProblemError for what may not pass."""
        heads: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name in heads and name in (b"host", b"authorization", b"content-length", b"content-type", b"origin"):
                raise ProblemError(400, f"the header {name.decode()} stands twice")
            heads[name] = value
        host = heads.get(b"host", b"").decode("latin-1").lower()
        if self._names is not None and _without_port(host) not in self._names:
            raise ProblemError(421, "this server does not answer to that name; --allow-host lets it")
        origin = heads.get(b"origin")
        same = origin is None or (bool(host) and origin.decode("latin-1").lower().partition("://")[2] == host)
        named = origin in self._origins
        if not same and not named:
            raise ProblemError(403, "pages of other servers may not use this one; --allow-origin lets them")
        if same and heads.get(b"sec-fetch-site") == b"cross-site":
            raise ProblemError(403, "pages of other servers may not use this one; --allow-origin lets them")
        preflight = named and scope["method"] == "OPTIONS"
        is_open = scope["path"] in OPEN or scope["path"].startswith("/page/")
        if self._settings.tokens is not None and not preflight and not is_open:
            self._check_token(heads.get(b"authorization", b""))
        if self.busy > self._settings.max_requests:
            raise ProblemError(503, "the server is answering as many requests as it may; ask again", retry_after="1")
        return origin if named else None

    def _check_token(self, header: bytes) -> None:
        assert self._settings.tokens is not None
        kind, _, token = header.partition(b" ")
        if kind.lower() != b"bearer" or not self._settings.tokens.opens(token.strip()):
            words = "this server needs a token: Authorization: Bearer TOKEN"
            raise ProblemError(401, words, www_authenticate='Bearer realm="weakcode"')


def _of_route(error: HTTPException) -> ProblemError:
    words = {
        404: "there is nothing at this path; /openapi.json says what there is",
        405: "this path takes another method; /openapi.json says which",
    }
    heads = {name.lower().replace("-", "_"): value for name, value in (error.headers or {}).items()}
    return ProblemError(error.status_code, words.get(error.status_code, "the request was refused"), **heads)


def _without_port(host: str) -> str:
    found = _HOST.fullmatch(host)
    return found[1] if found else ""


class _Answer:
    """What is sent: the status, for the counts, and the headers of every answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._more: list[tuple[bytes, bytes]] = []
        self.status = 0

    def add(self, origin: bytes | None) -> None:
        """Let a page of another origin read the answer."""
        if origin is not None:
            self._more = [(b"access-control-allow-origin", origin), (b"vary", b"origin")]

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *SAFE, *self._more]
        await self._send(message)

    async def refuse(self, error: ProblemError) -> None:
        """Send a problem, where nothing was sent yet; otherwise the answer ends without its end, which clients see."""
        if self.status:
            raise RuntimeError("the answer was cut short")
        body = body_of(error.status, error.detail)
        heads = [(name.encode(), value.encode()) for name, value in error.headers.items()]
        heads += [(b"content-type", TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": error.status, "headers": heads})
        await self.send({"type": "http.response.body", "body": body})


async def _preflight(answer: _Answer) -> None:
    heads = [
        (b"access-control-allow-methods", b"GET, POST"),
        (b"access-control-allow-headers", b"authorization, content-type"),
        (b"access-control-max-age", b"600"),
    ]
    await answer.send({"type": "http.response.start", "status": 204, "headers": heads})
    await answer.send({"type": "http.response.body", "body": b""})
