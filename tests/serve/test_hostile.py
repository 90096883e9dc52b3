"""Whatever is sent, the server goes on answering others, and ends what leads nowhere."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from tests.serve.running import CLAIM, Server, everything, http


def works(server: Server) -> bool:
    answer = server.ask("POST", "/v1/check", CLAIM, timeout=20)
    return answer.status == 200 and bool(answer.json["findings"])


BODIES = {
    "nothing": b"",
    "half": b'{"codes": ["I10"',
    "no UTF-8": b'{"codes": ["\xff\xfe"]}',
    "half a surrogate": b'{"codes": ["I10"], "payer": "\\ud800"}',
    "deep": b"[" * 500_000,
    "deep objects": b'{"a":' * 100_000,
    "deep in a claim": b'{"codes": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a key twice": b'{"codes": ["I10"], "codes": ["I11.0"]}',
    "a huge number": b'{"codes": ["I10"], "age": ' + b"9" * 5_000 + b"}",
    "no number": b'{"codes": ["I10"], "age": NaN}',
    "an empty code": b'{"codes": [""]}',
    "null": b"null",
    "many codes": json.dumps({"codes": ["I10"] * 100_000}).encode(),
    "a long code": json.dumps({"codes": ["I" * 900_000]}).encode(),
    "another version": b'{"codes": ["I10"], "version": 99}',
}


@pytest.mark.parametrize("name", [name for name in BODIES if name != "a long code"])
def test_a_body_that_is_not_a_claim_is_refused_with_a_problem(server: Server, name: str) -> None:
    for path in ("/v1/check", "/v1/fix", "/v1/explain", "/fhir/Claim/$validate"):
        answer = server.ask("POST", path, BODIES[name])
        assert answer.status in (400, 413, 422), (path, answer.body)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["detail"]
        assert "Traceback" not in answer.body.decode()


@pytest.mark.parametrize("number", ["9" * 20, "9" * 400, "1e400", "-1", "0.5", "true", "[]"])
@pytest.mark.parametrize("place", ["sequence", "item"])
def test_a_number_of_fhir_that_is_none_is_an_issue(server: Server, number: str, place: str) -> None:
    sequence, item = (number, "1") if place == "sequence" else ("1", number)
    claim = (
        f'{{"resourceType": "Claim", "diagnosis": [{{"sequence": {sequence}, "diagnosisCodeableConcept": {{"coding": '
        f'[{{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}}]}}}}], "item": [{{"sequence": {item}, '
        f'"diagnosisSequence": [{item}], "productOrService": {{"coding": [{{"code": "99213"}}]}}}}]}}'
    )
    answer = server.ask("POST", "/fhir/Claim/$validate", claim.encode())
    assert answer.status in (200, 400, 422), answer.body
    assert "Traceback" not in answer.body.decode()


@pytest.mark.parametrize("path", ["/v1/check", "/v1/check-many", "/v1/fix", "/v1/explain"])
def test_a_pointer_that_is_too_large_leads_nowhere_and_is_reported(server: Server, path: str) -> None:
    pointer = 10**30
    claim = {"codes": ["I10", "I10"], "lines": [{"procedure": "99213", "pointers": [1, pointer]}]}
    answer = server.ask("POST", path, claim)
    assert answer.status == 200, answer.body
    assert "lines/pointer-off-claim" in answer.body.decode()
    assert str(pointer) in answer.body.decode()


def test_a_body_that_is_packed_is_refused_in_a_sentence(server: Server) -> None:
    body = gzip.compress(json.dumps(CLAIM).encode())
    for path in ("/v1/check", "/v1/check-many", "/v1/fix", "/x12"):
        head = http("POST", path, body, "content-encoding: gzip")
        got = server.raw(head)
        assert got.split(b" ", 2)[1] == b"415", got
        assert b"content-encoding" in got


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/check?profil=acme"),
        ("POST", "/v1/check?profile=a&profile=b"),
        ("POST", "/v1/check-many?rules=x"),
        ("GET", "/v1/codes?q=gout&limt=3"),
        ("GET", "/v1/codes/I10?day=2026-01-01"),
        ("GET", "/v1/rules?profle=x"),
    ],
)
def test_a_parameter_that_does_not_exist_is_reported_and_not_skipped(server: Server, method: str, path: str) -> None:
    answer = server.ask(method, path, CLAIM if method == "POST" else None)
    assert answer.status == 400, answer.body
    assert "parameter" in answer.json["detail"]


def test_a_byte_order_mark_before_the_first_line_is_not_an_error(server: Server) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(CLAIM).encode() + b"\n"
    answer = server.ask("POST", "/v1/check-many", body)
    assert json.loads(answer.body)["findings"]


def test_a_long_code_is_an_unknown_code(server: Server) -> None:
    assert server.ask("POST", "/v1/check", BODIES["a long code"]).json["findings"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00" * 2_000,
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999999999999999\r\n\r\n",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}}",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example:443\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\nx-y: z\r\nhost: b\r\n\r\n",
    ],
    ids=range(16),
)
def test_what_is_not_http_as_it_should_be_is_refused(server: Server, sent: bytes) -> None:
    got = server.raw(sent, timeout=1.5)
    assert got == b"" or got.split(b" ", 2)[1] in (b"400", b"403", b"405", b"411", b"413", b"421", b"404"), got[:200]
    assert works(server)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/page/../../../../etc/passwd",
        "/page/..%2f..%2f..%2fserver.py",
        "/page/%2e%2e/server.py",
        "/page/..\\server.py",
        "/page//etc/passwd",
        "/page/%00index.html",
        "/page/" + "a" * 5_000,
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/codes/..%2f..%2fetc%2fpasswd",
        "/v1/codes/%00",
        "/v1/rules/..%2f..%2fetc/passwd",
        "//etc/passwd",
    ],
)
def test_paths_lead_nowhere_else(server: Server, path: str) -> None:
    got = server.raw(http("GET", path))
    assert got.split(b" ", 2)[1] in (b"404", b"400", b"405"), got[:200]
    assert b"root:" not in got
    assert b"import " not in got
    assert works(server)


def test_a_long_head_is_refused_before_it_is_kept(server: Server) -> None:
    with server.open() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        try:
            for number in range(4_000):
                connection.sendall(b"x-%d: " % number + b"y" * 1_000 + b"\r\n")
        except ConnectionError:
            pass
        else:
            raise AssertionError("four megabytes of headers were taken")
    assert works(server)


def test_a_large_body_is_refused_whether_it_says_its_size_or_not(server: Server) -> None:
    said = http("POST", "/v1/check", b"", "content-length: 5000000")
    assert server.raw(said).split(b" ", 2)[1] == b"413"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with server.open() as connection:
        connection.sendall(http("POST", "/v1/check", b"", "transfer-encoding: chunked"))
        try:
            for _ in range(2_000):
                connection.sendall(chunk)
        except ConnectionError:
            pass
        else:
            raise AssertionError("a hundred megabytes were taken")
    assert works(server)


def test_clients_that_are_slow_are_let_go_while_others_are_answered(start: Callable[..., Server]) -> None:
    server = start("--timeout", "1")
    half_a_body = http("POST", "/v1/check", b"", "content-length: 100") + b'{"codes"'
    slow = [server.open() for _ in range(3)]
    slow[0].sendall(b"GET / HTTP/1.1\r\nhost: local")
    slow[1].sendall(half_a_body)
    began = time.monotonic()
    assert works(server)
    for connection in slow:
        got = everything(connection, 15)
        assert got == b"" or got.split(b" ", 2)[1] == b"408"
        connection.close()
    assert time.monotonic() - began < 14
    assert works(server)


def test_a_client_that_does_not_read_is_let_go_and_holds_up_nobody(start: Callable[..., Server]) -> None:
    server = start("--timeout", "1")
    line = json.dumps(CLAIM).encode() + b"\n"
    with server.open() as connection:
        connection.sendall(http("POST", "/v1/check-many", b"", "transfer-encoding: chunked"))
        chunk = b"%x\r\n" % (len(line) * 100) + line * 100 + b"\r\n"
        connection.settimeout(15)
        sent = 0
        try:
            while sent < 4_000:
                connection.sendall(chunk)
                sent += 1
        except (ConnectionError, TimeoutError):
            pass
        # It was not read on while nobody took the answers.
        assert sent < 4_000
        assert works(server)


def test_more_connections_than_it_may_have_do_not_keep_others_out(start: Callable[..., Server]) -> None:
    server = start("--max-connections", "50")
    crowd: list[socket.socket] = []
    try:
        for number in range(400):
            crowd.append(server.open())
            if number % 3 == 0:
                crowd[-1].sendall(b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{")
            if number % 100 == 0:
                assert works(server)
        assert works(server)
    finally:
        for one in crowd:
            one.close()
    assert works(server)


def test_half_bodies_and_unread_answers_keep_nobody_out(start: Callable[..., Server]) -> None:
    server = start("--max-connections", "600")
    half = b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{"
    stream = b"POST /v1/check-many HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    crowd: list[socket.socket] = []
    try:
        for number in range(500):
            crowd.append(server.open())
            crowd[-1].sendall(half if number % 2 else stream)
        time.sleep(0.5)
        assert works(server)
    finally:
        for one in crowd:
            one.close()
    assert works(server)


@pytest.mark.attack
def test_ten_thousand_connections_leave_it_answering(start: Callable[..., Server]) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 12_000:
        pytest.skip("this machine allows fewer than 12,000 open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (12_000, hard))
    server = start()
    sent = (
        b"GET / HTTP/1.1\r\nho",
        b"POST /v1/check HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\n{",
        b"",
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n",
    )
    crowd: list[socket.socket] = []
    try:
        for number in range(10_000):
            crowd.append(server.open())
            crowd[-1].sendall(sent[number % 4])
            if number % 1_000 == 999:
                assert works(server)
    finally:
        for one in crowd:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert works(server)


def test_many_at_once_all_get_their_own_answer(server: Server) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(10):
            claim = {"id": f"{number}-{turn}", "codes": ["I10"] * (1 + number % 3)}
            answer = server.ask("POST", "/v1/check", claim)
            if answer.status != 200 or bool(answer.json["findings"]) != (number % 3 > 0):
                wrong.append(answer)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def ask_for(seconds: float, server: Server) -> None:
    """Ask again and again."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        server.ask("GET", "/healthz")


