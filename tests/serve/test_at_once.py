"""A check that comes whole is answered without a task: in the bytes in which one would answer it."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.serve.running import CLAIM, Server

CODES = st.sampled_from(["M62.84", "I10", "R54", "I11.0", "I50.22", "E11.22", "N18.4", "m6281", "X", "O80", "C61", ""])
VALUES = st.fixed_dictionaries(
    {"codes": st.lists(CODES, max_size=60)},
    optional={
        "id": st.one_of(st.text(max_size=8), st.integers(), st.booleans()),
        "age": st.one_of(st.integers(-1, 130), st.text(max_size=3)),
        "sex": st.sampled_from(["F", "M", "female", "?"]),
        "service_date": st.sampled_from(["2026-05-01", "2024-01-01", "2026-13-01", "1999-01-01"]),
        "payer": st.text(max_size=5),
        "documented": st.lists(st.sampled_from(["covid-current", "nothing"]), max_size=2),
        "unknown": st.none(),
    },
)
BODIES = st.one_of(
    VALUES.map(lambda values: json.dumps(values).encode()),
    st.sampled_from([b"", b"{", b"[]", b"null", b"\xff", b'{"codes": ["I10"], "codes": []}', b'{"codes": ["I10"]} ']),
    st.binary(max_size=20),
)
HEADS = st.sampled_from(
    [
        {},
        {"content-type": "text/plain"},
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"content-type": "application/vnd.claim+json; charset=utf-8"},
    ]
)
PATHS = st.sampled_from(
    ["/v1/check", "/v1/check?profile=none", "/v1/check?x=1", "/v1/%63heck", "/v1/check/", "/v1/fix"]
)


def answer(connection: socket.socket) -> bytes:
    """Return an answer, without its date."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None, head
    while len(body) < int(length[1]):
        body += connection.recv(65_536)
    return re.sub(rb"date: [^\r]*\r\n", b"", head) + body


def request(path: str, body: bytes, more: dict[str, str]) -> tuple[bytes, bytes]:
    heads = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body)), **more}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in heads.items()), "", ""]
    return "\r\n".join(lines).encode(), body


def counts(server: Server) -> dict[str, float]:
    lines = server.ask("GET", "/metrics").body.decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in pairs if "_total" in name and "/metrics" not in name}


@settings(max_examples=40, deadline=None)
@given(path=PATHS, body=BODIES, more=HEADS)
def test_what_comes_whole_is_answered_as_what_comes_in_parts(
    server: Server, path: str, body: bytes, more: dict[str, str]
) -> None:
    head, body = request(path, body, more)
    answers = []
    for parts in ([head + body], [head, body]):
        with server.open() as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for part in parts:
                connection.sendall(part)
                if len(parts) > 1:
                    time.sleep(0.004)
            answers.append(answer(connection))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("body", [json.dumps(CLAIM).encode(), b'{"codes": []}', b'{"codes": ["I10", "I10"]}'])
def test_what_comes_whole_is_counted_as_what_comes_in_parts(server: Server, body: bytes) -> None:
    head, body = request("/v1/check", body, {})
    gains: list[Any] = []
    for parts in ([head + body], [head, body]):
        before = counts(server)
        with server.open() as connection:
            for part in parts:
                connection.sendall(part)
                time.sleep(0.01)
            answer(connection)
        after = counts(server)
        gains.append({name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name)})
    assert gains[0] == gains[1]
    assert gains[0]


def test_requests_that_follow_each_other_without_waiting_get_their_answers_in_order(server: Server) -> None:
    sent = [
        b"".join(request("/v1/check", json.dumps({"codes": ["I10"] * (1 + n % 3)}).encode(), {})) for n in range(40)
    ]
    with server.open() as connection:
        connection.sendall(b"".join(sent))
        got, ends = b"", time.monotonic() + 20
        while got.count(b"HTTP/1.1 200") < len(sent) or not got.endswith(b"}"):
            got += connection.recv(65_536)
            assert time.monotonic() < ends
    repeats = [
        one.count(b'"rule":"icd10cm/duplicate') > 0 or b'"findings":[]' not in one
        for one in got.split(b"HTTP/1.1 200")[1:]
    ]
    assert repeats == [n % 3 > 0 for n in range(len(sent))]
