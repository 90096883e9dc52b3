"""What takes longer than a second says what it is doing; what does not stays silent."""

from __future__ import annotations

import logging
import time

import pytest

from weakcode.base import progress
from weakcode.cli.common import running


def test_only_what_takes_longer_than_a_moment_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "_listeners", [told.append])
    caplog.set_level(logging.INFO, "weakcode")
    with progress.doing("something short"):
        pass
    monkeypatch.setattr(progress, "MOMENT", 0.001)
    with progress.doing("something long"):
        end = time.monotonic() + 10
        while not told and time.monotonic() < end:
            time.sleep(0.001)
    assert told == ["something long"]
    assert caplog.messages == ["something long"]


def test_what_fails_is_not_reported_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "_listeners", [told.append])
    monkeypatch.setattr(progress, "MOMENT", 0.05)
    with pytest.raises(ValueError, match="broken"), progress.doing("something broken"):
        raise ValueError("broken")
    time.sleep(0.1)
    assert told == []


@pytest.mark.parametrize("is_terminal", [True, False])
def test_on_a_terminal_whatever_takes_longer_than_a_moment_is_reported(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "MOMENT", 0.01)
    monkeypatch.setattr(progress, "_listeners", [told.append])
    monkeypatch.setattr(running, "on_terminal", lambda stream: is_terminal)
    with running.working("counting"):
        end = time.monotonic() + (10 if is_terminal else 0.1)
        while not told and time.monotonic() < end:
            time.sleep(0.01)
    assert told == (["counting"] if is_terminal else [])
