"""A real server in a process of its own, and ways to ask it: as programs do, and as nobody should."""

from __future__ import annotations

import json
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from attrs import frozen

CLAIM = {"id": "HID-77", "codes": ["M62.84", "I10", "R54"], "age": 78, "sex": "F", "service_date": "2026-05-01"}
FHIR = {
    "resourceType": "Claim",
    "status": "active",
    "use": "claim",
    "billablePeriod": {"start": "2026-05-01"},
    "diagnosis": [
        {
            "sequence": number,
            "diagnosisCodeableConcept": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": code}]},
        }
        for number, code in enumerate(["M62.84", "I10"], start=1)
    ],
}


@frozen
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """`weakcode serve` on a free port of this machine, ready when this is made."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "weakcode", "serve", "--port", "0", *options], stderr=log, stdout=log
            )
        self.port = self._ready()

    def _ready(self) -> int:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = re.search(r"serving on https?://\S+:(\d+); ready", self.log.read_text("utf-8"))
            if found:
                return int(found[1])
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the server did not get ready: {self.log.read_text('utf-8')}")

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 30
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = body if body is None or isinstance(body, bytes | str) else json.dumps(body)
            connection.request(method, path, sent, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def open(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def raw(self, *parts: bytes, timeout: float = 30) -> bytes:
        """Send bytes as they are and return all that comes back until the server closes or nothing more comes."""
        with self.open() as connection:
            for part in parts:
                connection.sendall(part)
            return everything(connection, timeout)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def told(self) -> str:
        return self.log.read_text("utf-8")


def everything(connection: socket.socket, timeout: float = 30) -> bytes:
    """Return what comes until the other side closes."""
    got = b""
    until = time.monotonic() + timeout
    while (left := until - time.monotonic()) > 0 and select.select([connection], [], [], left)[0]:
        try:
            part = connection.recv(1 << 16)
        except ConnectionError:
            break
        if not part:
            break
        got += part
    return got


def http(method: str, path: str, body: bytes = b"", *heads: str, host: str = "127.0.0.1") -> bytes:
    """Return a request as bytes; the connection is closed after it."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", "connection: close", *heads]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
