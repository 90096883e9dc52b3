"""Threads that check claims one by one take turns, and do not wait until the interpreter makes them."""

from __future__ import annotations

import sys
import threading
from itertools import groupby

import pytest

from tests.hardening.interrupting import ENGINES
from weakcode import Claim, Validator

CODES = ["G72.9", "M62.84", "E11.9", "K31.84", "U09.9", "I10", "I10"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_thread_that_checks_on_and_on_lets_the_others_check(engine: str) -> None:
    validator = Validator(engine=engine)
    claim = Claim(CODES)
    whole = validator.check(claim)
    order: list[int] = []
    begin = threading.Barrier(3)

    def check(number: int) -> None:
        begin.wait()
        while len(order) < 50_000 and len(set(order[-500:])) < 3:
            for _ in range(50):
                assert validator.check(claim) == whole
                order.append(number)

    threads = [threading.Thread(target=check, args=(number,)) for number in range(3)]
    interval = sys.getswitchinterval()
    # So seldom that the interpreter has no part in the turns: in this time one thread checks more claims than are
    # looked at below. On a busy machine a thread gets its very first turn only so.
    sys.setswitchinterval(2)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(list(groupby(order))) > 2
    assert set(order[-500:]) == {0, 1, 2}, "a thread checked on while the others waited"
