"""A clean claim is clean also when it is the first that a process judges."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CHECK = "import sys, weakcode; print(weakcode.check(sys.argv[2:], packs=[sys.argv[1]]))"


@pytest.mark.parametrize(("pack", "codes"), [("weakness", "G72.9 M62.84"), ("covid", "J96.10 U09.9")])
def test_a_clean_claim_that_a_process_judges_first_is_clean(pack: str, codes: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _CHECK, pack, *codes.split()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "()")
