"""The clients in other languages get what the server says, where the language is on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serve.running import CLAIM, Server

CLIENTS = Path(__file__).resolve().parents[2] / "examples" / "clients"
WAYS = {
    "check.mjs": ("node",),
    "Check.java": ("java",),
    "check.go": ("go", "run"),
    "Check.cs": ("dotnet", "run"),
}
RULE = "weakness/sarcopenia-underlying-disease-first"
TOKEN = "a-token-for-the-clients-1234"


def test_there_is_a_way_to_run_each_client() -> None:
    assert {path.name for path in CLIENTS.iterdir()} == {*WAYS}


@pytest.mark.parametrize("name", WAYS)
def test_a_client_shows_findings_and_problems(start: Callable[..., Server], tmp_path: Path, name: str) -> None:
    program, *words = WAYS[name]
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on this machine")
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN, "utf-8")
    tokens.chmod(0o600)
    server = start("--token-file", str(tokens))

    def run(claim: object, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
        command = [found, *words, str(CLIENTS / name), f"http://127.0.0.1:{server.port}"]
        environment = {**os.environ, "WEAKCODE_TOKEN": token}
        return subprocess.run(
            command, input=json.dumps(claim), capture_output=True, text=True, timeout=120, check=False, env=environment
        )

    done = run(CLAIM)
    if program == "java" and done.returncode == 1 and "compiler" in done.stderr.lower():
        pytest.skip("this Java has no compiler to run a source file with")
    assert RULE in done.stdout, done.stderr
    refused = run({"codes": []})
    assert refused.returncode == 2
    assert "the claim has no diagnosis codes; give at least one" in refused.stderr
    shut = run(CLAIM, "another-token-that-is-wrong")
    assert shut.returncode == 2
    assert "token" in shut.stderr
