"""What a server is to do, checked before anything is opened: closed to other machines unless there are tokens."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import attrs

from weakcode.errors import InputError
from weakcode.serve.tokens import Tokens

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
MEBIBYTE = 1 << 20


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone. A name other than localhost cannot tell."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


@attrs.frozen(kw_only=True)
class Settings:
    """Where to listen, who may ask, and how much a request may cost.

    `tokens` are needed for every request but those for health and the page, and for every address that is not this
    machine's own. `hosts` are further names by which the server may be asked, `origins` the pages of other
    servers that may use it. `max_body` is in bytes, times are in seconds; `max_connections` holds for each process,
    and so does `max_requests`, which are being answered at a time. `max_claims` is for each request of many claims.

    With `take_files`, the page may be given files of claims, of `max_file` bytes at most; they are kept below `files`,
    which a running server makes and removes.

    Raises InputError for an address of other machines without tokens, and for half of a TLS key pair.
    """

    host: str = "127.0.0.1"
    port: int = 8087
    tokens: Tokens | None = None
    profiles: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    workers: int = 1
    take_files: bool = False
    files: Path | None = None
    max_file: int = 512 * MEBIBYTE
    max_body: int = 16 * MEBIBYTE
    max_claims: int = 1_000_000
    max_connections: int = 1_000
    max_requests: int = 200
    head_seconds: float = 10
    body_seconds: float = 30
    idle_seconds: float = 60
    work_seconds: float = 30
    stop_seconds: float = 30

    def __attrs_post_init__(self) -> None:
        if self.tokens is None and not is_loopback(self.host):
            raise InputError(
                f"{self.host} can be reached from other machines; name a file of tokens with --token-file, or "
                "listen on 127.0.0.1"
            )
        if (self.certificate is None) != (self.key is None):
            raise InputError("TLS needs both --tls-certificate FILE and --tls-key FILE")
        for what, file in (("certificate", self.certificate), ("key", self.key)):
            if file is not None and not file.is_file():
                raise InputError(f"the TLS {what} {file} is not a file")
        if self.profiles is not None and not self.profiles.is_dir():
            raise InputError(f"the folder of profiles {self.profiles} is not a folder")
        for origin in self.origins:
            if origin == "*" or not origin.startswith(("http://", "https://")) or origin.endswith("/"):
                raise InputError(f"{origin!r} is not an origin; write it as https://desk.example.org")

    @property
    def answers_to(self) -> frozenset[str] | None:
        """The names that a Host header may have, without port; None where any may: behind tokens alone."""
        if _is_any(self.host) and not self.hosts:
            return None
        names = LOOPBACK_NAMES if is_loopback(self.host) or _is_any(self.host) else (self.host,)
        return frozenset(name.lower() for name in (*names, *self.hosts))

    @property
    def address(self) -> str:
        """The address of the server as a browser takes it."""
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        return f"{'http' if self.certificate is None else 'https'}://{host}:{self.port}"
