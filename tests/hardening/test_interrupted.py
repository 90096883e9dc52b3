"""Whatever raises while a claim is judged, a signal's handler for one: the verdict is whole, or that is raised."""

from __future__ import annotations

import pickle
import random
import signal
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.hardening.interrupting import (
    ENGINES,
    Interrupted,
    Step,
    TooLateError,
    alarm_that_raises,
    interrupted_at,
    of_every_line,
    steady_steps_of,
    steps_of,
)

from weakcode import Claim, Validator
from weakcode.engines import durable

CODES = ["G72.9", "M62.84", "E11.9", "K31.84", "U09.9", "I10", "I10"]

needs_alarm = pytest.mark.skipif(
    not hasattr(signal, "SIGALRM"), reason="needs SIGALRM, which this system does not have"
)


needs_durable = ENGINES[1].marks[0]


@pytest.fixture(scope="module", params=ENGINES)
def validator(request: pytest.FixtureRequest) -> Validator:
    return Validator(engine=request.param)


def outcome_of(kind: BaseException, step: Step, work: Callable[[], Any], whole: Any) -> str:
    """Interrupt `work` at a step and return what came of it: "raised" or "whole". Anything else fails."""
    seen: Any = None
    try:
        outcome = interrupted_at(step, work, kind)
    except BaseException as raised:
        outcome, seen = None, raised
    if seen is None:
        assert outcome == whole, str(step)
        return "whole"
    assert seen is kind, f"{step} raised {seen!r}"
    return "raised"


def test_an_exception_at_any_line_of_a_check_is_raised_and_the_next_check_is_whole(validator: Validator) -> None:
    claim = Claim(CODES)
    whole = validator.check(claim)
    assert len(whole) > 1
    steps = of_every_line(steps_of(lambda: validator.check(claim)))
    assert len(steps) > 50
    kinds = random.Random(6281)
    for step in steps:
        raised = kinds.choice([Interrupted, TooLateError])()
        assert outcome_of(raised, step, lambda: validator.check(claim), whole) == "raised"
        assert validator.check(claim) == whole


@pytest.mark.attack
def test_an_exception_at_any_instruction_of_a_check_is_raised(validator: Validator) -> None:
    claim = Claim(["M62.84", "I10", "I10"])
    whole = validator.check(claim)
    steps = steps_of(lambda: validator.check(claim))
    outcomes = Counter(outcome_of(Interrupted(), step, lambda: validator.check(claim), whole) for step in steps)
    assert outcomes == {"raised": len(steps)}
    assert validator.check(claim) == whole


@needs_durable
def test_an_exception_while_the_ruleset_is_opened_or_recycled_leaves_an_engine_that_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    validator = Validator(engine="durable")
    claim = Claim(CODES)
    whole = validator.check(claim)

    def anew() -> Any:
        durable._idle.clear()
        return validator.check(claim)

    outcomes = Counter()
    for step in of_every_line(steady_steps_of(anew)):
        outcomes[outcome_of(Interrupted(), step, anew, whole)] += 1
        assert validator.check(claim) == whole
    # What an interruption left is deleted by the next one on the way, in a few steps more or fewer.
    assert outcomes["raised"] > 0.9 * outcomes.total()
    monkeypatch.setattr(durable, "_CLAIMS_BEFORE_RECYCLING", 1)
    for step in of_every_line(steps_of(lambda: validator.check(claim))):
        outcome_of(Interrupted(), step, lambda: validator.check(claim), whole)
        assert validator.check(claim) == whole


@pytest.mark.attack
def test_an_exception_while_anything_is_made_ready_for_the_first_claim_leaves_no_half_of_it(
    validator: Validator,
) -> None:
    """Tables, wordings and all else that is kept: a validator works that was interrupted while it made them."""
    claim = Claim(CODES)
    whole = validator.check(claim)
    packed = pickle.dumps(validator)
    steps = of_every_line(steps_of(lambda: pickle.loads(packed).check(claim)))
    for step in random.Random(6281).sample(steps, 60):
        fresh = pickle.loads(packed)
        outcome_of(Interrupted(), step, lambda fresh=fresh: fresh.check(claim), whole)
        assert fresh.check(claim) == whole


def alarms(validator: Validator, claim: Claim, times: int, kind: type[BaseException]) -> Counter[str]:
    """Judge a claim again and again under an alarm that rings at a random moment; return what came of it."""
    whole, moments = validator.check(claim), random.Random(6281)
    outcomes: Counter[str] = Counter()
    for _ in range(times):
        with alarm_that_raises(kind) as ring_in:
            try:
                ring_in(moments.uniform(1e-5, 4e-4))
                for _ in range(30):
                    assert validator.check(claim) == whole
                ring_in(0)
                outcomes["whole"] += 1
            except kind:
                outcomes["raised"] += 1
    assert validator.check(claim) == whole
    return outcomes


@needs_alarm
def test_a_signal_whose_handler_raises_loses_no_finding(validator: Validator) -> None:
    claim = Claim(CODES)
    for kind in (Interrupted, TooLateError, KeyboardInterrupt):
        assert alarms(validator, claim, 150, kind)["raised"] > 20


@needs_alarm
@pytest.mark.attack
def test_thousands_of_signals_lose_no_finding(validator: Validator) -> None:
    assert alarms(validator, Claim(CODES), 4_000, Interrupted)["raised"] > 500


@needs_alarm
def test_a_signal_whose_handler_checks_a_claim_of_its_own_disturbs_neither(validator: Validator) -> None:
    outer, inner = Claim(CODES), Claim(["M62.84", "I10"])
    whole, other = validator.check(outer), validator.check(inner)
    answers: list[bool] = []

    def handler(number: int, frame: Any) -> None:
        answers.append(validator.check(inner) == other)

    moments = random.Random(6281)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        while len(answers) < 40:
            signal.setitimer(signal.ITIMER_REAL, moments.uniform(1e-5, 3e-4))
            assert validator.check(outer) == whole
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all(answers)