def test_a_stop_finishes_what_was_accepted_and_takes_nothing_new(start: Callable[..., Server]) -> None:
    server = start()
    lines = [json.dumps({"id": f"N{number}", "codes": ["I10"]}).encode() + b"\n" for number in range(400)]
    with server.open() as connection:
        connection.sendall(http("POST", "/v1/check-many", b"", f"content-length: {sum(map(len, lines))}"))
        connection.sendall(b"".join(lines[:200]))
        assert connection.recv(1) == b"H"
        server.process.terminate()
        with pytest.raises(OSError):  # noqa: PT011 - whichever way it is refused
            ask_for(30, server)
        connection.sendall(b"".join(lines[200:]))
        got = everything(connection)
    assert got.count(b'"claim_id":"N') == 400
    assert got.endswith(b"0\r\n\r\n")
    assert server.stop() == 0


def test_an_answer_that_a_stop_cuts_short_shows_it(start: Callable[..., Server]) -> None:
    server = start("--timeout", "1")
    with server.open() as connection:
        connection.sendall(http("POST", "/v1/check-many", b"", "content-length: 1000"))
        connection.sendall(b'{"codes": ["I10"]}\n')
        server.process.terminate()
        got = everything(connection)
    assert not got.endswith(b"0\r\n\r\n")
    server.stop()
