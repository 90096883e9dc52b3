"""Run by `make plain` where only the wheel and what it depends on are installed, and where there is no compiler."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "weakcode"), *arguments]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "WEAKCODE_CACHE_DIR": folder}
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def main() -> None:
    assert not any(map(shutil.which, ("cc", "gcc", "clang"))), "there is a compiler"
    assert importlib.util.find_spec("durable_rules_engine") is None, "durable-rules is installed"

    checked = run("check", "M62.84", "I10")
    assert checked.returncode == 1, checked
    assert "weakness/sarcopenia-underlying-disease-first" in checked.stdout, checked

    scrubbed = run("scrub", str(PROJECT / "examples" / "claims.csv"), "-o", "found.parquet", "--fail-on", "never")
    assert scrubbed.returncode == 0, scrubbed

    asked = run("check", "I10", "--engine", "durable")
    assert (asked.returncode, asked.stdout, asked.stderr.count("\n")) == (2, "", 1), asked
    assert "weakcode[durable]" in asked.stderr, asked
    print("weakcode works without a compiler")


main()
