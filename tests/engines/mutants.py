"""Mutation testing of what an edit means: change one thing at a time and expect a test to fail.

Every mutant is tested in a fork of one process that has imported what does not change, so that most cost well under a
second. No file is written to: the changed module is compiled in memory. `make mutants` runs it; `mutants.toml` beside
this file says which modules are changed, which tests should notice, and which changes are known to be equivalent.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import math
import os
import re
import resource
import select
import signal
import sys
import threading
import time
import tomllib
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn

import attrs
import pytest

# As `tests/conftest.py` has it.
os.environ.setdefault("HYPOTHESIS_PROFILE", "mutants")
HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
SETTINGS = tomllib.loads((HERE / "mutants.toml").read_text("utf-8"))
RESULTS = PROJECT / "build" / "mutants.jsonl"
CALLS = PROJECT / "build" / "mutants-calls.jsonl"
# What tests and package import that no mutant changes: imported once, before all forks.
UNCHANGED = [
    *(
        "attrs",
        "cattrs",
        "click",
        "hypothesis.strategies",
        "lark",
        "numpy",
        "orjson",
        "pyarrow.compute",
        "pyarrow.dataset",
    ),
    *(
        "rich.console",
        "yaml",
        "weakcode.claims",
        "weakcode.codes.installed",
        "weakcode.findings",
        "weakcode.rules.load",
    ),
]


@attrs.frozen
class Mutant:
    """One change of one module."""

    module: str
    """Path below src/weakcode, without its ending: `semantics/judged`."""
    before: str
    after: str
    """The changed lines, without the space around them."""
    number: int
    """Which of several changes of equal lines it is, from 0."""
    source: str = attrs.field(eq=False, repr=False)
    """The whole changed module."""

    @property
    def key(self) -> list[Any]:
        return [self.module, self.before, self.after, self.number]


def _source(module: str) -> str:
    return (PROJECT / "src" / "weakcode" / f"{module}.py").read_text("utf-8")


def _meaning(source: str) -> str:
    """Return what Python runs of a module: its tree without annotations, which nothing evaluates."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for part in ("annotation", "returns"):
            if getattr(node, part, None) is not None and not isinstance(node, ast.AnnAssign):
                setattr(node, part, None)
        if isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(value=None)
    return ast.dump(tree)


