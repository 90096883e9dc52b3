"""How long a check takes while other threads check too: the tail, not the middle.

Run it with `python benchmarks/threads.py`; `--than PYTHON` gives the interpreter of another tree to compare with, round
by round. Threads check claims of six random codes one after the other, as fast as they can, which is the worst there is
for the interpreter's lock. Beside each engine threads do work of the same length that is Python and nothing else: how
long that takes at its longest is the interpreter's and the machine's.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable

THREADS = 8
SECONDS = 4.0
SHARES = (0.5, 0.99, 0.999)


def timed(work: Callable[[int], object], threads: int, seconds: float) -> list[float]:
    """Return the durations in milliseconds of `work` by threads that do it over and over, in order."""
    begin = threading.Barrier(threads)
    end = [0.0]
    times: list[list[float]] = [[] for _ in range(threads)]

    def run(mine: list[float], turn: int) -> None:
        if begin.wait() == 0:
            end[0] = time.perf_counter() + seconds
        while not end[0] or time.perf_counter() < end[0]:
            turn += 1
            start = time.perf_counter()
            work(turn)
            mine.append((time.perf_counter() - start) * 1e3)

    workers = [threading.Thread(target=run, args=(mine, 97 * n)) for n, mine in enumerate(times)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sorted(one for mine in times for one in mine)


def figures(times: list[float]) -> dict[str, float]:
    """Return the shares of durations, the longest and how many there were."""
    found = {f"p{str(share)[2:].ljust(2, '0')}": times[int(share * len(times))] for share in SHARES}
    return {**found, "longest": times[-1], "checks": len(times)}


def in_python(length: float) -> Callable[[int], object]:
    """Return work in Python that takes about so many milliseconds."""

    def count(turns: int) -> int:
        total = 0
        for turn in range(turns):
            total += turn & 7
        return total

    shortest = float("inf")
    for _ in range(50):
        start = time.perf_counter()
        count(20_000)
        shortest = min(shortest, (time.perf_counter() - start) * 1e3)
    turns = max(1, int(20_000 * length / shortest))
    return lambda _: count(turns)


def measure(threads: int, seconds: float) -> dict[str, dict[str, float]]:
    """Time both engines in this process, and work in Python of the same length beside each."""
    import weakcode
    from weakcode.codes.catalog import edition_for

    edition = edition_for(None)
    random.seed(62_81)
    claims = [weakcode.Claim([edition.code(random.randrange(edition.size)) for _ in range(6)]) for _ in range(2_000)]
    found: dict[str, dict[str, float]] = {}
    for engine in ("columnar", "durable"):
        validator = weakcode.Validator(engine=engine)
        alone = []
        for claim in claims * 2:
            start = time.perf_counter()
            validator.check(claim)
            alone.append((time.perf_counter() - start) * 1e3)
        found[f"{engine}, 1 thread"] = figures(sorted(alone[len(claims) :]))
        found[f"{engine}, {threads} threads"] = figures(
            timed(lambda turn, check=validator.check: check(claims[turn % len(claims)]), threads, seconds)
        )
        control = in_python(found[f"{engine}, 1 thread"]["p50"])
        found[f"Python alone, as long as {engine}"] = figures(timed(control, threads, seconds))
    return found


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--than", metavar="PYTHON", help="the interpreter of another tree, measured in turn with this")
    options.add_argument("--threads", type=int, default=THREADS)
    options.add_argument("--seconds", type=float, default=SECONDS)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.once:
        print(json.dumps(measure(given.threads, given.seconds)))
        return
    trees = {"this tree": sys.executable, **({"the other": given.than} if given.than else {})}
    rounds: dict[tuple[str, str], list[dict[str, float]]] = {}
    for _ in range(given.rounds):
        for tree, python in trees.items():
            more = ["--once", "--threads", str(given.threads), "--seconds", str(given.seconds)]
            done = subprocess.run([python, __file__, *more], capture_output=True, text=True, check=True)
            for what, one in json.loads(done.stdout).items():
                rounds.setdefault((what, tree), []).append(one)
    heads = " ".join(f"{name:>8}" for name in ("p50", "p99", "p999", "longest"))
    print(f"{'milliseconds, medians of the rounds':<36} {'':<10} {heads} {'checks/s':>9}")
    for (what, tree), several in sorted(rounds.items(), key=lambda one: (one[0][0].split(" threads")[0], one[0][1])):
        middle = {name: statistics.median(one[name] for one in several) for name in several[0]}
        cells = " ".join(f"{middle[name]:>8.3f}" for name in ("p50", "p99", "p999", "longest"))
        each = f"{middle['checks'] / given.seconds:>9.0f}" if "1 thread" not in what else ""
        print(f"{what:<36} {tree:<10} {cells} {each}")


if __name__ == "__main__":
    main()
