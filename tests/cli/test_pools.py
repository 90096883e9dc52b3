"""Memory of columns comes from the pool that keeps the least of it."""

from __future__ import annotations

import os
import subprocess
import sys

import pyarrow as pa
import pytest

POOL = """
import sys
from weakcode.cli.common.running import few_pools
few_pools(int(sys.argv[1]))
import pyarrow as pa
print(pa.default_memory_pool().backend_name)
"""
OF_THREADS = "jemalloc" if "jemalloc" in pa.supported_memory_backends() else "system"


@pytest.mark.parametrize(
    ("threads", "asked", "pool"),
    [(1, None, "system"), (2, None, OF_THREADS), (2, "system", "system"), (1, OF_THREADS, OF_THREADS)],
)
def test_arrow_takes_the_pool_for_the_number_of_threads_unless_another_is_asked_for(
    threads: int, asked: str | None, pool: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    if asked is not None:
        environment["ARROW_DEFAULT_MEMORY_POOL"] = asked
    command = [sys.executable, "-c", POOL, str(threads)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert (result.stdout.strip(), result.stderr) == (pool, "")
