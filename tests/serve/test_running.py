"""Profiles by name, several processes, and the service over standard input and output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import weakcode
from tests.serve.running import CLAIM, Server
from weakcode.cli import main

SARCOPENIA = "weakness/sarcopenia-underlying-disease-first"


def profile(severity: str) -> str:
    return f"name: clinic\nrules:\n  {SARCOPENIA}: {severity}\n"


def told(server: Server, query: str = "", path: str = "/v1/check") -> dict[str, str]:
    answer = server.ask("POST", f"{path}{query}", CLAIM)
    assert answer.status == 200, answer.body
    return {finding["rule"]: finding["severity"] for finding in answer.json["findings"]}


def test_profiles_are_chosen_by_name_and_their_changes_are_taken_over(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "clinic.yaml").write_text(profile("info"), "utf-8")
    (tmp_path / "outside.yaml").write_text(profile("off"), "utf-8")
    server = start("--profiles", str(folder))
    assert told(server)[SARCOPENIA] == "error"
    assert told(server, "?profile=clinic")[SARCOPENIA] == "info"
    rules = server.ask("GET", "/v1/rules?profile=clinic").json["rules"]
    assert {rule["id"]: rule["severity"] for rule in rules}[SARCOPENIA] == "info"
    for name in ("other", "", "..%2foutside", "clinic.yaml", str(folder / "clinic"), "../outside", "a" * 200):
        refused = server.ask("POST", f"/v1/check?profile={name}", CLAIM)
        assert (refused.status, str(tmp_path) in refused.body.decode()) == (404, False), name
    (folder / "clinic.yaml").write_text(profile("off"), "utf-8")
    time.sleep(1.2)
    assert SARCOPENIA not in told(server, "?profile=clinic")
    (folder / "clinic.yaml").write_text("rules: [", "utf-8")
    time.sleep(1.2)
    assert SARCOPENIA not in told(server, "?profile=clinic"), "it judges as it did before it had errors"
    metrics = server.ask("GET", "/metrics").body
    assert b"weakcode_profiles_refused 1" in metrics
    assert b"weakcode_profiles_stale 1" in metrics
    assert server.ask("GET", "/readyz").json["stale_profiles"] == 1
    assert 'the profile "clinic" has errors' in server.told()
    assert told(server)[SARCOPENIA] == "error"
    (folder / "clinic.yaml").write_text(profile("warning"), "utf-8")
    (folder / "never.yaml").write_text("rules: [", "utf-8")
    time.sleep(1.2)
    assert told(server, "?profile=clinic")[SARCOPENIA] == "warning"
    assert "stale_profiles" not in server.ask("GET", "/readyz").json
    assert server.ask("POST", "/v1/check?profile=never", CLAIM).status == 503
    (folder / "clinic.yaml").unlink()
    time.sleep(1.2)
    assert server.ask("POST", "/v1/check?profile=clinic", CLAIM).status == 404


def test_without_a_folder_there_are_no_profiles(server: Server) -> None:
    assert server.ask("POST", "/v1/check?profile=clinic", CLAIM).status == 404


def test_the_rules_of_the_command_line_judge(start: Callable[..., Server]) -> None:
    server = start("--only", "covid")
    assert told(server) == {}
    assert server.ask("GET", "/readyz").json["packs"] == list(weakcode.Validator(packs=["covid"]).packs)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_several_processes_answer_count_together_and_are_replaced(start: Callable[..., Server]) -> None:
    server = start("--workers", "2")
    for _ in range(40):
        told(server)
    counted = b'weakcode_claims_total{outcome="evaluated"} 40\n'
    assert counted in server.ask("GET", "/metrics").body
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    if children:
        assert len(children) == 2
        os.kill(int(children[0]), signal.SIGKILL)
        for _ in range(10):
            told(server)
    assert server.stop() == 0


def test_an_address_that_is_taken_is_one_sentence(server: Server) -> None:
    result = CliRunner().invoke(main, ["serve", "--port", str(server.port)])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1, port {server.port}" in result.stderr
    result = CliRunner().invoke(main, ["serve", "--profiles", "no-such-folder"])
    assert result.exit_code == 2
    assert "is not a folder" in result.stderr


def test_a_program_gets_each_verdict_before_it_sends_the_next_claim() -> None:
    command = [sys.executable, "-m", "weakcode", "serve", "--stdio"]
    validator = weakcode.Validator()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            claim = {**CLAIM, "id": f"N{number}"}
            process.stdin.write(json.dumps(claim).encode() + b"\n")
            process.stdin.flush()
            values = json.loads(process.stdout.readline())
            assert values.pop("claim_id") == f"N{number}"
            assert values == json.loads(json.dumps(validator.judge(claim).to_dict()))
        process.stdin.write(b"{\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["line"] == 4
        process.stdin.close()
        assert process.wait(20) == 0
