"""Children that are forked, spawned or started from a server's first process judge claims, whatever its threads do."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.hardening.interrupting import ENGINES

import weakcode
from weakcode import Claim, Finding, Validator

PACKAGE = Path(weakcode.__file__).parent
CODES = ["G72.9", "M62.84", "E11.9", "I10", "I10"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, which this system does not have")


def forked(engine: str, forks: int, *more: str) -> None:
    """Run the program of forking.py; its children say on standard error where they hang."""
    # Python 3.12 warns of every fork of a process with threads.
    quiet = ["-W", "ignore::DeprecationWarning"]
    command = [sys.executable, *quiet, "-m", "tests.hardening.forking", engine, str(forks), *more]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_fork
@pytest.mark.parametrize("engine", ENGINES)
def test_children_that_are_forked_while_threads_check_claims_judge_at_once(engine: str) -> None:
    forked(engine, 20)


@needs_fork
@pytest.mark.attack
@pytest.mark.parametrize("more", [(), ("first",)], ids=["warm", "first-claim"])
@pytest.mark.parametrize("engine", ENGINES)
def test_hundreds_of_forks_leave_no_child_that_hangs(engine: str, more: tuple[str, ...]) -> None:
    for _ in range(4 if more else 1):
        forked(engine, 60 if more else 300, *more)


def _start(packed: Validator) -> None:
    global _validator
    _validator = packed


def _judge(codes: list[str]) -> tuple[Finding, ...]:
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(_validator.check, [Claim(codes)] * 2)
    assert one == other
    return one


def pooled(validator: Validator, way: str) -> list[tuple[Finding, ...]]:
    """Let two processes, started in this way, judge claims in two threads each, while threads here do so too."""
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            validator.check(Claim(CODES))

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        context = multiprocessing.get_context(way)
        with ProcessPoolExecutor(2, context, _start, (validator,)) as pool:
            return list(pool.map(_judge, [CODES] * 6))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("way", "engine"),
    [
        ("fork", "columnar"),
        pytest.param("spawn", "columnar", marks=pytest.mark.attack),
        pytest.param("forkserver", "columnar", marks=pytest.mark.attack),
    ],
)
def test_a_pool_of_processes_judges_while_threads_of_its_maker_do(way: str, engine: str) -> None:
    if way not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system does not start processes by {way}")
    validator = Validator(engine=engine)
    assert pooled(validator, way) == [validator.check(Claim(CODES))] * 6


def _modules() -> Iterator[str]:
    for found in pkgutil.walk_packages([str(PACKAGE)], "weakcode."):
        if not found.name.endswith("__main__"):
            yield found.name


def test_no_class_of_the_package_has_a_lock_for_all_its_objects() -> None:
    for name in _modules():
        try:
            module = importlib.import_module(name)
        except ImportError:  # that of an extra, or durable-rules on a Python that it does not fit
            continue
        for owner in vars(module).values():
            if isinstance(owner, type) and owner.__module__ == name:
                held = [key for key, value in vars(owner).items() if isinstance(value, functools.cached_property)]
                assert not held, f"{name}.{owner.__name__} has {held}; use weakcode.base.lazy"


_LOCKS = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier", "Queue"}
_HOMES = {"threading", "multiprocessing", "queue", "asyncio"}


def test_the_package_has_no_lock_but_the_one_that_every_fork_takes() -> None:
    made = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in _LOCKS and ast.unparse(node.value) in _HOMES:
                made.add((path.name, node.attr))
            elif isinstance(node, ast.ImportFrom) and node.module in _HOMES:
                made.update((path.name, name.name) for name in node.names if name.name in _LOCKS)
    assert made == {("building.py", "RLock")}


WITHIN = """
try:
    import weakcode
except ImportError as refused:
    print(refused, flush=True)
"""

IN_A_SUBINTERPRETER = """
import importlib, sys
for name in ("_interpreters", "_xxsubinterpreters"):
    try:
        interpreters = importlib.import_module(name)
        break
    except ImportError:
        continue
else:
    sys.exit(77)
made = interpreters.create()
interpreters.run_string(made, f"import sys; sys.path[:] = {sys.path}" + sys.argv[1])
interpreters.destroy(made)
import weakcode
print(len(weakcode.check(["M62.84"], packs="weakness")), flush=True)
"""


def test_a_subinterpreter_is_refused_in_one_sentence_and_the_main_one_works_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_A_SUBINTERPRETER, WITHIN], capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("this Python makes no subinterpreters")
    refused, found = done.stdout.splitlines()
    assert refused.startswith("weakcode does not run in a subinterpreter; use threads or processes")
    assert (found, done.returncode, done.stderr) == ("1", 0, "")
