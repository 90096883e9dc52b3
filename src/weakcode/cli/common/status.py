"""The exit status of a command."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What the exit status says; docs/nightly.md has the same table."""

    FINE = 0
    FINDINGS = 1
    BAD_INPUT = 2
    GATE = 3
    BUG = 70
    UNAVAILABLE = 75
    INTERRUPTED = 130
    NO_READER = 141

    @property
    def meaning(self) -> str:
        """What it says, as half a sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Status.FINE: "no finding at or above `--fail-on`",
    Status.FINDINGS: "findings at or above `--fail-on`",
    Status.BAD_INPUT: "bad usage or bad input, or no row that could be read as a claim",
    Status.GATE: "more rejected rows, or claims with errors, than `--max-rejects` or `--max-errors` allows",
    Status.BUG: "something went wrong inside weakcode",
    Status.UNAVAILABLE: "a database or file is in use or being written, or a connection was lost; try again later",
    Status.INTERRUPTED: "stopped by Ctrl-C, SIGTERM or SIGHUP",
    Status.NO_READER: "the reader of standard output closed it",
}
