"""A database server for the tests of tables."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server of the tests' own, or a skip that says why there is none."""
    for package in ("adbc_driver_postgresql", "sqlglot"):
        pytest.importorskip(package, reason="needs the extra sql")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    binaries = next((place for place in places if (place / "initdb").exists()), None)
    found = shutil.which("initdb")
    if binaries is None and found:
        binaries = Path(found).parent
    if binaries is None:
        pytest.skip("needs PostgreSQL's server programs (Debian: postgresql)")
    # The server refuses to run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user and subprocess.run([*user, "true"], capture_output=True, check=False).returncode:
        pytest.skip("runs as root, and there is no user postgres that a PostgreSQL server could run as")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="weakcode-pg-"))
    folder.chmod(0o777)
    data, options = folder / "data", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    try:
        for step in (
            [binaries / "initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync"],
            [binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"],
        ):
            done = subprocess.run([*user, *map(str, step)], capture_output=True, text=True, check=False, cwd=folder)
            if done.returncode:
                pytest.skip(f"PostgreSQL does not start: {done.stderr.strip()[-200:]}")
        yield f"postgresql://tester@127.0.0.1:{port}/postgres"
    finally:
        with suppress(OSError):
            stop = [str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
            subprocess.run([*user, *stop], capture_output=True, check=False, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)
