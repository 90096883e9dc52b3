"""What happens to the cache folder while weakcode runs never changes a finding."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODES = ("U09.9", "M62.84", "G20.A1", "E11.9", "I10", "I50.9")
PACKS = ("weakness", "covid")
ONCE = f"""
import weakcode
print([(f.rule, f.positions, f.message) for f in weakcode.check({CODES!r}, packs={PACKS!r})])
"""
# Judges a claim, says so, waits for a word, then judges again in the same process with all that it has in memory.
WAITING = f"""
import sys
from weakcode import Claim, Validator
engine = sys.argv[1]
validator = Validator({PACKS!r}, engine=engine)
def tell():
    print([(f.rule, f.positions, f.message) for f in validator.check(Claim(codes={CODES!r}))], flush=True)
tell()
sys.stdin.readline()
tell()
print(validator.rules_touching("J84.10"), flush=True)
"""


def _environment(cache: Path) -> dict[str, str]:
    return {**os.environ, "WEAKCODE_CACHE_DIR": str(cache)}


def _findings(cache: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ONCE], capture_output=True, text=True, check=True, env=_environment(cache)
    )
    return done.stdout


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    _findings(folder)
    return folder


@pytest.mark.parametrize(
    ("engine", "harm"), [("durable", "overwritten"), ("columnar", "cut short"), ("columnar", "emptied")]
)
def test_a_cache_that_is_damaged_under_a_running_process_changes_nothing(cache: Path, engine: str, harm: str) -> None:
    expected = _findings(cache).strip()
    files = sorted(cache.glob("*.bin"))
    before = {path: path.read_bytes() for path in files}
    assert before
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, engine],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(cache),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline().strip() == expected
        for path, content in before.items():
            # In place, so that whoever mapped the file would see it.
            with path.open("r+b") as file:
                if harm == "overwritten":
                    file.write(b"\xff" * len(content))
                else:
                    file.truncate(len(content) // 2 if harm == "cut short" else 0)
        second, touching = process.communicate("go\n")[0].splitlines()
    assert process.returncode == 0
    assert second == expected
    assert "('covid/post-covid-condition-first', 'object')" in touching
    assert _findings(cache).strip() == expected, "the damaged cache is made anew"
    assert {path.name for path in cache.glob("*.bin")} >= {path.name for path in files}


def test_processes_that_fill_an_empty_cache_at_once_agree_and_leave_it_whole(cache: Path, tmp_path: Path) -> None:
    expected = _findings(cache)
    processes = [
        subprocess.Popen([sys.executable, "-c", ONCE], stdout=subprocess.PIPE, text=True, env=_environment(tmp_path))
        for _ in range(3)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert outputs == [expected] * 3
    assert not list(tmp_path.glob("*.tmp")), "nothing half-written stays"
    kinds = sorted(path.name.split("-")[0] for path in tmp_path.iterdir())
    assert kinds == ["edition", "program"], "one file of each kind, whoever came last"
    for path in tmp_path.iterdir():
        assert path.read_bytes()[:8] == b"WEAKCODE"
    assert _findings(tmp_path) == expected


def test_a_cache_folder_that_may_not_be_written_is_done_without(cache: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("no folder")
    assert _findings(blocked / "cache") == _findings(cache)
