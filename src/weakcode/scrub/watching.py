"""What a run tells while it runs: that it started, how far it is, and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from weakcode.base.log import about, logger
from weakcode.errors import WeakcodeError, counted

if TYPE_CHECKING:
    from weakcode.scrub.runs import RunTime
    from weakcode.scrub.summary import Summary

EVERY = 60.0
"""Seconds from one line about progress to the next."""
FAILED, STOPPED = "failed", "stopped"
"""How a run ends that does not complete: by an error, or because it was told to."""


class Watcher:
    """Hears of a run; what it does must not depend on the claims. A watcher says what it does with what it hears."""

    def started(self, run: RunTime) -> None:
        """Hear that a run starts, before anything is read."""

    def completing(self, summary: Summary) -> None:
        """Hear how a run will come to its end, before anything is in its place; write now what takes room."""

    def completed(self, summary: Summary) -> None:
        """Hear that a run has come to its end; `is_kept` and `over` of its summary say how."""

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Hear that a run was `failed` or `stopped`, and why."""


class WatchedRun:
    """A run on its way, of which watchers hear."""

    def __init__(self, watchers: Sequence[Watcher]) -> None:
        self._watchers = watchers

    def completing(self, summary: Summary) -> None:
        """Tell how the run will come to its end."""
        for watcher in self._watchers:
            watcher.completing(summary)

    def completed(self, summary: Summary) -> None:
        """Tell that the run has come to its end."""
        for watcher in self._watchers:
            watcher.completed(summary)


@contextmanager
def watched(run: RunTime, watchers: Sequence[Watcher], *, is_part: bool = False) -> Iterator[WatchedRun]:
    """Tell watchers that a run starts, and of what comes out of the block that it failed.

    What is a part of a run, as a task on Spark, is not logged as a run.
    """
    informed: list[Watcher] = []
    try:
        for watcher in (*(() if is_part else (RunLogger(),)), *watchers):
            watcher.started(run)
            informed.append(watcher)
        yield WatchedRun(informed)
    except BaseException as error:
        state = STOPPED if isinstance(error, KeyboardInterrupt) else FAILED
        for watcher in informed:
            with suppress(WeakcodeError):  # it would hide why the run ended
                watcher.ended(run, state, reason_of_end(error))
        raise


def reason_of_end(error: BaseException) -> str:
    """Say why a run ended, without anything that only claims can have put into an exception."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C, SIGTERM or SIGHUP"
    if isinstance(error, WeakcodeError):
        return str(error)
    return f"something went wrong inside weakcode ({type(error).__name__})"


class RunLogger(Watcher):
    """Tells the logger "weakcode.scrub" of a run."""

    def started(self, run: RunTime) -> None:
        """Log the start."""
        logger("scrub").info("run %s started", run.id, extra=about("run.started", run=run.id))

    def completed(self, summary: Summary) -> None:
        """Log the counts; as a warning where the run is over a gate or its findings are not kept."""
        assert summary.run is not None
        names = ("claims_in", "evaluated", "rejected", "clean", "with_errors", "findings", "waived", "is_kept")
        counts: dict[str, object] = {name: getattr(summary, name) for name in names}
        is_well = summary.is_kept and not summary.over and not summary.unread
        logger("scrub").log(
            logging.INFO if is_well else logging.WARNING,
            "run %s completed: %s, %s evaluated, %s rejected, %s in %.1f s%s",
            summary.run.id,
            counted(summary.claims_in, "claim"),
            f"{summary.evaluated:,}",
            f"{summary.rejected:,}",
            counted(summary.findings, "finding"),
            summary.seconds,
            "".join(f"; over {gate}" for gate in summary.over) + ("" if summary.is_kept else "; findings not kept"),
            extra=about(
                "run.completed", run=summary.run.id, **counts, seconds=round(summary.seconds, 3), over=[*summary.over]
            ),
        )

    def ended(self, run: RunTime, state: str, why: str) -> None:
        """Log why."""
        logger("scrub").error("run %s %s: %s", run.id, state, why, extra=about(f"run.{state}", run=run.id, why=why))


def logs_progress() -> bool:
    """Tell whether anybody reads what is logged about progress."""
    return logger("scrub").isEnabledFor(logging.INFO)


def log_progress(text: str, numbers: dict[str, object]) -> None:
    """Log how far a run is."""
    logger("scrub").info(text, extra=about("run.progress", **numbers))


def minutely(
    total: int | None, tell: Callable[[str, dict[str, object]], None] = log_progress
) -> Callable[[int, int, int], None]:
    """Return what says every minute how far a scrub is, of `total` bytes if that is known, and how long it will take.

    `tell` gets a sentence, and its numbers by name.
    """
    started = last = time.perf_counter()

    def progress(bytes_read: int, claims: int, findings: int) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last < EVERY:
            return
        last = now
        left = ""
        numbers: dict[str, object] = {"claims": claims, "findings": findings, "seconds": round(now - started, 1)}
        if total and bytes_read:
            seconds = (now - started) * max(total - bytes_read, 0) / bytes_read
            left = f", {min(bytes_read / total, 1):.0%}, {seconds / 60:,.0f} min left"
            numbers |= {"share": round(min(bytes_read / total, 1), 4), "seconds_left": round(seconds, 1)}
        tell(f"{progress_text(claims, findings, now - started)}{left}", numbers)

    return progress


def progress_text(claims: int, findings: int, seconds: float) -> str:
    """Say how far a scrub is."""
    rate = f", {claims / seconds:,.0f}/s" if seconds > 0 else ""
    return f"{counted(claims, 'claim')}{rate}, {counted(findings, 'finding')}"
