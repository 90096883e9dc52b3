"""gunicorn loads an application once and forks its workers: a warm validator judges in all of them."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import weakcode

pytest.importorskip("gunicorn", reason="needs gunicorn, which forks workers")

CODES = ["G72.9", "M62.84", "E11.9", "I10", "I10"]
APPLICATION = """
import json, os
import weakcode

validator = weakcode.Validator()
validator.warm()

def application(environ, start_response):
    found = validator.check(weakcode.Claim(environ["QUERY_STRING"].split("+")))
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps([os.getpid(), [[one.rule, list(one.positions)] for one in found]]).encode()]
"""


class _Local(http.client.HTTPConnection):
    """A connection to a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(str(self._path))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """gunicorn with two workers of two threads each, replaced after ten claims; gives the path of its socket."""
    (tmp_path / "judge.py").write_text(APPLICATION)
    place = tmp_path / "socket"
    options = ["--preload", "--workers", "2", "--threads", "2", "--max-requests", "10", "--bind", f"unix:{place}"]
    log = (tmp_path / "log").open("wb")
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "judge:application"],
        cwd=tmp_path,
        stdout=log,
        stderr=log,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))},
    ) as master:
        deadline = time.monotonic() + 60
        while not place.exists():
            assert master.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.1)
        yield place
        master.terminate()
        assert master.wait(60) == 0, (tmp_path / "log").read_text()


def asked(place: Path) -> tuple[int, list[list[object]]]:
    connection = _Local(place)
    connection.request("GET", f"/?{'+'.join(CODES)}")
    pid, found = json.loads(connection.getresponse().read())
    connection.close()
    return pid, found


def test_workers_forked_from_a_warm_application_find_what_one_process_finds(server: Path) -> None:
    wanted = [[one.rule, list(one.positions)] for one in weakcode.Validator().check(weakcode.Claim(CODES))]
    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(asked, [server] * 60))
    assert [found for _, found in answers] == [wanted] * 60
    # Workers are replaced by new forks of the first process, whose rules were read once.
    assert len({pid for pid, _ in answers}) > 2
