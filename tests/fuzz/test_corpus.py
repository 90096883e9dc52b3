"""What fuzzing starts from and what it once found keeps the promises of its target; then a short new search."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("WEAKCODE_FUZZ_SECONDS", "3"))
SEED = 0 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 6281
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


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(targets.TARGETS))
def test_a_short_search_finds_no_crash_hang_or_foreign_exception(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="needs atheris, which is in the extra dev")
    # Linux counts the most that a process ever had as memory of whatever it starts, and the tests before this one may
    # have had more than a search may. `timeout` stands between, and has had next to nothing.
    done = subprocess.run(
        [
            *("timeout", "--kill-after=10", str(SECONDS + 240)),
            *(sys.executable, str(PROJECT / "fuzz" / "run.py"), target),
            *(f"--seconds={SECONDS}", f"--folder={tmp_path}", f"--seed={SEED}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    broken = [path for path in tmp_path.iterdir() if path.name.startswith(("crash-", "timeout-", "oom-", "slow-"))]
    assert done.returncode == 0, f"{[path.read_bytes() for path in broken]}\n{done.stderr[-4000:]}"
    assert not [path for path in broken if not path.name.startswith("slow-")]
    assert "stat::number_of_executed_units" in done.stderr, done.stderr[-2000:]
