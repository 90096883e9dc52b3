"""One file over HTTP: bounded, whole, from the server that was asked, or one sentence.

The only module of weakcode that opens a connection to a server on the web; `weakcode edition fetch` alone uses it.
Proxies are those of the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit

import attrs

from weakcode._version import __version__
from weakcode.errors import EditionError

MOST_BYTES = 128 * 1024 * 1024
"""Bytes of one file; CDC's largest zip of a release has 22 million."""
LONGEST = 900.0
"""Seconds that one file may take in all, however slowly its bytes arrive."""
PAUSES = (1.0, 3.0)
"""Seconds to wait before the second and the third attempt."""

_CHUNK = 1 << 16
_SILENCE = 30.0
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_MOST_REDIRECTIONS = 5


class NotThere(EditionError):  # noqa: N818 - what the server says, not that something is wrong
    """The server has no file at the address."""


class Unavailable(EditionError):  # noqa: N818
    """No server answered, or none that gives the file: another one may."""


@attrs.frozen
class Download:
    """A file as it came: its address and its bytes."""

    address: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, as hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()


class _SameServer(request.HTTPRedirectHandler):
    max_redirections = _MOST_REDIRECTIONS

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> request.Request | None:
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        kept = (after.scheme, after.netloc) == (before.scheme, before.netloc)
        safer = (before.scheme, after.scheme) == ("http", "https") and after.hostname == before.hostname
        if not (kept or safer):
            raise Unavailable(
                f"{before.netloc} sends to another server, {after.scheme}://{after.netloc}; "
                "nothing was fetched from there"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> request.OpenerDirector:
    """Only HTTP, HTTPS and the environment's proxies: no files, no FTP, no data addresses."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler(),
        request.HTTPHandler(),
        request.HTTPSHandler(),
        request.HTTPDefaultErrorHandler(),
        request.HTTPErrorProcessor(),
        request.UnknownHandler(),
        _SameServer(),
    ):
        opener.add_handler(handler)
    return opener


def checked_address(address: str) -> str:
    """Return an address of HTTP or HTTPS with spaces escaped. Raises EditionError for any other."""
    try:
        parts = urlsplit(address.strip())
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise EditionError(f'"{address}" is not an address; give one like https://mirror.example/icd10cm/')
    if "@" in parts.netloc:
        raise EditionError(f"the address of {host} holds a user name; give it without name and password")
    return urlunsplit((parts.scheme, parts.netloc, quote(parts.path, safe="/%~+,;=:()!"), parts.query, ""))


def download(
    address: str, *, most: int = MOST_BYTES, tell: Callable[[str], None] | None = None, silence: float = _SILENCE
) -> Download:
    """Return the file at an address, at most `most` bytes, trying again where the server is busy or the line broke.

    `silence` is the number of seconds after which a server that sends nothing is given up; `tell` is called with
    one line about each attempt. Raises NotThere where there is no such file, Unavailable where no whole file came.
    """
    address = checked_address(address)
    ends = time.monotonic() + LONGEST
    for pause in (*PAUSES, None):
        if tell:
            tell(f"Fetching {address}")
        try:
            return Download(address, _attempt(address, most, silence, ends))
        except _Passing as passing:
            if pause is None or time.monotonic() + pause > ends:
                raise Unavailable(str(passing)) from None
            if tell:
                tell(f"{passing}; trying again in {pause:g} s")
            time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


class _Passing(Exception):  # noqa: N818
    """What may be gone at the next attempt."""


def _attempt(address: str, most: int, silence: float, ends: float) -> bytes:
    host = urlsplit(address).netloc
    asked = request.Request(address, headers={"User-Agent": f"weakcode/{__version__}", "Accept-Encoding": "identity"})  # noqa: S310
    try:
        with contextlib.closing(_opener().open(asked, timeout=silence)) as answer:
            return _body(answer, host, most, ends)
    except HTTPError as error:
        with contextlib.closing(error):
            raise _refused(error, host) from None
    except URLError as error:
        raise _unreachable(error.reason, host) from None
    except TimeoutError:
        raise _Passing(f"{host} sends nothing for {silence:g} s") from None
    except (HTTPException, OSError) as error:
        raise _Passing(f"the connection to {host} broke ({type(error).__name__})") from None


def _refused(error: HTTPError, host: str) -> Exception:
    if error.code in (404, 410):
        return NotThere(f"{host} has no such file ({error.code})")
    if error.code in _AGAIN:
        return _Passing(f"{host} is busy ({error.code})")
    if 300 <= error.code < 400:
        return Unavailable(f"{host} sends round in circles or to no web address ({error.code})")
    return Unavailable(f"{host} refuses ({error.code})")


def _unreachable(reason: object, host: str) -> Exception:
    if isinstance(reason, TimeoutError):
        return _Passing(f"{host} does not answer")
    if isinstance(reason, socket.gaierror):
        return Unavailable(f"{host} cannot be found: no network, or no such server")
    if isinstance(reason, ConnectionResetError):
        return _Passing(f"the connection to {host} broke (ConnectionResetError)")
    cause = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return Unavailable(f"{host} cannot be reached ({cause})")


def _body(answer: HTTPResponse, host: str, most: int, ends: float) -> bytes:
    """Read what was announced, no more than `most` bytes and no less than the server said."""
    length = answer.length
    if length is not None and length > most:
        raise Unavailable(f"{host} would send {length:,} bytes, more than the {most:,} that such a file may have")
    parts: list[bytes] = []
    total = 0
    while part := answer.read(_CHUNK):
        parts.append(part)
        total += len(part)
        if total > most:
            raise Unavailable(f"{host} sends more than the {most:,} bytes that such a file may have")
        if time.monotonic() > ends:
            raise Unavailable(f"{host} sends too slowly: {total:,} bytes in {LONGEST:g} s")
    if length is not None and total != length:
        raise _Passing(f"{host} sent {total:,} of {length:,} bytes")
    return b"".join(parts)