def _changed_lines(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, without the space around them."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " ".join(map(str.strip, old)), " ".join(map(str.strip, new))


def mutants(module: str) -> Iterator[Mutant]:
    """Give every change of a module that Cosmic Ray's operators make and that changes what Python runs."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    source = _source(module)
    tree, seen, numbers = get_ast(source), {_meaning(source)}, Counter[tuple[str, str]]()
    for name in sorted(operator_names()):
        operator = get_operator(name)
        is_skipped = any(re.search(SETTINGS["skip"].get(of, "$^"), name) for of in ("", module))
        if is_skipped or operator.arguments():  # those with arguments ask for names of variables
            continue
        places = sum(len(list(operator().mutation_positions(node))) for node in ast_nodes(tree))
        for occurrence in range(places):
            changed = mutate_code(source, operator(), occurrence)
            try:
                meaning = _meaning(changed)
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                lines = _changed_lines(source, changed)
                yield Mutant(module, *lines, numbers[lines], changed)
                numbers[lines] += 1


def _changed_function(before: str, after: str) -> str | None:
    """Return the one function or method whose body alone differs, by its qualified name; None if anything else does.

    None also for one that runs on import.
    """

    def functions(source: str) -> tuple[dict[str, str], str]:
        tree, found = ast.parse(source), {}
        for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
            for node in owner.body:
                if isinstance(node, ast.FunctionDef):
                    found[f"{owner.name}.{node.name}" if isinstance(owner, ast.ClassDef) else node.name] = ast.dump(
                        ast.Module(node.body, [])
                    )
                    node.body = []
        return found, ast.dump(tree)

    (old, old_rest), (new, new_rest) = functions(before), functions(after)
    changed = [name for name in old if old[name] != new.get(name)]
    return (
        changed[0] if len(changed) == 1 and old_rest == new_rest and changed[0] not in _run_on_import(before) else None
    )


def _run_on_import(source: str) -> set[str]:
    """Return the functions that run when a module is imported: what they have made by then stays as it is."""
    names = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    for node in waiting:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(node.func.id)
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return names


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _replace(mutant: Mutant, name: str) -> None:
    """Put the changed body into the function that every module has already imported."""
    module = importlib.import_module(_dotted(mutant.module))
    owner: Any = module
    for part in name.split("."):
        owner = vars(owner)[part] if isinstance(owner, type) else getattr(owner, part)
    for wrapper in ("fget", "func", "__func__", "__wrapped__"):
        owner = getattr(owner, wrapper, owner)
    compiled = compile(mutant.source, str(module.__file__), "exec", dont_inherit=True)
    owner.__code__ = next(code for code in _codes(compiled) if code.co_qualname == name)
    for other in [one for called, one in sys.modules.items() if called.startswith("weakcode.")]:
        for value in vars(other).values():
            if callable(clear := getattr(value, "cache_clear", None)):
                clear()


def _dotted(module: str) -> str:
    return "weakcode." + module.replace("/", ".")


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the changed module in the place of the file."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = _dotted(mutant.module)
        self._source = mutant.source

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._name else None

    def get_source(self, fullname: str) -> str:
        return self._source


_STANDARD_ERROR = os.dup(2)
"""As it was before pytest caught what is written there."""


def _stop(words: str) -> NoReturn:
    """Say why the run cannot go on, and end this process: pytest would catch an exception."""
    os.write(_STANDARD_ERROR, f"{words}\n".encode())
    os._exit(1)


_FAILED = 70
"""How a fork ends that neither tests nor a change of the tested code ended."""


_WAITING = 10
"""How many times as long as its processor time a fork may take on a busy machine."""


def _in_a_fork(work: Callable[[Callable[[str], None]], int], seconds: float) -> tuple[str, str]:
    """Run `work` in a fork and return what it told, and what else is to be said of its end: "" if it ended well.

    `seconds` are those of processor time.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = _FAILED
        try:
            os.close(reading)
            os.setpgrp()
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds) + 5))
            status = work(lambda words: os.write(writing, words.encode()) and None)
        except BaseException:
            os.write(_STANDARD_ERROR, traceback.format_exc().encode())
        finally:
            os._exit(status)
    os.close(writing)
    told, ends = b"", time.monotonic() + _WAITING * seconds
    while select.select([reading], [], [], max(0.0, ends - time.monotonic()))[0] and (some := os.read(reading, 65536)):
        told += some
    late = time.monotonic() >= ends
    os.close(reading)
    if late:
        os.killpg(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == _FAILED:
        _stop("a change could not be made; what it raised is above")
    late = late or status == -signal.SIGXCPU
    return told.decode(), "ran out of time" if late else f"ended with status {status}" if status else ""


class _Watching:
    """Ends the process at the first test that fails, and tells which."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._tell(report.nodeid)
            os._exit(1)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tell(f"import of {report.nodeid}")
            os._exit(1)


def _pytest(tests: list[str], *plugins: object) -> int:
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    warnings.simplefilter("ignore")
    return int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:warnings", *tests], list(plugins)))


def imported_anew(mutant: Mutant, most: float) -> str:
    """Return which test noticed a change of what runs when the module is imported; "" where none did."""

    tests = list(dict.fromkeys(test.partition("[")[0] for test in _calling(mutant.module, most)))

    def work(tell: Callable[[str], None]) -> int:
        sys.meta_path.insert(0, _Changed(mutant))
        return _pytest(tests, _Watching(tell))

    told, end = _in_a_fork(work, SETTINGS["seconds"])
    if end in (
        f"ended with status {pytest.ExitCode.USAGE_ERROR:d}",
        f"ended with status {pytest.ExitCode.NO_TESTS_COLLECTED:d}",
    ):
        _stop(f"there are no such tests, or none that call {mutant.module}: {tests}")
    return told or end


class Replacing:
    """Plugin of pytest that runs the collected tests once a mutant, those alone that call the changed function."""

    def __init__(self, wanted: list[tuple[Mutant, str]], record: Callable[[Mutant, str], None], most: float) -> None:
        self._most = most
        self._wanted = wanted
        self._record = record

    def pytest_internalerror(self, excrepr: object) -> None:
        os.write(_STANDARD_ERROR, f"{excrepr}\n".encode())

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        gc.collect()
        gc.freeze()
        if not _is_current():
            calls, end = _in_a_fork(lambda tell: self._profile(session.items, tell), 3600)
            if end:
                _stop(f"without a change, this fails already: {calls.splitlines()[-1:]} {end}")
            CALLS.write_text(calls, "utf-8")
        items = {item.nodeid: item for item in session.items}
        for mutant, name in self._wanted:
            what = mutant.module if _remembers(mutant.module) else f"{mutant.module} {name}"
            tests = [items[test] for test in _calling(what, self._most)]
            told, end = _in_a_fork(
                lambda tell, m=mutant, n=name, t=tests: self._try(m, n, t, tell), SETTINGS["seconds"]
            )
            self._record(mutant, told or end)
        return True

    def _profile(self, items: list[pytest.Item], tell: Callable[[str], None]) -> int:
        """Tell of each test how long it takes and which functions of the modules it calls."""
        files = {str(PROJECT / "src" / "weakcode" / f"{module}.py"): module for module in SETTINGS["modules"]}
        called: set[CodeType] = set()

        def watch(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and frame.f_code.co_filename in files:
                called.add(frame.f_code)

        items[0].config.pluginmanager.register(_Watching(tell))
        for at, item in enumerate(items):
            called.clear()
            begins = time.process_time()
            sys.setprofile(watch)
            threading.setprofile(watch)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=items[at + 1] if at + 1 < len(items) else None)
            sys.setprofile(None)
            names = {f"{files[code.co_filename]} {code.co_qualname.split('.<')[0]}" for code in called}
            tell(json.dumps([time.process_time() - begins, item.nodeid, sorted(names)]) + "\n")
        return 0

    def _try(self, mutant: Mutant, name: str, tests: list[pytest.Item], tell: Callable[[str], None]) -> int:
        _replace(mutant, name)
        if tests:
            tests[0].config.pluginmanager.register(_Watching(tell))
        for item, after in zip(tests, [*tests[1:], None], strict=True):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        return 0


def _is_current() -> bool:
    """Tell whether it is known which tests call what, since tests and modules last changed."""
    files = [test.partition("::")[0] for test in SETTINGS["tests"]]
    files += [f"src/weakcode/{module}.py" for module in SETTINGS["modules"]]
    return CALLS.exists() and CALLS.stat().st_mtime >= max((PROJECT / file).stat().st_mtime for file in files)


def _remembers(module: str) -> bool:
    """Tell whether functions of a module keep what they return: only the first of all tests is known to call them."""
    return re.search(r"^@(remembered|lru_cache|cache)\b", _source(module), re.MULTILINE) is not None


def _calling(what: str, most: float) -> list[str]:
    """Return the tests that call a function of a module, or any of it, the shortest first, up to `most` seconds."""
    rows = [json.loads(line) for line in CALLS.read_text("utf-8").splitlines()]
    calling = sorted(row for row in rows if any(f"{name} ".startswith(f"{what} ") for name in row[2]))
    taken = accumulate(seconds for seconds, _, _ in calling)
    return [test for (_, test, _), so_far in zip(calling, taken, strict=True) if so_far <= most]


def _known() -> dict[tuple[str, str, str], str]:
    """The changes that mean the same, with the reason."""
    return {
        (group["module"], before, after): group["why"]
        for group in SETTINGS.get("equivalent", [])
        for before, after in group["changes"]
    }


def _results() -> dict[str, str]:
    if not RESULTS.exists():
        return {}
    rows = [json.loads(line) for line in RESULTS.read_text("utf-8").splitlines()]
    return {json.dumps(row["mutant"]): row["noticed"] for row in rows}


class Results:
    """What became of each mutant, kept as lines of JSON; what is new and neither noticed nor known is printed."""

    def __init__(self, printed: Any) -> None:
        self._known = _known()
        self._printed = printed
        self.counts = Counter[str]()

    def __call__(self, mutant: Mutant, noticed: str) -> None:
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": mutant.key, "noticed": noticed}) + "\n")
        reason = self._known.get((mutant.module, mutant.before, mutant.after))
        self.counts["noticed" if noticed else "equivalent" if reason else "unnoticed"] += 1
        if not noticed and not reason:
            print(f"{mutant.module}\n  - {mutant.before}\n  + {mutant.after}", file=self._printed, flush=True)

    def tell(self) -> None:
        print(
            ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())), file=self._printed, flush=True
        )


def run(modules: Iterable[str], again: bool, part: tuple[int, int], most: float) -> None:
    """Test every mutant of the modules; with `again`, those alone that were unnoticed before."""
    for name in UNCHANGED:
        importlib.import_module(name)
    assert not [name for name in sys.modules if name.startswith("weakcode.semantics")], "these would not be changed"
    RESULTS.parent.mkdir(exist_ok=True)
    known, before, inside, anew = _known(), _results(), list[tuple[Mutant, str]](), list[Mutant]()
    for module in modules:
        source = _source(module)
        for mutant in list(mutants(module))[part[0] :: part[1]]:
            noticed = before.get(json.dumps(mutant.key))
            is_known = (module, mutant.before, mutant.after) in known
            if noticed is not None and (noticed or is_known or not again):
                continue
            if name := _changed_function(source, mutant.source):
                inside.append((mutant, name))
            else:
                anew.append(mutant)
    with os.fdopen(os.dup(1), "w") as printed:
        results = Results(printed)
        print(f"{len(inside)} changes in functions, {len(anew)} of what is imported", file=printed, flush=True)

        def session(_: Callable[[str], None]) -> int:
            status = _pytest(SETTINGS["tests"], Replacing(inside, results, most)) if inside else 0
            results.tell()
            return status

        _, end = _in_a_fork(session, 24 * 3600)
        if end:
            _stop(f"the tests {end}")
        results.counts.clear()
        for mutant in anew:
            results(mutant, imported_anew(mutant, most))
        results.tell()


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Change what an edit means, and list the changes that no test notices."
    )
    parser.add_argument("modules", nargs="*", default=SETTINGS["modules"], help="such as semantics/judged; else all")
    parser.add_argument("--again", action="store_true", help="try those again that were unnoticed before")
    parser.add_argument("--part", default="0/1", help="0/2 and 1/2, for two runs side by side")
    parser.add_argument("--most", type=float, default=math.inf, help="seconds of tests that a change may meet")
    parser.add_argument("--list", action="store_true", help="list the changes and test none")
    asked = parser.parse_args()
    os.chdir(PROJECT)
    sys.path[:0] = [str(PROJECT / "src"), str(PROJECT)]
    if asked.list:
        for module in asked.modules:
            print(module, sum(1 for _ in mutants(module)))
        return
    first, parts = asked.part.split("/")
    run(asked.modules, asked.again, (int(first), int(parts)), asked.most)


if __name__ == "__main__":
    main()
