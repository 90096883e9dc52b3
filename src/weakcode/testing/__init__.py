"""A plugin for pytest: the examples of one's own rule files are tests.

`pytest -p weakcode.testing rules/`, or `pytest_plugins = ["weakcode.testing"]` in the conftest.py of the root, collects
every YAML file with a `pack` and runs each example of its rules as a test of its own, named by rule and example. Files
whose names begin with an underscore hold what others share, and are passed over. A rule without examples is a test that
is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from weakcode.checking import cases_in
from weakcode.errors import WeakcodeError
from weakcode.rules.examples import ExampleResult
from weakcode.rules.load import load_pack

_PACK = re.compile(rb"^pack\s*:", re.MULTILINE)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a rule file."""
    if file_path.suffix not in (".yaml", ".yml") or file_path.name.startswith("_"):
        return None
    if not _PACK.search(file_path.read_bytes()):
        return None
    return RuleFileTests.from_parent(parent, path=file_path)


class RuleFileTests(pytest.File):
    """The tests of a rule file: its examples."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give a test for each example. A file that is refused is an error of collection, with its problems."""
        try:
            loaded = load_pack(self.path)
            cases = list(cases_in([str(self.path)]))
        except WeakcodeError as error:
            raise self.CollectError(str(error)) from None
        tested = set()
        for case, run in cases:
            tested.add(case.rule)
            line = loaded.lines[case.rule.partition("/")[2]]
            yield ExampleTest.from_parent(self, name=f"{case.rule} {case.label}", line=line, run=run)
        for rule in loaded.pack.rules:
            full_id = f"{loaded.pack.pack}/{rule.id}"
            if full_id not in tested:
                yield ExampleTest.from_parent(self, name=full_id, line=loaded.lines[rule.id], run=None)


class DifferentFindingsError(AssertionError):
    """An example that does not give the findings that its rule file says."""


class ExampleTest(pytest.Item):
    """One example of a rule, or a rule without any."""

    def __init__(self, *, line: int, run: Callable[[], ExampleResult] | None, **more: Any) -> None:
        super().__init__(**more)
        self._line, self._run = line, run

    def runtest(self) -> None:
        """Judge the claim of the example by its rule alone."""
        if self._run is None:
            pytest.skip("the rule has no examples")
        result = self._run()
        if not result.ok:
            raise DifferentFindingsError(result.diff)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Show what the rule file says and what was found."""
        if isinstance(excinfo.value, DifferentFindingsError):
            return f"{self.name}\n{excinfo.value}"
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where the rule stands."""
        return self.path, self._line - 1, self.name
