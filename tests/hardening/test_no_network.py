"""Nothing that weakcode does opens a connection: it runs with sockets that cannot be had."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.forked import Forks

PROJECT = Path(__file__).resolve().parents[2]
# An audit hook sees what Python code asks for, whichever module asks; it cannot be taken away again.
BLOCKED = """
import sys
def refuse(event, arguments):
    if event.startswith("socket.") and event != "socket.__new__" or event == "socket.__new__" and arguments[1] != 1:
        print("NETWORK", event, file=sys.stderr)
        raise RuntimeError("no network")
sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def offline() -> Iterator[Forks]:
    """A process that imports weakcode, and whose children run it, without sockets."""
    with Forks.started(BLOCKED) as started:
        yield started


def run(offline: Forks, folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    done = attempted(offline, folder, *arguments, **more)
    assert "NETWORK" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def attempted(offline: Forks, folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    # A new cache, so that the edition and the rules are compiled as on the first day.
    environment = {**os.environ, "WEAKCODE_CACHE_DIR": str(folder / "cache"), **more}
    return offline.run(*arguments, folder=folder, environment=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("offline")
    (made / "claims.csv").write_text((PROJECT / "examples" / "claims.csv").read_text())
    return made


def test_a_connection_would_be_seen(tmp_path: Path) -> None:
    for attempt in (
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    ):
        done = subprocess.run(
            [sys.executable, "-c", f"{BLOCKED}\n{attempt}"], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert "NETWORK socket." in done.stderr


def test_every_command_does_its_work_without_a_network(offline: Forks, folder: Path) -> None:
    assert run(offline, folder, "--version").returncode == 0
    assert run(offline, folder, "check", "M62.84", "I10").returncode == 1
    assert run(offline, folder, "check", "M62.84", "I10", "--engine", "columnar", "--explain").returncode == 1
    assert run(offline, folder, "fix", "M62.84", "G72.9").stdout
    assert run(offline, folder, "find", "senile debility").stdout
    assert run(offline, folder, "code", "M62.84").stdout
    assert run(offline, folder, "rules", "list").returncode == 0
    assert run(offline, folder, "edition", "list").returncode == 0
    scrubbed = run(
        offline, folder, "scrub", "claims.csv", "-o", "f.parquet", "--rejects", "r.csv", "--summary", "s.json"
    )
    assert scrubbed.returncode == 1
    assert json.loads((folder / "s.json").read_text())["findings"]
    query = "SELECT claim_id, codes FROM 'claims.csv'"
    assert run(offline, folder, "scrub", "--sql", query, "--allow", ".", "--fix", "mended.jsonl").returncode in (0, 1)
    assert (folder / "mended.jsonl").stat().st_size


def test_edition_fetch_alone_opens_a_connection_without_being_given_an_address(offline: Forks, folder: Path) -> None:
    assert "NETWORK socket." in attempted(offline, folder, "edition", "fetch", WEAKCODE_TODAY="2026-11-28").stderr
    assert not (folder / "data").exists()
    # What can speak to a server is imported by one module, and that module by one other, for this one command.
    speaks = (
        "urllib.request",
        "urllib import request",
        "http.client",
        "ftplib",
        "smtplib",
        "requests",
        "httpx",
        "urllib3",
    )
    imports = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(map(re.escape, speaks))})\b", re.MULTILINE)
    package = PROJECT / "src" / "weakcode"
    texts = {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in package.rglob("*.py")}
    assert [name for name, text in texts.items() if imports.search(text)] == ["codes/web/download.py"]
    assert [name for name, text in texts.items() if "web.download" in text] == ["codes/web/releases.py"]
    assert [name for name, text in texts.items() if re.search(r"import .*\breleases\b", text)] == [
        "cli/codes/edition.py"
    ]


def test_a_report_is_made_without_a_network(offline: Forks, folder: Path) -> None:
    pytest.importorskip("vl_convert", reason="needs the extra report")
    run(offline, folder, "scrub", "claims.csv", "-o", "g.parquet")
    done = run(offline, folder, "report", "g.parquet", "--claims", "claims.csv", "-o", "report.html")
    assert done.returncode == 0, done.stderr
    assert (folder / "report.html").stat().st_size > 100_000


@pytest.mark.parametrize(
    "source", ["https://127.0.0.1:9/claims.parquet", "s3://nowhere/claims.parquet", "http://127.0.0.1:9/c.csv"]
)
def test_a_query_fetches_neither_files_nor_extensions(offline: Forks, folder: Path, source: str) -> None:
    # The kernel of DuckDB is native, where the hook sees nothing; what it would need, it has nowhere and may not fetch.
    done = run(offline, folder, "scrub", "--sql", f"SELECT * FROM '{source}'", "-o", "h.csv", HOME=str(folder))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"may not read {source}: nothing is fetched from a network" in done.stderr
    assert not (folder / "h.csv").exists()
    assert not list(folder.glob(".duckdb/**/*.duckdb_extension"))
