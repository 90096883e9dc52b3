"""A program whose threads check claims while it forks, as a server that replaces workers: run by test_forks."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
import time

from weakcode import Claim, Validator

CODES = ["I10", "M62.84", "E11.9", "K31.84", "U09.9", "E11.22", "N18.30", "G20.A1"]
WANTED = ["M62.84", "I10"]
SECONDS = 10


def child(validator: Validator, whole: object) -> None:
    """Check a claim in a forked child, in its only thread and in a new one, and end: 0 where both are whole."""
    # What hangs says where, and ends.
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    found = [validator.check(Claim(WANTED))]
    thread = threading.Thread(target=lambda: found.append(validator.check(Claim(WANTED))))
    thread.start()
    thread.join()
    os._exit(0 if found == [whole] * 2 else 3)


def main(engine: str, forks: int, *, first: bool) -> int:
    """Fork while three threads check claims and return how many children did not end well.

    With `first`, the children are forked while the threads are at their first claim.
    """
    validator = Validator(engine=engine)
    whole = Validator(engine=engine).check(Claim(WANTED))
    if not first:
        validator.check(Claim(CODES))
    stop = threading.Event()

    def busy() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            validator.check(Claim([CODES[(turn * 7 + other * 3) % 8] for other in range(1 + turn % 6)]))

    threads = [threading.Thread(target=busy, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    bad = 0
    for _ in range(forks):
        if first:
            time.sleep(0.003)
        pid = os.fork()
        if pid == 0:
            child(validator, whole)
        bad += os.waitpid(pid, 0)[1] != 0
    stop.set()
    for thread in threads:
        thread.join()
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), first=sys.argv[3:] == ["first"]))
