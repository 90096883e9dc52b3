"""Python programs run as children of one process that has imported weakcode already, each in a tenth of the time.

A child starts as a new process does, but for what is imported: it has its own folder, environment, arguments, input and
output, and ends as Python ends. What happens while Python starts is seen in a process of its own alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

COMMAND = "import sys; from weakcode.cli import main; main(sys.argv[1:])"
"""The program that is the command line."""

# Nothing is imported that starts a thread: a fork would not have it.
_SERVER = """
import atexit, contextlib, gc, importlib, json, os, pkgutil, resource, signal, sys, threading, time, traceback
import duckdb, pyarrow.dataset, pyarrow.parquet
import weakcode

for part in ("cli", "codes", "compile", "engines", "fix", "rules", "scrub", "semantics", "validator"):
    package = importlib.import_module("weakcode." + part)
    for module in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(module.name)

gc.freeze()
for asked in map(json.loads, iter(sys.stdin.readline, "")):
    child = os.fork()
    if not child:
        break
    if asked["seconds"] is not None:
        time.sleep(asked["seconds"])
        os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    os._exit(0)

os.chdir(asked["folder"])
os.environ.clear()
os.environ.update(asked["environment"])
for number, path in enumerate(asked["streams"]):
    opened = os.open(path, os.O_RDWR if number else os.O_RDONLY)
    os.dup2(opened, number)
    os.close(opened)
sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
if asked["largest"] is not None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest"],) * 2)
sys.argv[1:] = asked["arguments"]
status = 0
try:
    exec(compile(asked["program"], "<string>", "exec"), {"__name__": "__main__"})
except SystemExit as ending:
    status = ending.code if isinstance(ending.code, int) else ending.code is not None
except BaseException:
    traceback.print_exc()
    status = 1
# What Python does at its end, but for taking everything apart.
threading._shutdown()
atexit._run_exitfuncs()
sys.stdout.flush()
sys.stderr.flush()
os._exit(status)
"""


class Forks:
    """The process whose children run programs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        *arguments: str,
        folder: Path,
        program: str = COMMAND,
        environment: Mapping[str, str] | None = None,
        largest: int | None = None,
        seconds: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, or kill it after some seconds; no file that it writes may become larger."""
        with tempfile.NamedTemporaryFile() as out, tempfile.NamedTemporaryFile() as err:
            asked = {
                "program": program,
                "arguments": arguments,
                "folder": str(folder),
                "environment": dict(os.environ if environment is None else environment),
                "streams": [os.devnull, out.name, err.name],
                "largest": largest,
                "seconds": seconds,
            }
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            status = int(self._process.stdout.readline())
            output, errors = (file.read().decode("utf-8", "replace") for file in (out, err))
            return subprocess.CompletedProcess(arguments, status, output, errors)

    @classmethod
    @contextmanager
    def started(cls, before: str = "") -> Iterator[Forks]:
        """Start the process, which runs something of its own `before` it imports anything."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
        pipe = subprocess.PIPE
        with subprocess.Popen(
            [sys.executable, "-c", f"{before}\n{_SERVER}"], stdin=pipe, stdout=pipe, text=True, env=environment
        ) as process:
            yield cls(process)
            assert process.stdin is not None
            process.stdin.close()
