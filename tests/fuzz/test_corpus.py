"""What fuzzing starts from and what it once found keeps the promises of its target; then a short new search."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SECONDS = int(os.environ.get("WEAKCODE_FUZZ_SECONDS", "10" if NIGHTLY else "1"))
SEED = 0 if NIGHTLY else 6281
"""A search that is the same each time; the nightly profile searches elsewhere every night."""


def _targets() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_targets", PROJECT / "fuzz" / "targets.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


targets = _targets()
INPUTS = sorted(path for path in (PROJECT / "fuzz" / "corpus").glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_input_that_was_kept_ends_in_an_answer_or_a_sentence(path: Path) -> None:
    targets.TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_inputs_to_start_from() -> None:
    assert {path.parent.name for path in INPUTS} == set(targets.TARGETS)


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a short search of every target, all by one process, which imports and instruments once."""
    pytest.importorskip("atheris", reason="needs atheris, which is in the extra dev")
    folder = tmp_path_factory.mktemp("searches")
    names = sorted(targets.TARGETS)
    # Linux counts the most that a process ever had as memory of whatever it starts, and the tests before this one may
    # have had more than a search may. `timeout` stands between, and has had next to nothing.
    subprocess.run(
        [
            *("timeout", "--kill-after=10", str(len(names) * (SECONDS + 60))),
            *(sys.executable, str(PROJECT / "fuzz" / "run.py"), *names),
            *(f"--seconds={SECONDS}", f"--folder={folder}", f"--seed={SEED}"),
        ],
        capture_output=True,
        check=False,
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_a_short_search_finds_no_crash_hang_or_foreign_exception(target: str, searches: Path) -> None:
    folder = searches / target
    log = (folder / "log").read_text("utf-8", "replace")
    broken = [path for path in folder.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-"))]
    assert not broken, f"{[path.read_bytes() for path in broken]}\n{log[-4000:]}"
    # The fuzzer says so at its end, and nowhere else.
    assert "stat::number_of_executed_units" in log, log[-4000:]
    assert re.search(r"^Done \d+ runs in", log, re.MULTILINE), log[-4000:]
