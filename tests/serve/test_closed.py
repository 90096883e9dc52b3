"""The server is closed by default: to other machines, names and pages; with tokens it opens to those who have one."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.serve.running import CLAIM, Server, http
from weakcode.cli import main
from weakcode.errors import InputError
from weakcode.serve.tokens import Tokens

TOKENS = ["first-token-of-the-file-1234", "second-token-of-the-file-5678"]


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org", "127.0.0.1.example.org"])
def test_an_address_of_other_machines_is_refused_without_tokens(host: str) -> None:
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    result = CliRunner().invoke(main, ["serve", "--host", host, "--port", "0"])
    assert result.exit_code == 2
    assert "--token-file" in result.stderr


def test_it_listens_on_this_machine_only(server: Server) -> None:
    listening = Path("/proc/net/tcp")
    if not listening.exists():
        pytest.skip("this system does not show who listens")
    places = [line.split()[1] for line in listening.read_text().splitlines()[1:] if line.split()[3] == "0A"]
    assert [place.split(":")[0] for place in places if int(place.split(":")[1], 16) == server.port] == ["0100007F"]


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("", 0o600, "has no token"),
        ("# nothing\n\n", 0o600, "has no token"),
        ("short\n", 0o600, "shorter than 20"),
        (TOKENS[0], 0o644, "open to other users"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_file_of_tokens_that_opens_to_anybody_is_refused(
    tmp_path: Path, text: str | None, mode: int, said: str
) -> None:
    pytest.importorskip("uvicorn", reason="the extra serve is not installed")
    path = tmp_path / "tokens"
    if text is not None:
        written(path, text, mode)
    result = CliRunner().invoke(main, ["serve", "--host", "0.0.0.0", "--token-file", str(path)])
    assert result.exit_code == 2
    assert said in result.stderr
    assert TOKENS[0] not in result.stderr


def test_tokens_open_it_and_a_change_of_the_file_is_taken_over(start: Callable[..., Server], tmp_path: Path) -> None:
    path = written(tmp_path / "tokens", "# of the desk\n" + "\n".join(TOKENS))
    server = start("--host", "0.0.0.0", "--token-file", str(path))

    def status(token: str | None, path: str = "/v1/check") -> int:
        heads = {} if token is None else {"authorization": f"Bearer {token}"}
        return server.ask("POST" if "check" in path else "GET", path, CLAIM if "check" in path else None, heads).status

    assert [status(token) for token in TOKENS] == [200, 200]
    for wrong in (None, "", TOKENS[0][:-1], TOKENS[0] + "x", "# of the desk"):
        assert status(wrong) == 401
    refused = server.ask("POST", "/v1/check", CLAIM)
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert server.ask("POST", "/v1/check", CLAIM, {"authorization": f"Basic {TOKENS[0]}"}).status == 401
    for path_without in ("/healthz", "/readyz", "/"):
        assert status(None, path_without) == 200
    for path_with in ("/metrics", "/openapi.json", "/v1/rules", "/v1/codes?q=pain", "/nowhere"):
        assert status(None, path_with) == 401
    written(path, "third-token-of-the-file-9012")
    time.sleep(1.2)
    assert (status(TOKENS[0]), status("third-token-of-the-file-9012")) == (401, 200)
    path.chmod(0o644)
    written(path, "", 0o600)
    time.sleep(1.2)
    assert status("third-token-of-the-file-9012") == 401
    assert not any(token in server.told() for token in TOKENS)


def test_it_answers_to_its_own_names_only(server: Server, start: Callable[..., Server]) -> None:
    body = json.dumps(CLAIM).encode()

    def status(to: Server, host: str) -> bytes:
        return to.raw(http("POST", "/v1/check", body, host=host)).split(b" ", 2)[1]

    for name in ("127.0.0.1", f"localhost:{server.port}", "LOCALHOST", "[::1]:80"):
        assert status(server, name) == b"200", name
    for name in ("evil.example", "127.0.0.1.evil.example", "", "[::1", "localhost.", "localhost@evil.example"):
        assert status(server, name) == b"421", name
    named = start("--allow-host", "desk.example.org")
    assert status(named, "desk.example.org:443") == b"200"
    assert status(named, "example.org") == b"421"


def test_pages_of_other_servers_may_not_use_it_unless_they_are_named(
    server: Server, start: Callable[..., Server]
) -> None:
    def asked(to: Server, method: str = "POST", **heads: str) -> tuple[int, str | None]:
        answer = to.ask(method, "/v1/check", CLAIM, {name.replace("_", "-"): value for name, value in heads.items()})
        return answer.status, answer.headers.get("access-control-allow-origin")

    own = f"http://127.0.0.1:{server.port}"
    assert asked(server, origin=own) == (200, None)
    for heads in ({"origin": "https://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "cross-site"}):
        assert asked(server, **heads) == (403, None)
        assert asked(server, "OPTIONS", **heads)[1] is None
    named = start("--allow-origin", "https://desk.example.org")
    assert asked(named, origin="https://desk.example.org") == (200, "https://desk.example.org")
    assert asked(named, "OPTIONS", origin="https://desk.example.org") == (204, "https://desk.example.org")
    assert asked(named, origin="https://desk.example.org.evil.example") == (403, None)
    for wrong in ("*", "desk.example.org", "https://desk.example.org/"):
        result = CliRunner().invoke(main, ["serve", "--allow-origin", wrong])
        assert result.exit_code == 2
        assert "is not an origin" in result.stderr


def test_with_a_certificate_it_speaks_tls(start: Callable[..., Server], tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key)]
    subprocess.run([*made, "-out", str(certificate), *names], check=True, capture_output=True)
    server = start("--tls-certificate", str(certificate), "--tls-key", str(key))
    trusting = ssl.create_default_context(cafile=str(certificate))
    with (
        socket.create_connection(("127.0.0.1", server.port), 20) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        secure.sendall(http("GET", "/healthz", host="localhost"))
        assert secure.recv(100).startswith(b"HTTP/1.1 200")
    assert CliRunner().invoke(main, ["serve", "--tls-key", str(key)]).exit_code == 2


def test_nothing_of_a_claim_is_in_the_log_the_counts_or_an_error(server: Server) -> None:
    secret = "SECRET-77"
    claims = [
        {"id": secret, "codes": ["M62.84"]},
        {"id": secret, "codes": [secret]},
        {"id": secret, "codes": ["I10"], "age": secret},
        {"id": secret, "codes": ["I10"], "payer": [secret]},
        {"id": secret, "codes": ["I10"], "documented": [secret]},
        {"id": secret, "codes": ["I10"], secret: 1},
        {"id": [secret], "codes": ["I10"]},
        {"id": secret, "codes": {secret: 1}},
        {"id": secret, "codes": ["I10"], "birth_date": secret},
    ]
    for path in ("/v1/check", "/v1/fix", "/v1/explain"):
        for claim in claims:
            answer = server.ask("POST", path, claim)
            if answer.status != 200:
                assert secret not in answer.body.decode(), (path, claim)
    server.ask("GET", f"/v1/{secret}")
    server.raw(f"GARBAGE {secret}\r\n\r\n".encode())
    assert secret not in server.ask("GET", "/metrics").body.decode()
    assert secret not in server.told()
    assert "HID-77" not in server.told()


def test_a_file_of_tokens_that_its_owner_gives_to_our_group_is_read(tmp_path: Path) -> None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only the superuser gives files away")
    path = written(tmp_path / "tokens", "\n".join(TOKENS))
    os.chown(path, 10_001, os.getegid())
    path.chmod(0o440)
    assert Tokens(path).opens(TOKENS[0].encode())
    path.chmod(0o444)
    with pytest.raises(InputError, match="open to other users"):
        Tokens(path)
